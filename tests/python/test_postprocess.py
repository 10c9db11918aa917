"""rfseg.ops.postprocess against its NumPy twin, exact: random outputs, and the cases of contract section 5.

Scores may differ by the last bit: NumPy's exp and the C library's are rounded independently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import rfseg
from reference import masks as runs_twin
from reference import postprocess as twin

SMALL_SIZES = [(1, 1), (2, 3), (3, 2), (37, 53), (135, 61), (312, 176), (78, 78), (78, 200), (60, 78), (5, 400)]
LARGE_SIZES = [(720, 1280), (1080, 1920), (1920, 1080), (2160, 3840)]
GRIDS = [(78, 78), (13, 20), (1, 1), (1, 7), (96, 96)]
ROUNDS = 5  # random cases for each small size and grid: 250 in all

Size = tuple[int, int]


@dataclass
class Raw:
    """Raw outputs of one image: dets [Q, 4], labels [Q, C], masks [Q, Hm, Wm], all float32."""

    dets: np.ndarray
    labels: np.ndarray
    masks: np.ndarray


def random_logits(rng: np.random.Generator, shape: Size) -> np.ndarray:
    """Class logits: plain, with many ties, with every special value, or all high."""
    logits = rng.normal(-1, 2, shape)
    match rng.integers(4):
        case 1:
            logits = np.round(logits * 2) / 2
        case 2:
            special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 200.0, -200.0], shape)
            logits = np.where(rng.random(shape) < 0.3, special, np.round(logits))
        case 3:
            logits += 12
    return logits.astype(np.float32)


def random_mask(rng: np.random.Generator, shape: Size) -> np.ndarray:
    """Mask logits: noise, an object, few levels that cancel, special values, or any magnitude."""
    noise = rng.normal(0, 1, shape)
    match rng.integers(6):
        case 0:
            y, x = np.mgrid[: shape[0], : shape[1]]
            noise = (
                rng.uniform(1, 20) - np.hypot(y - rng.uniform(0, shape[0]), x - rng.uniform(0, shape[1])) + noise / 4
            )
        case 1:
            noise = np.round(noise)
        case 2:
            special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38], shape)
            noise = np.where(rng.random(shape) < 0.2, special, noise)
        case 3:
            noise = noise * 10.0 ** rng.integers(-44, 38)
        case 4:
            noise = np.where(rng.random(shape) < 0.9, -1, noise)
    return noise.astype(np.float32)


def random_raw(rng: np.random.Generator, grid: Size) -> Raw:
    """Outputs of a network of any small number of queries and columns; boxes far outside, negative or not numbers."""
    queries, columns = (int(n) for n in rng.integers(1, 12, 2))
    dets = rng.normal(0.5, 0.5, (queries, 4))
    dets[rng.random(dets.shape) < 0.05] = rng.choice([np.nan, np.inf, -np.inf, -0.0])
    masks = np.stack([random_mask(rng, grid) for _ in range(queries)])
    return Raw(dets.astype(np.float32), random_logits(rng, (queries, columns)), masks)


def raw_of_masks(masks: np.ndarray) -> Raw:
    """One class; every query is an instance, in the order given."""
    queries = len(masks)
    labels = np.linspace(5, 1, queries, dtype=np.float32)[:, None]
    return Raw(np.full((queries, 4), 0.5, np.float32), labels, np.asarray(masks, np.float32))


def check(raw: Raw, size: Size, **options: float | int | None) -> int:
    """Compares everything in the result with the twin; returns the number of instances."""
    ours = rfseg.ops.postprocess(raw.dets, raw.labels, raw.masks, image_size=size, **options)
    expected = twin.postprocess(raw.dets, raw.labels, raw.masks, size, **options)
    assert len(ours) == len(expected.query)
    assert tuple(ours.image_size) == size
    assert (ours.xyxy.dtype, ours.confidence.dtype, ours.class_id.dtype) == (np.float32, np.float32, np.int32)
    np.testing.assert_array_equal(ours.class_id, expected.class_id)
    np.testing.assert_array_equal(ours.xyxy, expected.xyxy)
    np.testing.assert_array_max_ulp(ours.confidence, expected.confidence, maxulp=1)
    np.testing.assert_array_equal(ours.masks.dense(), expected.masks)
    for coco, mask in zip(ours.masks.coco(), expected.masks, strict=True):
        lengths = runs_twin.runs_to_lengths(runs_twin.dense_to_runs(mask), mask.size)
        assert coco["counts"] == runs_twin.lengths_to_counts(lengths)
    return len(ours)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("size", SMALL_SIZES, ids=str)
def test_random_outputs(size: Size, grid: Size) -> None:
    rng = np.random.default_rng([*size, *grid])
    instances = 0
    for _ in range(ROUNDS):
        raw = random_raw(rng, grid)
        options = {
            "threshold": float(rng.choice([0, 0.1, 0.5, 0.9])),
            "max_detections": int(rng.choice([1, 3, 300])),
            "num_classes": rng.choice([None, int(rng.integers(1, raw.labels.shape[1] + 1))]),
        }
        instances += check(raw, size, **options)
    assert instances > 0


@pytest.mark.parametrize("size", LARGE_SIZES, ids=str)
def test_large_frames(size: Size) -> None:
    rng = np.random.default_rng(size)
    assert check(raw_of_masks(np.stack([random_mask(rng, (78, 78)) for _ in range(3)])), size) == 3


def check_labels(labels: list[list[float]], expected: list[tuple[int, int]], **options: float | int | None) -> None:
    """The (query, class) pairs that `labels` give; a query is told by where its box lies."""
    queries = len(labels)
    dets = np.full((queries, 4), 0.01, np.float32)
    dets[:, 0] = (np.arange(queries) + 0.5) / queries
    raw = Raw(dets, np.array(labels, np.float32), np.ones((queries, 2, 2), np.float32))
    check(raw, (8, 100), **options)
    found = rfseg.ops.postprocess(raw.dets, raw.labels, raw.masks, image_size=(8, 100), **options)
    query = np.floor(found.xyxy[:, [0, 2]].mean(axis=1) / 100 * queries).astype(int)
    assert list(zip(query.tolist(), found.class_id.tolist(), strict=True)) == expected


def test_ties_keep_the_flat_order() -> None:
    check_labels([[1, 2], [2, 1], [2, 2]], [(0, 1), (1, 0), (2, 0)])


def test_negative_zero_ties_with_zero() -> None:
    check_labels([[-0.0, 0.0], [0.0, -0.0]], [(0, 0), (0, 1)], threshold=0.25)


def test_nan_never_passes() -> None:
    check_labels([[np.nan, 1], [np.nan, np.nan]], [(0, 1)], threshold=0)


def test_infinities() -> None:
    check_labels([[np.inf, -np.inf], [-np.inf, np.inf]], [(0, 0), (1, 1)], threshold=0)


def test_one_query_wins_five_classes() -> None:
    check_labels([[5, 4, 3, 2, 1], *[[-5] * 5] * 4], [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)])


def test_only_as_many_as_queries() -> None:
    check_labels([[9, 8, 7], [6, 5, 4]], [(0, 0), (0, 1)])


def test_dropped_columns_take_places() -> None:
    check_labels([[1, 9], [2, 8]], [], num_classes=1)
    check_labels([[1, 9], [2, -8]], [(1, 0)], num_classes=1)


def test_threshold_is_strict() -> None:
    check_labels([[0.0], [1e-6]], [(1, 0)])


@pytest.mark.parametrize("logit", [np.inf, 100.0, 20.0])
def test_nothing_is_above_one(logit: float) -> None:
    check_labels([[logit]], [], threshold=1.0)


def test_threshold_zero_keeps_what_does_not_underflow() -> None:
    check_labels([[-100.0], [-104.0], [-np.inf]], [(0, 0)], threshold=0.0)


def test_max_detections_keeps_the_best() -> None:
    check_labels([[1, 2], [4, 3], [0, 5]], [(2, 1), (1, 0)], max_detections=2)


def test_no_detections() -> None:
    raw = raw_of_masks(np.ones((3, 4, 4)))
    raw.labels -= 50
    assert check(raw, (40, 30)) == 0


def test_every_query_of_a_large_network_passes() -> None:
    rng = np.random.default_rng(300)
    labels = rng.normal(6, 1, (300, 91)).astype(np.float32)
    masks = rng.normal(0, 1, (300, 6, 6)).astype(np.float32)
    assert check(Raw(rng.random((300, 4), np.float32), labels, masks), (30, 40)) == 300


def test_boxes_of_odd_extent() -> None:
    dets = [
        [0.5, 0.5, -0.2, 0.4],  # negative width: none
        [0.1, 0.9, 0.5, 0.5],  # beyond the image
        [-3, 4, 0.1, 0.1],
        [np.nan, 0.5, 0.1, 0.1],
        [0.5, 0.5, np.nan, 0.1],
        [np.inf, 0.5, np.inf, 0.1],  # inf - inf
    ]
    raw = raw_of_masks(np.ones((len(dets), 2, 2)))
    raw.dets = np.array(dets, np.float32)
    assert check(raw, (100, 200)) == len(dets)
    boxes = rfseg.ops.postprocess(raw.dets, raw.labels, raw.masks, image_size=(100, 200)).xyxy
    assert boxes[0].tolist() == pytest.approx([100, 30, 100, 70])
    assert boxes[2].tolist() == [0, 100, 0, 100]
    assert boxes[3].tolist() == pytest.approx([0, 45, 0, 55])
    assert boxes[5].tolist() == pytest.approx([0, 45, 200, 55])


def test_empty_and_full_masks() -> None:
    raw = raw_of_masks(np.stack([np.full((9, 9), value) for value in (-1, 0, np.nan, 1)]))
    assert check(raw, (100, 150)) == 4
    masks = rfseg.ops.postprocess(raw.dets, raw.labels, raw.masks, image_size=(100, 150)).masks
    assert masks.area.tolist() == [0, 0, 0, 100 * 150]


def test_one_pixel_in_each_corner() -> None:
    masks = np.full((4, 10, 14), -1.0)
    for mask, corner in zip(masks, [(0, 0), (0, -1), (-1, 0), (-1, -1)], strict=True):
        mask[corner] = 1
    assert check(raw_of_masks(masks), (10, 14)) == 4
    assert check(raw_of_masks(masks), (301, 203)) == 4


@pytest.mark.parametrize("size", [(78, 78), (195, 117), (500, 333), (20, 30)], ids=str)
def test_checkerboard_and_rings(size: Size) -> None:
    y, x = np.mgrid[:78, :78]
    rings = np.sin(np.hypot(y - 38.5, x - 38.5))
    assert check(raw_of_masks(np.stack([(-1.0) ** (x + y), rings, np.where((x + y) % 2, 3, -1)])), size) == 3


def test_a_run_goes_on_at_the_top_of_the_next_column() -> None:
    masks = np.full((1, 4, 3), -1.0)
    masks[0, 3, 0] = masks[0, 0, 1] = 1
    raw = raw_of_masks(masks)
    assert check(raw, (4, 3)) == 1
    (coco,) = rfseg.ops.postprocess(raw.dets, raw.labels, raw.masks, image_size=(4, 3)).masks.coco()
    assert coco["counts"] == runs_twin.lengths_to_counts([3, 2, 7])


@pytest.mark.parametrize("size", [(65, 91), (195, 273), (1053, 480)], ids=str)
def test_masks_that_cancel_half_way(size: Size) -> None:
    rng = np.random.default_rng(2)
    thirds = np.round(rng.normal(0, 1, (26, 26))) / 3
    signs = rng.choice([-1.0, 1.0], (26, 26))
    assert check(raw_of_masks(np.stack([thirds, signs, signs / 3, signs * 1e-40])), size) == 4
