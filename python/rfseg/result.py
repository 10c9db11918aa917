"""Result: what was found in one frame, as columns of K rows.

Owns indexing and the ways out (drawing, COCO, GeoJSON, supervision), each of which lives in a file of its own and is
imported when it is first used. Does not know where the numbers come from.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rfseg.masks import Masks, Outline, OutlineMode, Part

Color = Literal["bgr", "rgb"]


class Result:
    """The instances of one frame, best first.

    Attributes:
        xyxy: float32 [K, 4], corners in pixels, clipped to the image, not rounded.
        confidence: float32 [K], descending.
        class_id: int32 [K].
        masks: `Masks` of K masks, stored as runs.
        image_size: (height, width) in pixels.
        names: {class id: name}.
        speed: {stage: milliseconds}.

    Example:
        >>> import numpy as np, rfseg
        >>> masks = rfseg.Masks.from_dense(np.ones((1, 4, 6), bool))
        >>> box = np.array([[0, 0, 6, 4]], np.float32)
        >>> rfseg.Result(box, np.float32([0.9]), np.int32([5]), masks, (4, 6), {5: "circle"}, {})
        Result(4x6, 1 instance: 1 circle)
    """

    __slots__ = ("class_id", "confidence", "image_size", "masks", "names", "speed", "xyxy")

    # One is built per frame at above 1000 frames/s: seven assignments, no copies, no checks.
    def __init__(
        self,
        xyxy: NDArray[np.float32],
        confidence: NDArray[np.float32],
        class_id: NDArray[np.int32],
        masks: Masks,
        image_size: tuple[int, int],
        names: Mapping[int, str],
        speed: Mapping[str, float],
    ) -> None:
        self.xyxy = xyxy
        self.confidence = confidence
        self.class_id = class_id
        self.masks = masks
        self.image_size = image_size
        self.names = names
        self.speed = speed

    @property
    def class_name(self) -> list[str]:
        """K names; an id without a name is "class 7"."""
        return [self.names.get(i, f"class {i}") for i in self.class_id.tolist()]

    def __len__(self) -> int:
        return len(self.class_id)

    def __getitem__(self, key: int | slice | NDArray[Any] | list[Any]) -> Result:
        """Instances chosen by an index, a slice, a bool mask [K] or an array of indices; always a Result."""
        if isinstance(key, (int, np.integer)):
            rows: Any = [range(len(self))[key]]
        else:
            rows = key if isinstance(key, slice) else np.asarray(key, dtype=None if len(key) else np.intp)
        return Result(
            self.xyxy[rows],
            self.confidence[rows],
            self.class_id[rows],
            self.masks[rows],
            self.image_size,
            self.names,
            self.speed,
        )

    def __iter__(self) -> Iterator[Result]:
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        height, width = self.image_size
        found = ", ".join(f"{count} {name}" for name, count in Counter(self.class_name).most_common())
        plural = "instance" if len(self) == 1 else "instances"
        return f"Result({height}x{width}, {len(self)} {plural}{': ' if found else ''}{found})"

    def __reduce__(self) -> tuple[type[Result], tuple[Any, ...]]:
        columns = (self.xyxy, self.confidence, self.class_id, self.masks)
        return Result, (*columns, self.image_size, self.names, self.speed)

    @overload
    def polygons(self, mode: Literal["external"] = "external") -> list[list[Outline]]: ...
    @overload
    def polygons(self, mode: Literal["tree", "edge"]) -> list[list[Part]]: ...
    @overload
    def polygons(self, mode: Literal["largest"]) -> list[Outline]: ...
    @overload
    def polygons(self, mode: OutlineMode) -> list[list[Outline]] | list[list[Part]] | list[Outline]: ...
    def polygons(self, mode: OutlineMode = "external") -> list[list[Outline]] | list[list[Part]] | list[Outline]:
        """Outlines of every mask in pixels, traced once and kept; see `Masks.polygons`.

        Args:
            mode: "external": K lists of int32 [N, 2] x, y; "tree": K lists of (exterior, [holes]), islands included;
                "largest": K arrays, the outline with the most points; "edge": as "tree", along the edges of pixels:
                valid, with the mask's own area.
        """
        return self.masks.polygons(mode)

    def plot(self, frame: NDArray[np.uint8] | None = None, **style: Any) -> NDArray[np.uint8]:
        """Draws masks, outlines, boxes and labels on a copy of the frame; needs `rfseg[viz]`.

        Args:
            frame: uint8 [H, W, 3] of this result's image size; None draws on black. It is not modified.
            **style: `color` ("bgr", as the frame is), and `masks`, `outlines`, `boxes`, `labels` (True), `opacity`
                (0.45), as `rfseg.drawing.draw` takes them.

        Returns:
            uint8 [H, W, 3] in the frame's colour order.

        Raises:
            InputError: the frame is not uint8 [H, W, 3] of the image size.
            MissingExtraError: OpenCV is not installed.
        """
        from rfseg.drawing import draw

        return draw(self, frame, **style)

    def save(self, path: str | PathLike[str], frame: NDArray[np.uint8] | None = None, **style: Any) -> None:
        """Writes `plot(frame, **style)` as an image; the suffix of `path` decides its kind."""
        from rfseg.drawing import save

        save(self, path, frame, **style)

    def show(self, frame: NDArray[np.uint8] | None = None, **style: Any) -> None:
        """Displays `plot(frame, **style)` in a notebook."""
        from IPython.display import Image, display  # type: ignore[import-not-found, unused-ignore]

        from rfseg.drawing import png

        display(Image(data=png(self, frame, **style)))

    def _repr_png_(self) -> bytes | None:
        from rfseg.drawing import png
        from rfseg.missing import MissingExtraError

        try:
            return png(self)
        except MissingExtraError:
            return None  # a notebook shows the repr instead

    def to_supervision(self) -> Any:
        """`supervision.Detections` with `class_name` in its data; masks stay compact where supervision can hold them.

        Raises:
            MissingExtraError: supervision is not installed.
        """
        from rfseg.detections import detections

        return detections(self)

    def to_coco(self, image_id: int) -> list[dict[str, Any]]:
        """COCO results: `image_id`, `category_id`, `bbox` [x, y, w, h], `score`, `segmentation` (compressed RLE)."""
        from rfseg.formats import coco_records

        return coco_records(self, image_id)

    def to_geojson(self) -> dict[str, Any]:
        """A FeatureCollection in pixel coordinates of pixel centres, x to the right, y down.

        Each instance is a feature: a Polygon with its holes, a MultiPolygon if it has several parts, no geometry if
        its mask is empty. Properties: `class_id`, `class_name`, `confidence`.
        """
        from rfseg.formats import geojson

        return geojson(self)

    def to_dict(self, *, polygons: OutlineMode | None = None) -> dict[str, Any]:
        """Numbers, strings, lists and dicts, ready for JSON.

        `{"image_size": [H, W], "instances": [{"box": [x0, y0, x1, y1], "confidence", "class_id", "class_name",
        "segmentation": {"size": [H, W], "counts": str}}]}`; the segmentation is COCO's compressed RLE.

        Args:
            polygons: writes `polygons` instead of `segmentation`: a list of outlines [[x, y], ...] ("external", and
                "largest" with one at most), or of {"exterior", "holes"} ("tree").
        """
        from rfseg.formats import as_dict

        return as_dict(self, polygons)

    def to_json(self, *, polygons: OutlineMode | None = None) -> str:
        """`to_dict` as one line of JSON."""
        return json.dumps(self.to_dict(polygons=polygons), ensure_ascii=False, separators=(",", ":"))
