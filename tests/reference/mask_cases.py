"""The masks that every test of masks and outlines runs on: the cases of contract section 5, and random ones.

Owns the pictures only; what is expected of them is the business of the tests.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def with_pixels(height: int, width: int, *places: tuple[int, int]) -> Mask:
    """An empty mask with single pixels at `places` (row, column)."""
    mask = np.zeros((height, width), bool)
    for place in places:
        mask[place] = True
    return mask


def checkerboard(height: int, width: int, first: bool) -> Mask:
    """Every second pixel; the top left one when `first`."""
    rows, columns = np.indices((height, width))
    return (rows + columns) % 2 == (0 if first else 1)


def rings(size: int, period: int) -> Mask:
    """Square rings one inside the other, half of `period` thick."""
    rows, columns = np.indices((size, size))
    return np.maximum(abs(rows - size // 2), abs(columns - size // 2)) % period < period // 2


def blobs(height: int, width: int, blur_px: float, share: float, seed: int) -> Mask:
    """The highest `share` of smoothed noise: parts with wavy edges, holes, and islands in the holes."""
    noise = np.random.default_rng(seed).standard_normal((height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), blur_px)
    return smooth > np.quantile(smooth, 1 - share)


def random_mask(seed: int) -> Mask:
    """Noise of any density on an image of any small shape; every fourth is smoothed."""
    rng = np.random.default_rng(seed)
    height, width = (int(n) for n in rng.integers(1, 80, 2))
    if seed % 4 == 0:
        return blobs(height, width, float(rng.uniform(0.6, 3)), float(rng.uniform(0.1, 0.9)), seed)
    return rng.random((height, width)) < rng.random()


def named_masks() -> dict[str, Mask]:
    """The cases that have a name."""
    height, width = 9, 14
    corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
    columns = np.zeros((height, width), bool)
    columns[:, 3:6] = True
    rng = np.random.default_rng(7)
    return {
        "empty": np.zeros((height, width), bool),
        "full": np.ones((height, width), bool),
        **{f"corner {row} {column}": with_pixels(height, width, (row, column)) for row, column in corners},
        "four corners": with_pixels(height, width, *corners),
        "one pixel inside": with_pixels(height, width, (4, 6)),
        "goes on in the next column": with_pixels(height, width, (height - 1, 4), (0, 5)),
        "whole columns": columns,
        "all but one pixel": ~with_pixels(height, width, (4, 6)),
        "diagonal": np.eye(height, dtype=bool),
        "checkerboard": checkerboard(height, width, True),
        "checkerboard, other half": checkerboard(height, width, False),
        "ring": rings(11, 10),
        "rings in rings": rings(61, 6),
        "thin rings": rings(41, 2),
        "1x1 empty": np.zeros((1, 1), bool),
        "1x1 full": np.ones((1, 1), bool),
        "one row": rng.random((1, 97)) < 0.5,
        "one column": rng.random((97, 1)) < 0.5,
        "one full row": np.ones((1, 33), bool),
        "one full column": np.ones((33, 1), bool),
        "many parts": rng.random((211, 307)) < 0.2,
        "many holes": rng.random((211, 307)) < 0.8,
        "blobs to the edge": blobs(270, 480, 6, 0.5, 1),
        "blobs, full frame": blobs(1080, 1920, 30, 0.2, 2),
    }
