"""A Result as `supervision.Detections`.

The one file that knows supervision, its inclusive boxes included. It is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rfseg.missing import require

if TYPE_CHECKING:
    from rfseg.result import Result


def detections(result: Result) -> Any:
    """Builds the detections; see `Result.to_supervision`."""
    supervision = require("supervision", "to_supervision()")
    compact = getattr(supervision, "CompactMask", None)
    return supervision.Detections(
        xyxy=result.xyxy,
        mask=result.masks.dense() if compact is None else _compact(compact, result),
        confidence=result.confidence,
        class_id=result.class_id,
        data={"class_name": np.array(result.class_name, dtype=np.str_)},
    )


def _compact(compact_mask: Any, result: Result) -> Any:
    """Crops at the masks' own bounds, because a mask may leave its detection's box; no pixels are made."""
    (height, width), runs, offsets, mask_of_instance = result.masks.columns()
    bounds = result.masks.bbox
    shapes = np.maximum(bounds[:, 3:1:-1] - bounds[:, 1::-1], 1)  # height, width; an empty mask is one pixel
    lengths = [
        _crop_run_lengths(runs[offsets[mask] : offsets[mask + 1]], height, origin, shape)
        for mask, origin, shape in zip(mask_of_instance, bounds[:, :2], shapes, strict=True)
    ]
    return compact_mask(lengths, shapes, bounds[:, :2].copy(), (height, width))


def _crop_run_lengths(
    runs: NDArray[np.int32], image_height: int, origin: NDArray[np.int32], shape: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Lengths of background, foreground, background, ... down the columns of the crop; int32.

    A run that goes on into the next column touches top and bottom of the image, so the crop is as high as the image
    and keeps the run whole: a run's length never changes.
    """
    column, row = np.divmod(runs[:, 0], image_height)
    starts = (column - origin[0]) * shape[0] + row - origin[1]
    ends = starts + runs[:, 1] - runs[:, 0]
    joined = starts[1:] == ends[:-1]  # in a low crop the end of one column meets the start of the next
    starts, ends = np.delete(starts, np.flatnonzero(joined) + 1), np.delete(ends, np.flatnonzero(joined))
    edges = np.concatenate(([0], np.column_stack((starts, ends)).ravel(), [shape.prod()]))
    lengths: NDArray[np.int32] = np.diff(edges).astype(np.int32)
    return lengths if lengths[-1] or len(lengths) == 1 else lengths[:-1]
