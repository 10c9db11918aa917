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
    from rfseg.cli.frames import opened
    from rfseg.sources import Images as ImageFiles
    from rfseg.sources import expand

    problems: list[str] = []
    for source in expand(paths):
        with opened(source, problems.append) as reading:
            # Reading on past what is shown costs decoding only; a still image is its own file.
            step = 1 if isinstance(source, ImageFiles) else max(1, (reading.total or limit) // limit)
            for k, frame in enumerate(reading.frames):
                if k % step == 0:
                    name = getattr(frame, "path", None)
                    yield Picture(name.name if name else f"{source.name} frame {frame.index}", frame.pixels)
    if problems:
        raise InputError("; ".join(problems))


def _spread(found: list[Picture], limit: int) -> list[Picture]:
    if len(found) <= limit:
        return found
    return [found[int(k)] for k in np.linspace(0, len(found) - 1, limit).round()]
