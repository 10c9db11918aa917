"""What `watch` is given, as feeds: a name, a way to open it, and whether opening it once more may help.

Knows files, addresses, cameras and iterables; opens none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rfseg._core import InputError
from rfseg.causes import file_name
from rfseg.patience import Away
from rfseg.printable import printable, without_secrets

Source = str | os.PathLike[str] | int | Iterable[Any] | Callable[[], Iterable[Any]]


class Feed(Protocol):
    """One source.

    Attributes:
        name: as it may be shown.
        live: it goes on whether it is read or not, so its policy is `latest` when nobody says.
    """

    name: str
    live: bool

    def open(self, patience_s: float, away: Away) -> Iterator[Any]:
        """Frames, in the reader's thread, which also closes the iterator.

        A feed that goes on by itself where it was lost tries for `patience_s`, and calls `away` before each try.
        """

    def again(self, error: Exception | None) -> bool:
        """Whether to open it once more after `error`, or after an end without one."""


def is_live(address: str | int) -> bool:
    """Whether it is a camera or an address, which go on whether they are read or not."""
    return isinstance(address, int) or "://" in address


class VideoFeed:
    """A file, an address or a camera, through VideoReader."""

    def __init__(self, address: str | int) -> None:
        self.live = is_live(address)
        if isinstance(address, int):
            self.name = f"camera {address}"
        else:
            self.name = printable(without_secrets(address)) if self.live else file_name(address)
        self._address = address
        self._opened = False

    def open(self, patience_s: float, away: Away) -> Iterator[Any]:
        """Frames as VideoReader gives them, which takes up again what was lost."""
        from rfseg.video import VideoReader

        with VideoReader(self._address, patience_s=patience_s if self.live else 0.0, away=away) as reader:
            self._opened = True
            yield from reader.frames()

    def again(self, error: Exception | None) -> bool:
        """A camera that is off may be switched on; of one that was lost, VideoReader's patience is at its end."""
        return self.live and not self._opened and not isinstance(error, ImportError)


class FrameFeed:
    """Any iterable of frames, or a function that returns one and is called again when that has failed."""

    live = False

    def __init__(self, frames: Iterable[Any] | Callable[[], Iterable[Any]], name: str) -> None:
        self.name = name
        self._frames = frames

    def open(self, patience_s: float, away: Away) -> Iterator[Any]:
        """Its iterator."""
        return iter(self._frames() if callable(self._frames) else self._frames)

    def again(self, error: Exception | None) -> bool:
        """Only a function can be asked once more."""
        return callable(self._frames) and error is not None


def feeds_of(sources: Source | Sequence[Source] | Mapping[str, Source]) -> list[Feed]:
    """Feeds; a mapping's keys are their names.

    Raises:
        InputError: a file does not exist, something is no source, or there is none.
    """
    if isinstance(sources, (str, os.PathLike, int)):
        sources = [sources]
    if isinstance(sources, Mapping):
        feeds = [_feed(source, f"source {name!r}") for name, source in sources.items()]
        for feed, name in zip(feeds, sources, strict=True):
            feed.name = str(name)
    elif isinstance(sources, Sequence):
        feeds = [_feed(source, f"source {number}") for number, source in enumerate(sources)]
    else:
        raise InputError(f"sources is {type(sources).__name__}: it must be a list of sources, or {{name: source}}")
    if not feeds:
        raise InputError("there is no source to watch")
    return feeds


def told_apart(names: Iterable[str]) -> list[str]:
    """The names; a second "a.mp4" is "a.mp4 (2)"."""
    apart: list[str] = []
    for name in names:
        number, one = 1, name
        while one in apart:
            number += 1
            one = f"{name} ({number})"
        apart.append(one)
    return apart


def _feed(source: Any, name: str) -> Feed:
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool):
        return VideoFeed(int(source))
    if isinstance(source, str) and "://" in source:
        return VideoFeed(source)
    if isinstance(source, (str, os.PathLike)):
        if not Path(source).exists():
            raise InputError(f"no such file: {file_name(source)}; a camera is given by its number, an int")
        return VideoFeed(os.fspath(source))
    if isinstance(source, np.ndarray) and source.ndim != 4:
        raise InputError(f"{name} is one frame, {list(source.shape)}: a source is an iterable of frames")
    if callable(source) or isinstance(source, Iterable):
        return FrameFeed(source, name)
    raise InputError(
        f"{name} is {type(source).__name__}: it must be a path, an address, a camera's number, an iterable of frames "
        "or a function that returns one"
    )
