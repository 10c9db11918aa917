"""VideoReader: frames of a file, an address or a camera as decoders give them, with their exact times.

Owns decoding, and skips what was not asked for. Does not know what happens to the frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import Any, Literal

from rfseg._core import BackendError, InputError
from rfseg.causes import cause, file_name
from rfseg.missing import require
from rfseg.patience import Away
from rfseg.pictures.kinds import kind_of
from rfseg.pictures.reader import MAX_PIXELS
from rfseg.printable import printable, without_secrets
from rfseg.video.clock import Clock
from rfseg.video.colors import Colors
from rfseg.video.connection import Connection, sleep_through
from rfseg.video.decoded import Hdr, Wishes, image_of
from rfseg.video.frame import VideoFrame
from rfseg.video.opening import Address, is_remote
from rfseg.yuv import Matrix

Decode = Literal["auto", "cpu", "gpu"]


class VideoReader:
    """Decodes a file, an address (rtsp, http) or a camera by its number.

    Attributes:
        fps: Fraction, the average frame rate; 25 where the source states none.
        time_base: Fraction, seconds per unit of `pts`.
        count: frames as the container states them, or None.
        size: (height, width) in pixels, upright, of the first frame; a stream may change it on the way.
        sample_aspect: Fraction, width of a pixel to its height, upright.
        colors: `Colors` as the first frame states them.

    Example:
        >>> with open_video("in.mp4") as video, VideoWriter("out.mp4", video.fps, video.time_base) as out:
        ...     for frame in video.frames():
        ...         out.write(frame.pixels, frame.pts, frame.duration)
    """

    def __init__(
        self,
        address: Address,
        *,
        decode: Decode = "auto",
        matrix: Matrix = "auto",
        hdr: Hdr = "refuse",
        patience_s: float = 0.0,
        away: Away = sleep_through,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        """Opens the source and decodes its first frame. Waits for both, 10 s at most for a network.

        Args:
            address: a path, whatever characters it has; an address with `://`; or a camera's number.
            decode: "cpu"; "gpu", which never falls back; "auto" chooses.
            matrix: of the colours, over what the stream says; "auto": what it says, else by its height.
            hdr: "as-sdr" takes the samples of PQ and HLG as if they were SDR.
            patience_s: for how long an address or a camera that was lost is opened again and again.
            away: called before each of these tries with the reason and the seconds to wait; True gives up.
            max_pixels: refuses larger frames before memory is taken for them.

        Raises:
            InputError: it does not exist, cannot be opened, or holds no video that can be taken.
            MissingExtraError: PyAV is not installed, or what decodes on a GPU.
            BackendError: `decode` is "gpu".
        """
        _refuse_gpu(decode)
        av = require("av", "Reading videos")
        self._address, self._wishes = address, Wishes(matrix, hdr)
        self._connection: Connection | None = None
        try:
            self._refuse_pictures()
            self._connection = connection = Connection(av, address, max_pixels, patience_s, away)
            decoded = connection.frames(self._begin_again)
            first = next(decoded, None)
            if first is None:
                nothing = _why_nothing(connection.stream, connection.packets.sentence(), max_pixels)
                raise InputError(connection.end or nothing)
            image_of(first, self._wishes)  # what has no way to pixels is refused here
            self._describe(connection, first)
        except Exception as error:
            self.close()
            raise InputError(f"cannot open {self._what}: {cause(error)}") from error
        self._decoded, self._source = chain([first], decoded), connection

    def _refuse_pictures(self) -> None:
        """FFmpeg takes a tiled HEIC for a film of its tiles."""
        kind = None if is_remote(self._address) else kind_of(str(self._address))
        if kind is not None and kind.sort == "picture" and kind.name in ("HEIC", "AVIF", "camera raw"):
            raise InputError(f"it is a picture ({kind.name}), no video")

    def _begin_again(self) -> None:
        self._clock.begin_again()

    def _describe(self, connection: Connection, first: Any) -> None:
        stream = connection.stream
        self.fps = Fraction(stream.average_rate or stream.guessed_rate or 25)
        self.time_base = Fraction(stream.time_base)
        self.count: int | None = stream.frames or None
        self._length = stream.duration or 0
        turned = first.rotation % 180 != 0
        self.size = (first.width, first.height) if turned else (first.height, first.width)
        aspect = Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1)
        self.sample_aspect = Fraction(1) if aspect <= 0 else 1 / aspect if turned else aspect
        step = max(1, round(1 / (self.fps * self.time_base)))
        self.colors = Colors.of(first)
        if self._wishes.matrix != "auto":
            self.colors = self.colors.with_matrix(self._wishes.matrix)
        elif turned:  # a copy is stored upright, where its height would say another matrix
            self.colors = self.colors.with_matrix(self.colors.matrix_name(first.height))
        joined = is_remote(self._address) or "mpeg" in connection.container.format.name
        self._step, self._clock = step, Clock(self.time_base, step, joined=joined)

    @property
    def _what(self) -> str:
        if isinstance(self._address, int):
            return f"camera {self._address}"
        return printable(without_secrets(str(self._address))) if is_remote(self._address) else file_name(self._address)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what is not as the file says it, such as a clock that jumps; complete at the end."""
        said = (self._clock.sentence(), self._source.sentence())
        return tuple(f"{self._what}: {sentence}" for sentence in said if sentence)

    @property
    def lost(self) -> int:
        """Frames that are missing so far; complete at the end."""
        return self._source.packets.lost

    def frames(self, stride: int = 1, start_s: float = 0.0, end_s: float | None = None) -> Iterator[VideoFrame]:
        """The frames with start_s <= time < end_s, every `stride`-th of them. Can be walked once.

        Frames before `start_s` are decoded, so that indices are exact, but not converted. Damaged packets are skipped.

        Raises:
            InputError: after the last frame: packets were damaged, frames are missing, or the video breaks off; says
                how many and where. Fewer frames than promised are no error where the times are complete: edit lists
                hide frames.
        """
        source, taken, ended = self._source, 0, False
        try:
            for decoded in self._decoded:
                index = source.packets.index
                pts = self._clock.at(decoded.pts, index)
                time_s = float(pts * self.time_base)
                if end_s is not None and time_s >= end_s:
                    ended = True
                    break
                if time_s < start_s:
                    continue
                taken += 1
                if (taken - 1) % stride == 0:
                    image, lasts = image_of(decoded, self._wishes), self._duration(decoded, pts)
                    yield VideoFrame(image, index, pts, lasts, time_s, decoded.pts)
        except Exception as error:
            seen = source.packets.index + 1
            raise InputError(f"{self._what} breaks off after {seen} frames: {cause(error)}") from error
        self._complain(ended)

    def _duration(self, decoded: Any, pts: int) -> int:
        """The last frame's is what is left of the stream; FFmpeg guesses it from the frame before."""
        duration: int = decoded.duration or self._step
        left = self._length - pts
        return min(duration, left) if left > 0 and not self._clock.jumps else duration

    def _complain(self, ended: bool) -> None:
        packets = self._source.packets
        seen, end = packets.index + 1, "" if ended else self._source.end
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
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_video(source: Address, decode: Decode = "auto", **settings: Any) -> VideoReader:
    """Opens a video; the same as `VideoReader`, which says what `settings` there are."""
    return VideoReader(source, decode=decode, **settings)


def _refuse_gpu(decode: str) -> None:
    if decode not in ("auto", "cpu", "gpu"):
        raise InputError(f"decode is '{decode}': expected 'auto', 'cpu' or 'gpu'")
    if decode == "gpu":
        require("PyNvVideoCodec", "Decoding on a GPU")
        raise BackendError("decode='gpu': this version decodes on the CPU only; pass decode='cpu' or 'auto'")


def _why_nothing(stream: Any, damage: str, max_pixels: int) -> str:
    if not stream.codec_context.width:  # FFmpeg gives up on sizes that it was told not to take
        return f"it holds no frame within the limit of {max_pixels:,} pixels; --max-pixels (max_pixels=) raises it"
    return damage or "it holds no frames"
