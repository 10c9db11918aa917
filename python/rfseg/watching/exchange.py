"""The schedule between threads: one lock, and for each side that waits a condition of its own.

Readers bring frames, one thread sends them, the network's threads bring answers, and the caller takes them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Condition, Lock
from typing import Any

from rfseg.watching.schedule import Item, Schedule
from rfseg.watching.stats import SourceStats, State

clock = time.monotonic  # of all ages


class Exchange:
    """A Schedule that any thread may use.

    Attributes:
        stopped: nothing is brought, sent or taken any more.
        failure: why, where nothing can follow: the device is lost, or the Segmenter was closed.
    """

    def __init__(self, latest: Sequence[bool], slots: int, max_age_s: float) -> None:
        self.stopped = False
        self.failure: BaseException | None = None
        self._schedule = Schedule(latest, slots, max_age_s)
        lock = Lock()
        self._lock, self._sender, self._taker = lock, Condition(lock), Condition(lock)
        self._readers = [Condition(lock) for _ in latest]

    def bring(self, item: Item) -> bool:
        """A frame was read. Waits while its source has no room; False: stop reading."""
        with self._lock:
            while not self.stopped and not self._schedule.has_room(item.source):
                self._readers[item.source].wait()
            if self.stopped:
                return False
            self._schedule.arrive(item)
            self._wake()
            return True

    def send(self) -> Item | None:
        """The next frame for the network. Waits for one; None: stop sending."""
        with self._lock:
            while not self.stopped:
                if (item := self._schedule.send(clock())) is not None:
                    self._readers[item.source].notify()
                    return item
                self._sender.wait()
        return None

    def answer(self, item: Item, result: Any, reason: str | None = None) -> None:
        """The network has answered, or refused the frame for `reason`."""
        with self._lock:
            if reason is None:
                self._schedule.finish(item, result)
            else:
                self._schedule.fail(item, reason)
            self._wake()
            if self._schedule.may_take or self._over():
                self._taker.notify()

    def take(self, timeout_s: float) -> tuple[Item, float] | None:
        """The next result and its age in seconds. Waits, at most `timeout_s`; None: see `over`."""
        with self._lock:
            for last in (False, True):
                now_s = clock()
                if not self.stopped and (item := self._schedule.take(now_s)) is not None:
                    self._wake()
                    return item, now_s - item.read_s
                if last or self._over():
                    break
                self._taker.wait(timeout_s)
        return None

    def _wake(self) -> None:
        """Waking the sender for nothing costs a switch of threads a frame."""
        if self._schedule.may_send:
            self._sender.notify()

    def over(self) -> bool:
        """Nothing more will come."""
        with self._lock:
            return self._over()

    def _over(self) -> bool:
        return self.stopped or self._schedule.over

    def told(self, source: int, state: State, reason: str | None = None) -> None:
        """A source is being read, was lost for `reason`, or has ended."""
        with self._lock:
            if state == "ended":
                self._schedule.end(source, reason)
                self._taker.notify_all()
                return
            counts = self._schedule.counts(source)
            counts.state = state
            counts.last_error = reason or counts.last_error
            counts.reconnects += state == "reconnecting"

    def stop(self, failure: BaseException | None = None) -> None:
        """Wakes and sends home whoever waits."""
        with self._lock:
            self.stopped = True
            self.failure = self.failure or failure
            for waiting in (self._sender, self._taker, *self._readers):
                waiting.notify_all()

    def discard(self) -> list[Item]:
        """Drops what is pending; returns what is in the network."""
        with self._lock:
            return self._schedule.discard()

    def flying(self) -> list[Item]:
        """What is in the network."""
        with self._lock:
            return self._schedule.flying

    def stats(self, names: Sequence[str]) -> dict[str, SourceStats]:
        """All sources at one moment."""
        with self._lock:
            return {name: self._schedule.stats(number, name) for number, name in enumerate(names)}
