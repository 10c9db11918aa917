"""Readable twin of outlines along pixel edges: the boundary of each part, edge by edge.

Owns the definition (contract.md, section 4) with sets and a flood fill. Knows nothing of runs or speed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int]  # x, y
Ring = list[Corner]


def parts(mask: NDArray[np.bool_]) -> list[set[Corner]]:
    """The pixels (x, y) of each part of `mask` [H, W] that hangs together by edges, in the order of their columns."""
    left = {(int(x), int(y)) for y, x in np.argwhere(mask)}
    found = []
    while left:
        part, border = set(), [min(left)]
        while border:
            pixel = border.pop()
            if pixel in left:
                left.remove(pixel)
                part.add(pixel)
                x, y = pixel
                border += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        found.append(part)
    return found


def boundary(part: set[Corner]) -> dict[Corner, list[Corner]]:
    """Unit edges between a pixel of `part` and one outside, from corner to corners, the part on their left."""
    edges: dict[Corner, list[Corner]] = {}
    for x, y in part:
        square = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]
        beside = [(x, y - 1), (x + 1, y), (x, y + 1), (x - 1, y)]
        for i, neighbour in enumerate(beside):
            if neighbour not in part:
                edges.setdefault(square[i], []).append(square[(i + 1) % 4])
    return edges


def follow(edges: dict[Corner, list[Corner]], start: Corner) -> Ring:
    """Takes one ring out of `edges`; where two ways lead on, the one to the right, away from the pixel just passed."""
    ring, corner = [start], edges[start].pop()
    while corner != start:
        (x0, y0), (x1, y1) = ring[-1], corner
        to_the_right = (x1 + (y1 - y0), y1 - (x1 - x0))
        ring.append(corner)
        ways = edges[corner]
        corner = ways.pop(ways.index(to_the_right) if to_the_right in ways else 0)
    return ring


def bends(ring: Ring) -> Ring:
    """The corners at which `ring` turns."""
    steps = np.diff(np.array([*ring, ring[0]]), axis=0)
    turns = (steps != np.roll(steps, 1, axis=0)).any(axis=1)
    return [corner for corner, turn in zip(ring, turns, strict=True) if turn]


def edge(mask: NDArray[np.bool_]) -> list[tuple[Ring, list[Ring]]]:
    """Every part of `mask` [H, W] as (exterior, holes); rings begin at their first corner by column, then row."""
    polygons = []
    for part in parts(mask):
        edges, rings = boundary(part), []
        while starts := [corner for corner, ways in edges.items() if ways]:
            rings.append(bends(follow(edges, min(starts))))
        polygons.append((rings[0], rings[1:]))
    return polygons
