"""One source's thread: opens it, reads it, and opens it again with patience; tells how it went.

Indices and times go on over a source that was away. Does not know what becomes of the frames.
"""

from __future__ import annotations

from contextlib import closing, nullcontext
from threading import Event, Thread
from typing import Any

from rfseg.causes import cause
from rfseg.patience import Patience
from rfseg.watching.exchange import Exchange, clock
from rfseg.watching.feeds import Feed
from rfseg.watching.schedule import Item


class Reader:
    """Brings the frames of one feed to the exchange, in a thread of its own."""

    def __init__(self, number: int, feed: Feed, exchange: Exchange, leave: Event, patience_s: float) -> None:
        """Starts nothing.

        Args:
            number: of the source.
            feed: the source.
            exchange: takes its frames.
            leave: set when it is to stop.
            patience_s: how long it is tried again after it was lost.
        """
        self._number, self._feed, self._exchange, self._leave = number, feed, exchange, leave
        self._patience_s, self._patience = patience_s, Patience(patience_s)
        self._reading = False
        self._begin_s: float | None = None  # when the first frame came
        self._index, self._time_s = -1, 0.0  # of the frame before
        self._index_base, self._time_base_s = 0, 0.0  # of this opening
        self.thread = Thread(target=self._run, name=f"rfseg watch {number}", daemon=True)

    def _run(self) -> None:
        reason = self._read_with_patience()
        self._exchange.told(self._number, "ended", reason)

    def _read_with_patience(self) -> str | None:
        """Returns why the source ended."""
        while not self._leave.is_set():
            error: Exception | None = None
            try:
                self._read()
            except Exception as raised:
                error = raised
            except BaseException as raised:  # SystemExit of a generator: it ends this source and nothing else
                return cause(raised)
            reason = None if error is None else cause(error)
            if self._leave.is_set() or not self._feed.again(error):
                return reason
            reason = reason or "the stream ended"
            delay_s = self._patience.delay_s(clock())
            if delay_s is None:
                return f"{reason}; no frame came for {self._patience_s:g} s, so it was given up"
            self._away(reason, delay_s)
        return None

    def _away(self, reason: str, delay_s: float) -> bool:
        self._reading = False
        self._exchange.told(self._number, "reconnecting", reason)
        return self._leave.wait(delay_s)

    def _read(self) -> None:
        frames = self._feed.open(self._patience_s, self._away)
        with closing(frames) if hasattr(frames, "close") else nullcontext(frames):  # type: ignore[type-var]
            first = True
            for frame in frames:
                now_s = clock()
                if first:
                    self._go_on(now_s)
                    first = False
                if not self._reading:
                    self._reading = True
                    self._patience.reset()
                    self._exchange.told(self._number, "reading")
                if not self._exchange.bring(self._item(frame, now_s)) or self._leave.is_set():
                    return

    def _go_on(self, now_s: float) -> None:
        """What is opened again starts at 0; its frames come after the ones before, by the time that it was away."""
        if self._begin_s is None:
            self._begin_s = now_s
            return
        self._index_base = self._index + 1
        self._time_base_s = max(now_s - self._begin_s, self._time_s + 1e-3)

    def _item(self, frame: Any, now_s: float) -> Item:
        assert self._begin_s is not None
        index, time_s = getattr(frame, "index", None), getattr(frame, "time_s", None)
        self._index = self._index + 1 if not isinstance(index, int) else self._index_base + index
        self._time_s = now_s - self._begin_s if time_s is None else self._time_base_s + time_s
        return Item(self._number, frame, self._index, self._time_s, now_s)
