"""Readable twin of leaving corners out of outlines: every rule spelled out, at a cost of the square of the corners.

Owns the definition (csrc/raster/masks/simplify.hpp). Knows nothing of grids, queues or runs.
"""

from __future__ import annotations

Corner = tuple[int, int]
Ring = list[Corner]

FEWEST_CORNERS = 4


def squared_distance(p: Corner, a: Corner, b: Corner) -> float:
    """From `p` to the segment from `a` to `b`, px squared."""
    dx, dy, px, py = float(b[0] - a[0]), float(b[1] - a[1]), float(p[0] - a[0]), float(p[1] - a[1])
    length = dx * dx + dy * dy
    along = min(max((px * dx + py * dy) / length, 0.0), 1.0) if length > 0 else 0.0
    return (px - along * dx) * (px - along * dx) + (py - along * dy) * (py - along * dy)


def turn(a: Corner, b: Corner, c: Corner) -> int:
    """Twice the signed area of a triangle."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def in_triangle(p: Corner, a: Corner, b: Corner, c: Corner) -> bool:
    """Inside, on the border, or, where it has no area, on its line and within its rectangle's reach."""
    turns = (turn(a, b, p), turn(b, c, p), turn(c, a, p))
    return all(t >= 0 for t in turns) or all(t <= 0 for t in turns)


class Rings:
    """All rings of a mask, with the places in each that are left."""

    def __init__(self, rings: list[Ring], tolerance_px: float) -> None:
        self.rings, self.limit = rings, tolerance_px * tolerance_px
        self.left = [list(range(len(ring))) for ring in rings]
        corners = [corner for ring in rings for corner in ring]
        self.shared = {corner for corner in corners if corners.count(corner) > 1}

    def around(self, ring: int, place: int) -> tuple[int, int]:
        """The places before and after `place` that are left."""
        left = self.left[ring]
        at = left.index(place)
        return left[at - 1], left[(at + 1) % len(left)]

    def cost(self, ring: int, place: int) -> float:
        """The largest squared distance of an original corner from the edge that would replace its part of the ring."""
        before, after = self.around(ring, place)
        corners, size = self.rings[ring], len(self.rings[ring])
        between = [(before + step) % size for step in range(1, (after - before) % size or size)]
        return max(squared_distance(corners[i], corners[before], corners[after]) for i in between)

    def may_go(self, ring: int, place: int) -> bool:
        """Whether the ring keeps enough corners, and no other corner lies in the triangle that is cut off."""
        before, after = self.around(ring, place)
        a, b, c = (self.rings[ring][i] for i in (before, place, after))
        if b in self.shared or len(self.left[ring]) <= FEWEST_CORNERS or (a in self.shared and c in self.shared):
            return False
        others = [self.rings[r][i] for r, left in enumerate(self.left) for i in left if (r, i) != (ring, place)]
        return not any(p not in (a, c) and in_triangle(p, a, b, c) for p in others)


def simplify(rings: list[Ring], tolerance_px: float) -> list[Ring]:
    """Takes out the corner that costs least, again and again; one that stays is asked again when a neighbour went."""
    state = Rings(rings, tolerance_px)
    waiting = {(ring, place) for ring, corners in enumerate(rings) for place in range(len(corners))}
    while waiting:
        chosen = min(waiting, key=lambda corner: (state.cost(*corner), corner))
        waiting.remove(chosen)
        ring, place = chosen
        if state.cost(ring, place) > state.limit or not state.may_go(ring, place):
            continue
        neighbours = state.around(ring, place)
        state.left[ring].remove(place)
        waiting |= {(ring, neighbour) for neighbour in neighbours}
    return [[corners[place] for place in state.left[i]] for i, corners in enumerate(rings)]
