"""Which frame goes to the network next, and what becomes of it: a state machine without threads and without a clock.

A frame is read, waits, is sent, is finished, and is taken: then it is done. On the way it may be dropped or fail. Every
call is told the time; nothing here waits, so that a test can drive ten thousand schedules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Literal

from rfseg.watching.stats import Counts, SourceStats

_ROOM = 2  # frames of an `all` source that wait: one is taken while the next one is read


@dataclass(eq=False, slots=True)
class Item:
    """A frame on its way; `read_s` is when it was read, on the caller's clock."""

    source: int
    frame: Any
    index: int
    time_s: float
    read_s: float
    state: Literal["waiting", "sent", "finished", "failed", "gone"] = "waiting"
    ticket: Any = None
    result: Any = None


@dataclass(slots=True)
class _Line:
    """One source's frames.

    Attributes:
        waiting: read and not sent; at most one of a `latest` source.
        sent: in the order they were sent, until they and all before them are finished or failed.
        untaken: of those released from `sent`.
        served: at which turn one was sent last.
        queued: it stands among those that may send.
    """

    number: int
    latest: bool
    waiting: deque[Item] = field(default_factory=deque)
    sent: deque[Item] = field(default_factory=deque)
    untaken: int = 0
    served: int = -1
    queued: bool = False
    counts: Counts = field(default_factory=Counts)

    @property
    def pending(self) -> int:
        return len(self.waiting) + sum(item.state != "failed" for item in self.sent) + self.untaken


class Schedule:
    """The rules.

    - Of the sources with a frame that waits, the one served longest ago is next: between two turns of a source that
      has a frame, every other one has one turn at most.
    - A `latest` source has one frame between sending and taking. A newer frame replaces the one that waits, and one
      that is older than `max_age_s` at its turn is dropped without losing the turn.
    - An `all` source is told to wait (`has_room`) while two frames wait; none is dropped before `discard`.
    - Results of a source come in the order of its frames, and as soon as they can.
    - At most `slots` frames are in the network, and as many results may be untaken as that again: who takes slowly
      holds the network back, and not the other way round.
    """

    def __init__(self, latest: Sequence[bool], slots: int, max_age_s: float) -> None:
        self._lines = [_Line(number, newest) for number, newest in enumerate(latest)]
        self._slots, self._max_age_s = slots, max_age_s
        self._ready: list[tuple[int, int]] = []  # (served, number) of the queued lines
        self._out: deque[Item] = deque()
        self._in_network = self._untaken = self._turn = 0

    def counts(self, source: int) -> Counts:
        """What is counted of it, to note what happens outside: states, reconnects, reasons."""
        return self._lines[source].counts

    def has_room(self, source: int) -> bool:
        """Whether `arrive` may be called."""
        line = self._lines[source]
        return line.latest or len(line.waiting) < _ROOM

    def arrive(self, item: Item) -> None:
        """A frame was read."""
        line = self._lines[item.source]
        assert self.has_room(item.source)
        line.counts.read += 1
        if line.latest and line.waiting:
            self._drop(line, line.waiting.popleft())
        line.waiting.append(item)
        self._queue(line)

    @property
    def may_send(self) -> bool:
        """Whether a frame waits that may be sent; it may turn out to be too old."""
        held = self._in_network + self._untaken
        return bool(self._ready) and self._in_network < self._slots and held < 2 * self._slots

    @property
    def may_take(self) -> bool:
        """Whether there is a result."""
        return bool(self._out)

    def send(self, now_s: float) -> Item | None:
        """The frame that is to be sent now; None while there is none or the network is full."""
        while self.may_send:
            line = self._lines[heappop(self._ready)[1]]
            line.queued = False
            item = line.waiting.popleft()
            if line.latest and now_s - item.read_s > self._max_age_s:
                self._drop(line, item)
                continue
            self._turn += 1
            line.served = self._turn
            item.state = "sent"
            line.sent.append(item)
            self._in_network += 1
            self._queue(line)
            return item
        return None

    def finish(self, item: Item, result: Any) -> None:
        """The network has answered."""
        if item.state == "sent":
            item.state, item.result = "finished", result
            self._in_network -= 1
            self._untaken += 1
            self._release(self._lines[item.source])

    def fail(self, item: Item, reason: str) -> None:
        """The network has refused it."""
        if item.state == "sent":
            line = self._lines[item.source]
            item.state = "failed"
            self._in_network -= 1
            line.counts.failed += 1
            line.counts.last_error = reason
            self._release(line)

    def take(self, now_s: float) -> Item | None:
        """The next result, if there is one."""
        if not self._out:
            return None
        item = self._out.popleft()
        item.state = "gone"
        line = self._lines[item.source]
        line.untaken -= 1
        self._untaken -= 1
        line.counts.done += 1
        line.counts.ages.append(now_s - item.read_s)
        self._queue(line)
        return item

    def end(self, source: int, reason: str | None) -> None:
        """Nothing more comes from it. Its frames go on."""
        counts = self._lines[source].counts
        counts.state = "ended"
        counts.last_error = reason or counts.last_error

    def discard(self) -> list[Item]:
        """Drops everything that is pending, and returns what is in the network; its answers are ignored."""
        flying = self.flying
        for line in self._lines:
            line.counts.dropped += line.pending
            for item in (*line.waiting, *line.sent):
                item.state = "gone"
            line.waiting.clear()
            line.sent.clear()
            line.untaken, line.queued = 0, False
        self._ready.clear()
        self._out.clear()
        self._in_network = self._untaken = 0
        return flying

    @property
    def flying(self) -> list[Item]:
        """What is in the network."""
        return [item for line in self._lines for item in line.sent if item.state == "sent"]

    @property
    def over(self) -> bool:
        """Every source has ended, and nothing is pending."""
        return all(line.counts.state == "ended" and not line.pending for line in self._lines)

    def stats(self, source: int, name: str) -> SourceStats:
        """A source at this moment."""
        line = self._lines[source]
        return line.counts.seen(name, "latest" if line.latest else "all", line.pending)

    def _queue(self, line: _Line) -> None:
        if line.waiting and not line.queued and not (line.latest and (line.sent or line.untaken)):
            heappush(self._ready, (line.served, line.number))
            line.queued = True

    def _release(self, line: _Line) -> None:
        while line.sent and line.sent[0].state != "sent":
            item = line.sent.popleft()
            if item.state == "finished":
                line.untaken += 1
                self._out.append(item)
        self._queue(line)

    def _drop(self, line: _Line, item: Item) -> None:
        item.state = "gone"
        line.counts.dropped += 1
