"""The Segmenter as a user drives it: one frame, a stream, by hand, and every rule of use it states."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import rfseg
from paths import DEMO_MODEL


def same(a: rfseg.Result, b: rfseg.Result) -> bool:
    return (
        a.image_size == b.image_size
        and np.array_equal(a.xyxy, b.xyxy)
        and np.array_equal(a.confidence, b.confidence)
        and np.array_equal(a.class_id, b.class_id)
        and a.masks.coco() == b.masks.coco()
    )


def test_result_has_the_documented_columns(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    result = seg.infer(frames[0])
    count = len(result)
    assert count > 3
    assert result.xyxy.shape == (count, 4)
    assert result.xyxy.dtype == np.float32
    assert result.confidence.shape == (count,)
    assert result.confidence.dtype == np.float32
    assert result.class_id.shape == (count,)
    assert result.class_id.dtype == np.int32
    assert result.image_size == frames[0].shape[:2] == result.masks.image_size
    assert np.all(np.diff(result.confidence) <= 0)
    assert np.all(result.confidence > 0.5)
    assert set(result.speed) == {"preprocess", "network", "postprocess", "outlines"}
    assert set(result.class_name) <= set(seg.names.values())


def test_pipeline_equals_its_parts_and_onnxruntime_itself(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = seg.info["threads"]
    session = onnxruntime.InferenceSession(str(DEMO_MODEL), options, providers=["CPUExecutionProvider"])
    for frame in frames[:3]:
        network = rfseg.ops.preprocess(frame, (312, 312))
        dets, labels, masks = (o[0] for o in session.run(["dets", "labels", "masks"], {"input": network[None]}))
        expected = rfseg.ops.postprocess(dets, labels, masks, frame.shape[:2], num_classes=8)
        assert len(expected) > 3
        assert same(seg.infer(frame), expected)


def test_stream_equals_one_by_one_in_order(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    one_by_one = [seg.infer(frame) for frame in frames]
    streamed = list(seg.stream(iter(frames)))
    assert len(streamed) == len(frames) == 12
    assert all(same(a, b) for a, b in zip(streamed, one_by_one, strict=True))
    assert not same(one_by_one[0], one_by_one[-1])


def test_alternating_sizes(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    mixed = [frames[0], frames[1][:201, 7:340], frames[2], frames[3][::-1, ::2], frames[4][..., ::-1]]
    streamed = list(seg.stream(mixed))
    assert all(same(a, seg.infer(f.copy())) for a, f in zip(streamed, mixed, strict=True))


def test_frames_are_not_kept(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    expected = seg.infer(frames[0])
    frame = frames[0].copy()
    before = sys.getrefcount(frame)
    seg.submit(frame)
    assert sys.getrefcount(frame) == before
    frame[:] = 0
    assert same(seg.collect(), expected)


def test_results_outlive_later_calls_and_the_segmenter(frames: list[np.ndarray]) -> None:
    segmenter = rfseg.Segmenter(DEMO_MODEL)
    result = segmenter.infer(frames[0])
    boxes, runs = result.xyxy.copy(), result.masks.coco()
    outlines = result.polygons()[0][0]
    points = outlines.copy()
    segmenter.infer(frames[5])
    segmenter.close()
    assert np.array_equal(result.xyxy, boxes)
    assert result.masks.coco() == runs
    del segmenter, result
    gc.collect()
    assert np.array_equal(outlines, points), "an outline must keep what it views alive"
    assert not outlines.flags.writeable


def test_a_bad_frame_in_a_stream_loses_nothing(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    seen: list[rfseg.Result] = []
    with pytest.raises(rfseg.InputError, match="expected uint8, got float32"):
        for result in seg.stream([frames[0], frames[1], frames[2].astype(np.float32), frames[3]]):
            seen.append(result)
    assert len(seen) == 2
    assert same(seen[1], seg.infer(frames[1]))


def test_an_iterator_that_fails_ends_the_stream_after_its_frames(
    seg: rfseg.Segmenter, frames: list[np.ndarray]
) -> None:
    def camera() -> Iterator[np.ndarray]:
        yield from frames[:3]
        raise OSError("camera unplugged")

    seen = []
    with pytest.raises(OSError, match="camera unplugged"):
        for result in seg.stream(camera()):
            seen.append(result)
    assert len(seen) == 3


def test_leaving_a_stream_early_drains_it(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    for _ in seg.stream(frames):
        break
    gc.collect()
    assert same(seg.infer(frames[7]), next(iter(seg.stream([frames[7]]))))


def test_outlines_ahead_equal_outlines_on_demand(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    with rfseg.Segmenter(DEMO_MODEL, outlines="tree") as ahead:
        result, expected = ahead.infer(frames[0]), seg.infer(frames[0])
    assert result.speed["outlines"] > 0
    assert expected.speed["outlines"] == 0
    for ours, theirs in zip(result.polygons("tree"), expected.polygons("tree"), strict=True):
        for (exterior, holes), (other, other_holes) in zip(ours, theirs, strict=True):
            assert np.array_equal(exterior, other)
            assert all(np.array_equal(a, b) for a, b in zip(holes, other_holes, strict=True))


def test_two_segmenters_in_two_threads(frames: list[np.ndarray]) -> None:
    with rfseg.Segmenter(DEMO_MODEL, threads=1) as expected_from:
        expected = [expected_from.infer(frame) for frame in frames]
    found: dict[int, list[rfseg.Result]] = {}

    def work(index: int) -> None:
        with rfseg.Segmenter(DEMO_MODEL, threads=1) as segmenter:
            found[index] = list(segmenter.stream(frames))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1]
    for results in found.values():
        assert all(same(a, b) for a, b in zip(results, expected, strict=True))


def test_threads_share_a_segmenter_and_the_gil_is_free(frames: list[np.ndarray]) -> None:
    with rfseg.Segmenter(DEMO_MODEL) as segmenter:
        expected = [segmenter.infer(frame) for frame in frames]
        found: dict[int, list[rfseg.Result]] = {}

        def work(index: int) -> None:
            mine = frames[index:] + frames[:index]
            found[index] = list(segmenter.stream(mine)) if index % 2 else [segmenter.infer(frame) for frame in mine]

        threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        turns = 0
        while any(thread.is_alive() for thread in threads):  # turns only because calls let go of the GIL
            assert segmenter.info["slots"] == 2
            turns += 1
        for thread in threads:
            thread.join()
    assert turns > 100
    assert sorted(found) == [0, 1, 2, 3]
    for index, results in found.items():
        assert all(same(a, b) for a, b in zip(results, expected[index:] + expected[:index], strict=True))


def test_close_is_final_and_harmless_when_repeated(frames: list[np.ndarray]) -> None:
    segmenter = rfseg.Segmenter(DEMO_MODEL)
    segmenter.submit(frames[0])
    segmenter.close()
    segmenter.close()
    with pytest.raises(rfseg.Error, match="this Segmenter is closed"):
        segmenter.infer(frames[0])


def test_pickled_results_are_small_and_equal(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    result = seg.infer(frames[0])
    data = pickle.dumps(result)
    assert len(data) < 100_000 < frames[0].nbytes
    assert same(pickle.loads(data), result)


def test_import_is_light() -> None:
    code = (
        "import sys, rfseg;"
        "heavy = {'torch', 'cv2', 'av', 'PIL', 'onnx', 'onnxruntime', 'rich', 'argparse', 'asyncio', 'triton'};"
        "maps = open('/proc/self/maps').read();"
        "print(sorted(heavy & set(sys.modules)), 'libcuda' in maps, 'libonnxruntime' in maps)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] False False"
