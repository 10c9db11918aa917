"""How long a source that went away is waited for, and how often it is tried meanwhile. Knows no clock of its own."""

from __future__ import annotations

from collections.abc import Callable

Away = Callable[[str, float], bool]  # is told why a source is away, waits for so many seconds; True: stop trying

_FIRST_S, _LONGEST_S = 0.25, 5.0  # a camera that restarts takes half a minute; one that hiccups is there again at once


class Patience:
    """Delays that double from 0.25 s to 5 s, until `patience_s` have gone by without a frame."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self.reset()

    def reset(self) -> None:
        """A frame came."""
        self._since_s: float | None = None
        self._delay_s = _FIRST_S

    def delay_s(self, now_s: float) -> float | None:
        """Seconds to wait before the next try; None: it is given up."""
        self._since_s = now_s if self._since_s is None else self._since_s
        left_s = self._since_s + self._patience_s - now_s
        if left_s <= 0:
            return None
        delay_s = min(self._delay_s, left_s)
        self._delay_s = min(2 * self._delay_s, _LONGEST_S)
        return delay_s
