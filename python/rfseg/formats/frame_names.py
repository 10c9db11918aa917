"""What a frame is called in files that speak of images: never the same for two frames, folders or videos.

An image keeps its own name under the name of its folder: photos/a.jpg. A frame of a video is named as FFmpeg writes it
with `ffmpeg -i clip.mp4 -start_number 0 clip/frame_%06d.png`: clip/frame_000012.png.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Protocol


class Frame(Protocol):
    """What is known of a frame; one of an image also has its `path`."""

    @property
    def index(self) -> int:
        """Place in its source, from 0."""
        ...

    @property
    def time_s(self) -> float | None:
        """Time in a video, seconds."""
        ...


Naming = Callable[[Any], str]  # frame: name


class FrameNames:
    """Names the frames of one source."""

    def __init__(self, stem: str, paths: Sequence[Path] = ()) -> None:
        """Takes the source's `stem`, and the `paths` of its images where it is not a video."""
        self._stem = stem
        self._base = Path(os.path.commonpath([path.absolute().parent for path in paths])).parent if paths else None

    def __call__(self, frame: Any) -> str:
        """`photos/a.jpg` or `clip/frame_000012.png`."""
        path: Path | None = getattr(frame, "path", None)
        if path is None:
            return f"{self._stem}/frame_{frame.index:06d}.png"
        if self._base is None:
            return path.as_posix().lstrip("/")
        return path.absolute().relative_to(self._base).as_posix()


def beside(folder: Path, name: str, suffix: str) -> Path:
    """A new file in `folder` for the frame called `name`, with another suffix; makes the folders on the way.

    Of two images that differ in their suffix only, the second keeps it: a.txt, a.png.txt. A name out of a file cannot
    lead out of `folder`.
    """
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..", ".")] or ["frame"]
    named = folder.joinpath(*parts)
    named.parent.mkdir(parents=True, exist_ok=True)
    path = named.with_suffix(suffix)
    return path if not path.exists() else named.with_name(named.name + suffix)
