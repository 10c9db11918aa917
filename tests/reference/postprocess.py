"""The readable twin of contract section 3: selection, boxes, dense masks.

Owns what the answer is, one formula after the other in NumPy. Refuses to be fast, and knows nothing of rfseg; the runs
of a dense mask are those of `reference.masks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Instances:
    """What one image holds.

    Attributes:
        query: [K] int64.
        class_id: [K] int64.
        confidence: [K] float32, descending.
        xyxy: [K, 4] float32, source pixels.
        masks: [K, Hs, Ws] bool.
    """

    query: np.ndarray
    class_id: np.ndarray
    confidence: np.ndarray
    xyxy: np.ndarray
    masks: np.ndarray


def score_of_logit(logit: np.ndarray) -> np.ndarray:
    """Sigmoid in double, rounded to float32."""
    with np.errstate(over="ignore"):
        return (1.0 / (1.0 + np.exp(-logit.astype(np.float64)))).astype(np.float32)


def select(
    labels: np.ndarray,
    threshold: float,
    max_detections: int = 300,
    num_classes: int | None = None,
    places: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses (query, class) pairs (contract 3.1 and 3.2).

    Args:
        labels: [Q, C] float32 logits.
        threshold: scores have to be above it.
        max_detections: the most pairs to keep.
        num_classes: columns from there on are dropped, after they took their places among the first.
        places: how many pairs are taken first; None: as many as queries.

    Returns:
        query [K] and class [K], best first.
    """
    queries, columns = labels.shape
    flat = labels.reshape(-1)
    order = np.argsort(-flat, kind="stable")  # NaN sorts last, -0 ties with +0, ties keep the flat order
    order = order[: queries if places is None else places]
    order = order[order % columns < (columns if num_classes is None else num_classes)]
    order = order[score_of_logit(flat[order]) > np.float32(threshold)]  # False for NaN
    order = order[:max_detections]
    return order // columns, order % columns


def boxes_xyxy(dets: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Corners in source pixels of normalised boxes (contract 3.3), clamped to the image, NaN corners 0.

    Args:
        dets: [K, 4] float32 cx, cy, w, h.
        image_size: (height, width).

    Returns:
        [K, 4] float32.
    """
    height, width = image_size
    centre, extent = dets[:, :2], np.maximum(dets[:, 2:], np.float32(0))
    limits = np.array([width, height], np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        half = extent / np.float32(2)
        corners = np.concatenate([(centre - half) * limits, (centre + half) * limits], axis=1)
    return np.clip(np.where(np.isnan(corners), np.float32(0), corners), np.float32(0), np.tile(limits, 2))


def bilinear_axis(size_in: int, size_out: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Taps i0, i1 [out] int64 and weights l0, l1 [out] float32 of one axis (contract 3.4)."""
    scale = np.float32(size_in) / np.float32(size_out)
    f = (np.arange(size_out, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    f = np.maximum(f, np.float32(0))
    i0 = np.floor(f).astype(np.int64)
    i1 = np.minimum(i0 + 1, size_in - 1)
    l1 = f - i0.astype(np.float32)
    return i0, i1, np.float32(1) - l1, l1


def interpolate(logits: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Bilinear interpolation of [Hm, Wm] float32 logits to [Hs, Ws], every operation rounded to float32."""
    y0, y1, l0y, l1y = bilinear_axis(logits.shape[0], image_size[0])
    x0, x1, l0x, l1x = bilinear_axis(logits.shape[1], image_size[1])
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        columns = l0x * logits[:, x0] + l1x * logits[:, x1]
        return l0y[:, None] * columns[y0] + l1y[:, None] * columns[y1]


def dense_mask(logits: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Foreground [Hs, Ws] bool of [Hm, Wm] logits."""
    return interpolate(logits, image_size) > 0


def postprocess(
    dets: np.ndarray,
    labels: np.ndarray,
    masks: np.ndarray,
    image_size: tuple[int, int],
    *,
    threshold: float = 0.5,
    max_detections: int = 300,
    num_classes: int | None = None,
    places: int | None = None,
) -> Instances:
    """Turns the raw outputs of one image into instances.

    Args:
        dets: [Q, 4] float32 normalised cx, cy, w, h.
        labels: [Q, C] float32 logits.
        masks: [Q, Hm, Wm] float32 logits.
        image_size: (height, width) of the source.
        threshold: scores have to be above it.
        max_detections: the most instances to keep.
        num_classes: class columns from there on are dropped.
        places: as in select.

    Returns:
        The instances, best first.
    """
    query, class_id = select(labels, threshold, max_detections, num_classes, places)
    dense = [dense_mask(masks[q], image_size) for q in query]
    return Instances(
        query=query,
        class_id=class_id,
        confidence=score_of_logit(labels[query, class_id]),
        xyxy=boxes_xyxy(dets[query], image_size),
        masks=np.stack(dense) if dense else np.zeros((0, *image_size), bool),
    )
