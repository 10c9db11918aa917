"""From the same raw outputs, the GPU's stages and the host's give the same instances, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from parity.answers import MODES, assert_same, infer_both_ways
from parity.inputs import noise, stretched


@pytest.mark.parametrize("max_detections", [300, 1])
@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.3, 0.5])
@pytest.mark.parametrize("engine", ["shapes", "nano"])
def test_clips(shared, clips, engine, threshold, max_detections):
    segmenter = shared(engine, threshold=threshold, max_detections=max_detections)
    frames = [(clip, i, frame) for clip, frames in clips.items() for i, frame in enumerate(frames)]
    instances = 0
    for clip, i, frame in frames if max_detections > 1 else frames[::4]:
        inferred = infer_both_ways(segmenter, frame)
        assert_same(inferred.result, inferred.by_host, (clip, i), MODES)
        instances += len(inferred.result)
    assert instances > (0 if max_detections == 1 else len(frames))


@pytest.mark.parametrize(
    "options",
    [
        {"names": None, "threshold": 0.0},
        {"names": None, "threshold": 0.3, "outlines": "external"},
        {"names": {3: "star", 5: "ring"}, "threshold": 0.05, "outlines": "tree"},
        {"threshold": {"circle": 0.9, "star": 0.1, 5: 0.0}, "outlines": "largest"},
        {"threshold": 1.0},
        {"color": "rgb", "resize": "bilinear", "threshold": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize("engine", ["shapes", "nano"])
def test_options(shared, clips, engine, options):
    segmenter, instances = shared(engine, **options), 0
    for clip, frames in clips.items():
        for frame in frames[::5]:
            inferred = infer_both_ways(segmenter, frame)
            assert_same(inferred.result, inferred.by_host, clip, MODES)
            instances += len(inferred.result)
    assert (instances == 0) == (options.get("threshold") == 1.0)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (40, 50), (719, 1279), (2160, 3840), (1, 5000), (5000, 1)], ids=str)
@pytest.mark.parametrize("engine", ["shapes", "nano"])
def test_noise_of_every_size(shared, engine, size):
    inferred = infer_both_ways(shared(engine, threshold=0.0), noise(*size))
    assert len(inferred.result) > 0
    assert_same(inferred.result, inferred.by_host, size, MODES)


def test_more_runs_than_the_buffer_holds(shared, clips):
    """A mask's runs grow with a frame's width: this one has some hundred thousand."""
    segmenter = shared(threshold=0.0)
    small, wide = clips["shapes_1080p"][2], stretched(clips["shapes_1080p"][2], 64, 200_000)
    before = segmenter.info["slow_frames"]
    expected = segmenter.infer(small)
    assert segmenter.info["slow_frames"] == before
    inferred = infer_both_ways(segmenter, wide)
    assert segmenter.info["slow_frames"] == before + 1
    assert len(inferred.result.masks.columns()[1]) > 100_000
    assert_same(inferred.result, inferred.by_host, "wide", MODES)

    streamed = list(segmenter.stream([small, wide, small, wide, wide, small]))
    assert segmenter.info["slow_frames"] == before + 1  # there is room for as many since then
    for result, frame in zip(streamed, [small, wide, small, wide, wide, small], strict=True):
        assert_same(result, expected if frame is small else inferred.result)


def test_the_host_stages_give_the_same(shared, clips):
    by_device, by_host = shared(threshold=0.3), shared(threshold=0.3, stages="host")
    assert (by_device.info["stages"], by_host.info["stages"]) == ("device", "host")
    for frames in clips.values():
        for result, expected in zip(by_device.stream(frames[::6]), by_host.stream(frames[::6]), strict=True):
            assert len(expected) > 0
            assert_same(result, expected, modes=MODES)


def test_results_are_the_documented_arrays(shared, clips):
    result = shared().infer(clips["shapes_1080p"][2])
    assert len(result) > 3
    assert (result.xyxy.dtype, result.confidence.dtype, result.class_id.dtype) == (np.float32, np.float32, np.int32)
    assert result.xyxy.shape == (len(result), 4)
    assert np.all(np.diff(result.confidence) <= 0)
    assert result.masks.dense().sum() == result.masks.area.sum() > 0
    assert set(result.speed) == {"preprocess", "network", "postprocess", "outlines"}
