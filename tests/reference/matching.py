"""Pairs instances the slow way: again and again the best overlap that is left. Twin of rfseg.engines.matching.match."""

from __future__ import annotations

import numpy as np


def match(ious: np.ndarray, allowed: np.ndarray, least: float) -> list[tuple[int, int]]:
    """(row, column) pairs, each row and column once; ties go to the lower row, then the lower column."""
    left = np.where(allowed, ious, -1.0)
    pairs = []
    while left.size and left.max() >= least:
        row, column = np.unravel_index(left.argmax(), left.shape)
        pairs.append((int(row), int(column)))
        left[row, :] = -1
        left[:, column] = -1
    return pairs
