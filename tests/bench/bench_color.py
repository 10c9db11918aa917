"""How fast do planes of 1080p become pixels, and how fast does swscale do it, in one thread?

Run: python tests/bench/bench_color.py [frames]. Both give a new uint8 [1080, 1920, 3] of the same decoded frame. The
ratio is of processor time, which neither a second thread nor other work on the machine makes shorter.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import av
import numpy as np

import rfseg

SIZE = 1080, 1920


def frame_of(name: str) -> av.VideoFrame:
    """A frame of noise over a gradient, as a decoder gives it."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 200, SIZE[1]).astype(np.uint8)[None, :, None]
    pixels = ramp + rng.integers(0, 55, (*SIZE, 3), dtype=np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format=name)


def planes_of(frame: av.VideoFrame) -> list[np.ndarray]:
    dtype = np.uint16 if "10" in frame.format.name else np.uint8
    return [np.frombuffer(plane, dtype).reshape(plane.height, -1) for plane in frame.planes]


def measure(work: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Median and spread of wall time, median of processor time, ms."""
    walls, processors = [], []
    for _ in range(rounds):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        processors.append(1e3 * (time.process_time() - processor))
        walls.append(1e3 * (time.perf_counter() - wall))
    quartiles = statistics.quantiles(walls, n=4)
    return statistics.median(walls), quartiles[2] - quartiles[0], statistics.median(processors)


def main(rounds: int) -> None:
    for theirs, ours in (("yuv420p", "i420"), ("nv12", "nv12"), ("yuv444p", "i444"), ("yuv420p10le", "i010")):
        frame = frame_of(theirs)

        def convert(frame: av.VideoFrame = frame, ours: str = ours) -> object:
            planes = rfseg.YuvFrame(planes_of(frame), ours, size=SIZE, matrix="bt709", full_range=False)  # type: ignore[arg-type]
            return rfseg.ops.convert(planes)

        def swscale(frame: av.VideoFrame = frame) -> object:
            return frame.to_ndarray(format="bgr24")

        for work in (convert, swscale):
            measure(work, 10)
        ratios = []
        for _ in range(5):  # in turns: other work on the machine meets both
            rows = {work.__name__: measure(work, rounds) for work in (convert, swscale)}
            ratios.append(rows["swscale"][2] / rows["convert"][2])
        for name, (median, spread, processor) in rows.items():
            print(f"{ours:5} {name:8} {median:6.2f} ms (middle half {spread:.2f}), processor {processor:.2f} ms")
        print(f"{ours:5} swscale / rfseg: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"rfseg {rfseg.__version__}, PyAV {av.__version__}, libswscale {av.library_versions['libswscale']}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
