"""The sums of a pass of the antialiased resize: this program's tiles of one image, along either axis.

A pass is bound by its loads and by the instructions of the loop over taps. So the loop has no condition (FrameParams
says what the tables promise), runs four taps at a time, and along x shares each weight among four rows. What is left
over is no loop, because the compiler would unroll it again. Tensors have one dimension each: with two, Triton would
change layouts, through shared memory and barriers, at every tap.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.tensors import store_float


@triton.jit
def _store(total, row, byte, size, target, FINAL: tl.constexpr):
    """Rounds the sums of a row, and stores them packed or normalised; nothing behind the row's end."""
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
def pass_down(start, source, axis, size, target, FINAL: tl.constexpr, BYTES: tl.constexpr):
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
def _add4(totals, taps, weight, results, COUNT: tl.constexpr):
    """Adds COUNT taps to four sums, which have the weights in common: of packed pixels from `taps` on, one each.

    The pointers are of the first tap already, so that the distance to the others is part of a load.
    """
    a, b, c, d = totals
    tap_a, tap_b, tap_c, tap_d = taps
    for k in tl.static_range(COUNT):
        w = tl.load(weight + k * results)
        a += w * tl.load(tap_a + k * 3).to(tl.int32)
        b += w * tl.load(tap_b + k * 3).to(tl.int32)
        c += w * tl.load(tap_c + k * 3).to(tl.int32)
        d += w * tl.load(tap_d + k * 3).to(tl.int32)
    return a, b, c, d


@triton.jit
def _behind(taps, BYTES: tl.constexpr):
    a, b, c, d = taps
    return a + BYTES, b + BYTES, c + BYTES, d + BYTES


@triton.jit
def pass_across(start, address, row_bytes, axis, size, target, FINAL: tl.constexpr, BYTES: tl.constexpr):
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
        tap = line + at, line_b + at, line_c + at, line_d + at
        total = tl.full([BYTES], 1 << 21, tl.int32)
        totals = total, total, total, total
        for _ in range(0, taps // 4):
            totals = _add4(totals, tap, weight, width, 4)
            tap = _behind(tap, 12)
            weight += 4 * width
        if taps & 2 != 0:
            totals = _add4(totals, tap, weight, width, 2)
            tap = _behind(tap, 6)
            weight += 2 * width
        if taps & 1 != 0:
            totals = _add4(totals, tap, weight, width, 1)
        for k in tl.static_range(4):
            _store(totals[k], row + k, byte, size, target, FINAL)
    return items


@triton.jit
def pass_across_strided(start, source, axis, size, target, FINAL: tl.constexpr, BYTES: tl.constexpr):
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
