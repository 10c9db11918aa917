"""A Result as plain data: COCO records, GeoJSON, a dict ready for JSON.

Only numbers, strings, lists and dicts leave this file. It writes no files and draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rfseg.masks import OutlineMode
    from rfseg.result import Result


def coco_records(result: Result, image_id: int) -> list[dict[str, Any]]:
    """COCO results: `image_id`, `category_id`, `bbox` [x, y, w, h], `score`, `segmentation` as compressed RLE."""
    records = []
    for (x0, y0, x1, y1), score, class_id, segmentation in _rows(result):
        records.append(
            {
                "image_id": image_id,
                "category_id": class_id,
                "bbox": [x0, y0, _shortest(np.float32(x1 - x0)), _shortest(np.float32(y1 - y0))],
                "score": score,
                "segmentation": segmentation,
            }
        )
    return records


def as_dict(result: Result, polygons: OutlineMode | None = None) -> dict[str, Any]:
    """The schema of `Result.to_dict`, which documents it."""
    names = result.class_name
    outlines = result.masks.polygons(polygons) if polygons else None
    instances = []
    for row, (box, score, class_id, segmentation) in enumerate(_rows(result)):
        instance: dict[str, Any] = {"box": box, "confidence": score, "class_id": class_id, "class_name": names[row]}
        if outlines is None:
            instance["segmentation"] = segmentation
        else:
            instance["polygons"] = _plain_outlines(outlines[row], polygons)
        instances.append(instance)
    return {"image_size": [int(n) for n in result.image_size], "instances": instances}


def geojson(result: Result, properties: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema of `Result.to_geojson`; `properties` are added to those of every feature."""
    names = result.class_name
    confidence = [_shortest(score) for score in result.confidence]
    features = []
    for row, parts in enumerate(result.masks.polygons("tree")):
        features.append(
            {
                "type": "Feature",
                "geometry": _geometry(parts),
                "properties": {
                    "class_id": int(result.class_id[row]),
                    "class_name": names[row],
                    "confidence": confidence[row],
                    **(properties or {}),
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _rows(result: Result) -> Iterator[tuple[list[float], float, int, dict[str, Any]]]:
    runs = result.masks.coco()
    for box, score, class_id, run in zip(result.xyxy, result.confidence, result.class_id, runs, strict=True):
        segmentation = {"size": [int(n) for n in run["size"]], "counts": run["counts"].decode("ascii")}
        yield [_shortest(corner) for corner in box], _shortest(score), int(class_id), segmentation


def _shortest(value: np.float32) -> float:
    """The double with the fewest digits that rounds back to `value`: 0.9, not 0.8999999761581421."""
    return float(str(value))


def _plain_outlines(outlines: Any, mode: OutlineMode | None) -> list[Any]:
    if mode == "tree":
        return [{"exterior": part.tolist(), "holes": [hole.tolist() for hole in holes]} for part, holes in outlines]
    if mode == "largest":
        return [outlines.tolist()] if len(outlines) else []
    return [outline.tolist() for outline in outlines]


def _geometry(parts: list[tuple[NDArray[np.int32], list[NDArray[np.int32]]]]) -> dict[str, Any] | None:
    polygons = [[_ring(exterior), *(_ring(hole) for hole in holes)] for exterior, holes in parts]
    if not polygons:
        return None
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _ring(outline: NDArray[np.int32]) -> list[list[int]]:
    """Closes an outline as RFC 7946 asks: the first position repeated last, four positions or more.

    Exteriors turn counterclockwise in the plane of the numbers, holes clockwise; OpenCV's turn the other way.
    """
    points: list[list[int]] = outline[::-1].tolist()
    return points + points[:1] * max(1, 4 - len(points))
