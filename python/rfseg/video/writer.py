"""VideoWriter: BGR frames into an H.264 mp4 file whose frames last exactly as long as they are said to.

Owns encoding and the file. Does not know what is in the frames; sound is not its business.
"""

from __future__ import annotations

from fractions import Fraction
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.missing import require

_BT709 = 1  # H.264's code of the colour matrix, primaries and transfer


class VideoWriter:
    """Writes BGR frames as H.264 (yuv420p) into an mp4 file; valid once closed, however many frames it holds."""

    def __init__(
        self,
        path: str | PathLike[str],
        fps: Fraction | int,
        time_base: Fraction | None = None,
        *,
        crf: int = 20,
        preset: str = "veryfast",
    ) -> None:
        """Opens nothing: the file appears with its first frame.

        Args:
            path: of the file; what is there is overwritten.
            fps: nominal frame rate, and the rate of frames written without `pts`.
            time_base: seconds per unit of `pts`; None: 1 / fps.
            crf: x264's quality, 0 (lossless) to 51.
            preset: x264's speed.

        Raises:
            MissingExtraError: PyAV is not installed.
        """
        self._av = require("av", "Writing videos")
        self._path = path
        self._fps = Fraction(fps)
        self._time_base = Fraction(time_base) if time_base is not None else 1 / self._fps
        # No B-frames: with them the last packet is not the last frame, and the file says a wrong length.
        self._options = {"crf": str(crf), "preset": preset, "bf": "0"}
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._next_pts = 0

    def write(self, pixels: NDArray[np.uint8], pts: int | None = None, duration: int | None = None) -> None:
        """Encodes one frame. Waits for the encoder.

        Args:
            pixels: uint8 [H, W, 3], BGR. An odd height or width gains one row or column, a copy of the last.
            pts: time stamp in units of `time_base`, above the one before; None: one frame after the one before.
            duration: in the same units; None: one frame.

        Raises:
            InputError: the size differs from that of the first frame.
        """
        if self._container is None:
            self._open(pixels.shape[0], pixels.shape[1])
        if pixels.shape[:2] != self._size:
            raise InputError(f"the video's frames are {self._size} (height, width); got one of {pixels.shape[:2]}")
        odd = [(0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)]
        even = np.pad(pixels, odd, mode="edge") if any(extra for _, extra in odd) else np.ascontiguousarray(pixels)
        frame = self._av.VideoFrame.from_ndarray(even, format="bgr24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts = self._next_pts if pts is None else pts
        frame.time_base = self._time_base
        frame.duration = duration or max(1, round(1 / (self._fps * self._time_base)))
        self._next_pts = frame.pts + frame.duration
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Writes what the encoder holds and the file's index. May be called twice."""
        if self._container is not None:
            container, self._container = self._container, None
            try:
                container.mux(self._stream.encode(None))
            finally:
                container.close()

    def _open(self, height: int, width: int) -> None:
        self._container = self._av.open(str(self._path), "w")
        self._stream = self._container.add_stream("h264", rate=self._fps, options=self._options)
        self._stream.height, self._stream.width = height + height % 2, width + width % 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._time_base
        context = self._stream.codec_context
        context.time_base = self._time_base
        context.flags |= self._av.codec.context.Flags.frame_duration  # without it packets forget how long they last
        # Said explicitly: players guess the matrix from the size of the picture.
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        self._size = (height, width)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
