"""The resize kernels against the twin of contract section 2, exact, for both orders of the passes and any strides."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.interpreter import Interpreter
from kernels.stages import bilinear_launches, resize_launches
from reference.preprocess import preprocess, vertical_pass_first


def random_frame(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), np.uint8)


def run(launches_of, frame, size, bgr, half):
    device = Interpreter()
    launches, target = launches_of(device, frame, size, bgr, half)
    for launch in launches:
        device.launch(launch)
    values = device.read(target, np.float16 if half else np.float32, 3 * size[0] * size[1])
    return [launch.kernel for launch in launches], values.reshape(3, *size)


def expected(frame, size, bgr, half, resize="pil"):
    values = preprocess(frame, size, "bgr" if bgr else "rgb", resize)
    return values.astype(np.float16) if half else values


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("bgr", [False, True])
@pytest.mark.parametrize("resize", ["pil", "bilinear"])
def test_formats(resize, bgr, half):
    frame, size = random_frame(45, 61), (24, 20)
    kernels, values = run(resize_launches if resize == "pil" else bilinear_launches, frame, size, bgr, half)
    assert kernels == (["resize_x", "resize_y_final"] if resize == "pil" else ["resize_bilinear"])
    np.testing.assert_array_equal(values, expected(frame, size, bgr, half, resize), strict=True)


@pytest.mark.parametrize(
    ("source", "size", "kernels"),
    [
        ((90, 30), (24, 20), ["resize_y", "resize_x_final"]),
        ((24, 64), (24, 24), ["resize_x_final"]),
        ((64, 24), (24, 24), ["resize_y_final"]),
        ((24, 50), (24, 50), ["resize_x_final"]),
        ((1, 1), (8, 9), ["resize_x", "resize_y_final"]),
        ((2, 3), (64, 48), ["resize_x", "resize_y_final"]),
        ((12, 99), (31, 17), ["resize_x", "resize_y_final"]),
        ((99, 12), (17, 31), ["resize_y", "resize_x_final"]),
    ],
)
def test_sizes(source, size, kernels):
    frame = random_frame(*source)
    ran, values = run(resize_launches, frame, size, True, False)
    assert ran == kernels
    if len(kernels) == 2:
        assert (ran[0] == "resize_y") == vertical_pass_first(source, size)
    np.testing.assert_array_equal(values, expected(frame, size, True, False), strict=True)
    np.testing.assert_array_equal(
        run(bilinear_launches, frame, size, True, False)[1], expected(frame, size, True, False, "bilinear"), strict=True
    )


@pytest.mark.parametrize("launches_of", [resize_launches, bilinear_launches])
@pytest.mark.parametrize(
    "view",
    [
        lambda frame: frame[::-1],
        lambda frame: frame[:, ::-1],
        lambda frame: frame[..., ::-1],
        lambda frame: frame[3:40:2, 5:50:3],
        lambda frame: np.ascontiguousarray(frame.transpose(2, 0, 1)).transpose(1, 2, 0),
        lambda frame: np.concatenate([frame, frame], axis=-1)[..., 1:4],
    ],
    ids=["flipped", "mirrored", "channels reversed", "every few", "planar", "six channels apart"],
)
def test_strides(launches_of, view):
    frame = view(random_frame(50, 60))
    _, values = run(launches_of, frame, (16, 20), True, False)
    resize = "pil" if launches_of is resize_launches else "bilinear"
    np.testing.assert_array_equal(values, expected(frame, (16, 20), True, False, resize), strict=True)


def test_saturated_bytes_stay_in_range():
    frame = np.where(np.indices((40, 40)).sum(axis=0)[..., None] % 7 < 3, 255, 0).astype(np.uint8).repeat(3, axis=-1)
    _, values = run(resize_launches, frame, (13, 17), False, False)
    np.testing.assert_array_equal(values, expected(frame, (13, 17), False, False), strict=True)
