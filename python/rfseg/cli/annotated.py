"""The annotated copy of a video: frames drawn on, in the times of the original.

A video file has one size of frames. Where the source changes its own, the copy keeps the first; records do not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rfseg.causes import file_name
from rfseg.cli.frames import Opened, Say
from rfseg.drawing import draw
from rfseg.missing import require
from rfseg.result import Result
from rfseg.video import VideoFrame, VideoWriter


class AnnotatedVideo:
    """Starts at 0 and keeps the distances between the frames' time stamps."""

    stage = "encode"

    def __init__(self, path: Path, opened: Opened, note: Say) -> None:
        self.path = path
        self._writer = VideoWriter(path, opened.fps, opened.time_base, sample_aspect=opened.sample_aspect)
        self._note = note
        self._origin: int | None = None
        self._size: tuple[int, int] | None = None
        self._fitted = False

    def draw(self, frame: VideoFrame, result: Result) -> NDArray[np.uint8]:
        """The frame with its instances; from any thread."""
        return draw(result, frame.pixels)

    def write(self, frame: VideoFrame, drawn: NDArray[np.uint8]) -> None:
        """Encodes one frame."""
        height, width = drawn.shape[:2]
        self._origin = frame.pts if self._origin is None else self._origin
        self._size = self._size or (height, width)
        if (height, width) != self._size:
            if not self._fitted:
                first = f"{self._size[1]} x {self._size[0]}"
                sentence = (
                    f"{file_name(self.path)}: frames are {width} x {height} from frame {frame.index} on; the copy"
                )
                self._note(f"{sentence} keeps {first}, and they are scaled to fit; the records are not affected")
                self._fitted = True
            drawn = fitted(drawn, self._size)
        self._writer.write(drawn, frame.pts - self._origin, frame.duration)

    def close(self) -> None:
        """Completes the file. May be called twice."""
        self._writer.close()


def fitted(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture scaled into `size` (height, width) with its own proportions, in the middle, black around it."""
    cv2 = require("cv2", "Scaling frames")
    height, width = pixels.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas = np.zeros((*size, 3), np.uint8)
    canvas[top : top + inner[0], left : left + inner[1]] = cv2.resize(pixels, inner[::-1], interpolation=cv2.INTER_AREA)
    return canvas
