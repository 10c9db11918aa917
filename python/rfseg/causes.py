"""What an exception means for a person: one line that tells shortage (memory, disk, files, threads) from damage.

Knows the errors of Python, FFmpeg and OpenCV; not what was being done, which the caller puts in front.
"""

from __future__ import annotations

import errno
import mmap
import os

from rfseg.printable import printable

_SHORTAGES = {
    errno.ENOMEM: "not enough memory",
    errno.EAGAIN: "the system gives no more threads or memory (ulimit -u, ulimit -v)",
    errno.EMFILE: "too many open files (ulimit -n)",
    errno.ENFILE: "too many open files in the system",
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file may not grow further (ulimit -f, or the file system's limit)",
}
_OPENCV_NO_MEMORY = -4
_PROBE_BYTES = 64 << 20  # FFmpeg calls a failed allocation in a parser damage; with this much left that is credible


def cause(error: BaseException) -> str:
    """One line without the name of what failed, without control characters, without addresses.

    FFmpeg's errors hold the address they are about, which may hold a password: only their reason is taken.
    """
    if is_shortage(error):
        return _shortage(error)
    if type(error).__name__ == "ExitError":  # FFmpeg calls a time-out so
        return "nothing came for 10 s"
    said = getattr(error, "strerror", None) or getattr(error, "err", None) or str(error) or type(error).__name__
    line = printable(" ".join(str(said).split()))
    if isinstance(error, (OSError, ValueError)) or type(error).__module__.split(".")[0] in ("rfseg", "av", "cv2"):
        return line
    return f"{line} ({type(error).__name__})"


def _shortage(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    if number in _SHORTAGES:
        return _SHORTAGES[number]
    if isinstance(error, RuntimeError):
        return "the system gives no more threads (ulimit -u)"
    return f"not enough memory: {printable(str(error))}" if str(error) else "not enough memory"


def is_shortage(error: BaseException) -> bool:
    """The machine had too little of something; the file may be good."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) in _SHORTAGES:
        return True
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return True
    if getattr(error, "code", None) == _OPENCV_NO_MEMORY and "cv2" in type(error).__module__:
        return True
    return type(error).__name__ in ("InvalidDataError", "ExternalError") and memory_is_short()


def memory_is_short() -> bool:
    """Whether 64 MiB of address space are missing; none of it is touched."""
    try:
        mmap.mmap(-1, _PROBE_BYTES).close()
    except (OSError, MemoryError):
        return True
    return False


def file_name(path: str | os.PathLike[str]) -> str:
    r"""A path as it may be printed: bytes that are no UTF-8 become \xe9."""
    return printable(os.fsencode(path).decode("utf-8", "backslashreplace"))
