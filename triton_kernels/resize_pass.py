"""The antialiased resize, pass by pass, from frames' bytes to the network's input.

Owns contract.md section 2 on the GPU. Computes no scale and no weight: the host's tables say where taps lie and what
they weigh, so that both devices use the same numbers.

A pass is bound by its loads and by the instructions of the loop over taps. So the loop has no condition (FrameParams says
what the tables promise), runs four taps at a time, and along x shares each weight among four rows.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.frame_params import FRAME_WORDS, bytes_at, frame_word, number, start_in_next, words_at
from triton_kernels.tensors import elements_on, store_float

SOURCE, ROW_BYTES = frame_word("source"), frame_word("row_bytes")
PIXEL_BYTES, CHANNEL_BYTES = frame_word("pixel_bytes"), frame_word("channel_bytes")
BGR, PASSES = frame_word("bgr"), frame_word("passes")
FIRST_DOWN, LAST_DOWN = frame_word("first_down"), frame_word("last_down")
RESIZE_X, RESIZE_Y = frame_word("resize_x"), frame_word("resize_y")
TAPS_X, TAPS_Y = frame_word("taps_x"), frame_word("taps_y")
BETWEEN = frame_word("between")
BETWEEN_HEIGHT, BETWEEN_WIDTH = frame_word("between_height"), frame_word("between_width")


@triton.jit
def _store(total, row, byte, size, target, FINAL: tl.constexpr):
    """Rounds the sums of a row, and stores them as bytes of packed pixels or normalised. Nothing behind the row's end."""
    height, width = size
    level = tl.minimum(tl.maximum(total >> 22, 0), 255)
    inside = (row < height) & (byte < width * 3)
    if FINAL:
        network, normalised, bgr, half = target
        x, channel = byte // 3, byte % 3
        rgb = tl.where(bgr != 0, 2 - channel, channel)
        value = tl.load(normalised + rgb * 256 + level)
        store_float(network, (rgb * height * width + x) + row * width, value, inside, half)
    else:
        tl.store(target + row.to(tl.int64) * (width * 3) + byte, level.to(tl.uint8), mask=inside)


@triton.jit
def _add(total, line, at, step, weight, results, COUNT: tl.constexpr):
    """Adds COUNT taps: of `line` from `at` on, each `step` bytes behind the last, its weight `results` behind."""
    for k in tl.static_range(COUNT):
        total += tl.load(weight + k * results) * tl.load(line + (at + k * step)).to(tl.int32)
    return total


