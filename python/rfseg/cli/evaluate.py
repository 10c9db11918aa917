"""`rfseg eval`: mask and box AP of a model on a COCO ground truth, as pycocotools computes them."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfseg
from rfseg import progress as progress_of
from rfseg._core import InputError
from rfseg.cli.common import (
    EXIT_INPUT,
    EXIT_OK,
    add_command,
    add_max_pixels,
    add_model_options,
    fresh_folder,
    model_options,
    share,
)
from rfseg.cli.convert import ground_truth, tell_unknown
from rfseg.cli.frames import ImageFrame, Opened, read_image
from rfseg.cli.segment import segment
from rfseg.cli.signals import Interrupt
from rfseg.formats.coco_files import CocoLike, CocoResults
from rfseg.missing import require
from rfseg.terminal import answer, say

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """Categories are matched by name, or by id where the model has no names. Images that cannot be read are named
and left out on both sides; the command then ends with exit code 2.

Writes results.json, a plain list of COCO results, to the folder of --out.

example:
  rfseg eval model.onnx --images val2017 --annotations instances_val2017.json
"""
_FIGURES = ("AP", "AP50", "AP75", "AP small", "AP medium", "AP large")  # the first six of COCOeval.stats


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "eval", "measure mask and box AP on a COCO ground truth", _EPILOG, run)
    parser.add_argument("model", metavar="MODEL", help="an .onnx file or a TensorRT engine")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of the images")
    parser.add_argument("--annotations", type=Path, required=True, metavar="GT.json", help="COCO instances")
    add_model_options(parser)
    add_max_pixels(parser)
    help_threshold = "confidence above which an instance counts (0: AP needs the unsure ones too)"
    parser.add_argument("--threshold", type=share, default=0.0, help=help_threshold)
    parser.add_argument("--out", type=Path, default=Path("runs/eval"), help="folder to write to (runs/eval)")
    help_progress = "auto (default): a bar on a terminal, lines elsewhere; json: JSON lines, the figures too"
    parser.add_argument("--progress", choices=("auto", "plain", "json", "none"), default="auto", help=help_progress)


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    require("pycocotools.coco", "rfseg eval")
    truth = ground_truth(options.annotations)
    like, images = CocoLike(truth), _Images(truth["images"], options.images)
    progress = progress_of.make(options.progress)
    with (
        Interrupt() as interrupt,
        rfseg.Segmenter(options.model, threshold=options.threshold, **model_options(options)) as segmenter,
    ):
        interrupt.saving = True
        results = CocoResults(fresh_folder(options.out) / "results.json", like, images.name)
        progress.begin(options.annotations.name, len(truth["images"]))
        try:
            frames = Opened(images.frames(options.max_pixels), len(truth["images"]))
            stopped = lambda: interrupt.wanted  # noqa: E731
            segment(segmenter, frames, [results], progress=progress, stopped=stopped, report=images.report)
        finally:
            progress.end()
        if interrupt.wanted:
            say(f"rfseg: stopped; {results.path} is complete up to here")
            return interrupt.code
    if not images.done:
        raise InputError(f"none of the {len(truth['images'])} images could be read from {options.images}")
    figures = average_precision(truth, results.path, images.done)
    _print(figures, len(images.done), results.path, as_json=options.progress == "json")
    return EXIT_INPUT if images.problems or tell_unknown(results) else EXIT_OK


class _Images:
    """The images of a ground truth, read one after the other."""

    def __init__(self, images: list[dict[str, Any]], folder: Path) -> None:
        self.done: list[Any] = []  # ids
        self.problems = 0
        self._images, self._folder = images, folder

    def report(self, sentence: str) -> None:
        self.problems += 1
        say(f"rfseg: {sentence}")

    def frames(self, max_pixels: int) -> Iterator[ImageFrame]:
        for index, image in enumerate(self._images):
            try:
                pixels = read_image(self._path(str(image["file_name"])), max_pixels)
            except InputError as error:
                self.report(f"{error}; the others are not affected")
                continue
            yield ImageFrame(pixels, index, Path(image["file_name"]))
            self.done.append(image["id"])

    def _path(self, file_name: str) -> Path:
        """Many data sets say `val/a.jpg` and keep `a.jpg` in one folder."""
        whole = self._folder / file_name
        return whole if whole.exists() else self._folder / Path(file_name).name

    def name(self, frame: ImageFrame) -> str:
        return str(self._images[frame.index]["file_name"])


def average_precision(truth: dict[str, Any], results: Path, image_ids: list[Any]) -> dict[str, dict[str, float]]:
    """{"mask": {"AP": ..., ...}, "box": ...}, from 0 to 1, over `image_ids`; -1 where there is nothing to find."""
    coco, cocoeval = require("pycocotools.coco", "rfseg eval"), require("pycocotools.cocoeval", "rfseg eval")
    records = json.loads(results.read_text(encoding="utf-8"))
    without_boxes = [{key: value for key, value in record.items() if key != "bbox"} for record in records]
    figures = {}
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        ground = coco.COCO()
        ground.dataset = truth
        ground.createIndex()
        # Given boxes, pycocotools takes their areas for the masks': mask results are loaded without.
        for kind, iou_type, found in (("mask", "segm", without_boxes), ("box", "bbox", records)):
            if not found:
                figures[kind] = dict.fromkeys(_FIGURES, 0.0)
                continue
            evaluation = cocoeval.COCOeval(ground, ground.loadRes(found), iou_type)
            evaluation.params.imgIds = image_ids
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            figures[kind] = dict(zip(_FIGURES, (float(value) for value in evaluation.stats), strict=False))
    return figures


def _print(figures: dict[str, dict[str, float]], images: int, results: Path, *, as_json: bool) -> None:
    if as_json:
        answer(json.dumps({"event": "eval", "images": images, "results": str(results), **figures}))
        return
    answer(f"{images} image{'' if images == 1 else 's'} -> {results}")
    answer(f"{'':6}" + "".join(f"{name:>11}" for name in _FIGURES))
    for kind, row in figures.items():
        answer(f"{kind:6}" + "".join(f"{value:>11.3f}" for value in row.values()))
