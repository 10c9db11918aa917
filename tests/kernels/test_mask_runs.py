"""The two mask launches against the dense twin of contract 3.4 and 3.5, exact, and what the host is handed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from triton_kernels import abi

from kernels.interpreter import Interpreter
from kernels.scenes import named_grids
from kernels.stages import (
    POISON,
    mask_launches,
    mask_members,
    read_fields,
    select_launch,
    select_members,
    upload_params,
)
from reference.postprocess import dense_mask

POISONED = np.frombuffer(bytes([POISON] * 4), np.int32)[0]


def toggles_of(mask: np.ndarray) -> np.ndarray:
    """Where the column-major foreground of [H, W] changes."""
    pixels = np.concatenate([[False], mask.T.reshape(-1), [False]])
    return np.flatnonzero(pixels[1:] != pixels[:-1])


@dataclass(frozen=True)
class Asked:
    """An image of a batch: masks [Q, Hm, Wm], those of `queries` chosen."""

    masks: np.ndarray
    image_size: tuple[int, int]
    queries: list[int]
    capacity: int = 4096


def labels_of(asked: Asked) -> np.ndarray:
    labels = np.full((len(asked.masks), 2), -9, np.float32)
    labels[asked.queries, 0] = 50 - np.arange(len(asked.queries))
    labels[asked.queries[:1], 1] = 0.5  # a second class on the first query: one more record, no more masks
    return labels


def check_batch(batch: list[Asked | None], programs: int) -> list[int]:
    """Chooses, runs both launches, compares every word of the host's memory; returns the toggles written."""
    device = Interpreter()
    cuts = np.zeros(2, np.float32)
    some = next(each for each in batch if each)
    members = [
        each
        and select_members(device, cuts, 300)
        | mask_members(device, each.image_size, each.masks.shape[1:], len(each.queries), each.capacity)
        for each in batch
    ]
    params = upload_params(device, members)
    masks = np.stack([each.masks if each else np.ones_like(some.masks) for each in batch])
    labels = np.stack([labels_of(each or some) for each in batch])
    launch, selection = select_launch(device, params, labels, np.ones((*labels.shape[:2], 4), np.float32))
    for each in (launch, *mask_launches(device, params, masks, selection, programs)):
        device.launch(each)
    written = []
    for i, (asked, outputs) in enumerate(zip(batch, members, strict=True)):
        chosen = read_fields(device, selection + i * abi.struct_size("Selection"), "Selection")
        if asked:
            written.append(compare(device, asked, outputs, chosen))
        else:
            assert chosen["slot_count"][0] == 0
    return written


def compare(device, asked, outputs, chosen):
    """Every word that the host gets of an image."""
    dense = [dense_mask(asked.masks[query].astype(np.float32), asked.image_size) for query in asked.queries]
    expected = [toggles_of(mask) for mask in dense]
    ends = np.cumsum([len(toggles) for toggles in expected])
    fits = not len(ends) or ends[-1] <= asked.capacity
    found = read_fields(device, outputs["hand_back"], "HandBack")
    slots = len(asked.queries)
    records = min(slots + bool(slots), len(asked.masks))  # there are never more than queries
    assert found["record_count"][0] == records
    assert found["slot_count"][0] == slots
    assert found["toggle_count"][0] == (ends[-1] if len(ends) else 0)
    assert found["flags"][0] == (0 if fits else abi.TOGGLE_OVERFLOW)
    np.testing.assert_array_equal(found["toggle_end"][:slots], ends)
    assert (found["toggle_end"][slots:] == POISONED).all()
    np.testing.assert_array_equal(found["records"][:records], chosen["records"][:records])
    assert (found["records"][records:].view(np.int32) == POISONED).all()
    toggles = device.read(outputs["host_toggles"], np.int32, asked.capacity)
    written = np.concatenate([np.zeros(0, int), *expected]) if fits else np.zeros(0, int)
    np.testing.assert_array_equal(toggles[: len(written)], written)
    assert (toggles[len(written) :] == POISONED).all()
    return len(written)


def check(masks, image_size, queries=None, capacity=4096, programs=3):
    """One image; `queries`: default all."""
    (written,) = check_batch(
        [Asked(masks, image_size, list(range(len(masks))) if queries is None else queries, capacity)], programs
    )
    return written


