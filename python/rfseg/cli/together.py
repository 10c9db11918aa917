"""Several sources at once through one network, and live ones with the latest of their frames: `rfseg run` on watching.

A Channel is what one source has of its own: its files, its counts, its failures. They are written as in a run of its
own, by the same sinks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Literal

from rfseg._core import InputError
from rfseg.causes import cause
from rfseg.cli.frames import Choice, Frame, Opened, items_of
from rfseg.cli.lanes import Lanes
from rfseg.cli.outputs import Sink
from rfseg.cli.segment import PATIENCE, Tally, frame_name
from rfseg.patience import Away
from rfseg.printable import printable
from rfseg.sources import Source, Video
from rfseg.watching import SourceStats, Watched
from rfseg.watching.feeds import is_live

if TYPE_CHECKING:
    from rfseg.cli.job import Job


@dataclass(frozen=True, slots=True)
class Watching:
    """How sources are watched: their policy (None: `latest` of live ones), and seconds to wait for one that is lost."""

    policy: Literal["all", "latest"] | None
    patience_s: float

    def watches(self, source: Source) -> bool:
        """Whether it is watched even where it is alone: it may be lost, or not every frame of it is wanted."""
        return self.policy == "latest" or _is_live(source)


def together(job: Job, sources: Sequence[Source], choice: Choice, watching: Watching) -> None:
    """Segments sources at once, writes their files and prints their summaries, in the order of the sources.

    Raises:
        BackendError, CudaError: the device is lost, so that nothing can follow.
    """
    channels = [Channel(job, source, choice) for source in sources]

    def refused(number: int, frame: Frame, error: Exception) -> None:
        channels[number].refuse(frame, error)

    cameras = job.segmenter._cameras(
        channels,
        picture=lambda frame: frame.image,
        policy=watching.policy,
        patience_s=watching.patience_s,
        stopped=job.stopped,
        refused=refused,
    )
    name = channels[0].name if len(channels) == 1 else f"{len(channels)} sources"
    job.progress.begin(name, None, lambda: list(cameras.stats().values()))
    try:
        with suppress(InputError), cameras:  # that none gave a frame: each says so itself, below
            for seen in cameras:
                channels[seen.number].put(seen)
                job.progress.advance()
    finally:
        job.progress.end()
        for channel in channels:
            channel.close()
    for channel, stats in zip(channels, cameras.stats().values(), strict=True):
        channel.tell(stats)


class Channel:
    """One of the sources, as a Feed; reader threads call `open` and `again`, the main thread the rest."""

    def __init__(self, job: Job, source: Source, choice: Choice) -> None:
        """Claims the stem of its files; opens nothing."""
        self.name, self.live = printable(source.name), _is_live(source)
        self._job, self._source, self._choice = job, source, choice
        self._stem = job.stems.claim(source.stem)
        self._lanes: Lanes | None = None
        self._sinks: list[Sink] = []
        self._tally = Tally()
        self._left_out: list[int] = []
        self._making, self._closed = Lock(), False
        self._refused = 0  # frames, one after another
        self._ended = False  # nothing more is wanted of it
        self._failure: Exception | None = None

    def open(self, patience_s: float, away: Away) -> Iterator[Frame]:
        """The frames; what was lost is taken up again. Makes the files."""
        choice = self._choice
        if self.live:
            choice = replace(choice, reading={**choice.reading, "patience_s": patience_s, "away": away})
        with closing(items_of(self._source, self._report, self._job.note, choice)) as items:
            opened = next(items)
            assert isinstance(opened, Opened)
            if not self._begin(opened):
                return
            for item in items:
                assert not isinstance(item, Opened)
                yield item
                if self._ended:
                    return

    def again(self, error: Exception | None) -> bool:
        """No: an address that never opened is more likely wrong than late."""
        self._failure = self._failure or error
        return False

    def put(self, seen: Watched) -> None:
        """Takes a result. Waits while a file is behind."""
        assert self._lanes is not None
        self._refused = 0
        if self._ended or not self._lanes.writing:
            self._ended = True
            return
        self._lanes.put(seen.frame, self._tally.take(seen.result, self._job.classes))

    def refuse(self, frame: Frame, error: Exception) -> None:
        """The network refused a frame; the third one after another ends the source."""
        self._refused += 1
        if self._refused == PATIENCE:
            self._failure, self._ended = error, True
        elif self._refused < PATIENCE:
            sentence = f"{self.name}: {frame_name(frame)}: {cause(error)}; the others are not affected"
            self._report(sentence)

    def close(self) -> None:
        """Completes the files; a reader that was left behind makes none any more."""
        with self._making:
            self._closed = True
        if self._lanes is not None:
            self._lanes.__exit__()
            self._tally.busy.stop()

    def tell(self, stats: SourceStats) -> None:
        """Prints why the source failed, or its summary, or both."""
        job = self._job
        if self._failure is not None:
            job.failed(self._source, self._failure)
        if self._lanes is not None and (self._failure is None or self._tally.frames):
            job.completed(self._source, self._tally, self._sinks, sum(self._left_out), stats)

    def _begin(self, opened: Opened) -> bool:
        with self._making:
            if self._closed:
                return False
            self._sinks = self._job.sinks_of(self._source, self._stem, opened, self._report)
            lanes = Lanes(self._sinks, self._report, self._tally.busy)
            lanes.__enter__()
            self._lanes = lanes
        return True

    def _report(self, sentence: str) -> None:
        self._left_out.append(getattr(sentence, "left_out", 1))
        self._job.report(sentence)


def _is_live(source: Source) -> bool:
    return isinstance(source, Video) and is_live(source.address)
