"""What the parity tests run: files by name, and frames. Reads videos with OpenCV alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

ENGINES = {
    "shapes": "shapes_fp16.plan",
    "nano": "shapes_nano_fp16.plan",
    "dynamic": "nano_dynamic_1_16_fp16.plan",
}
CLIPS = ("shapes_1080p.mp4", "shapes_720p.mp4", "shapes_312x176.mp4")
NAMES = dict(enumerate(("circle", "square", "triangle", "star", "hexagon", "ring", "cross", "crescent")))


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
