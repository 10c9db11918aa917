"""Frames as encoders take them: 8-bit planes of half the chroma, from BGR pixels or from a decoder's own planes.

Colours are converted by the exact formula, rounded once; where only parts of a frame were drawn on, only they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg.missing import require
from rfseg.video.colors import planes_matrix
from rfseg.yuv import YuvFrame

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]  # Y [H, W], Cb and Cr [(H+1)/2, (W+1)/2]


def planes_of(bgr: NDArray[np.uint8], matrix: str, *, full: bool) -> Planes:
    """The planes of a picture of any size, uint8 [H, W, 3]. A chroma sample is that of the mean of its four pixels.

    Raises:
        MissingExtraError: OpenCV is not installed.
    """
    cv2 = require("cv2", "Writing videos")
    rows = planes_matrix(matrix, full=full)
    height, width = bgr.shape[:2]
    odd = [(0, height % 2), (0, width % 2), (0, 0)]
    even = np.pad(bgr, odd, mode="edge") if height % 2 or width % 2 else bgr
    half = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
    chroma = cv2.transform(half, rows[1:])
    luma = cv2.transform(bgr, rows[:1])
    return luma.reshape(height, width), chroma[..., 0], chroma[..., 1]


def put(planes: Planes, bgr: NDArray[np.uint8], areas: NDArray[np.int32], matrix: str, *, full: bool) -> None:
    """Converts `areas` of a picture into planes of its size, in place; they grow to whole chroma samples.

    Args:
        planes: of the whole picture.
        bgr: uint8 [H, W, 3].
        areas: int32 [N, 4], x0, y0, x1, y1 in pixels, x1 and y1 exclusive; what lies outside the picture is cut off.
        matrix: bt601, bt709 or bt2020.
        full: of the range.
    """
    height, width = bgr.shape[:2]
    for x0, y0, x1, y1 in areas.tolist():
        left, top = max(0, x0) & ~1, max(0, y0) & ~1
        right, bottom = min(width, x1 + x1 % 2), min(height, y1 + y1 % 2)
        if x0 >= x1 or y0 >= y1 or left >= right or top >= bottom:
            continue
        luma, cb, cr = planes_of(bgr[top:bottom, left:right], matrix, full=full)
        planes[0][top:bottom, left:right] = luma
        for plane, part in ((planes[1], cb), (planes[2], cr)):
            plane[top // 2 : top // 2 + part.shape[0], left // 2 : left // 2 + part.shape[1]] = part


def planes_in(image: YuvFrame) -> Planes | None:
    """The planes of a frame of 8 bits and half the chroma, where they lie; None where it has others."""
    if image.format == "i420":
        y, cb, cr = image.planes
        return y, cb, cr
    if image.format == "nv12":
        pairs = image.planes[1].reshape(image.planes[1].shape[0], -1, 2)
        return image.planes[0], pairs[..., 0], pairs[..., 1]
    return None


def encodable(av: Any, planes: Planes, retouch: Callable[[Planes], None] | None = None) -> Any:
    """A PyAV frame of even size with a copy of these planes; an odd last row or column is there twice.

    `retouch` is given the copies before that.
    """
    height, width = planes[0].shape
    frame = av.VideoFrame(width + width % 2, height + height % 2, "yuv420p")
    whole = [np.frombuffer(target, np.uint8).reshape(-1, target.line_size) for target in frame.planes]
    y, cb, cr = (rows[: part.shape[0], : part.shape[1]] for rows, part in zip(whole, planes, strict=True))
    for copy, part in zip((y, cb, cr), planes, strict=True):
        copy[:] = part
    if retouch is not None:
        retouch((y, cb, cr))
    for rows, target, source in zip(whole, frame.planes, (y, cb, cr), strict=True):
        rows[source.shape[0] : target.height, : source.shape[1]] = source[-1]
        rows[: target.height, source.shape[1] : target.width] = rows[: target.height, source.shape[1] - 1, None]
    return frame
