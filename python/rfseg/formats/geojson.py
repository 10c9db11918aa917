"""A Result as GeoJSON (RFC 7946): along the edges of pixels, every geometry valid and of its mask's own area."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.files import GrowingFile
from rfseg.formats.frame_names import Frame
from rfseg.formats.numbers import line_bytes, shortest

if TYPE_CHECKING:
    from rfseg.masks import Part
    from rfseg.result import Result

Affine = tuple[float, float, float, float, float, float]


def geojson(
    result: Result,
    properties: dict[str, Any] | None = None,
    *,
    transform: Iterable[float] | None = None,
    simplify: float | None = None,
) -> dict[str, Any]:
    """The schema of `Result.to_geojson`; `properties` are added to those of every feature."""
    affine = None if transform is None else six_numbers(transform)
    outlines = result.masks.polygons("edge") if simplify is None else result.masks.simplified(simplify)
    names = result.class_name
    features = []
    for row, parts in enumerate(outlines):
        features.append(
            {
                "type": "Feature",
                "geometry": geometry(parts, affine),
                "properties": {
                    "class_id": int(result.class_id[row]),
                    "class_name": names[row],
                    "confidence": shortest(result.confidence[row]),
                    **(properties or {}),
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


def six_numbers(transform: Iterable[float]) -> Affine:
    """(a, b, c, d, e, f) of an affine transform: x' = a x + b y + c, y' = d x + e y + f.

    Raises:
        InputError: other than 6 numbers, or 9 of which the last are 0, 0, 1; not finite; or it maps all to a line.
    """
    try:
        numbers = tuple(float(number) for number in transform)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) == 9 and numbers[6:] == (0.0, 0.0, 1.0):  # as iterating over rasterio's Affine gives them
        numbers = numbers[:6]
    if len(numbers) != 6 or not all(map(math.isfinite, numbers)):
        raise InputError(
            "transform must be 6 finite numbers (a, b, c, d, e, f) with x' = a x + b y + c and y' = d x + e y + f, as "
            f"rasterio's dataset.transform; got {transform!r}"
        )
    a, b, c, d, e, f = numbers
    if a * e == b * d:
        raise InputError(f"transform maps the image to a line or a point: {numbers}; expected a * e != b * d")
    return a, b, c, d, e, f


def geometry(parts: list[Part], affine: Affine | None = None) -> dict[str, Any] | None:
    """A Polygon, a MultiPolygon where there are several parts, None where there is none."""
    if not parts:
        return None
    rings = _closed_rings([ring for exterior, holes in parts for ring in (exterior, *holes)], affine)
    polygons = [[next(rings) for _ in range(1 + len(holes))] for _, holes in parts]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _closed_rings(outlines: list[NDArray[np.int32]], affine: Affine | None) -> Iterator[list[list[float]]]:
    """Repeats each first position last and keeps exteriors counterclockwise, as RFC 7946 asks.

    All corners become Python's numbers at once: a mask may have a million holes.
    """
    corners: NDArray[Any] = np.concatenate(outlines)
    turned = False
    if affine is not None:
        a, b, c, d, e, f = affine
        x, y = corners.astype(np.float64).T
        corners = np.column_stack((a * x + b * y + c, d * x + e * y + f))
        turned = a * e < b * d  # a mirror image, as every map whose y points north
    points, begin = corners.tolist(), 0
    for outline in outlines:
        ring = points[begin : begin + len(outline)]
        begin += len(outline)
        if turned:
            ring.reverse()
        ring.append(ring[0])
        yield ring


class GeoJsonFile:
    """One FeatureCollection; each feature also has the properties `frame` and `time_s`."""

    def __init__(self, path: Path, *, transform: Iterable[float] | None = None, simplify: float | None = None) -> None:
        """Opens the file; see `Result.to_geojson` for the options."""
        self.path = path
        self._transform = None if transform is None else six_numbers(transform)
        self._simplify = simplify
        self._file = GrowingFile(path, b'{"type":"FeatureCollection","features":[', b"\n]}\n")
        self._comma = b""

    def write(self, frame: Frame, result: Result) -> None:
        """Adds the instances of a frame."""
        when = {"frame": frame.index, "time_s": frame.time_s}
        features = geojson(result, when, transform=self._transform, simplify=self._simplify)["features"]
        if features:
            self._file.append(self._comma + b"\n" + b",\n".join(map(line_bytes, features)))
            self._comma = b","

    def close(self) -> None:
        """Closes the file, which is valid after every frame."""
        self._file.close()
