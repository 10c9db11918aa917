"""Frames for the parity tests. Reads videos with OpenCV, which every machine with a GPU seems to have."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def read_clip(path: Path, step: int) -> list[np.ndarray]:
    """Every `step`-th frame, uint8 [H, W, 3] BGR."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while capture.grab():
        frames.append(capture.retrieve()[1])
        for _ in range(step - 1):
            capture.grab()
    capture.release()
    assert len(frames) > 3, f"{path} gave {len(frames)} frames"
    return frames


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Random bytes [height, width, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def stretched(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Nearest neighbours: a mask's edges cross every column, so that wide frames have very many runs."""
    rows, columns = np.arange(height) * frame.shape[0] // height, np.arange(width) * frame.shape[1] // width
    return np.ascontiguousarray(frame[rows][:, columns])
