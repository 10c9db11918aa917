"""Frames and results that files of every format are tried on: parts, holes, an empty mask, nothing, noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rfseg
from reference.mask_cases import blobs


@dataclass
class Frame:
    index: int
    time_s: float | None = None
    path: Path | None = None


def result_of(masks: np.ndarray, class_ids: list[int], names: dict[int, str] | None = None) -> rfseg.Result:
    count, height, width = masks.shape
    found = rfseg.Masks.from_dense(masks)
    scores = np.linspace(0.9, 0.5, count, dtype=np.float32)
    ids = np.array(class_ids, np.int32)
    return rfseg.Result(found.bbox.astype(np.float32), scores, ids, found, (height, width), names or {}, {})


def scenes() -> list[rfseg.Result]:
    """Three frames: parts, holes and an empty mask; nothing; noise of every grain."""
    first = np.zeros((5, 60, 90), bool)
    first[0, 5:30, 10:50] = True
    first[0, 10:20, 20:30] = False
    first[0, 13:16, 23:26] = True  # an island in the hole
    first[1, 40:50, 5:25] = first[1, 42:55, 40:70] = True
    first[2, 59, 89] = True
    first[3, 3, 60:70] = True
    noise = np.stack([blobs(60, 90, grain, 0.3, 5) for grain in (1, 2, 4)])
    nothing = np.zeros((0, 60, 90), bool)
    names = {0: "zéro", 1: "one"}
    return [
        result_of(first, [0, 1, 7, 0, 1], names),
        result_of(nothing, [], names),
        result_of(noise, [1, 0, 7], names),
    ]


def written(sink: Any, frames: list[Frame] | None = None) -> Path:
    for index, result in enumerate(scenes()):
        sink.write(frames[index] if frames else Frame(index, index / 10), result)
    sink.close()
    sink.close()
    path: Path = sink.path
    return path
