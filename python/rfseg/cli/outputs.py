"""The files a run writes about one source, each a sink with `write` and `close`; valid after `close` at any time.

Owns file names and formats on disk; what is in a record is decided in rfseg.formats.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from rfseg.causes import cause, file_name
from rfseg.cli.annotated import AnnotatedVideo
from rfseg.cli.common import Stems
from rfseg.cli.frames import Frame, ImageFrame, Opened, Say
from rfseg.cli.resume import NOTHING, Kept, picture_suffix
from rfseg.drawing import draw, image_bytes
from rfseg.files import GrowingFile, write_whole
from rfseg.formats.coco_files import CocoFile, CocoLike, CocoResults
from rfseg.formats.frame_names import FrameNames
from rfseg.formats.geojson import GeoJsonFile, geojson
from rfseg.formats.label_map import LabelMaps
from rfseg.formats.labelme import LabelmeFiles
from rfseg.formats.numbers import line_bytes
from rfseg.formats.records import as_dict
from rfseg.formats.table import ParquetFile
from rfseg.formats.yolo import YoloFiles
from rfseg.result import Result
from rfseg.sources import Images, Source

SAVES = ("video", "json", "coco", "geojson", "parquet", "yolo", "labelme", "masks")
# What a stem becomes, also for a moment; "" is the folder of images that were named together. No two sources may meet
# in any of them.
_ENDS = (
    "",
    ".mp4",
    ".jsonl",
    ".json",
    ".coco.json",
    ".results.json",
    ".geojson",
    ".parquet",
    ".png",
    ".jpg",
    "_yolo",
    "_labelme",
    "_masks",
)
SUFFIXES = (*_ENDS, *(f"{end}.part" for end in _ENDS), ".part.png", ".part.jpg")


class Sink(Protocol):
    """Takes frames in order; `path` is the file or folder that it writes."""

    path: Path

    def write(self, frame: Any, result: Result) -> None:
        """Adds a frame of the source, or one image."""

    def close(self) -> None:
        """Completes the file. May be called twice."""


@runtime_checkable
class DrawingSink(Protocol):
    """A sink with work that needs no order, done before `write` in any thread, several frames at once.

    Attributes:
        stage: what the time of `write` is called.
    """

    path: Path
    stage: str

    def draw(self, frame: Any, result: Result) -> Any:
        """What `write` then takes in place of the result."""

    def write(self, frame: Any, drawn: Any) -> None:
        """Adds a frame, in order."""

    def close(self) -> None:
        """Completes the file. May be called twice."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where files about a source go, under which stem, and what its classes are called.

    With a `like`, COCO results in the ids of that ground truth take the place of a data set. `kept` is what an earlier
    run left.
    """

    source: Source
    folder: Path
    stem: str
    names: Mapping[int, str]
    like: CocoLike | None = None
    encoder: str = "libx264"
    kept: Kept = NOTHING


def sinks_for(place: Place, opened: Opened, saves: tuple[str, ...], *, report: Say, note: Say) -> list[Sink]:
    """Sinks for what `saves` names, in `folder`; images that were named together get a folder of their own.

    One that cannot be made is reported; the others are not affected.
    """
    source, folder, stem, names = place.source, place.folder, place.stem, place.names
    called = FrameNames(stem, source.paths if isinstance(source, Images) else ())
    makers: dict[str, tuple[str, Any]] = {
        "video": (".mp4", lambda path: AnnotatedVideo(path, opened, note, place.encoder, place.kept)),
        "json": (".jsonl", lambda path: _JsonLines(path, place.kept.size)),
        "geojson": (".geojson", GeoJsonFile),
    }
    if isinstance(source, Images):
        grouped, own = source.grouped, folder / stem if source.grouped else folder
        makers = {"": ("", lambda _: _ImageFiles(own, None if grouped else stem, saves, report, place.kept))}
    makers |= {
        "coco": (".coco.json", lambda path: CocoFile(path, names, called)),
        "parquet": (".parquet", lambda path: ParquetFile(path, called)),
        "yolo": ("_yolo", lambda path: YoloFiles(path, names, called)),
        "labelme": ("_labelme", lambda path: LabelmeFiles(path, called)),
        "masks": ("_masks", lambda path: LabelMaps(path, called)),
    }
    if (like := place.like) is not None:
        makers["coco"] = (".results.json", lambda path: CocoResults(path, like, called))
    sinks: list[Sink] = []
    for save, (suffix, make) in makers.items():
        if save and save not in saves:
            continue
        path = folder / f"{stem}{suffix}"
        try:
            sinks.append(make(path))
        except Exception as error:
            report(f"cannot write {file_name(path)}: {cause(error)}")
    return sinks


def _text(name: str) -> str:
    r"""A file's name in JSON; bytes that are no UTF-8 become \xe9."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


class _JsonLines:
    """A line a frame: `{"frame", "time_s", ...Result.to_dict()}`."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._file = GrowingFile(path, at=size)

    def write(self, frame: Frame, result: Result) -> None:
        self._file.append(line_bytes({"frame": frame.index, "time_s": frame.time_s, **as_dict(result)}) + b"\n")

    def close(self) -> None:
        self._file.close()


class _ImageFiles:
    """For each image the annotated picture, `.json` and `.geojson`. A picture that fails does not end the others."""

    stage = "write"

    def __init__(self, folder: Path, stem: str | None, saves: tuple[str, ...], report: Say, kept: Kept) -> None:
        self.path = folder
        self._stem, self._saves, self._report = stem, saves, report
        self._stems = Stems(SUFFIXES)
        for _, path, _ in kept.pictures:
            self._stems.claim(path.stem)
        self._made = False

    def draw(self, frame: ImageFrame, result: Result) -> dict[str, bytes | Exception]:
        """{suffix: content of a file, or why there is none}."""
        files: dict[str, bytes | Exception] = {}
        for save in self._saves:
            if save in _IMAGE_FILES:
                suffix, make = _IMAGE_FILES[save](frame)
                try:
                    files[suffix] = make(frame, result)
                except Exception as error:
                    files[suffix] = error
        return files

    def write(self, frame: ImageFrame, drawn: dict[str, bytes | Exception]) -> None:
        if not self._made:
            self.path.mkdir(exist_ok=True)
            self._made = True
        base = self._stem or self._stems.claim(frame.path.stem)
        for suffix, content in drawn.items():
            try:
                if isinstance(content, Exception):
                    raise content
                write_whole(self.path / f"{base}{suffix}", content)
            except Exception as error:
                name = "video" if suffix not in _RECORDS else suffix[1:]
                self._report(f"{file_name(frame.path)}: its {name} file in {file_name(self.path)}: {cause(error)}")

    def close(self) -> None:
        if self._made and not self.path.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the folder was removed", os.fspath(self.path))


_RECORDS = (".json", ".geojson")


def _picture(frame: ImageFrame) -> tuple[str, Any]:
    suffix = picture_suffix(frame.path)
    return suffix, lambda frame, result: image_bytes(suffix, draw(result, frame.pixels))


def _json(frame: ImageFrame, result: Result) -> bytes:
    return line_bytes({"file_name": _text(frame.path.name), **as_dict(result)}) + b"\n"


_IMAGE_FILES: dict[str, Any] = {
    "video": _picture,
    "json": lambda _: (".json", _json),
    "geojson": lambda _: (".geojson", lambda _, result: line_bytes(geojson(result)) + b"\n"),
}
