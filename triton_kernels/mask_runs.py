"""The foreground runs of the chosen queries' masks at source resolution, straight into the host's memory.

Owns contract.md 3.5 on the GPU. A toggle is an index i = x * height + y, 0 <= i <= height * width, where the foreground
differs from that of i - 1; nothing is foreground outside the image. So each mask has an even number of toggles, and
pairs of them are its runs, joined across columns. Knows no class, no box and no formula: mask_grid.py has it.

Two launches of one function. The first counts, which needs no row; the second finds the rows, in the blocks of columns
that have toggles, and writes each toggle to the place that the counts give. Looking twice is cheaper than ordering what
was found.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.frame_params import FRAME_WORDS, frame_word, number, start_in_next, words_at
from triton_kernels.hand_back import COPY, give_back
from triton_kernels.mask_cells import changes_in_cells
from triton_kernels.mask_grid import foreground, positive_rows, tap
from triton_kernels.select import MAX_QUERIES, SELECTION_WORDS, SLOT_COUNT, SLOT_QUERY, SLOT_TOGGLES
from triton_kernels.tensors import elements_on

HEIGHT, WIDTH = frame_word("height"), frame_word("width")
MASK_X, MASK_Y, NODE_ROW = frame_word("mask_x"), frame_word("mask_y"), frame_word("node_row")
COLUMN_TOGGLES, TOGGLES = frame_word("column_toggles"), frame_word("toggles")
TOGGLE_CAPACITY, HAND_BACK = frame_word("toggle_capacity"), frame_word("hand_back")
HOST_TOGGLES = frame_word("host_toggles")


@triton.jit
def _put(toggles, place, x, y, height, mask, EMIT: tl.constexpr):
    """Writes the toggles at rows `y` of columns `x`; returns the places behind them."""
    if EMIT:
        tl.store(toggles + place, x * height + y, mask=mask)
    return place + mask.to(tl.int32)


@triton.jit
def _block(
    frame,
    grid,
    grid_size,
    half,
    rows,
    x,
    toggles,
    place,
    EMIT: tl.constexpr,
    CELLS: tl.constexpr,
):
    """Counts the toggles of columns `x`; with EMIT writes them, those of a column from its `place` on.

    rows: first and last grid row with a positive tap. Returns the places behind the toggles; from 0 on, the counts.
    """
    mask_width = grid_size[1]
    height, width = number(frame, HEIGHT), number(frame, WIDTH)
    axis_x, axis_y, node_row = words_at(frame, MASK_X), words_at(frame, MASK_Y), words_at(frame, NODE_ROW)
    inside = x < width
    tap_x = tap(axis_x, width, x, inside)
    # Toggles of row 0 compare with the foot of the column before, and column `width` exists for the sake of its own.
    behind = (x > 0) & (x <= width)
    head = foreground(grid, half, mask_width, tap_x, tap(axis_y, height, 0, True), inside)
    tap_before = tap(axis_x, width, x - 1, behind)
    foot = foreground(grid, half, mask_width, tap_before, tap(axis_y, height, height - 1, True), behind)
    place = _put(toggles, place, x, 0, height, head != foot, EMIT)

    first, last = rows
    x2, inside2 = x[:, None], inside[:, None]
    taps = tap_x[0][:, None], tap_x[1][:, None], tap_x[2][:, None], tap_x[3][:, None]
    for begin in range(tl.maximum(first - 1, 0), last + 1, CELLS):
        cell = (begin + tl.arange(0, CELLS))[None, :]
        border, top, once, row, second, second_row = changes_in_cells(
            grid, half, grid_size, taps, inside2, (axis_y, height), node_row, cell, cell <= last, EMIT
        )
        found = border.to(tl.int32) + once.to(tl.int32) + second.to(tl.int32)
        if EMIT:
            target = place[:, None] + tl.cumsum(found, axis=1) - found
            target = _put(toggles, target, x2, top, height, border, EMIT)
            target = _put(toggles, target, x2, row, height, once, EMIT)
            _put(toggles, target, x2, second_row, height, second, EMIT)
        place += tl.sum(found, axis=1)
    # Below those cells is background: they end in a toggle where their last row is foreground.
    end = tl.load(node_row + last + 1)
    goes_on = (end > 0) & (end < height)
    tap_y = tap(axis_y, height, tl.maximum(end - 1, 0), True)
    ends = foreground(grid, half, mask_width, tap_x, tap_y, inside & goes_on)
    return _put(toggles, place, x, end, height, ends, EMIT)


@triton.jit
def _rows(frame, grid, grid_size, half, block, COLUMNS: tl.constexpr):
    """positive_rows of a block of columns and the column before it, whose foot its first one is compared with."""
    mask_height, mask_width = grid_size
    first, width = block * COLUMNS - 1, number(frame, WIDTH)
    axis_x = words_at(frame, MASK_X)
    return positive_rows(grid, half, mask_height, mask_width, axis_x, width, first, first + 1 + COLUMNS)


@triton.jit
def _toggles_before(block_toggles, blocks):
    """Sum of the first `blocks` counts of a slot."""
    before = tl.zeros([COPY], tl.int32)
    for begin in range(0, blocks, COPY):
        block = begin + tl.arange(0, COPY)
        before += tl.load(block_toggles + block, mask=block < blocks, other=0)
    return tl.sum(before, axis=0)


@triton.jit
def _item(item, blocks, frame, chosen, masks, grid_size, half, COLUMNS: tl.constexpr):
    """A block of columns of a slot: the slot's grid, its counts of toggles by column, the slot, and the block.

    Behind the counts of a slot's columns are those of its blocks.
    """
    mask_height, mask_width = grid_size
    slot = item // blocks
    block = item - slot * blocks
    query = tl.load(chosen + SLOT_QUERY + slot)
    grid = elements_on(masks, half, query.to(tl.int64) * mask_height * mask_width)
    return grid, words_at(frame, COLUMN_TOGGLES) + slot.to(tl.int64) * (blocks * (COLUMNS + 1)), slot, block


@triton.jit
def _emit(
    start,
    items,
    blocks,
    frame,
    chosen,
    hands_back,
    masks,
    grid_size,
    half,
    COLUMNS: tl.constexpr,
    CELLS: tl.constexpr,
):
    """Writes the toggles of this program's blocks of an image, and the rest of what the host gets if it `hands_back`.

    Toggles go to device memory first, because they are found here and there; then the block's toggles, which lie next
    to each other, are copied to the host in whole lines: single words would each cost a transfer of their own.
    """
    slots = tl.load(chosen + SLOT_COUNT)
    each = tl.arange(0, MAX_QUERIES)
    slot_toggles = tl.load(chosen + SLOT_TOGGLES + each, mask=each < slots, other=0).to(tl.int64)
    total = tl.sum(slot_toggles, axis=0)
    fits = (total <= tl.load(frame + TOGGLE_CAPACITY)).to(tl.int32)
    if hands_back:
        give_back(chosen, slots, slot_toggles, total, fits, words_at(frame, HAND_BACK))
    for item in range(start, items, tl.num_programs(0)):
        grid, counts, slot, block = _item(item, blocks, frame, chosen, masks, grid_size, half, COLUMNS)
        found = tl.load(counts + blocks * COLUMNS + block) * fits
        if found > 0:
            first = tl.sum(tl.where(each < slot, slot_toggles, 0), axis=0).to(tl.int32)
            first += _toggles_before(counts + blocks * COLUMNS, block)
            x = block * COLUMNS + tl.arange(0, COLUMNS)
            count = tl.load(counts + x)
            place = first + tl.cumsum(count, axis=0) - count
            toggles = words_at(frame, TOGGLES)
            rows = _rows(frame, grid, grid_size, half, block, COLUMNS)
            _block(frame, grid, grid_size, half, rows, x, toggles, place, True, CELLS)
            tl.debug_barrier()
            toggles += first
            host_toggles = words_at(frame, HOST_TOGGLES) + first
            for begin in range(0, found, COPY):
                word = begin + tl.arange(0, COPY)
                tl.store(host_toggles + word, tl.load(toggles + word, mask=word < found), mask=word < found)


@triton.jit
def _count(start, items, blocks, frame, chosen, masks, grid_size, half, COLUMNS: tl.constexpr, CELLS: tl.constexpr):
    """Counts the toggles of this program's blocks of an image."""
    for item in range(start, items, tl.num_programs(0)):
        grid, counts, slot, block = _item(item, blocks, frame, chosen, masks, grid_size, half, COLUMNS)
        rows = _rows(frame, grid, grid_size, half, block, COLUMNS)
        total = 0
        if rows[1] >= 0:
            x = block * COLUMNS + tl.arange(0, COLUMNS)
            zero = tl.zeros([COLUMNS], tl.int32)
            count = _block(frame, grid, grid_size, half, rows, x, counts, zero, False, CELLS)
            tl.store(counts + x, count)
            total = tl.sum(count, axis=0)
            tl.atomic_add(chosen + SLOT_TOGGLES + slot, total, sem="relaxed")
        tl.store(counts + blocks * COLUMNS + block, total)


