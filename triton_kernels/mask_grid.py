"""Which pixels of a source column are foreground, from a query's grid of mask logits.

Owns contract.md 3.4 on the GPU: the interpolation in the order that it says, compiled without contraction into FMA.
Computes no scale: the host's tables say where taps lie and what they weigh. Knows no run.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.tensors import load_float

NODES = tl.constexpr(128)  # grid rows interpolated at a time
SPAN = tl.constexpr(4)  # grid columns looked at beside each other


@triton.jit
def _tap(axis, length, place, mask):
    """i0, i1, l0, l1 of the results `place`."""
    i0 = tl.load(axis + place, mask=mask, other=0)
    i1 = tl.load(axis + length + place, mask=mask, other=0)
    l0 = tl.load(axis + 2 * length + place, mask=mask, other=0).to(tl.float32, bitcast=True)
    l1 = tl.load(axis + 3 * length + place, mask=mask, other=0).to(tl.float32, bitcast=True)
    return i0, i1, l0, l1


@triton.jit
def foreground_of_row(grid, half, mask_width, axis_x, width, axis_y, height, x, y):
    """Foreground at columns `x` of the one row `y`, from the grid itself; False where x is outside the image."""
    inside = (x >= 0) & (x < width)
    x0, x1, l0x, l1x = _tap(axis_x, width, x, inside)
    y0, y1, l0y, l1y = _tap(axis_y, height, y, True)
    v00 = load_float(grid, y0 * mask_width + x0, inside, half)
    v01 = load_float(grid, y0 * mask_width + x1, inside, half)
    v10 = load_float(grid, y1 * mask_width + x0, inside, half)
    v11 = load_float(grid, y1 * mask_width + x1, inside, half)
    return inside & (l0y * (l0x * v00 + l1x * v01) + l1y * (l0x * v10 + l1x * v11) > 0.0)


@triton.jit
def may_hold_foreground(grid, half, mask_height, mask_width, axis_x, width, first, COLUMNS: tl.constexpr):
    """0 when no tap of columns [first - 1, first + COLUMNS) is positive: most blocks of most masks, at little cost.

    Looks at whole columns of the grid, at most SPAN of them; 1 where there are more, as in images smaller than it.
    """
    left = tl.load(axis_x + tl.maximum(first - 1, 0))
    right = tl.load(axis_x + width + tl.minimum(first + COLUMNS - 1, width - 1))
    column = tl.minimum(left + tl.arange(0, SPAN), right)[None, :]
    found = (right - left >= SPAN).to(tl.int32)
    for begin in range(0, mask_height, NODES):
        node = begin + tl.arange(0, NODES)[:, None]
        value = load_float(grid, node * mask_width + column, node < mask_height, half)
        found = tl.maximum(found, tl.max(tl.max((value > 0.0).to(tl.int32), axis=1), axis=0))
    return found


@triton.jit
def interpolate_nodes(grid, half, mask_height, mask_width, axis_x, width, x, nodes, COLUMNS: tl.constexpr):
    """Writes the grid interpolated to columns `x` to `nodes` [COLUMNS, mask_height].

    Returns the first and the last grid row that has a positive tap; no row when last < first. Weights are never
    negative, so no pixel is foreground unless a tap is positive, whatever infinities and NaN are around it.
    """
    inside = x < width
    x0, x1, l0x, l1x = _tap(axis_x, width, x, inside)
    column = tl.arange(0, COLUMNS)[:, None]
    first = mask_height
    last = -1
    tl.debug_barrier()  # of the previous block's readers with these writes
    for begin in range(0, mask_height, NODES):
        node = begin + tl.arange(0, NODES)[None, :]
        there = inside[:, None] & (node < mask_height)
        left = load_float(grid, node * mask_width + x0[:, None], there, half)
        right = load_float(grid, node * mask_width + x1[:, None], there, half)
        value = l0x[:, None] * left + l1x[:, None] * right
        tl.store(nodes + column * mask_height + node, value, mask=there)
        positive = (left > 0.0) | (right > 0.0)
        first = tl.minimum(first, tl.min(tl.min(tl.where(positive, node, mask_height), axis=1), axis=0))
        last = tl.maximum(last, tl.max(tl.max(tl.where(positive, node, -1), axis=1), axis=0))
    tl.debug_barrier()
    return first, last


@triton.jit
def foreground(nodes, mask_height, axis_y, height, y, inside, COLUMNS: tl.constexpr):
    """Foreground [COLUMNS, len(y)] at rows `y` of the columns that `nodes` holds."""
    y0, y1, l0y, l1y = _tap(axis_y, height, y, inside)
    column = nodes + tl.arange(0, COLUMNS)[:, None] * mask_height
    upper = tl.load(column + y0[None, :])
    lower = tl.load(column + y1[None, :])
    return l0y[None, :] * upper + l1y[None, :] * lower > 0.0
