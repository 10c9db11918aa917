"""How much faster are edge outlines from runs than rasterio's features.shapes, and what do a million holes cost?

Compares, on one thread and in one run, `rfseg.Masks.polygons("edge")` on run lengths with `rasterio.features.shapes` on
the dense mask (GDAL's polygonize, 4-connected). Both give the same polygons, which is checked. Then times every mode on
an image with a million holes. Needs rasterio and shapely. Example:

    python tests/bench/bench_edges.py
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
import rasterio
import rasterio.features
import shapely
from bench_polygons import synthetic_frame

import rfseg


def timed_ms(work: Callable[[], object]) -> tuple[float, object]:
    """Milliseconds of one call, and its answer."""
    begin = time.perf_counter_ns()
    answer = work()
    return (time.perf_counter_ns() - begin) / 1e6, answer


def theirs(mask: np.ndarray) -> list:
    """GDAL's polygons of one dense mask."""
    return [geometry for geometry, _ in rasterio.features.shapes(mask, mask=mask, connectivity=4)]


def same(ours: list, others: list) -> bool:
    """The same set of polygons."""
    mine = sorted(shapely.Polygon(exterior, holes).normalize().wkt for exterior, holes in ours)
    return mine == sorted(shapely.geometry.shape(geometry).normalize().wkt for geometry in others)


def show(name: str, values: list[float], unit: str) -> None:
    """One line: median and the range that holds nine tenths."""
    low, *_, high = statistics.quantiles(values, n=20)
    print(f"{name:34} {statistics.median(values):9.4f} {unit}  (5 to 95 %: {low:.4f} to {high:.4f})")


def main() -> None:
    ours_ms, theirs_ms = [], []
    for seed in range(12):
        masks = rfseg.Masks.from_coco(synthetic_frame(seed))
        for i, dense in enumerate(masks.dense().view(np.uint8)):
            one = rfseg.Masks.from_coco(masks[i].coco())
            ms, ours = timed_ms(lambda one=one: one.polygons("edge")[0])
            ours_ms.append(ms)
            ms, others = timed_ms(lambda dense=dense: theirs(dense))
            theirs_ms.append(ms)
            if not same(ours, others):
                raise SystemExit("the polygons differ: the times mean nothing")
    print(f"{platform.processor() or platform.machine()}, rfseg {rfseg.__version__}, rasterio {rasterio.__version__}")
    print(f"{len(ours_ms)} masks of 150 to 350 px in 1080x1920")
    show('rfseg, polygons("edge")', ours_ms, "ms a mask")
    show("rasterio.features.shapes", theirs_ms, "ms a mask")
    show("ratio", [b / a for a, b in zip(ours_ms, theirs_ms, strict=True)], "         ")

    sieve = np.ones((1, 2001, 2001), bool)
    sieve[:, 1:-1:2, 1:-1:2] = False
    board = (np.indices((1415, 1415)).sum(axis=0) % 2 == 0)[None]
    for name, mask in (("sieve, 1,000,000 holes", sieve), ("checkerboard, 1,001,113 pixels", board)):
        masks = rfseg.Masks.from_dense(mask)
        for mode in ("external", "tree", "largest", "edge"):
            ms, _ = timed_ms(lambda masks=masks, mode=mode: masks.polygons(mode))
            print(f"{name}, {mode:9} {ms:8.0f} ms")


if __name__ == "__main__":
    main()
