"""The files a run writes about one source, each a sink with `write` and `close`; valid after `close` at any time.

Owns file names and formats on disk; what is in a record is decided in rfseg.formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from rfseg.cli.common import Stems
from rfseg.cli.frames import Frame, ImageFrame, Opened
from rfseg.drawing import draw, write_image
from rfseg.formats.coco_files import CocoFile
from rfseg.formats.frame_names import FrameNames
from rfseg.formats.geojson import GeoJsonFile, geojson
from rfseg.formats.label_map import LabelMaps
from rfseg.formats.labelme import LabelmeFiles
from rfseg.formats.numbers import line
from rfseg.formats.records import as_dict
from rfseg.formats.table import ParquetFile
from rfseg.formats.yolo import YoloFiles
from rfseg.result import Result
from rfseg.sources import Images, Source
from rfseg.video import VideoFrame, VideoWriter

SAVES = ("video", "json", "coco", "geojson", "parquet", "yolo", "labelme", "masks")


class Sink(Protocol):
    """Takes frames in order; `path` is the file or folder that it writes."""

    path: Path

    def write(self, frame: Any, result: Result) -> None:
        """Adds a frame of the source, or one image."""

    def close(self) -> None:
        """Completes the file. May be called twice."""


def sinks_for(
    source: Source, opened: Opened, folder: Path, stem: str, *, saves: tuple[str, ...], names: Mapping[int, str]
) -> list[Sink]:
    """Sinks for what `saves` names, in `folder`; images that were named together get a folder of their own."""
    sinks: list[Sink] = []
    frame_names = FrameNames(stem, source.paths if isinstance(source, Images) else ())
    if isinstance(source, Images):
        own = folder / stem if source.grouped else folder
        own.mkdir(exist_ok=True)
        sinks.append(_ImageFiles(own, None if source.grouped else stem, saves))
    else:
        if "video" in saves:
            sinks.append(_AnnotatedVideo(folder / f"{stem}.mp4", opened))
        if "json" in saves:
            sinks.append(_JsonLines(folder / f"{stem}.jsonl"))
        if "geojson" in saves:
            sinks.append(GeoJsonFile(folder / f"{stem}.geojson"))
    sinks += data_set_sinks(folder, stem, names=names, saves=saves, frame_names=frame_names)
    return sinks


def data_set_sinks(
    folder: Path, stem: str, *, names: Mapping[int, str], saves: tuple[str, ...], frame_names: FrameNames
) -> list[Sink]:
    """Sinks of one file or folder for a whole source, whatever it is."""
    sinks: list[Sink] = []
    if "coco" in saves:
        sinks.append(CocoFile(folder / f"{stem}.coco.json", names, frame_names))
    if "parquet" in saves:
        sinks.append(ParquetFile(folder / f"{stem}.parquet", frame_names))
    if "yolo" in saves:
        sinks.append(YoloFiles(folder / f"{stem}_yolo", names, frame_names))
    if "labelme" in saves:
        sinks.append(LabelmeFiles(folder / f"{stem}_labelme", frame_names))
    if "masks" in saves:
        sinks.append(LabelMaps(folder / f"{stem}_masks", frame_names))
    return sinks


class _AnnotatedVideo:
    """Starts at 0 and keeps the distances between the frames' time stamps."""

    def __init__(self, path: Path, opened: Opened) -> None:
        self.path = path
        self._writer = VideoWriter(path, opened.fps, opened.time_base)
        self._origin: int | None = None

    def write(self, frame: VideoFrame, result: Result) -> None:
        self._origin = frame.pts if self._origin is None else self._origin
        self._writer.write(draw(result, frame.pixels), frame.pts - self._origin, frame.duration)

    def close(self) -> None:
        self._writer.close()


class _JsonLines:
    """A line a frame: `{"frame", "time_s", ...Result.to_dict()}`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w", encoding="utf-8")

    def write(self, frame: Frame, result: Result) -> None:
        self._file.write(line({"frame": frame.index, "time_s": frame.time_s, **as_dict(result)}) + "\n")

    def close(self) -> None:
        self._file.close()


class _ImageFiles:
    """For each image the annotated picture, `.json` and `.geojson`."""

    def __init__(self, folder: Path, stem: str | None, saves: tuple[str, ...]) -> None:
        self.path = folder
        self._stem, self._saves, self._stems = stem, saves, Stems()

    def write(self, frame: ImageFrame, result: Result) -> None:
        base = self.path / self._stems.claim(self._stem or frame.path.stem)
        if "video" in self._saves:
            suffix = ".jpg" if frame.path.suffix.lower() in (".jpg", ".jpeg") else ".png"
            write_image(f"{base}{suffix}", draw(result, frame.pixels))
        if "json" in self._saves:
            _write_text(f"{base}.json", {"file_name": frame.path.name, **as_dict(result)})
        if "geojson" in self._saves:
            _write_text(f"{base}.geojson", geojson(result))

    def close(self) -> None:
        pass


def _write_text(path: str, value: Any) -> None:
    Path(path).write_text(line(value) + "\n", encoding="utf-8")
