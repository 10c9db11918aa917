"""Masks of rfseg.ops.postprocess against torch's own interpolate: only pixels within 1e-5 of 0 may differ.

torch rounds in another order, or fuses, depending on the machine. The stored masks are made by
tests/data/make_interpolate_fixtures.py, so that the comparison runs where torch is not installed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rfseg

FIXTURES = Path(__file__).parent.parent / "data" / "interpolate_torch.npz"

Size = tuple[int, int]


def compare_with_torch(logits: np.ndarray, size: Size, positive: np.ndarray, near_zero: np.ndarray) -> int:
    """Pixels that differ from `positive` [H * W]; all of them must be among the indices `near_zero`."""
    dets, labels = np.full((1, 4), 0.5, np.float32), np.ones((1, 1), np.float32)
    ours = rfseg.ops.postprocess(dets, labels, logits[None], image_size=size).masks.dense()[0].reshape(-1)
    differing = np.flatnonzero(ours != positive)
    print(f"{logits.shape} to {size}: {differing.size} of {ours.size} pixels differ, {near_zero.size} are near zero")
    assert np.isin(differing, near_zero).all()
    return int(differing.size)


def test_stored_torch_masks() -> None:
    differing = pixels = case = 0
    with np.load(FIXTURES) as stored:
        while f"logits_{case}" in stored:
            height, width = (int(n) for n in stored[f"size_{case}"])
            positive = np.unpackbits(stored[f"positive_{case}"], count=height * width).astype(bool)
            near_zero = stored[f"near_zero_{case}"]
            differing += compare_with_torch(stored[f"logits_{case}"], (height, width), positive, near_zero)
            pixels += positive.size
            case += 1
    print(f"torch: {differing} of {pixels} pixels differ in {case} masks")
    assert case >= 10
    assert pixels > 10_000_000


def test_torch_itself() -> None:
    torch = pytest.importorskip("torch", reason="the stored masks of test_stored_torch_masks stand in")
    rng = np.random.default_rng(7)
    for size in [(37, 53), (312, 176), (720, 1280)]:
        logits = rng.normal(0, 3, (78, 78)).astype(np.float32)
        values = torch.nn.functional.interpolate(
            torch.from_numpy(logits)[None, None], size=size, mode="bilinear", align_corners=False
        ).numpy()
        compare_with_torch(logits, size, (values > 0).reshape(-1), np.flatnonzero(np.abs(values) < 1e-5))
