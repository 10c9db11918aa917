"""Runs a frame, and compares results bit for bit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import rfseg

MODES = ("external", "tree", "largest")


class Inferred(NamedTuple):
    """One frame through the device, and its raw outputs through the host's stages."""

    result: rfseg.Result
    by_host: rfseg.Result
    network_input: np.ndarray


def infer_both_ways(segmenter: rfseg.Segmenter, frame: np.ndarray) -> Inferred:
    """The two ways share nothing but the network's answers."""
    return infer_batch_both_ways(segmenter, [frame])[0]


def infer_batch_both_ways(segmenter: rfseg.Segmenter, frames: list[np.ndarray]) -> list[Inferred]:
    """The same for frames that start together."""
    answers = []
    for frame, (columns, network_input, *tensors) in zip(
        frames, segmenter._core.infer_with_tensors(frames), strict=True
    ):
        by_host = segmenter._core.postprocess_tensors(*tensors, frame.shape[:2])
        answers.append(Inferred(segmenter._result(columns), segmenter._result(by_host), network_input))
    return answers


def points(outlines: Any) -> Any:
    """Outlines as nested lists, which compare as a whole."""
    return outlines.tolist() if isinstance(outlines, np.ndarray) else [points(part) for part in outlines]


def assert_same(found: rfseg.Result, expected: rfseg.Result, where: object = "", modes: tuple[str, ...] = ()) -> None:
    """Class ids, scores, boxes and every mask pixel; outlines of `modes` too."""
    assert found.image_size == expected.image_size, where
    for column in ("class_id", "confidence", "xyxy"):
        mine, other = getattr(found, column), getattr(expected, column)
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape), (where, column)
        assert mine.tobytes() == other.tobytes(), (where, column, mine, other)
    assert found.masks.coco() == expected.masks.coco(), where
    for mode in modes:
        assert points(found.polygons(mode)) == points(expected.polygons(mode)), (where, mode)


def differ(a: rfseg.Result, b: rfseg.Result) -> bool:
    """Whether a comparison of these two would have noticed a mix-up."""
    return a.confidence.tobytes() != b.confidence.tobytes()
