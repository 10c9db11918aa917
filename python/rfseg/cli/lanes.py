"""What becomes of results behind the network: drawn in any order by several threads, written in order by one a lane.

A lane is a short queue in front of some sinks, so that each holds the network back only when it is the slowest stage.
One sink that fails ends, and the others go on. Knows nothing of formats.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from threading import Thread
from typing import Any

from rfseg.causes import cause, file_name
from rfseg.cli.frames import Frame, Say
from rfseg.cli.outputs import DrawingSink, Sink
from rfseg.cli.stages import PROCESSORS, Busy, Stage
from rfseg.result import Result

_QUEUED = 4  # frames, and one more for each drawing thread; at 1080p 9 MB each
_DRAWING = min(PROCESSORS, 8)  # threads; four keep up with any encoder


class Lanes:
    """The sinks of one source at work, from `with` on; leaving it completes every file."""

    def __init__(self, sinks: list[Sink], report: Say, busy: Busy) -> None:
        """Starts nothing.

        Args:
            sinks: each gets every frame; one that fails is closed and reported.
            report: told, in a lane's thread, of files that cannot be written.
            busy: gets the stages.
        """
        drawing = [sink for sink in sinks if isinstance(sink, DrawingSink)]
        records = [sink for sink in sinks if not isinstance(sink, DrawingSink)]
        self._pool = ThreadPoolExecutor(_DRAWING, "rfseg-draw") if drawing else None
        drawn = busy.stage("draw", _DRAWING) if drawing else None
        self._lanes = [_Lane([sink], report, busy.stage(sink.stage), self._drawer(sink, drawn)) for sink in drawing]
        if records:
            self._lanes.append(_Lane(records, report, busy.stage("write")))
        self._started: list[_Lane] = []

    def _drawer(self, sink: DrawingSink, drawn: Stage | None) -> Callable[[Frame, Result], Future[Any]]:
        pool = self._pool
        assert pool is not None
        assert drawn is not None

        def draw(frame: Frame, result: Result) -> Any:
            with drawn.at_work():
                return sink.draw(frame, result)

        return lambda frame, result: pool.submit(draw, frame, result)

    @property
    def writing(self) -> bool:
        """At least one sink still takes frames."""
        return any(lane.open for lane in self._lanes)

    def put(self, frame: Frame, result: Result) -> None:
        """Waits while a lane's queue is full."""
        for lane in self._lanes:
            lane.put(frame, result)

    def __enter__(self) -> Lanes:
        try:
            for lane in self._lanes:
                lane.start()
                self._started.append(lane)
        except RuntimeError:  # no more threads
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for lane in self._started:
            lane.finish()
        for lane in self._lanes:
            lane.close()
        if self._pool is not None:
            self._pool.shutdown()


class _Lane:
    """Some sinks behind one queue.

    Attributes:
        open: the sinks that still take frames.
    """

    def __init__(
        self, sinks: list[Any], report: Say, stage: Stage, draw: Callable[[Frame, Result], Future[Any]] | None = None
    ) -> None:
        self.open = sinks
        self._report, self._stage, self._draw = report, stage, draw
        self._queue: Queue[tuple[Any, ...] | None] = Queue(_QUEUED + (_DRAWING if draw else 0))
        self._thread = Thread(target=self._loop, name=f"rfseg-{stage.name}")

    def start(self) -> None:
        """Raises RuntimeError where the system gives no more threads."""
        self._thread.start()

    def put(self, frame: Frame, result: Result) -> None:
        """Waits while the queue is full."""
        if self.open:
            self._queue.put((frame, result) if self._draw is None else (frame, self._draw(frame, result)))

    def finish(self) -> None:
        """Waits until everything is written."""
        self._queue.put(None)
        self._thread.join()

    def close(self) -> None:
        """Completes the files. May be called twice."""
        with self._stage.at_work():
            for sink in self.open:
                self._try_to_close(sink)
        self.open = []

    def _loop(self) -> None:
        while (item := self._queue.get()) is not None:
            frame, made = item
            if isinstance(made, Future):
                made.exception()  # waits; it comes out again below
            with self._stage.at_work():
                for sink in list(self.open):
                    try:
                        sink.write(frame, made.result() if isinstance(made, Future) else made)
                    except Exception as error:
                        self._report(f"{file_name(sink.path)} breaks off: {cause(error)}")
                        self.open.remove(sink)
                        self._try_to_close(sink, failed=True)

    def _try_to_close(self, sink: Sink, *, failed: bool = False) -> None:
        try:
            sink.close()
        except Exception as error:
            if not failed:
                self._report(f"{file_name(sink.path)} is not complete: {cause(error)}")
