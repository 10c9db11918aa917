"""A YuvFrame goes wherever a frame goes, gives what its pixels give bit for bit, or is refused with a sentence."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rfseg
from paths import DEMO_CLIP, DEMO_MODEL
from reference import color as twin
from reference.color_cases import random_planes

NETWORKS = [(24, 32), (60, 90), (200, 53), (1, 1)]
FRAMES = [(1, 1), (3, 5), (37, 53), (200, 90), (90, 400)]  # of both orders of passes


@pytest.fixture(scope="module")
def decoded() -> list[rfseg.YuvFrame]:
    """Frames of the demo's clip, as views of the decoder's own planes, whose rows are padded."""
    import av

    with av.open(str(DEMO_CLIP)) as clip:
        return [yuv_of(frame) for frame, _ in zip(clip.decode(video=0), range(6), strict=False)]


def yuv_of(frame: Any) -> rfseg.YuvFrame:
    assert frame.format.name == "yuv420p"
    planes = [np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size) for plane in frame.planes]
    return rfseg.YuvFrame(planes, "i420", size=(frame.height, frame.width), matrix="bt709", full_range=False)


def test_infer_submit_stream_and_lists_equal_those_of_the_pixels(
    seg: rfseg.Segmenter, decoded: list[rfseg.YuvFrame]
) -> None:
    expected = [seg.infer(rfseg.ops.convert(frame)) for frame in decoded]
    assert sum(len(result) for result in expected) > 20
    ways: list[list[rfseg.Result]] = [
        [seg.infer(frame) for frame in decoded],
        seg.infer(decoded),
        [seg.submit(frame).result() for frame in decoded],
        list(seg.stream(decoded)),
        [result for _frame, result in seg.stream(decoded, with_frames=True)],
        seg.infer([decoded[0], *map(rfseg.ops.convert, decoded[1:])]),  # mixed with pixels
    ]
    for found in ways:
        assert found == expected


def test_the_order_of_the_callers_pixels_is_not_that_of_planes(decoded: list[rfseg.YuvFrame]) -> None:
    with rfseg.Segmenter(DEMO_MODEL, color="rgb") as seg:
        assert seg.infer(decoded[0]) == seg.infer(rfseg.ops.convert(decoded[0], "rgb"))


@pytest.mark.parametrize("resize", ["pil", "bilinear"])
@pytest.mark.parametrize("name", twin.SUBSAMPLED)
def test_preprocess_equals_that_of_the_pixels(name: str, resize: Any) -> None:
    rng = np.random.default_rng(1)
    compared = 0
    for size in FRAMES:
        planes = random_planes(rng, name, size, pad=5)
        for views in (planes, [plane[::-1] for plane in planes]):
            frame = rfseg.YuvFrame(views, name)  # type: ignore[arg-type]
            pixels = twin.convert(views, name, size)
            for network in [*NETWORKS, size, (size[0], 32), (24, size[1])]:
                found = rfseg.ops.preprocess(frame, network, resize=resize)
                assert found.tobytes() == rfseg.ops.preprocess(pixels, network, "rgb", resize).tobytes()
                compared += found.size
    assert compared > 100_000


def test_padding_within_the_shape_is_left_alone() -> None:
    rng = np.random.default_rng(2)
    planes = random_planes(rng, "nv12", (64, 96))
    padded = [plane.copy() for plane in planes]
    padded[0][50:], padded[0][:, 81:], padded[1][25:], padded[1][:, 41:] = 7, 8, 9, 10
    first, second = (rfseg.YuvFrame(each, size=(50, 81)) for each in (planes, padded))
    assert first.size == (50, 81)
    assert np.array_equal(rfseg.ops.convert(first), rfseg.ops.convert(second))
    cropped = [planes[0][:50, :81], planes[1][:25, :41]]
    assert np.array_equal(rfseg.ops.convert(first, "rgb"), twin.convert(cropped, "nv12", (50, 81)))


def test_planes_are_kept_and_never_copied() -> None:
    y, cbcr = np.zeros((4, 6), np.uint8), np.full((2, 3, 2), 128, np.uint8)
    references = sys.getrefcount(y)
    frame = rfseg.YuvFrame((y, cbcr), full_range=True)
    assert sys.getrefcount(y) > references
    assert frame.planes[0] is y
    y[:] = 77
    assert np.all(rfseg.ops.convert(frame) == 77)
    y.flags.writeable = False
    assert np.all(rfseg.ops.convert(frame) == 77)
    del frame
    assert sys.getrefcount(y) == references


def test_arrays_of_other_libraries_are_taken() -> None:
    class Foreign:
        """An array on the host that is known by its protocol alone."""

        def __init__(self, array: np.ndarray) -> None:
            self.array = array

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.array.__dlpack_device__()

        def __dlpack__(self, **options: Any) -> Any:
            return self.array.__dlpack__(**options)

    planes = random_planes(np.random.default_rng(3), "p010", (7, 9))
    foreign = rfseg.YuvFrame([Foreign(plane) for plane in planes], "p010")
    assert np.array_equal(rfseg.ops.convert(foreign), rfseg.ops.convert(rfseg.YuvFrame(planes, "p010")))


def test_what_nobody_states_is_said_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    y, cbcr = np.zeros((4, 6), np.uint8), np.full((2, 3, 2), 128, np.uint8)
    with rfseg.Segmenter(DEMO_MODEL) as seg, caplog.at_level(logging.INFO, "rfseg"):
        seg.infer(rfseg.YuvFrame((y, cbcr), matrix="bt709", full_range=False))
        seg.infer(np.zeros((4, 6, 3), np.uint8))
        assert seg.info["assumed_colors"] == 0
        assert "BT.601" not in caplog.text
        for frame in (rfseg.YuvFrame((y, cbcr)), rfseg.YuvFrame((y, cbcr), matrix="bt709")):
            seg.infer(frame)
        assert seg.info["assumed_colors"] == 2
        assert caplog.text.count("BT.601 below 720 lines and BT.709 from there on") == 1


Y, PAIRS, HALF = np.zeros((4, 6), np.uint8), np.zeros((2, 3, 2), np.uint8), np.zeros((2, 3), np.uint8)
WIDE = np.zeros((4, 6), np.uint16)


class OnGpu:
    """What says that it is in a GPU's memory."""

    shape = (4, 6)
    __cuda_array_interface__ = {"shape": (4, 6), "typestr": "|u1", "data": (4096, True), "version": 3}  # noqa: RUF012


