"""Files that are whole or not there, digests, and locks between processes. Knows nothing of what is in them."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_CHUNK_BYTES = 1 << 22


def sha256_of(files: Sequence[Path]) -> str:
    """Hex digest of files, one after the other."""
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def part_path(path: Path) -> Path:
    """Where a file is prepared: beside it, so that moving it there is one step; the suffix stays."""
    return path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Writes a file that is whole or not there, whatever stops the program.

    Raises:
        OSError: it cannot be written; says how much room was needed when there was none.
    """
    part = part_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        os.replace(part, path)
    except OSError as error:
        raise _in_words(error, path, len(data)) from error
    finally:
        part.unlink(missing_ok=True)


def _in_words(error: OSError, path: Path, size: int) -> OSError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        free = f"{_free_bytes(path.parent):,} are free there"
        return OSError(error.errno, f"{path}: {size:,} bytes do not fit, {free}; nothing half made was left")
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return OSError(error.errno, f"{path} cannot be written ({error.strerror}): choose another folder")
    return error


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


@contextmanager
def locked(path: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    """Holds a lock that one process at a time can have; the system frees it when the process ends, however it ends.

    Args:
        path: of the lock's file, which stays.
        waiting: called once, with who holds it, when it is taken.

    Raises:
        OSError: the file cannot be made, or its file system has no locks.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _in_words(error, path, 0) from error
    with os.fdopen(descriptor, "r+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting(handle.read().strip() or "another process")
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            sentence = f"{path} cannot be locked ({error.strerror}): choose a folder on a file system with locks"
            raise OSError(error.errno, sentence) from error
        handle.seek(0)
        handle.truncate()
        handle.write(f"process {os.getpid()}")
        handle.flush()
        yield
