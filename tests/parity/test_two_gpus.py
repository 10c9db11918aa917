"""Segmenters on two GPUs, side by side; collected only where there are two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

import rfseg
from parity.answers import assert_same
from parity.producers import OnlyDlpack, OnlyInterface


@pytest.fixture(scope="module")
def segmenters(open_engine):
    with (
        open_engine(device="cuda:0", threshold=0.3, outlines="external") as first,
        open_engine(device="cuda:1", threshold=0.3, outlines="external") as second,
    ):
        yield first, second


def test_both_at_once_give_the_same(segmenters, clips):
    frames = clips["shapes_720p"] * 4
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda segmenter: list(segmenter.stream(frames)), segmenters)
    assert sum(len(result) for result in first) > len(frames)
    for one, other in zip(first, second, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("wrap", [lambda tensor: tensor, OnlyDlpack, OnlyInterface], ids=["both", "DLPack", "CAI"])
def test_a_tensor_of_the_second_gpu(segmenters, clips, wrap):
    torch = pytest.importorskip("torch")
    frame = clips["shapes_720p"][0]
    tensor = wrap(torch.from_numpy(frame).to("cuda:1"))
    torch.cuda.synchronize(1)
    assert torch.cuda.current_device() == 0
    assert_same(segmenters[1].infer(tensor), segmenters[1].infer(frame))
    with pytest.raises(rfseg.InputError, match=r"the frame is on cuda:1, the Segmenter on cuda:0"):
        segmenters[0].infer(tensor)
    assert torch.cuda.current_device() == 0


def test_page_locked_frames_serve_both(segmenters, clips):
    frame = clips["shapes_720p"][0]
    buffer = segmenters[0].frame_buffer(frame.shape[:2])
    buffer[:] = frame
    assert_same(segmenters[1].infer(buffer), segmenters[0].infer(frame))
