"""The loop of `Segmenter.stream`: frames from any iterable, results in order and as soon as they are done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfseg import _core
    from rfseg.result import Result


class _Pace:
    """Tells a source that makes us wait from one that only comes when it is asked.

    A source that waits (a camera, a paced generator) goes on by itself: to wait for results before asking it again
    costs nothing, and they leave at once. A source that works (a decoder in this thread) stands still meanwhile, so
    results are then fetched beside it. What tells them apart is time that passes without this thread's processor.
    """

    def __init__(self) -> None:
        self.slow = True  # until there is a result to compare with: the first comes before the second frame
        self._idle_s = 0.0  # in the last pull
        self._waited_s = 0.0  # for results since then
        self._infer_s: float | None = None

    def pull(self, frames: Iterator[Any]) -> Any:
        """The next frame."""
        begin, worked = time.perf_counter(), time.thread_time()
        try:
            return next(frames)
        finally:
            self._idle_s = (time.perf_counter() - begin) - (time.thread_time() - worked)
            self._waited_s = 0.0
            self._judge()

    def take(self, ticket: _core.Ticket, result_of: Callable[[_core.Columns], Result]) -> Result:
        """The ticket's result."""
        begin = time.perf_counter()
        result = result_of(ticket.take())
        self._waited_s += time.perf_counter() - begin
        self._infer_s = sum(result.speed.values()) / 1e3
        self._judge()
        return result

    def _judge(self) -> None:
        if self._infer_s is not None:
            self.slow = self._idle_s > 0.05 * self._infer_s and self._idle_s + self._waited_s >= self._infer_s


def stream(
    frames: Iterator[Any],
    submit: Callable[[Any], _core.Ticket],
    result_of: Callable[[_core.Columns], Result],
    in_flight: int,
    with_frames: bool,
) -> Iterator[Any]:
    """Yields one Result a frame, or pairs (frame, Result).

    What `frames` raises, KeyboardInterrupt too, comes after the results of the frames before it. When the generator is
    left, frames in flight are cancelled or waited for.
    """
    waiting: deque[tuple[_core.Ticket, Any]] = deque()
    pace = _Pace()
    failure: BaseException | None = None

    def next_result() -> Any:
        ticket, frame = waiting.popleft()
        result = pace.take(ticket, result_of)
        return (frame, result) if with_frames else result

    try:
        while failure is None:
            while waiting and (pace.slow or len(waiting) >= in_flight or waiting[0][0].ready()):
                yield next_result()
            try:
                frame = pace.pull(frames)
            except StopIteration:
                break
            except BaseException as error:
                failure = error
                break
            try:
                ticket = submit(frame)
            except Exception as error:
                failure = error
            else:
                waiting.append((ticket, frame if with_frames else None))
                del frame
        while waiting:
            yield next_result()
    finally:
        for ticket, _frame in waiting:
            if not ticket.cancel():
                ticket.wait()
    if failure is not None:
        raise failure
