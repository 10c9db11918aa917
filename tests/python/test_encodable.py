"""From BGR to planes, and where drawing changes a picture, which is all that is converted."""

from __future__ import annotations

import numpy as np
import pytest

import rfseg
from rfseg.drawing import draw, paint
from rfseg.video.colors import planes_matrix
from rfseg.video.encodable import planes_of, put


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full", [False, True])
def test_planes_are_the_formula_rounded(matrix, full):
    rng = np.random.default_rng(3)
    bgr = rng.integers(0, 256, (31, 45, 3), np.uint8)
    y, cb, cr = planes_of(bgr, matrix, full=full)
    red, blue = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}[matrix]
    b, g, r = np.moveaxis(bgr / 255.0, 2, 0)
    light = red * r + (1 - red - blue) * g + blue * b
    scale, offset = (255, 0) if full else (219, 16)
    assert np.abs(y - (scale * light + offset)).max() <= 0.5 + 1e-3
    padded = np.pad(bgr, [(0, 1), (0, 1), (0, 0)], mode="edge").astype(float)
    mean = padded.reshape(16, 2, 23, 2, 3).mean((1, 3)) / 255
    dim = red * mean[..., 2] + (1 - red - blue) * mean[..., 1] + blue * mean[..., 0]
    chroma = 255 if full else 224
    assert np.abs(cb - np.clip(128 + chroma * (mean[..., 0] - dim) / (2 - 2 * blue), 0, 255)).max() <= 1.3
    assert np.abs(cr - np.clip(128 + chroma * (mean[..., 2] - dim) / (2 - 2 * red), 0, 255)).max() <= 1.3
    assert planes_matrix(matrix, full=full).sum(1) == pytest.approx([scale / 255 + offset, 128, 128])


def test_painting_says_where():
    """Nothing changes outside the areas that `paint` names."""
    rng = np.random.default_rng(7)
    changed = 0
    for _ in range(40):
        height, width = (int(n) for n in rng.integers(8, 400, 2))
        dense = np.zeros((3, height, width), bool)
        boxes_ = np.zeros((3, 4), np.float32)
        for row in range(3):
            (y0, y1), (x0, x1) = (np.sort(rng.integers(0, n + 1, 2)) for n in (height, width))
            dense[row, y0:y1, x0:x1] = rng.random((y1 - y0, x1 - x0)) < 0.7
            (x0, x1), (y0, y1) = (np.sort(rng.uniform(0, n, 2)) for n in (width, height))
            boxes_[row] = x0, y0, x1, y1
        columns = (boxes_, np.float32([0.9, 0.8, 0.7]), np.int32([0, 1, 9]))
        result = rfseg.Result(*columns, rfseg.Masks.from_dense(dense), (height, width), {0: "a", 1: "longer"}, {})
        frame = rng.integers(0, 256, (height, width, 3), np.uint8)
        canvas = frame.copy()
        areas = paint(canvas, result)
        np.testing.assert_array_equal(canvas, draw(result, frame))
        outside = np.ones((height, width), bool)
        for x0, y0, x1, y1 in areas:
            outside[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = False
        assert (canvas[outside] == frame[outside]).all()
        changed += int((canvas != frame).any())
    assert changed == 40


@pytest.mark.parametrize("size", [(32, 48), (33, 47), (2, 3), (1, 1)])
def test_areas_are_what_the_whole_would_be(size):
    """Planes whose areas were converted equal those of the whole picture there, and are untouched elsewhere."""
    rng = np.random.default_rng(2)
    compared = 0
    for _ in range(30):
        bgr = rng.integers(0, 256, (*size, 3), np.uint8)
        before = planes_of(rng.integers(0, 256, (*size, 3), np.uint8), "bt709", full=False)
        planes = tuple(plane.copy() for plane in before)
        corners = np.sort(rng.integers(-3, max(size) + 3, (2, 2)), axis=0).reshape(1, 4).astype(np.int32)
        put(planes, bgr, corners, "bt709", full=False)
        whole = planes_of(bgr, "bt709", full=False)
        x0, y0, x1, y1 = corners[0].tolist()
        inside = np.zeros(size, bool)
        inside[max(0, y0) & ~1 : max(0, y1 + y1 % 2), max(0, x0) & ~1 : max(0, x1 + x1 % 2)] = x0 < x1 and y0 < y1
        chroma = inside[::2, ::2]
        for plane, old, new, area in zip(planes, before, whole, (inside, chroma, chroma), strict=True):
            np.testing.assert_array_equal(plane, np.where(area, new, old))
        compared += int(inside.any())
    assert compared
