"""What the header of a picture says before anything is decoded: its size, its samples, whether more pictures follow.

Only for kinds that OpenCV decodes; the file is whatever a stranger wrote, and every read is bounded by its length.
Where it ends too early or contradicts itself, struct.error, LookupError or ValueError comes out.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """Of one picture.

    Attributes:
        width, height: as stored, before it is turned.
        bits: of a sample.
        pages: pictures in the file, 2 for "several".
        refusal: why it has no honest reading as 8 bits a channel, or "".
    """

    width: int
    height: int
    bits: int = 8
    pages: int = 1
    refusal: str = ""


def _png(data: bytes) -> Header:
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    at, pages = 8, 1
    while at + 16 <= len(data):  # acTL, the mark of an animation, comes before the first IDAT
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            break
        if name == b"acTL":
            pages = struct.unpack_from(">I", data, at + 8)[0]
        at += 12 + length
    return Header(width, height, bits, pages)


def _jpeg(data: bytes) -> Header:
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width = struct.unpack_from(">BHH", data, at + 4)
            return Header(width, height, bits)
        if marker in (0xD9, 0xDA):
            raise ValueError("no frame header")
        at += 2 if marker == 0x01 or 0xD0 <= marker <= 0xD8 else 2 + struct.unpack_from(">H", data, at + 2)[0]


def _bmp(data: bytes) -> Header:
    if struct.unpack_from("<I", data, 14)[0] == 12:
        width, height = struct.unpack_from("<HH", data, 18)
        return Header(width, height)
    width, height = struct.unpack_from("<ii", data, 18)
    return Header(abs(width), abs(height))


def _webp(data: bytes) -> Header:
    form = data[12:16]
    if form == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return Header(width, height, pages=2 if data[20] & 0x02 else 1)
    if form == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        return Header((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1)
    width, height = struct.unpack_from("<HH", data, 26)
    return Header(width & 0x3FFF, height & 0x3FFF)


def _jpeg_2000(data: bytes) -> Header:
    if data[:4] == b"\xff\x4f\xff\x51":
        right, bottom, left, top = struct.unpack_from(">IIII", data, 8)
        return Header(right - left, bottom - top, (data[42] & 0x7F) + 1)
    at = data.index(b"ihdr", 12, 4096)
    height, width, _, bits = struct.unpack_from(">IIHB", data, at + 4)
    return Header(width, height, 8 if bits == 255 else (bits & 0x7F) + 1)


def _pnm(data: bytes) -> Header:
    text = re.sub(rb"#[^\n]*", b"", data[:4096])
    if data[:2] == b"P7":
        words = (b"WIDTH", b"HEIGHT", b"MAXVAL")
        width, height, largest = (int(re.findall(word + rb"\s+(\d{1,9})", text)[0]) for word in words)
    else:
        numbers = [int(number) for number in re.findall(rb"\s+(\d{1,9})(?=\s)", text[2:])[:3]]
        width, height, largest = (*numbers[:2], 255 if data[1:2] in b"14" else numbers[2])
    return Header(width, height, 16 if largest > 255 else 8)


def _sun(data: bytes) -> Header:
    width, height = struct.unpack_from(">II", data, 4)
    return Header(width, height)


HEADERS: dict[str, Callable[[bytes], Header]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "BMP": _bmp,
    "WebP": _webp,
    "JPEG 2000": _jpeg_2000,
    "PNM": _pnm,
    "Sun raster": _sun,
}
