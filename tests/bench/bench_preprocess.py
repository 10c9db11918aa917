"""How fast is rfseg.ops.preprocess beside Pillow + NumPy, which give the same answer? One thread, alternating calls.

Prints medians, the spread (10th to 90th percentile) and the median ratio of neighbouring calls. Run it on an idle
machine: `python tests/bench/bench_preprocess.py`.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

import numpy as np
import PIL
from PIL import Image

import rfseg

WARM_UP = 10
ROUNDS = 60
CASES = [((1080, 1920), 312), ((720, 1280), 312), ((2160, 3840), 312), ((1920, 1080), 312), ((1080, 1920), 768)]
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def pillow_numpy(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The usual way: RGB frame [Hs, Ws, 3] uint8 to [3, Hn, Wn] float32."""
    resized = np.asarray(Image.fromarray(frame).resize((size[1], size[0]), Image.Resampling.BILINEAR))
    unit = resized.astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(((unit - MEAN) / STD).transpose(2, 0, 1))


def milliseconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def measure(calls: list[Callable[[], object]]) -> np.ndarray:
    """Times [ROUNDS, calls] in ms, taken in turn so that a busy machine disturbs all alike."""
    for _ in range(WARM_UP):
        for call in calls:
            call()
    return np.array([[milliseconds(call) for call in calls] for _ in range(ROUNDS)])


def main() -> None:
    """Prints one row a frame size."""
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__},")
    print(f"Pillow {PIL.__version__}, rfseg {rfseg.__version__}; median (10th..90th percentile) of {ROUNDS}, ms")
    print(f"{'frame':>10} {'network':>8} {'Pillow+NumPy':>24} {'pil':>24} {'bilinear':>24} {'ratio':>6}")
    for shape, side in CASES:
        frame = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
        size = (side, side)
        same = np.array_equal(rfseg.ops.preprocess(frame, size, color="rgb"), pillow_numpy(frame, size))
        if not same:
            raise SystemExit(f"{shape} to {size}: the answers differ, so their times mean nothing")
        times = measure(
            [
                lambda frame=frame, size=size: pillow_numpy(frame, size),
                lambda frame=frame, size=size: rfseg.ops.preprocess(frame, size, color="rgb"),
                lambda frame=frame, size=size: rfseg.ops.preprocess(frame, size, color="rgb", resize="bilinear"),
            ]
        )
        low, median, high = np.percentile(times, [10, 50, 90], axis=0)
        columns = [f"{m:.2f} ({a:.2f}..{b:.2f})" for a, m, b in zip(low, median, high, strict=True)]
        ratio = np.median(times[:, 0] / times[:, 1])
        print(f"{shape[1]:>5}x{shape[0]:<4} {side:>8} {columns[0]:>24} {columns[1]:>24} {columns[2]:>24} {ratio:6.1f}")


if __name__ == "__main__":
    main()
