"""What an interrupted run left of a video, cut to the frames that every file has whole, so that the next one goes on.

Records say which frames were done. The copy's packets are kept as they are, and files of other kinds are made again
from the records.
"""

from __future__ import annotations

import json
import os
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rfseg._core import InputError
from rfseg.causes import file_name
from rfseg.cli.common import UsageError
from rfseg.cli.frames import ImageFrame
from rfseg.formats.records import read_records
from rfseg.missing import require
from rfseg.result import Result
from rfseg.sources import Images
from rfseg.video import VideoFrame
from rfseg.video.mp4_file import cut_to_whole_boxes

_AGAIN = (".coco.json", ".results.json", ".geojson", ".parquet")  # made from the records
_CANNOT = ("yolo", "labelme", "masks")


@dataclass(frozen=True, slots=True)
class Kept:
    """The first frames of a video that are done.

    Attributes:
        frames: how many.
        last_index: of the last one; -1 for none.
        first_s: the time of the first one.
        records: the `.jsonl`, cut to `size` bytes.
        copy: the annotated copy so far, under another name, or None.
        pictures: of a source of images those that are done: place in the source, path, file of its record.
    """

    frames: int = 0
    last_index: int = -1
    first_s: float = 0.0
    records: Path | None = None
    size: int = 0
    copy: Path | None = None
    pictures: tuple[tuple[int, Path, Path], ...] = ()

    def replayed(self) -> Iterator[tuple[Any, Result]]:
        """The frames that are done, without pixels."""
        nothing = np.zeros((1, 1, 3), np.uint8)
        for place, path, file in self.pictures:
            for record in read_records(file):
                yield ImageFrame(nothing, place, path), record.result
        if self.records is None:
            return
        for record in read_records(self.records):
            yield VideoFrame(nothing, record.frame, 0, 0, record.time_s or 0.0), record.result


NOTHING = Kept()


def replay(before: Kept, sinks: Sequence[Any]) -> None:
    """Gives what is done to the files that are made again."""
    again = [sink for sink in sinks if sink.path.name.endswith(_AGAIN)]
    if again:
        for frame, result in before.replayed():
            for sink in again:
                sink.write(frame, result)


def refuse_what_cannot(saves: tuple[str, ...]) -> None:
    """Raises UsageError where a job with these files cannot be resumed."""
    if "json" not in saves:
        raise UsageError("--resume needs json among --save: it says which frames are done")
    if given := [save for save in saves if save in _CANNOT]:
        raise UsageError(
            f"--resume cannot go on with {', '.join(given)}: leave that out, and make it of the .jsonl by rfseg convert"
        )


def kept(folder: Path, stem: str, saves: tuple[str, ...]) -> Kept:
    """Looks at what is there and cuts it to whole frames; files of other kinds are removed.

    Raises:
        InputError: the records cannot be read.
        OSError: a file cannot be changed.
    """
    records, copy = folder / f"{stem}.jsonl", folder / f"{stem}.mp4"
    ends = _line_ends(records)
    frames, part = len(ends), None
    if "video" in saves:
        part, found = _copy_so_far(copy)
        frames = min(frames, found)
    _remove_what_is_made_again(folder, stem)
    if not frames:
        for path in (records, copy, part):
            if path is not None:
                path.unlink(missing_ok=True)
        return NOTHING
    os.truncate(records, ends[frames - 1])
    begin, end = ends[frames - 2] if frames > 1 else 0, ends[frames - 1]
    first, last = _record(records, 0, ends[0]), _record(records, begin, end)
    return Kept(frames, last["frame"], float(first["time_s"] or 0), records, end, part)


def kept_pictures(folder: Path, stem: str, source: Images, stride: int, saves: tuple[str, ...]) -> Kept:
    """The pictures whose files are all there; those that share their stem with another one are done again."""
    base = folder / stem if source.grouped else folder
    counts = Counter(path.stem.casefold() for path in source.paths)
    done = []
    for place, path in list(enumerate(source.paths))[::stride]:
        name = path.stem if source.grouped else stem
        suffixes = {"json": ".json", "geojson": ".geojson", "video": picture_suffix(path)}
        files = [base / f"{name}{suffixes[save]}" for save in saves if save in suffixes]
        if counts[path.stem.casefold()] == 1 and all(file.exists() for file in files):
            done.append((place, path, base / f"{name}.json"))
    _remove_what_is_made_again(folder, stem)
    return Kept(len(done), pictures=tuple(done))


def _remove_what_is_made_again(folder: Path, stem: str) -> None:
    for suffix in _AGAIN:
        for name in (f"{stem}{suffix}", f"{stem}{suffix}.part"):
            (folder / name).unlink(missing_ok=True)


def picture_suffix(path: Path) -> str:
    """Of the annotated copy of a picture."""
    return ".jpg" if path.suffix.lower() in (".jpg", ".jpeg") else ".png"


def is_complete(folder: Path, stem: str, total: int | None, saves: tuple[str, ...]) -> bool:
    """Whether an earlier run came to the end: every file has its name, and as many frames as the video states."""
    suffixes = {"json": ".jsonl", "video": ".mp4", "geojson": ".geojson", "parquet": ".parquet"}
    wanted = [folder / f"{stem}{suffixes[save]}" for save in saves if save in suffixes]
    if "coco" in saves and not any((folder / f"{stem}{end}").exists() for end in (".coco.json", ".results.json")):
        return False
    if not all(path.exists() for path in wanted) or any(folder.glob(f"{_literal(stem)}.*.part")):
        return False
    done = len(_line_ends(folder / f"{stem}.jsonl"))
    return total is not None and done == total and ("video" not in saves or _frames(folder / f"{stem}.mp4") == total)


def _literal(stem: str) -> str:
    from glob import escape

    return escape(stem)


def _line_ends(path: Path) -> array[int]:
    """Where each whole line ends."""
    ends = array("q")
    if path.exists():
        at = 0
        with path.open("rb") as file:
            for line in file:
                at += len(line)
                if line.endswith(b"\n"):
                    ends.append(at)
    return ends


def _record(path: Path, begin: int, end: int) -> dict[str, Any]:
    with path.open("rb") as file:
        file.seek(begin)
        try:
            record = json.loads(file.read(end - begin))
            return {"frame": int(record["frame"]), "time_s": record["time_s"]}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{file_name(path)} holds no records to go on with ({error})") from error


def _copy_so_far(copy: Path) -> tuple[Path | None, int]:
    """The copy that has most frames, under its other name, and how many it has."""
    part = copy.with_name(f"{copy.name}.part")
    found = {path: _frames(path) for path in (copy, part) if path.exists()}
    if copy in found and found[copy] >= found.get(part, 0):
        os.replace(copy, part)
        found[part] = found[copy]
    copy.unlink(missing_ok=True)
    return (part, found[part]) if part in found else (None, 0)


def _frames(path: Path) -> int:
    """Frames that are whole. A file that was being written is cut to its whole boxes."""
    av = require("av", "Reading videos")
    try:
        cut_to_whole_boxes(path)
        with av.open(f"file:{os.fspath(path)}") as container:
            return sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
    except (av.InvalidDataError, av.EOFError, IndexError):  # damage; what cannot be read now is not thrown away
        return 0
