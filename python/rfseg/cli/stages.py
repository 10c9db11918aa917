"""How busy each stage of a run was, and which one held the others back.

A stage is at work while it waits neither for what comes to it nor for those behind it. Knows clocks, not frames.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Stage:
    """One stage's clock; any of its threads may use it.

    Attributes:
        name: what the summary calls it.
        threads: how many may be at work at once.
        seconds: of work so far, of all threads together.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self.name, self.threads, self.seconds = name, threads, 0.0
        self._lock = Lock()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The caller works meanwhile."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(time.perf_counter() - began)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The caller, whose whole time was or will be added, does not work meanwhile."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(began - time.perf_counter())

    def add(self, seconds: float) -> None:
        """Counts work that was measured elsewhere."""
        with self._lock:
            self.seconds += seconds


class Busy:
    """The stages of one source in the order a frame meets them, and the processors of the process."""

    def __init__(self, processor_time: Callable[[], float] = time.process_time) -> None:
        self._stages: list[Stage] = []
        self._processor_time = processor_time
        self._began, self._worked = time.perf_counter(), processor_time()
        self.seconds = 0.0
        self.processors = 0.0

    def stage(self, name: str, threads: int = 1) -> Stage:
        """A new stage; the last one so far."""
        self._stages.append(Stage(name, threads))
        return self._stages[-1]

    def take(self, stage: Stage) -> None:
        """Adds a stage whose clock began elsewhere."""
        stage.seconds = 0.0
        self._stages.append(stage)

    def stop(self) -> None:
        """Ends the measurement."""
        self.seconds = max(time.perf_counter() - self._began, 1e-9)
        self.processors = (self._processor_time() - self._worked) / self.seconds

    def shares(self) -> dict[str, float]:
        """{stage: the part of the time, 0 to 1, that its threads were at work}."""
        return {
            stage.name: min(max(stage.seconds / stage.threads / self.seconds, 0.0), 1.0)
            for stage in self._stages
            if stage.seconds
        }

    @property
    def limit(self) -> str:
        """The busiest stage, which the others wait for; "" where nothing was done."""
        shares = self.shares()
        return max(shares, key=lambda name: shares[name], default="")

    def sentence(self) -> str:
        """`limit encode (read 0.41, network 0.30, encode 0.98; 1.9 of 2 processors)`."""
        parts = ", ".join(f"{name} {share:.2f}" for name, share in self.shares().items())
        return f"limit {self.limit} ({parts}; {self.processors:.1f} of {PROCESSORS} processors)"
