"""Files that are whole at any moment, or absent: no full disk, kill or vanished folder leaves half a record."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

_COPY_BYTES = 1 << 20


class GrowingFile:
    """A file of records that ends in the same `tail` after each of them."""

    def __init__(self, path: Path, head: bytes = b"", tail: bytes = b"", at: int = 0) -> None:
        """Creates the file, which must not exist, with head and tail; or goes on at byte `at`. Raises OSError."""
        self._path, self._tail, self._at = path, tail, at
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC | (0 if at else os.O_CREAT | os.O_EXCL), 0o666)
        try:
            self.append(head)
        except OSError:
            self._let_go()
            raise

    def append(self, record: bytes) -> None:
        """Writes over the tail, and the tail again. Where that fails, the file ends as before. Raises OSError."""
        try:
            self._write(record + self._tail)
        except OSError as error:
            self._restore()
            raise OSError(error.errno, error.strerror, os.fspath(self._path)) from error
        self._at += len(record)

    def close(self) -> None:
        """Closes the file. May be called twice. Raises FileNotFoundError where it was removed or replaced meanwhile."""
        if self._file < 0:
            return
        try:
            there = os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except OSError:
            there = False
        self._let_go()
        if not there:
            raise FileNotFoundError(errno.ENOENT, "it was removed while it was written", os.fspath(self._path))

    def _write(self, data: bytes) -> None:
        at, left = self._at, memoryview(data)
        while left:
            written = os.pwrite(self._file, left, at)
            at, left = at + written, left[written:]

    def _restore(self) -> None:
        try:
            os.ftruncate(self._file, self._at)
            self._write(self._tail)
        except OSError:
            os.ftruncate(self._file, self._at)

    def _let_go(self) -> None:
        file, self._file = self._file, -1
        os.close(file)


class PartFile:
    """A file that gets its name when it is complete; until then, and where writing fails, it is `<name>.part`."""

    def __init__(self, path: Path, head: bytes = b"") -> None:
        """Creates the part. Raises OSError."""
        self._path, self._part = path, path.with_name(f"{path.name}.part")
        self._file = GrowingFile(self._part, head)

    def append(self, record: bytes) -> None:
        """Adds to it. Raises OSError."""
        self._file.append(record)

    def append_all(self, spool: Spool) -> None:
        """Adds everything that a spool holds. Raises OSError."""
        for piece in spool.pieces():
            self._file.append(piece)

    def complete(self) -> None:
        """Gives it its name. Raises OSError."""
        self._file.close()
        os.replace(self._part, self._path)

    def abandon(self) -> None:
        """Leaves the part as it is."""
        self._file.close()


class Spool:
    """Bytes for later, on the disk beside the file that will take them, under no name."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115

    def append(self, record: bytes) -> None:
        """Adds to it. Raises OSError."""
        left = memoryview(record)
        while left:
            left = left[self._file.write(left) :]

    def pieces(self) -> Iterator[bytes]:
        """All of it, piece by piece; afterwards it is gone."""
        self._file.seek(0)
        while piece := self._file.read(_COPY_BYTES):
            yield piece
        self.close()

    def close(self) -> None:
        """Forgets it. May be called twice."""
        self._file.close()


def write_whole(path: Path, data: bytes) -> None:
    """Writes a small file under another name first. Raises OSError, and leaves nothing then."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
