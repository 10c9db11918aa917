"""rfseg.Masks against its twin and against pycocotools: dense pixels, COCO's text, area, bounds, overlap, selection."""

from __future__ import annotations

import numpy as np
import pycocotools.mask as coco_tool
import pytest

import rfseg
from reference import masks as twin
from reference.mask_cases import Mask, named_masks, random_mask

NAMED = named_masks()
RANDOM_SEEDS = range(200)
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


def of_one(mask: Mask) -> rfseg.Masks:
    """Masks of one instance."""
    return rfseg.Masks.from_dense(mask[None])


def coco_of(mask: Mask) -> dict:
    """What pycocotools makes of `mask`."""
    return coco_tool.encode(np.asfortranarray(mask.view(np.uint8)))


def check_against_both(mask: Mask) -> None:
    """Everything that can be asked of one mask."""
    masks = of_one(mask)
    height, width = mask.shape
    theirs = coco_of(mask)
    runs = twin.dense_to_runs(mask)

    assert len(masks) == 1
    assert masks.image_size == (height, width)
    assert np.array_equal(masks.dense(), mask[None])
    (ours,) = masks.coco()
    assert list(ours["size"]) == [height, width]
    assert ours["counts"] == theirs["counts"] == twin.lengths_to_counts(twin.runs_to_lengths(runs, mask.size))
    assert np.array_equal(rfseg.Masks.from_coco([theirs]).dense()[0], coco_tool.decode(theirs).astype(bool))
    assert twin.lengths_to_runs(twin.counts_to_lengths(ours["counts"])) == runs

    assert masks.area.dtype == np.int64
    assert masks.area.tolist() == [np.count_nonzero(mask)] == [coco_tool.area(theirs)]
    x0, y0, x1, y1 = masks.bbox[0].tolist()
    assert (x0, y0, x1, y1) == twin.bounds(mask)
    assert [x0, y0, x1 - x0, y1 - y0] == coco_tool.toBbox(theirs).tolist()


@pytest.mark.parametrize("name", NAMED)
def test_named_masks(name: str) -> None:
    check_against_both(NAMED[name])


def test_random_masks() -> None:
    for seed in RANDOM_SEEDS:
        check_against_both(random_mask(seed))


def test_several_masks_keep_their_order() -> None:
    dense = np.random.default_rng(3).random((5, 17, 23)) < np.array([0, 0.2, 0.5, 0.9, 1])[:, None, None]
    masks = rfseg.Masks.from_dense(dense)
    assert masks.dense().dtype == bool
    assert np.array_equal(masks.dense(), dense)
    assert masks.bbox.dtype == np.int32
    assert masks.bbox.tolist() == [list(twin.bounds(mask)) for mask in dense]
    assert masks.area.tolist() == dense.sum(axis=(1, 2)).tolist()
    assert np.array_equal(rfseg.Masks.from_coco(masks.coco()).dense(), dense)


def test_no_masks() -> None:
    masks = rfseg.Masks.from_dense(np.zeros((0, 4, 6), bool))
    assert len(masks) == 0
    assert masks.dense().shape == (0, 4, 6)
    assert masks.coco() == []
    assert masks.area.shape == (0,)
    assert masks.bbox.shape == (0, 4)
    assert masks.iou().shape == (0, 0)
    assert masks.polygons() == []


def test_from_dense_takes_views() -> None:
    dense = np.random.default_rng(4).random((4, 20, 30)) < 0.5
    view = dense[::2, ::-1, 3:25:2]
    assert np.array_equal(rfseg.Masks.from_dense(view).dense(), view)


def test_iou() -> None:
    rng = np.random.default_rng(5)
    a = rng.random((6, 31, 43)) < np.array([0, 0.05, 0.3, 0.6, 0.95, 1])[:, None, None]
    a[1, :, 20:] = False
    b = np.concatenate([a[::2], rng.random((2, 31, 43)) < 0.4])
    b[1, :, :20] = False
    ours = rfseg.Masks.from_dense(a).iou(rfseg.Masks.from_dense(b))
    theirs = coco_tool.iou([coco_of(mask) for mask in a], [coco_of(mask) for mask in b], [0] * len(b))
    assert ours.dtype == np.float64
    assert ours.shape == (6, 5)
    assert np.array_equal(ours, [[twin.iou(row, column) for column in b] for row in a])
    assert np.array_equal(ours, theirs)
    assert 0 < np.count_nonzero(ours) < ours.size


