"""Job: one segmenter and one folder, for one source after another; whatever one of them raises, the next one follows.

Counts what was left out and says it, in the summary of its source and at the end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from rfseg import progress as progress_of
from rfseg._core import BackendError, CudaError
from rfseg.causes import cause, file_name
from rfseg.cli.ahead import StoppedError
from rfseg.cli.common import EXIT_BACKEND, EXIT_INPUT, EXIT_OK, Stems, counted
from rfseg.cli.frames import EVERYTHING, Choice, Opened, Say, behind, opened
from rfseg.cli.outputs import SUFFIXES, Place, Sink, sinks_for
from rfseg.cli.resume import NOTHING, Kept, is_complete, kept, kept_pictures, replay
from rfseg.cli.segment import Tally, segment
from rfseg.cli.signals import Interrupt
from rfseg.formats.coco_files import CocoLike, CocoResults
from rfseg.missing import MissingExtraError
from rfseg.printable import printable
from rfseg.sources import Images, Source
from rfseg.terminal import answer, say

if TYPE_CHECKING:
    from rfseg.segmenter import Segmenter
    from rfseg.watching import SourceStats


@dataclass(frozen=True, slots=True)
class Wish:
    """What a job makes of each source: the files of `saves`, with the classes of `classes` (None: all).

    With a `like`, COCO files are results in the ids of that ground truth. `encoder` is that of annotated videos.
    `resume`: what an earlier run left in the folder is gone on with.
    """

    saves: tuple[str, ...]
    progress: str = "auto"
    encoder: str = "libx264"
    resume: bool = False
    classes: frozenset[int] | None = None
    like: CocoLike | None = None


class Job:
    """Takes sources.

    Attributes:
        left_out: pictures, frames, files and sources that are missing so far.
        code: the exit code for that.
        segmenter: runs the frames.
        classes: ids to keep, or None.
        resumes: goes on with what an earlier run left.
        stems: of the files in the folder.
        progress: the display.
    """

    def __init__(self, segmenter: Segmenter, folder: Path, wish: Wish, interrupt: Interrupt) -> None:
        self.left_out = 0
        self.code = EXIT_OK
        self.segmenter, self.classes, self.resumes = segmenter, wish.classes, wish.resume
        self.stems, self.progress = Stems(SUFFIXES), progress_of.make(wish.progress)
        self._folder, self._wish, self._interrupt = folder, wish, interrupt
        self._counting = Lock()  # readers and writers report too

    def report(self, sentence: str) -> None:
        """Prints a sentence about something that is missing, and counts it."""
        with self._counting:
            self.left_out += getattr(sentence, "left_out", 1)  # of a Damage
            self.code = self.code or EXIT_INPUT
        self.note(sentence)

    def note(self, sentence: str) -> None:
        """Prints a sentence about something that is not as one would expect; nothing is missing for it."""
        say(f"rfseg: {sentence}")

    def take(self, source: Source, choice: Choice = EVERYTHING) -> None:
        """Segments a source, writes its files and prints its summary.

        Raises:
            BackendError, CudaError: the device is lost, so that nothing can follow.
        """
        before = self.left_out
        try:
            done = self._segment(source, choice)
        except StoppedError:
            return
        except (BackendError, CudaError):
            raise
        except Exception as error:
            self.failed(source, error)
            return
        if done is not None:
            self.completed(source, *done, self.left_out - before)

    def finish(self) -> int:
        """Says how much was left out, and returns the exit code."""
        if self._interrupt.wanted:
            say("rfseg: stopped; the files are complete up to here")
            return self._interrupt.code
        if self.left_out:
            say(f"rfseg: {self.left_out} left out, see above")
        return self.code

    def stopped(self) -> bool:
        """Whether a signal asked for the end."""
        return self._interrupt.wanted

    def sinks_of(self, source: Source, stem: str, opened: Opened, report: Say, before: Kept = NOTHING) -> list[Sink]:
        """The files about a source that are wanted, going on behind what an earlier run left."""
        wish = self._wish
        place = Place(source, self._folder, stem, self.segmenter.names, wish.like, wish.encoder, before)
        sinks = sinks_for(place, opened, wish.saves, report=report, note=self.note)
        replay(before, sinks)
        return sinks

    def _segment(self, source: Source, choice: Choice) -> tuple[Tally, list[Sink]] | None:
        stem = self.stems.claim(source.stem)
        pictures = self._pictures_before(source, stem, choice)
        choice = replace(choice, done=frozenset(path for _, path, _ in pictures.pictures))
        with opened(source, self.report, choice, note=self.note, stopped=self.stopped) as whole:
            before = pictures if isinstance(source, Images) else self._before(source, stem, whole.total)
            if before is None:
                return None
            frames = behind(whole, before.last_index, before.frames)
            sinks = self.sinks_of(source, stem, frames, self.report, before)
            self.progress.begin(printable(source.name), frames.total)
            try:
                tally = segment(
                    self.segmenter,
                    frames,
                    sinks,
                    progress=self.progress,
                    stopped=self.stopped,
                    report=self.report,
                    classes=self.classes,
                )
            finally:
                self.progress.end()
        return tally, sinks

    def _pictures_before(self, source: Source, stem: str, choice: Choice) -> Kept:
        if not self._wish.resume or not isinstance(source, Images):
            return NOTHING
        before = kept_pictures(self._folder, stem, source, choice.stride, self._wish.saves)
        if before.pictures:
            self.note(f"{printable(source.name)}: {before.frames} pictures are done already")
        return before

    def _before(self, source: Source, stem: str, total: int | None) -> Kept | None:
        """What an earlier run left; None where nothing is left to do."""
        if not self._wish.resume:
            return NOTHING
        saves = self._wish.saves
        if is_complete(self._folder, stem, total, saves):
            self.note(f"{printable(source.name)} is complete already")
            return None
        before = kept(self._folder, stem, saves)
        if before.frames:
            copied = "; the copy's packets are kept as they are" if before.copy else ""
            done = f"behind frame {before.last_index}, {before.frames} done{copied}"
            self.note(f"{printable(source.name)} goes on {done}")
        return before

    def failed(self, source: Source, error: Exception) -> None:
        """Says why nothing, or nothing more, came of a source."""
        if isinstance(error, MissingExtraError):
            self.code = EXIT_BACKEND
        sentence = cause(error) if isinstance(error, ImportError) else f"{printable(source.name)}: {cause(error)}"
        sentence = str(error) if _names_itself(error) else sentence
        self.report(sentence)
        if self._wish.progress == "json":
            event = {"event": "failed", "source": printable(source.name), "error": printable(sentence)}
            answer(json.dumps(event))

    def completed(
        self, source: Source, tally: Tally, sinks: list[Sink], left_out: int, stats: SourceStats | None = None
    ) -> None:
        """Prints the summary of a source whose files are complete; `stats` where it was watched."""
        for sink in sinks:
            if isinstance(sink, CocoResults):
                left_out += self._tell_unknown(sink)
        try:
            self._summarise(source.name, tally, [sink.path for sink in sinks if sink.path.exists()], left_out, stats)
        except OSError as error:
            self.report(f"the summary cannot be printed: {cause(error)}")

    def _tell_unknown(self, sink: CocoResults) -> int:
        for sentence in sink.left_out():
            self.note(sentence)
        if sink.unknown:
            self.left_out += sink.unknown
            self.code = self.code or EXIT_INPUT
        return sink.unknown

    def _summarise(self, name: str, tally: Tally, files: list[Path], left_out: int, stats: SourceStats | None) -> None:
        rate = tally.frames / tally.busy.seconds
        if self._wish.progress == "json":
            event = {
                "event": "done",
                "source": printable(name),
                "frames": tally.frames,
                "instances": tally.counts.total(),
                "classes": dict(tally.counts),
                "left_out": left_out,
                "seconds": round(tally.busy.seconds, 3),
                "frames_per_second": round(rate, 2),
                "limit": tally.busy.limit,
                "busy": {name: round(share, 3) for name, share in tally.busy.shares().items()},
                "processors": round(tally.busy.processors, 2),
                "files": [file_name(path) for path in files],
            }
            if stats is not None:
                del event["limit"], event["busy"]  # the network was busy with other sources too
                event |= progress_of.numbers(stats)
            answer(json.dumps(event))
            return
        frames = f"{tally.frames} frame{'' if tally.frames == 1 else 's'}"
        missing = f", {left_out} left out" if left_out else ""
        limit = f", {tally.busy.sentence()}" if tally.frames > 1 and stats is None else ""
        if stats is not None:
            missing += f", {progress_of.words(stats)}"
        written = ", ".join(map(file_name, files)) or "nothing written"
        answer(f"{name}: {frames}, {counted(tally.counts)}{missing}, {rate:.1f} frames/s{limit} -> {written}")


def _names_itself(error: Exception) -> bool:
    """Rfseg's own sentences say what they are about."""
    from rfseg import Error

    return isinstance(error, (Error, MissingExtraError))
