"""A world without threads and without time for rfseg's schedule of many sources: sources, a network and a caller on a
virtual clock. Keeps books of its own, and checks the promises of `Segmenter.watch` after every event.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from rfseg.watching.schedule import Item, Schedule

_ROUNDING_S = 1e-9


@dataclass
class Source:
    """Frames come after `gaps` seconds each. A `live` one does not wait for its reader: its frames pile up instead."""

    latest: bool
    gaps: Iterator[float]
    live: bool = True
    held: Item | None = None  # read, and no room for it
    arrived: int = 0  # in the schedule
    due_s: float = 0.0
    over: bool = False
    newest: int = -1
    in_network: int = 0
    untaken: int = 0
    waiting: deque[int] = field(default_factory=deque)
    passed: Counter[int] = field(default_factory=Counter)  # sources served since it could be
    dropped: int = 0
    failed: int = 0
    taken: list[int] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)


@dataclass
class Network:
    """`lanes` executions at once of up to `batch` frames; `time_s` of a batch; `refuses` a frame or not."""

    slots: int
    lanes: int
    batch: int
    time_s: Callable[[int], float]
    refuses: Callable[[], bool] = lambda: False
    idle: int = 0
    line: deque[Item] = field(default_factory=deque)


class World:
    """Runs until every source has ended and everything is taken, or for a time."""

    def __init__(
        self, sources: list[Source], network: Network, think_s: Callable[[], float], max_age_s: float = 0.5
    ) -> None:
        self.schedule = Schedule([source.latest for source in sources], network.slots, max_age_s)
        self.sources, self.network, self.now = sources, network, 0.0
        self.events = self.checked = 0
        self._think_s, self._max_age_s = think_s, max_age_s
        self._free_s = 0.0  # when the caller has dealt with the result before
        network.idle = network.lanes
        self._order = count()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        for number in range(len(sources)):
            self._next_frame(number)

    def run(self, until_s: float = float("inf")) -> None:
        while self._heap and self._heap[0][0] <= until_s:
            self.now, _, happens = heappop(self._heap)
            happens()
            self._settle()
            self._check()
            self.events += 1

    def leave(self) -> None:
        """The loop is left: everything is accounted for, and late answers change nothing."""
        flying = self.schedule.discard()
        assert len(flying) == sum(source.in_network for source in self.sources)
        before = [self.schedule.stats(number, "") for number in range(len(self.sources))]
        for item in flying:
            self.schedule.finish(item, None)
            self.schedule.fail(item, "late")
        assert self.schedule.take(self.now) is None
        assert self.schedule.send(self.now) is None
        after = [self.schedule.stats(number, "") for number in range(len(self.sources))]
        assert after == before
        for stats, source in zip(after, self.sources, strict=True):
            assert stats.pending == 0
            assert stats.read == source.arrived == stats.done + stats.dropped + stats.failed

    def _at(self, moment: float, happens: Callable[[], None]) -> None:
        heappush(self._heap, (moment, next(self._order), happens))

    def _next_frame(self, number: int) -> None:
        source = self.sources[number]
        gap = next(source.gaps, None)
        if gap is None:
            source.over = True
            self.schedule.end(number, None)
            return
        source.due_s = (source.due_s if source.live else self.now) + gap
        self._at(max(source.due_s, self.now), lambda: self._read(number))

    def _read(self, number: int) -> None:
        source = self.sources[number]
        source.held = Item(number, None, source.newest + 1, self.now, self.now)
        self._bring(number)

    def _bring(self, number: int) -> bool:
        """The reader's thread: it reads on once the schedule has taken its frame."""
        source = self.sources[number]
        if source.held is None or not self.schedule.has_room(number):
            return False
        item, source.held = source.held, None
        if source.latest and source.waiting:
            source.waiting.clear()
            source.dropped += 1
        source.newest = item.index
        source.waiting.append(item.index)
        source.arrived += 1
        self.schedule.arrive(item)
        self._next_frame(number)
        return True

    def _settle(self) -> None:
        moved = True
        while moved:
            moved = self._send() | self._start() | self._take()
            for number in range(len(self.sources)):
                moved |= self._bring(number)

    def _send(self) -> bool:
        could = {number for number in range(len(self.sources)) if self._may_send(number)}
        stale = {number for number in could if self._is_stale(number)}
        item = self.schedule.send(self.now)
        for number in {number for number in stale if not self.schedule._lines[number].waiting}:
            self.sources[number].waiting.clear()
            self.sources[number].dropped += 1
        if item is None:
            return False
        source = self.sources[item.source]
        assert item.source in could
        assert source.waiting.popleft() == item.index, "out of order"
        if source.latest:
            assert item.index == source.newest, "a newer frame waited"
            assert self.now - item.read_s <= self._max_age_s
        source.passed.clear()
        for number in could - {item.source} - stale:
            passed = self.sources[number].passed
            passed[item.source] += 1
            assert passed[item.source] == 1, "one source had two turns while another one waited"
        source.in_network += 1
        self.network.line.append(item)
        in_network = sum(some.in_network for some in self.sources)
        assert in_network <= self.network.slots
        assert in_network + sum(some.untaken for some in self.sources) <= 2 * self.network.slots
        return True

    def _may_send(self, number: int) -> bool:
        source = self.sources[number]
        return bool(source.waiting) and not (source.latest and (source.in_network or source.untaken))

    def _is_stale(self, number: int) -> bool:
        source = self.sources[number]
        if not source.latest:
            return False
        [item] = self.schedule._lines[number].waiting
        return self.now - item.read_s > self._max_age_s

    def _start(self) -> bool:
        network = self.network
        if not network.idle or not network.line:
            return False
        batch = [network.line.popleft() for _ in range(min(network.batch, len(network.line)))]
        network.idle -= 1
        self._at(self.now + network.time_s(len(batch)), lambda: self._answer(batch))
        return True

    def _answer(self, batch: list[Item]) -> None:
        self.network.idle += 1
        for item in batch:
            source = self.sources[item.source]
            source.in_network -= 1
            if self.network.refuses():
                source.failed += 1
                self.schedule.fail(item, "refused")
            else:
                source.untaken += 1
                self.schedule.finish(item, item.index)

    def _take(self) -> bool:
        if self.now < self._free_s - _ROUNDING_S:
            return False
        item = self.schedule.take(self.now)
        if item is None:
            assert not self._could_take(), "a result that is done did not leave"
            return False
        source = self.sources[item.source]
        assert not source.taken or item.index > source.taken[-1], "out of order"
        assert item.result == item.index
        source.untaken -= 1
        source.taken.append(item.index)
        source.ages.append(self.now - item.read_s)
        if (pause := self._think_s()) > 0:
            self._free_s = self.now + pause
            self._at(self._free_s, lambda: None)
        return True

    def _could_take(self) -> bool:
        """Whether some source's oldest frame that was sent and not refused has its answer."""
        for line in self.schedule._lines:
            states = [item.state for item in line.sent if item.state != "failed"]
            if states and states[0] == "finished":
                return True
        return any(source.untaken and not source.in_network for source in self.sources)

    def _check(self) -> None:
        in_network = sum(source.in_network for source in self.sources)
        untaken = sum(source.untaken for source in self.sources)
        full = in_network >= self.network.slots or in_network + untaken >= 2 * self.network.slots
        for number, source in enumerate(self.sources):
            counts, pending = self.schedule.counts(number), self.schedule._lines[number].pending
            assert counts.read == counts.done + counts.dropped + counts.failed + pending
            books = source.arrived, len(source.taken), source.dropped, source.failed
            assert (counts.read, counts.done, counts.dropped, counts.failed) == books
            assert pending == len(source.waiting) + source.in_network + source.untaken
            assert source.latest or not counts.dropped
            assert full or not self._may_send(number), "the network has room and a frame waits"
            self.checked += 1
        assert self.schedule.over == (
            all(source.over for source in self.sources) and not in_network and not untaken and not self._waiting()
        )

    def _waiting(self) -> bool:
        return any(source.waiting or source.held for source in self.sources)
