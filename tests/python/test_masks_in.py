"""What rfseg.Masks is made from: run lengths in every form that COCO files hold, and arrays; the rest is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pycocotools.mask as coco_tool
import pytest

import rfseg
from reference import masks as twin
from reference.mask_cases import Mask, random_mask

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")

PLAIN = {"size": [6, 8], "counts": [13, 3, 3, 3, 3, 3, 20]}


def plain_pixels() -> Mask:
    pixels = np.zeros((6, 8), bool)
    pixels[1:4, 2:5] = True
    return pixels


def test_every_form_that_coco_files_hold() -> None:
    counts = rfseg.Masks.from_dense(plain_pixels()[None]).coco()[0]["counts"]
    forms = [
        PLAIN,
        {**PLAIN, "counts": np.array(PLAIN["counts"])},
        {"size": (6, 8), "counts": counts},
        {"size": np.array([6, 8]), "counts": counts.decode()},
        {"segmentation": PLAIN, "image_id": 1, "iscrowd": 1},
        {"size": [6, 8], "counts": [13, 3, 0, 0, 3, 3, 3, 3, 20]},  # a run that some writers part in two
    ]
    masks = rfseg.Masks.from_coco(form for form in forms)
    assert (masks.dense() == plain_pixels()).all()
    for lengths, pixels in (([48], 0), ([0, 48], 48), ([0, 1, 47], 1), ([0, 0, 47, 1], 1)):
        assert rfseg.Masks.from_coco([{"size": [6, 8], "counts": lengths}]).area.tolist() == [pixels]


def test_plain_counts_of_random_masks_equal_pycocotools() -> None:
    compared = 0
    for seed in range(200):
        mask = random_mask(seed)
        lengths = twin.runs_to_lengths(twin.dense_to_runs(mask), mask.size)
        ours = rfseg.Masks.from_coco([{"size": list(mask.shape), "counts": lengths}])
        assert (ours.dense()[0] == mask).all()
        theirs = coco_tool.frPyObjects({"size": list(mask.shape), "counts": lengths}, *mask.shape)
        assert ours.coco()[0]["counts"] == theirs["counts"]
        compared += 1
    assert compared == 200


@pytest.mark.parametrize(
    ("segmentations", "sentence"),
    [
        ([[[2, 1, 5, 1, 5, 4]]], "mask 0 is a polygon"),
        ([PLAIN, {"segmentation": [[2, 1, 5, 1, 5, 4]]}], "mask 1 is a polygon"),
        ([{"image_id": 3}], r"expected \{\"size\""),
        (["abc"], r"expected \{\"size\""),
        (PLAIN, "put it into a list"),
        (None, "expected a list"),
        ([{"size": [6, 8.7], "counts": "0"}], "two whole numbers"),
        ([{"size": [6], "counts": "0"}], "two whole numbers"),
        ([{"size": [-6, 8], "counts": "0"}], "between 0 and"),
        ([{"size": [6, 8], "counts": [1.5, 46.5]}], "whole numbers"),
        ([{"size": [6, 8], "counts": 7}], "whole numbers"),
        ([{"size": [6, 8], "counts": [50, -2]}], "negative length"),
        ([{"size": [6, 8], "counts": [40, 9]}], "more than the 48 pixels"),
        ([{"size": [6, 8], "counts": [40]}], "fewer than the 48 pixels"),
        ([{"size": [6, 8], "counts": "ü"}], "counts"),
        ([], "image size"),
    ],
)
def test_other_segmentations_are_refused_in_words(segmentations: Any, sentence: str) -> None:
    with pytest.raises(rfseg.InputError, match=sentence):
        rfseg.Masks.from_coco(segmentations)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex64, object])
def test_floats_are_not_masks(kind: type) -> None:
    with pytest.raises(rfseg.InputError, match="threshold them first"):
        rfseg.Masks.from_dense(np.full((1, 4, 5), 0.1).astype(kind))


def test_whole_numbers_are_masks() -> None:
    pixels = plain_pixels()[None]
    for kind in (np.uint8, np.int64):
        assert (rfseg.Masks.from_dense(pixels.astype(kind) * 3).dense() == pixels).all()


def test_more_masks_than_can_be_counted_are_refused() -> None:
    with pytest.raises(rfseg.InputError, match="fewer than"):
        rfseg.Masks.from_dense(np.zeros((2**32 + 3, 0, 0), bool))
