"""VideoWriter: frames into an mp4 file whose frames last exactly as long as they are said to, in the source's colours.

Owns encoding and the file. Does not know what is in the frames.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.causes import cause, file_name
from rfseg.missing import require
from rfseg.video.colors import BT709, Colors
from rfseg.video.encodable import encodable, planes_of
from rfseg.video.head import Head
from rfseg.video.mp4_file import MuxedFile
from rfseg.video.sound import Sound

# What each encoder calls quality and speed. No B-frames: with them the last packet is not the last frame, and the file
# says a wrong length.
_OPTIONS: dict[str, Callable[[int, str], dict[str, str]]] = {
    "libx264": lambda crf, preset: {"crf": str(crf), "preset": preset, "bf": "0"},
    "h264_nvenc": lambda crf, _: {"rc": "vbr", "cq": str(crf), "b": "0", "preset": "p4", "bf": "0"},
    "hevc_nvenc": lambda crf, _: {"rc": "vbr", "cq": str(crf), "b": "0", "preset": "p4", "bf": "0"},
    "h264_qsv": lambda crf, _: {"global_quality": str(crf), "bf": "0"},
    "h264_videotoolbox": lambda _, __: {"bf": "0"},
}
ENCODERS = tuple(_OPTIONS)
# Fragments until the end, then an ordinary mp4 file in the same place: what is on the disk plays at any moment.
# Its head is written with the first fragment, when it is known where sound begins: a lead-in lies before 0.
_MUXER = {"movflags": "hybrid_fragmented+delay_moov", "frag_duration": "1000000"}  # microseconds
_BUFFER_BYTES = 4 << 20  # of the muxer; a fragment should be written at once, and is 1 MB at 1080p
_LEAST_RATE = Fraction(1, 3600)  # frames/s; encoders refuse rates whose numbers are large


class VideoWriter:
    """Writes frames as H.264 (yuv420p) into an mp4 file, which plays at any moment, up to its last second.

    When it is closed its index moves to the front, where the disk has room for two.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        fps: Fraction | int,
        time_base: Fraction | None = None,
        *,
        crf: int = 20,
        preset: str = "veryfast",
        sample_aspect: Fraction | int = 1,
        colors: Colors = BT709,
        encoder: str = "libx264",
        sound: Sound | None = None,
        head: Head | None = None,
    ) -> None:
        """Opens nothing: the file appears with its first frame.

        Args:
            path: of the file; what is there is overwritten.
            fps: nominal frame rate, and the rate of frames written without `pts`.
            time_base: seconds per unit of `pts`; None: 1 / fps.
            crf: x264's quality, 0 (lossless) to 51.
            preset: x264's speed.
            sample_aspect: width of a pixel to its height, for players.
            colors: the file says them, and BGR frames are converted accordingly.
            encoder: one of ENCODERS; of a GPU only where it is named, and then nothing else is tried.
            sound: copied beside the frames; `begin_s` is the source's time of the copy's begin.
            head: frames of an earlier file of the same settings, which come first.

        Raises:
            InputError: an encoder that is none of these.
            MissingExtraError: PyAV is not installed.
        """
        self._av = require("av", "Writing videos")
        self._path = path
        self._fps = max(Fraction(fps), _LEAST_RATE)
        self._time_base = Fraction(time_base) if time_base is not None else 1 / self._fps
        self._sample_aspect = Fraction(sample_aspect)
        if encoder not in _OPTIONS:
            raise InputError(f"the encoder is '{encoder}': expected one of {', '.join(ENCODERS)}")
        self._encoder, self._options = encoder, _OPTIONS[encoder](crf, preset)
        self._colors, self._sound, self._head = colors, sound, head
        self._earlier = head
        self.begin_s = Fraction(0)
        self._container: Any = None
        self._file: MuxedFile | None = None
        self._stream: Any = None
        self._told = False
        self._size = (0, 0)
        self._next_pts = 0

    def encodable(self, pixels: NDArray[np.uint8]) -> Any:
        """The planes of a BGR frame, uint8 [H, W, 3], for `write`; from any thread.

        Raises:
            InputError: the frame is none.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise InputError(f"expected uint8 [H, W, 3], got {pixels.dtype} {list(pixels.shape)}")
        matrix = self._colors.matrix_name(pixels.shape[0])
        return encodable(self._av, planes_of(pixels, matrix, full=self._colors.full))

    def write(self, pixels: NDArray[np.uint8] | Any, pts: int | None = None, duration: int | None = None) -> None:
        """Encodes one frame. Waits for the encoder.

        Args:
            pixels: uint8 [H, W, 3], BGR, or what `encodable` made of it. An odd height or width gains one row or
                column, a copy of the last.
            pts: time stamp in units of `time_base`, above the one before; None: one frame after the one before.
            duration: in the same units; None: one frame.

        Raises:
            InputError: the size differs from that of the first frame, or the encoder refuses it.
            OSError: the file cannot be written; it ends with the last whole fragment.
        """
        frame = self.encodable(pixels) if isinstance(pixels, np.ndarray) else pixels
        size = (frame.height, frame.width)
        if self._container is None:
            self._open(*size)
        if size != self._size:
            raise InputError(f"the video's frames are {self._size} (height, width); got one of {size}")
        frame.pts = self._next_pts if pts is None else pts
        frame.time_base = self._time_base
        frame.duration = duration or max(1, round(1 / (self._fps * self._time_base)))
        self._next_pts = frame.pts + frame.duration
        self._encode(frame)
        self._add_sound(frame.pts * self._time_base)
        self._tell()

    def close(self) -> None:
        """Writes what the encoder holds and the file's index. May be called twice.

        Raises:
            InputError, OSError: as `write`, if it has not said so.
        """
        if self._container is None and self._head is not None:
            self._open(*self._head.size)  # nothing came behind it
        if self._container is None:
            return
        container, self._container = self._container, None
        try:
            if not self._told:
                self._encode(None, container)
                self._add_sound(None, container)
        finally:
            container.close()
            assert self._file is not None
            self._file.finish()
            if self._file.error is None and self._earlier is not None:
                self._earlier.remove()
        self._tell()

    def _encode(self, frame: Any, container: Any = None) -> None:
        try:
            (container or self._container).mux(self._stream.encode(frame))
        except self._av.FFmpegError as error:
            self._told = True
            height, width = self._size
            raise InputError(f"{self._encoder} cannot encode {width} x {height} frames: {cause(error)}") from error

    def _copy_head(self, head: Head) -> None:
        for packet in head.packets(self._stream):
            at_s = packet.pts * packet.time_base
            self._next_pts = round((at_s + (packet.duration or 0) * packet.time_base) / self._time_base)
            self._container.mux(packet)
            self._add_sound(at_s)
        self._head = None

    def _add_sound(self, time_s: Fraction | None, container: Any = None) -> None:
        """What belongs before `time_s`, or to the end of the last frame."""
        if self._sound is None:
            return
        try:
            for packet in self._sound.until(time_s, self._next_pts * self._time_base if time_s is None else None):
                (container or self._container).mux(packet)
        except self._av.FFmpegError as error:
            self._sound.refuse(error)
        if time_s is None:
            self._sound.close()

    def _tell(self) -> None:
        if self._file is not None and self._file.error is not None and not self._told:
            self._told = True
            raise self._file.error

    def _open(self, height: int, width: int) -> None:
        file = MuxedFile(self._path)
        container = None
        try:
            container = self._av.open(file, "w", options=_MUXER, buffer_size=_BUFFER_BYTES)
            self._stream = self._add_stream(container, height, width)
        except Exception as error:
            if container is not None:
                container.close()
            file.error = OSError(str(error))
            file.finish()
            raise InputError(
                f"cannot write {file_name(self._path)} with {width} x {height} frames, {self._fps} a second: "
                f"{cause(error)}"
            ) from error
        self._container, self._file, self._told = container, file, False
        self._size = (height, width)
        if self._head is not None:
            try:
                self._copy_head(self._head)
            except Exception as error:
                file.error, self._told = OSError(str(error)), True  # the new file goes, what was there stays
                raise

    def _add_stream(self, container: Any, height: int, width: int) -> Any:
        stream = container.add_stream(self._encoder, rate=self._fps, options=self._options)
        stream.height, stream.width = height, width
        stream.pix_fmt = "yuv420p"
        stream.time_base = self._time_base
        context = stream.codec_context
        context.time_base = self._time_base
        context.sample_aspect_ratio = self._sample_aspect
        context.flags |= self._av.codec.context.Flags.frame_duration  # without it packets forget how long they last
        colors = self._colors
        context.colorspace, context.color_primaries, context.color_trc = (
            colors.matrix,
            colors.primaries,
            colors.transfer,
        )
        context.color_range = colors.range
        context.open()  # here, so that what the encoder refuses is said before a header is written
        if self._sound is not None and self._sound.stream is not None:
            self._sound.begin(container.add_stream_from_template(self._sound.stream), self.begin_s)
        return stream

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
