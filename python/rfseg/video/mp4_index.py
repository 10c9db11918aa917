"""Moves the index of a complete mp4 file in front of its data, so that players start before all of it has come.

Writes beside the file and renames: the file is whole at any moment. Knows boxes (ISO/IEC 14496-12), no codecs.
"""

from __future__ import annotations

import os
from pathlib import Path

_HOLDERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl"))
_WIDTHS = {b"stco": 4, b"co64": 8}
_LARGEST_INDEX = 1 << 30  # bytes; read into memory
_COPY_BYTES = 1 << 24

_Box = tuple[bytes, int, int]  # kind, where it begins, where it ends


def boxes(file: int, begin: int, end: int) -> list[_Box]:
    """The whole boxes of an open file between two places; the last one may reach to the end of the file."""
    found = []
    while begin + 8 <= end:
        head = os.pread(file, 16, begin)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or begin + length > end:
            break
        found.append((kind, begin, begin + length))
        begin += length
    return found


def index_in_front(path: Path) -> bool:
    """Moves the index; False where that cannot be done, and the file is as it was.

    Where the disk has no room for both, the index stays behind: the file is complete either way.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with path.open("rb") as file:
            found = boxes(file.fileno(), 0, os.fstat(file.fileno()).st_size)
            kinds = [kind for kind, _, _ in found]
            if kinds[:1] != [b"ftyp"] or kinds.count(b"moov") != 1 or kinds[-1] != b"moov":
                return False
            _, begin, end = found[-1]
            if end - begin > _LARGEST_INDEX:
                return False
            index = bytearray(os.pread(file.fileno(), end - begin, begin))
            if not _shift(index, 8, len(index), len(index)):
                return False
            with part.open("wb") as out:
                _copy(file.fileno(), out.fileno(), 0, found[0][2])
                _write(out.fileno(), index)
                _copy(file.fileno(), out.fileno(), found[0][2], begin)
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        return False
    return True


def _shift(index: bytearray, begin: int, end: int, by: int) -> bool:
    """Adds `by` to every place of data that an index names; False where one would not fit."""
    while begin + 8 <= end:
        length, kind = int.from_bytes(index[begin : begin + 4], "big"), bytes(index[begin + 4 : begin + 8])
        if length < 8 or begin + length > end:
            return False
        if kind in _HOLDERS and not _shift(index, begin + 8, begin + length, by):
            return False
        if kind in _WIDTHS and not _shift_table(index, begin + 12, _WIDTHS[kind], by):
            return False
        begin += length
    return True


def _shift_table(index: bytearray, at: int, width: int, by: int) -> bool:
    import numpy as np

    count = int.from_bytes(index[at : at + 4], "big")
    places = np.frombuffer(index, f">u{width}", count, at + 4)
    if count and int(places.max()) + by >= 1 << (8 * width):
        return False
    places += places.dtype.type(by)
    return True


def _copy(source: int, target: int, begin: int, end: int) -> None:
    """In the kernel where it can, which shares blocks on file systems that know how."""
    while begin < end:
        try:
            copied = os.copy_file_range(source, target, min(_COPY_BYTES, end - begin), begin)
        except OSError:
            data = os.pread(source, min(_COPY_BYTES, end - begin), begin)
            _write(target, data)
            copied = len(data)
        if not copied:
            raise OSError("the file became shorter")
        begin += copied


def _write(target: int, data: bytes | bytearray) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(target, left) :]
