"""The annotated copy of a video: frames drawn on, in the times of the original.

A video file has one size of frames. Where the source changes its own, the copy keeps the first; records do not.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg import ops
from rfseg._core import InputError
from rfseg.causes import file_name
from rfseg.cli.frames import Opened, Say
from rfseg.cli.resume import NOTHING, Kept
from rfseg.drawing import draw, paint
from rfseg.missing import require
from rfseg.result import Result
from rfseg.video import VideoFrame, VideoWriter
from rfseg.video.decoded import array_of
from rfseg.video.encodable import encodable, planes_in, put
from rfseg.video.head import Head
from rfseg.video.sound import Sound
from rfseg.yuv import YuvFrame

_APART_S = Fraction(1, 5)


class AnnotatedVideo:
    """Starts at 0 and keeps the distances between the frames' time stamps, the colours and the sound.

    What nothing was drawn on goes from the decoder to the encoder as it is.
    """

    stage = "encode"

    def __init__(self, path: Path, opened: Opened, note: Say, encoder: str = "libx264", kept: Kept = NOTHING) -> None:
        self.path = path
        self._av, self._note, self._facts = require("av", "Writing videos"), note, opened
        self._sound = None if opened.sound is None else Sound(opened.sound, self._tell)
        self._writer = VideoWriter(
            path, opened.fps, opened.time_base, sample_aspect=opened.sample_aspect, colors=opened.colors,
            encoder=encoder, sound=self._sound, head=Head(kept.copy, kept.frames) if kept.copy else None,
        )  # fmt: skip
        self._kept = kept
        self._origin: int | None = None
        self._shift: int | None = None
        self._size: tuple[int, int] | None = None
        self._fitted = False

    def _tell(self, sentence: str) -> None:
        self._note(f"{file_name(self.path)}: {sentence}")

    def draw(self, frame: VideoFrame, result: Result) -> Any:
        """The frame with its instances as an encoder takes it; from any thread."""
        planes, colors = None, self._facts.colors
        height = frame.size[0]
        if (image := frame.planes) is not None and image.full_range in (None, colors.full):
            planes = planes_in(image)
        matrix = colors.matrix_name(height)
        if planes is None or image is None or image.matrix not in ("auto", matrix):
            return self._writer.encodable(draw(result, frame.pixels))
        if not len(result):
            return encodable(self._av, planes)
        canvas = ops.convert(image)
        areas = paint(canvas, result)
        return encodable(self._av, planes, lambda copy: put(copy, canvas, areas, matrix, full=colors.full))

    def write(self, frame: VideoFrame, drawn: Any) -> None:
        """Encodes one frame."""
        if self._origin is None:
            self._begin(frame, (drawn.height, drawn.width))
        assert self._origin is not None
        if (drawn.height, drawn.width) != self._size:
            drawn = self._writer.encodable(fitted(self._pixels_of(drawn, frame.size[0]), self._size_for(frame)))
        self._keep_sound_in_time(frame)
        self._writer.write(drawn, frame.pts - self._origin, frame.duration)

    def _pixels_of(self, drawn: Any, height: int) -> NDArray[np.uint8]:
        """BGR, uint8 [H, W, 3], by the matrix that `draw` made the planes of a frame of that height with."""
        colors = self._facts.colors
        planes = [array_of(plane, plane.width) for plane in drawn.planes]
        image = YuvFrame(planes, "i420", matrix=colors.matrix_name(height), full_range=colors.full)
        return ops.convert(image)

    def _begin(self, frame: VideoFrame, size: tuple[int, int]) -> None:
        self._origin, self._size = frame.pts, size
        if self._kept.frames:
            self._origin = round(Fraction(self._kept.first_s) / self._facts.time_base)
        if frame.stamp is not None:
            self._shift = frame.stamp - frame.pts
            self._writer.begin_s = (self._shift + self._origin) * self._facts.time_base

    def _keep_sound_in_time(self, frame: VideoFrame) -> None:
        """Where the source's clock jumps, frames go on without it, and sound would no longer be theirs."""
        if self._sound is None or self._sound.stream is None:
            return
        if frame.stamp is None or self._shift is None:
            self._sound.refuse(InputError("frames have no times of their own"))
        elif abs(frame.stamp - frame.pts - self._shift) * self._facts.time_base > _APART_S:
            self._sound.refuse(InputError(f"the source's clock jumps at frame {frame.index}"))

    def _size_for(self, frame: VideoFrame) -> tuple[int, int]:
        assert self._size is not None
        if not self._fitted:
            height, width = frame.size
            first = f"{self._size[1]} x {self._size[0]}"
            self._tell(
                f"frames are {width} x {height} from frame {frame.index} on; the copy keeps {first}, and they are "
                "scaled to fit; the records are not affected"
            )
            self._fitted = True
        return self._size

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
