"""Opens one source and hands out its frames; what cannot be read is reported and does not raise.

Knows files and videos, not what becomes of the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.missing import require
from rfseg.sources import Images, Source
from rfseg.video import VideoFrame, VideoReader

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ImageFrame:
    """One image file: uint8 [H, W, 3] BGR `pixels`, its place in the source, its path."""

    pixels: NDArray[np.uint8]
    index: int
    path: Path
    time_s: None = None


Frame = ImageFrame | VideoFrame


@dataclass(frozen=True, slots=True)
class Opened:
    """A source being read.

    Attributes:
        frames: to be walked once.
        total: how many frames to expect, or None.
        fps, time_base: of a video, of the frames asked for.
    """

    frames: Iterator[Frame]
    total: int | None
    fps: Fraction = Fraction(0)
    time_base: Fraction = Fraction(1)


@contextmanager
def opened(
    source: Source, report: Report, stride: int = 1, start_s: float = 0.0, end_s: float | None = None
) -> Iterator[Opened]:
    """Opens a source; `start_s` and `end_s` are for videos only.

    Raises:
        InputError: a video cannot be opened.
    """
    if isinstance(source, Images):
        paths = source.paths[::stride]
        yield Opened(_image_frames(paths, stride, report), len(paths))
        return
    with VideoReader(source.address) as reader:
        frames = _video_frames(reader, report, stride, start_s, end_s)
        yield Opened(frames, _expected(reader, stride, start_s, end_s), reader.fps / stride, reader.time_base)


def read_image(path: Path) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] BGR, turned as its EXIF data says.

    Raises:
        InputError: the file is not an image that OpenCV can read, or cannot be opened.
    """
    cv2 = require("cv2", "Reading images")
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    pixels: Any = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        raise InputError(f"cannot read {path}: it is not an image, or a damaged one")
    image: NDArray[np.uint8] = pixels
    return image


def _image_frames(paths: tuple[Path, ...], stride: int, report: Report) -> Iterator[Frame]:
    for place, path in enumerate(paths):
        try:
            yield ImageFrame(read_image(path), place * stride, path)
        except InputError as error:
            report(f"{error}; the others are not affected")


def _video_frames(
    reader: VideoReader, report: Report, stride: int, start_s: float, end_s: float | None
) -> Iterator[Frame]:
    try:
        yield from reader.frames(stride, start_s, end_s)
    except InputError as error:
        report(f"{error}; what was found until there is kept")


def _expected(reader: VideoReader, stride: int, start_s: float, end_s: float | None) -> int | None:
    if reader.count is None:
        return None
    last = reader.count if end_s is None else min(reader.count, round(end_s * reader.fps))
    return -(-max(0, last - round(start_s * reader.fps)) // stride)
