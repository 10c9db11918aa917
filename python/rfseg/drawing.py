"""Draws a Result on a frame: translucent masks, outlines, boxes, labels.

Works on crops, never on a full-frame mask, and never on the caller's frame. Needs OpenCV (`rfseg[viz]`); knows nothing
of files' containers, videos or notebooks.
"""

from __future__ import annotations

import colorsys
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.missing import require
from rfseg.yuv import YuvFrame

if TYPE_CHECKING:
    from rfseg.result import Color, Result

Pixel = tuple[int, int, int]


def draw(
    result: Result,
    frame: NDArray[Any] | None = None,
    *,
    color: Color | None = None,
    masks: bool = True,
    outlines: bool = True,
    boxes: bool = True,
    labels: bool = True,
    opacity: float = 0.45,
) -> NDArray[np.uint8]:
    """Draws on a copy of the frame, the most confident instance last, so on top.

    Args:
        result: what to draw.
        frame: uint8 [H, W, 3], any strides; None draws on the result's own frame, or else on black.
        color: order of the frame's channels; a class has the same colour in either. None: the own frame's, or "bgr".
        masks: fills the masks.
        outlines: draws the masks' outlines, holes included.
        boxes: draws the boxes.
        labels: writes class names and confidences. OpenCV's font has ASCII only.
        opacity: of the masks, 0 to 1.

    Returns:
        uint8 [H, W, 3], C-contiguous.

    Raises:
        InputError: the frame is not uint8 [H, W, 3] of the result's image size, or the opacity not from 0 to 1.
        MissingExtraError: OpenCV is not installed.
    """
    canvas = _canvas(result, frame)
    paint(
        canvas, result, color=_color(result, color), masks=masks, outlines=outlines, boxes=boxes, labels=labels,
        opacity=opacity,
    )  # fmt: skip
    return canvas


def paint(
    canvas: NDArray[np.uint8],
    result: Result,
    *,
    color: Color = "bgr",
    masks: bool = True,
    outlines: bool = True,
    boxes: bool = True,
    labels: bool = True,
    opacity: float = 0.45,
) -> NDArray[np.int32]:
    """As `draw`, into `canvas` itself, uint8 [H, W, 3].

    Returns:
        int32 [N, 4]: x0, y0, x1, y1 of the areas outside which nothing was changed; they may reach over the edges.
    """
    if not 0 <= opacity <= 1:
        raise InputError(f"opacity is {opacity}: expected a number from 0 to 1")
    cv2 = require("cv2", "Drawing")
    thickness = max(1, round(min(result.image_size) / 540))
    parts = result.masks.polygons("tree") if masks or outlines else []
    bounds, corners = result.masks.bbox, _corners(result).round().astype(np.int32)
    for row in reversed(range(len(result))):
        class_id = int(result.class_id[row])
        pixel = class_color(class_id, color)
        rings = [ring for exterior, holes in parts[row] for ring in (exterior, *holes)] if parts else []
        if masks and rings:
            _fill(canvas, rings, bounds[row].tolist(), pixel, opacity)
        if outlines and rings:
            cv2.polylines(canvas, rings, True, pixel, thickness)
        x0, y0, x1, y1 = corners[row].tolist()
        if boxes:
            cv2.rectangle(canvas, (x0, y0), (x1 - 1, y1 - 1), pixel, thickness)
    # Last, so that no mask hides a label.
    plates = _write_labels(cv2, canvas, result, color) if labels else np.zeros((0, 4), np.int32)
    reach = np.array([-1, -1, 1, 1], np.int32) * (thickness + 1)
    filled = (bounds[:, 2] > bounds[:, 0])[:, None]
    low = np.where(filled, np.minimum(bounds[:, :2], corners[:, :2]), corners[:, :2])
    high = np.where(filled, np.maximum(bounds[:, 2:], corners[:, 2:]), corners[:, 2:])
    instances = np.concatenate([low, high], axis=1) + reach
    areas: NDArray[np.int32] = np.concatenate([instances, plates + reach]).astype(np.int32)
    return areas


