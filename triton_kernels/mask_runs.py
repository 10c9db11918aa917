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

from triton_kernels.frame_params import FRAME_WORDS, frame_word, number, start_in_next, words_at
from triton_kernels.hand_back import COPY, give_back
from triton_kernels.mask_grid import foreground, foreground_of_row, interpolate_nodes, may_hold_foreground
from triton_kernels.select import MAX_QUERIES, SELECTION_WORDS, SLOT_COUNT, SLOT_QUERY, SLOT_TOGGLES
from triton_kernels.tensors import elements_on

HEIGHT, WIDTH = frame_word("height"), frame_word("width")
MASK_X, MASK_Y, NODE_ROW = frame_word("mask_x"), frame_word("mask_y"), frame_word("node_row")
COLUMN_TOGGLES, TOGGLES = frame_word("column_toggles"), frame_word("toggles")
TOGGLE_CAPACITY, HAND_BACK = frame_word("toggle_capacity"), frame_word("hand_back")
HOST_TOGGLES = frame_word("host_toggles")


@triton.jit
def _block(
    frame,
    grid,
    grid_size,
    half,
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

    Reads its tables' addresses anew, because there are no registers to keep them in from block to block.
    """
    mask_height, mask_width = grid_size
    height, width = number(frame, HEIGHT), number(frame, WIDTH)
    axis_x, axis_y, node_row = words_at(frame, MASK_X), words_at(frame, MASK_Y), words_at(frame, NODE_ROW)
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
    nodes,
    COLUMNS: tl.constexpr,
    ROWS: tl.constexpr,
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
            _block(frame, grid, grid_size, half, nodes, x, toggles, place, True, COLUMNS, ROWS)
            tl.debug_barrier()
            toggles += first
            host_toggles = words_at(frame, HOST_TOGGLES) + first
            for begin in range(0, found, COPY):
                word = begin + tl.arange(0, COPY)
                tl.store(host_toggles + word, tl.load(toggles + word, mask=word < found), mask=word < found)


@triton.jit
def _count(
    start, items, blocks, frame, chosen, masks, grid_size, half, nodes, COLUMNS: tl.constexpr, ROWS: tl.constexpr
):
    """Counts the toggles of this program's blocks of an image."""
    for item in range(start, items, tl.num_programs(0)):
        grid, counts, slot, block = _item(item, blocks, frame, chosen, masks, grid_size, half, COLUMNS)
        first, width, axis_x = block * COLUMNS, number(frame, WIDTH), words_at(frame, MASK_X)
        total = may_hold_foreground(grid, half, grid_size[0], grid_size[1], axis_x, width, first, COLUMNS)
        if total != 0:
            x = first + tl.arange(0, COLUMNS)
            zero = tl.zeros([COLUMNS], tl.int32)
            count = _block(frame, grid, grid_size, half, nodes, x, counts, zero, False, COLUMNS, ROWS)
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
    nodes,
    EMIT: tl.constexpr,
    COLUMNS: tl.constexpr,
    ROWS: tl.constexpr,
):
    """Each program takes every grid-th block of COLUMNS columns of every slot in use. Grid: abi.mask_grid.

    params: abi's FrameParams [frames], in words of 8 bytes. Of its scratch, column_toggles is i32 [slots, n],
        n = abi.slot_counts(width): counts by column, then by block; those of a block's columns where it has any.
        Written when not EMIT, read when EMIT.
    masks: f32 or f16 [frames, queries, mask_height, mask_width].
    selection: abi's Selection [frames]. nodes: f32 [programs, COLUMNS, mask_height].

    Each image is handed back by another program, because it takes longer than a block.
    """
    program = tl.program_id(0)
    programs = tl.num_programs(0)
    nodes += program * (COLUMNS * mask_height)
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
                    nodes,
                    COLUMNS,
                    ROWS,
                )
        else:
            _count(start, items, blocks, frame, chosen, of_image, grid_size, masks_half, nodes, COLUMNS, ROWS)
        start = start_in_next(start, items, programs)
