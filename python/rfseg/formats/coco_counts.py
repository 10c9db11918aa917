"""COCO segmentations as files hold them: compressed and plain run lengths, bare or inside annotations.

Owns the refusals; what run lengths mean is the core's business.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rfseg import _core
from rfseg._core import InputError

Size = tuple[int, int]


def one_image(segmentations: Iterable[Any], image_size: Size | None = None) -> tuple[Size, list[bytes | str]]:
    """The (height, width) that all segmentations share, and compressed counts for each; see `Masks.from_coco`."""
    runs = [_run_lengths(item, place) for place, item in enumerate(_listed(segmentations))]
    sizes = {_size(run["size"], f"mask {place}: size") for place, run in enumerate(runs)}
    if image_size is not None:
        sizes.add(_size(image_size, "image_size"))
    if len(sizes) != 1:
        found = ", ".join(f"{height}x{width}" for height, width in sorted(sizes)) or "none: pass image_size"
        raise InputError(f"expected masks of one image size, got {found}")
    size = sizes.pop()
    return size, [_compressed(run["counts"], size, place) for place, run in enumerate(runs)]


def _listed(segmentations: Any) -> list[Any]:
    if isinstance(segmentations, (Mapping, str, bytes)) or not isinstance(segmentations, Iterable):
        raise InputError(f"expected a list of COCO run lengths, got {_kind(segmentations)}: put it into a list")
    return list(segmentations)


def _run_lengths(item: Any, place: int) -> Mapping[str, Any]:
    if isinstance(item, Mapping) and "segmentation" in item and "counts" not in item:
        item = item["segmentation"]
    if isinstance(item, (list, tuple, np.ndarray)):
        raise InputError(
            f"mask {place} is a polygon, not run lengths: convert it first, for example with "
            "pycocotools.coco.COCO.annToRLE(annotation)"
        )
    if not isinstance(item, Mapping) or "size" not in item or "counts" not in item:
        found = f"keys {sorted(map(str, item))}" if isinstance(item, Mapping) else _kind(item)
        raise InputError(f'mask {place}: expected {{"size": [height, width], "counts": ...}}, got {found}')
    return item


def _size(size: Any, what: str) -> Size:
    try:
        height, width = (operator.index(number) for number in size)
    except (TypeError, ValueError):
        raise InputError(f"{what} must be two whole numbers, [height, width], got {size!r}") from None
    if not (0 <= height < 1 << 31 and 0 <= width < 1 << 31):
        raise InputError(f"{what} must lie between 0 and 2^31 - 1, got {size!r}")
    return height, width


def _compressed(counts: Any, size: Size, place: int) -> bytes | str:
    """Counts as the core reads them; plain ones, which COCO has for crowds, are drawn and encoded."""
    if isinstance(counts, (bytes, str)):
        return counts
    if isinstance(counts, (bytearray, memoryview)):
        return bytes(counts)
    try:
        lengths = [operator.index(length) for length in counts]
    except TypeError:
        raise InputError(
            f"mask {place}: counts must be bytes, str or a list of whole numbers, got {_kind(counts)}"
        ) from None
    height, width = size
    if min(lengths, default=0) < 0:
        raise InputError(f"mask {place}: COCO counts have a negative length, {min(lengths)}")
    if sum(lengths) != height * width:
        cover = "more" if sum(lengths) > height * width else "fewer"
        raise InputError(
            f"mask {place}: COCO counts cover {cover} than the {height * width} pixels of an image of height {height} "
            f'and width {width}: check the order of "size", [height, width]'
        )
    pixels = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(1, width, height).transpose(0, 2, 1)
    return _core.Masks.from_dense(pixels).coco()[0]


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"[:80]