def test_iou_with_itself() -> None:
    masks = rfseg.Masks.from_dense(np.random.default_rng(6).random((3, 9, 8)) < 0.5)
    assert np.array_equal(masks.iou(), masks.iou(masks))
    assert np.array_equal(np.diagonal(masks.iou()), [1, 1, 1])


def test_iou_refuses_other_image_sizes() -> None:
    with pytest.raises(ValueError, match=r"different images.*\(4, 6\).*\(6, 4\)"):
        of_one(np.ones((4, 6), bool)).iou(of_one(np.ones((6, 4), bool)))


def test_selection() -> None:
    dense = np.random.default_rng(8).random((5, 12, 7)) < 0.5
    masks = rfseg.Masks.from_dense(dense)
    kept = np.array([True, False, False, True, True])
    for ours, theirs in [
        (masks[1], dense[1:2]),
        (masks[-1], dense[-1:]),
        (masks[1:4], dense[1:4]),
        (masks[::-2], dense[::-2]),
        (masks[kept], dense[kept]),
        (masks[kept][1], dense[kept][1:2]),
        (masks[5:], dense[5:]),
    ]:
        assert np.array_equal(ours.dense(), theirs)
        assert len(ours) == len(theirs)
        assert ours.image_size == masks.image_size
    with pytest.raises(IndexError):
        masks[5]


def test_counts_may_be_text() -> None:
    (item,) = of_one(NAMED["ring"]).coco()
    item["counts"] = item["counts"].decode("ascii")
    assert np.array_equal(rfseg.Masks.from_coco([item]).dense()[0], NAMED["ring"])


def test_runs_without_a_gap_are_joined() -> None:
    counts = twin.lengths_to_counts([2, 3, 0, 4, 0, 0, 0, 1, 2])
    masks = rfseg.Masks.from_coco([{"size": [3, 4], "counts": counts}])
    assert twin.dense_to_runs(masks.dense()[0]) == [(2, 10)]
    assert masks.coco()[0]["counts"] == twin.lengths_to_counts([2, 8, 2])


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (twin.lengths_to_counts([5, 5]), "fewer than the 12 pixels"),
        (twin.lengths_to_counts([5, 8]), "more than the 12 pixels"),
        (b"", "fewer than the 12 pixels"),
        (twin.lengths_to_counts([5, -3, 10]), "negative length"),
        (twin.lengths_to_counts([4, 2, 2, -1, 5]), "negative length"),
        (b"5W", "end in the middle"),
        (b"5 ", "value 32 at position 1"),
        (b"5p", "value 112 at position 1"),
        (b"5\xff", "value 255 at position 1"),
        (b"5\x00", "value 0 at position 1"),
        (b"P" * 60 + b"1", "more than 7 characters"),
    ],
)
def test_bad_counts_are_refused(counts: bytes, sentence: str) -> None:
    good = {"size": [3, 4], "counts": twin.lengths_to_counts([12])}
    with pytest.raises(ValueError, match=f"mask 1: .*{sentence}"):
        rfseg.Masks.from_coco([good, {"size": [3, 4], "counts": counts}])


def test_random_counts_are_read_as_the_format_says_or_refused() -> None:
    rng = np.random.default_rng(9)
    accepted = refused = 0
    for _ in range(3000):
        text = bytearray(twin.lengths_to_counts(rng.integers(0, 60, rng.integers(1, 6)).tolist()))
        if rng.random() < 0.7:
            text[rng.integers(len(text))] = rng.integers(48, 112)
        counts = bytes(text)
        lengths = twin.counts_to_lengths(counts)
        pixels = min(max(sum(lengths), 1), 10_000) + int(rng.random() < 0.2)
        item = {"size": [pixels, 1], "counts": counts}
        complete = (counts[-1] - 48) & 32 == 0
        if complete and all(length >= 0 for length in lengths) and sum(lengths) == pixels:
            masks = rfseg.Masks.from_coco([item])
            assert twin.dense_to_runs(masks.dense()[0]) == twin.lengths_to_runs(lengths)
            accepted += 1
        else:
            with pytest.raises(ValueError, match="COCO counts"):
                rfseg.Masks.from_coco([item])
            refused += 1
    assert accepted > 100
    assert refused > 100


def test_lengths_of_crops_equal_the_twin() -> None:
    compared = 0
    for mask in [*NAMED.values(), *map(random_mask, RANDOM_SEEDS)]:
        (ours,) = of_one(mask).crop_lengths()
        assert ours.dtype == np.int32
        assert ours.tolist() == twin.crop_lengths(mask)
        compared += len(ours)
    assert compared > 10_000
