"""`rfseg run`: images and videos in, annotated copies and records out."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import rfseg
from rfseg.cli.common import (
    UsageError,
    add_command,
    add_max_pixels,
    add_model_options,
    fresh_folder,
    model_options,
    positive,
    same_folder,
    thresholds,
)
from rfseg.cli.convert import ground_truth
from rfseg.cli.frames import Choice
from rfseg.cli.job import Job, Wish
from rfseg.cli.outputs import SAVES
from rfseg.cli.resume import refuse_what_cannot
from rfseg.cli.signals import Interrupt
from rfseg.cli.together import Watching, together
from rfseg.formats.coco_files import CocoLike
from rfseg.missing import MissingExtraError, require
from rfseg.printable import printable
from rfseg.sources import Images, Source, expand
from rfseg.terminal import say
from rfseg.video.writer import ENCODERS

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """SOURCE is an image, a folder (its images are one source, its videos one each), a pattern, a video,
a camera number, or an address (rtsp://, http://). Files are told by their content. What cannot be read or written is
said in a line, the rest goes on, and the exit code is 2. SIGINT, SIGTERM and SIGHUP complete the files (130, 143, 129);
the second one ends at once.

What --save writes, in the folder of --out (runs/run2, runs/run3, ... where that holds something already):
  video    <stem>.mp4, annotated, with the original's times, colours and sound; for an image <stem>.jpg or .png
  json     <stem>.jsonl, a line a frame: frame, time_s, image_size, instances; for an image <stem>.json
  coco     <stem>.coco.json: images, annotations (boxes, scores, areas, compressed RLE), categories;
           with --coco-like GT.json <stem>.results.json, a list of results in the ids of that ground truth
  geojson  <stem>.geojson: polygons with holes along the edges of pixels
  parquet, yolo, labelme, masks: as `rfseg convert` writes them
Cameras and addresses are watched: the latest frame goes to the network as soon as it is free, others are dropped and
counted, and one that is lost is opened again. --together does several sources at once, with the files of separate runs.
Images of one folder or pattern go to a folder of their own. A second source of the same name is <stem>_2.

example:
  rfseg run model.onnx clip.mp4 photos/ --classes circle,star --save video,json,coco
  rfseg run model.onnx rtsp://porch/live rtsp://gate/live --together --save json
"""


_LONGEST_NUMBER = 9  # digits of a class id


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "run", "segment images, videos, cameras and streams", _EPILOG, run)
    parser.add_argument("model", metavar="MODEL", help="an .onnx file or a TensorRT engine")
    parser.add_argument("source", metavar="SOURCE", nargs="+", help="see below")
    add_model_options(parser)
    add_max_pixels(parser)
    help_threshold = "confidence above which an instance is kept (0.5); person=0.3,7=0.6 for single classes"
    parser.add_argument("--threshold", type=thresholds, default=0.5, metavar="T", help=help_threshold)
    parser.add_argument("--classes", help="ids or names to keep, separated by commas (all)")
    parser.add_argument("--save", type=_saves, default=("video", "json"), help=f"any of {','.join(SAVES)} (video,json)")
    help_like = "a COCO ground truth whose image and category ids --save coco takes"
    parser.add_argument("--coco-like", type=Path, metavar="GT.json", help=help_like)
    parser.add_argument("--out", type=Path, default=Path("runs/run"), help="folder to write to (runs/run)")
    help_resume = "go on with an interrupted run in --out, with the same other options: json, and what is made with it"
    parser.add_argument("--resume", action="store_true", help=help_resume)
    parser.add_argument("--stride", type=positive, default=1, metavar="N", help="take every N-th frame or image (1)")
    parser.add_argument("--start", type=_seconds, default=0.0, metavar="T", help="start of videos: 90 or 1:30 (0)")
    parser.add_argument("--end", type=_seconds, metavar="T", help="end of videos, likewise")
    _add_video_options(parser)
    _add_watching_options(parser)
    help_progress = "auto (default): a bar on a terminal, lines elsewhere; json: JSON lines, the summary too"
    parser.add_argument("--progress", choices=("auto", "plain", "json", "none"), default="auto", help=help_progress)


def _add_watching_options(parser: argparse.ArgumentParser) -> None:
    help_together = "take the sources at once, in turns, instead of one after another"
    parser.add_argument("--together", action="store_true", help=help_together)
    help_policy = "all: no frame is dropped; latest: the newest one (latest for cameras and addresses, all for files)"
    parser.add_argument("--policy", choices=("all", "latest"), help=help_policy)
    help_patience = "how long a camera or an address that was lost is tried again: 90 or 1:30 (30)"
    parser.add_argument("--patience", type=_seconds, default=30.0, metavar="T", help=help_patience)


def _add_video_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--decode", choices=("auto", "cpu", "gpu"), default="auto", help="what decodes videos (auto)")
    help_matrix = "colour matrix of videos: bt601, bt709, bt2020 (auto: as they say)"
    parser.add_argument("--matrix", choices=("auto", "bt601", "bt709", "bt2020"), default="auto", help=help_matrix)
    help_hdr = "HDR videos: refuse (default), or as-sdr: their samples as if they were SDR"
    parser.add_argument("--hdr", choices=("refuse", "as-sdr"), default="refuse", help=help_hdr)
    parser.add_argument("--encoder", choices=ENCODERS, default="libx264", help="of annotated videos (libx264)")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if options.end is not None and options.end <= options.start:
        raise UsageError(f"--end {options.end:g} s is not after --start {options.start:g} s: no frame lies between")
    if options.coco_like is not None and "coco" not in options.save:
        raise UsageError("--coco-like is about --save coco, which was not asked for")
    if options.resume:
        refuse_what_cannot(options.save)
        if options.together or options.policy == "latest":
            raise UsageError("--resume goes on with files, one after another: leave out --together and --policy latest")
    like = None if options.coco_like is None else CocoLike(ground_truth(options.coco_like))
    problems: list[str] = []
    with Interrupt() as interrupt:
        sources = expand(options.source, problems.append, lambda sentence: say(f"rfseg: {sentence}"))
        load_early(sources, options.save)
        asked = model_options(options, interrupt)
        with rfseg.Segmenter(options.model, threshold=options.threshold, **asked) as segmenter:
            classes = class_ids(options.classes, segmenter.names) if options.classes else None
            wish = Wish(options.save, options.progress, options.encoder, options.resume, classes, like)
            folder = same_folder(options.out) if options.resume else fresh_folder(options.out)
            job = Job(segmenter, folder, wish, interrupt)
            for problem in problems:
                job.report(problem)
            interrupt.saving = True
            take(job, sources, _choice(options), Watching(options.policy, options.patience), at_once=options.together)
            return job.finish()


def take(job: Job, sources: list[Source], choice: Choice, watching: Watching, *, at_once: bool) -> None:
    """One after another, or all at once; live ones, and those of which the latest frames count, are watched anyway."""
    if at_once:
        together(job, sources, choice, watching)
        return
    for source in sources:
        if watching.watches(source) and job.resumes:
            job.report(f"{printable(source.name)}: a camera or an address cannot be gone on with: leave out --resume")
        elif watching.watches(source):
            together(job, [source], choice, watching)
        else:
            job.take(source, choice)
        if job.stopped():
            break


def _choice(options: argparse.Namespace) -> Choice:
    reading = {key: getattr(options, key) for key in ("decode", "matrix", "hdr")}
    return Choice(options.stride, options.start, options.end, options.max_pixels, reading)


def load_early(sources: list[Source], saves: tuple[str, ...]) -> None:
    """Loads OpenCV before files exist, where it will be needed: short of memory, its loading ends the process."""
    if "video" in saves or any(isinstance(source, Images) for source in sources):
        with suppress(MissingExtraError, MemoryError):  # which each item that needs it says
            require("cv2", "Drawing")


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
        class_id = by_name[item] if item in by_name else int(item[:_LONGEST_NUMBER])
        if names and class_id not in names:
            raise UsageError(f"--classes: the model has no class {class_id}; it has {min(names)} to {max(names)}")
        ids.add(class_id)
    return frozenset(ids)


def _saves(text: str) -> tuple[str, ...]:
    wanted = tuple(part.strip() for part in text.split(","))
    for item in wanted:
        if item not in SAVES:
            raise argparse.ArgumentTypeError(f"expected any of {','.join(SAVES)}, got '{item}'")
    return wanted


def _seconds(text: str) -> float:
    """90, 1:30 or 0:01:30."""
    if not re.fullmatch(r"(\d{1,9}:){0,2}\d{1,9}(\.\d+)?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"expected a time such as 90 or 1:30, got {text[:40]}")
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return total
