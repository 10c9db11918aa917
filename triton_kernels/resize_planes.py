"""A pass of the antialiased resize over a frame of planes: a lane makes one result's red, green and blue.

RGB exists in registers alone: each tap loads Y, Cb and Cr once, converts them and adds three products. Along x, rows
that share chroma go together and convert its part once. Most of the time goes into arithmetic, not into loads.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.frame_params import number
from triton_kernels.planes import (
    CHROMA_SHIFT_X,
    CHROMA_SHIFT_Y,
    CHROMA_STEP,
    SAMPLE_SHIFT,
    chroma_part,
    coefficients,
    planes,
    rgb,
    sample,
)
from triton_kernels.tensors import store_float

ACROSS_RESULTS = tl.constexpr(32)  # of a row in a tile along x: 312 are nearly ten times as many


@triton.jit
def _store(totals, row, x, inside, size, target, FINAL: tl.constexpr):
    """Rounds the sums of pixels, and stores them packed, red first, or normalised."""
    height, width = size
    for channel in tl.static_range(3):
        level = tl.minimum(tl.maximum(totals[channel] >> 22, 0), 255)
        if FINAL:
            network, normalised, _, half = target
            value = tl.load(normalised + channel * 256 + level)
            store_float(network, (channel * height * width + x) + row * width, value, inside, half)
        else:
            tl.store(target + (row.to(tl.int64) * (width * 3) + (x * 3 + channel)), level.to(tl.uint8), mask=inside)


@triton.jit
def _add(totals, weight, pixel):
    a, b, c = totals
    red, green, blue = pixel
    return a + weight * red, b + weight * green, c + weight * blue


@triton.jit
def _add_pairs(sums, taps, chroma, color, weight, results, WIDE: tl.constexpr, COUNT: tl.constexpr):
    """Adds COUNT taps to the sums of two pixels that share chroma, one below the other."""
    upper, lower = sums
    tap_upper, tap_lower, at = taps
    cb_line, cr_line, shift_x, step, shift = chroma
    for k in tl.static_range(COUNT):
        w = tl.load(weight + k * results)
        chroma_at = ((at + k) >> shift_x) * step
        cb, cr = sample(cb_line + chroma_at, shift, WIDE), sample(cr_line + chroma_at, shift, WIDE)
        common = chroma_part(color, cb, cr)
        upper = _add(upper, w, rgb(color, sample(tap_upper + k, shift, WIDE), common))
        lower = _add(lower, w, rgb(color, sample(tap_lower + k, shift, WIDE), common))
    return upper, lower


@triton.jit
def pass_across_planes(start, frame, axis, size, target, FINAL: tl.constexpr, WIDE: tl.constexpr, LANES: tl.constexpr):
    """Tiles of a few results of a few pairs of rows with chroma in common; returns how many tiles there are.

    Where no two rows share chroma, the second of a pair is the first again and is not stored.
    """
    table, taps = axis
    height, width = size
    luma, cb_plane, cr_plane, row_step, chroma_row_step = planes(frame, WIDE)
    color, shift = coefficients(frame), number(frame, SAMPLE_SHIFT)
    shift_x, shift_y, step = number(frame, CHROMA_SHIFT_X), number(frame, CHROMA_SHIFT_Y), number(frame, CHROMA_STEP)
    chroma_rows = (height + shift_y) >> shift_y
    blocks = tl.cdiv(width, ACROSS_RESULTS)
    items = tl.cdiv(chroma_rows, LANES // ACROSS_RESULTS) * blocks
    lane = tl.arange(0, LANES)
    for item in range(start, items, tl.num_programs(0)):
        group = item // blocks
        result = (item - group * blocks) * ACROSS_RESULTS + lane % ACROSS_RESULTS
        pair = group * (LANES // ACROSS_RESULTS) + lane // ACROSS_RESULTS
        chroma_row = tl.minimum(pair, chroma_rows - 1).to(tl.int64)
        x, row = tl.minimum(result, width - 1), tl.minimum(pair, chroma_rows - 1) << shift_y
        two = (shift_y != 0) & (row + 1 < height)
        upper = luma + row.to(tl.int64) * row_step
        lower = upper + tl.where(two, row_step, 0)
        at = tl.load(table + x)
        weight = table + width + x
        taps_at = upper + at, lower + at, at
        cb_line, cr_line = cb_plane + chroma_row * chroma_row_step, cr_plane + chroma_row * chroma_row_step
        chroma = cb_line, cr_line, shift_x, step, shift
        total = tl.full([LANES], 1 << 21, tl.int32)
        sums = (total, total, total), (total, total, total)
        for _ in range(0, taps // 2):
            sums = _add_pairs(sums, taps_at, chroma, color, weight, width, WIDE, 2)
            taps_at = taps_at[0] + 2, taps_at[1] + 2, taps_at[2] + 2
            weight += 2 * width
        if taps & 1 != 0:
            sums = _add_pairs(sums, taps_at, chroma, color, weight, width, WIDE, 1)
        inside = (pair < chroma_rows) & (result < width)
        _store(sums[0], row, x, inside, size, target, FINAL)
        _store(sums[1], row + 1, x, inside & two, size, target, FINAL)
    return items


@triton.jit
def pass_down_planes(start, frame, axis, size, target, FINAL: tl.constexpr, WIDE: tl.constexpr, LANES: tl.constexpr):
    """Tiles of LANES results of one row, which have their weights in common; returns how many tiles there are."""
    table, taps = axis
    height, width = size
    luma, cb_plane, cr_plane, row_step, chroma_row_step = planes(frame, WIDE)
    color, shift = coefficients(frame), number(frame, SAMPLE_SHIFT)
    shift_x, shift_y, step = number(frame, CHROMA_SHIFT_X), number(frame, CHROMA_SHIFT_Y), number(frame, CHROMA_STEP)
    blocks = tl.cdiv(width, LANES)
    items = height * blocks
    for item in range(start, items, tl.num_programs(0)):
        row = item // blocks
        result = (item - row * blocks) * LANES + tl.arange(0, LANES)
        x = tl.minimum(result, width - 1)
        chroma_at = (x >> shift_x) * step
        y = tl.load(table + row)
        weight = table + height + row
        total = tl.full([LANES], 1 << 21, tl.int32)
        totals = total, total, total
        for _ in range(0, taps):
            chroma_line = (y >> shift_y).to(tl.int64) * chroma_row_step
            cb = sample(cb_plane + chroma_line + chroma_at, shift, WIDE)
            cr = sample(cr_plane + chroma_line + chroma_at, shift, WIDE)
            luma_at = luma + y.to(tl.int64) * row_step + x
            pixel = rgb(color, sample(luma_at, shift, WIDE), chroma_part(color, cb, cr))
            totals = _add(totals, tl.load(weight), pixel)
            y += 1
            weight += height
        _store(totals, row, x, result < width, size, target, FINAL)
    return items
