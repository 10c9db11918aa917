"""What became of a source's frames, in numbers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

State = Literal["opening", "reading", "reconnecting", "ended"]

_AGES = 1000  # that are remembered: 40 s of 25 frames/s


@dataclass(frozen=True, slots=True)
class SourceStats:
    """A source at one moment, at every one of which `read == done + dropped + failed + pending`.

    When the loop was left, `pending` is 0: what was still waiting or in the network then counts as dropped.

    Attributes:
        source: its name.
        policy: "all" or "latest".
        state: "opening", "reading", "reconnecting" or "ended".
        read: frames that came from it.
        done: results handed out.
        dropped: frames that a newer one replaced, that were older than `max_age_s` when their turn came, or that were
            left when the loop was.
        failed: frames that the network refused.
        pending: frames that wait, are in the network, or have a result that nobody took yet.
        age_p50_s, age_p99_s: seconds from reading a frame to handing out its result, of the last 1,000; None before the
            first one.
        reconnects: how often it was tried again.
        last_error: why it failed or ended, or what its last failed frame failed with; None where nothing did.
    """

    source: str
    policy: Literal["all", "latest"]
    state: State
    read: int
    done: int
    dropped: int
    failed: int
    pending: int
    age_p50_s: float | None
    age_p99_s: float | None
    reconnects: int
    last_error: str | None


@dataclass(slots=True)
class Counts:
    """The same while it grows."""

    state: State = "opening"
    read: int = 0
    done: int = 0
    dropped: int = 0
    failed: int = 0
    reconnects: int = 0
    last_error: str | None = None
    ages: deque[float] = field(default_factory=lambda: deque(maxlen=_AGES))

    def seen(self, source: str, policy: Literal["all", "latest"], pending: int) -> SourceStats:
        """A copy that stays."""
        ages = sorted(self.ages)
        return SourceStats(
            source,
            policy,
            self.state,
            self.read,
            self.done,
            self.dropped,
            self.failed,
            pending,
            percentile(ages, 0.50),
            percentile(ages, 0.99),
            self.reconnects,
            self.last_error,
        )


def percentile(ordered: list[float], share: float) -> float | None:
    """The least value that at least `share` of them do not exceed; None of none."""
    return ordered[ceil(share * len(ordered)) - 1] if ordered else None
