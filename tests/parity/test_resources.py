"""After a warm-up nothing is allocated any more, on either side, and a frame's answer is small."""

from __future__ import annotations

import psutil

COUNTERS = ("bytes_back", "frames", "batches")


def test_nothing_grows_after_warm_up(open_engine, mixed):
    frames = mixed[:15]  # of 4 sizes in turn
    with open_engine(slots=4, outlines="external") as segmenter:
        for _ in range(8):
            for _ in segmenter.stream(frames):
                pass
        own = psutil.Process()
        before = {key: value for key, value in segmenter.info.items() if key not in COUNTERS}
        resident_bytes, instances = own.memory_info().rss, 0
        for _ in range(20):
            instances += sum(len(result) for result in segmenter.stream(frames))
        grown_bytes = own.memory_info().rss - resident_bytes
        assert {key: value for key, value in segmenter.info.items() if key not in COUNTERS} == before
        assert before["device_allocations"] > before["module_loads"] > 0
        assert instances > 20 * len(frames) == 300
        assert grown_bytes < 8 << 20


def test_bytes_back_grow_with_what_was_found(shared, clips):
    segmenter, frames = shared(), clips["shapes_1080p"]
    found = [(len(segmenter.infer(frame)), segmenter.info["bytes_back"]) for frame in frames]
    assert max(back for _, back in found) < 64 << 10
    assert min(back for _, back in found) > 0
    segmenter.infer(frames[0] * 0)
    nothing = segmenter.info["bytes_back"]
    most = max(found)
    assert nothing < most[1]
    assert most[0] > 3


def test_info_says_what_runs_where(shared):
    info = shared().info
    assert (info["backend"], info["device"], info["stages"]) == ("tensorrt", "cuda:0", "device")
    assert info["gpu"]
    assert info["library_version"].split(".")[0] in ("10", "11")
    assert "nvinfer" in info["library_path"]
    assert shared().device == "cuda:0"
