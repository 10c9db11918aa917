"""Frames and network outputs, made up: what the kernels are checked and timed with on a GPU.

Of real sizes, random or hostile, and the cases of contract section 5. Owns also the records that class logits hold.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kernels.stages import RECORD
from reference.postprocess import select

NETWORKS = {  # side, queries, mask side
    "nano": (312, 100, 78),
    "small": (384, 100, 96),
    "medium": (432, 200, 108),
    "large": (504, 200, 126),
    "xlarge": (624, 300, 156),
    "2xlarge": (768, 300, 192),
}
HD, UHD = (1080, 1920), (2160, 3840)


def frame_of(height: int, width: int) -> np.ndarray:
    """Noise over a gradient."""
    rng = np.random.default_rng(height)
    ramp = np.linspace(0, 200, width)[None, :, None] + rng.integers(0, 56, (height, width, 3))
    return ramp.astype(np.uint8)


def grid_with_ellipse(side: int, centre: tuple[float, float], radii: tuple[float, float], seed: int) -> np.ndarray:
    """Logits [side, side] positive inside an ellipse given in shares of the side, with a wavy edge."""
    y, x = (np.indices((side, side)) + 0.5) / side
    inside = 1 - np.hypot((y - centre[0]) / radii[0], (x - centre[1]) / radii[1])
    return (8 * inside + np.random.default_rng(seed).normal(0, 0.3, (side, side))).astype(np.float32)


def scene(network: str, image_size: tuple[int, int], instances: int, size_px: int) -> tuple[np.ndarray, ...]:
    """labels, dets, masks of `instances` objects about `size_px` wide and high; 0: of the whole frame."""
    side, queries, mask_side = NETWORKS[network]
    rng = np.random.default_rng(side + instances)
    labels = rng.normal(-6, 1, (queries, 91)).astype(np.float32)
    chosen = rng.permutation(queries)[:instances]
    labels[chosen, rng.integers(0, 91, instances)] = rng.uniform(1, 5, instances)
    dets = rng.random((queries, 4), np.float32)
    masks = rng.normal(-5, 0.5, (queries, mask_side, mask_side)).astype(np.float32)
    for query in chosen:
        radii = (size_px / image_size[0] / 2, size_px / image_size[1] / 2) if size_px else (2.0, 2.0)
        centre = tuple(rng.uniform(0.2, 0.8, 2)) if size_px else (0.5, 0.5)
        masks[query] = grid_with_ellipse(mask_side, centre, radii, int(query))
    return labels, dets, masks


def random_logits(queries: int, columns: int, mean: float) -> np.ndarray:
    """Class logits [Q, C] of few values, so that many tie, with NaN and infinities strewn in."""
    rng = np.random.default_rng(queries + columns)
    labels = (np.round(rng.normal(mean, 2, (queries, columns)) * 8) / 8).astype(np.float32)
    for value in (np.nan, np.inf, -np.inf):
        labels[rng.random(labels.shape) < 0.002] = value
    return labels


def logits_around(value: float, queries: int, columns: int, each: int) -> np.ndarray:
    """Class logits [Q, C]: `each` times the value, its neighbours, -0, the infinities and NaN; the others -9."""
    step = np.float32(value)
    values = [np.inf, np.nextafter(step, np.float32(np.inf)), step, -0.0, np.nextafter(step, np.float32(-np.inf))]
    labels = np.full(queries * columns, -9, np.float32)
    hostile = np.repeat(np.array([*values, -np.inf, np.nan], np.float32), each)
    labels[np.random.default_rng(each).permutation(labels.size)[: hostile.size]] = hostile
    return labels.reshape(queries, columns)


def select_cases() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """What it is, class logits [Q, C] and the cut of each column [C], NaN where the column is dropped."""
    rng = np.random.default_rng(0)
    for queries, columns, mean, cut in (
        *((q, 91, -6.0, 0.0) for q in (100, 200, 300)),
        (300, 91, -2.0, 0.0),
        (300, 91, -4.0, -np.inf),
        (300, 366, -5.0, 0.0),
        (1024, 4, 0.0, 0.0),
        (1, 1, 1.0, 0.0),
    ):
        cuts = np.where(rng.random(columns) < 0.05, np.nan, cut).astype(np.float32)
        yield f"{queries}x{columns} mean {mean} cut {cut}", random_logits(queries, columns, mean), cuts
    few = [(100, value, each, value) for value in (0.0, 1.25, -2.0) for each in (20, 40)]
    more_than_can_be_ranked = [(300, 0.0, each, -np.inf) for each in (120, 400)]  # the last place: at 0, at +infinity
    for queries, value, each, cut in (*few, *more_than_can_be_ranked):
        labels = logits_around(value, queries, 91, each)
        yield f"{queries}x91 around {value}, {each} each, cut {cut}", labels, np.full(91, cut, np.float32)


def expected_records(labels: np.ndarray, dets: np.ndarray, cuts: np.ndarray, most: int) -> tuple[np.ndarray, list[int]]:
    """Records that select must find, and the query of each mask slot: the twin's order, then the cut of each column."""
    query, column = select(labels.astype(np.float32), -1.0, len(labels))  # every score but NaN's is above -1
    passes = labels[query, column] >= cuts[column]
    query, column = query[passes][:most], column[passes][:most]
    slots = list(dict.fromkeys(query.tolist()))
    records = np.zeros(len(query), RECORD)
    records["query"], records["column"], records["logit"] = query, column, labels[query, column]
    records["mask_slot"] = [slots.index(q) for q in query]
    for i, side in enumerate(("cx", "cy", "w", "h")):
        records[side] = dets[query, i]
    return records, slots


