"""How far a run has come: a bar on a terminal, plain lines elsewhere, JSON lines for machines, or nothing.

Owns the wording and the rhythm of these messages. Progress goes to stderr, except JSON, which goes to stdout.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from rfseg.terminal import answer, say

if TYPE_CHECKING:
    from rfseg.watching import SourceStats

    Watched = Callable[[], Sequence[SourceStats]]

_PLAIN_EVERY_S = 5.0
_JSON_EVERY_S = 0.5


class Progress(Protocol):
    """Told about one source after another."""

    def begin(self, name: str, total: int | None, watched: Watched | None = None) -> None:
        """A source starts; `total` frames are expected, None if nobody knows. `watched`: gives numbers of many."""

    def advance(self) -> None:
        """A frame is done."""

    def end(self) -> None:
        """The source is done, or failed."""


def words(stats: SourceStats) -> str:
    """`latest of 120 read, 36 dropped, age 0.041 s (p99 0.080 s)`: what differs from a source that is read alone."""
    parts = [f"{stats.policy} of {stats.read} read"]
    counts = {"dropped": stats.dropped, "failed": stats.failed, "reconnects": stats.reconnects}
    parts += [f"{count} {name}" for name, count in counts.items() if count]
    if stats.age_p50_s is not None:
        parts.append(f"age {stats.age_p50_s:.3f} s (p99 {stats.age_p99_s:.3f} s)")
    if stats.state == "reconnecting":
        parts.append(f"away: {stats.last_error}")
    return ", ".join(parts)


def numbers(stats: SourceStats) -> dict[str, Any]:
    """The same for machines."""
    kept = ("policy", "state", "read", "done", "dropped", "failed", "pending", "reconnects", "last_error")
    ages = {"age_p50_s": stats.age_p50_s, "age_p99_s": stats.age_p99_s}
    return {name: getattr(stats, name) for name in kept} | {
        name: None if age is None else round(age, 4) for name, age in ages.items()
    }


def make(mode: str) -> Progress:
    """`mode`: "auto" (a bar where stderr is a terminal and rich is installed), "plain", "json", "none"."""
    if mode == "auto":
        return (_rich_bar() if sys.stderr is not None and sys.stderr.isatty() else None) or _Lines()
    kinds: dict[str, type[Progress]] = {"plain": _Lines, "json": _JsonLines, "none": _Silence}
    return kinds[mode]()


class _Silence:
    """Says nothing."""

    def begin(self, name: str, total: int | None, watched: Watched | None = None) -> None:
        pass

    def advance(self) -> None:
        pass

    def end(self) -> None:
        pass


class _Lines(_Silence):
    """A line every few seconds."""

    every_s = _PLAIN_EVERY_S

    def begin(self, name: str, total: int | None, watched: Watched | None = None) -> None:
        self._name, self._total, self._watched, self._done = name, total, watched, 0
        self._started = self._said = time.perf_counter()

    def advance(self) -> None:
        self._done += 1
        moment = time.perf_counter()
        if moment - self._said >= self.every_s:
            self._said = moment
            self._say(self._done / (moment - self._started))

    def _say(self, rate: float) -> None:
        left = f", {(self._total - self._done) / rate:.0f} s left" if self._total else ""
        of_total = f"/{self._total}" if self._total else ""
        say(f"{self._name}: {self._done}{of_total} frames, {rate:.1f} frames/s{left}")
        for stats in self._watched() if self._watched else ():
            say(f"  {stats.source}: {words(stats)}")


class _JsonLines(_Lines):
    """The same as one JSON object a line."""

    every_s = _JSON_EVERY_S

    def _say(self, rate: float) -> None:
        event: dict[str, Any] = {"event": "progress", "source": self._name, "frames": self._done, "total": self._total}
        if self._watched:
            event["sources"] = {stats.source: numbers(stats) for stats in self._watched()}
        with suppress(OSError):  # the summary will say it
            answer(json.dumps({**event, "frames_per_second": round(rate, 2)}))


class _Bar:
    """rich's bar with rate and time left, redrawn by its own thread."""

    def __init__(self, rich_progress: Any, console: Any) -> None:
        self._rich, self._console = rich_progress, console

    def begin(self, name: str, total: int | None, watched: Watched | None = None) -> None:
        rich = self._rich
        self._bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),  # names hold brackets
            rich.BarColumn(),
            rich.MofNCompleteColumn(),
            rich.TextColumn("{task.fields[rate]}"),
            rich.TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(name, total=total, rate="")
        self._done, self._started, self._watched = 0, time.perf_counter(), watched
        self._bar.start()

    def advance(self) -> None:
        self._done += 1
        rate = self._done / (time.perf_counter() - self._started)
        dropped = sum(stats.dropped for stats in self._watched()) if self._watched else 0
        more = f", {dropped} dropped" if dropped else ""
        self._bar.update(self._task, completed=self._done, rate=f"{rate:.1f} frames/s{more}")

    def end(self) -> None:
        self._bar.stop()


def _rich_bar() -> Progress | None:
    try:
        import rich.progress
        from rich.console import Console
    except ImportError:
        return None
    return _Bar(rich.progress, Console(stderr=True))
