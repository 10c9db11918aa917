"""A Result as a dict ready for JSON, and back: what `.jsonl` and `.json` files hold.

The schema is documented at `Result.to_dict`. Reading and writing are inverse to each other.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rfseg._core import InputError
from rfseg.formats.numbers import shortest

if TYPE_CHECKING:
    from rfseg.masks import OutlineMode
    from rfseg.result import Result


class Record(NamedTuple):
    """One frame that was read back."""

    frame: int
    time_s: float | None
    file_name: str | None
    result: Result


def as_dict(result: Result, polygons: OutlineMode | None = None) -> dict[str, Any]:
    """The schema of `Result.to_dict`, which documents it."""
    names = result.class_name
    outlines: Any = result.masks.polygons(polygons) if polygons else None
    runs = result.masks.coco() if outlines is None else []
    instances = []
    for row, (box, score) in enumerate(zip(result.xyxy, result.confidence, strict=True)):
        instance: dict[str, Any] = {
            "box": [shortest(corner) for corner in box],
            "confidence": shortest(score),
            "class_id": int(result.class_id[row]),
            "class_name": names[row],
        }
        if outlines is None:
            size = [int(n) for n in result.image_size]
            instance["segmentation"] = {"size": size, "counts": runs[row]["counts"].decode("ascii")}
        else:
            instance["polygons"] = _plain_outlines(outlines[row], polygons)
        instances.append(instance)
    return {"image_size": [int(n) for n in result.image_size], "instances": instances}


def from_dict(data: Mapping[str, Any]) -> Result:
    """The inverse of `as_dict`; see `Result.from_dict`."""
    from rfseg.masks import Masks
    from rfseg.result import Result

    try:
        height, width = (operator.index(n) for n in data["image_size"])
        instances = list(data["instances"])
        boxes = np.array([i["box"] for i in instances], np.float64).astype(np.float32)  # None becomes NaN
        scores = np.array([i["confidence"] for i in instances], np.float64).astype(np.float32)
        ids = np.array([i["class_id"] for i in instances], np.int32)
        names = {int(i["class_id"]): str(i["class_name"]) for i in instances}
        segmentations = [i["segmentation"] for i in instances]
        boxes = boxes.reshape(len(instances), 4)
    except KeyError as error:
        raise InputError(f"not what Result.to_dict() gives: {_missing(error)}") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"not what Result.to_dict() gives: {error}") from None
    names = {class_id: name for class_id, name in names.items() if name != f"class {class_id}"}
    masks = Masks.from_coco(segmentations, (height, width))
    return Result(boxes, scores, ids, masks, (height, width), names, {})


def read_jsonl(path: str | PathLike[str]) -> Iterator[tuple[int, float | None, Result]]:
    """Reads back what `rfseg run --save json` wrote, a frame at a time.

    Args:
        path: a `.jsonl` of a video, or the `.json` of an image.

    Yields:
        (frame index, time in seconds or None, Result), in the file's order.

    Raises:
        InputError: a line is not one of `rfseg run`; it is named. The lines before it have been given.
        OSError: the file cannot be read.
    """
    for record in read_records(path):
        yield record.frame, record.time_s, record.result


def read_records(path: str | PathLike[str]) -> Iterator[Record]:
    """As `read_jsonl`, with the name of the image where the file holds one."""
    with Path(path).open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                yield _record(json.loads(text), number - 1)
            except (ValueError, RecursionError) as error:  # InputError is a ValueError, and so is what json raises
                raise InputError(f"line {number} of {path} cannot be read: {error}") from error


def _record(data: Any, place: int) -> Record:
    if not isinstance(data, dict):
        raise InputError(f"expected an object, got {type(data).__name__}")
    frame, time_s, file_name = data.get("frame", place), data.get("time_s"), data.get("file_name")
    if not isinstance(frame, int):
        raise InputError(f"frame must be a whole number, got {frame!r}")
    if not isinstance(time_s, (int, float, type(None))):
        raise InputError(f"time_s must be a number or null, got {time_s!r}")
    if not isinstance(file_name, (str, type(None))):
        raise InputError(f"file_name must be text, got {file_name!r}")
    return Record(frame, time_s, file_name, from_dict(data))


def _missing(error: KeyError) -> str:
    if error.args == ("segmentation",):
        return "an instance has no segmentation; what to_dict(polygons=...) wrote cannot be read back"
    return f"{error} is missing"


def _plain_outlines(outlines: Any, mode: OutlineMode | None) -> list[Any]:
    if mode in ("tree", "edge"):
        return [{"exterior": part.tolist(), "holes": [hole.tolist() for hole in holes]} for part, holes in outlines]
    if mode == "largest":
        return [outlines.tolist()] if len(outlines) else []
    return [outline.tolist() for outline in outlines]