def named_grids() -> dict[str, np.ndarray]:
    """Mask logits [6, 6] by what they are."""
    one_column, corners = -np.ones((6, 6)), -np.ones((6, 6))
    one_column[:, 2] = 1
    corners[[0, 0, -1, -1], [0, -1, 0, -1]] = 1
    bottom_to_top = -np.ones((6, 6))
    bottom_to_top[-1, :3], bottom_to_top[0, 2:] = 3, 3
    rows, columns = np.indices((6, 6))
    return {
        "empty": -np.ones((6, 6)),
        "zero is background": np.zeros((6, 6)),
        "full": np.ones((6, 6)),
        "whole columns": one_column,
        "corners": corners,
        "goes on in the next column": bottom_to_top,
        "checkerboard": np.where((rows + columns) % 2, 1.0, -1.0),
        "ring": np.where(np.maximum(abs(rows - 2), abs(columns - 2)) == 2, 1.0, -1.0),
        "tiny": np.where((rows + columns) % 2, 1e-45, 1e-40),
    }


def contract_masks() -> Iterator[tuple[str, np.ndarray, tuple[int, int]]]:
    """What it is, mask logits [Q, Hm, Wm] and the image's size: the masks of contract section 5.

    Last those where the grid is as large as the image, so that the mask is the picture.
    """
    named = np.stack(list(named_grids().values())).astype(np.float32)
    rng = np.random.default_rng(4)
    hostile = rng.normal(size=(5, 8, 8)).astype(np.float32)
    for value in (np.nan, np.inf, -np.inf):
        hostile[rng.random(hostile.shape) < 0.08] = value
    hostile[3], hostile[4] = np.inf, np.nan
    for size in ((6, 6), (8, 8), (23, 19), (3, 4), (1, 1), (1, 40), (150, 3), HD):
        yield f"named grids, {size}", named, size
        yield f"NaN and infinities, {size}", hostile, size
    yield from pictures()


def pictures() -> Iterator[tuple[str, np.ndarray, tuple[int, int]]]:
    """The same of masks that are pictures, which OpenCV draws."""
    from reference.mask_cases import named_masks, random_mask

    for name, mask in [*named_masks().items(), *((f"random {seed}", random_mask(seed)) for seed in range(8))]:
        yield name, np.where(mask, 1, -1).astype(np.float32)[None], mask.shape
