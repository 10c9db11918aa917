"""Which kind of picture or film a file is, by its first bytes; a suffix is a wish, not a fact. Decodes nothing."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import BinaryIO, Literal

_SNIFFED_BYTES = 256  # two packets of a transport stream begin in them


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is.

    Attributes:
        name: as people call it.
        sort: "picture", or "film": a container of frames, for the video reader to judge.
        reader: of a picture: "opencv", "pillow", "pillow_heif", or None, which says that nothing here reads it.
    """

    name: str
    sort: Literal["picture", "film"]
    reader: Literal["opencv", "pillow", "pillow_heif"] | None = None


_JPEG_2000 = Kind("JPEG 2000", "picture", "opencv")
_RAW = Kind("camera raw", "picture")
_HEIC = Kind("HEIC", "picture", "pillow_heif")
_AVIF = Kind("AVIF", "picture", "pillow")
_WEBP = Kind("WebP", "picture", "opencv")
_FILM = Kind("film", "film")

_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", Kind("JPEG", "picture", "opencv")),
    (b"\x89PNG\r\n\x1a\n", Kind("PNG", "picture", "opencv")),
    (b"II*\0\x10\0\0\0CR", _RAW),
    (b"IIU\0", _RAW),
    (b"IIRO", _RAW),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"II*\0", Kind("TIFF", "picture", "opencv")),
    (b"MM\0*", Kind("TIFF", "picture", "opencv")),
    (b"II+\0", Kind("TIFF", "picture", "opencv")),
    (b"MM\0+", Kind("TIFF", "picture", "opencv")),
    (b"GIF87a", Kind("GIF", "picture", "pillow")),
    (b"GIF89a", Kind("GIF", "picture", "pillow")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _JPEG_2000),
    (b"\xff\x4f\xff\x51", _JPEG_2000),
    (b"\x59\xa6\x6a\x95", Kind("Sun raster", "picture", "opencv")),
    (b"#?RADIANCE", Kind("Radiance HDR", "picture")),
    (b"#?RGBE", Kind("Radiance HDR", "picture")),
    (b"\x76\x2f\x31\x01", Kind("OpenEXR", "picture")),
    (b"qoif", Kind("QOI", "picture", "pillow")),
    (b"8BPS", Kind("Photoshop", "picture", "pillow")),
    (b"\xff\x0a", Kind("JPEG XL", "picture")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Kind("JPEG XL", "picture")),
    (b"\x1aE\xdf\xa3", _FILM),
    (b"FLV\x01", _FILM),
    (b"OggS", _FILM),
    (b"\0\0\x01\xba", _FILM),
    (b"\0\0\x01\xb3", _FILM),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _FILM),
)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
_FILM_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


def kind_of(path: str | os.PathLike[str]) -> Kind | None:
    """The kind of a regular file; None for what is unknown, unreadable, a pipe or a device (which are not opened)."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            start = file.read(_SNIFFED_BYTES)
            return _FILM if start.startswith(b"GIF8") and _moves(file) else kind_of_bytes(start)
    except (OSError, ValueError):
        return None


def _moves(file: BinaryIO) -> bool:
    """Whether a GIF file has a second frame; walks over its blocks and reads none of them."""
    file.seek(10)
    file.seek(13 + _colours(file.read(1)))
    frames = 0
    while mark := file.read(1):
        if mark == b",":
            frames += 1
            if frames == 2:
                return True
            file.seek(8, os.SEEK_CUR)
            file.seek(_colours(file.read(1)) + 1, os.SEEK_CUR)
        elif mark == b"!":
            file.seek(1, os.SEEK_CUR)
        else:
            return False
        while length := file.read(1)[:1].strip(b"\0"):
            file.seek(length[0], os.SEEK_CUR)
    return False


def _colours(packed: bytes) -> int:
    """Bytes of the colour table that a packed field announces."""
    return 3 * (2 << (packed[0] & 7)) if packed and packed[0] & 0x80 else 0


def kind_of_bytes(start: bytes) -> Kind | None:
    """The kind of a file that starts so; None if unknown. A few hundred bytes are enough."""
    kinds = (kind for magic, kind in _STARTS if start.startswith(magic))
    return next(kinds, None) or _by_container(start) or _by_letters(start)


def _by_container(start: bytes) -> Kind | None:
    if start[:4] == b"RIFF":
        return {b"WEBP": _WEBP, b"AVI ": _FILM}.get(start[8:12])
    if start[4:8] == b"ftyp":
        return _by_brands(start)
    transport = start[:1] == b"G" and start[188:189] == b"G"
    return _FILM if transport or start[4:8] in _FILM_BOXES else None


def _by_letters(start: bytes) -> Kind | None:
    """Kinds with two letters for a mark, and something more that text has not."""
    if start[:2] == b"BM" and start[6:10] == b"\0\0\0\0":
        return Kind("BMP", "picture", "opencv")
    if not re.match(rb"P[1-7Ff]\s\s*[\d#W]", start):
        return None
    return Kind("PFM", "picture") if start[1:2] in b"Ff" else Kind("PNM", "picture", "opencv")


def _by_brands(start: bytes) -> Kind:
    """ISO files: the major brand decides, and the compatible ones where it is the general brand of pictures."""
    length = min(int.from_bytes(start[:4], "big"), len(start))
    brands = [start[8:12], *(start[at : at + 4] for at in range(16, length - 3, 4))]
    if brands[0] in (b"avif", b"avis") or (brands[0] in (b"mif1", b"msf1") and {b"avif", b"avis"} & set(brands)):
        return _AVIF
    if brands[0] in _HEIC_BRANDS:
        return _HEIC
    return _RAW if brands[0] == b"crx " else _FILM
