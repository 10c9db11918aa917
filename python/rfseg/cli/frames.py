"""Opens one source and hands out its frames; what cannot be read is reported and does not raise.

Knows files and videos, not what becomes of the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import dropwhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.cli.ahead import Ahead, StoppedError
from rfseg.cli.stages import Stage
from rfseg.pictures import MAX_PIXELS, read_picture
from rfseg.sources import Images, Source
from rfseg.terminal import muted
from rfseg.video import VideoFrame, VideoReader
from rfseg.video.colors import BT709, Colors

_VIDEO_ROOM, _IMAGE_ROOM = 8, 1  # items read ahead: 50 MB of 1080p; a picture may be 600 MB


Say = Callable[[str], None]  # takes a sentence for the user


class Damage(str):
    """A sentence about several frames that are missing: `left_out` of them."""

    left_out = 1

    @classmethod
    def of(cls, sentence: str, left_out: int) -> Damage:
        """Makes one."""
        damage = cls(sentence)
        damage.left_out = left_out
        return damage


@dataclass(frozen=True, slots=True)
class ImageFrame:
    """One image file: uint8 [H, W, 3] BGR `pixels`, its place in the source, its path."""

    pixels: NDArray[np.uint8]
    index: int
    path: Path
    time_s: None = None

    @property
    def image(self) -> NDArray[np.uint8]:
        """What the network takes."""
        return self.pixels


Frame = ImageFrame | VideoFrame


@dataclass(frozen=True, slots=True)
class Opened:
    """A source being read.

    Attributes:
        frames: to be walked once.
        total: how many frames to expect, or None.
        fps, time_base: of a video, of the frames asked for.
        sample_aspect: of a video, width of a pixel to its height.
        colors: of a video, as its copy carries them.
        sound: a file that may be opened once more for its sound, or None.
        reading: the clock of the thread that reads.
    """

    frames: Iterator[Frame]
    total: int | None
    fps: Fraction = Fraction(0)
    time_base: Fraction = Fraction(1)
    sample_aspect: Fraction = Fraction(1)
    colors: Colors = BT709
    sound: str | None = None
    reading: Stage = field(default_factory=lambda: Stage("read"))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which frames of a source are wanted, and how they are read; all but `stride` and the limit for videos only.

    Attributes:
        reading: more for VideoReader.
        done: pictures that are left out.
    """

    stride: int = 1
    start_s: float = 0.0
    end_s: float | None = None
    max_pixels: int = MAX_PIXELS
    reading: Mapping[str, Any] = field(default_factory=dict)
    done: frozenset[Path] = frozenset()


EVERYTHING = Choice()


@contextmanager
def opened(
    source: Source,
    report: Say,
    choice: Choice = EVERYTHING,
    *,
    note: Say = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Opened]:
    """Opens a source and reads it ahead in a thread, which is left behind where it hangs and `stopped` is true.

    Args:
        source: to read.
        report: is told, in the reading thread, what cannot be read; a `Damage` where it is more than one frame.
        choice: which frames.
        note: is told of what was read and is not all that the file holds, or not as the file says it.
        stopped: looked at while nothing comes.

    Raises:
        InputError: a video cannot be opened.
        StoppedError: `stopped` became true before it was open.
    """
    items = lambda: items_of(source, report, note, choice)  # noqa: E731
    stage, room = Stage("read"), _IMAGE_ROOM if isinstance(source, Images) else _VIDEO_ROOM
    reading: Ahead[Opened | Frame] = Ahead(items, room, stopped, stage)
    try:
        first = next(reading)
        assert isinstance(first, Opened)
        yield replace(first, frames=_until_stopped(reading), reading=stage)
    finally:
        reading.close()


def behind(opened: Opened, index: int, done: int) -> Opened:
    """Only the frames behind that one, when `done` are."""
    if index < 0:
        return opened
    total = None if opened.total is None else max(opened.total - done, 0)
    return replace(opened, total=total, frames=dropwhile(lambda frame: frame.index <= index, opened.frames))


def items_of(source: Source, report: Say, note: Say, choice: Choice) -> Generator[Opened | Frame, None, None]:
    """What is known of a source once it is open, then its frames; arguments and errors as of `opened`."""
    if isinstance(source, Images):
        return _image_items(source, report, note, choice)
    return _video_items(source.address, report, note, choice)


def read_image(path: Path, max_pixels: int = MAX_PIXELS, note: Say | None = None) -> NDArray[np.uint8]:
    """As `read_picture`, without the lines that decoders print."""
    with muted():
        return read_picture(path, max_pixels, note)


def _until_stopped(reading: Ahead[Opened | Frame]) -> Iterator[Frame]:
    try:
        for item in reading:
            assert not isinstance(item, Opened)
            yield item
    except StoppedError:
        return


def _image_items(source: Images, report: Say, note: Say, choice: Choice) -> Generator[Opened | Frame, None, None]:
    paths = source.paths[:: choice.stride]
    yield Opened(iter(()), len(paths) - len(choice.done))
    unaffected = "; the others are not affected" if len(paths) > 1 else ""
    for place, path in enumerate(paths):
        if path in choice.done:
            continue
        try:
            pixels = read_image(path, choice.max_pixels, note)
        except InputError as error:
            report(f"{error}{unaffected}")
        else:
            yield ImageFrame(pixels, place * choice.stride, path)


def _video_items(address: str | int, report: Say, note: Say, choice: Choice) -> Generator[Opened | Frame, None, None]:
    with VideoReader(address, max_pixels=choice.max_pixels, **choice.reading) as reader:
        total, sound = (
            _expected(reader, choice),
            address if isinstance(address, str) and Path(address).is_file() else None,
        )
        rate, base = reader.fps / choice.stride, reader.time_base
        yield Opened(iter(()), total, rate, base, reader.sample_aspect, reader.colors, sound)
        try:
            yield from reader.frames(choice.stride, choice.start_s, choice.end_s)
        except InputError as error:
            report(Damage.of(f"{error}; what was found is kept", max(1, reader.lost)))
        for sentence in reader.notes:
            note(sentence)


def _expected(reader: VideoReader, choice: Choice) -> int | None:
    if reader.count is None:
        return None
    last = reader.count if choice.end_s is None else min(reader.count, round(choice.end_s * reader.fps))
    return -(-max(0, last - round(choice.start_s * reader.fps)) // choice.stride)
