"""Cameras: what `Segmenter.watch` gives. Owns the threads, and ends them however the loop is left."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock, Thread, current_thread
from typing import Any, Literal

from rfseg._core import BackendError, CudaError, Error, InputError
from rfseg.causes import cause
from rfseg.result import Result
from rfseg.watching.exchange import Exchange
from rfseg.watching.feeds import Feed, told_apart
from rfseg.watching.reading import Reader
from rfseg.watching.schedule import Item
from rfseg.watching.stats import SourceStats

_LOOK_S = 0.1  # how often who waits for results looks whether they were to stop
_LEAVE_S = 2.0  # for readers to stop; one that hangs in a decoder or in a caller's generator ends with its next frame

Policy = Literal["all", "latest"]


@dataclass(frozen=True, slots=True)
class Watched:
    """One result of one source.

    Attributes:
        source: its name: a mapping's key, a path, an address without its password, "camera 0", "source 2".
        number: its place among the sources.
        index: of the frame, counted from 0; goes on where a source was opened again.
        time_s: of the frame in its source, seconds; 0 at the first one.
        age_s: seconds since it was read.
        result: what was found.
        frame: as the source gave it: of files, addresses and cameras a `rfseg.video.VideoFrame`.
    """

    source: str
    number: int
    index: int
    time_s: float
    age_s: float
    result: Result
    frame: Any


class Cameras:
    """Many sources through one Segmenter. A loop over it yields `Watched`, until every source has ended.

    Each source has a thread that reads it; one thread sends the frames, taking turns. However the loop is left, no
    frame is in the network afterwards and the threads are gone; only a reader that hangs in a source is not waited for
    longer than 2 s. `close` may be called by any thread.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        submit: Callable[[Any], Future[Result]],
        *,
        slots: int,
        policy: Policy | None = None,
        max_age_s: float = 0.5,
        patience_s: float = 30.0,
        stopped: Callable[[], bool] = lambda: False,
        refused: Callable[[int, Any, Exception], None] = lambda number, frame, error: None,
    ) -> None:
        """Starts nothing. `Segmenter.watch` explains the rest.

        Args:
            feeds: the sources.
            submit: sends a frame to the network.
            slots: frames that the network holds without making `submit` wait.
            policy: of all sources; None: `latest` of live ones, `all` of others.
            max_age_s: as `watch`.
            patience_s: as `watch`.
            stopped: looked at before each result and while none comes; once true, the loop ends.
            refused: told of frames that failed: the source's number, the frame, the error. In any thread.
        """
        if policy not in {None, "all", "latest"}:
            raise InputError(f'policy is {policy!r}: it must be "all", "latest" or None')
        if not max_age_s > 0 or not patience_s >= 0:
            raise InputError(f"max_age_s is {max_age_s} and patience_s {patience_s}: seconds, above 0 and not below 0")
        self._names = told_apart(feed.name for feed in feeds)
        latest = [feed.live if policy is None else policy == "latest" for feed in feeds]
        self._exchange, self._submit = Exchange(latest, slots, max_age_s), submit
        self._stopped, self._refused = stopped, refused
        self._leave, self._starting, self._started = Event(), Lock(), False
        readers = [Reader(number, feed, self._exchange, self._leave, patience_s) for number, feed in enumerate(feeds)]
        self._readers = [reader.thread for reader in readers]
        self._sender = Thread(target=self._send, name="rfseg watch", daemon=True)

    def __iter__(self) -> Iterator[Watched]:
        """Yields results as they come: in order within a source, else whichever is done.

        Raises:
            InputError: no source ever gave a frame; says why of each.
            BackendError, CudaError: the device is lost.
            Error: the Segmenter was closed.
        """
        try:
            self._start()
            while (seen := self._next()) is not None:
                yield seen
        finally:
            self.close()
        if self._exchange.failure is not None:
            raise self._exchange.failure

    def stats(self) -> dict[str, SourceStats]:
        """What became of every source's frames, by the source's name; at any time, from any thread."""
        return self._exchange.stats(self._names)

    def close(self) -> bool:
        """Ends the loop, drops what is pending and waits for the threads. May be called twice.

        Returns:
            Whether all of them have ended; False: one hangs in its source, and ends with its next frame.
        """
        self._exchange.stop()
        self._leave.set()
        with self._starting:
            started = self._started
        if not started:
            return True
        if self._sender is not current_thread():
            self._sender.join()
        for item in self._exchange.discard():
            with contextlib.suppress(Exception):
                if item.ticket is not None and not item.ticket.cancel():
                    item.ticket.exception()
        until = time.monotonic() + _LEAVE_S
        for thread in self._readers:
            if thread.ident is not None and thread is not current_thread():
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._readers)

    def __enter__(self) -> Cameras:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        with self._starting:
            if self._started or self._exchange.stopped:
                return
            self._sender.start()
            self._started = True
            for thread in self._readers:
                thread.start()

    def _next(self) -> Watched | None:
        exchange = self._exchange
        while not self._stopped():
            if (taken := exchange.take(_LOOK_S)) is not None:
                item, age_s = taken
                name = self._names[item.source]
                return Watched(name, item.source, item.index, item.time_s, age_s, item.result, item.frame)
            if exchange.over():
                self._complain_of_nothing()
                break
            self._look()
        return None

    def _look(self) -> None:
        """A Segmenter that is closed announces nothing any more."""
        for item in self._exchange.flying():
            if item.ticket is not None:
                item.ticket.done()

    def _complain_of_nothing(self) -> None:
        stats = self.stats().values()
        if not self._exchange.stopped and not any(source.read for source in stats):
            reasons = "; ".join(f"{source.source}: {source.last_error or 'it is empty'}" for source in stats)
            raise InputError(f"no source gave a frame: {reasons}")

    def _send(self) -> None:
        while (item := self._exchange.send()) is not None:
            try:
                item.ticket = self._submit(item.frame)
            except Exception as error:
                self._failed(item, error)
            else:
                item.ticket.add_done_callback(partial(self._answered, item))

    def _answered(self, item: Item, ticket: Future[Result]) -> None:
        if ticket.cancelled():
            return  # by close
        error = ticket.exception()
        if error is None:
            self._exchange.answer(item, ticket.result())
        elif isinstance(error, Exception):
            self._failed(item, error)

    def _failed(self, item: Item, error: Exception) -> None:
        # A bare Error is of the Segmenter: it was closed. Others are of this frame.
        if isinstance(error, (BackendError, CudaError)) or type(error) is Error:
            self._exchange.stop(error)
            return
        self._exchange.answer(item, None, cause(error))
        if not self._exchange.stopped:
            self._refused(item.source, item.frame, error)
