"""`Segmenter.watch` with real threads: generators as cameras, the demo's network, and stand-ins."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rfseg
from paths import DEMO_CLIP, DEMO_MODEL
from rfseg.watching import Cameras, SourceStats
from rfseg.watching.feeds import VideoFeed, feeds_of

BLANK = np.zeros((8, 8, 3), np.uint8)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("rfseg watch")]


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    yield
    assert threads() == []


def adds_up(stats: SourceStats) -> bool:
    return stats.read == stats.done + stats.dropped + stats.failed + stats.pending


class Network:
    """Answers frames when it is told to, with the frame itself; holds two."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.futures: list[Future[Any]] = []
        self.sent = threading.Semaphore(0)
        self.at_once = False

    def submit(self, frame: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.frames.append(frame)
        self.futures.append(future)
        if self.at_once:
            future.set_result(frame)
        self.sent.release()
        return future

    def watch(self, sources: Any, **wishes: Any) -> Cameras:
        return Cameras(feeds_of(sources), self.submit, slots=2, **wishes)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


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
    assert all(one.result is one.frame.image for one in seen)


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


def test_a_result_leaves_before_the_next_frame_comes(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    seen = threading.Semaphore(0)

    def slow() -> Iterator[np.ndarray]:
        for frame in frames[:3]:
            yield frame
            assert seen.acquire(timeout=60), "the result waited for the next frame"

    with seg.watch([slow(), slow()]) as cameras:
        for _ in cameras:
            seen.release()
        assert [stats.last_error for stats in cameras.stats().values()] == [None, None]


def test_a_source_that_fails_ends_alone(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from frames[:3]
        raise OSError("the cable is out")

    def leaves() -> Iterator[np.ndarray]:
        yield frames[0]
        raise SystemExit("gone")

    with seg.watch({"broken": broken(), "good": frames, "leaves": leaves()}) as cameras:
        seen = [one.source for one in cameras]
        stats = cameras.stats()
    assert (seen.count("broken"), seen.count("good"), seen.count("leaves")) == (3, len(frames), 1)
    assert stats["broken"].last_error == "the cable is out"
    assert stats["leaves"].last_error == "gone (SystemExit)"
    assert stats["good"].last_error is None
    assert all(source.state == "ended" and source.reconnects == 0 for source in stats.values())


def test_a_function_is_opened_again_and_indices_and_times_go_on() -> None:
    network, openings = Network(), []
    network.at_once = True

    def camera() -> Iterator[np.ndarray]:
        openings.append(time.monotonic())
        if len(openings) == 2:
            raise OSError("not there yet")
        yield from [BLANK] * 3
        if len(openings) == 1:
            raise OSError("lost")

    with network.watch({"camera": camera}) as cameras:
        seen = [(one.index, one.time_s) for one in cameras]
        stats = cameras.stats()["camera"]
    assert [index for index, _ in seen] == list(range(6))
    assert all(a < b for (_, a), (_, b) in pairwise(seen))
    assert seen[3][1] >= 0.7  # the delays were 0.25 s and 0.5 s
    assert (stats.reconnects, stats.state, stats.last_error) == (2, "ended", "not there yet")


def test_patience_ends_and_says_so() -> None:
    def dead() -> Iterator[np.ndarray]:
        raise OSError("no route to host")
        yield

    network = Network()
    network.at_once = True
    with network.watch({"dead": dead, "good": [BLANK]}, patience_s=0.3) as cameras:
        assert [one.source for one in cameras] == ["good"]
        stats = cameras.stats()["dead"]
    assert stats.last_error == "no route to host; no frame came for 0.3 s, so it was given up"
    assert (stats.state, stats.reconnects, stats.read) == ("ended", 2, 0)
    sentence = r"^no source gave a frame: dead: no route to host; .*; empty: it is empty$"
    with pytest.raises(rfseg.InputError, match=sentence), network.watch({"dead": dead, "empty": []}, patience_s=0) as c:
        list(c)


def test_a_frame_that_the_network_refuses_is_counted(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    clip = [frames[0], frames[1].astype(np.float32), frames[2]]
    with seg.watch([clip, frames[:2]], policy="all") as cameras:
        assert sorted((one.number, one.index) for one in cameras) == [(0, 0), (0, 2), (1, 0), (1, 1)]
        stats = cameras.stats()["source 0"]
    assert (stats.read, stats.done, stats.failed) == (3, 2, 1)
    assert "float32" in str(stats.last_error)


@pytest.mark.parametrize("error", [rfseg.BackendError("lost"), rfseg.CudaError("lost"), rfseg.Error("closed")])
@pytest.mark.parametrize("later", [False, True])
def test_what_nothing_can_follow_is_raised(error: rfseg.Error, later: bool) -> None:
    def submit(frame: Any) -> Future[Any]:
        if not later:
            raise error
        future: Future[Any] = Future()
        future.set_exception(error)
        return future

    with Cameras(feeds_of([[BLANK] * 9, [BLANK] * 9]), submit, slots=2) as cameras:
        with pytest.raises(rfseg.Error) as raised:
            list(cameras)
        assert raised.value is error
        assert all(stats.pending == 0 and adds_up(stats) for stats in cameras.stats().values())


def endless(frames: list[np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        yield from frames


@pytest.mark.parametrize("way", ["break", "raise", "return", "throw away"])
@pytest.mark.parametrize("policy", ["all", "latest"])
def test_nothing_is_left_when_the_loop_is(
    way: str, policy: Any, seg: rfseg.Segmenter, frames: list[np.ndarray]
) -> None:
    cameras = seg.watch([endless(frames), endless(frames[4:])], policy=policy)

    def leave() -> None:
        for number, _ in enumerate(cameras):
            if number == 5:
                if way == "raise":
                    raise ValueError("enough")
                if way == "return":
                    return
                break

    if way == "raise":
        with pytest.raises(ValueError, match="enough"), cameras:
            leave()
    elif way == "throw away":
        next(iter(cameras))
    else:
        leave()
    until(lambda: threads() == [])
    stats = cameras.stats().values()
    assert all(source.pending == 0 and adds_up(source) for source in stats)
    assert sum(source.done for source in stats) == (1 if way == "throw away" else 6)
    before = seg.info["frames"]
    seg.infer(frames[0])
    assert seg.info["frames"] == before + 1  # nothing of it was still in flight
    assert cameras.close()


def test_close_from_another_thread_ends_the_loop() -> None:
    network, gate = Network(), threading.Event()

    def stuck() -> Iterator[np.ndarray]:
        yield BLANK
        gate.wait(60)

    cameras = network.watch([stuck()])
    closed: list[bool] = []
    closer = threading.Thread(target=lambda: (network.sent.acquire(), closed.append(cameras.close())))  # type: ignore[func-returns-value]
    closer.start()
    assert list(cameras) == []
    closer.join()
    assert network.futures[0].cancelled()
    assert closed == [False]  # the source hangs
    gate.set()
    until(lambda: threads() == [])
    stats = cameras.stats()["source 0"]
    assert (stats.read, stats.dropped, stats.pending) == (1, 1, 0)
    assert cameras.close()


def test_a_segmenter_that_is_closed_ends_the_loop(frames: list[np.ndarray]) -> None:
    with rfseg.Segmenter(DEMO_MODEL) as seg, seg.watch([endless(frames)]) as cameras:
        with pytest.raises(rfseg.Error, match="this Segmenter is closed"):
            for one in cameras:
                if one.index == 3:
                    seg.close()
        assert cameras.stats()["source 0"].pending == 0


def test_ctrl_c_reaches_a_loop_that_waits() -> None:
    network, gate = Network(), threading.Event()

    def stuck() -> Iterator[np.ndarray]:
        yield BLANK
        gate.wait(60)

    def interrupt() -> None:
        network.sent.acquire()
        os.kill(os.getpid(), signal.SIGINT)
        gate.set()

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    cameras = network.watch([stuck()])
    with pytest.raises(KeyboardInterrupt), cameras:
        list(cameras)
    interrupter.join()
    assert network.futures[0].cancelled()
    assert cameras.stats()["source 0"].pending == 0


def test_streams_and_tickets_of_others_take_turns(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    expected = seg.infer(frames[0])
    seg.submit(frames[0])
    with seg.watch([frames, frames]) as cameras:
        for number, _ in enumerate(cameras):
            if number == 4:
                assert seg.collect() == expected  # not a frame of the cameras
                with pytest.raises(rfseg.InputError, match="nothing was submitted"):
                    seg.collect()
            if number == 6:
                assert len(list(seg.stream(frames[:3]))) == 3
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
