"""VideoReader: frames of a file, an address or a camera as BGR arrays with their exact times.

Owns decoding and time stamps, and skips what was not asked for. Does not know what happens to the frames.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.missing import require
from rfseg.sources import without_credentials

_TIMEOUT_S = 10.0  # without one, a camera that went away blocks for ever


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One decoded frame.

    Attributes:
        pixels: uint8 [H, W, 3], BGR, upright.
        index: counted from 0 over every frame of the video, also those that were not asked for.
        pts: time stamp in units of the reader's `time_base`, 0 at the first frame.
        duration: in the same units.
        time_s: the same moment in seconds.
    """

    pixels: NDArray[np.uint8]
    index: int
    pts: int
    duration: int
    time_s: float


class VideoReader:
    """Decodes a file, an address (rtsp, http) or a camera by its number.

    Attributes:
        fps: Fraction, the average frame rate; 25 where the source states none.
        time_base: Fraction, seconds per unit of `pts`.
        count: frames as the container states them, or None.
        size: (height, width) in pixels, upright.

    Example:
        >>> with VideoReader("in.mp4") as video, VideoWriter("out.mp4", video.fps, video.time_base) as out:
        ...     for frame in video.frames():
        ...         out.write(frame.pixels, frame.pts, frame.duration)
    """

    def __init__(self, address: str | PathLike[str] | int) -> None:
        """Opens the source and decodes its first frame. Waits for both, 10 s at most for a network.

        Raises:
            InputError: it does not exist, cannot be opened, or holds no video.
            MissingExtraError: PyAV is not installed.
        """
        av = require("av", "Reading videos")
        self._address = address
        self._av_error = av.FFmpegError
        self._container: Any = None
        try:
            self._container = _open(av, address)
            if not self._container.streams.video:
                raise InputError(f"cannot open {self._what}: it holds no video")
            stream = self._container.streams.video[0]
            stream.thread_type = "AUTO"  # decodes 1.4 times as fast; loses the frames in its threads at damaged data
            decoded = self._container.decode(stream)
            first = next(decoded, None)
            if first is None:
                raise InputError(f"cannot open {self._what}: it holds no frames")
        except (av.FFmpegError, OSError) as error:
            self.close()
            raise InputError(f"cannot open {self._what}: {error.strerror or error}") from error
        except InputError:
            self.close()
            raise
        self.fps = Fraction(stream.average_rate or stream.guessed_rate or 25)
        self.time_base = Fraction(stream.time_base)
        self.count: int | None = stream.frames or None
        self._length_s = (stream.duration or 0) * self.time_base
        turned = first.rotation % 180 != 0
        self.size = (first.width, first.height) if turned else (first.height, first.width)
        self._decoded = chain([first], decoded)

    @property
    def _what(self) -> str:
        name = f"camera {self._address}" if isinstance(self._address, int) else str(self._address)
        return without_credentials(name)

    def frames(self, stride: int = 1, start_s: float = 0.0, end_s: float | None = None) -> Iterator[VideoFrame]:
        """The frames with start_s <= time < end_s, every `stride`-th of them. Can be walked once.

        Frames before `start_s` are decoded, so that indices are exact, but not converted.

        Raises:
            InputError: the video breaks off; says after how many frames. Fewer frames than promised are no error where
                the times are complete: edit lists hide frames.
        """
        step = max(1, round(1 / (self.fps * self.time_base)))
        origin, previous, taken, index = None, -step, 0, -1
        try:
            for index, decoded in enumerate(self._decoded):
                origin = decoded.pts if origin is None else origin
                # A source without time stamps, or with one that goes back, continues at the nominal rate.
                pts = previous + step if decoded.pts is None or origin is None else decoded.pts - origin
                pts = pts if pts > previous else previous + step
                previous = pts
                time_s = float(pts * self.time_base)
                if end_s is not None and time_s >= end_s:
                    return
                if time_s < start_s:
                    continue
                taken += 1
                if (taken - 1) % stride == 0:
                    yield VideoFrame(_upright_bgr(decoded), index, pts, decoded.duration or step, time_s)
        except self._av_error as error:
            raise InputError(f"{self._what} breaks off after {index + 1} frames: {error.strerror or error}") from error
        if (
            self.count is not None
            and index + 1 < self.count
            and (previous + 3 * step) * self.time_base < self._length_s
        ):
            raise InputError(f"{self._what} breaks off after {index + 1} frames: its index promises {self.count}")

    def close(self) -> None:
        """Closes the source. May be called twice."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(av: Any, address: str | PathLike[str] | int) -> Any:
    if isinstance(address, int):
        if sys.platform == "darwin":
            return av.open(str(address), format="avfoundation", container_options={"framerate": "30"})
        return av.open(f"/dev/video{address}", format="v4l2")
    if "://" not in str(address):
        return av.open(str(address))
    options = {"rtsp_transport": "tcp"} if str(address).startswith("rtsp") else {}
    return av.open(str(address), options=options, timeout=_TIMEOUT_S)


def _upright_bgr(decoded: Any) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = decoded.to_ndarray(format="bgr24")
    quarter_turns = round(decoded.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns)) if quarter_turns else pixels
