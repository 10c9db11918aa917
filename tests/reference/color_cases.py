"""Planes to compare on."""

from __future__ import annotations

import numpy as np

from reference.color import SUBSAMPLED, TEN_BITS


def random_planes(rng: np.random.Generator, name: str, size: tuple[int, int], pad: int = 0) -> list[np.ndarray]:
    """Planes of every sample value, 16-bit words with bits set that are no part of a sample."""
    down, right = SUBSAMPLED[name]
    chroma = (size[0] + down) >> down, (size[1] + right) >> right
    shapes: list[tuple[int, ...]] = [size, chroma, chroma]
    if name in ("nv12", "p010"):
        shapes = [size, (*chroma, 2)]
    dtype, end = (np.uint16, 2**16) if name in TEN_BITS else (np.uint8, 2**8)
    return [rng.integers(0, end, (s[0], s[1] + pad, *s[2:]), dtype=dtype)[:, : s[1]] for s in shapes]
