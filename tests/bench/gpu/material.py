"""What the benchmarks of the GPU share: engines, and frames of the clips in memory.

RFSEG_TEST_ENGINES holds shapes_fp16.plan (batch 1), shapes_nano_fp16.plan (batch 1) and nano_dynamic_1_16_fp16.plan
(batch 1 to 16), built for the GPU; RFSEG_TEST_VIDEOS holds shapes_1080p.mp4, shapes_720p.mp4 and shapes_312x176.mp4.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import rfseg

ENGINES = {
    "dynamic": "nano_dynamic_1_16_fp16.plan",
    "nano": "shapes_nano_fp16.plan",
    "shapes": "shapes_fp16.plan",
}
SIZES = {1080: (1080, 1920), 720: (720, 1280), 176: (176, 312), 2160: (2160, 3840)}
CLIPS = {1080: "shapes_1080p.mp4", 720: "shapes_720p.mp4", 176: "shapes_312x176.mp4", 2160: "shapes_1080p.mp4"}
NAMES = dict(enumerate(("circle", "square", "triangle", "star", "hexagon", "ring", "cross", "crescent")))


def frames_of(height: int, wanted: int) -> list[np.ndarray]:
    """`wanted` frames spread over the clip of this height, or enlarged to it."""
    path = Path(os.environ["RFSEG_TEST_VIDEOS"]) / CLIPS[height]
    size = SIZES[height]
    capture = cv2.VideoCapture(str(path))
    step, frames = max(1, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // wanted), []
    while len(frames) < wanted and capture.grab():
        frame = capture.retrieve()[1]
        frames.append(frame if frame.shape[:2] == size else cv2.resize(frame, size[::-1]))
        for _ in range(step - 1):
            capture.grab()
    assert len(frames) == wanted, f"{path} gave {len(frames)} frames"
    return frames


def open_engine(name: str, **options: Any) -> rfseg.Segmenter:
    """On the GPU."""
    options = {"threshold": 0.4, "names": NAMES, **options}
    path = Path(os.environ["RFSEG_TEST_ENGINES"]) / ENGINES[name]
    return rfseg.Segmenter(path, device="cuda", allow_engine_code=name == "shapes", **options)
