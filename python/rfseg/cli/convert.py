"""`rfseg convert`: what `rfseg run --save json` found, in other formats, without running the network again."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rfseg._core import InputError
from rfseg.causes import file_name
from rfseg.cli.common import (
    EXIT_INPUT,
    EXIT_OK,
    Stems,
    UsageError,
    add_command,
    counted,
    fresh_folder,
)
from rfseg.cli.signals import Interrupt
from rfseg.formats.coco_files import CocoFile, CocoLike, CocoResults
from rfseg.formats.frame_names import FrameNames
from rfseg.formats.geojson import GeoJsonFile
from rfseg.formats.label_map import LabelMaps
from rfseg.formats.labelme import LabelmeFiles
from rfseg.formats.records import Record, read_records
from rfseg.formats.table import ParquetFile
from rfseg.formats.yolo import YoloFiles
from rfseg.result import Result
from rfseg.terminal import answer, say

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """FILE is a .jsonl of a video or a folder, or the .json files of images, which are taken together.

What --to writes, in the folder of --out (runs/convert2, ... where that holds something already):
  coco       <stem>.coco.json, a data set; with --coco-like GT.json a list of results in the ids of that ground truth
  geojson    <stem>.geojson, polygons along the edges of pixels; --transform and --simplify apply
  parquet    <stem>.parquet, a row an instance with its mask as run lengths and as WKB geometry
  yolo       <stem>_yolo/: labels/<image>.txt and data.yaml; parts and holes are joined to one ring, scores are left out
  labelme    <stem>_labelme/<image>.json
  label-map  <stem>_masks/<image>.png, 16 bits: 0, or 1 for the first instance of the frame, 2 for the next (--values)

example:
  rfseg convert runs/run/clip.jsonl --to coco --first-category 1
"""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a file says about a frame; `path` is the image's name, None in a video."""

    index: int
    time_s: float | None
    path: Path | None


class _Sink(Protocol):
    path: Path

    def write(self, frame: Any, result: Result) -> None:
        """Adds a frame."""

    def close(self) -> None:
        """Completes what was written."""


def _coco(folder: Path, stem: str, options: argparse.Namespace) -> _Sink:
    if options.coco_like is None:
        return CocoFile(folder / f"{stem}.coco.json", {}, FrameNames(stem), options.first_category)
    return CocoResults(folder / f"{stem}.results.json", CocoLike(ground_truth(options.coco_like)), FrameNames(stem))


def _geojson(folder: Path, stem: str, options: argparse.Namespace) -> _Sink:
    return GeoJsonFile(folder / f"{stem}.geojson", transform=options.transform, simplify=options.simplify)


def _label_map(folder: Path, stem: str, options: argparse.Namespace) -> _Sink:
    return LabelMaps(folder / f"{stem}_masks", FrameNames(stem), options.values)


_SINKS: dict[str, Callable[[Path, str, argparse.Namespace], _Sink]] = {
    "coco": _coco,
    "geojson": _geojson,
    "parquet": lambda folder, stem, _: ParquetFile(folder / f"{stem}.parquet", FrameNames(stem)),
    "yolo": lambda folder, stem, _: YoloFiles(folder / f"{stem}_yolo", {}, FrameNames(stem)),
    "labelme": lambda folder, stem, _: LabelmeFiles(folder / f"{stem}_labelme", FrameNames(stem)),
    "label-map": _label_map,
}
_ONLY_FOR = {"first_category": "coco", "coco_like": "coco", "transform": "geojson", "simplify": "geojson"}
_ONLY_FOR |= {"values": "label-map"}


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "convert", "write saved results in another format", _EPILOG, run)
    parser.add_argument("file", metavar="FILE", nargs="+", type=Path, help="see below")
    parser.add_argument("--to", required=True, choices=tuple(_SINKS), help="the format")
    parser.add_argument("--out", type=Path, default=Path("runs/convert"), help="folder to write to (runs/convert)")
    help_first = "category id of class 0 (0); 1 for CVAT and datumaro"
    parser.add_argument("--first-category", type=int, metavar="N", help=help_first)
    help_like = "a COCO ground truth whose ids the results take"
    parser.add_argument("--coco-like", type=Path, metavar="GT.json", help=help_like)
    help_transform = "affine transform of pixels, as rasterio prints it"
    parser.add_argument("--transform", type=float, nargs=6, metavar=tuple("ABCDEF"), help=help_transform)
    help_simplify = "leave out corners within this distance of what replaces them"
    parser.add_argument("--simplify", type=float, metavar="PX", help=help_simplify)
    help_values = "what a label map's pixels say (instance); class: class id + 1"
    parser.add_argument("--values", choices=("instance", "class"), help=help_values)


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    for option, only in _ONLY_FOR.items():
        if getattr(options, option) is not None and options.to != only:
            raise UsageError(f"--{option.replace('_', '-')} is for --to {only}, not {options.to}")
    options.first_category, options.values = options.first_category or 0, options.values or "instance"
    folder, stems, problems = fresh_folder(options.out), Stems(), 0
    with Interrupt() as interrupt:
        interrupt.saving = True
        for stem, files in _sources(options.file):
            problems += _convert(stems.claim(stem), files, folder, options, interrupt)
            if interrupt.wanted:
                say("rfseg: stopped; the files are complete up to here")
                return interrupt.code
    return EXIT_INPUT if problems else EXIT_OK


def _sources(files: list[Path]) -> Iterator[tuple[str, list[Path]]]:
    """Each .jsonl alone; all other files, one image each, together under the name of their folder."""
    images = [file for file in files if file.suffix != ".jsonl"]
    yield from ((file.stem, [file]) for file in files if file.suffix == ".jsonl")
    if images:
        yield images[0].stem if len(images) == 1 else images[0].absolute().parent.name, images


def _convert(stem: str, files: list[Path], folder: Path, options: argparse.Namespace, interrupt: Interrupt) -> int:
    """Writes one source and prints its summary; returns how much could not be read."""
    sink = _SINKS[options.to](folder, stem, options)
    frames, counts, problems, together = 0, Counter[str](), 0, len(files) > 1
    try:
        for file in files:
            try:
                for record in read_records(file):
                    if interrupt.wanted:
                        return problems
                    sink.write(_frame(record, stem, frames) if together else _frame(record), record.result)
                    frames += 1
                    counts.update(record.result.class_name)
            except (InputError, OSError) as error:
                problems += 1
                say(f"rfseg: {error}; what was read until there is kept")
    finally:
        sink.close()
    problems += tell_unknown(sink)
    plural = "" if frames == 1 else "s"
    name = files[0] if len(files) == 1 else stem
    answer(f"{file_name(name)}: {frames} frame{plural}, {counted(counts)} -> {file_name(sink.path)}")
    return problems


def _frame(record: Record, folder: str = "", index: int | None = None) -> _Frame:
    """An image of a `folder` is called as `rfseg run` calls it, photos/a.jpg; a file alone has no folder to name."""
    path = None if record.file_name is None else Path(folder, record.file_name)
    return _Frame(record.frame if index is None else index, record.time_s, path)


def tell_unknown(sink: object) -> int:
    """Says what a ground truth lacks; returns how many images."""
    if not isinstance(sink, CocoResults):
        return 0
    for sentence in sink.left_out():
        say(f"rfseg: {sentence}")
    return sink.unknown


def ground_truth(path: Path) -> dict[str, Any]:
    """Reads a COCO file of instances.

    Raises:
        InputError: it is not JSON, or not an object.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"cannot read {path}: expected a COCO data set, got a {type(data).__name__}")
    return data
