"""Pairs the instances of two answers to one image, and measures how far apart the two are.

Instances are matched, never tensors: a network's own TopK swaps queries for a difference in the last bit. Knows nothing
of models, files and rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rfseg.result import Result

MATCH_IOU = 0.5  # below it two masks show different things
HALF_MAX = 65504.0


@dataclass(slots=True)
class Comparison:
    """One image, reference against candidate; shares are of what scores above the threshold.

    Attributes:
        name: of the image.
        reference, candidate: instances above the threshold.
        matched: pairs of one class whose masks overlap by half.
        missing_near, missing_away, extra_near, extra_away: instances without a partner, of the reference and of the
            candidate, whose score is within or beyond the margin above the threshold.
        away: instances of the reference beyond the margin.
        score_differences, mask_ious, box_differences: one number a pair; of boxes the corner that differs most, in
            pixels as `compare` gives it, later as a share of the image's longer side.
        class_blind: pairs when classes are not looked at.
        class_shifts: {candidate's class minus reference's: pairs}, of the class-blind pairs.
        class_logits: the largest difference, over the class columns, of a column's best logit.
        nonfinite, saturated: numbers in the candidate's outputs that are NaN or infinite, or at the end of FP16,
            where the reference's are not.
        input_max, input_mean: difference of what the two networks were given.
        reference_ms, candidate_ms: of one call, transfers and all.
    """

    name: str
    reference: int = 0
    candidate: int = 0
    matched: int = 0
    missing_near: int = 0
    missing_away: int = 0
    extra_near: int = 0
    extra_away: int = 0
    away: int = 0
    score_differences: list[float] = field(default_factory=list)
    mask_ious: list[float] = field(default_factory=list)
    box_differences: list[float] = field(default_factory=list)
    class_blind: int = 0
    class_shifts: dict[int, int] = field(default_factory=dict)
    class_logits: float = 0.0
    nonfinite: int = 0
    saturated: int = 0
    input_max: float = 0.0
    input_mean: float = 0.0
    reference_ms: float = 0.0
    candidate_ms: float = 0.0


def match(ious: NDArray[np.float64], allowed: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Pairs rows with columns one to one, the best overlap first.

    Args:
        ious: [K, L].
        allowed: [K, L], pairs that may be made.

    Returns:
        (row, column) of each pair, overlapping by at least MATCH_IOU.
    """
    rows, columns = np.nonzero(allowed & (ious >= MATCH_IOU))
    order = np.argsort(-ious[rows, columns], kind="stable")
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    pairs = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            pairs.append((row, column))
    return pairs


def overlaps(reference: Result, candidate: Result) -> NDArray[np.float64]:
    """Mask IoU of each pair, [K, L]; of the boxes where both masks are empty."""
    ious = reference.masks.iou(candidate.masks)
    empty = (reference.masks.area == 0)[:, None] & (candidate.masks.area == 0)[None, :]
    return np.where(empty, _box_ious(reference.xyxy, candidate.xyxy), ious) if empty.any() else ious


def _box_ious(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(-1)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(-1) for boxes in (a, b)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1][None, :] - common, 1e-9), np.float64)


def compare(name: str, reference: Result, candidate: Result, threshold: float, margin: float) -> Comparison:
    """Matches two results of one image.

    Args:
        name: of the image, for the report.
        reference: instances, of any scores; those at or below the threshold are dropped.
        candidate: the same.
        threshold: score above which an instance counts.
        margin: scores up to threshold + margin are near to it: there a missing partner says little.
    """
    reference = reference[reference.confidence > threshold]
    candidate = candidate[candidate.confidence > threshold]
    ious = overlaps(reference, candidate)
    same_class = reference.class_id[:, None] == candidate.class_id[None, :]
    pairs, blind = match(ious, same_class), match(ious, np.ones_like(same_class))
    rows, columns = [row for row, _ in pairs], [column for _, column in pairs]
    lost, added = (_apart(*side, threshold + margin) for side in ((reference, rows), (candidate, columns)))
    shifts = [int(candidate.class_id[column]) - int(reference.class_id[row]) for row, column in blind]
    return Comparison(
        name,
        reference=len(reference),
        candidate=len(candidate),
        matched=len(pairs),
        missing_near=lost[0],
        missing_away=lost[1],
        extra_near=added[0],
        extra_away=added[1],
        away=int((reference.confidence > threshold + margin).sum()),
        score_differences=np.abs(reference.confidence[rows] - candidate.confidence[columns]).tolist(),
        mask_ious=ious[rows, columns].tolist(),
        box_differences=np.abs(reference.xyxy[rows] - candidate.xyxy[columns]).max(-1, initial=0).tolist(),
        class_blind=len(blind),
        class_shifts={shift: shifts.count(shift) for shift in sorted(set(shifts))},
    )


def _apart(result: Result, partnered: list[int], away: float) -> tuple[int, int]:
    """Instances without a partner, near to the threshold and away from it."""
    alone = np.delete(result.confidence, partnered)
    far = int((alone > away).sum())
    return len(alone) - far, far


def class_profile(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The best logit of each class column, [C]: tells classes apart even where nothing is found.

    Args:
        labels: [Q, C] logits.
    """
    finite = np.where(np.isfinite(labels), labels, -HALF_MAX)
    best: NDArray[np.float32] = finite.max(0)
    return best


def odd_numbers(tensors: list[Any]) -> tuple[int, int]:
    """How many numbers of a network's outputs are not finite, and how many finite ones sit at FP16's end."""
    beyond = sum(int((~np.isfinite(tensor)).sum()) for tensor in tensors)
    return beyond, sum(int((np.abs(tensor[np.isfinite(tensor)]) >= HALF_MAX).sum()) for tensor in tensors)
