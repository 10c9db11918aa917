"""Reads ahead in a thread of its own, so that a source that stalls holds nobody: who waits can always leave.

A thread that hangs in a decoder for ever is left behind; the program ends without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, Generic, TypeVar

from rfseg.cli.stages import Stage

Item = TypeVar("Item")

_LOOK_S = 0.1  # how often a waiting side looks whether the other one has left
_END = object()
_PATIENCE_S = 2.0  # for a thread that is told to stop; one frame takes less


class StoppedError(Exception):
    """The reader was told to stop while it waited."""


class Ahead(Generic[Item]):
    """The items of an iterator that runs in another thread. What it raises comes out in its place."""

    def __init__(
        self, items: Callable[[], Iterator[Item]], room: int, stopped: Callable[[], bool], stage: Stage
    ) -> None:
        """Starts the thread.

        Args:
            items: makes the iterator, in the thread, which also closes it.
            room: items that may wait.
            stopped: looked at while nothing comes.
            stage: gets the time that the thread does not wait for room.

        Raises:
            RuntimeError: the system gives no more threads.
        """
        self._items, self._stopped, self._stage = items, stopped, stage
        self._queue: Queue[tuple[Any, BaseException | None]] = Queue(room)
        self._end: BaseException | None = None
        self._left = Event()
        self._thread = Thread(target=self._run, name="rfseg-read", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        """Waits for the next item.

        Raises:
            StoppedError: `stopped` became true first.
        """
        if self._end is not None:
            raise self._end
        while True:
            try:
                item, end = self._queue.get(timeout=_LOOK_S)
                break
            except Empty:
                if self._stopped():
                    raise StoppedError from None
        if end is not None:
            self._end = StopIteration()
            raise end
        taken: Item = item
        return taken

    def close(self) -> bool:
        """Tells the thread to stop, and waits for a moment. Returns whether it did."""
        self._left.set()
        self._thread.join(_PATIENCE_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with closing(self._items()) as items:  # type: ignore[type-var]
                while True:
                    with self._stage.at_work():
                        item = next(items, _END)
                    if item is _END or not self._put((item, None)):
                        break
            self._put((None, StopIteration()))
        except BaseException as error:
            self._put((None, error))

    def _put(self, item: tuple[Any, BaseException | None]) -> bool:
        while not self._left.is_set():
            try:
                self._queue.put(item, timeout=_LOOK_S)
                return True
            except Full:
                pass
        return False
