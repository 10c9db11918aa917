"""rfseg.ops.postprocess against rfdetr's published post-processing, written from its rules and from nothing of ours.

Rules: a flat top-K over the sigmoid scores of all query and class pairs, K = queries, stable ties; class = index % C,
query = index // C; boxes from centre and extent to corners, times the image size; masks stretched bilinearly, above 0;
then scores above the threshold. Logits here stay where neighbouring ones have different float32 scores: where the
sigmoid saturates, the contract orders by logit on purpose.
"""

from __future__ import annotations

import numpy as np
import pytest

import rfseg


def published_rules(
    dets: np.ndarray, labels: np.ndarray, image_size: tuple[int, int], threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores [K], classes [K], boxes [K, 4] and queries [K] of one image."""
    queries, columns = labels.shape
    scores = (np.float32(1) / (np.float32(1) + np.exp(-labels))).reshape(-1)
    best = sorted(range(scores.size), key=lambda index: -scores[index])[:queries]
    best = np.array([index for index in best if scores[index] > threshold], np.int64)
    cx, cy, w, h = dets[best // columns].T
    height, width = image_size
    corners = [(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height]
    return scores[best], best % columns, np.stack(corners, axis=1), best // columns


def stretched(masks: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Mask logits [K, h, w] at image size, in double: one weight matrix an axis, from NumPy's own interpolation."""
    weights = []
    for nodes, pixels in zip(masks.shape[1:], image_size, strict=True):
        centres = (np.arange(pixels) + 0.5) * nodes / pixels - 0.5
        weights.append(np.stack([np.interp(centres, np.arange(nodes), unit) for unit in np.eye(nodes)], axis=1))
    return weights[0] @ masks.astype(np.float64) @ weights[1].T


def random_outputs(seed: int, queries: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw outputs with boxes inside the image and logits in steps of 1/256 between -8 and 5: many exact ties."""
    rng = np.random.default_rng(seed)
    dets = np.concatenate([rng.uniform(0.3, 0.7, (queries, 2)), rng.uniform(0.01, 0.5, (queries, 2))], axis=1)
    labels = np.round(rng.normal(-2, 2.5, (queries, columns)).clip(-8, 5) * 256) / 256
    masks = rng.normal(0, 3, (queries, 8, 9))
    return dets.astype(np.float32), labels.astype(np.float32), masks.astype(np.float32)


@pytest.mark.parametrize(("queries", "columns"), [(100, 91), (200, 91), (50, 9), (300, 2), (30, 1)])
@pytest.mark.parametrize("threshold", [0.0625, 0.3, 0.5, 0.9])
def test_same_instances(queries: int, columns: int, threshold: float) -> None:
    found = 0
    for seed in range(5):
        dets, labels, masks = random_outputs(seed, queries, columns)
        scores, classes, boxes, winners = published_rules(dets, labels, (45, 80), threshold)
        ours = rfseg.ops.postprocess(dets, labels, masks, image_size=(45, 80), threshold=threshold)
        np.testing.assert_array_equal(ours.class_id, classes)
        np.testing.assert_allclose(ours.confidence, scores, rtol=0, atol=1e-6)
        np.testing.assert_allclose(ours.xyxy, boxes, rtol=1e-6, atol=1e-4)
        values = stretched(masks[winners], (45, 80))
        decided = np.abs(values) > 1e-5
        np.testing.assert_array_equal(ours.masks.dense()[decided], values[decided] > 0)
        found += len(ours)
    assert found > 0