@pytest.mark.parametrize("programs", [1, 3, 40])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_batch_gives_each_image_what_it_gets_alone(dtype, programs):
    masks = [smooth(4, 9, 7, seed).astype(dtype) for seed in range(7)]
    batch = [
        Asked(masks[0], (37, 53), [2, 0]),
        None,
        Asked(masks[1], (1, 1), [1, 2, 3]),
        Asked(masks[2], (9, 9), []),
        Asked(masks[3], (20, 30), [3, 0, 1, 2], capacity=7),  # too few
        Asked(masks[4], (61, 5), [0, 1, 2, 3]),
        None,
    ]
    written = check_batch(batch, programs)
    assert written[3] == 0
    assert min(written[0], written[4]) > 50


def smooth(count: int, height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (count, height, width)).astype(np.float32)


@pytest.mark.parametrize(
    ("grid", "image_size"),
    [
        ((12, 9), (37, 53)),
        ((9, 12), (1, 1)),
        ((16, 16), (61, 5)),
        ((7, 5), (1, 40)),
        ((5, 7), (150, 3)),
        ((8, 8), (5, 7)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_random_masks(grid, image_size, dtype):
    check(smooth(5, *grid, seed=1).astype(dtype), image_size, [3, 0, 4])


def test_grid_taller_than_one_tile():
    assert check(smooth(1, 140, 4, seed=2), (150, 9)) > 100


def test_one_program_and_many():
    masks = smooth(2, 6, 6, seed=3)
    assert check(masks, (20, 30), programs=1) == check(masks, (20, 30), programs=11) > 10


@pytest.mark.parametrize("image_size", [(6, 6), (23, 19), (3, 4)])
def test_named_masks(image_size):
    grids = named_grids()
    check(np.stack(list(grids.values())).astype(np.float32), image_size)


def test_nan_and_infinities_follow_the_formula():
    rng = np.random.default_rng(4)
    masks = rng.normal(size=(4, 8, 8)).astype(np.float32)
    for value in (np.nan, np.inf, -np.inf):
        masks[rng.random(masks.shape) < 0.08] = value
    masks[3] = np.inf
    assert check(masks, (29, 31)) > 50


@pytest.mark.parametrize("grid", [(9, 7), (40, 6)])
@pytest.mark.parametrize("image_size", [(97, 23), (9, 7), (5, 12), (1, 9), (23, 3)])
def test_lonely_positive_nodes(grid, image_size):
    """Few foreground cells, with rows and columns of the source beside, between and without them."""
    rng = np.random.default_rng(sum(image_size))
    masks = rng.normal(-3, 1, (6, *grid)).astype(np.float32)
    masks[rng.random(masks.shape) < 0.04] = 4
    masks[:2, 0, :2] = masks[2:4, -1, -2:] = 3
    check(masks, image_size)


def test_two_tiny_positive_nodes_may_have_background_between_them():
    """Their products underflow on the way: the one case of two changes in a cell."""
    rng = np.random.default_rng(8)
    tiny = np.array([1e-45, 3e-45, 7e-45, 1e-44, 1e-38, 1e-31, 1.0, -1.0, -1e-45, 0.0], np.float32)
    masks = rng.choice(tiny, (6, 5, 4))
    assert check(np.full((1, 2, 1), 1e-45, np.float32), (9, 1)) == 4
    assert check(masks, (83, 5)) > 50
    check(masks, (200, 9))
    check(masks, (3, 4))


def test_no_instances():
    assert check(smooth(3, 4, 4, seed=5), (9, 9), []) == 0


def test_capacity_is_exact_and_overflow_writes_nothing():
    masks = smooth(2, 6, 6, seed=6)
    needed = check(masks, (20, 30))
    assert check(masks, (20, 30), capacity=needed) == needed > 0
    assert check(masks, (20, 30), capacity=needed - 1) == 0


def test_more_toggles_in_a_block_than_are_copied_at_a_time():
    rows, columns = np.indices((192, 8))
    masks = np.where((rows + columns) % 2, 1.0, -1.0).astype(np.float32)[None]
    assert check(masks, (192, 8)) > 1024
