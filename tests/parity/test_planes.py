"""Frames of planes on the GPU: what the network gets is what the host makes of them, and of their converted pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import rfseg
from parity.answers import assert_same, differ
from reference.color import SUBSAMPLED, TEN_BITS, convert
from reference.color_cases import random_planes

pytestmark = pytest.mark.filterwarnings("default")  # importing torch may warn

SIZES = {
    "one pixel": (1, 1),
    "odd": (719, 1279),
    "portrait": (1280, 720),
    "1080p": (1080, 1920),
    "2160p": (2160, 3840),
    "network size": (312, 312),
    "network width": (500, 312),
    "network height": (312, 501),
    "smaller": (40, 51),
}
BUSY_CYCLES = 60_000_000  # 30 ms and more


@pytest.fixture(scope="module")
def pictures(clips) -> list[list[np.ndarray]]:
    """Planes of frames with objects in them, Y, Cb and Cr, of three sizes."""
    found = []
    for frame in [clip[2] for clip in clips.values()]:
        height, width = (side // 2 * 2 for side in frame.shape[:2])
        whole = cv2.cvtColor(np.ascontiguousarray(frame[:height, :width]), cv2.COLOR_BGR2YUV_I420).reshape(-1)
        y, chroma = whole[: height * width].reshape(height, width), whole[height * width :]
        found.append([y, *chroma.reshape(2, height // 2, width // 2)])
    return found


def as_format(planes: list[np.ndarray], name: str) -> list[np.ndarray]:
    """Planes of i420 in another format of half the chroma lines."""
    if name == "i420":
        return planes
    y, cbcr = planes[0], np.stack(planes[1:], axis=2)
    return [y, cbcr] if name == "nv12" else [plane.astype(np.uint16) << 8 for plane in (y, cbcr)]


def padded(plane: np.ndarray, pad: int) -> np.ndarray:
    """The same samples, in rows that are longer."""
    shape = (plane.shape[0], plane.shape[1] + pad, *plane.shape[2:])
    whole = np.full(shape, 85, plane.dtype)
    whole[:, : plane.shape[1]] = plane
    return whole[:, : plane.shape[1]]


def on_device(torch, planes: list[np.ndarray], pad: int) -> list:
    """The same planes, in rows that are longer, as torch's."""
    made = []
    for plane in planes:
        whole = torch.from_numpy(np.ascontiguousarray(padded(plane, pad).base)).cuda()
        made.append(whole[:, : plane.shape[1]])
    return made


def assert_input(segmenter: rfseg.Segmenter, frame: rfseg.YuvFrame, planes: list[np.ndarray], resize: str) -> None:
    """What reaches the network, against the host's and against the twin's pixels."""
    found = segmenter._core.infer_with_tensors([frame.core])[0][1]
    expected = rfseg.ops.preprocess(
        convert(planes, frame.format, frame.size, frame.matrix, frame.full_range), found.shape[1:], "rgb", resize
    )
    host = rfseg.YuvFrame(planes, frame.format, matrix=frame.matrix, full_range=frame.full_range)
    assert rfseg.ops.preprocess(host, found.shape[1:], resize=resize).tobytes() == expected.tobytes()
    if segmenter.info["input_precision"] == "float16":
        expected = expected.astype(np.float16).astype(np.float32)
    differing = np.flatnonzero(found.view(np.uint32) != expected.view(np.uint32))
    assert differing.size == 0, f"{differing.size} of {found.size} values differ, the first at {differing[:4]}"


@pytest.mark.parametrize("resize", ["pil", "bilinear"])
@pytest.mark.parametrize("name", SUBSAMPLED)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_every_size_and_format(torch, shared, size, name, resize):
    planes = random_planes(np.random.default_rng(size), name, size)
    segmenter = shared(resize=resize)
    for kind, given in {
        "packed": planes,
        "padded": [padded(plane, 6) for plane in planes],
        "upside down": [plane[::-1].copy()[::-1] for plane in planes],
        "device": on_device(torch, planes, 0),
        "device, padded": on_device(torch, planes, 10),
    }.items():
        print(kind)
        assert_input(segmenter, rfseg.YuvFrame(given, name), planes, resize)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
