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
def test_a_tensor_of_the_second_gpu(segmenters, clips, wrap, torch):
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


@pytest.fixture(scope="module")
def both(open_engine):
    with open_engine("dynamic", device="cuda:all", threshold=0.3, max_batch=1) as segmenter:
        yield segmenter


def test_one_segmenter_over_both(both, open_engine, clips):
    """One image an execution, for batches of float16 need not agree to the bit."""
    assert both.info["device"] == "cuda:0,cuda:1"
    frames = [frame for name in ("shapes_720p", "shapes_312x176") for frame in clips[name]] * 8
    with open_engine("dynamic", threshold=0.3, max_batch=1) as alone:
        expected = [alone.infer(frame) for frame in frames]
    for found, wanted in zip(both.stream(frames), expected, strict=True):
        assert_same(found, wanted)
    tickets = [both.submit(frame, tag=i) for i, frame in enumerate(frames)]
    for ticket in reversed(tickets):
        assert_same(ticket.result(timeout=60), expected[ticket.tag])


def test_tensors_of_either_run_where_they_are(both, clips, torch):
    frame = clips["shapes_720p"][0]
    for ordinal in (0, 1):
        for wrap in (lambda tensor: tensor, OnlyDlpack, OnlyInterface):
            tensor = wrap(torch.from_numpy(frame).to(f"cuda:{ordinal}"))
            torch.cuda.synchronize(ordinal)
            assert_same(both.infer(tensor), both.infer(frame))
    assert torch.cuda.current_device() == 0