@triton.jit
def mask_pass(
    params,
    frames,
    masks,
    masks_half,
    mask_height,
    mask_width,
    queries,
    selection,
    EMIT: tl.constexpr,
    COLUMNS: tl.constexpr,
    CELLS: tl.constexpr,
):
    """Each program takes every grid-th block of COLUMNS columns of every slot in use. Grid: abi.mask_grid.

    params: abi's FrameParams [frames], in words of 8 bytes. Of its scratch, column_toggles is i32 [slots, n],
        n = abi.slot_counts(width): counts by column, then by block; those of a block's columns where it has any.
        Written when not EMIT, read when EMIT.
    masks: f32 or f16 [frames, queries, mask_height, mask_width].
    selection: abi's Selection [frames].

    Each image is handed back by another program, because it takes longer than a block.
    """
    program = tl.program_id(0)
    programs = tl.num_programs(0)
    grid_size = mask_height, mask_width
    start = program
    for image in range(frames):
        frame = params + image * FRAME_WORDS
        chosen = selection + image * SELECTION_WORDS
        blocks = tl.cdiv(number(frame, WIDTH) + 1, COLUMNS)
        items = tl.load(chosen + SLOT_COUNT) * blocks
        of_image = elements_on(masks, masks_half, tl.cast(image, tl.int64) * queries * mask_height * mask_width)
        if EMIT:
            hands_back = (program == programs - 1 - image % programs) & (tl.load(frame + HAND_BACK) != 0)
            if (start < items) | hands_back:
                _emit(
                    start,
                    items,
                    blocks,
                    frame,
                    chosen,
                    hands_back,
                    of_image,
                    grid_size,
                    masks_half,
                    COLUMNS,
                    CELLS,
                )
        else:
            _count(start, items, blocks, frame, chosen, of_image, grid_size, masks_half, COLUMNS, CELLS)
        start = start_in_next(start, items, programs)
