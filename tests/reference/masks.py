"""Readable twins of the mask operations: runs, COCO's text, overlap, outlines.

Owns the definitions in plain NumPy and, for the outlines, OpenCV on the full frame. Knows nothing of crops, caches or
speed; every function works on one mask.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Outline = NDArray[np.int32]
Part = tuple[Outline, list[Outline]]


def dense_to_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Foreground pixels [start, end) of `mask` [H, W], counted down each column and on to the next."""
    pixels = np.concatenate([[False], mask.T.reshape(-1), [False]])
    ends = np.flatnonzero(pixels[1:] != pixels[:-1])
    return [(int(start), int(end)) for start, end in ends.reshape(-1, 2)]


def runs_to_dense(runs: list[tuple[int, int]], height: int, width: int) -> NDArray[np.bool_]:
    """The bool mask [height, width] of `runs`."""
    pixels = np.zeros(height * width, bool)
    for start, end in runs:
        pixels[start:end] = True
    return np.ascontiguousarray(pixels.reshape(width, height).T)


def runs_to_lengths(runs: list[tuple[int, int]], pixels: int) -> list[int]:
    """Background and foreground lengths in turn, background first; a background of length 0 is written only there."""
    lengths, end = [], 0
    for run_start, run_end in runs:
        lengths += [run_start - end, run_end - run_start]
        end = run_end
    return lengths if lengths and end == pixels else [*lengths, pixels - end]


def lengths_to_runs(lengths: list[int]) -> list[tuple[int, int]]:
    """The runs of background and foreground lengths; runs that touch are joined, empty ones dropped."""
    foreground = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return dense_to_runs(foreground[:, None])


def lengths_to_counts(lengths: list[int]) -> bytes:
    """COCO's text. From the fourth length on, the difference from the length two places before is written.

    A number is split into groups of five bits, the lowest first. A group is written as the character 48 + group, plus
    32 when another follows; the last one is the first whose highest bit, repeated for ever, gives the bits that remain.
    """
    text = bytearray()
    for i, length in enumerate(lengths):
        number = length - lengths[i - 2] if i > 2 else length
        groups = [number & 31]
        while not -16 <= number < 16:
            number >>= 5
            groups.append(number & 31)
        text += bytes([48 + 32 + group for group in groups[:-1]] + [48 + groups[-1]])
    return bytes(text)


def counts_to_lengths(counts: bytes) -> list[int]:
    """The lengths that COCO's text says: the inverse of `lengths_to_counts`."""
    lengths: list[int] = []
    number, shift = 0, 0
    for character in counts:
        group = character - 48
        number |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            number -= 1 << shift
        lengths.append(number + (lengths[-2] if len(lengths) > 2 else 0))
        number, shift = 0, 0
    return lengths


def bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Tight x0, y0, x1, y1 around the foreground of `mask` [H, W], half-open; zeros when there is none."""
    if not mask.any():
        return 0, 0, 0, 0
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Pixels in both masks over pixels in either; 0 where both are empty."""
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 0.0


def external(mask: NDArray[np.bool_]) -> list[Outline]:
    """The outermost outlines [N, 2] x y of `mask` [H, W], in OpenCV's order."""
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [outline[:, 0] for outline in outlines]


def tree(mask: NDArray[np.bool_]) -> list[Part]:
    """Every part of `mask` [H, W] with its holes; parts and holes in OpenCV's order."""
    outlines, hierarchy = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return []
    parents = hierarchy[0, :, 3]
    return [
        (outline[:, 0], [outlines[hole][:, 0] for hole in np.flatnonzero(parents == i)])
        for i, outline in enumerate(outlines)
        if parents[i] < 0
    ]


def largest(mask: NDArray[np.bool_]) -> Outline:
    """The external outline with the most points, the first on a tie; [0, 2] when there is none."""
    return max(external(mask), key=len, default=np.zeros((0, 2), np.int32))


def crop_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Lengths of background, foreground, ... down the columns of the tight crop; an empty mask's crop is one pixel."""
    x0, y0, x1, y1 = bounds(mask)
    crop = mask[y0:y1, x0:x1] if mask.any() else np.zeros((1, 1), bool)
    return runs_to_lengths(dense_to_runs(crop), crop.size)
