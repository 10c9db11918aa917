"""What do masks and outlines cost after the network, against stretching every mask to the full frame?

Compares, on one thread and in one run, `rfseg.ops.postprocess` and `result.polygons()` with the usual way: bilinear
interpolation of each kept mask to the frame, threshold, `cv2.findContours`. The interpolation is torch's (when torch is
installed) or cv2's. The usual ways are handed the kept queries; rfseg has to select them. Processor time is counted,
not the clock: a busy machine interrupts long work but not short work, which would flatter the short. Example:

    python tests/bench/bench_postprocess.py
    python tests/bench/bench_postprocess.py --video clip.mp4
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

import rfseg

Outlines = list[list[np.ndarray]]


class Raw(NamedTuple):
    """Raw outputs of one frame: dets [Q, 4], labels [Q, C], masks [Q, Hm, Wm], all float32; and the frame's size."""

    dets: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    image_size: tuple[int, int]
    num_classes: int


def synthetic_frame(seed: int, count: int = 10, queries: int = 100, grid: int = 78) -> Raw:
    """`count` wavy objects of 150 to 350 px in a 1080p frame, among `queries` queries and COCO's 91 columns."""
    rng = np.random.default_rng(seed)
    height, width = 1080, 1920
    y, x = (np.mgrid[:grid, :grid] + 0.5) * np.array([height, width])[:, None, None] / grid
    dets = rng.uniform(0.1, 0.9, (queries, 4))
    labels = rng.normal(-6, 1, (queries, 91))
    masks = rng.normal(-6, 0.5, (queries, grid, grid))
    for query in range(count):
        size_px = rng.uniform(150, 350)
        cx, cy = rng.uniform(200, width - 200), rng.uniform(200, height - 200)
        dets[query] = cx / width, cy / height, size_px / width, size_px / height
        labels[query, rng.integers(1, 91)] = rng.uniform(1, 4)
        dy, dx = y - cy, x - cx
        radius = size_px / 2 * (1 + 0.15 * np.sin(5 * np.arctan2(dy, dx) + rng.uniform(0, 6)))
        masks[query] = 0.2 * (radius - np.hypot(dy, dx)) + rng.normal(0, 0.3, dx.shape)
    return Raw(*(array.astype(np.float32) for array in (dets, labels, masks)), (height, width), 91)


def clip_frames(video: str) -> Iterator[Raw]:
    """What the packaged network says of every frame of a clip."""
    import onnxruntime

    session = onnxruntime.InferenceSession(Path(rfseg.__file__).parent / "demo" / "shapes.onnx")
    network_size = tuple(session.get_inputs()[0].shape[2:])
    capture = cv2.VideoCapture(video)
    while (read := capture.read())[0]:
        chw = rfseg.ops.preprocess(read[1], size=network_size)
        dets, labels, masks = session.run(["dets", "labels", "masks"], {"input": chw[None]})
        yield Raw(dets[0], labels[0], masks[0], read[1].shape[:2], labels.shape[2] - 1)


def kept_masks(raw: Raw) -> np.ndarray:
    """Mask logits [K, Hm, Wm] of the instances with a score above 0.5, in rfseg's order."""
    best = np.argsort(-raw.labels.reshape(-1), kind="stable")[: len(raw.labels)]
    query, column = np.divmod(best, raw.labels.shape[1])
    return raw.masks[query[(column < raw.num_classes) & (raw.labels[query, column] > 0)]]


def from_runs(raw: Raw, _: np.ndarray) -> Outlines:
    """rfseg's way, selection and boxes included."""
    dets, labels, masks, size, num_classes = raw
    return rfseg.ops.postprocess(dets, labels, masks, image_size=size, num_classes=num_classes).polygons()


def traced(dense: np.ndarray) -> list[np.ndarray]:
    """Outlines of one dense mask."""
    found, _ = cv2.findContours(dense.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [outline[:, 0] for outline in found]


def with_torch(raw: Raw, masks: np.ndarray) -> Outlines:
    """All kept masks stretched at once by torch."""
    import torch

    with torch.inference_mode():
        logits = torch.from_numpy(masks)[:, None]
        full = torch.nn.functional.interpolate(logits, size=raw.image_size, mode="bilinear", align_corners=False)
        return [traced(dense) for dense in (full[:, 0] > 0).numpy()]


def with_cv2(raw: Raw, masks: np.ndarray) -> Outlines:
    """Each kept mask stretched by cv2."""
    height, width = raw.image_size
    return [traced(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 0) for mask in masks]


def same(a: Outlines, b: Outlines) -> int:
    """How many instances have equal outlines in equal order."""
    return sum([o.tolist() for o in x] == [o.tolist() for o in y] for x, y in zip(a, b, strict=True))


def measure(frames: list[Raw], ways: list[Callable], repeats: int) -> tuple[dict[Callable, list[float]], dict]:
    """Processor milliseconds a frame of each way, in turn, and the instances in which it agrees with the first way."""
    times_ms: dict[Callable, list[float]] = {way: [] for way in ways}
    agreeing = dict.fromkeys(ways, 0)
    for raw in frames:
        masks = kept_masks(raw)
        for _ in range(repeats):
            outlines = []
            for way in ways:
                begin = time.process_time_ns()
                outlines.append(way(raw, masks))
                times_ms[way].append((time.process_time_ns() - begin) / 1e6)
        for way, found in zip(ways, outlines, strict=True):
            agreeing[way] += same(outlines[0], found)
    return times_ms, agreeing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", help="outputs of the packaged network on a clip instead of synthetic ones")
    parser.add_argument("--frames", type=int, default=30, help="at most this many frames in which something was found")
    parser.add_argument("--repeats", type=int, default=5, help="times that every frame is measured")
    options = parser.parse_args()

    cv2.setNumThreads(1)
    ways = [from_runs, with_cv2]
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        ways.append(with_torch)
    source = clip_frames(options.video) if options.video else map(synthetic_frame, range(options.frames))
    frames = list(itertools.islice((raw for raw in source if len(kept_masks(raw))), options.frames))
    if not frames:
        raise SystemExit("nothing was found in the clip: there is nothing to measure")
    measure(frames[:3], ways, 1)
    times_ms, agreeing = measure(frames, ways, options.repeats)

    instances = agreeing[from_runs]
    size = "x".join(map(str, frames[0].image_size))
    print(
        f"{platform.processor() or platform.machine()}, one thread, rfseg {rfseg.__version__}, OpenCV {cv2.__version__}"
    )
    print(f"{len(frames)} frames of {size}, {instances / len(frames):.1f} instances a frame")
    ours_ms = statistics.median(times_ms[from_runs])
    for way, times in times_ms.items():
        low, *_, high = statistics.quantiles(times, n=20)
        median = statistics.median(times)
        print(
            f"{way.__name__:10} {median:8.3f} ms of CPU a frame (5 to 95 %: {low:.3f} to {high:.3f}), "
            f"{median / ours_ms:6.1f} x, the same outlines in {agreeing[way]} of {instances} instances"
        )
    # cv2 rounds its weights differently: a pixel of one mask in fifty falls on the other side.
    if instances == 0 or min(agreeing.values()) < 0.95 * instances:
        raise SystemExit("the outlines differ: the times mean nothing")


if __name__ == "__main__":
    main()