@triton.jit
def _down(start, source, axis, size, target, FINAL: tl.constexpr, BYTES: tl.constexpr):
    """Tiles of BYTES results of one row, which have their weights in common; returns how many tiles there are."""
    address, row_bytes, pixel_bytes, channel_bytes = source
    table, taps = axis
    height, width = size
    blocks = tl.cdiv(width * 3, BYTES)
    items = height * blocks
    for item in range(start, items, tl.num_programs(0)):
        row = item // blocks
        byte = (item - row * blocks) * BYTES + tl.arange(0, BYTES)
        x = tl.minimum(byte // 3, width - 1)
        at = x.to(tl.int64) * pixel_bytes + (byte % 3) * channel_bytes
        line = address + tl.load(table + row).to(tl.int64) * row_bytes
        weight = table + height + row
        total = tl.full([BYTES], 1 << 21, tl.int32)
        for _ in range(0, taps // 4):
            total = _add(total, line, at, row_bytes, weight, height, 4)
            line += 4 * row_bytes
            weight += 4 * height
        if taps & 2 != 0:
            total = _add(total, line, at, row_bytes, weight, height, 2)
            line += 2 * row_bytes
            weight += 2 * height
        if taps & 1 != 0:
            total = _add(total, line, at, row_bytes, weight, height, 1)
        _store(total, row, byte, size, target, FINAL)
    return items


@triton.jit
def _add4(totals, lines, at, step, weight, results, COUNT: tl.constexpr):
    """The same for four lines, which have the weights in common."""
    a, b, c, d = totals
    line_a, line_b, line_c, line_d = lines
    for k in tl.static_range(COUNT):
        w = tl.load(weight + k * results)
        a += w * tl.load(line_a + (at + k * step)).to(tl.int32)
        b += w * tl.load(line_b + (at + k * step)).to(tl.int32)
        c += w * tl.load(line_c + (at + k * step)).to(tl.int32)
        d += w * tl.load(line_d + (at + k * step)).to(tl.int32)
    return a, b, c, d


@triton.jit
def _across(start, address, row_bytes, axis, size, target, FINAL: tl.constexpr, BYTES: tl.constexpr):
    """Tiles of BYTES results of four rows, which have their weights in common; returns how many tiles there are.

    Packed pixels: known strides cost no instruction a tap. Lanes run along their bytes, so that 32 of them touch 11
    neighbouring results: a third of the cache lines that 32 results of one channel would touch.
    """
    table, taps = axis
    height, width = size
    blocks = tl.cdiv(width * 3, BYTES)
    items = tl.cdiv(height, 4) * blocks
    for item in range(start, items, tl.num_programs(0)):
        rows = item // blocks
        byte = (item - rows * blocks) * BYTES + tl.arange(0, BYTES)
        x = tl.minimum(byte // 3, width - 1)
        at = tl.load(table + x) * 3 + byte % 3
        weight = table + width + x
        row = rows * 4
        line = address + row.to(tl.int64) * row_bytes
        line_b = line + tl.where(row + 1 < height, row_bytes, 0)
        line_c = line_b + tl.where(row + 2 < height, row_bytes, 0)
        line_d = line_c + tl.where(row + 3 < height, row_bytes, 0)
        lines = line, line_b, line_c, line_d
        total = tl.full([BYTES], 1 << 21, tl.int32)
        totals = total, total, total, total
        for _ in range(0, taps // 4):
            totals = _add4(totals, lines, at, 3, weight, width, 4)
            at += 12
            weight += 4 * width
        if taps & 2 != 0:
            totals = _add4(totals, lines, at, 3, weight, width, 2)
            at += 6
            weight += 2 * width
        if taps & 1 != 0:
            totals = _add4(totals, lines, at, 3, weight, width, 1)
        for k in tl.static_range(4):
            _store(totals[k], row + k, byte, size, target, FINAL)
    return items


@triton.jit
def _across_strided(start, source, axis, size, target, FINAL: tl.constexpr, BYTES: tl.constexpr):
    """Tiles of BYTES results of one row, whatever the strides; returns how many tiles there are."""
    address, row_bytes, pixel_bytes, channel_bytes = source
    table, taps = axis
    height, width = size
    blocks = tl.cdiv(width * 3, BYTES)
    items = height * blocks
    for item in range(start, items, tl.num_programs(0)):
        row = item // blocks
        byte = (item - row * blocks) * BYTES + tl.arange(0, BYTES)
        x = tl.minimum(byte // 3, width - 1)
        at = tl.load(table + x).to(tl.int64) * pixel_bytes + (byte % 3) * channel_bytes
        weight = table + width + x
        line = address + row.to(tl.int64) * row_bytes
        total = tl.full([BYTES], 1 << 21, tl.int32)
        for _ in range(0, taps):
            total = _add(total, line, at, pixel_bytes, weight, width, 1)
            at += pixel_bytes
            weight += width
        _store(total, row, byte, size, target, FINAL)
    return items


@triton.jit
def _pass(
    frame,
    down,
    start,
    source,
    size,
    target,
    FINAL: tl.constexpr,
    ACROSS_BYTES: tl.constexpr,
    DOWN_BYTES: tl.constexpr,
):
    """This program's tiles of a pass of one image; returns where its tiles start in the next image."""
    address, row_bytes, pixel_bytes, channel_bytes = source
    if down != 0:
        axis = words_at(frame, RESIZE_Y), number(frame, TAPS_Y)
        items = _down(start, source, axis, size, target, FINAL, DOWN_BYTES)
    else:
        axis = words_at(frame, RESIZE_X), number(frame, TAPS_X)
        if (pixel_bytes == 3) & (channel_bytes == 1):
            items = _across(start, address, row_bytes, axis, size, target, FINAL, ACROSS_BYTES)
        else:
            items = _across_strided(start, source, axis, size, target, FINAL, DOWN_BYTES)
    return start_in_next(start, items, tl.num_programs(0))


@triton.jit
def _frame(frame):
    """The image's pixels with their strides."""
    row_bytes, pixel_bytes = tl.load(frame + ROW_BYTES), tl.load(frame + PIXEL_BYTES)
    return bytes_at(frame, SOURCE), row_bytes, pixel_bytes, tl.load(frame + CHANNEL_BYTES)


@triton.jit
def resize_first(
    params,
    frames,
    ACROSS_BYTES: tl.constexpr,
    DOWN_BYTES: tl.constexpr,
):
    """The first of two passes, to `between`. Grid: abi.resize_grid.

    params: abi's FrameParams [frames], in words of 8 bytes.
    """
    start = tl.program_id(0)
    for image in range(frames):
        frame = params + image * FRAME_WORDS
        if tl.load(frame + PASSES) == 2:
            size = number(frame, BETWEEN_HEIGHT), number(frame, BETWEEN_WIDTH)
            start = _pass(
                frame,
                tl.load(frame + FIRST_DOWN),
                start,
                _frame(frame),
                size,
                bytes_at(frame, BETWEEN),
                False,
                ACROSS_BYTES,
                DOWN_BYTES,
            )


@triton.jit
def resize_last(
    params,
    frames,
    height,
    width,
    input,
    normalised,
    half,
    ACROSS_BYTES: tl.constexpr,
    DOWN_BYTES: tl.constexpr,
):
    """The last or only pass, from `between` or the frame itself. Grid: abi.resize_grid.

    params: abi's FrameParams [frames], in words of 8 bytes.
    input: f32 or f16 [frames, 3, height, width], RGB. normalised: f32 [3, 256].

    A pass of one tap of weight 2^22 changes nothing: so a frame of the network's size is normalised.
    """
    start = tl.program_id(0)
    for image in range(frames):
        frame = params + image * FRAME_WORDS
        passes = tl.load(frame + PASSES)
        if passes != 0:
            address, row_bytes, pixel_bytes, channel_bytes = _frame(frame)
            if passes == 2:
                address, row_bytes = bytes_at(frame, BETWEEN), 3 * tl.load(frame + BETWEEN_WIDTH)
                pixel_bytes, channel_bytes = tl.full([], 3, tl.int64), tl.full([], 1, tl.int64)
            start = _pass(
                frame,
                tl.load(frame + LAST_DOWN),
                start,
                (address, row_bytes, pixel_bytes, channel_bytes),
                (height, width),
                (
                    elements_on(input, half, tl.cast(image, tl.int64) * 3 * height * width),
                    normalised,
                    number(frame, BGR),
                    half,
                ),
                True,
                ACROSS_BYTES,
                DOWN_BYTES,
            )
