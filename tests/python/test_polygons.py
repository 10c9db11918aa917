"""rfseg.Masks.polygons against OpenCV's findContours on the full frame: the same points in the same order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import rfseg
from reference import masks as twin
from reference.mask_cases import Mask, blobs, named_masks, random_mask

NAMED = named_masks()
RANDOM_SEEDS = range(400)
MODES = ("external", "tree", "largest")


def same_outlines(ours: list, theirs: list) -> bool:
    """Two lists of outlines [N, 2], point by point."""
    return len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))


def plain(polygons: Any) -> Any:
    """Nested lists and arrays as nested lists."""
    return [plain(item) for item in polygons] if isinstance(polygons, list | tuple) else polygons.tolist()


def check_against_full_frame(mask: Mask) -> int:
    """Compares all three modes; returns how many outlines there were."""
    masks = rfseg.Masks.from_dense(mask[None])
    external, tree = twin.external(mask), twin.tree(mask)

    assert same_outlines(masks.polygons()[0], external)
    assert all(outline.dtype == np.int32 and outline.shape[1:] == (2,) for outline in masks.polygons()[0])

    ours = masks.polygons("tree")[0]
    assert same_outlines([part for part, _ in ours], [part for part, _ in tree])
    assert all(same_outlines(mine, yours) for (_, mine), (_, yours) in zip(ours, tree, strict=True))

    assert np.array_equal(masks.polygons("largest")[0], twin.largest(mask))
    return len(external) + sum(1 + len(holes) for _, holes in tree)


@pytest.mark.parametrize("name", NAMED)
def test_named_masks(name: str) -> None:
    outlines = check_against_full_frame(NAMED[name])
    assert (outlines > 0) == NAMED[name].any()


def test_random_masks() -> None:
    outlines = sum(check_against_full_frame(random_mask(seed)) for seed in RANDOM_SEEDS)
    assert outlines > 10 * len(RANDOM_SEEDS)


def test_dense_noise_with_many_parts_and_holes() -> None:
    rng = np.random.default_rng(11)
    for share in (0.35, 0.5, 0.6, 0.65, 0.8):  # around 0.6 parts grow into one another
        for height, width in ((97, 211), (300, 64), (256, 256)):
            assert check_against_full_frame(rng.random((height, width)) < share) > 500


def test_a_million_holes_are_found_part_by_part() -> None:
    sieve = np.ones((2001, 2001), bool)
    sieve[1:-1:2, 1:-1:2] = False
    sieve[:, 1000] = False  # opens the holes on both sides of it
    found = rfseg.Masks.from_dense(sieve[None]).polygons("tree")[0]
    assert [len(holes) for _, holes in found] == [499_000, 499_000]


def test_one_pixel_is_one_point() -> None:
    mask = np.zeros((6, 9), bool)
    mask[4, 7] = True
    masks = rfseg.Masks.from_dense(mask[None])
    assert masks.polygons()[0][0].tolist() == [[7, 4]]
    assert masks.polygons("largest")[0].tolist() == [[7, 4]]


def test_an_island_in_a_hole_is_a_part_of_the_tree_only() -> None:
    mask = np.zeros((11, 11), bool)
    mask[1:10, 1:10] = True
    mask[3:8, 3:8] = False
    mask[5, 5] = True
    masks = rfseg.Masks.from_dense(mask[None])
    assert len(masks.polygons("external")[0]) == 1
    assert sorted(len(holes) for _, holes in masks.polygons("tree")[0]) == [0, 1]


def test_largest_takes_the_first_of_equals() -> None:
    mask = np.zeros((20, 20), bool)
    mask[2:5, 2:5] = mask[2:5, 12:17] = mask[12:18, 6:9] = True
    masks = rfseg.Masks.from_dense(mask[None])
    external = twin.external(mask)
    assert [len(outline) for outline in external] == [4, 4, 4]
    assert np.array_equal(masks.polygons("largest")[0], external[0])


def test_asking_again_and_in_a_selection_gives_the_same() -> None:
    dense = np.stack([blobs(60, 90, 3, 0.4, seed) for seed in range(4)])
    masks = rfseg.Masks.from_dense(dense)
    reversed_masks = masks[::-1]
    for _ in range(2):
        for mode in MODES:
            first, again = masks.polygons(mode), reversed_masks.polygons(mode)[::-1]
            assert plain(first) == plain(again)
    assert all(same_outlines(ours, twin.external(mask)) for ours, mask in zip(masks.polygons(), dense, strict=True))


def test_several_threads_may_ask_at_once() -> None:
    dense = np.stack([blobs(120, 160, 2, 0.5, seed) for seed in range(6)])
    expected = [plain(rfseg.Masks.from_dense(dense).polygons(mode)) for mode in MODES]
    masks = rfseg.Masks.from_dense(dense)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda i: plain(masks.polygons(MODES[i % 3])), range(24)))
    assert answers == expected * 8


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="external"):
        rfseg.Masks.from_dense(np.ones((1, 2, 2), bool)).polygons("outer")
