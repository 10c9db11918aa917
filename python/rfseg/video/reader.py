"""VideoReader: frames of a file, an address or a camera as BGR arrays with their exact times.

Owns decoding, and skips what was not asked for. Does not know what happens to the frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.causes import cause, file_name
from rfseg.missing import require
from rfseg.pictures.kinds import kind_of
from rfseg.pictures.reader import MAX_PIXELS
from rfseg.printable import printable, without_secrets
from rfseg.video.clock import Clock
from rfseg.video.opening import Address, is_remote, open_container, picture_stream
from rfseg.video.packets import Packets


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One decoded frame.

    Attributes:
        pixels: uint8 [H, W, 3], BGR, upright.
        index: counted from 0 over every frame of the video, also those that were not asked for or are missing.
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
        size: (height, width) in pixels, upright, of the first frame; a stream may change it on the way.
        sample_aspect: Fraction, width of a pixel to its height, upright.

    Example:
        >>> with VideoReader("in.mp4") as video, VideoWriter("out.mp4", video.fps, video.time_base) as out:
        ...     for frame in video.frames():
        ...         out.write(frame.pixels, frame.pts, frame.duration)
    """

    def __init__(self, address: Address, *, max_pixels: int = MAX_PIXELS) -> None:
        """Opens the source and decodes its first frame. Waits for both, 10 s at most for a network.

        Args:
            address: a path, whatever characters it has; an address with `://`; or a camera's number.
            max_pixels: refuses larger frames before memory is taken for them.

        Raises:
            InputError: it does not exist, cannot be opened, or holds no video.
            MissingExtraError: PyAV is not installed.
        """
        av = require("av", "Reading videos")
        self._address = address
        self._container: Any = None
        try:
            self._refuse_pictures()
            self._container = open_container(av, address, max_pixels)
            stream = picture_stream(self._container, max_pixels)
            self._packets = Packets(av, self._container, stream)
            decoded = self._packets.frames()
            first = next(decoded, None)
            if first is None:
                raise InputError(self._packets.end or _why_nothing(stream, self._packets.sentence(), max_pixels))
            self._describe(stream, first)
        except Exception as error:
            self.close()
            raise InputError(f"cannot open {self._what}: {cause(error)}") from error
        self._decoded = chain([first], decoded)

    def _refuse_pictures(self) -> None:
        """FFmpeg takes a tiled HEIC for a film of its tiles."""
        kind = None if is_remote(self._address) else kind_of(str(self._address))
        if kind is not None and kind.sort == "picture" and kind.name in ("HEIC", "AVIF", "camera raw"):
            raise InputError(f"it is a picture ({kind.name}), no video")

    def _describe(self, stream: Any, first: Any) -> None:
        self.fps = Fraction(stream.average_rate or stream.guessed_rate or 25)
        self.time_base = Fraction(stream.time_base)
        self.count: int | None = stream.frames or None
        self._length = stream.duration or 0
        turned = first.rotation % 180 != 0
        self.size = (first.width, first.height) if turned else (first.height, first.width)
        aspect = Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1)
        self.sample_aspect = Fraction(1) if aspect <= 0 else 1 / aspect if turned else aspect
        step = max(1, round(1 / (self.fps * self.time_base)))
        joined = is_remote(self._address) or "mpeg" in self._container.format.name
        self._step, self._clock = step, Clock(self.time_base, step, joined=joined)

    @property
    def _what(self) -> str:
        if isinstance(self._address, int):
            return f"camera {self._address}"
        return printable(without_secrets(str(self._address))) if is_remote(self._address) else file_name(self._address)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what is not as the file says it, such as a clock that jumps; complete at the end."""
        clock = self._clock.sentence()
        return (f"{self._what}: {clock}",) if clock else ()

    @property
    def lost(self) -> int:
        """Frames that are missing so far; complete at the end."""
        return self._packets.lost

    def frames(self, stride: int = 1, start_s: float = 0.0, end_s: float | None = None) -> Iterator[VideoFrame]:
        """The frames with start_s <= time < end_s, every `stride`-th of them. Can be walked once.

        Frames before `start_s` are decoded, so that indices are exact, but not converted. Damaged packets are skipped.

        Raises:
            InputError: after the last frame: packets were damaged, frames are missing, or the video breaks off; says
                how many and where. Fewer frames than promised are no error where the times are complete: edit lists
                hide frames.
        """
        packets, taken, ended = self._packets, 0, False
        try:
            for decoded in self._decoded:
                pts = self._clock.at(decoded.pts, packets.index)
                time_s = float(pts * self.time_base)
                if end_s is not None and time_s >= end_s:
                    ended = True
                    break
                if time_s < start_s:
                    continue
                taken += 1
                if (taken - 1) % stride == 0:
                    yield VideoFrame(_upright_bgr(decoded), packets.index, pts, self._duration(decoded, pts), time_s)
        except Exception as error:
            raise InputError(f"{self._what} breaks off after {packets.index + 1} frames: {cause(error)}") from error
        self._complain(ended)

    def _duration(self, decoded: Any, pts: int) -> int:
        """The last frame's is what is left of the stream; FFmpeg guesses it from the frame before."""
        duration: int = decoded.duration or self._step
        left = self._length - pts
        return min(duration, left) if left > 0 and not self._clock.jumps else duration

    def _complain(self, ended: bool) -> None:
        packets = self._packets
        seen, end = packets.index + 1, "" if ended else packets.end
        shown_to = (self._clock.last + 3 * self._step) * self.time_base
        if not ended and not end and self.count is not None and seen < self.count:
            end = f"its index promises {self.count}" if shown_to < self._length * self.time_base else ""
        if not end and not ended:
            packets.finish()
        damage = packets.sentence()
        if end:
            end = f"{self._what} breaks off after {seen} frames: {end}"
            raise InputError(f"{end}; {damage}" if damage else end)
        if damage:
            raise InputError(f"{self._what}: {damage}")

    def close(self) -> None:
        """Closes the source. May be called twice."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _upright_bgr(decoded: Any) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = decoded.to_ndarray(format="bgr24")
    quarter_turns = round(decoded.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns)) if quarter_turns else pixels


def _why_nothing(stream: Any, damage: str, max_pixels: int) -> str:
    if not stream.codec_context.width:  # FFmpeg gives up on sizes that it was told not to take
        return f"it holds no frame within the limit of {max_pixels:,} pixels; --max-pixels (max_pixels=) raises it"
    return damage or "it holds no frames"
