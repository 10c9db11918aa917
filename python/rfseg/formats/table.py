"""Parquet: one row an instance, with the mask as COCO run lengths and, as GeoParquet has it, as geometry (WKB)."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rfseg.formats.frame_names import Frame, FrameNames, Naming
from rfseg.missing import require

if TYPE_CHECKING:
    from rfseg.masks import Part
    from rfseg.result import Result

_ROWS = 4096  # a row group; about 4 MB of masks
_POLYGON, _MULTI_POLYGON = 3, 6  # OGC simple features, well-known binary
_GEO = {  # GeoParquet 1.0; pixels have no reference system
    "version": "1.0.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon", "MultiPolygon"], "crs": None}},
}


def well_known_binary(parts: list[Part]) -> bytes | None:
    """A Polygon, a MultiPolygon where there are several parts, None where there is none; little endian, doubles."""
    polygons = [_polygon([exterior, *holes]) for exterior, holes in parts]
    if len(polygons) < 2:
        return polygons[0] if polygons else None
    return struct.pack("<BII", 1, _MULTI_POLYGON, len(polygons)) + b"".join(polygons)


def _polygon(rings: list[Any]) -> bytes:
    pieces = [struct.pack("<BII", 1, _POLYGON, len(rings))]
    for ring in rings:
        closed = np.concatenate([ring, ring[:1]])
        pieces += [struct.pack("<I", len(closed)), closed.astype("<f8").tobytes()]
    return b"".join(pieces)


def instance_columns(result: Result) -> dict[str, list[Any]]:
    """The columns that depend on the result alone, a value an instance."""
    count = len(result)
    height, width = result.image_size
    boxes = result.xyxy.astype(np.float32).reshape(count, 4)
    return {
        "image_height": [height] * count,
        "image_width": [width] * count,
        "instance": list(range(count)),
        "class_id": result.class_id.tolist(),
        "class_name": result.class_name,
        "confidence": result.confidence.tolist(),
        **{name: boxes[:, i].tolist() for i, name in enumerate(("x0", "y0", "x1", "y1"))},
        "area": result.masks.area.tolist(),
        "counts": [run["counts"].decode("ascii") for run in result.masks.coco()],
        "geometry": [well_known_binary(parts) for parts in result.masks.polygons("edge")],
    }


class ParquetFile:
    """A row an instance: frame, time_s, file_name, image size, place in the frame, class, score, box, area, mask.

    `counts` are COCO's compressed run lengths for the image size, `geometry` is the mask along the edges of pixels.
    Rows are written a group at a time; a frame without instances has none.
    """

    def __init__(self, path: Path, frame_names: Naming | None = None) -> None:
        """Opens the file.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        self._arrow = require("pyarrow", "Writing Parquet")
        parquet = require("pyarrow.parquet", "Writing Parquet")
        self.path = path
        self._frame_names = frame_names or FrameNames(path.stem)
        self._schema = self._columns()
        self._part = path.with_name(f"{path.name}.part")  # a Parquet file is none before its end
        self._writer = parquet.ParquetWriter(self._part, self._schema, compression="zstd")
        self._rows = self._empty()

    def write(self, frame: Frame, result: Result) -> None:
        """Adds the instances of a frame."""
        columns: dict[str, list[Any]] = {
            "frame": [frame.index] * len(result),
            "time_s": [frame.time_s] * len(result),
            "file_name": [self._frame_names(frame)] * len(result),
            **instance_columns(result),
        }
        for name, values in columns.items():
            self._rows[name] += values
        if len(self._rows["frame"]) >= _ROWS:
            self._flush(self._writer)

    def close(self) -> None:
        """Completes the file."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            if self._rows["frame"]:
                self._flush(writer)
            writer.close()
            os.replace(self._part, self.path)

    def _flush(self, writer: Any) -> None:
        writer.write_table(self._arrow.table(self._rows, schema=self._schema))
        self._rows = self._empty()

    def _empty(self) -> dict[str, list[Any]]:
        return {name: [] for name in self._schema.names}

    def _columns(self) -> Any:
        pa = self._arrow
        whole, real, text = pa.int32(), pa.float32(), pa.string()
        fields = [("frame", pa.int64()), ("time_s", pa.float64()), ("file_name", text)]
        fields += [("image_height", whole), ("image_width", whole), ("instance", whole), ("class_id", whole)]
        fields += [("class_name", text), ("confidence", real), ("x0", real), ("y0", real), ("x1", real), ("y1", real)]
        fields += [("area", pa.int64()), ("counts", text), ("geometry", pa.binary())]
        return pa.schema(fields, metadata={"geo": json.dumps(_GEO)})
