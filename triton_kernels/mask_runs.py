"""The foreground runs of the chosen queries' masks at source resolution, straight into the host's memory.

Owns contract.md 3.5 on the GPU. A toggle is an index i = x * height + y, 0 <= i <= height * width, where the foreground
differs from that of i - 1; nothing is foreground outside the image. So each mask has an even number of toggles, and
pairs of them are its runs, joined across columns. Knows no class, no box and no formula: mask_grid.py has it.

Two launches of one function. The first counts; the second evaluates again, in the blocks of columns that have toggles,
and writes each toggle to the place that the counts give. Evaluating twice is cheaper than ordering what was found.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels import abi
from triton_kernels.mask_grid import foreground, foreground_of_row, interpolate_nodes
from triton_kernels.select import (
    FLAGS,
    HEADER_WORDS,
    MAX_QUERIES,
    RECORD_COUNT,
    RECORD_WORDS,
    RECORDS,
    SLOT_COUNT,
    SLOT_QUERY,
    SLOT_TOGGLES,
    TOGGLE_COUNT,
)

TOGGLE_OVERFLOW = tl.constexpr(abi.TOGGLE_OVERFLOW)
HOST_ENDS = tl.constexpr(abi.word_offset("HandBack", "toggle_end"))
HOST_RECORDS = tl.constexpr(abi.word_offset("HandBack", "records"))
COPY = tl.constexpr(1024)  # words copied at a time
INT_MAX = tl.constexpr((1 << 31) - 1)


@triton.jit
def _block(
    grid,
    half,
    mask_height,
    mask_width,
    axis_x,
    axis_y,
    node_row,
    height,
    width,
    nodes,
    x,
    toggles,
    place,
    EMIT: tl.constexpr,
    COLUMNS: tl.constexpr,
    ROWS: tl.constexpr,
):
    """Counts the toggles of columns `x`; with EMIT writes them, those of a column from its `place` on.

    Returns [COLUMNS]: the counts, or with EMIT the places behind the last ones.
    """
    # Toggles of row 0 compare with the foot of the column before, and column `width` exists for the sake of its own.
    head = foreground_of_row(grid, half, mask_width, axis_x, width, axis_y, height, x, 0)
    foot = foreground_of_row(grid, half, mask_width, axis_x, width, axis_y, height, x - 1, height - 1)
    changes = (head != foot) & (x <= width)
    if EMIT:
        tl.store(toggles + place, x * height, mask=changes)
    place += changes.to(tl.int32)

    first, last = interpolate_nodes(grid, half, mask_height, mask_width, axis_x, width, x, nodes, COLUMNS)
    # Rows [row, end) have a positive node row among their taps; the row behind them may end a run.
    row = tl.load(node_row + tl.maximum(tl.minimum(first, mask_height) - 1, 0))
    end = tl.load(node_row + last + 1)
    end = tl.minimum(tl.where(last >= 0, end + 1, 0), height)
    for begin in range(tl.maximum(row, 1), end, ROWS):
        y = begin + tl.arange(0, ROWS)
        inside = y < end
        above = foreground(nodes, mask_height, axis_y, height, y - 1, inside, COLUMNS)
        here = foreground(nodes, mask_height, axis_y, height, y, inside, COLUMNS)
        toggle = (here != above) & inside[None, :] & (x < width)[:, None]
        found = toggle.to(tl.int32)
        if EMIT:
            target = place[:, None] + tl.cumsum(found, axis=1) - 1
            tl.store(toggles + target, x[:, None] * height + y[None, :], mask=toggle)
        place += tl.sum(found, axis=1)
    return place


@triton.jit
def _hand_back(selection, slots, slot_toggles, total, fits, hand_back):
    """Copies what select found, and where each slot's toggles end. Consecutive lanes write consecutive words."""
    word = tl.arange(0, HEADER_WORDS)
    header = tl.load(selection + word)
    header = tl.where(word == TOGGLE_COUNT, tl.minimum(total, INT_MAX).to(tl.int32), header)
    header = tl.where((word == FLAGS) & (fits == 0), header | TOGGLE_OVERFLOW, header)
    tl.store(hand_back + word, header)

    slot = tl.arange(0, MAX_QUERIES)
    ends = tl.minimum(tl.cumsum(slot_toggles, axis=0), INT_MAX).to(tl.int32)
    tl.store(hand_back + HOST_ENDS + slot, ends, mask=slot < slots)

    words = tl.load(selection + RECORD_COUNT) * RECORD_WORDS
    for begin in range(0, words, COPY):
        place = begin + tl.arange(0, COPY)
        tl.store(
            hand_back + HOST_RECORDS + place,
            tl.load(selection + RECORDS + place, mask=place < words),
            mask=place < words,
        )


