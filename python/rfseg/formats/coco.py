"""COCO results: the records of one Result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rfseg._core import InputError
from rfseg.formats.numbers import shortest

if TYPE_CHECKING:
    from rfseg.result import Result

Categories = Mapping[Any, int]  # class id or class name: category id


def coco_records(result: Result, image_id: Any, categories: Categories | None = None) -> list[dict[str, Any]]:
    """COCO results: `image_id`, `category_id`, `bbox` [x, y, w, h], `score`, `segmentation` as compressed RLE.

    Raises:
        InputError: `categories` lacks a class of the result.
    """
    size = [int(n) for n in result.image_size]
    records = []
    for row, counts in enumerate(result.masks.coco()):
        with np.errstate(invalid="ignore"):  # infinite corners
            box = np.concatenate([result.xyxy[row, :2], result.xyxy[row, 2:] - result.xyxy[row, :2]])
        records.append(
            {
                "image_id": image_id,
                "category_id": _category(result, row, categories),
                "bbox": [shortest(number) for number in box],
                "score": shortest(result.confidence[row]),
                "segmentation": {"size": size, "counts": counts["counts"].decode("ascii")},
            }
        )
    return records


def _category(result: Result, row: int, categories: Categories | None) -> int:
    class_id = int(result.class_id[row])
    if categories is None:
        return class_id
    name = result.names.get(class_id, f"class {class_id}")
    for key in (class_id, name):
        if key in categories:
            return categories[key]
    raise InputError(f"categories has no id for class {class_id}, '{name}': it has {', '.join(map(str, categories))}")
