"""`Segmenter.watch` with real threads: generators as cameras, the demo's network, and stand-ins."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rfseg
from paths import DEMO_CLIP, DEMO_MODEL
from rfseg.watching.feeds import VideoFeed
from waiting import until
from watched_network import BLANK, Network, adds_up, threads

pytestmark = pytest.mark.usefixtures("no_watching_thread_stays")


def test_every_source_gets_what_infer_gives_in_its_order(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    clips = {"a": frames[:7], "b": frames[3:], "c": [Image.fromarray(frames[0][..., ::-1])], "empty": []}
    expected = {name: [seg.infer(frame) for frame in clip] for name, clip in clips.items()}
    seen: dict[str, list[rfseg.Result]] = {name: [] for name in clips}
    with seg.watch({name: iter(clip) for name, clip in clips.items()}, policy="all") as cameras:
        assert threads() == []
        for one in cameras:
            assert one.index == len(seen[one.source])
            assert one.frame is clips[one.source][one.index]
            assert list(clips)[one.number] == one.source
            assert one.age_s > 0
            seen[one.source].append(one.result)
            assert all(map(adds_up, cameras.stats().values()))
        assert seen == expected
        for name, stats in cameras.stats().items():
            assert (stats.source, stats.policy, stats.state, stats.last_error) == (name, "all", "ended", None)
            assert (stats.read, stats.done, stats.dropped, stats.failed, stats.pending) == (
                *[len(clips[name])] * 2, 0, 0, 0,
            )  # fmt: skip
            assert (stats.age_p99_s is None) == (not clips[name])
        assert list(cameras) == []  # it is over
    assert seg.pending == 0


def test_files_come_with_their_indices_and_times() -> None:
    network = Network()
    network.at_once = True
    with network.watch([DEMO_CLIP, str(DEMO_CLIP)]) as cameras:
        seen = list(cameras)
        assert list(cameras.stats()) == [str(DEMO_CLIP), f"{DEMO_CLIP} (2)"]
    first, second = ([one for one in seen if one.number == number] for number in (0, 1))
    assert [(one.index, one.time_s) for one in first] == [(one.index, one.time_s) for one in second]
    assert [one.index for one in first] == list(range(len(first)))
    assert len(first) > 20
    assert first[5].time_s == first[5].frame.time_s > first[4].time_s
    assert all(one.result is one.frame for one in seen)


def test_wishes_of_the_call_are_kept(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    with seg.watch([frames], threshold=0.2, classes=["circle"]) as cameras:
        results = [one.result for one in cameras]
    assert results == [seg.infer(frame, threshold=0.2, classes=["circle"]) for frame in frames]
    assert any(len(result) for result in results)
    with pytest.raises(rfseg.InputError, match="dog"):
        seg.watch([frames], classes=["dog"])


def test_latest_drops_what_a_newer_frame_replaces() -> None:
    network, more = Network(), threading.Semaphore(0)

    def camera() -> Iterator[np.ndarray]:
        for shade in range(6):
            more.acquire()
            yield np.full((8, 8, 3), shade, np.uint8)

    with network.watch([camera()], policy="latest") as cameras:
        loop = iter(cameras)
        taken: list[int] = []
        taker = threading.Thread(target=lambda: taken.extend(one.index for one in loop))
        taker.start()
        more.release()
        until(lambda: len(network.frames) == 1)
        more.release(3)  # frames 1 to 3, while frame 0 is in the network
        until(lambda: cameras.stats()["source 0"].dropped == 2)
        assert len(network.frames) == 1
        network.futures[0].set_result("")
        until(lambda: len(network.frames) == 2)
        more.release(2)
        until(lambda: cameras.stats()["source 0"].dropped == 3)
        network.futures[1].set_result("")
        until(lambda: len(network.frames) == 3)
        network.futures[2].set_result("")
        taker.join()
        assert taken == [0, 3, 5]
        stats = cameras.stats()["source 0"]
        assert (stats.read, stats.done, stats.dropped, stats.pending) == (6, 3, 3, 0)


def test_all_makes_the_source_wait() -> None:
    network, given = Network(), []
    network.at_once = True

    def film() -> Iterator[np.ndarray]:
        for number in range(100):
            given.append(number)
            yield BLANK

    with network.watch([film()]) as cameras:
        for one in cameras:
            if one.index == 0:  # a caller who thinks for long: 4 results at most wait for it, 2 frames and one more
                until(lambda: len(given) == 8)
                time.sleep(0.05)
            assert len(given) <= one.index + 8
        assert cameras.stats()["source 0"].done == 100


def test_a_result_leaves_before_the_next_frame_comes(quick: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    seen = threading.Semaphore(0)

    def slow() -> Iterator[np.ndarray]:
        for frame in frames[:3]:
            yield frame
            assert seen.acquire(timeout=60), "the result waited for the next frame"

    with quick.watch([slow(), slow()]) as cameras:
        for _ in cameras:
            seen.release()
        assert [stats.last_error for stats in cameras.stats().values()] == [None, None]


def test_streams_and_tickets_of_others_take_turns(quick: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    expected = quick.infer(frames[0])
    quick.submit(frames[0])
    with quick.watch([frames, frames]) as cameras:
        for number, _ in enumerate(cameras):
            if number == 4:
                assert quick.collect() == expected  # not a frame of the cameras
                with pytest.raises(rfseg.InputError, match="nothing was submitted"):
                    quick.collect()
            if number == 6:
                assert len(list(quick.stream(frames[:3]))) == 3
    assert sum(source.done for source in cameras.stats().values()) == 2 * len(frames)


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        ([], "there is no source to watch"),
        (["no/such.mp4"], r"no such file: no/such.mp4; a camera is given by its number, an int"),
        ([BLANK], r"source 0 is one frame, \[8, 8, 3\]: a source is an iterable of frames"),
        ([True], "source 0 is bool: it must be a path"),
        ({"a": 2.5}, "source 'a' is float: it must be a path"),
        (iter([BLANK]), r"sources is list_iterator: it must be a list of sources, or \{name: source\}"),
    ],
)
def test_what_is_no_source_is_refused_in_words(sources: Any, sentence: str, seg: rfseg.Segmenter) -> None:
    with pytest.raises(rfseg.InputError, match=sentence):
        seg.watch(sources)


@pytest.mark.parametrize("wish", [{"policy": "newest"}, {"max_age_s": 0}, {"patience_s": -1}])
def test_wishes_that_cannot_be_are_refused(wish: dict[str, Any], seg: rfseg.Segmenter) -> None:
    with pytest.raises(rfseg.InputError, match=next(iter(wish))):
        seg.watch([[BLANK]], **wish)


def test_live_sources_are_latest_and_tried_again_when_they_are_not_there() -> None:
    feeds = [
        VideoFeed(0),
        VideoFeed("rtsp://me:secret@host/live"),
        VideoFeed("http://host/live.ts"),
        VideoFeed("a.mp4"),
    ]
    assert [feed.live for feed in feeds] == [True, True, True, False]
    assert [feed.again(OSError("no route")) for feed in feeds] == [True, True, True, False]
    assert not any(feed.again(ImportError("av")) for feed in feeds)
    with rfseg.Segmenter(DEMO_MODEL) as seg, seg.watch([0, 0, "rtsp://a:b@host/live", DEMO_CLIP]) as cameras:
        stats = cameras.stats()
    assert list(stats) == ["camera 0", "camera 0 (2)", "rtsp://host/live", str(DEMO_CLIP)]
    assert [source.policy for source in stats.values()] == ["latest", "latest", "latest", "all"]
