"""Interrupt: what a program does when it is told to stop.

The first signal becomes a wish that loops look at, so that every file is completed; the second one ends the program at
once. Python runs its own handlers only between steps of the main thread, which may sit in a decoder for ever; so
signals are read from the pipe that C's handler writes to, in a thread of their own.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from threading import Thread
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_EXIT_BY_SIGNAL = 128  # plus its number, as shells say it


class Interrupt:
    """Holds back SIGINT, SIGTERM and SIGHUP inside its `with` block.

    Attributes:
        number: of the first signal, or 0.
        saving: files are being written, so the first signal only becomes a wish; until then it ends the program.
        building: an engine is built, so the first signal is raised in the main thread, which removes what is half made.
    """

    def __init__(self) -> None:
        self.number = 0
        self.saving = False
        self.building = False
        self._before: dict[int, object] = {}
        self._watched = False

    @property
    def wanted(self) -> bool:
        """Whether to stop."""
        return self.number != 0

    def watching(self, tell: Callable[[str, float, str], None]) -> Callable[[str, float, str], None]:
        """`tell`, which a build calls before it makes anything; from then on `building`."""

        def told(stage: str, elapsed_s: float, text: str) -> None:
            self.building = True
            tell(stage, elapsed_s, text)

        return told

    @property
    def code(self) -> int:
        """The exit code: 130, 143 or 129."""
        return _EXIT_BY_SIGNAL + self.number

    def __enter__(self) -> Interrupt:
        reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._wakeup = -1
        try:
            self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
            for number in _SIGNALS:
                # nohup ignores SIGHUP. Shells make background jobs ignore SIGINT, which kill -INT then still means.
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._in_python)
        except ValueError:
            pass  # not the main thread: whoever owns it decides
        try:
            Thread(target=self._watch, args=(reader,), name="rfseg-signals", daemon=True).start()
            self._watched = True
        except RuntimeError:  # no more threads: Python's handlers do what they can
            os.close(reader)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before:
            signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self._writer)  # ends the thread

    def _watch(self, reader: int) -> None:
        while numbers := os.read(reader, 64):
            for number in numbers:
                if number in _SIGNALS:
                    self._take(number)
        os.close(reader)

    def _take(self, number: int) -> None:
        if self.wanted or not (self.saving or self.building):
            os._exit(_EXIT_BY_SIGNAL + number)
        self.number = number

    def _in_python(self, number: int, _: FrameType | None) -> None:
        """Must exist for C's handler to be there; acts only while building and where no thread watches."""
        if self.building and not self.saving:
            raise SystemExit(_EXIT_BY_SIGNAL + number)
        if self._watched:
            return
        if self.wanted or not self.saving:
            raise KeyboardInterrupt
        self.number = number
