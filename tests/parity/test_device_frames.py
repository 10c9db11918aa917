"""Frames that are on the GPU already, from torch and CuPy, and page-locked frames.

A stream that is not honoured gives the pixels of the frame before: every test of it fills the frame with zeros first,
and queues some milliseconds of work in front of the real pixels.
"""

from __future__ import annotations

import gc
from types import SimpleNamespace

import numpy as np
import pytest

import rfseg
from parity.answers import assert_same, differ
from parity.producers import OnlyDlpack, OnlyInterface
from paths import DEMO_MODEL

pytestmark = pytest.mark.filterwarnings("default")  # importing torch and CuPy may warn

BUSY_CYCLES = 60_000_000  # 30 ms and more


@pytest.fixture(scope="module")
def cupy(absent):
    try:
        import cupy
    except ImportError:
        absent("CuPy is not installed")
    return cupy


@pytest.fixture(scope="module")
def frame(clips) -> np.ndarray:
    return clips["shapes_1080p"][2]


TORCH_VIEWS = {
    "whole": lambda tensor: tensor,
    "cut out": lambda tensor: tensor[11:-7, 5:-3],
    "every other pixel": lambda tensor: tensor[::2, ::3],
    "planes": lambda tensor: tensor.permute(2, 0, 1).contiguous().permute(1, 2, 0),
    "turned": lambda tensor: tensor.transpose(0, 1),
    "one row repeated": lambda tensor: tensor[:1].expand(tensor.shape),
    "one pixel": lambda tensor: tensor[:1, :1],
}
CUPY_VIEWS = {
    "whole": lambda array: array,
    "cut out": lambda array: array[11:-7, 5:-3],
    "upside down": lambda array: array[::-1],
    "mirrored": lambda array: array[:, ::-1],
    "channels reversed": lambda array: array[..., ::-1],
    "all reversed": lambda array: array[::-1, ::-1, ::-1],
}


@pytest.mark.parametrize("protocol", [lambda array: array, OnlyInterface, OnlyDlpack], ids=["both", "CAI", "DLPack"])
@pytest.mark.parametrize("view", TORCH_VIEWS.values(), ids=TORCH_VIEWS.keys())
def test_torch(torch, shared, frame, view, protocol):
    tensor = view(torch.from_numpy(frame).cuda())
    torch.cuda.synchronize()
    expected = shared().infer(tensor.cpu().numpy())
    assert_same(shared().infer(protocol(tensor)), expected)
    assert len(expected) > 0 or len(tensor.unique(dim=0)) == 1  # one row holds no objects


@pytest.mark.parametrize("protocol", [lambda array: array, OnlyInterface, OnlyDlpack], ids=["both", "CAI", "DLPack"])
@pytest.mark.parametrize("view", CUPY_VIEWS.values(), ids=CUPY_VIEWS.keys())
def test_cupy(cupy, shared, frame, view, protocol):
    array = view(cupy.asarray(frame))
    expected = shared().infer(view(frame))
    assert len(expected) > 0
    assert_same(shared().infer(protocol(array)), expected)


@pytest.mark.parametrize("protocol", [lambda array: array, OnlyDlpack], ids=["both", "DLPack"])
def test_torchs_stream_is_waited_for(torch, shared, frame, protocol):
    expected, side = shared().infer(frame), torch.cuda.Stream()
    source = torch.from_numpy(frame).cuda()
    target = torch.zeros_like(source)
    torch.cuda.synchronize()
    assert differ(shared().infer(target), expected)
    with torch.cuda.stream(side):
        torch.cuda._sleep(BUSY_CYCLES)
        target.copy_(source)
        result = shared().infer(protocol(target))
    assert_same(result, expected)


@pytest.mark.parametrize("protocol", [lambda array: array, OnlyInterface, OnlyDlpack], ids=["both", "CAI", "DLPack"])
def test_cupys_stream_is_waited_for(torch, cupy, shared, frame, protocol):
    expected, side = shared().infer(frame), torch.cuda.Stream()
    source, target = cupy.asarray(frame), cupy.zeros(frame.shape, np.uint8)
    cupy.cuda.Device().synchronize()
    assert differ(shared().infer(target), expected)
    with torch.cuda.stream(side), cupy.cuda.ExternalStream(side.cuda_stream):
        torch.cuda._sleep(BUSY_CYCLES)
        target.data.copy_from_device_async(source.data, target.nbytes)
        result = shared().infer(protocol(target))
    assert_same(result, expected)


