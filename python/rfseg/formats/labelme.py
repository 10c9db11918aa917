"""labelme's JSON: a file an image, shapes to be corrected by hand.

An instance without holes is one polygon a part; one with holes is a `mask` shape, since labelme's polygons have none.
"""

from __future__ import annotations

import base64
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from rfseg.files import write_whole
from rfseg.formats.frame_names import Frame, FrameNames, Naming, beside
from rfseg.formats.numbers import line_bytes, shortest
from rfseg.missing import require

if TYPE_CHECKING:
    from rfseg.result import Result

_SCHEMA = "5.4.1"  # the release of labelme whose files these are; mask shapes came with 5.2


def labelme(result: Result, image_path: str) -> dict[str, Any]:
    """The file of one image. Corners lie on the edges of pixels, as labelme draws them; empty masks have no shape.

    Raises:
        MissingExtraError: an instance has holes and OpenCV is not installed.
    """
    height, width = (int(n) for n in result.image_size)
    names, shapes = result.class_name, []
    for row, parts in enumerate(result.masks.polygons("edge")):
        common: dict[str, Any] = {
            "label": names[row],
            "group_id": row if len(parts) > 1 else None,
            "description": f"confidence {shortest(result.confidence[row])}",
            "flags": {},
        }
        if any(holes for _, holes in parts):
            shapes.append({**common, "group_id": None, **_mask_shape(result, row)})
            continue
        for exterior, _ in parts:
            points = exterior.astype(float).tolist()
            shapes.append({**common, "points": points, "shape_type": "polygon", "mask": None})
    return {
        "version": _SCHEMA,
        "flags": {},
        "shapes": shapes,
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def _mask_shape(result: Result, row: int) -> dict[str, Any]:
    """The pixels of the tight crop as a PNG; the two points are its first and last pixel."""
    cv2 = require("cv2", "A labelme file of a mask with holes")
    x0, y0, x1, y1 = result.masks.bbox[row].tolist()
    pixels = result.masks[row].dense()[0, y0:y1, x0:x1]
    _, png = cv2.imencode(".png", pixels.astype(np.uint8))
    points = [[float(x0), float(y0)], [float(x1 - 1), float(y1 - 1)]]
    return {"points": points, "shape_type": "mask", "mask": base64.b64encode(bytes(png)).decode("ascii")}


class LabelmeFiles:
    """A folder with `<frame>.json` for every frame; `imagePath` is the image's name, for files beside the images."""

    def __init__(self, path: Path, frame_names: Naming | None = None) -> None:
        """Makes the folder."""
        self.path = path
        self._frame_names = frame_names or FrameNames(path.name)
        path.mkdir(parents=True, exist_ok=True)

    def write(self, frame: Frame, result: Result) -> None:
        """Writes the file of one frame."""
        name = self._frame_names(frame)
        data = line_bytes(labelme(result, PurePosixPath(name).name)) + b"\n"
        write_whole(beside(self.path, name, ".json"), data)

    def close(self) -> None:
        """Nothing is left to do."""
