"""Label maps: an image whose pixels say which instance, or which class, they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.files import write_whole
from rfseg.formats.frame_names import Frame, FrameNames, Naming, beside
from rfseg.missing import require

if TYPE_CHECKING:
    from rfseg.result import Result

Values = Literal["instance", "class"]


def label_map(result: Result, values: Values = "instance") -> NDArray[np.uint16]:
    """uint16 [H, W]: 0 where nothing is; where masks overlap, the most confident instance.

    Args:
        result: best first.
        values: "instance": 1 for the first row of the result, 2 for the next, ...; "class": class id + 1.

    Raises:
        InputError: a value does not fit 16 bits.
    """
    labels = result.class_id.astype(np.int64) + 1 if values == "class" else np.arange(len(result)) + 1
    if len(labels) and not 0 < labels.min() <= labels.max() <= np.iinfo(np.uint16).max:
        raise InputError(f"a label map holds 1 to 65535, not {labels.min()} to {labels.max()}")
    (height, width), runs, offsets, mask_of_instance = result.masks.columns()
    down_the_columns = np.zeros(height * width, np.uint16)
    for row in reversed(range(len(result))):
        mask = mask_of_instance[row]
        for start, end in runs[offsets[mask] : offsets[mask + 1]].tolist():
            down_the_columns[start:end] = labels[row]
    return np.ascontiguousarray(down_the_columns.reshape(width, height).T)


class LabelMaps:
    """A folder with `<frame>.png`, 16 bits, for every frame; see `label_map`."""

    def __init__(self, path: Path, frame_names: Naming | None = None, values: Values = "instance") -> None:
        """Makes the folder.

        Raises:
            MissingExtraError: OpenCV is not installed.
        """
        require("cv2", "Writing label maps")
        self.path = path
        self._frame_names, self._values = frame_names or FrameNames(path.name), values
        path.mkdir(parents=True, exist_ok=True)

    def write(self, frame: Frame, result: Result) -> None:
        """Writes the file of one frame."""
        _, png = require("cv2", "Writing label maps").imencode(".png", label_map(result, self._values))
        write_whole(beside(self.path, self._frame_names(frame), ".png"), bytes(png))

    def close(self) -> None:
        """Nothing is left to do."""
