"""Job: one segmenter and one folder, for one source after another; whatever one of them raises, the next one follows.

Counts what was left out and says it, in the summary of its source and at the end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfseg import progress as progress_of
from rfseg._core import BackendError, CudaError
from rfseg.causes import cause, file_name
from rfseg.cli.ahead import StoppedError
from rfseg.cli.common import EXIT_BACKEND, EXIT_INPUT, EXIT_OK, Stems, counted
from rfseg.cli.frames import EVERYTHING, Choice, behind, opened
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
    """

    def __init__(self, segmenter: Segmenter, folder: Path, wish: Wish, interrupt: Interrupt) -> None:
        self.left_out = 0
        self.code = EXIT_OK
        self._segmenter, self._folder, self._wish, self._interrupt = segmenter, folder, wish, interrupt
        self._stems, self._progress = Stems(SUFFIXES), progress_of.make(wish.progress)

    def report(self, sentence: str) -> None:
        """Prints a sentence about something that is missing, and counts it."""
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
            if isinstance(error, MissingExtraError):
                self.code = EXIT_BACKEND
            sentence = cause(error) if isinstance(error, ImportError) else f"{printable(source.name)}: {cause(error)}"
            self._failed(source, str(error) if _names_itself(error) else sentence)
            return
        if done is None:
            return
        tally, sinks = done
        try:
            self._summarise(
                source.name, tally, [sink.path for sink in sinks if sink.path.exists()], self.left_out - before
            )
        except OSError as error:
            self.report(f"the summary cannot be printed: {cause(error)}")

    def finish(self) -> int:
        """Says how much was left out, and returns the exit code."""
        if self._interrupt.wanted:
            say("rfseg: stopped; the files are complete up to here")
            return self._interrupt.code
        if self.left_out:
            say(f"rfseg: {self.left_out} left out, see above")
        return self.code

    def _segment(self, source: Source, choice: Choice) -> tuple[Tally, list[Sink]] | None:
        def stopped() -> bool:
            return self._interrupt.wanted

        stem, wish = self._stems.claim(source.stem), self._wish
        pictures = self._pictures_before(source, stem, choice)
        choice = replace(choice, done=frozenset(path for _, path, _ in pictures.pictures))
        with opened(source, self.report, choice, note=self.note, stopped=stopped) as whole:
            before = pictures if isinstance(source, Images) else self._before(source, stem, whole.total)
            if before is None:
                return None
            frames = behind(whole, before.last_index)
            place = Place(source, self._folder, stem, self._segmenter.names, wish.like, wish.encoder, before)
            sinks = sinks_for(place, frames, wish.saves, report=self.report, note=self.note)
            replay(before, sinks)
            self._progress.begin(printable(source.name), frames.total)
            try:
                tally = segment(
                    self._segmenter,
                    frames,
                    sinks,
                    progress=self._progress,
                    stopped=stopped,
                    report=self.report,
                    classes=wish.classes,
                )
            finally:
                self._progress.end()
        for sink in sinks:
            if isinstance(sink, CocoResults):
                self._tell_unknown(sink)
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

    def _tell_unknown(self, sink: CocoResults) -> None:
        for sentence in sink.left_out():
            self.note(sentence)
        if sink.unknown:
            self.left_out += sink.unknown
            self.code = self.code or EXIT_INPUT

    def _failed(self, source: Source, sentence: str) -> None:
        self.report(sentence)
        if self._wish.progress == "json":
            event = {"event": "failed", "source": printable(source.name), "error": printable(sentence)}
            answer(json.dumps(event))

    def _summarise(self, name: str, tally: Tally, files: list[Path], left_out: int) -> None:
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
            answer(json.dumps(event))
            return
        frames = f"{tally.frames} frame{'' if tally.frames == 1 else 's'}"
        missing = f", {left_out} left out" if left_out else ""
        limit = f", {tally.busy.sentence()}" if tally.frames > 1 else ""
        written = ", ".join(map(file_name, files)) or "nothing written"
        answer(f"{name}: {frames}, {counted(tally.counts)}{missing}, {rate:.1f} frames/s{limit} -> {written}")


def _names_itself(error: Exception) -> bool:
    """Rfseg's own sentences say what they are about."""
    from rfseg import Error

    return isinstance(error, (Error, MissingExtraError))
