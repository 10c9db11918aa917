"""The file under a muxer: every byte goes through here, so a full disk is this file's trouble and never the muxer's.

FFmpeg's muxers crash when they are used after a write has failed. This file remembers the first failure and then takes
everything that comes, so that the muxer ends in order; what is on the disk is cut to whole boxes.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from rfseg.video.mp4_index import boxes, index_in_front


class MuxedFile:
    """A seekable file for FFmpeg that never fails towards it.

    Attributes:
        name: of the file, from which FFmpeg guesses the format.
        error: the first failure, or None.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Creates or empties the file. Raises OSError."""
        self.name = os.fspath(path)
        self.error: OSError | None = None
        self._file = os.open(self.name, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        self._at = self._end = 0

    def write(self, data: bytes) -> int:
        """Takes all bytes, also those that cannot be written."""
        at, left = self._at, memoryview(data)
        while left and self.error is None:
            try:
                written = os.pwrite(self._file, left, at)
            except OSError as error:
                self.error = OSError(error.errno, error.strerror, self.name)
                break
            at, left = at + written, left[written:]
        self._at += len(data)
        self._end = max(self._end, self._at)
        return len(data)

    def read(self, size: int) -> bytes:
        """For muxers that look back."""
        data = b"" if self.error else os.pread(self._file, size, self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves; no byte is touched."""
        self._at = offset + (0, self._at, self._end)[whence]
        return self._at

    def tell(self) -> int:
        """Where the next byte goes."""
        return self._at

    def finish(self) -> None:
        """Closes the file, its index in front; after a failure an mp4 file is cut to its whole boxes, or removed."""
        file, self._file = self._file, -1
        if file < 0:
            return
        regular = stat.S_ISREG(os.fstat(file).st_mode)
        try:
            if self.error is not None and regular:
                end = _whole_boxes(file)
                if end:
                    os.ftruncate(file, end)
                else:
                    Path(self.name).unlink()
            elif self.error is None and not Path(self.name).exists():
                self.error = FileNotFoundError(errno.ENOENT, "it was removed while it was written", self.name)
            elif self.error is None and regular and not Path(self.name).is_symlink():
                index_in_front(Path(self.name))
        except OSError:
            pass  # the first failure is the one that is told
        finally:
            os.close(file)


def cut_to_whole_boxes(path: str | os.PathLike[str]) -> None:
    """Cuts a file whose writer was killed to its last whole fragment; a finished one stays as it is. Raises OSError."""
    with Path(path).open("r+b") as file:
        end = os.fstat(file.fileno()).st_size
        kinds = [kind for kind, _, _ in boxes(file.fileno(), 0, end)]
        if b"moof" in kinds:
            os.ftruncate(file.fileno(), _whole_boxes(file.fileno()))


def _whole_boxes(file: int) -> int:
    """Where the last whole fragment of an mp4 file ends; 0 if there is none."""
    good, previous = 0, b""
    for kind, _, end in boxes(file, 0, os.fstat(file).st_size):
        if kind == b"mdat" and previous in (b"moof", b"moov"):
            good = end
        previous = kind
    return good
