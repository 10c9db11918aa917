"""Where the foreground of source columns changes between two rows of a query's grid, and how often.

A cell is the source rows between two neighbouring grid rows, [node_row[c], node_row[c + 1]); in one column its two
nodes are all that its rows are made of. So the foreground changes at most once in it, which the note in
csrc/raster/masks/mask_runs.cpp proves, and two rows tell whether it does; a search tells where. Only two positive nodes
of which one is so small that its product underflows can have background between them.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.mask_grid import foreground, node, tap, weights

SOLID = tl.constexpr(1e-30)  # from here on a node times a weight that is not 0 does not underflow


@triton.jit
def _search(top, end, upper, lower, until, axis_y, height, longest, mask):
    """The first row of [top, end) that is foreground (`until` True) or background (False), or `end`.

    Nodes `upper` and `lower` must make it a matter of one change. `longest`: at least the rows of any cell.
    """
    low, high = top, end
    while longest > 0:
        row = (low + high) >> 1
        open_ = mask & (low < high)
        l0, l1 = weights(axis_y, height, row, open_)
        reached = (l0 * upper + l1 * lower > 0.0) == until
        high = tl.where(open_ & reached, row, high)
        low = tl.where(open_ & (reached == 0), row + 1, low)
        longest = longest >> 1
    return low


@triton.jit
def _underflow(cells, nodes, axis, longest, once, row):
    """Corrects the changes of cells whose two nodes are positive and one of them tiny.

    Each product is foreground by itself: a prefix of the rows by the upper node's, a suffix by the lower one's.
    Returns the changes (first, its row, second, its row) of all cells.
    """
    top, end, odd = cells
    upper, lower = nodes
    axis_y, height = axis
    fades = _search(top, end, upper, 0.0, False, axis_y, height, longest, odd)
    rises = _search(top, end, 0.0, lower, True, axis_y, height, longest, odd)
    gap = odd & (fades < rises)
    first = tl.where(odd, gap & (fades > top), once)
    return first, tl.where(odd, fades, row), gap & (rises < end), rises


@triton.jit
def changes_in_cells(grid, half, grid_size, tap_x, columns, axis, node_row, cell, used, EMIT: tl.constexpr):
    """The changes of columns [C, 1] in cells [1, N]: at the cell's top row, then at most two inside it.

    Returns (there, row) of each, [C, N]; the rows inside only with EMIT. The first change is against the row above
    the cell, whichever cell that is in; the image's first row is not looked at.
    """
    mask_height, mask_width = grid_size
    axis_y, height = axis
    top = tl.load(node_row + cell, mask=used, other=0)
    end = tl.load(node_row + cell + 1, mask=used, other=0)
    there = columns & (used & (top < end))
    upper = node(grid, half, mask_width, cell, tap_x, there)
    lower = node(grid, half, mask_width, tl.minimum(cell + 1, mask_height - 1), tap_x, there)
    inside = used & (top < end)
    l0, l1 = weights(axis_y, height, top, inside)
    at_top = there & (l0 * upper + l1 * lower > 0.0)
    l0, l1 = weights(axis_y, height, end - 1, inside)
    at_foot = there & (l0 * upper + l1 * lower > 0.0)
    follows = inside & (top > 0)
    above = foreground(grid, half, mask_width, tap_x, tap(axis_y, height, top - 1, follows), there & follows)
    border = there & follows & (above != at_top)

    once = there & (at_top != at_foot)
    row = end + tl.zeros_like(upper).to(tl.int32)
    longest = 2 * tl.cdiv(height, mask_height)  # a cell at the edge has half as many rows again as others
    if EMIT:
        row = _search(tl.where(once, top, end), row, upper, lower, at_foot, axis_y, height, longest, once)
    second = there & (top < 0)
    second_row = row
    odd = there & (upper > 0.0) & (lower > 0.0) & (tl.minimum(upper, lower) < SOLID)
    odd = odd & (tl.maximum(upper, lower) < float("inf"))
    if tl.max(tl.max(odd.to(tl.int32), axis=1), axis=0) > 0:
        rows = top + tl.zeros_like(row), end + tl.zeros_like(row), odd
        once, row, second, second_row = _underflow(rows, (upper, lower), axis, longest, once, row)
    return border, top, once, row, second, second_row
