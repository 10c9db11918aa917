"""Exact comparisons of arrays, counted and printed. Knows no kernel."""

from __future__ import annotations

import numpy as np


class Report:
    """Prints a line a check and counts the failures."""

    def __init__(self) -> None:
        self.checks = self.failures = 0

    def equal(self, what: str, found: np.ndarray, expected: np.ndarray, note: str = "") -> None:
        """One comparison, exact; NaN equals NaN."""
        self.checks += 1
        found, expected = np.asarray(found), np.asarray(expected)
        if found.shape == expected.shape and np.array_equal(found, expected, equal_nan=found.dtype.kind == "f"):
            print(f"  equal   {what} ({found.size} values) {note}", flush=True)
            return
        self.failures += 1
        print(f"  DIFFERS {what}: shapes {found.shape} {expected.shape} {note}", flush=True)
        if found.shape == expected.shape:
            places = [tuple(place) for place in np.argwhere(found != expected)]
            first = [(*map(int, place), found[place], expected[place]) for place in places[:4]]
            print(f"          {len(places)} of {found.size}; first (place, found, expected): {first}", flush=True)