def test_a_stream_of_frames_that_are_still_being_made(torch, shared, mixed):
    segmenter = shared(slots=4)
    expected = [segmenter.infer(frame) for frame in mixed]
    sources = [torch.from_numpy(frame.copy()).cuda() for frame in mixed]
    targets = [torch.zeros_like(source) for source in sources]
    torch.cuda.synchronize()

    def made():
        with torch.cuda.stream(torch.cuda.Stream()):
            for source, target in zip(sources, targets, strict=True):
                torch.cuda._sleep(BUSY_CYCLES // 10)
                target.copy_(source)
                yield target

    for i, (result, other) in enumerate(zip(segmenter.stream(made()), expected, strict=True)):
        assert_same(result, other, i)


def test_a_tensor_may_be_overwritten_once_it_was_submitted(torch, shared, frame):
    """On the producer's stream: what it queues next must not reach the frame before the frame was read."""
    segmenter, side = shared(slots=4), torch.cuda.Stream()
    expected = segmenter.infer(frame)
    source = torch.from_numpy(frame).cuda()
    target = torch.zeros_like(source)
    torch.cuda.synchronize()
    with torch.cuda.stream(side):
        for _ in range(4):
            torch.cuda._sleep(BUSY_CYCLES // 4)
            target.copy_(source)
            segmenter.submit(target)
            target.zero_()
        results = [segmenter.collect() for _ in range(4)]
    for result in results:
        assert_same(result, expected)


def test_a_tensor_may_be_freed_once_it_was_submitted(torch, shared, frame):
    """The memory goes to the next tensor of the stream at once."""
    segmenter, side = shared(slots=4), torch.cuda.Stream()
    expected = segmenter.infer(frame)
    source = torch.from_numpy(frame).cuda()
    torch.cuda.synchronize()
    with torch.cuda.stream(side):
        for _ in range(4):
            segmenter.submit(source.clone())
            torch.zeros_like(source)
        results = [segmenter.collect() for _ in range(4)]
    for result in results:
        assert_same(result, expected)


REFUSED = {
    "float": (lambda tensor: tensor.float(), "expected uint8"),
    "grey": (lambda tensor: tensor[..., 0], "3 channels"),
    "four channels": (lambda tensor: tensor.repeat(1, 1, 2)[..., :4], "3 channels"),
    "batch": (lambda tensor: tensor[None], "one frame|batch"),
    "planes": (lambda tensor: tensor.permute(2, 0, 1), "transpose|permute"),
    "empty": (lambda tensor: tensor[:0], "empty"),
    "on the CPU": (lambda tensor: tensor.cpu(), "numpy|CPU|cpu|host"),
}


@pytest.mark.parametrize(("change", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_frame_is_refused(torch, shared, frame, change, sentence):
    tensor = torch.from_numpy(frame).cuda()
    with pytest.raises(rfseg.InputError, match=sentence) as error:
        shared().infer(change(tensor))
    print(error.value)
    shared().infer(tensor)


def test_a_cpu_segmenter_refuses_device_frames(torch, frame):
    with rfseg.Segmenter(DEMO_MODEL, device="cpu") as segmenter:
        for wrap in (OnlyInterface, OnlyDlpack):
            with pytest.raises(rfseg.InputError, match=r"CPU|cpu|host|numpy"):
                segmenter.infer(wrap(torch.from_numpy(frame).cuda()))


def test_an_interface_that_lies_is_refused(shared):
    sound = {"shape": (4, 4, 3), "typestr": "|u1", "data": (0, False), "version": 3, "strides": None}
    host = np.zeros((4, 4, 3), np.uint8)
    for address in (0, 8, host.ctypes.data):
        change = {"data": (address, False)}
        with pytest.raises(rfseg.InputError, match="device memory"):
            shared().infer(SimpleNamespace(__cuda_array_interface__={**sound, **change}))


def test_an_interface_that_is_malformed_is_refused(shared):
    for interface in ({}, {"shape": (4, 4, 3), "typestr": "|u1", "data": None}, {"data": (1, False), "typestr": 7}):
        with pytest.raises(rfseg.InputError, match="cannot be read through its __cuda_array_interface__"):
            shared().infer(SimpleNamespace(__cuda_array_interface__=interface))
    interface = {"shape": (4, 4, 3), "typestr": "|u1", "data": (8, False), "version": 3, "strides": (12, 3)}
    with pytest.raises(rfseg.InputError, match="2 strides for 3 dimensions"):
        shared().infer(SimpleNamespace(__cuda_array_interface__=interface))


def test_page_locked_frames(open_engine, shared, clips, frame):
    expected = shared().infer(frame)
    segmenter = open_engine(slots=2)
    buffers = [segmenter.frame_buffer(frame.shape) for _ in range(3)]
    for buffer in buffers:
        assert (buffer.shape, buffer.dtype, buffer.flags.writeable) == (frame.shape, np.uint8, True)
        assert buffer.flags.c_contiguous
        buffer[:] = frame
    for result in segmenter.stream(buffers):
        assert_same(result, expected)
    for _ in range(8):  # refilled at once after submit()
        for buffer, other in zip(buffers[:2], clips["shapes_1080p"][:2], strict=True):
            buffer[:] = other
            segmenter.submit(buffer)
            buffer[:] = 0
        assert_same(segmenter.collect(), shared().infer(clips["shapes_1080p"][0]))
        assert_same(segmenter.collect(), shared().infer(clips["shapes_1080p"][1]))
    assert_same(segmenter.infer(buffers[2][::-1]), shared().infer(frame[::-1]))
    segmenter.close()
    del segmenter
    gc.collect()
    assert np.array_equal(buffers[2], frame)  # outlives its segmenter
    buffers[2][:] = 1
    assert_same(shared().infer(frame), expected)


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 5, 4), (-1, 5, 3), (5,)])
def test_page_locked_frames_have_a_frames_shape(shared, shape):
    with pytest.raises(rfseg.InputError):
        shared().frame_buffer(shape)


def test_page_locked_frames_need_no_third_number(shared):
    assert shared().frame_buffer((5, 7)).shape == (5, 7, 3)
