"""Waiting in tests for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(happened: Callable[[], bool], patience_s: float = 60.0) -> None:
    """Returns as soon as `happened`; fails where it does not within a patience that no machine needs."""
    end = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
