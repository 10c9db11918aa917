"""The frames that a verification runs on: the caller's arrays, images, folders, videos, or the packaged photographs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.pictures import read_picture
from rfseg.sources import Images as ImageFiles
from rfseg.sources import expand
from rfseg.terminal import muted
from rfseg.video import VideoReader

PHOTOGRAPHS = Path(__file__).with_name("photographs")
MOST_FRAMES = 64  # of one verification: the reference runs on a CPU

Images = str | os.PathLike[str] | Iterable[Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame: uint8 [H, W, 3] BGR `pixels` and what to call it."""

    name: str
    pixels: NDArray[np.uint8]


def pictures(images: Images | None, limit: int = MOST_FRAMES) -> list[Picture]:
    """Reads frames, spread evenly over each video.

    Args:
        images: a file, folder, pattern or video, several of them, or uint8 [H, W, 3] BGR arrays. None: the packaged
            photographs, since random noise shows nothing.
        limit: at most so many in all.

    Raises:
        InputError: nothing there can be read.
        MissingExtraError: OpenCV, or PyAV for a video, is not installed.
    """
    if images is None:
        images = sorted(PHOTOGRAPHS.glob("*.jpg"))
    given = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    arrays = [Picture(f"frame {k}", item) for k, item in enumerate(given) if isinstance(item, np.ndarray)]
    paths = [os.fspath(item) for item in given if not isinstance(item, np.ndarray)]
    found = [*arrays, *(_read(paths, limit) if paths else ())]
    if not found:
        raise InputError("no images to verify on: name a folder, a video or images")
    return _spread(found, limit)


def _read(paths: list[str], limit: int) -> Iterator[Picture]:
    for source in expand(paths):
        if isinstance(source, ImageFiles):
            for path in source.paths:
                with muted():
                    pixels = read_picture(path)
                yield Picture(path.name, pixels)
        else:
            with VideoReader(source.address) as reader:
                # Reading on past what is shown costs decoding only.
                for frame in reader.frames(max(1, (reader.count or limit) // limit)):
                    yield Picture(f"{source.name} frame {frame.index}", frame.pixels)


def _spread(found: list[Picture], limit: int) -> list[Picture]:
    if len(found) <= limit:
        return found
    return [found[int(k)] for k in np.linspace(0, len(found) - 1, limit).round()]
