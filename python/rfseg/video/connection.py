"""One source's decoded frames, over as many connections as it takes: what is lost is opened again for a while.

Knows packets and addresses; neither pixels nor times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from rfseg._core import InputError
from rfseg.causes import cause
from rfseg.patience import Away, Patience
from rfseg.video.opening import Address, is_remote, open_container, picture_stream
from rfseg.video.packets import Packets

_COMPLETE, _FRAMES_S = 0.98, 0.2  # of a stated length, and less some frames: what ends behind it was not lost


class Connection:
    """An open source.

    Attributes:
        container, stream: of PyAV; another one after each connection.
        packets: counts frames, those of all connections together.
        found_again: how often the source was opened again.
        away_s: for how long it was away, all times together.
    """

    def __init__(self, av: Any, address: Address, max_pixels: int, patience_s: float, away: Away) -> None:
        """Opens it; raises as FFmpeg and `picture_stream` do."""
        self._away = away
        self._av, self._address, self._max_pixels, self._patience_s = av, address, max_pixels, patience_s
        self.found_again, self.away_s = 0, 0.0
        self._gave_up = ""
        self._patience = Patience(patience_s)
        self.container: Any = None
        self._open(None)

    def _open(self, before: Packets | None) -> None:
        container = open_container(self._av, self._address, self._max_pixels, self._patience_s)
        try:
            self.stream = picture_stream(container, self._max_pixels)
        except BaseException:
            container.close()
            raise
        self.container = container
        self.packets = Packets(self._av, container, self.stream, before)

    @property
    def end(self) -> str:
        """Why reading stopped early, or ""."""
        return self._gave_up or self.packets.end

    def frames(self, on_return: Callable[[], None]) -> Iterator[Any]:
        """Decoded frames as they are shown; `on_return` is called before the first one of another connection."""
        while True:
            last = None
            for frame in self.packets.frames():
                last = frame
                self._patience.reset()
                yield frame
            if not self._was_lost(last) or not self._find_again():
                return
            on_return()

    def _was_lost(self, last: Any) -> bool:
        live = is_remote(self._address) or isinstance(self._address, int)
        if not self._patience_s or not live or not self.container:
            return False
        length_s = (self.container.duration or 0) / self._av.time_base
        if not length_s or last is None or last.pts is None:
            return True
        shown_s = (last.pts - (self.stream.start_time or 0)) * self.stream.time_base
        return bool(shown_s < _COMPLETE * length_s - _FRAMES_S)

    def _find_again(self) -> bool:
        """Waits and tries; says in `end` if that was in vain."""
        lost_at, why = time.monotonic(), self.packets.end or "the connection ended"
        time_base, before = self.stream.time_base, self.packets
        self.close()
        while (delay_s := self._patience.delay_s(time.monotonic())) is not None and not self._away(why, delay_s):
            try:
                self._open(before)
            except (self._av.FFmpegError, InputError, OSError) as error:
                why = cause(error)
                continue
            if self.stream.time_base != time_base:
                why = "it came back with another clock"
                break
            self.found_again += 1
            self.away_s += time.monotonic() - lost_at
            return True
        self._gave_up = f"the connection was lost and not found again within {self._patience_s:g} s ({why})"
        return False

    def sentence(self) -> str:
        """What happened to the connection, or ""."""
        if not self.found_again:
            return ""
        times = "once" if self.found_again == 1 else f"{self.found_again} times"
        return (
            f"the connection was lost and found again {times}, after {self.away_s:.1f} s in all; "
            "what came meanwhile is missing, and times go on from the frame before"
        )

    def close(self) -> None:
        """Closes the source. May be called twice."""
        if self.container is not None:
            self.container.close()
            self.container = None


def sleep_through(_: str, delay_s: float) -> bool:
    """An `Away` that only waits."""
    time.sleep(delay_s)
    return False