yuv = rfseg.YuvFrame


class Broken:
    """An array that its producer does not give."""

    def __dlpack_device__(self) -> tuple[int, int]:
        raise OSError("gone")


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: yuv((Y,)), r"nv12 has 2 planes, \(Y, CbCr\); got 1"),
    (lambda: yuv((Y, PAIRS), "i420"), r"i420 has 3 planes, \(Y, Cb, Cr\); got 2"),
    (lambda: yuv((Y, PAIRS), "yuv420p"), r"format is 'yuv420p': it must be one of \"nv12\", \"i420\""),
    (lambda: yuv((Y, PAIRS), matrix="smpte"), r"matrix is 'smpte': it must be one of \"auto\", \"bt601\""),
    (lambda: yuv((Y, PAIRS), transfer="pq"), r"transfer is \"pq\": HDR has no defined way to 8 bits"),
    (lambda: yuv((Y, PAIRS), transfer="hlg"), r"transfer is \"hlg\": HDR"),
    (lambda: yuv((Y, PAIRS), transfer="gamma"), r"transfer is 'gamma': it must be"),
    (lambda: yuv((Y, PAIRS), matrix=None), r"expected texts as format and matrix, .* got 'nv12', None, None and None"),  # type: ignore[arg-type]
    (lambda: yuv((Y, PAIRS), size=4), r"expected texts as format and matrix, size=\(height, width\) or None"),  # type: ignore[arg-type]
    (lambda: yuv((Y, Broken())), r"a plane \(Broken\) cannot be read through its __dlpack__: gone"),
    (lambda: yuv((Y, WIDE[:2])), r"the CbCr plane is uint16: nv12 has uint8"),
    (lambda: yuv((Y, PAIRS), "p010"), r"the Y plane is uint8: p010 has uint16"),
    (lambda: yuv((WIDE.astype(">u2"), WIDE[:2]), "p010"), r"the Y plane is >u2: p010 has uint16"),
    (lambda: yuv((Y, PAIRS[:1])), r"CbCr plane is \[1, 3, 2\]: .* 4 x 6 .* has \[2, 3, 2\] or \[2, 6\]; with"),
    (lambda: yuv((Y, Y, Y), "i420"), r"the Cb plane is \[4, 6\]: .* has \[2, 3\]"),
    (lambda: yuv((Y, Y, Y), "i420", size=(4, 6)), r"the Cb plane is \[4, 6\]: .* has \[2, 3\] there, or more"),
    (lambda: yuv((Y, PAIRS), size=(4, 7)), r"the Y plane is \[4, 6\]: .* 4 x 7 .* has \[4, 7\]"),
    (lambda: yuv((Y, PAIRS), size=(5, 6)), r"the Y plane is \[4, 6\]: .* 5 x 6"),
    (lambda: yuv((Y, PAIRS), size=(0, 6)), r"the frame is 0 x 6 .*: both must be at least 1"),
    (lambda: yuv((Y[:0], PAIRS)), r"the frame is 0 x 6 .*: both must be at least 1"),
    (lambda: yuv((Y[0], PAIRS)), r"the Y plane \(ndarray\) does not tell the size of the frame"),
    (lambda: yuv((Y, PAIRS[None])), r"the CbCr plane is \[1, 2, 3, 2\]"),
    (lambda: yuv((Y[:, ::-1], PAIRS)), r"Y plane do not lie side by side: only rows may have strides"),
    (lambda: yuv((Y, PAIRS[..., 0], PAIRS[..., 1]), "i420"), r"Cb plane do not .* pairs are a plane of \"nv12\""),
    (lambda: yuv((Y, None)), r"the CbCr plane is no array but NoneType: expected a NumPy array, or one"),
    (lambda: yuv((Y, OnGpu())), r"planes are in different memories: put all on the host"),
    (lambda: rfseg.ops.convert(yuv((OnGpu(), OnGpu()), size=(4, 6))), r"in device memory, but nothing here"),
    (lambda: rfseg.ops.convert(yuv((Y, PAIRS)), "yuv"), r"color is 'yuv': it must be \"bgr\" or \"rgb\""),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED, ids=[sentence[:50] for _, sentence in REFUSED])
