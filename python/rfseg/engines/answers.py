"""Both sides' answers to the same pictures, one at a time and in full batches, and what is measured on their tensors.

Raw outputs go through one post-processing, so what differs is the networks. Results are kept as runs, not as tensors,
which take megabytes a picture. Knows nothing of limits and reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rfseg.engines.matching import Comparison, class_profile, compare, odd_numbers
from rfseg.engines.pictures import Picture

if TYPE_CHECKING:
    from rfseg.result import Result
    from rfseg.segmenter import Segmenter

MARGIN = 0.05  # scores up to threshold + margin are near to it


@dataclass(slots=True)
class Answer:
    """What one side makes of a picture, and what of its tensors the figures need."""

    result: Result
    profile: NDArray[np.float32]
    nonfinite: int
    saturated: int
    ms: float


@dataclass(slots=True)
class Pair:
    """Both sides' answers to one picture."""

    picture: Picture
    reference: Answer
    candidate: Answer
    input_max: float = 0.0
    input_mean: float = 0.0


def compare_all(
    reference: Segmenter,
    candidate: Segmenter,
    shown: list[Picture],
    floor: float,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Pair]:
    """Each picture alone; then all of them in full batches, where the candidate takes several at once."""
    answers: list[Answer] = []
    for done, picture in enumerate(shown):
        if progress:
            progress(done, len(shown))
        [(ours, given)], [(theirs, given_theirs)] = (_ask(side, [picture], floor) for side in (reference, candidate))
        difference = np.abs(given - given_theirs)
        answers.append(ours)
        yield Pair(picture, ours, theirs, float(difference.max()), float(difference.mean()))
    if progress:
        progress(len(shown), len(shown))
    batch = int(candidate.info["max_batch"])
    for start in range(0, len(shown), batch) if batch > 1 else ():
        places = [k % len(shown) for k in range(start, start + batch)]
        for place, (theirs, _) in zip(places, _ask(candidate, [shown[k] for k in places], floor), strict=True):
            picture = Picture(f"{shown[place].name}, {batch} at once", shown[place].pixels)
            yield Pair(picture, answers[place], theirs)


def _ask(side: Segmenter, batch: list[Picture], floor: float) -> list[tuple[Answer, NDArray[np.float32]]]:
    """What a side makes of pictures in one execution, and what its network was given."""
    from rfseg import ops

    started = time.perf_counter()
    found = side._core.infer_with_tensors([picture.pixels for picture in batch])
    ms = (time.perf_counter() - started) * 1e3 / len(batch)
    answers = []
    for picture, (_, given, dets, labels, masks) in zip(batch, found, strict=True):
        result = ops.postprocess(dets, labels, masks, picture.pixels.shape[:2], threshold=floor, max_detections=300)
        result.names = side.names
        answers.append((Answer(result, class_profile(labels), *odd_numbers([dets, labels, masks]), ms), given))
    return answers


def compared_pair(pair: Pair, threshold: float) -> Comparison:
    """The figures of one picture; boxes as shares of its longer side."""
    ours, theirs = pair.reference, pair.candidate
    one = compare(pair.picture.name, ours.result, theirs.result, threshold, MARGIN)
    longer = max(pair.picture.pixels.shape[:2])
    return replace(
        one,
        box_differences=[difference / longer for difference in one.box_differences],
        class_logits=float(np.abs(ours.profile - theirs.profile).max(initial=0)),
        nonfinite=max(0, theirs.nonfinite - ours.nonfinite),
        saturated=max(0, theirs.saturated - ours.saturated),
        input_max=pair.input_max,
        input_mean=pair.input_mean,
        reference_ms=ours.ms,
        candidate_ms=theirs.ms,
    )
