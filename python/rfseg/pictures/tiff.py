"""The directories of a TIFF file: size, samples, pages, and whether it is a camera's raw data behind a thumbnail."""

from __future__ import annotations

import struct

from rfseg.pictures.headers import Header

_WIDTH, _HEIGHT, _BITS, _FORMAT, _REDUCED, _DNG_VERSION = 256, 257, 258, 339, 254, 50706
_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}  # bytes of the types that these tags have
_MOST_PAGES = 1000  # directories looked at; a chain may be a ring
_MOST_TAGS = 4096
_FORMATS = {2: "signed whole numbers", 3: "floating point numbers", 5: "complex numbers", 6: "complex numbers"}


def tiff_header(data: bytes) -> Header:
    """Of the first page. Raises struct.error, LookupError or ValueError where the file ends or contradicts itself."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    at = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)[0]
    tags, at = _directory(data, at, order, big)
    seen = {at}
    pages = 1
    while at and pages < _MOST_PAGES:
        _, at = _directory(data, at, order, big)
        pages += 1
        if at in seen:
            break
        seen.add(at)
    bits = tags.get(_BITS, 1)
    refusal = ""
    if _DNG_VERSION in tags or tags.get(_REDUCED, 0) & 1:
        refusal = "it is a camera's raw file, of which only the thumbnail could be read: develop it first"
    elif tags.get(_FORMAT, 1) in _FORMATS:
        refusal = f"its samples are {_FORMATS[tags[_FORMAT]]}, for which no range is agreed: convert it to 8 bits"
    elif bits > 16:
        refusal = f"it has {bits} bits a sample, for which no range is agreed: convert it to 8 bits"
    return Header(tags[_WIDTH], tags[_HEIGHT], bits, pages, refusal)


def _directory(data: bytes, at: int, order: str, big: bool) -> tuple[dict[int, int], int]:
    """{tag: first value} of whole-number tags, and where the next directory is (0: nowhere)."""
    (count,) = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, at)
    if count > _MOST_TAGS:
        raise ValueError("too many tags")
    at += 8 if big else 2
    step, length, tags = (20 if big else 12), (8 if big else 4), {}
    for place in range(at, at + count * step, step):
        tag, kind, values = struct.unpack_from(f"{order}HH{'Q' if big else 'I'}", data, place)
        size = _SIZES.get(kind, 0)
        if not size or not values:
            continue
        value_at = place + step - length
        if values * size > length:
            value_at = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, value_at)[0]
        (tags[tag],) = struct.unpack_from(order + {1: "B", 2: "H", 4: "I", 8: "Q"}[size], data, value_at)
    (following,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, at + count * step)
    return tags, following
