"""Instance masks as foreground runs: K masks of one image, without a pixel array until one is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from rfseg import _core

OutlineMode = Literal["external", "tree", "largest", "edge"]
Outline = npt.NDArray[np.int32]  # (N, 2) x, y; closed, and the first point is not repeated at the end
Part = tuple[Outline, list[Outline]]  # exterior, holes
Index = int | slice | Sequence[int] | npt.NDArray[Any]


def row_indices(index: Index, count: int) -> npt.NDArray[np.int32]:
    """Returns the rows that `index` selects of `count`, as NumPy would: int32 [N]."""
    rows = np.arange(count, dtype=np.int32)[index]
    return np.atleast_1d(rows)


class Masks:
    """K instance masks of one image, immutable. Copies and selections share runs and the outlines already traced."""

    __slots__ = ("_core",)

    def __init__(self, core: _core.Masks) -> None:
        self._core = core

    @classmethod
    def from_dense(cls, masks: npt.ArrayLike) -> Masks:
        """Encodes dense masks, bool [K, H, W].

        Raises:
            InputError: another rank, or images of 2^31 pixels or more.
        """
        return cls(_core.Masks.from_dense(np.asarray(masks, dtype=np.bool_)))

    @classmethod
    def from_coco(cls, segmentations: Sequence[Mapping[str, Any]], image_size: tuple[int, int] | None = None) -> Masks:
        """Decodes COCO run lengths, each `{"size": [H, W], "counts": bytes or str}`, compressed.

        `image_size` (height, width) is needed when the list is empty, and must agree with the sizes otherwise.

        Raises:
            InputError: sizes that differ, or counts that are malformed or do not cover the image exactly.
        """
        sizes = {(int(s["size"][0]), int(s["size"][1])) for s in segmentations} | (
            {image_size} if image_size else set()
        )
        if len(sizes) != 1:
            found = ", ".join(f"{h}x{w}" for h, w in sorted(sizes)) or "none"
            raise _core.InputError(f"expected masks of one image size, got {found}")
        return cls(_core.Masks.from_coco(sizes.pop(), [s["counts"] for s in segmentations]))

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width), pixels."""
        return self._core.image_size

    @property
    def area(self) -> npt.NDArray[np.int64]:
        """Foreground pixels of each mask, int64 [K]."""
        return self._core.area()

    @property
    def bbox(self) -> npt.NDArray[np.int32]:
        """Tight x0, y0, x1, y1 in pixels, x1 and y1 exclusive, int32 [K, 4]; zeros for an empty mask."""
        return self._core.bounds()

    def dense(self) -> npt.NDArray[np.bool_]:
        """Returns the masks as pixels, bool [K, H, W]: H * W bytes a mask."""
        return self._core.dense()

    def coco(self) -> list[dict[str, Any]]:
        """Returns the masks as COCO run lengths: K dicts `{"size": [H, W], "counts": bytes}`, as pycocotools writes."""
        size = list(self.image_size)
        return [{"size": size, "counts": counts} for counts in self._core.coco()]

    @overload
    def polygons(self, mode: Literal["external"] = "external") -> list[list[Outline]]: ...
    @overload
    def polygons(self, mode: Literal["tree", "edge"]) -> list[list[Part]]: ...
    @overload
    def polygons(self, mode: Literal["largest"]) -> list[Outline]: ...
    @overload
    def polygons(self, mode: OutlineMode) -> list[list[Outline]] | list[list[Part]] | list[Outline]: ...
    def polygons(self, mode: OutlineMode = "external") -> list[list[Outline]] | list[list[Part]] | list[Outline]:
        """Returns the outlines of each mask, traced once and kept; the arrays are read-only views, int32 [N, 2] x, y.

        An empty mask has no outline. Rings are closed without repeating their first point. The first three modes lead
        through the centres of pixels, a lone pixel is one point. Source: OpenCV findContours, CHAIN_APPROX_SIMPLE.

        Args:
            mode: "external": K lists of the outermost outlines. "tree": K lists of (exterior, [holes]), islands too.
                "largest": K arrays, each the outline with the most points; (0, 2) for an empty mask. "edge": K lists of
                (exterior, [holes]) along the edges of pixels, corners on 0..W x 0..H: valid polygons whose area is the
                number of pixels and which rasterise to the mask. Exteriors turn counterclockwise in the plane of the
                numbers, holes clockwise; pixels that meet at a corner only are parts of their own.

        Raises:
            InputError: another mode.
        """
        return self._core.polygons(mode)

    def iou(self, other: Masks | None = None) -> npt.NDArray[np.float64]:
        """Returns the intersection over union with `other`'s masks (default: with each other), float64 [K, L].

        Raises:
            InputError: the image sizes differ.
        """
        return self._core.iou(self._core if other is None else other._core)

    def columns(self) -> tuple[tuple[int, int], npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Returns what the masks are made of: image size, runs, offsets, mask of each instance.

        Runs are int32 [R, 2], half-open [start, end) in x * H + y; distinct mask m has the rows
        offsets[m]..offsets[m + 1]; several instances may show one mask.
        """
        return self._core.columns()

    def __len__(self) -> int:
        return len(self._core)

    def __getitem__(self, index: Index) -> Masks:
        return Masks(self._core.select(row_indices(index, len(self)).tolist()))

    def __iter__(self) -> Iterator[Masks]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        height, width = self.image_size
        return f"Masks({len(self)} of {height}x{width})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, self.columns()


def _restore(
    size: tuple[int, int],
    runs: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
    mask_of_instance: npt.NDArray[np.int32],
) -> Masks:
    return Masks(_core.Masks.from_columns(size, runs, offsets, mask_of_instance))
