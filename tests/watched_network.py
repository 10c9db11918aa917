"""What tests of `Segmenter.watch` with real threads share: a network that answers when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np

from rfseg.watching import Cameras, SourceStats
from rfseg.watching.feeds import feeds_of

BLANK = np.zeros((8, 8, 3), np.uint8)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("rfseg watch")]


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


def endless(frames: list[np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        yield from frames
