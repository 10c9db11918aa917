"""Instance masks as foreground runs: K masks of one image, without a pixel array until one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        """Encodes dense masks, bool or whole numbers [K, H, W]; what is not 0 is foreground.

        Raises:
            InputError: floats, another rank, or images of 2^31 pixels or more.
        """
        pixels = np.asarray(masks)
        if pixels.dtype.kind not in "biu" and pixels.size:
            raise _core.InputError(
                f"expected masks of bool or whole numbers, got {pixels.dtype}: threshold them first, masks > 0.5 for "
                "probabilities, masks > 0 for logits"
            )
        return cls(_core.Masks.from_dense(pixels.astype(np.bool_, copy=False)))

    @classmethod
    def from_coco(cls, segmentations: Iterable[Mapping[str, Any]], image_size: tuple[int, int] | None = None) -> Masks:
        """Decodes COCO run lengths of one image in every form that COCO files hold.

        Args:
            segmentations: each `{"size": [H, W], "counts": ...}` with compressed counts (bytes or str) or plain ones (a
                list of lengths), or a whole annotation with such a `segmentation`.
            image_size: (height, width); needed when there are none, and must agree with the sizes otherwise.

        Raises:
            InputError: polygons; sizes that differ; counts that are malformed or do not cover the image exactly.
        """
        from rfseg.formats.coco_counts import one_image

        size, counts = one_image(segmentations, image_size)
        return cls(_core.Masks.from_coco(size, counts))

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

    def simplified(self, tolerance_px: float) -> list[list[Part]]:
        """Returns edge outlines with corners left out, K lists of (exterior, [holes]), int32 [N, 2] x, y.

        Every corner that is left out lies within `tolerance_px` of the edge that replaces it; parts and holes stay, and
        the polygons stay valid: no ring crosses another, and none falls below four corners. Computed at each call.

        Raises:
            InputError: the tolerance is negative or not finite.
        """
        return self._core.simplified(tolerance_px)

    def iou(self, other: Masks | None = None) -> npt.NDArray[np.float64]:
        """Returns the intersection over union with `other`'s masks (default: with each other), float64 [K, L].

        Raises:
            InputError: the image sizes differ.
        """
        return self._core.iou(self._core if other is None else other._core)

    def crop_lengths(self) -> list[npt.NDArray[np.int32]]:
        """Returns K arrays of lengths of background, foreground, ... down the columns of each mask's crop at `bbox`.

        The crop of an empty mask is one pixel; a background of length 0 is written only at the start.
        """
        return self._core.crop_lengths()

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

    def __eq__(self, other: object) -> bool:
        """Whether `other` has the same masks in the same order."""
        if not isinstance(other, Masks):
            return NotImplemented
        return self.image_size == other.image_size and self._core.coco() == other._core.coco()

    __hash__ = None  # type: ignore[assignment]  # arrays behind it: as with NumPy's, equality is about content

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, self.columns()


def _restore(
    size: tuple[int, int],
    runs: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
    mask_of_instance: npt.NDArray[np.int32],
) -> Masks:
    return Masks(_core.Masks.from_columns(size, runs, offsets, mask_of_instance))
