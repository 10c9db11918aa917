"""`rfseg run`: images and videos in, annotated copies and records out."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import rfseg
from rfseg import progress as progress_of
from rfseg.cli.common import (
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_OK,
    Interrupt,
    Stems,
    UsageError,
    add_command,
    add_device,
    add_engine_code,
    counted,
    fresh_folder,
    positive,
    share,
)
from rfseg.cli.frames import opened
from rfseg.cli.outputs import SAVES, sinks_for
from rfseg.cli.segment import Tally, segment
from rfseg.sources import Source, expand

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """SOURCE is an image, a folder (its images are one source, its videos one each), a pattern, a video,
a camera number, or an address (rtsp://, http://).

What --save writes, in the folder of --out (runs/run2, runs/run3, ... where that holds something already):
  video    <stem>.mp4, annotated, with the times of the original and without its sound; for an image <stem>.jpg or .png
  json     <stem>.jsonl, a line a frame: frame, time_s, image_size, instances; for an image <stem>.json
  coco     <stem>.coco.json: images, annotations (boxes, scores, compressed RLE), categories
  geojson  <stem>.geojson: polygons with holes in pixels
Images of one folder or pattern go to a folder of their own. A second source of the same name is <stem>_2.

example:
  rfseg run model.onnx clip.mp4 photos/ --classes circle,star --save video,json,coco
"""


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "run", "segment images, videos, cameras and streams", _EPILOG, run)
    parser.add_argument("model", metavar="MODEL", help="an .onnx file or a TensorRT engine")
    parser.add_argument("source", metavar="SOURCE", nargs="+", help="see below")
    add_device(parser)
    add_engine_code(parser)
    parser.add_argument("--threshold", type=share, default=0.5, help="confidence above which an instance is kept (0.5)")
    parser.add_argument("--classes", help="ids or names to keep, separated by commas (all)")
    parser.add_argument("--save", type=_saves, default=("video", "json"), help=f"any of {','.join(SAVES)} (video,json)")
    parser.add_argument("--out", type=Path, default=Path("runs/run"), help="folder to write to (runs/run)")
    parser.add_argument("--stride", type=positive, default=1, metavar="N", help="take every N-th frame or image (1)")
    parser.add_argument("--start", type=_seconds, default=0.0, metavar="T", help="start of videos: 90 or 1:30 (0)")
    parser.add_argument("--end", type=_seconds, metavar="T", help="end of videos, likewise")
    help_progress = "auto (default): a bar on a terminal, lines elsewhere; json: JSON lines, the summary too"
    parser.add_argument("--progress", choices=("auto", "plain", "json", "none"), default="auto", help=help_progress)


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    sources = expand(options.source)
    with rfseg.Segmenter(
        options.model,
        device=options.device,
        threshold=options.threshold,
        allow_engine_code=options.allow_engine_code,
    ) as segmenter:
        classes = class_ids(options.classes, segmenter.names) if options.classes else None
        job = Job(segmenter, fresh_folder(options.out), options.save, options.progress, classes)
        with Interrupt() as interrupt:
            for source in sources:
                job.take(source, interrupt, options.stride, options.start, options.end)
                if interrupt.wanted:
                    print("rfseg: stopped; the files are complete up to here", file=sys.stderr)
                    return EXIT_INTERRUPTED
    return EXIT_INPUT if job.problems else EXIT_OK


class Job:
    """One segmenter and one folder, for one source after another."""

    def __init__(
        self,
        segmenter: rfseg.Segmenter,
        folder: Path,
        saves: tuple[str, ...],
        progress: str,
        classes: frozenset[int] | None = None,
    ) -> None:
        self.problems = 0
        self._segmenter, self._folder, self._saves, self._classes = segmenter, folder, saves, classes
        self._stems, self._json, self._progress = Stems(), progress == "json", progress_of.make(progress)

    def take(
        self, source: Source, interrupt: Interrupt, stride: int = 1, start_s: float = 0.0, end_s: float | None = None
    ) -> None:
        """Segments a source, writes its files and prints its summary; what cannot be read is printed and counted."""
        try:
            with opened(source, self._report, stride, start_s, end_s) as frames:
                stem = self._stems.claim(source.stem)
                sinks = sinks_for(source, frames, self._folder, stem, saves=self._saves, names=self._segmenter.names)
                self._progress.begin(source.name, frames.total)
                try:
                    tally = segment(
                        self._segmenter,
                        frames.frames,
                        sinks,
                        progress=self._progress,
                        stopped=lambda: interrupt.wanted,
                        classes=self._classes,
                    )
                finally:
                    self._progress.end()
        except rfseg.InputError as error:
            self._report(str(error))
            return
        self._summarise(source.name, tally, [sink.path for sink in sinks if sink.path.exists()])

    def _report(self, sentence: str) -> None:
        self.problems += 1
        print(f"rfseg: {sentence}", file=sys.stderr, flush=True)

    def _summarise(self, name: str, tally: Tally, files: list[Path]) -> None:
        rate = tally.frames / tally.seconds
        if self._json:
            event = {
                "event": "done",
                "source": name,
                "frames": tally.frames,
                "instances": tally.counts.total(),
                "classes": dict(tally.counts),
                "seconds": round(tally.seconds, 3),
                "frames_per_second": round(rate, 2),
                "files": [str(path) for path in files],
            }
            print(json.dumps(event), flush=True)
            return
        frames = f"{tally.frames} frame{'' if tally.frames == 1 else 's'}"
        written = ", ".join(str(path) for path in files)
        print(f"{name}: {frames}, {counted(tally.counts)}, {rate:.1f} frames/s -> {written}", flush=True)


def class_ids(wanted: str, names: Mapping[int, str]) -> frozenset[int]:
    """Ids for a comma-separated list of ids and names; a name wins over an id.

    Raises:
        UsageError: a name that the model does not know.
    """
    by_name = {name: class_id for class_id, name in names.items()}
    ids = set()
    for item in (part.strip() for part in wanted.split(",")):
        if item not in by_name and not item.isdecimal():
            known = ", ".join(by_name) or "no names, only ids"
            raise UsageError(f"--classes: the model does not know '{item}'; it knows {known}")
        ids.add(by_name[item] if item in by_name else int(item))
    return frozenset(ids)


def _saves(text: str) -> tuple[str, ...]:
    wanted = tuple(part.strip() for part in text.split(","))
    for item in wanted:
        if item not in SAVES:
            raise argparse.ArgumentTypeError(f"expected any of {','.join(SAVES)}, got '{item}'")
    return wanted


def _seconds(text: str) -> float:
    """90, 1:30 or 0:01:30."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"expected a time such as 90 or 1:30, got {text}")
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return total
