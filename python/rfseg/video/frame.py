"""VideoFrame: one decoded frame with its place and time; pixels are made only for whoever asks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rfseg import ops
from rfseg.video.decoded import Image
from rfseg.yuv import YuvFrame


class VideoFrame:
    """One decoded frame, upright.

    Attributes:
        image: what `Segmenter` takes without a conversion: planes, or the pixels of a video of RGB or more bits.
        index: counted from 0 over every frame of the video, also those that were not asked for or are missing.
        pts: time stamp in units of the reader's `time_base`, 0 at the first frame.
        duration: in the same units.
        time_s: the same moment in seconds.
        stamp: the source's own time stamp in those units, or None.
    """

    __slots__ = ("_pixels", "duration", "image", "index", "pts", "stamp", "time_s")

    def __init__(
        self, image: Image, index: int, pts: int, duration: int, time_s: float, stamp: int | None = None
    ) -> None:
        self.image, self.index, self.pts = image, index, pts
        self.duration, self.time_s, self.stamp = duration, time_s, stamp
        self._pixels: NDArray[np.uint8] | None = None

    @property
    def planes(self) -> YuvFrame | None:
        """The decoder's planes, which live as long as they are held; None where `image` is pixels."""
        return self.image if isinstance(self.image, YuvFrame) else None

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 [H, W, 3], BGR: what `ops.convert` makes of the planes, kept once made; not to be written into."""
        if not isinstance(self.image, YuvFrame):
            return self.image
        if self._pixels is None:
            self._pixels = ops.convert(self.image)
        return self._pixels

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.image.size if isinstance(self.image, YuvFrame) else (self.image.shape[0], self.image.shape[1])

    def __repr__(self) -> str:
        height, width = self.size
        return f"VideoFrame({self.index}, {self.time_s:.3f} s, {height}x{width})"
