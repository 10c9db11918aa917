"""What the SOURCE arguments of the command line name: images, videos, streams, in order.

Looks at names and folders only; nothing is opened or decoded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from urllib.parse import urlsplit

from rfseg._core import InputError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv")


@dataclass(frozen=True, slots=True)
class Images:
    """One image, or the images of one folder or pattern.

    Attributes:
        name: as the user would call it.
        stem: for naming what is written about it.
        paths: in natural order: 2 before 10.
        grouped: they were named together, so what is written about them stays together.
    """

    name: str
    stem: str
    paths: tuple[Path, ...]
    grouped: bool


@dataclass(frozen=True, slots=True)
class Video:
    """A video file, an address or a camera; `address` is what VideoReader takes."""

    name: str
    stem: str
    address: str | int


Source = Images | Video


def expand(arguments: Sequence[str]) -> list[Source]:
    """Turns arguments into sources, in the order given; files of a folder or pattern in natural order.

    Args:
        arguments: paths of images, videos or folders (not searched deeper), patterns, camera numbers, addresses.

    Raises:
        InputError: a path does not exist, a pattern matches nothing, a folder holds no images and no videos.
    """
    return [source for argument in arguments for source in _expand_one(argument)]


def _expand_one(argument: str) -> Iterator[Source]:
    path = Path(argument)
    if "://" in argument:
        yield Video(without_credentials(argument), _address_stem(argument), argument)
    elif path.is_dir():
        yield from _group(argument, path.resolve().name or "root", path.iterdir(), f"the folder {argument} holds")
    elif path.exists():
        yield _file(path)
    elif argument.isdecimal():
        yield Video(f"camera {argument}", f"camera{argument}", int(argument))
    elif has_magic(argument):
        matches = [Path(match) for match in glob(argument, recursive=True)]
        yield from _group(argument, "images", matches, f"the pattern {argument} matches")
    else:
        raise InputError(f"no such file, folder or camera: {argument}")


def _file(path: Path) -> Source:
    """A file of any other suffix is left for the video reader to judge."""
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return Images(str(path), path.stem, (path,), grouped=False)
    return Video(str(path), path.stem, str(path))


def _group(name: str, stem: str, paths: Iterator[Path] | list[Path], finding: str) -> Iterator[Source]:
    files = sorted((path for path in paths if path.is_file()), key=_natural)
    images = tuple(path for path in files if path.suffix.lower() in IMAGE_SUFFIXES)
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES]
    if not images and not videos:
        raise InputError(f"{finding} no images and no videos ({' '.join(IMAGE_SUFFIXES + VIDEO_SUFFIXES)})")
    if images:
        yield Images(name, stem, images, grouped=True)
    for path in videos:
        yield _file(path)


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", str(path))]


def without_credentials(address: str) -> str:
    """`rtsp://user:secret@host/live` as it may be shown: `rtsp://host/live`."""
    return re.sub(r"//[^/@]*@", "//", address)


def _address_stem(address: str) -> str:
    """`rtsp://user:secret@host:554/live/1` is `host_live_1`."""
    parts = urlsplit(address)
    path = parts.path[: -len(Path(parts.path).suffix)] if Path(parts.path).suffix else parts.path
    return re.sub(r"[^A-Za-z0-9.-]+", "_", f"{parts.hostname or ''}{path}").strip("_") or "stream"
