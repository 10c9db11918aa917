"""Result: what was found in one frame, as columns of K rows.

Owns indexing and the ways out and back (drawing, COCO, GeoJSON, JSON, supervision), each of which lives in a file of
its own and is imported when it is first used. Does not know where the numbers come from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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
        picture: (frame, its colour order) to draw on, or None; see `with_frame`.

    Two results are equal if image size, boxes, confidences, class ids and names, and masks are; speed does not count.

    Example:
        >>> import numpy as np, rfseg
        >>> masks = rfseg.Masks.from_dense(np.ones((1, 4, 6), bool))
        >>> box = np.array([[0, 0, 6, 4]], np.float32)
        >>> rfseg.Result(box, np.float32([0.9]), np.int32([5]), masks, (4, 6), {5: "circle"}, {})
        Result(4x6, 1 instance: 1 circle)
    """

    __slots__ = ("class_id", "confidence", "image_size", "masks", "names", "picture", "speed", "xyxy")

    # One is built per frame at above 1000 frames/s: eight assignments, no copies, no checks.
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
        self.picture: tuple[NDArray[np.uint8], Color] | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """The inverse of `to_dict`: equal to the result it came from, but None becomes NaN.

        Raises:
            InputError: a key is missing, `to_dict(polygons=...)` wrote it, or a value cannot be used.
        """
        from rfseg.formats.records import from_dict

        return from_dict(data)

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
        chosen = Result(
            self.xyxy[rows],
            self.confidence[rows],
            self.class_id[rows],
            self.masks[rows],
            self.image_size,
            self.names,
            self.speed,
        )
        chosen.picture = self.picture
        return chosen

    def __iter__(self) -> Iterator[Result]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return (
            tuple(self.image_size) == tuple(other.image_size)
            and np.array_equal(self.class_id, other.class_id)
            and np.array_equal(self.confidence, other.confidence, equal_nan=True)
            and np.array_equal(self.xyxy, other.xyxy, equal_nan=True)
            and self.class_name == other.class_name
            and self.masks == other.masks
        )

    __hash__ = None  # type: ignore[assignment]  # equality is about content, which may change

    def __repr__(self) -> str:
        height, width = self.image_size
        found = ", ".join(f"{count} {name}" for name, count in Counter(self.class_name).most_common())
        plural = "instance" if len(self) == 1 else "instances"
        return f"Result({height}x{width}, {len(self)} {plural}{': ' if found else ''}{found})"

    def __reduce__(self) -> tuple[type[Result], tuple[Any, ...]]:
        columns = (self.xyxy, self.confidence, self.class_id, self.masks)
        return Result, (*columns, self.image_size, dict(self.names), dict(self.speed))

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

        "external": K lists of int32 [N, 2] x, y; "tree": K lists of (exterior, [holes]), islands included; "largest":
        K arrays; "edge": as "tree", along the edges of pixels, valid and of the mask's own area.
        """
        return self.masks.polygons(mode)

    def with_frame(self, frame: NDArray[Any], color: Color = "bgr") -> Result:
        """These instances with the frame that `plot` and a notebook then draw on; it is kept, not copied or pickled."""
        result = self[:]
        result.picture = (frame, color)
        return result

    def plot(self, frame: NDArray[Any] | None = None, **style: Any) -> NDArray[np.uint8]:
        """Draws masks, outlines, boxes and labels on a copy of the frame; needs `rfseg[viz]`.

        Args:
            frame: uint8 [H, W, 3] of this result's image size. It is not modified. None draws on the frame of
                `with_frame`, or on black.
            **style: `color` ("bgr", or that of `with_frame`), `masks`, `outlines`, `boxes`, `labels` (True), `opacity`
                (0.45), as `rfseg.drawing.draw` takes them.

        Returns:
            uint8 [H, W, 3] in the frame's colour order.

        Raises:
            InputError: the frame is not uint8 [H, W, 3] of the image size, or the opacity not from 0 to 1.
            MissingExtraError: OpenCV is not installed.
        """
        from rfseg.drawing import draw

        return draw(self, frame, **style)

    def save(self, path: str | PathLike[str], frame: NDArray[Any] | None = None, **style: Any) -> None:
        """Writes `plot(frame, **style)` as an image; the suffix of `path` decides its kind."""
        from rfseg.drawing import save

        save(self, path, frame, **style)

    def show(self, frame: NDArray[Any] | None = None, **style: Any) -> None:
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
        """`supervision.Detections` with `class_name` in its data; masks stay compact where it can hold them."""
        from rfseg.detections import detections

        return detections(self)

    def to_coco(self, image_id: Any, categories: Mapping[Any, int] | None = None) -> list[dict[str, Any]]:
        """COCO results: `image_id`, `category_id`, `bbox` [x, y, w, h], `score`, `segmentation` (compressed RLE).

        `categories` {class id or class name: category id} are those of a data set with ids of its own; without them
        category ids are class ids. InputError: it lacks a class of this result.
        """
        from rfseg.formats.coco import coco_records

        return coco_records(self, image_id, categories)

    def to_geojson(self, *, transform: Iterable[float] | None = None, simplify: float | None = None) -> dict[str, Any]:
        """A FeatureCollection along the edges of pixels: valid geometries whose area is their mask's pixel count.

        Each instance is a feature: a Polygon with its holes, a MultiPolygon if it has several parts, no geometry if
        its mask is empty. Properties: `class_id`, `class_name`, `confidence`.

        Args:
            transform: (a, b, c, d, e, f) as rasterio has it, or its Affine: x' = a x + b y + c, y' = d x + e y + f.
                None keeps pixels: x to the right and y down from the image's top left corner.
            simplify: px; leaves corners out that lie within this distance of what replaces them. Geometries stay valid.

        Raises:
            InputError: a transform of another form, or a negative distance.
        """
        from rfseg.formats.geojson import geojson

        return geojson(self, transform=transform, simplify=simplify)

    def to_dict(self, *, polygons: OutlineMode | None = None) -> dict[str, Any]:
        """Numbers, strings, lists and dicts, ready for JSON.

        `{"image_size": [H, W], "instances": [{"box": [x0, y0, x1, y1], "confidence", "class_id", "class_name",
        "segmentation": {"size": [H, W], "counts": str}}]}`; the segmentation is COCO's compressed RLE. A number that is
        not finite becomes None, since JSON has none.

        Args:
            polygons: writes `polygons` instead of `segmentation`: a list of outlines [[x, y], ...] ("external", and
                "largest" with one at most), or of {"exterior", "holes"} ("tree" and "edge").
        """
        from rfseg.formats.records import as_dict

        return as_dict(self, polygons)

    def to_json(self, *, polygons: OutlineMode | None = None) -> str:
        """`to_dict` as one line of JSON."""
        from rfseg.formats.numbers import line

        return line(self.to_dict(polygons=polygons))
