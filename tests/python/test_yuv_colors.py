"""rfseg.ops.convert against the NumPy twin of the contract, the real formula and OpenCV."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rfseg
from reference import color as twin
from reference.color_cases import random_planes

RANGES = [(matrix, full) for matrix in twin.MATRICES for full in (False, True)]
SIZES = [(1, 1), (1, 2), (2, 1), (3, 5), (2, 16), (5, 17), (4, 32), (7, 33), (9, 47), (48, 64), (61, 135)]


@pytest.mark.parametrize(("matrix", "full"), RANGES)
def test_every_triple(matrix: str, full: bool) -> None:
    """All 2^24: equal to the twin, within 1 of the real formula rounded."""
    level = np.arange(256, dtype=np.uint8)
    triples = [level[:, None, None], level[None, :, None], level[None, None, :]]
    planes = [np.broadcast_to(plane, (256, 256, 256)).reshape(4096, 4096) for plane in triples]
    frame = rfseg.YuvFrame(planes, "i444", matrix=matrix, full_range=full)  # type: ignore[arg-type]
    actual = rfseg.ops.convert(frame, "rgb").reshape(256, 256, 256, 3)
    wide = [plane.astype(np.int64) for plane in triples]
    expected, real = twin.rgb(*wide, matrix, full), twin.real_rgb(*wide, matrix, full)
    for channel in range(3):
        assert np.array_equal(actual[..., channel], np.broadcast_to(expected[channel], (256, 256, 256)))
        off = np.abs(expected[channel].astype(np.int16) - real[channel])
        assert off.max() <= 1
        assert actual[..., channel].min() == 0
        assert actual[..., channel].max() == 255
        print(f"{matrix} full={full} {'rgb'[channel]}: {np.mean(off > 0):.1e} differ by 1 from the real formula")


@pytest.mark.parametrize("name", twin.TEN_BITS)
@pytest.mark.parametrize(("matrix", "full"), RANGES)
def test_ten_bits(name: str, matrix: str, full: bool) -> None:
    rng = np.random.default_rng(1)
    planes = random_planes(rng, name, (512, 512))
    for plane in planes:  # the ends of every range, together
        ends = rng.choice(np.array([0, 1, 64, 512, 940, 960, 1022, 1023], np.uint16), plane[:128].shape)
        plane[:128] = ends << twin.TEN_BITS[name]
    frame = rfseg.YuvFrame(planes, name, matrix=matrix, full_range=full)  # type: ignore[arg-type]
    actual = rfseg.ops.convert(frame, "rgb")
    assert np.array_equal(actual, twin.convert(planes, name, (512, 512), matrix, full))
    real = np.stack(twin.real_rgb(*twin.samples(planes, name, (512, 512)), matrix, full, 10), axis=2)
    assert np.abs(actual.astype(np.int16) - real).max() <= 1
    assert np.unique(actual).size == 256


@pytest.mark.parametrize("name", twin.SUBSAMPLED)
def test_every_format_and_size_in_both_orders(name: str) -> None:
    rng = np.random.default_rng(2)
    compared = 0
    for size in SIZES:
        for pad in (0, 3):
            planes = random_planes(rng, name, size, pad)
            matrix, full = RANGES[int(rng.integers(len(RANGES)))]
            frame: Any = rfseg.YuvFrame(planes, name, matrix=matrix, full_range=full)  # type: ignore[arg-type]
            expected = twin.convert(planes, name, size, matrix, full)
            for color, channels in (("rgb", expected), ("bgr", expected[..., ::-1])):
                actual = rfseg.ops.convert(frame, color)  # type: ignore[arg-type]
                assert np.array_equal(actual, channels), (size, pad, matrix, full, color)
                compared += actual.size
    assert compared > 100_000


@pytest.mark.parametrize("name", twin.SUBSAMPLED)
def test_rows_of_any_stride(name: str) -> None:
    rng = np.random.default_rng(3)
    whole = random_planes(rng, name, (60, 96))
    for views in (
        [plane[::-1] for plane in whole],  # upwards
        [plane[::2] for plane in whole],  # every other row
        [np.broadcast_to(plane[:1], plane.shape) for plane in whole],
        [plane.reshape(len(plane), -1) for plane in whole],
        [plane.reshape(len(plane), plane.shape[1], -1) for plane in whole],
    ):
        size = views[0].shape[0], views[0].shape[1]
        frame = rfseg.YuvFrame(views, name)  # type: ignore[arg-type]
        copied = rfseg.YuvFrame([np.array(view, order="C") for view in views], name)  # type: ignore[arg-type]
        assert np.array_equal(rfseg.ops.convert(frame), rfseg.ops.convert(copied))
        assert np.array_equal(rfseg.ops.convert(frame, "rgb"), twin.convert(views, name, size))


def test_what_is_not_stated() -> None:
    """BT.601 below 720 lines, BT.709 from there on, limited."""
    rng = np.random.default_rng(4)
    for height, matrix in ((719, "bt601"), (720, "bt709")):
        planes = random_planes(rng, "nv12", (height, 6))
        assumed, stated = rfseg.YuvFrame(planes), rfseg.YuvFrame(planes, matrix=matrix, full_range=False)  # type: ignore[arg-type]
        assert np.array_equal(rfseg.ops.convert(assumed), rfseg.ops.convert(stated))
        assert np.array_equal(rfseg.ops.convert(assumed, "rgb"), twin.convert(planes, "nv12", (height, 6)))
        other = rfseg.YuvFrame(planes, full_range=True)
        assert not np.array_equal(rfseg.ops.convert(other), rfseg.ops.convert(assumed))


def test_opencv_differs_by_one_at_most() -> None:
    """Its BT.601, limited range, chroma replicated too: coefficients of three decimals, and no Y below 16."""
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(5)
    planes = random_planes(rng, "nv12", (480, 640))
    planes[0] = np.maximum(planes[0], 16)
    whole = np.concatenate([plane.reshape(-1, 640) for plane in planes])
    theirs = cv2.cvtColor(whole, cv2.COLOR_YUV2BGR_NV12)
    ours = rfseg.ops.convert(rfseg.YuvFrame(planes, "nv12", matrix="bt601", full_range=False))
    off = np.abs(ours.astype(np.int16) - theirs)
    assert off.max() <= 1
    print(f"{np.mean(off > 0):.1e} differ from OpenCV")