@lru_cache(maxsize=1024)
def class_color(class_id: int, color: Color = "bgr") -> Pixel:
    """The colour of a class: bright, the same in every run, neighbouring ids far apart in hue."""
    golden_turn = 0.618033988749895
    hue = (0.02 + class_id * golden_turn) % 1.0
    saturation, value = ((0.80, 1.00), (0.60, 0.95), (0.90, 0.78))[(class_id // 8) % 3]
    red, green, blue = (round(255 * channel) for channel in colorsys.hsv_to_rgb(hue, saturation, value))
    return (red, green, blue) if color == "rgb" else (blue, green, red)


def png(result: Result, frame: NDArray[Any] | None = None, **style: Any) -> bytes:
    """`draw` as the bytes of a PNG file."""
    return image_bytes(".png", _bgr(draw(result, frame, **style), _color(result, style.get("color"))))


def save(result: Result, path: str | PathLike[str], frame: NDArray[Any] | None = None, **style: Any) -> None:
    """`draw` as an image file; the suffix decides its kind.

    Raises:
        InputError: OpenCV cannot write files with that suffix.
        OSError: the file cannot be written.
    """
    bgr = _bgr(draw(result, frame, **style), _color(result, style.get("color")))
    Path(path).write_bytes(image_bytes(Path(path).suffix, bgr))


def image_bytes(suffix: str, bgr: NDArray[np.uint8]) -> bytes:
    """A picture as the content of a file with that suffix.

    Raises:
        InputError: OpenCV cannot write files with that suffix.
        MissingExtraError: OpenCV is not installed.
    """
    cv2 = require("cv2", "Writing images")
    if not suffix or not cv2.haveImageWriter(f"x{suffix}"):
        raise InputError(f"cannot write an image: '{suffix}' is not an image suffix; use .png or .jpg")
    _, data = cv2.imencode(suffix, bgr)
    return bytes(data)


def _bgr(image: NDArray[np.uint8], color: Color) -> NDArray[np.uint8]:
    return image if color == "bgr" else image[..., ::-1]


def _color(result: Result, color: Color | None) -> Color:
    if color is not None:
        return color
    return result.picture[1] if result.picture else "bgr"


def _corners(result: Result) -> NDArray[np.float32]:
    """Boxes that can be drawn: inside the image, NaN at 0."""
    height, width = result.image_size
    inside: NDArray[np.float32] = np.clip(np.nan_to_num(result.xyxy), 0, np.array([width, height, width, height]))
    return inside


def _canvas(result: Result, frame: NDArray[Any] | None) -> NDArray[np.uint8]:
    shape = (*result.image_size, 3)
    if frame is None and result.picture is not None:
        frame = result.picture[0]
    if frame is None:
        return np.zeros(shape, np.uint8)
    if isinstance(frame, YuvFrame):
        raise InputError("a frame of planes cannot be drawn on: pass rfseg.ops.convert(frame)")
    frame = np.asarray(frame)
    if frame.dtype != np.uint8 or frame.shape != shape:
        raise InputError(
            f"expected the frame of this result, uint8 {list(shape)}; got {frame.dtype} {list(frame.shape)}"
        )
    return np.array(frame, order="C")


def _fill(
    canvas: NDArray[np.uint8],
    rings: list[NDArray[np.int32]],
    bounds: list[int],
    pixel: Pixel,
    opacity: float,
) -> None:
    """Blends the mask inside its bounds.

    Filling its outlines gives back its pixels at a tenth of the cost of a dense mask; where nothing was filled, a byte
    is blended with itself and stays as it is.
    """
    cv2 = require("cv2", "Drawing")
    x0, y0, x1, y1 = bounds
    region = canvas[y0:y1, x0:x1]
    filled = region.copy()
    cv2.drawContours(filled, rings, -1, pixel, cv2.FILLED, offset=(-x0, -y0))
    cv2.addWeighted(region, 1 - opacity, filled, opacity, 0, dst=region)


def _write_labels(cv2: Any, canvas: NDArray[np.uint8], result: Result, color: Color) -> NDArray[np.int32]:
    """Writes on plates of the class's colour above the box's corner, or below it where the image ends; says where."""
    plates = np.zeros((len(result), 4), np.int32)
    height, width = result.image_size
    scale, thickness = 0.35 + min(height, width) / 3600, max(1, round(min(height, width) / 800))
    names, class_ids, corners = result.class_name, result.class_id.tolist(), _corners(result)[:, :2].round().tolist()
    for row in reversed(range(len(result))):
        text = f"{names[row]} {result.confidence[row]:.2f}"
        (text_width, text_height), descent = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
        plate_width, plate_height = text_width + 4, text_height + descent + 2
        x, y = (int(corner) for corner in corners[row])
        x = max(0, min(x, width - plate_width))
        y = y - plate_height if y >= plate_height else max(0, y)
        plate = (x + plate_width - 1, y + plate_height - 1)
        plates[row] = x, y, x + plate_width, y + plate_height
        cv2.rectangle(canvas, (x, y), plate, class_color(class_ids[row], color), cv2.FILLED)
        origin, ink = (x + 2, y + text_height + 1), _ink(class_ids[row])
        cv2.putText(canvas, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thickness, cv2.LINE_AA)
    return plates


def _ink(class_id: int) -> Pixel:
    """Black on light colours, white on dark ones."""
    red, green, blue = class_color(class_id, "rgb")
    return (0, 0, 0) if 0.3 * red + 0.59 * green + 0.11 * blue > 128 else (255, 255, 255)
