"""What the GPU gives the network is what the host would have given it, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

import rfseg
from parity.inputs import noise

SIZES = {
    "one pixel": (1, 1),
    "2x3": (2, 3),
    "odd": (719, 1279),
    "portrait": (1280, 720),
    "312x176": (176, 312),
    "176x312": (312, 176),
    "720p": (720, 1280),
    "1080p": (1080, 1920),
    "2160p": (2160, 3840),
    "network size": (312, 312),
    "below the mask grid": (40, 50),
    "up along y": (100, 800),
    "up along x": (800, 100),
    "vertical pass first": (640, 427),
    "one row": (1, 5000),
}
VIEWS = {
    "every other pixel": lambda frame: frame[::2, ::3],
    "cut out": lambda frame: frame[11:-7, 5:-3],
    "upside down": lambda frame: frame[::-1],
    "mirrored": lambda frame: frame[:, ::-1],
    "channels reversed": lambda frame: frame[..., ::-1],
    "all reversed": lambda frame: frame[::-1, ::-1, ::-1],
    "planes": lambda frame: np.ascontiguousarray(frame.transpose(2, 0, 1)).transpose(1, 2, 0),
    "columns in memory": np.asfortranarray,
    "one row repeated": lambda frame: np.broadcast_to(frame[:1], frame.shape),
}


def read_only(frame: np.ndarray) -> np.ndarray:
    """A copy that cannot be written to."""
    copy = frame.copy()
    copy.flags.writeable = False
    return copy


def assert_input(segmenter: rfseg.Segmenter, frame: np.ndarray, color: str, resize: str) -> None:
    found = segmenter._core.infer_with_tensors([frame])[0][1]
    expected = rfseg.ops.preprocess(frame, found.shape[1:], color, resize)
    if segmenter.info["input_precision"] == "float16":
        expected = expected.astype(np.float16).astype(np.float32)
    assert found.dtype == expected.dtype == np.float32
    assert found.shape == expected.shape == (3, 312, 312)
    differing = np.flatnonzero(found.view(np.uint32) != expected.view(np.uint32))
    assert differing.size == 0, f"{differing.size} of {found.size} values differ, the first at {differing[:4]}"


@pytest.mark.parametrize("color", ["bgr", "rgb"])
@pytest.mark.parametrize("resize", ["pil", "bilinear"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_every_size(shared, size, resize, color):
    assert_input(shared(color=color, resize=resize), noise(*size), color, resize)


@pytest.mark.parametrize("color", ["bgr", "rgb"])
@pytest.mark.parametrize("resize", ["pil", "bilinear"])
@pytest.mark.parametrize("view", [*VIEWS.values(), read_only], ids=[*VIEWS.keys(), "read only"])
def test_every_kind_of_array(shared, view, resize, color):
    frame = view(noise(480, 641, seed=1))
    assert_input(shared(color=color, resize=resize), frame, color, resize)


def test_clips(shared, clips):
    for frames in clips.values():
        for frame in frames[::3]:
            assert_input(shared("nano"), frame, "bgr", "pil")