def test_refused(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(rfseg.InputError, match=sentence):
        call()


def test_samples_at_odd_addresses_are_refused() -> None:
    odd = np.zeros(97, np.uint8)[1:].view(np.uint16).reshape(6, 8)
    frame = rfseg.YuvFrame((odd, odd[:3]), "p010")
    with pytest.raises(rfseg.InputError, match="the frame's Y plane has samples of two bytes at odd addresses"):
        rfseg.ops.convert(frame)


def test_rows_that_overlap_are_refused() -> None:
    overlapping = np.lib.stride_tricks.as_strided(np.zeros(64, np.uint8), (4, 6), (3, 1))
    frame = rfseg.YuvFrame((overlapping, HALF.repeat(2, 1)))
    with pytest.raises(rfseg.InputError, match="Y plane has rows of 6 bytes that lie 3 bytes apart"):
        rfseg.ops.convert(frame)


def test_drawing_asks_for_pixels(seg: rfseg.Segmenter, decoded: list[rfseg.YuvFrame]) -> None:
    result = seg.infer(decoded[0])
    with pytest.raises(rfseg.InputError, match=r"a frame of planes cannot be drawn on: pass rfseg\.ops\.convert"):
        result.plot(decoded[0])  # type: ignore[arg-type]
    assert result.plot(rfseg.ops.convert(decoded[0])).shape == (*decoded[0].size, 3)


def test_repr() -> None:
    assert repr(rfseg.YuvFrame((Y, PAIRS))) == "YuvFrame(nv12, 4x6, matrix auto, range auto)"
    stated = rfseg.YuvFrame((Y, HALF, HALF), "i420", matrix="bt2020", full_range=True)
    assert repr(stated) == "YuvFrame(i420, 4x6, matrix bt2020, range full)"
