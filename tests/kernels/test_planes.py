"""Frames of planes in the resize kernels against the twins of contract sections 2 and 6, exact."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.interpreter import Interpreter
from kernels.planar import FORMATS, random_planar
from kernels.stages import gather_rows_launch, preprocess_launches, preprocess_members
from reference.preprocess import preprocess

RESIZES = ("pil", "bilinear")
# Along y then x; x then y; x; y; none; larger; odd.
SIZES = ((90, 30), (45, 61), (24, 64), (64, 20), (24, 20), (1, 1), (2, 3), (99, 13))


def check(frames, size, resize="pil", half=False, programs=3):
    """Every frame of a batch against the twin."""
    device = Interpreter()
    images = [preprocess_members(device, frame, size, True, resize) for frame in frames]
    launches, target = preprocess_launches(device, images, size, half, resize, programs)
    for launch in launches:
        device.launch(launch)
    values = device.read(target, np.float16 if half else np.float32, len(frames) * 3 * size[0] * size[1])
    for value, frame in zip(values.reshape(len(frames), 3, *size), frames, strict=True):
        packed = frame[..., ::-1] if isinstance(frame, np.ndarray) else frame.rgb()
        np.testing.assert_array_equal(value, preprocess(packed, size, "rgb", resize).astype(value.dtype), strict=True)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("number", range(len(SIZES)))
def test_sizes(number, resize):
    """Each size in two formats, and each format in two sizes or more."""
    for name in (list(FORMATS)[number % 6], list(FORMATS)[(number + 3) % 6]):
        check([random_planar(name, *SIZES[number])], (24, 20), resize)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("range", ["limited", "full"])
def test_colours(range, matrix, resize):
    check([random_planar(format, 41, 50, matrix, range) for format in ("nv12", "p010")], (24, 20), resize)


@pytest.mark.parametrize("programs", [1, 64])
@pytest.mark.parametrize("resize", RESIZES)
def test_a_batch_of_planes_and_packed_pixels(resize, programs):
    planes = [random_planar(format, *size) for format, size in zip(FORMATS, SIZES, strict=False)]
    packed = [np.random.default_rng(i).integers(0, 256, (*size, 3), np.uint8) for i, size in enumerate(SIZES[:3])]
    check([packed[0], *planes[:3], packed[1], packed[2], *planes[3:]], (24, 20), resize, programs == 64, programs)


@pytest.mark.parametrize("programs", [1, 5])
@pytest.mark.parametrize(
    "rows",
    [
        lambda memory: memory[:96].reshape(4, 24),
        lambda memory: memory[: 5 * 4096].reshape(5, 4096)[:, :2400],
        lambda memory: memory[: 5 * 4096].reshape(5, 4096)[::-1, 8:2408],
        lambda memory: memory[: 7 * 700].reshape(7, 700)[:, 3:600],
        lambda memory: memory[5:6].reshape(1, 1),
    ],
    ids=["packed", "padded", "flipped", "odd", "one"],
)
def test_gather_rows(rows, programs):
    device = Interpreter()
    plane = rows(np.random.default_rng(1).integers(0, 256, 5 * 4096, np.uint8))
    launch, packed = gather_rows_launch(device, plane, programs)
    device.launch(launch)
    np.testing.assert_array_equal(device.read(packed, np.uint8, plane.size), plane.reshape(-1))
