"""One source through the network and into its files: reading, network, drawing, encoding and writing at once.

The network is fed in the calling thread. Frames are read ahead of it (cli/ahead) and written behind it (cli/lanes), so
that whatever is slowest is what a run takes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from rfseg._core import BackendError, CudaError
from rfseg.causes import cause, file_name
from rfseg.cli.frames import Frame, ImageFrame, Opened, Say
from rfseg.cli.lanes import Lanes
from rfseg.cli.outputs import Sink
from rfseg.cli.stages import Busy, Stage
from rfseg.progress import Progress
from rfseg.result import Result
from rfseg.video.decoded import Image

if TYPE_CHECKING:
    from rfseg.segmenter import Segmenter

PATIENCE = 3  # frames that fail one after another before their source is given up


@dataclass(slots=True)
class Tally:
    """What was found: frames, instances by class name, and how busy each stage was until every file was complete."""

    frames: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    busy: Busy = field(default_factory=Busy)

    def take(self, result: Result, classes: frozenset[int] | None) -> Result:
        """Counts a frame; returns the result with the `classes` that are kept, None: all."""
        kept = result if classes is None else result[np.isin(result.class_id, list(classes))]
        self.frames += 1
        self.counts.update(kept.class_name)
        return kept


def segment(
    segmenter: Segmenter,
    opened: Opened,
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
        opened: the frames of one source.
        sinks: each gets every frame; one that fails is closed and reported, and the others go on.
        progress: told of every frame.
        stopped: looked at before each frame; once true, the frames in flight are finished and nothing is added.
        report: told of frames that the network refuses, and of files that cannot be written.
        classes: ids to keep; None keeps all.
    """
    tally = Tally()
    tally.busy.take(opened.reading)
    network = tally.busy.stage("network")
    with Lanes(sinks, report, tally.busy) as lanes, network.at_work():
        for frame, result in _pairs(segmenter, opened.frames, lambda: stopped() or not lanes.writing, report, network):
            kept = tally.take(result, classes)
            with network.waiting():
                lanes.put(frame, kept)
            progress.advance()
    tally.busy.stop()
    return tally


def _pairs(
    segmenter: Segmenter, frames: Iterator[Frame], stopped: Callable[[], bool], report: Say, network: Stage
) -> Iterator[tuple[Frame, Result]]:
    """Results come in the order of the frames, so the frame of a result, or of a failure, is the oldest that waits."""
    waiting: deque[Frame] = deque()
    source_errors: list[Exception] = []

    def images(some: Iterator[Frame]) -> Iterator[Image]:
        try:
            while True:
                with network.waiting():
                    frame = next(some, None)
                if frame is None or stopped():
                    return
                waiting.append(frame)
                yield frame.image
        except Exception as error:
            source_errors.append(error)

    failures = 0
    while True:
        again, feed = list(waiting), frames
        waiting.clear()
        try:
            for result in segmenter.stream(images(chain(again, feed))):
                failures = 0
                yield waiting.popleft(), result
            break
        except (BackendError, CudaError):
            raise
        except Exception as error:
            failures += 1
            if not waiting or failures == PATIENCE:
                raise
            report(f"{frame_name(waiting.popleft())}: {cause(error)}; the others are not affected")
    if source_errors:
        raise source_errors[0]


def frame_name(frame: Frame) -> str:
    """What a sentence calls it."""
    return file_name(frame.path) if isinstance(frame, ImageFrame) else f"frame {frame.index}"
