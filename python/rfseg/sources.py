"""What the SOURCE arguments of the command line name: images, videos, streams, in order.

Looks at names, folders and the first bytes of files, whose content tells more than their suffix; decodes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from rfseg._core import InputError
from rfseg.causes import cause, file_name
from rfseg.pictures import kind_of
from rfseg.printable import address_stem, printable, without_secrets

# For files whose content says nothing: they are taken for damaged ones of their suffix.
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2", ".ppm", ".pgm",
    ".heic", ".heif", ".avif",
)  # fmt: skip
VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".m2ts", ".wmv", ".flv", ".3gp", ".ogv",
)  # fmt: skip
_KINDS_NAMED = 6  # of the files left out


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
Say = Callable[[str], None]


def expand(arguments: Sequence[str], report: Say | None = None, note: Say | None = None) -> list[Source]:
    """Turns arguments into sources, in the order given; files of a folder or pattern in natural order.

    Args:
        arguments: paths of images, videos or folders (not searched deeper), patterns, camera numbers, addresses.
        report: is told of arguments that name nothing, while others do; None: they are errors.
        note: is told how many files of a folder or pattern were left out, and of which kinds.

    Raises:
        InputError: a path does not exist, a pattern matches nothing, a folder holds no images and no videos.
    """
    sources: list[Source] = []
    errors = []
    for argument in arguments:
        try:
            sources += _expand_one(argument, note or _unheard)
        except (InputError, OSError, ValueError) as error:
            sentence = (
                str(error) if isinstance(error, InputError) else f"cannot open {printable(argument)}: {cause(error)}"
            )
            errors.append(InputError(sentence))
    if errors and (report is None or not sources):
        raise errors[0]
    for failed in errors:
        (report or _unheard)(str(failed))
    return sources


def _expand_one(argument: str, note: Say) -> Iterator[Source]:
    path = Path(argument)
    if "://" in argument:
        yield Video(without_secrets(argument), address_stem(argument), argument)
    elif path.is_dir():
        stem = path.resolve().name or "root"
        meant = [file for file in path.iterdir() if not file.name.startswith(".")]
        yield from _group(argument, stem, meant, f"the folder {file_name(argument)} holds", note)
    elif path.exists():
        yield _file(path)
    elif argument.isdecimal():
        yield Video(f"camera {argument}", f"camera{argument}", int(argument))
    elif has_magic(argument):
        matches = [Path(match) for match in glob(argument, recursive=True)]
        yield from _group(argument, "images", matches, f"the pattern {file_name(argument)} matches", note)
    else:
        raise InputError(f"no such file, folder or camera: {file_name(argument)}")


def _sort(path: Path) -> str:
    """By content, and by suffix where the content says nothing: "picture", "film" or ""."""
    kind, suffix = kind_of(path), path.suffix.lower()
    if kind is not None:
        return kind.sort
    return "picture" if suffix in IMAGE_SUFFIXES else "film" if suffix in VIDEO_SUFFIXES else ""


def _file(path: Path) -> Source:
    """A file of unknown content and suffix is left for the video reader to judge, as are pipes and devices."""
    if _sort(path) == "picture":
        return Images(file_name(path), path.stem, (path,), grouped=False)
    return Video(file_name(path), path.stem, str(path))


def _group(name: str, stem: str, paths: Iterable[Path], finding: str, note: Say) -> Iterator[Source]:
    sorts = {path: _sort(path) if path.is_file() else "folder" for path in sorted(paths, key=_natural)}
    images = tuple(path for path, sort in sorts.items() if sort == "picture")
    videos = [path for path, sort in sorts.items() if sort == "film"]
    if not images and not videos:
        raise InputError(f"{finding} no images and no videos ({' '.join(IMAGE_SUFFIXES + VIDEO_SUFFIXES)})")
    if left_out := [path for path, sort in sorts.items() if not sort]:
        note(f"{finding} {_left_out(left_out)}, left out")
    if images:
        yield Images(file_name(name), stem, images, grouped=True)
    for path in videos:
        yield Video(file_name(path), path.stem, str(path))


def _left_out(paths: list[Path]) -> str:
    """`3 other files (2 .txt, 1 without a suffix)`."""
    kinds = Counter(printable(path.suffix.lower()) or "without a suffix" for path in paths)
    named = [f"{count} {kind}" for kind, count in kinds.most_common(_KINDS_NAMED)]
    more = ", ..." if len(kinds) > _KINDS_NAMED else ""
    return f"{len(paths)} other file{'' if len(paths) == 1 else 's'} ({', '.join(named)}{more})"


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", str(path))]


def _unheard(_: str) -> None:
    """For callers who did not ask."""
