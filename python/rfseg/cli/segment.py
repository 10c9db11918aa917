"""One source through the network and into its files.

Reading happens in the calling thread, which also feeds the network; drawing, encoding and writing happen in a second
thread behind a short queue, so that they hold the network back only when they are the slower side.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import Queue
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rfseg.cli.frames import Frame
from rfseg.cli.outputs import Sink
from rfseg.progress import Progress
from rfseg.result import Result

if TYPE_CHECKING:
    from rfseg.segmenter import Segmenter

_QUEUED = 8  # frames; at 1080p that is 50 MB


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
    classes: frozenset[int] | None = None,
) -> Tally:
    """Runs every frame and closes the sinks, whatever happens.

    Args:
        segmenter: runs the frames.
        frames: of one source.
        sinks: each gets every frame.
        progress: told of every frame.
        stopped: looked at before each frame; once true, the frames in flight are finished and nothing is added.
        classes: ids to keep; None keeps all.
    """
    tally, started = Tally(), perf_counter()
    with ExitStack() as closing:
        for sink in sinks:
            closing.callback(sink.close)
        behind = closing.enter_context(_Behind(sinks))
        for frame, result in _pairs(segmenter, frames, stopped):
            kept = result if classes is None else result[np.isin(result.class_id, list(classes))]
            tally.frames += 1
            tally.counts.update(kept.class_name)
            behind.put(frame, kept)
            progress.advance()
    tally.seconds = perf_counter() - started
    return tally


def _pairs(
    segmenter: Segmenter, frames: Iterator[Frame], stopped: Callable[[], bool]
) -> Iterator[tuple[Frame, Result]]:
    """Results come in the order of the frames, so the frame of a result is the oldest that waits."""
    waiting: deque[Frame] = deque()

    def pixels() -> Iterator[NDArray[np.uint8]]:
        for frame in frames:
            if stopped():
                return
            waiting.append(frame)
            yield frame.pixels

    for result in segmenter.stream(pixels()):
        yield waiting.popleft(), result


class _Behind:
    """Writes to sinks in a thread of its own, in order. What they raise comes out of the next `put`, or at the end."""

    def __init__(self, sinks: list[Sink]) -> None:
        self._sinks = sinks
        self._queue: Queue[tuple[Frame, Result] | None] = Queue(_QUEUED)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._loop, name="rfseg-write")

    def put(self, frame: Frame, result: Result) -> None:
        """Waits while the queue is full."""
        if self._error is not None:
            raise self._error
        self._queue.put((frame, result))

    def __enter__(self) -> _Behind:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def _loop(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._error is None:  # after an error the queue is only emptied: nobody may wait for room for ever
                try:
                    for sink in self._sinks:
                        sink.write(*item)
                except BaseException as error:
                    self._error = error
