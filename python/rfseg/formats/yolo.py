"""YOLO's text format of segments: a file an image, a line an instance, corners as shares of the image.

Owns what that format cannot say: it knows one ring and no score. Parts and holes are led to by an edge there and back,
which encloses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rfseg.files import write_whole
from rfseg.formats.frame_names import Frame, FrameNames, Naming, beside
from rfseg.formats.numbers import line

if TYPE_CHECKING:
    from rfseg.masks import Part
    from rfseg.result import Result


def yolo_lines(result: Result) -> list[str]:
    """`class x y x y ...` of every instance that has pixels, best first; scores are not written.

    A corner lies a quarter of a pixel from the upper left of its pixel, (x + 0.25) / W, so that readers that round and
    readers that cut off both come to that pixel, and get the mask back when they fill.
    """
    height, width = result.image_size
    lines = []
    for class_id, parts in zip(result.class_id.tolist(), result.masks.polygons("tree"), strict=True):
        if not parts:
            continue
        shares = (one_ring(parts) + 0.25) / [width, height]
        lines.append(f"{class_id} " + " ".join(f"{number:.6f}" for number in shares.ravel().tolist()))
    return lines


def one_ring(parts: list[Part]) -> NDArray[np.int32]:
    """All rings as one, int32 [N, 2], N >= 3: from the first ring, at its nearest corner, to each other and back."""
    first, *others = [ring for exterior, holes in parts for ring in (exterior, *holes)]
    detours: dict[int, list[NDArray[np.int32]]] = {}
    for ring in others:
        corner = int(np.abs(first - ring[0]).sum(axis=1).argmin())
        detours.setdefault(corner, []).extend((ring, ring[:1], first[corner : corner + 1]))
    pieces: list[NDArray[np.int32]] = []
    for corner in range(len(first)):
        pieces += [first[corner : corner + 1], *detours.get(corner, [])]
    ring = np.concatenate(pieces)
    return np.concatenate([ring, ring[-1:].repeat(max(0, 3 - len(ring)), axis=0)])


class YoloFiles:
    """A folder: `labels/<frame>.txt` for every frame, also those without instances, and `data.yaml` with the names."""

    def __init__(self, path: Path, names: Mapping[int, str], frame_names: Naming | None = None) -> None:
        """Makes the folder."""
        self.path = path
        self._names, self._frame_names = dict(names), frame_names or FrameNames(path.name)
        path.mkdir(parents=True, exist_ok=True)

    def write(self, frame: Frame, result: Result) -> None:
        """Writes the file of one frame."""
        for class_id, name in zip(result.class_id.tolist(), result.class_name, strict=True):
            self._names.setdefault(class_id, name)
        file = beside(self.path / "labels", self._frame_names(frame), ".txt")
        write_whole(file, "".join(f"{text}\n" for text in yolo_lines(result)).encode("ascii"))

    def close(self) -> None:
        """Writes `data.yaml`, whose ids have no gaps: a missing one is called "class 7". JSON strings are YAML."""
        last = max(self._names, default=-1)
        names = "".join(f"  {i}: {line(self._names.get(i, f'class {i}'))}\n" for i in range(last + 1))
        text = f"path: .\ntrain: images\nval: images\nnames:{' {}' if last < 0 else ''}\n{names}"
        write_whole(self.path / "data.yaml", text.encode("utf-8", "backslashreplace"))
