"""A picture file as upright BGR pixels, whole or refused in words; its size is checked before it is decoded.

OpenCV decodes what it decodes exactly; Pillow and its plug-in decode GIF, AVIF, HEIC and others. Knows no frames.
"""

from __future__ import annotations

import io
import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.causes import cause, file_name
from rfseg.missing import MissingExtraError, require
from rfseg.pictures.headers import HEADERS, Header
from rfseg.pictures.kinds import Kind, kind_of_bytes
from rfseg.pictures.tiff import tiff_header

MAX_PIXELS = 200_000_000  # 600 MB as BGR; a file of 2 kB can ask for it
_BYTES_PER_PIXEL = 8  # of the largest file looked at: 16 bits a channel, four channels, not compressed
_LEAST_LARGEST_BYTES = 64 << 20
_PILLOW_FORMATS = {"GIF": "GIF", "AVIF": "AVIF", "HEIC": "HEIF", "QOI": "QOI", "Photoshop": "PSD"}
_pillow_limit = Lock()  # Pillow's own limit of pixels is a global of its module

Note = Callable[[str], None]


def read_picture(
    path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS, note: Note | None = None
) -> NDArray[np.uint8]:
    """Reads one picture, turned as its EXIF data says.

    Args:
        path: of a regular file, of any suffix.
        max_pixels: refuses larger pictures before memory is taken for them.
        note: is told in one sentence what the pixels leave out: bits, pages, frames.

    Returns:
        uint8 [H, W, 3], BGR.

    Raises:
        InputError: it is not a picture, is damaged, is too large, or has no honest reading as 8 bits a channel.
        MissingExtraError: OpenCV is not installed.
    """
    try:
        data = _bytes(Path(path), max_pixels)
        kind = kind_of_bytes(data[:256])
        if kind is None or kind.sort != "picture":
            raise InputError("it is not an image" + (", it is a film" if kind else ", or a damaged one"))
        if kind.reader is None:
            raise InputError(f"nothing here reads {kind.name}: convert it, to PNG for example")
        told: list[str] = []
        read = _by_opencv if kind.reader == "opencv" else _by_pillow
        pixels = read(data, kind, max_pixels, told.append)
    except MissingExtraError:
        raise
    except Exception as error:
        raise InputError(f"cannot read {file_name(path)}: {cause(error)}") from error
    for sentence in told:
        (note or _unheard)(f"{file_name(path)}: {sentence}")
    return pixels


def _bytes(path: Path, max_pixels: int) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InputError("it is a folder, a pipe or a device, not a file")
    largest = max(_LEAST_LARGEST_BYTES, max_pixels * _BYTES_PER_PIXEL)
    if status.st_size > largest:
        raise InputError(
            f"its {status.st_size:,} bytes are more than {max_pixels:,} pixels need; --max-pixels allows more"
        )
    return path.read_bytes()


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise InputError(
            f"its {width} x {height} pixels are more than the limit of {max_pixels:,}; "
            "--max-pixels (max_pixels=) raises it"
        )


def _header(data: bytes, kind: Kind) -> Header:
    try:
        header = (tiff_header if kind.name == "TIFF" else HEADERS[kind.name])(data)
    except (struct.error, LookupError, ValueError) as error:
        raise InputError(f"its {kind.name} header is damaged") from error
    if header.width < 1 or header.height < 1:
        raise InputError(f"its {kind.name} header says {header.width} x {header.height} pixels")
    return header


def _by_opencv(data: bytes, kind: Kind, max_pixels: int, note: Note) -> NDArray[np.uint8]:
    header = _header(data, kind)
    if header.refusal:
        raise InputError(header.refusal)
    _check_size(header.width, header.height, max_pixels)
    cv2 = require("cv2", "Reading images")
    pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise InputError(f"it is a damaged {kind.name}, or of a variety that OpenCV does not know")
    if sorted(pixels.shape[:2]) != sorted((header.height, header.width)):
        raise InputError(f"its header says {header.width} x {header.height} pixels, and it decodes to other ones")
    if header.bits > 8:
        note(f"it has {header.bits} bits a channel; the upper 8 were used")
    if header.pages > 1:
        note("it holds further pages or frames; the first was used")
    image: NDArray[np.uint8] = pixels
    return image


def _by_pillow(data: bytes, kind: Kind, max_pixels: int, note: Note) -> NDArray[np.uint8]:
    image_of = _opener(kind)
    with _pillow_limit, image_of(data) as image:
        _check_size(image.width, image.height, max_pixels)
        if getattr(image, "n_frames", 1) > 1:
            note(f"it holds {image.n_frames} frames or pictures; the first was used")
        if (bits := image.info.get("bit_depth", 8)) > 8:
            note(f"it has {bits} bits a channel; the upper 8 were used")
        if image.mode in ("I", "F") or image.mode.startswith("I;"):
            raise InputError(
                f"its samples are Pillow's mode {image.mode}, for which no range is agreed: convert it to 8 bits"
            )
        from PIL import ImageOps

        upright = ImageOps.exif_transpose(image).convert("RGB")
    return np.ascontiguousarray(np.asarray(upright)[..., ::-1])


def _opener(kind: Kind) -> Callable[[bytes], Any]:
    try:
        image_module: Any = require("PIL.Image", f"Reading {kind.name}")
        if kind.reader == "pillow_heif":
            require("pillow_heif", f"Reading {kind.name}").register_heif_opener()
    except MissingExtraError as error:
        raise InputError(str(error)) from error  # the other pictures can be read

    def opened(data: bytes) -> Any:
        before, image_module.MAX_IMAGE_PIXELS = image_module.MAX_IMAGE_PIXELS, None
        try:
            return image_module.open(io.BytesIO(data), formats=[_PILLOW_FORMATS[kind.name]])
        finally:
            image_module.MAX_IMAGE_PIXELS = before

    return opened


def _unheard(_: str) -> None:
    """For callers who did not ask."""
