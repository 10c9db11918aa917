"""One source through the network and into its files.

The network is fed in the calling thread; drawing, encoding and writing happen in a second thread behind a short queue,
so that they hold the network back only when they are the slower side.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from queue import Queue
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rfseg._core import BackendError, CudaError
from rfseg.causes import cause, file_name
from rfseg.cli.frames import Frame, ImageFrame, Say
from rfseg.cli.outputs import Sink
from rfseg.progress import Progress
from rfseg.result import Result

if TYPE_CHECKING:
    from rfseg.segmenter import Segmenter

_QUEUED = 8  # frames; at 1080p that is 50 MB
_PATIENCE = 3  # frames that fail one after another before their source is given up


@dataclass(slots=True)
class Tally:
    """What was found: frames, instances by class name, wall time until every file was complete."""

    frames: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def segment(
    segmenter: Segmenter,
    frames: Iterator[Frame],
    sinks: list[Sink],
    *,
    progress: Progress,
    stopped: Callable[[], bool],
    report: Say,
    classes: frozenset[int] | None = None,
) -> Tally:
    """Runs every frame and closes the sinks, whatever happens.

    Args:
        segmenter: runs the frames.
        frames: of one source.
        sinks: each gets every frame; one that fails is closed and reported, and the others go on.
        progress: told of every frame.
        stopped: looked at before each frame; once true, the frames in flight are finished and nothing is added.
        report: told of frames that the network refuses, and of files that cannot be written.
        classes: ids to keep; None keeps all.
    """
    tally, started = Tally(), perf_counter()
    with _Behind(sinks, report) as behind:
        for frame, result in _pairs(segmenter, frames, lambda: stopped() or not behind.writing, report):
            kept = result if classes is None else result[np.isin(result.class_id, list(classes))]
            tally.frames += 1
            tally.counts.update(kept.class_name)
            behind.put(frame, kept)
            progress.advance()
    tally.seconds = perf_counter() - started
    return tally


def _pairs(
    segmenter: Segmenter, frames: Iterator[Frame], stopped: Callable[[], bool], report: Say
) -> Iterator[tuple[Frame, Result]]:
    """Results come in the order of the frames, so the frame of a result, or of a failure, is the oldest that waits."""
    waiting: deque[Frame] = deque()
    source_errors: list[Exception] = []

    def pixels(some: Iterator[Frame]) -> Iterator[NDArray[np.uint8]]:
        try:
            for frame in some:
                if stopped():
                    return
                waiting.append(frame)
                yield frame.pixels
        except Exception as error:
            source_errors.append(error)

    failures = 0
    while True:
        again, feed = list(waiting), frames
        waiting.clear()
        try:
            for result in segmenter.stream(pixels(chain(again, feed))):
                failures = 0
                yield waiting.popleft(), result
            break
        except (BackendError, CudaError):
            raise
        except Exception as error:
            failures += 1
            if not waiting or failures == _PATIENCE:
                raise
            report(f"{_name(waiting.popleft())}: {cause(error)}; the others are not affected")
    if source_errors:
        raise source_errors[0]


def _name(frame: Frame) -> str:
    return file_name(frame.path) if isinstance(frame, ImageFrame) else f"frame {frame.index}"


class _Behind:
    """Writes to sinks in a thread of its own, in order.

    Attributes:
        writing: at least one sink still takes frames.
    """

    def __init__(self, sinks: list[Sink], report: Say) -> None:
        self.writing = bool(sinks)
        self._open, self._report = list(sinks), report
        self._queue: Queue[tuple[Frame, Result] | None] = Queue(_QUEUED)
        self._thread = Thread(target=self._loop, name="rfseg-write")

    def put(self, frame: Frame, result: Result) -> None:
        """Waits while the queue is full."""
        self._queue.put((frame, result))

    def __enter__(self) -> _Behind:
        try:
            self._thread.start()
        except RuntimeError:  # no more threads
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()
        self._close()

    def _loop(self) -> None:
        while (item := self._queue.get()) is not None:
            for sink in list(self._open):
                try:
                    sink.write(*item)
                except Exception as error:
                    self._report(f"{file_name(sink.path)} breaks off: {cause(error)}")
                    self._open.remove(sink)
                    self.writing = bool(self._open)
                    self._try_to_close(sink, failed=True)

    def _close(self) -> None:
        for sink in self._open:
            self._try_to_close(sink)
        self._open = []

    def _try_to_close(self, sink: Sink, *, failed: bool = False) -> None:
        try:
            sink.close()
        except Exception as error:
            if not failed:
                self._report(f"{file_name(sink.path)} is not complete: {cause(error)}")
