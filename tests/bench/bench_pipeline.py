"""What does the pipeline cost beyond the network, and does its memory stay flat?

    python tests/bench/bench_pipeline.py [--video V] [--frames 200] [--memory 3000]

Prints, in one run: the network alone, `infer` (the target: at most 5 ms more) and `stream` (at most 1.10 times the
network), taken in turns so that a busy neighbour slows all three; then the resident memory while streaming (the target:
under 2 MB more after the first 100 frames). Frames are made beforehand; external polygons are included.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from pathlib import Path

import numpy as np
import psutil

import rfseg

DEMO = Path(__file__).resolve().parents[2] / "python" / "rfseg" / "demo"
ROUNDS = 8


def read(video: Path, size: tuple[int, int]) -> list[np.ndarray]:
    """32 frames of the clip, enlarged to (height, width)."""
    import av

    with av.open(str(video)) as clip:
        frames = itertools.islice(clip.decode(video=0), 32)
        return [f.reformat(width=size[1], height=size[0], format="bgr24").to_ndarray() for f in frames]


def timings(seg: rfseg.Segmenter, frames: list[np.ndarray], count: int) -> dict[str, list[float]]:
    """Milliseconds a frame of each way, one value a round."""
    each = max(1, count // ROUNDS)
    taken: dict[str, list[float]] = {"network": [], "infer": [], "stream": []}
    for _ in range(ROUNDS):
        taken["network"].append(seg.network_ms(each))
        feed = list(itertools.islice(itertools.cycle(frames), each))
        start = time.perf_counter()
        for frame in feed:
            seg.infer(frame)
        middle = time.perf_counter()
        results = sum(1 for _ in seg.stream(feed))
        end = time.perf_counter()
        assert results == each
        taken["infer"].append((middle - start) * 1e3 / each)
        taken["stream"].append((end - middle) * 1e3 / each)
    return taken


def memory(seg: rfseg.Segmenter, frames: list[np.ndarray], count: int) -> tuple[float, float]:
    """(MB of growth after the first 100 frames, MB in all) while streaming `count` frames."""
    process, after_100, peak = psutil.Process(), 0, 0
    for i, _ in enumerate(seg.stream(itertools.islice(itertools.cycle(frames), count))):
        if i % 50 == 0:
            peak = max(peak, process.memory_info().rss) if i > 100 else 0
        if i == 100:
            after_100 = process.memory_info().rss
    return (peak - after_100) / 1e6, process.memory_info().rss / 1e6


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, default=DEMO / "shapes_360p.mp4")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--memory", type=int, default=3000)
    options = parser.parse_args()
    frames = read(options.video, (1080, 1920))
    with rfseg.Segmenter(DEMO / "shapes.onnx", outlines="external") as seg:
        info = seg.info
        print(f"1920x1080, ONNX Runtime {info['library_version']}, {info['threads']} threads, {info['slots']} slots")
        taken = timings(seg, frames, options.frames)
        network = statistics.median(taken["network"])
        for way, values in taken.items():
            ratios = statistics.median(v / n for v, n in zip(values, taken["network"], strict=True))
            over = statistics.median(v - n for v, n in zip(values, taken["network"], strict=True))
            print(f"{way:8} {statistics.median(values):8.2f} ms a frame   {ratios:6.3f} x network   {over:+6.2f} ms")
        assert network > 0
        if options.memory > 100:
            growth, total = memory(seg, frames[:4], options.memory)
            held = sum(frame.nbytes for frame in frames) / 1e6
            print(f"memory   {growth:+.2f} MB after the first 100 of {options.memory} frames")
            print(f"         {total - held:.0f} MB in all, without the {held:.0f} MB of frames made beforehand")


if __name__ == "__main__":
    main()
