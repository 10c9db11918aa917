"""The select kernel against a stable sort: order, ties, odd values, dropped columns, and sets too large to rank."""

from __future__ import annotations

import numpy as np
import pytest
from triton_kernels import abi

from kernels.interpreter import Interpreter
from kernels.stages import read_fields, select_launch, select_members, upload_params

ALWAYS = -np.inf  # a cut that every logit but NaN meets


def expected(labels: np.ndarray, logit_cut: np.ndarray, max_detections: int) -> np.ndarray:
    """Flat indices of the instances (contract 3.1 and 3.2, thresholds as logits)."""
    flat = labels.astype(np.float32).reshape(-1)
    order = np.argsort(-flat, kind="stable")[: len(labels)]
    return order[flat[order] >= logit_cut[order % labels.shape[1]]][:max_detections]


def run(labels, dets, asked):
    """The fields of the Selection of each image of labels [B, Q, C]; `asked`: cuts and max_detections, or None."""
    device = Interpreter()
    params = upload_params(device, [each and select_members(device, *each) for each in asked])
    launch, selection = select_launch(device, params, labels, dets)
    device.launch(launch)
    return [read_fields(device, selection + i * abi.struct_size("Selection"), "Selection") for i in range(len(labels))]


def compare(found, labels, dets, logit_cut, max_detections):
    """Every word that select promises of an image."""
    order = expected(labels, logit_cut, max_detections)
    query, column = order // labels.shape[1], order % labels.shape[1]
    slots = list(dict.fromkeys(query.tolist()))
    assert (found["record_count"][0], found["slot_count"][0], found["flags"][0]) == (len(order), len(slots), 0)
    assert (found["reserved"] == 0).all()
    assert (found["slot_toggles"] == 0).all()
    np.testing.assert_array_equal(found["slot_query"][: len(slots)], slots)
    records = found["records"][: len(order)]
    np.testing.assert_array_equal(records["query"], query)
    np.testing.assert_array_equal(records["column"], column)
    np.testing.assert_array_equal(
        records["logit"].view(np.int32), labels[query, column].astype(np.float32).view(np.int32)
    )
    np.testing.assert_array_equal(records["mask_slot"], [slots.index(q) for q in query])
    boxes = np.stack([records[side] for side in ("cx", "cy", "w", "h")], axis=-1)
    np.testing.assert_array_equal(boxes, dets[query].astype(np.float32))


def cuts_of(logit_cut, columns):
    return np.broadcast_to(np.asarray(logit_cut, np.float32), columns).copy()


def check(labels, logit_cut, max_detections=300, dets=None):
    """One image; returns the fields."""
    if dets is None:
        dets = np.random.default_rng(1).normal(size=(len(labels), 4)).astype(np.float32)
    cuts = cuts_of(logit_cut, labels.shape[1])
    (found,) = run(labels[None], dets[None], [(cuts, max_detections)])
    compare(found, labels, dets, cuts, max_detections)
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_each_image_of_a_batch_has_its_own_thresholds(dtype):
    rng = np.random.default_rng(11)
    labels = (np.round(rng.normal(-1, 2, (6, 40, 7)) * 4) / 4).astype(dtype)
    dets = rng.normal(size=(6, 40, 4)).astype(dtype)
    dropped = cuts_of([0, np.nan, 1, 0, np.nan, -1, 2], 7)
    asked = [(cuts_of(0.0, 7), 300), None, (dropped, 5), (cuts_of(np.nan, 7), 300), (cuts_of(ALWAYS, 7), 20), None]
    found = run(labels, dets, asked)
    counts = [each["record_count"][0] for each in found]
    assert counts[1] == counts[3] == counts[5] == 0
    assert len(set(counts)) == 4
    for fields, each, logits, boxes in zip(found, asked, labels, dets, strict=True):
        compare(fields, logits, boxes, *(each or (cuts_of(np.nan, 7), 300)))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("seed", range(4))
