"""Tickets: frames that were submitted, as futures; and the thread that tells of those that are ready."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from rfseg import _core

if TYPE_CHECKING:
    from rfseg.result import Result


class Announcer:
    """Settles tickets when they are ready, on one thread, which starts with the first that is waited for."""

    def __init__(self) -> None:
        self._core = _core.Announcements()
        self._tickets: dict[int, Ticket] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._count = 0

    def watch(self, ticket: Ticket, core: _core.Ticket) -> None:
        """Settles `ticket` as soon as its frame is ready."""
        with self._lock:
            self._count += 1
            number = self._count
            self._tickets[number] = ticket
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rfseg tickets", daemon=True)
                self._thread.start()
        self._core.watch(core, number)

    def stop(self) -> None:
        """Ends the thread; what it was to tell is told no more."""
        self._core.stop()

    def _run(self) -> None:
        while numbers := self._core.next():
            for number in numbers:
                with self._lock:
                    ticket = self._tickets.pop(number)
                ticket._settle()


class Ticket(Future["Result"]):
    """A frame on its way: a `concurrent.futures.Future` of its Result, which asyncio code may also await.

    Attributes:
        tag: what `submit` was given.

    Example:
        >>> ticket = seg.submit(frame, tag="cam3/117")
        >>> ticket.done(), ticket.result(timeout=1)
        >>> results = await asyncio.gather(*[seg.submit(frame) for frame in frames])
    """

    _announced = False

    def __init__(
        self,
        core: _core.Ticket,
        tag: Any,
        result_of: Callable[[_core.Columns], Result],
        announcer: Announcer,
        settled: Callable[[Ticket], None],
    ) -> None:
        super().__init__()
        self.tag = tag
        self._core = core
        self._result_of = result_of
        self._announcer = announcer
        self._settled = settled
        self._settling = threading.Lock()

    def done(self) -> bool:
        """True when the result or the error is there, or the frame was cancelled. Does not wait."""
        if not super().done() and self._core.ready():
            self._settle()
        return super().done()

    def running(self) -> bool:
        """True while the result is awaited."""
        return not self.done()

    def result(self, timeout: float | None = None) -> Result:
        """Returns the Result; waits for it, at most `timeout` seconds.

        Raises:
            TimeoutError: it is not there in time.
            concurrent.futures.CancelledError: the ticket was cancelled.
            Error: what the frame failed with.
        """
        self._wait(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Returns what the frame failed with, None when it did not; waits and raises as `result`."""
        self._wait(timeout)
        return super().exception(0)

    def cancel(self) -> bool:
        """Returns True when the frame had not started and never will."""
        with self._settling:
            if not super().done() and self._core.cancel():
                super().cancel()
                self.set_running_or_notify_cancel()
        self._settled(self)
        return self.cancelled()

    def add_done_callback(self, fn: Callable[[Future[Result]], object]) -> None:
        """Calls `fn(ticket)` once it is done: now if it is, else from a thread of the Segmenter's."""
        super().add_done_callback(fn)
        self._announce()

    def __await__(self) -> Generator[Any, None, Result]:
        """Waits in asyncio code; cancelling the wait cancels the ticket."""
        import asyncio  # not with rfseg: few await, and it is slow to import

        return asyncio.wrap_future(self).__await__()

    @property
    def _waiters(self) -> list[Any]:  # where concurrent.futures.wait and as_completed leave word
        self._announce()
        return self._left_word

    @_waiters.setter
    def _waiters(self, waiters: list[Any]) -> None:
        self._left_word = waiters

    def _announce(self) -> None:
        if self._announced or not hasattr(self, "_settling") or super().done():
            return
        self._announced = True
        self._announcer.watch(self, self._core)

    def _wait(self, timeout: float | None) -> None:
        if not super().done() and self._core.wait(timeout):
            self._settle()

    def _settle(self) -> None:
        """Takes the result, or the error, over. The frame is ready."""
        with self._settling:
            if super().done():
                return
            self._announced = True
            try:
                result = self._result_of(self._core.take())
            except Exception as error:
                self.set_exception(error)
            else:
                self.set_result(result)
        self._settled(self)
