"""What is printed, and what is not: one line a sentence, no control characters, no lines of other libraries.

Owns the standard streams of the program. A reader of them that goes away is no error: the files are what was asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from rfseg.printable import escaped


def say(sentence: str) -> None:
    """Prints one line to stderr. What cannot be said there is not said."""
    with suppress(OSError):
        _write(sys.stderr, sentence)


def answer(line: str) -> None:
    """Prints one line to stdout. A pipe that nobody reads swallows it.

    Raises:
        OSError: stdout is a file on a full disk, or the like.
    """
    _write(sys.stdout, line)


def _write(stream: TextIO | None, sentence: str) -> None:
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    line = escaped(sentence).encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(f"{line}\n")
        stream.flush()
    except BrokenPipeError:
        _turn_off(stream)
    except ValueError:
        pass  # it is closed


def _turn_off(stream: TextIO) -> None:
    """Sends to nowhere what it still holds and what comes."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def take_streams() -> None:
    """For a program that owns its process: gives sys.stderr a descriptor of its own, so that `muted` can mute others.

    Closed standard streams are opened on nothing first: else the next file would take their numbers, and every line of
    a library would land in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    with suppress(OSError, ValueError, AttributeError):
        if sys.stderr.fileno() == 2:
            sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")


def leave_streams() -> None:
    """For a program that ends: Python flushes once more, and would complain once more about what is known."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            _turn_off(stream)


@contextmanager
def muted() -> Iterator[None]:
    """Sends to nowhere what libraries (libpng, libjpeg, OpenCV) write to descriptor 2 meanwhile."""
    try:
        shared = sys.stderr is not None and sys.stderr.fileno() == 2
    except (OSError, ValueError):
        shared = True
    if shared:
        yield
        return
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)
