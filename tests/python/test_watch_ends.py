"""How `Segmenter.watch` ends: sources that fail and come back, networks that fail, loops that are left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import rfseg
from paths import DEMO_MODEL
from rfseg.watching import Cameras
from rfseg.watching.feeds import feeds_of
from waiting import until
from watched_network import BLANK, Network, adds_up, endless, threads

pytestmark = pytest.mark.usefixtures("no_watching_thread_stays")


def test_a_source_that_fails_ends_alone(quick: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from frames[:3]
        raise OSError("the cable is out")

    def leaves() -> Iterator[np.ndarray]:
        yield frames[0]
        raise SystemExit("gone")

    with quick.watch({"broken": broken(), "good": frames, "leaves": leaves()}) as cameras:
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
    with network.watch({"dead": dead, "good": [BLANK]}, patience_s=0.7) as cameras:
        assert [one.source for one in cameras] == ["good"]
        stats = cameras.stats()["dead"]
    assert stats.last_error == "no route to host; no frame came for 0.7 s, so it was given up"
    assert (stats.state, stats.reconnects, stats.read) == ("ended", 2, 0)
    sentence = r"^no source gave a frame: dead: no route to host; .*; empty: it is empty$"
    with pytest.raises(rfseg.InputError, match=sentence), network.watch({"dead": dead, "empty": []}, patience_s=0) as c:
        list(c)


def test_a_frame_that_the_network_refuses_is_counted(quick: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    clip = [frames[0], frames[1].astype(np.float32), frames[2]]
    with quick.watch([clip, frames[:2]], policy="all") as cameras:
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


@pytest.mark.parametrize("way", ["break", "raise", "return", "throw away"])
@pytest.mark.parametrize("policy", ["all", "latest"])
def test_nothing_is_left_when_the_loop_is(
    way: str, policy: Any, quick: rfseg.Segmenter, frames: list[np.ndarray]
) -> None:
    cameras = quick.watch([endless(frames), endless(frames[4:])], policy=policy)

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
    before = quick.info["frames"]
    quick.infer(frames[0])
    assert quick.info["frames"] == before + 1  # nothing of it was still in flight
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

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background ignores it
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    cameras = network.watch([stuck()])
    try:
        with pytest.raises(KeyboardInterrupt), cameras:
            list(cameras)
    finally:
        signal.signal(signal.SIGINT, before)
    interrupter.join()
    assert network.futures[0].cancelled()
    assert cameras.stats()["source 0"].pending == 0