def test_every_colour(torch, shared, matrix, full_range):
    for name in ("nv12", "i420", *TEN_BITS):
        planes = random_planes(np.random.default_rng(3), name, (720, 1280))
        for given in (planes, on_device(torch, planes, 0)):
            frame = rfseg.YuvFrame(given, name, matrix=matrix, full_range=full_range)
            assert_input(shared(), frame, planes, "pil")


@pytest.mark.parametrize("name", ["nv12", "i420", "p010"])
def test_planes_give_what_their_pixels_give(torch, shared, pictures, name):
    segmenter, instances = shared(), 0
    for picture in pictures:
        planes = as_format(picture, name)
        frame = rfseg.YuvFrame(planes, name, full_range=False)
        expected = segmenter.infer(rfseg.ops.convert(frame))
        instances += len(expected)
        device = rfseg.YuvFrame(on_device(torch, planes, 32), name, full_range=False)
        for given in (frame, device):
            assert_same(segmenter.infer(given), expected, name, ("external",))
            assert_same(segmenter.submit(given).result(), expected, name)
        for result in segmenter.stream([frame, device] * 4):
            assert_same(result, expected, name)
    assert instances > 3


@pytest.mark.parametrize("resize", ["pil", "bilinear"])
def test_batches_of_planes_and_pixels(torch, shared, pictures, mixed, resize):
    segmenter, batch, pixels = shared("dynamic", resize=resize), [], []
    for number, picture in enumerate(pictures * 3):
        name = ("nv12", "i420", "p010")[number % 3]
        planes = as_format(picture, name)
        host = rfseg.YuvFrame(planes, name, full_range=False)
        batch += [host, rfseg.YuvFrame(on_device(torch, planes, 0), name, full_range=False), mixed[number]]
        pixels += [rfseg.ops.convert(host)] * 2 + [mixed[number]]
    before, instances = segmenter.info, 0
    for begin in range(0, len(batch), 16):
        given = [getattr(frame, "core", frame) for frame in batch[begin : begin + 16]]
        for frame, (columns, network_input, *tensors) in zip(
            pixels[begin:], segmenter._core.infer_with_tensors(given), strict=False
        ):
            expected = rfseg.ops.preprocess(frame, segmenter.info["network_size"], resize=resize)
            assert network_input.tobytes() == expected.tobytes()
            by_host = segmenter._core.postprocess_tensors(*tensors, frame.shape[:2])
            result = segmenter._result(columns)
            assert_same(result, segmenter._result(by_host), begin)
            instances += len(result)
    assert instances > 10
    assert segmenter.info["captures"] == before["captures"]
    assert segmenter.info["batches"] - before["batches"] < len(batch) // 2


def test_page_locked_planes(shared, pictures):
    segmenter = shared()
    planes = as_format(pictures[0], "nv12")
    frame = rfseg.YuvFrame(planes, "nv12", full_range=False)
    locked = [
        segmenter.frame_buffer(plane.shape[:2]).reshape(-1)[: plane.size].reshape(plane.shape) for plane in planes
    ]
    for buffer, plane in zip(locked, planes, strict=True):
        buffer[:] = plane
    ticket = segmenter.submit(rfseg.YuvFrame(locked, "nv12", full_range=False))
    for buffer in locked:
        buffer[:] = 0
    assert_same(ticket.result(), segmenter.infer(frame))


def test_the_planes_stream_is_waited_for_and_may_be_overwritten_then(torch, shared, pictures):
    segmenter = shared(slots=4)
    planes = as_format(pictures[0], "nv12")
    expected = segmenter.infer(rfseg.YuvFrame(planes, "nv12", full_range=False))
    sources = on_device(torch, planes, 0)
    targets = [torch.zeros_like(source) for source in sources]
    frame = rfseg.YuvFrame(targets, "nv12", full_range=False)
    torch.cuda.synchronize()
    assert differ(segmenter.infer(frame), expected)
    with torch.cuda.stream(torch.cuda.Stream()):
        for _ in range(4):
            torch.cuda._sleep(BUSY_CYCLES // 4)
            for source, target in zip(sources, targets, strict=True):
                target.copy_(source)
            segmenter.submit(frame)
            for target in targets:
                target.zero_()
        results = [segmenter.collect() for _ in range(4)]
    for result in results:
        assert_same(result, expected)