def test_random_logits_with_ties(seed, dtype):
    rng = np.random.default_rng(seed)
    queries, columns = (int(n) for n in rng.integers(1, 120, 2))
    labels = (np.round(rng.normal(-3, 2, (queries, columns)) * 4) / 4).astype(dtype)
    cut = np.where(rng.random(columns) < 0.2, np.nan, rng.choice([-1, 0, 0.25], columns))
    dets = rng.normal(size=(queries, 4)).astype(dtype)
    check(labels, cut, int(rng.integers(1, 40)), dets)


def test_sizes_of_a_real_network():
    labels = np.random.default_rng(5).normal(-6, 2, (300, 91)).astype(np.float32)
    assert check(labels, 0.0)["record_count"][0] > 20


def test_labels_and_boxes_of_different_precision():
    labels = np.random.default_rng(6).normal(size=(9, 4)).astype(np.float16)
    check(labels, 0.0, dets=np.random.default_rng(7).normal(size=(9, 4)).astype(np.float32))


def test_zeros_tie_whatever_their_sign():
    labels = np.array([[0.0, -0.0], [-0.0, 0.0], [0.0, -1.0]], np.float32)
    found = check(labels, 0.0)
    assert np.signbit(found["records"]["logit"][:3]).tolist() == [False, True, True]


def test_nan_never_passes_and_infinities_do():
    labels = np.full((4, 3), np.nan, np.float32)
    labels[1, 2], labels[2, 0], labels[3, 1] = np.inf, -np.inf, np.inf
    assert check(labels, ALWAYS)["record_count"][0] == 3


def test_five_classes_on_one_query():
    labels = np.full((6, 5), -9, np.float32)
    labels[4] = [1, 5, 3, 5, 2]
    assert check(labels, 0.0)["slot_count"][0] == 1


def test_dropped_columns_take_places():
    labels = np.full((3, 3), -9, np.float32)
    labels[0], labels[2, 0] = [5, 1, 7], 0.5
    assert check(labels, [0, 0, np.nan])["record_count"][0] == 2


@pytest.mark.parametrize("cut", [50, np.nan])
def test_nothing_passes(cut):
    assert check(np.zeros((7, 3), np.float32), cut)["record_count"][0] == 0


def test_columns_have_their_own_cuts():
    labels = np.tile(np.array([0.5, 0.5, 2.5], np.float32), (5, 1))
    check(labels, [1, 0.5, 2.5], max_detections=4)


def test_more_pass_than_can_be_ranked():
    labels = np.random.default_rng(8).normal(size=(300, 91)).astype(np.float32)
    labels[:40, :40] = 0.125
    found = check(labels, ALWAYS)
    assert found["record_count"][0] == 300
    assert found["passing_count"][0] == 300


def test_more_pass_than_can_be_ranked_and_all_are_neighbours():
    bits = np.float32(1).view(np.int32) + np.random.default_rng(10).permutation(200 * 40).astype(np.int32)
    assert check(bits.view(np.float32).reshape(200, 40), ALWAYS)["passing_count"][0] == 200


def test_most_queries_and_ties_at_the_last_place():
    labels = np.random.default_rng(9).normal(-4, 1, (abi.MAX_QUERIES, 3)).astype(np.float32)
    labels[: abi.MAX_QUERIES // 2] = 1
    assert check(labels, -9.0, max_detections=abi.MAX_QUERIES)["record_count"][0] == abi.MAX_QUERIES


def test_too_many_ties_are_flagged_and_give_nothing():
    labels = np.ones((abi.MAX_PASSING // 2 + 1, 2), np.float32)
    (found,) = run(labels[None], np.zeros((1, len(labels), 4), np.float32), [(np.zeros(2, np.float32), 300)])
    assert found["flags"][0] == abi.PASSING_OVERFLOW
    assert found["record_count"][0] == found["slot_count"][0] == 0
