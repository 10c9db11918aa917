"""polygons("edge"): valid, of the mask's own area and pixels, for every mask; equal to the twin and to GDAL's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rfseg
from paths import DEMO_MODEL
from reference import edges as twin
from reference import simplify as simplify_twin
from reference.mask_cases import blobs, named_masks, random_mask

shapely = pytest.importorskip("shapely")

NAMED = named_masks()
SMALL = {name: mask for name, mask in NAMED.items() if mask.size < 100_000}


class Rings:
    """The rings of K masks as one table: all corners, and which ring, part and mask each belongs to."""

    def __init__(self, masks: rfseg.Masks) -> None:
        self.masks = masks
        rings: list[np.ndarray] = []
        self.part_of_ring, self.mask_of_part, self.is_hole = [], [], []
        for mask, parts in enumerate(masks.polygons("edge")):
            for exterior, holes in parts:
                rings += [exterior, *holes]
                self.part_of_ring += [len(self.mask_of_part)] * (1 + len(holes))
                self.is_hole += [False] + [True] * len(holes)
                self.mask_of_part.append(mask)
        self.corners = np.concatenate([*rings, np.zeros((0, 2), np.int32)])
        self.sizes = np.array([len(ring) for ring in rings], int)
        self.ring = np.repeat(np.arange(len(rings)), self.sizes)
        first = np.cumsum(self.sizes) - self.sizes
        following = np.arange(len(self.corners)) + 1
        following[first + self.sizes - 1] = first
        self.steps = self.corners[following].astype(int) - self.corners

    def mask_of_corner(self) -> np.ndarray:
        return np.array(self.mask_of_part, int)[np.array(self.part_of_ring, int)[self.ring]]

    def areas(self) -> np.ndarray:
        """Signed, of each ring; counterclockwise in the plane of the numbers is positive."""
        x, y = self.corners.astype(int).T
        return np.bincount(self.ring, x * self.steps[:, 1] - y * self.steps[:, 0], len(self.sizes)) / 2

    def pixels(self) -> np.ndarray:
        """How often each pixel of each mask is surrounded, from the vertical edges alone."""
        height, width = self.masks.image_size
        flips = np.zeros((len(self.masks), height + 1, width + 1), np.int64)
        x, y = self.corners.T
        rises, of = self.steps[:, 1], self.mask_of_corner()
        np.add.at(flips, (of, y, x), -1)
        np.add.at(flips, (of, y + rises, x), 1)  # a horizontal edge takes back what it gave
        return flips.cumsum(axis=1).cumsum(axis=2)[:, :height, :width]

    def geometries(self) -> Any:
        rings = shapely.linearrings(self.corners, indices=self.ring)
        hole = np.array(self.is_hole, bool)
        owners = np.array(self.part_of_ring, int)[hole]
        polygons = shapely.polygons(rings[~hole])
        exteriors, inner = rings[~hole], np.split(rings[hole], np.flatnonzero(np.diff(owners)) + 1)
        for part, holes in zip(np.unique(owners), inner, strict=False):
            polygons[part] = shapely.polygons(exteriors[part], holes)
        _, nonempty = np.unique(self.mask_of_part, return_inverse=True)
        return shapely.multipolygons(polygons, indices=nonempty)


def check(masks: rfseg.Masks, *, judge_validity: bool = True) -> int:
    """Holds one set of masks against every clause of the contract; returns how many rings there were."""
    rings = Rings(masks)
    if not len(rings.sizes):
        assert not masks.area.any()
        return 0
    height, width = masks.image_size
    assert rings.sizes.min() >= 4
    assert rings.corners.min() >= 0
    assert (rings.corners <= [width, height]).all()
    straight = (rings.steps == 0).sum(axis=1)
    assert (straight == 1).all(), "every edge is horizontal or vertical"
    horizontal = rings.steps[:, 1] == 0
    first = np.cumsum(rings.sizes) - rings.sizes
    previous = np.arange(len(rings.corners)) - 1
    previous[first] = first + rings.sizes - 1
    assert (horizontal != horizontal[previous]).all(), "every corner is a turn"
    visits = (rings.ring * (width + 1) + rings.corners[:, 0]) * (height + 1) + rings.corners[:, 1]
    assert len(np.unique(visits)) == len(visits), "no ring visits a corner twice"

    areas = rings.areas()
    assert ((areas < 0) == rings.is_hole).all()
    total = np.bincount(np.array(rings.mask_of_part)[rings.part_of_ring], areas, len(masks))
    np.testing.assert_array_equal(total, masks.area)
    np.testing.assert_array_equal(rings.pixels(), masks.dense())
    if judge_validity:
        figures = rings.geometries()
        assert shapely.is_valid(figures).all()
        np.testing.assert_array_equal(shapely.area(figures), masks.area[np.unique(rings.mask_of_part)])
    return len(rings.sizes)


def test_every_mask_of_four_by_four_pixels() -> None:
    every = (np.arange(1 << 16)[:, None] >> np.arange(16)) & 1 == 1
    assert check(rfseg.Masks.from_dense(every.reshape(-1, 4, 4))) > 1 << 16


@pytest.mark.parametrize("size", [(5, 5), (6, 9), (11, 7), (1, 13), (13, 1), (16, 16)])
def test_random_masks_of_every_density(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(size))
    count = 8000 if max(size) < 16 else 1500
    assert check(rfseg.Masks.from_dense(rng.random((count, *size)) < rng.random((count, 1, 1)))) > count


@pytest.mark.parametrize("name", NAMED)
def test_named_masks(name: str) -> None:
    rings = check(rfseg.Masks.from_dense(NAMED[name][None]), judge_validity=name in SMALL or "blobs" in name)
    assert (rings > 0) == NAMED[name].any()


def test_the_twin_agrees() -> None:
    compared = 0
    rng = np.random.default_rng(3)
    small = [rng.random(rng.integers(1, 14, 2)) < rng.random() for _ in range(1500)]
    for mask in [*small, *(m for m in SMALL.values() if m.size < 5000), *map(random_mask, range(60))]:
        ours = rfseg.Masks.from_dense(mask[None]).polygons("edge")[0]
        plain = [([tuple(c) for c in e.tolist()], [[tuple(c) for c in h.tolist()] for h in holes]) for e, holes in ours]
        assert plain == twin.edge(mask)
        compared += len(plain)
    assert compared > 5000


def test_gdal_agrees() -> None:
    features = pytest.importorskip("rasterio.features")
    compared = 0
    masks = [random_mask(seed) for seed in range(200)] + [m for n, m in NAMED.items() if m.any() and m.size < 10_000]
    for mask in masks:
        ours = [
            shapely.Polygon(exterior, holes)
            for exterior, holes in rfseg.Masks.from_dense(mask[None]).polygons("edge")[0]
        ]
        found = features.shapes(mask.astype(np.uint8), mask=mask, connectivity=4)
        theirs = [shapely.geometry.shape(geometry) for geometry, _ in found]
        assert sorted(p.normalize().wkt for p in ours) == sorted(p.normalize().wkt for p in theirs)
        compared += len(ours)
    assert compared > 5000


def test_a_pixel_is_its_square_and_a_full_frame_its_four_corners() -> None:
    mask = np.zeros((6, 9), bool)
    mask[4, 7] = True
    masks = rfseg.Masks.from_dense(np.stack([mask, np.ones_like(mask), np.zeros_like(mask)]))
    pixel, full, empty = masks.polygons("edge")
    assert pixel[0][0].tolist() == [[7, 4], [8, 4], [8, 5], [7, 5]]
    assert full[0][0].tolist() == [[0, 0], [9, 0], [9, 6], [0, 6]]
    assert pixel[0][1] == full[0][1] == empty == []


def test_a_million_parts_and_a_million_holes() -> None:
    size = 1448
    board = np.indices((size, size)).sum(axis=0) % 2 == 0
    sieve = np.ones((2001, 2001), bool)
    sieve[1:-1:2, 1:-1:2] = False
    for mask, parts, holes in ((board, size * size // 2, 0), (sieve, 1, 1_000_000)):
        found = rfseg.Masks.from_dense(mask[None]).polygons("edge")[0]
        assert (len(found), sum(len(inner) for _, inner in found)) == (parts, holes)


def test_simplified_rings_are_those_of_the_twin() -> None:
    rng = np.random.default_rng(4)
    compared = fewer = 0
    masks = [rng.random(rng.integers(2, 9, 2)) < rng.uniform(0.3, 0.95) for _ in range(250)]
    masks += [blobs(24, 30, grain, 0.4, seed) for seed, grain in enumerate((2.0, 3.0, 4.0))]
    for mask in masks:
        found = rfseg.Masks.from_dense(mask[None])
        rings = [ring for exterior, holes in found.polygons("edge")[0] for ring in (exterior, *holes)]
        for tolerance_px in (0.5, 0.8, 1.5, 6.0):
            parts = found.simplified(tolerance_px)[0]
            ours = [ring.tolist() for exterior, holes in parts for ring in (exterior, *holes)]
            theirs = simplify_twin.simplify([[tuple(c) for c in ring.tolist()] for ring in rings], tolerance_px)
            assert ours == [[list(corner) for corner in ring] for ring in theirs]
            compared += len(ours)
            fewer += sum(map(len, ours)) < sum(map(len, rings))
    assert compared > 1000
    assert fewer > 200


def test_a_clip_at_a_low_threshold(frames: list[np.ndarray]) -> None:
    with rfseg.Segmenter(DEMO_MODEL, threshold=0.05) as segmenter:
        assert sum(check(result.masks) for result in segmenter.stream(frames[::4])) > 50
