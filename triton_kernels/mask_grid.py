"""Which pixels of source columns are foreground, from a query's grid of mask logits.

Owns contract.md 3.4 on the GPU: the interpolation in the order that it says, compiled without contraction into FMA.
Computes no scale: the host's tables say where taps lie and what they weigh. Knows no run.
"""

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.tensors import load_float

NODES = tl.constexpr(128)  # grid rows looked at beside each other
SPAN = tl.constexpr(4)  # grid columns looked at beside each other


@triton.jit
def tap(axis, length, place, mask):
    """i0, i1, l0, l1 of the results `place`."""
    i0 = tl.load(axis + place, mask=mask, other=0)
    i1 = tl.load(axis + length + place, mask=mask, other=0)
    l0, l1 = weights(axis, length, place, mask)
    return i0, i1, l0, l1


@triton.jit
def weights(axis, length, place, mask):
    """l0, l1 of the results `place`."""
    l0 = tl.load(axis + 2 * length + place, mask=mask, other=0).to(tl.float32, bitcast=True)
    l1 = tl.load(axis + 3 * length + place, mask=mask, other=0).to(tl.float32, bitcast=True)
    return l0, l1


@triton.jit
def node(grid, half, mask_width, row, tap_x, mask):
    """The grid's `row` interpolated to columns."""
    x0, x1, l0, l1 = tap_x
    left = load_float(grid, row * mask_width + x0, mask, half)
    right = load_float(grid, row * mask_width + x1, mask, half)
    return l0 * left + l1 * right


@triton.jit
def foreground(grid, half, mask_width, tap_x, tap_y, mask):
    """Foreground where columns and rows meet, from the grid itself; False where not `mask`."""
    y0, y1, l0, l1 = tap_y
    upper = node(grid, half, mask_width, y0, tap_x, mask)
    lower = node(grid, half, mask_width, y1, tap_x, mask)
    return mask & (l0 * upper + l1 * lower > 0.0)


@triton.jit
def positive_rows(grid, half, mask_height, mask_width, axis_x, width, first, end):
    """First and last grid row with a positive tap of source columns [first, end); no row when last < first.

    Weights are never negative, so no pixel is foreground unless a tap is positive, whatever infinities and NaN are
    around it. Looks at whole columns of the grid: most blocks of most masks end here.
    """
    left = tl.load(axis_x + tl.maximum(first, 0))
    right = tl.load(axis_x + width + tl.minimum(end, width) - 1)
    first_row = mask_height
    last_row = -1
    for begin in range(0, mask_height, NODES):
        row = begin + tl.arange(0, NODES)
        there = (row < mask_height)[:, None]
        highest = tl.full([NODES, SPAN], 0.0, tl.float32)
        for at in range(left, right + 1, SPAN):
            column = tl.minimum(at + tl.arange(0, SPAN), right)[None, :]
            value = load_float(grid, row[:, None] * mask_width + column, there, half)
            highest = tl.where(value > highest, value, highest)
        positive = tl.max(highest, axis=1) > 0.0
        first_row = tl.minimum(first_row, tl.min(tl.where(positive, row, mask_height), axis=0))
        last_row = tl.maximum(last_row, tl.max(tl.where(positive, row, -1), axis=0))
    return first_row, last_row
