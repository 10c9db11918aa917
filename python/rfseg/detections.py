"""A Result as `supervision.Detections`.

The one file that knows supervision, its inclusive boxes included. It is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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
    masks = result.masks
    bounds = masks.bbox
    shapes = np.maximum(bounds[:, 3:1:-1] - bounds[:, 1::-1], 1)  # height, width; an empty mask is one pixel
    return compact_mask(masks.crop_lengths(), shapes, bounds[:, :2].copy(), masks.image_size)
