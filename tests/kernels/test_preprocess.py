"""The resize kernels against the twin of contract section 2, exact: both orders, any strides, mixed batches."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.interpreter import Interpreter
from kernels.stages import gather_launch, preprocess_launches, preprocess_members
from reference.preprocess import preprocess, vertical_pass_first

PROGRAMS = 3
RESIZES = ("pil", "bilinear")
VIEWS = {
    "flipped": lambda frame: frame[::-1],
    "mirrored": lambda frame: frame[:, ::-1],
    "channels reversed": lambda frame: frame[..., ::-1],
    "every few": lambda frame: frame[3:40:2, 5:50:3],
    "planar": lambda frame: np.ascontiguousarray(frame.transpose(2, 0, 1)).transpose(1, 2, 0),
    "six channels apart": lambda frame: np.concatenate([frame, frame], axis=-1)[..., 1:4],
}


def random_frame(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), np.uint8)


def run(frames, size, half=False, resize="pil", programs=PROGRAMS):
    """The input [B, 3, Hn, Wn] for (frame, bgr) or None each, and the members of the frames."""
    device = Interpreter()
    images = [each and preprocess_members(device, each[0], size, each[1], resize) for each in frames]
    launches, target = preprocess_launches(device, images, size, half, resize, programs)
    for launch in launches:
        device.launch(launch)
    values = device.read(target, np.float16 if half else np.float32, len(frames) * 3 * size[0] * size[1])
    return values.reshape(len(frames), 3, *size), images


def check(frames, size, half=False, resize="pil", programs=PROGRAMS):
    """Every image against the twin; where there is none, nothing is written. Returns the members."""
    values, images = run(frames, size, half, resize, programs)
    for value, each in zip(values, frames, strict=True):
        if each is None:
            assert (value.view(np.uint8) == 0xA5).all()
            continue
        expected = preprocess(each[0], size, "bgr" if each[1] else "rgb", resize).astype(value.dtype)
        np.testing.assert_array_equal(value, expected, strict=True)
    return images


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("bgr", [False, True])
@pytest.mark.parametrize("resize", RESIZES)
def test_formats(resize, bgr, half):
    check([(random_frame(45, 61), bgr)], (24, 20), half, resize)


@pytest.mark.parametrize(
    ("source", "size", "passes", "downs"),
    [
        ((90, 30), (24, 20), 2, (1, 0)),
        ((24, 64), (24, 24), 1, (None, 0)),
        ((64, 24), (24, 24), 1, (None, 1)),
        ((24, 50), (24, 50), 1, (None, 0)),
        ((1, 1), (8, 9), 2, (0, 1)),
        ((2, 3), (64, 48), 2, (0, 1)),
        ((1, 90), (5, 7), 2, (0, 1)),
        ((12, 99), (31, 17), 2, (0, 1)),
        ((99, 12), (17, 31), 2, (1, 0)),
    ],
)
def test_sizes(source, size, passes, downs):
    frame = random_frame(*source)
    (members,) = check([(frame, True)], size)
    assert (members["passes"], members.get("first_down"), members["last_down"]) == (passes, *downs)
    if passes == 2:
        assert bool(members["first_down"]) == vertical_pass_first(source, size)
    check([(frame, True)], size, resize="bilinear")


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_strides(resize, view):
    check([(view(random_frame(50, 60)), True)], (16, 20), resize=resize)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("view", [VIEWS["mirrored"], VIEWS["planar"]])
@pytest.mark.parametrize("source", [(90, 30), (16, 60), (60, 20)])
def test_strides_of_every_pass(resize, view, source):
    check([(view(random_frame(*source)), False)], (16, 20), resize=resize)


def test_saturated_bytes_stay_in_range():
    frame = np.where(np.indices((40, 40)).sum(axis=0)[..., None] % 7 < 3, 255, 0).astype(np.uint8).repeat(3, axis=-1)
    check([(frame, False)], (13, 17))


@pytest.mark.parametrize("programs", [1, 3, 64])
@pytest.mark.parametrize("resize", RESIZES)
def test_a_batch_gives_each_image_what_it_gets_alone(resize, programs):
    sizes = [(45, 61), (16, 20), (99, 12), (1, 1), (16, 33), (70, 20)]
    frames = [(random_frame(*size), i % 2 == 0) for i, size in enumerate(sizes)]
    frames[2:2] = [None]
    frames[4] = (frames[4][0][::-1], True)
    frames += [None, (VIEWS["planar"](random_frame(50, 60)), True)]
    check(frames, (16, 20), programs == 3, resize, programs)


@pytest.mark.parametrize("resize", RESIZES)
def test_a_batch_without_images_writes_nothing(resize):
    check([None, None], (8, 8), resize=resize)


@pytest.mark.parametrize("view", [lambda frame: frame, *VIEWS.values()], ids=["packed", *VIEWS])
def test_gather_packs(view):
    device = Interpreter()
    frame = view(random_frame(41, 203))
    launch, packed = gather_launch(device, frame, PROGRAMS)
    device.launch(launch)
    np.testing.assert_array_equal(device.read(packed, np.uint8, frame.size), frame.reshape(-1))
