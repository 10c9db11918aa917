"""Which (query, class) pairs become instances, and which queries' masks they need.

Owns contract.md 3.1 and 3.2 on the GPU. Compares logits with cuts that the host made from thresholds; knows no score,
and passes boxes on as the network gave them.
"""

# ruff: noqa: N803, PLR0124 - Triton writes compile-time arguments in capitals; x == x is its test for NaN

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels import abi
from triton_kernels.frame_params import FRAME_WORDS, frame_word, number
from triton_kernels.tensors import elements_on, load_float


def _word(field: str) -> tl.constexpr:
    return tl.constexpr(abi.word_offset("Selection", field))


def _header_word(field: str) -> tl.constexpr:
    return tl.constexpr(abi.word_offset("SelectionHeader", field))


LOGIT_CUT, LEAST_CUT, MAX_DETECTIONS = (frame_word(n) for n in ("logit_cut", "least_cut", "max_detections"))
SELECTION_WORDS = tl.constexpr(abi.struct_size("Selection") // 4)
RECORDS = _word("records")
RECORD_WORDS = tl.constexpr(abi.struct_size("Record") // 4)
SLOT_QUERY, SLOT_TOGGLES = _word("slot_query"), _word("slot_toggles")
RANKED, FIRST_USE, SLOT_OF_QUERY = _word("ranked"), _word("first_use"), _word("slot_of_query")
PASSING_KEY, PASSING_INDEX = _word("passing_key"), _word("passing_index")
RECORD_COUNT, SLOT_COUNT, FLAGS = _header_word("record_count"), _header_word("slot_count"), _header_word("flags")
TOGGLE_COUNT, PASSING_COUNT = _header_word("toggle_count"), _header_word("passing_count")
HEADER_WORDS = tl.constexpr(abi.struct_size("SelectionHeader") // 4)
MAX_QUERIES, MAX_PASSING = tl.constexpr(abi.MAX_QUERIES), tl.constexpr(abi.MAX_PASSING)
PASSING_OVERFLOW = tl.constexpr(abi.PASSING_OVERFLOW)
RANK_ROWS, RANK_COLUMNS = tl.constexpr(abi.RANK_ROWS), tl.constexpr(abi.RANK_COLUMNS)
LAST_KEY = tl.constexpr(0x7F800000)  # of +infinity


@triton.jit
def _key(logit):
    """An int32 that orders as the logit does; -0 and +0 are the same. Of no use for NaN."""
    bits = tl.where(logit == 0.0, 0.0, logit).to(tl.int32, bitcast=True)
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


@triton.jit
def _passing(labels, half, start, pairs, cut, PAIRS: tl.constexpr):
    index = start + tl.arange(0, PAIRS)
    logit = load_float(labels, index, index < pairs, half)
    key = _key(logit)
    return index, key, (index < pairs) & (logit == logit) & (key >= cut)


@triton.jit
def _gather(labels, half, pairs, cut, selection, PAIRS: tl.constexpr):
    """Collects the pairs whose key is at least `cut`, in any order, and returns how many there are, kept or not."""
    counter = selection + PASSING_COUNT
    tl.debug_barrier()  # of the counter's readers with this reset
    tl.store(counter, 0)
    tl.debug_barrier()
    for start in range(0, pairs, PAIRS):
        index, key, passes = _passing(labels, half, start, pairs, cut, PAIRS)
        place = tl.atomic_add(counter + tl.zeros([PAIRS], tl.int32), 1, mask=passes, sem="relaxed")
        kept = passes & (place < MAX_PASSING)
        tl.store(selection + PASSING_KEY + place, key, mask=kept)
        tl.store(selection + PASSING_INDEX + place, index, mask=kept)
    tl.debug_barrier()
    return tl.load(counter, volatile=True)


@triton.jit
def _key_of_last_place(labels, half, pairs, queries, PAIRS: tl.constexpr):
    """The greatest key that at least `queries` pairs reach, found by halving the range of keys 33 times."""
    low = tl.full([], -(1 << 31), tl.int64)
    high = tl.full([], LAST_KEY + 1, tl.int64)
    for _ in range(0, 33):
        middle = (low + high) >> 1
        reached = tl.zeros([], tl.int32)
        for start in range(0, pairs, PAIRS):
            _index, _k, passes = _passing(labels, half, start, pairs, middle, PAIRS)
            reached += tl.sum(passes.to(tl.int32), axis=0)
        enough = reached >= queries
        low = tl.where(enough, middle, low)
        high = tl.where(enough, high, middle)
    return low.to(tl.int32)


@triton.jit
def _rank(selection, count, queries):
    """Writes the indices of the first `queries` pairs in order: by key descending, then index ascending.

    A pair's place is the number of pairs before it, so the order in which they were gathered does not matter.
    """
    for start in range(0, count, RANK_ROWS):
        one = start + tl.arange(0, RANK_ROWS)
        key = tl.load(selection + PASSING_KEY + one, mask=one < count, other=0)
        index = tl.load(selection + PASSING_INDEX + one, mask=one < count, other=0)
        place = tl.zeros([RANK_ROWS], tl.int32)
        for begin in range(0, count, RANK_COLUMNS):
            other = begin + tl.arange(0, RANK_COLUMNS)
            other_key = tl.load(selection + PASSING_KEY + other, mask=other < count, other=0)
            other_index = tl.load(selection + PASSING_INDEX + other, mask=other < count, other=0)
            tie = (other_key[None, :] == key[:, None]) & (other_index[None, :] < index[:, None])
            before = ((other_key[None, :] > key[:, None]) | tie) & (other < count)[None, :]
            place += tl.sum(before.to(tl.int32), axis=1)
        tl.store(selection + RANKED + place, index, mask=(one < count) & (place < queries))


@triton.jit
def _write_records(selection, record, kept, query, column, logit, dets, dets_half):
    """Writes the instances with their boxes and mask slots."""
    words = selection + RECORDS + record * RECORD_WORDS
    tl.store(words, query, mask=kept)
    tl.store(words + 1, column, mask=kept)
    tl.store(words + 2, logit.to(tl.int32, bitcast=True), mask=kept)
    for side in tl.static_range(4):
        box = load_float(dets, query * 4 + side, kept, dets_half)
        tl.store(words + 3 + side, box.to(tl.int32, bitcast=True), mask=kept)
    tl.store(words + 7, tl.load(selection + SLOT_OF_QUERY + query, mask=kept), mask=kept)


@triton.jit
def select(
    params,
    labels,
    labels_half,
    dets,
    dets_half,
    queries,
    columns,
    selection,
    PAIRS: tl.constexpr,
):
    """Program b has image b. Grid: the images of the batch.

    params: abi's FrameParams [images], in words of 8 bytes.
    labels: f32 or f16 [images, queries, columns]. dets: f32 or f16 [images, queries, 4].
    selection: abi's Selection [images], in words; written whole as far as its counts say.

    The result does not depend on the order in which the atomics are served: see _rank.
    """
    image = tl.program_id(0).to(tl.int64)
    frame = params + image * FRAME_WORDS
    labels = elements_on(labels, labels_half, image * queries * columns)
    dets = elements_on(dets, dets_half, image * queries * 4)
    selection += image * SELECTION_WORDS
    logit_cut = tl.load(frame + LOGIT_CUT).to(tl.pointer_type(tl.float32))
    least_cut = number(frame, LEAST_CUT).to(tl.float32, bitcast=True)
    max_detections = number(frame, MAX_DETECTIONS)

    place = tl.arange(0, MAX_QUERIES)
    tl.store(selection + SLOT_TOGGLES + place, 0)
    tl.store(selection + FIRST_USE + place, MAX_QUERIES)

    pairs = tl.where(least_cut == least_cut, queries * columns, 0)
    cut = _key(least_cut)
    count = pairs
    tries = 0
    while (tries == 0) | ((tries == 1) & (count > MAX_PASSING)):
        if tries == 1:  # too many: those below the last place that counts are of no use
            cut = _key_of_last_place(labels, labels_half, pairs, queries, PAIRS)
        count = _gather(labels, labels_half, pairs, cut, selection, PAIRS)
        tries += 1
    overflow = count > MAX_PASSING
    count = tl.where(overflow, 0, count)
    _rank(selection, count, queries)
    tl.debug_barrier()

    candidate = place < tl.minimum(count, queries)
    index = tl.load(selection + RANKED + place, mask=candidate, other=0)
    query = index // columns
    column = index - query * columns
    logit = load_float(labels, index, candidate, labels_half)
    kept = candidate & (logit >= tl.load(logit_cut + column, mask=candidate, other=0.0))
    record = tl.cumsum(kept.to(tl.int32), axis=0) - 1
    kept = kept & (record < max_detections)
    tl.atomic_min(selection + FIRST_USE + query, record, mask=kept, sem="relaxed")
    tl.debug_barrier()

    first = kept & (tl.load(selection + FIRST_USE + query, mask=kept, other=-1, volatile=True) == record)
    slot = tl.cumsum(first.to(tl.int32), axis=0) - 1
    tl.store(selection + SLOT_QUERY + slot, query, mask=first)
    tl.store(selection + SLOT_OF_QUERY + query, slot, mask=first)
    tl.debug_barrier()

    _write_records(selection, record, kept, query, column, logit, dets, dets_half)
    word = tl.arange(0, HEADER_WORDS)
    header = tl.where(word == RECORD_COUNT, tl.sum(kept.to(tl.int32), axis=0), 0)
    header = tl.where(word == SLOT_COUNT, tl.sum(first.to(tl.int32), axis=0), header)
    header = tl.where(word == FLAGS, tl.where(overflow, PASSING_OVERFLOW, 0), header)
    header = tl.where(word == PASSING_COUNT, count, header)
    tl.store(selection + word, header)
