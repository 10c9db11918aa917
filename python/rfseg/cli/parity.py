"""`rfseg parity`: a user's own check that the GPU's stages and the host's give the same answers.

Both sides of a frame share the network's raw outputs and nothing else. Nothing is rounded before it is compared.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import rfseg
from rfseg.cli.common import (
    EXIT_INPUT,
    EXIT_OK,
    EXIT_VERIFICATION,
    add_command,
    add_max_pixels,
    add_model_options,
    model_options,
    positive,
    share,
)
from rfseg.cli.frames import Choice, opened
from rfseg.printable import printable, without_secrets
from rfseg.sources import expand
from rfseg.terminal import answer, say

if TYPE_CHECKING:
    from rfseg.cli.common import Commands
    from rfseg.info import Info

_EPILOG = """Each frame goes through the network once, its raw outputs through the GPU's stages and through the host's.
What is compared, bit for bit:
  inputs      what the network was given, with what the host makes of the same frame
  class, score, box, mask (every pixel), polygons (in all three modes) of each instance

Exits 3 when anything differs. With an ONNX file both sides are the host's: that tests only this command.

example:
  rfseg parity model.engine clip.mp4 --frames 300 --threshold 0.3
"""
_MODES: tuple[rfseg.OutlineMode, ...] = ("external", "tree", "largest")
_ASPECTS = ("class", "score", "box", "mask", "polygons")


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "parity", "check that GPU and host stages give the same answers", _EPILOG, run)
    parser.add_argument("model", metavar="ENGINE", help="a TensorRT engine")
    parser.add_argument("source", metavar="VIDEO", help="a video, an image, or a folder of images")
    add_model_options(parser)
    add_max_pixels(parser)
    parser.add_argument("--frames", type=positive, metavar="N", help="at most so many frames (all)")
    parser.add_argument("--threshold", type=share, default=0.5, help="confidence above which an instance is kept (0.5)")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    problems: list[str] = []

    def report(sentence: str) -> None:
        problems.append(sentence)
        say(f"rfseg: {sentence}")

    with (
        rfseg.Segmenter(options.model, threshold=options.threshold, **model_options(options)) as segmenter,
        opened(expand([options.source])[0], report, Choice(max_pixels=options.max_pixels)) as reading,
    ):
        pixels = (frame.pixels for frame in islice(reading.frames, options.frames))
        counts = compare(segmenter, pixels)
        info = segmenter.info
    source = printable(without_secrets(options.source))
    if counts["frames"] == 0:
        raise rfseg.InputError(f"{source} holds no frames: nothing was compared")
    for line in _text(counts, info, options, source).splitlines():
        answer(line)
    if _differing(counts):
        return EXIT_VERIFICATION
    return EXIT_INPUT if problems else EXIT_OK


def compare(segmenter: rfseg.Segmenter, frames: Iterable[NDArray[np.uint8]]) -> Counter[str]:
    """Runs every frame both ways.

    Returns:
        Counts of `frames`, of identical `inputs`, of `instances` (frame by frame, of the side that has more), and of
        the instances identical in `class`, `score`, `box`, `mask` and `polygons`.
    """
    counts: Counter[str] = Counter()
    for frame in frames:
        ((columns, network_input, dets, labels, masks),) = segmenter._core.infer_with_tensors([frame])
        info, size = segmenter.info, (network_input.shape[1], network_input.shape[2])
        expected = rfseg.ops.preprocess(frame, size, resize=info["resize"], mean=info["mean"], std=info["std"])
        by_host = segmenter._core.postprocess_tensors(dets, labels, masks, (frame.shape[0], frame.shape[1]))
        counts["frames"] += 1
        counts["inputs"] += _inputs_agree(network_input, expected, info)
        counts.update(_instances(segmenter._result(columns), segmenter._result(by_host)))
    return counts


def _inputs_agree(found: NDArray[np.float32], expected: NDArray[np.float32], info: Info) -> bool:
    if info.get("input_precision") == "float16":
        expected = expected.astype(np.float16).astype(np.float32)
    return found.tobytes() == expected.tobytes()


def _instances(found: rfseg.Result, expected: rfseg.Result) -> dict[str, int]:
    """Instances are paired by their place: best first, in a defined order."""
    pairs = range(min(len(found), len(expected)))
    sides = [
        {
            "class": result.class_id.tolist(),
            "score": [score.tobytes() for score in result.confidence],
            "box": [box.tobytes() for box in result.xyxy],
            "mask": result.masks.coco(),
            "polygons": list(zip(*(map(_points, result.polygons(mode)) for mode in _MODES), strict=True)),
        }
        for result in (found, expected)
    ]
    same = {aspect: sum(sides[0][aspect][i] == sides[1][aspect][i] for i in pairs) for aspect in _ASPECTS}
    return {"instances": max(len(found), len(expected)), **same}


def _points(outlines: Any) -> Any:
    return outlines.tolist() if isinstance(outlines, np.ndarray) else [_points(part) for part in outlines]


def _differing(counts: Counter[str]) -> bool:
    return counts["inputs"] != counts["frames"] or any(counts[aspect] != counts["instances"] for aspect in _ASPECTS)


def _text(counts: Counter[str], info: Info, options: argparse.Namespace, source: str) -> str:
    def line(name: str, identical: int, total: int) -> str:
        return f"{name:<9}{identical:,} of {total:,} identical{'' if identical == total else '   <- DIFFERS'}"

    where = f"{info['device']} ({info['gpu']})" if info["gpu"] else f"{info['device']}: both sides are the host's"
    return "\n".join(
        (
            f"model    {info['model']}, {info['backend']} {info['library_version']}, {info['precision']}, on {where}",
            f"source   {source}, {counts['frames']:,} frames, {counts['instances']:,} instances"
            f" above {options.threshold:g}, {info.get('slow_frames', 0)} frames by the slower path",
            line("inputs", counts["inputs"], counts["frames"]),
            *(line(aspect, counts[aspect], counts["instances"]) for aspect in _ASPECTS),
            "result   " + ("DIFFERENT" if _differing(counts) else "identical"),
        )
    )