@triton.jit
def _toggles_before(column_toggles, columns):
    """Sum of the first `columns` counts of a slot."""
    before = tl.zeros([COPY], tl.int32)
    for begin in range(0, columns, COPY):
        column = begin + tl.arange(0, COPY)
        before += tl.load(column_toggles + column, mask=column < columns, other=0)
    return tl.sum(before, axis=0)


@triton.jit
def mask_pass(
    masks,
    masks_half,
    mask_height,
    mask_width,
    axis_x,
    axis_y,
    node_row,
    height,
    width,
    selection,
    nodes,
    column_toggles,
    toggles,
    toggle_capacity,
    hand_back,
    host_toggles,
    EMIT: tl.constexpr,
    COLUMNS: tl.constexpr,
    ROWS: tl.constexpr,
):
    """Each program takes every grid-th block of COLUMNS columns of every slot in use. Grid: abi.mask_grid.

    masks: f32 or f16 [Q, mask_height, mask_width].
    axis_x, axis_y: i32 i0[n], i1[n], then f32 l0[n], l1[n]; n = width and height. node_row: i32 [mask_height + 1].
    selection: abi's Selection. nodes: f32 [programs, COLUMNS, mask_height].
    column_toggles: i32 [slots, padded], padded = width + 1 in whole blocks; written when not EMIT, read when EMIT.
    toggles: i32 [toggle_capacity], device; host_toggles: the same in mapped host memory; hand_back: abi's HandBack.

    Toggles go to device memory first, because they are found here and there; then the block's toggles, which lie next
    to each other, are copied to the host in whole lines: single words would each cost a transfer of their own.
    """
    program = tl.program_id(0)
    programs = tl.num_programs(0)
    slots = tl.load(selection + SLOT_COUNT)
    blocks = tl.cdiv(width + 1, COLUMNS)
    nodes += program * (COLUMNS * mask_height)
    if EMIT:
        each = tl.arange(0, MAX_QUERIES)
        slot_toggles = tl.load(selection + SLOT_TOGGLES + each, mask=each < slots, other=0).to(tl.int64)
        total = tl.sum(slot_toggles, axis=0)
        fits = (total <= toggle_capacity).to(tl.int32)
        if program == programs - 1:
            _hand_back(selection, slots, slot_toggles, total, fits, hand_back)

    for item in range(program, slots * blocks, programs):
        slot = item // blocks
        first_column = (item - slot * blocks) * COLUMNS
        x = first_column + tl.arange(0, COLUMNS)
        query = tl.load(selection + SLOT_QUERY + slot)
        offset = query.to(tl.int64) * mask_height * mask_width
        # Not a pointer of its own type: with f16 logits the same count of elements is half the bytes.
        grid = masks.to(tl.pointer_type(tl.uint8)) + offset * tl.where(masks_half != 0, 2, 4)
        grid = grid.to(tl.pointer_type(tl.float32))
        counts = column_toggles + slot.to(tl.int64) * (blocks * COLUMNS)
        if EMIT:
            count = tl.load(counts + x)
            found = tl.sum(count, axis=0) * fits
            if found > 0:
                start = tl.sum(tl.where(each < slot, slot_toggles, 0), axis=0).to(tl.int32)
                start += _toggles_before(counts, first_column)
                place = start + tl.cumsum(count, axis=0) - count
                _block(
                    grid,
                    masks_half,
                    mask_height,
                    mask_width,
                    axis_x,
                    axis_y,
                    node_row,
                    height,
                    width,
                    nodes,
                    x,
                    toggles,
                    place,
                    EMIT,
                    COLUMNS,
                    ROWS,
                )
                tl.debug_barrier()
                for begin in range(0, found, COPY):
                    word = begin + tl.arange(0, COPY)
                    found_toggles = tl.load(toggles + start + word, mask=word < found)
                    tl.store(host_toggles + start + word, found_toggles, mask=word < found)
        else:
            count = _block(
                grid,
                masks_half,
                mask_height,
                mask_width,
                axis_x,
                axis_y,
                node_row,
                height,
                width,
                nodes,
                x,
                toggles,
                tl.zeros([COLUMNS], tl.int32),
                EMIT,
                COLUMNS,
                ROWS,
            )
            tl.store(counts + x, count)
            tl.atomic_add(selection + SLOT_TOGGLES + slot, tl.sum(count, axis=0), sem="relaxed")
