"""How much faster are outlines from runs than from a decoded full-frame mask?

Compares, on one thread and in one run, `rfseg.Masks.polygons()` with what a user of COCO's run lengths does otherwise:
`pycocotools` decodes each mask to the full frame, `cv2.findContours` traces it. Both start from masks in memory and end
with the same outlines, which is checked. Example:

    python tests/bench/bench_polygons.py
    python tests/bench/bench_polygons.py --model model.onnx --video clip.mp4
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pycocotools.mask as coco_tool

import rfseg

Coco = list[dict]


def synthetic_frame(seed: int, count: int = 9, height: int = 1080, width: int = 1920) -> Coco:
    """`count` smooth shapes of 150 to 350 px, as COCO run lengths."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    masks = []
    for _ in range(count):
        radius = np.full(angles.size, rng.uniform(75, 175))
        for order in range(2, 9):
            radius *= 1 + rng.uniform(0, 0.5) / order**1.5 * np.cos(order * angles + rng.uniform(0, 2 * np.pi))
        centre = rng.uniform([200, 200], [width - 200, height - 200])
        points = centre + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [points.round().astype(np.int32)], 1)
        masks.append(coco_tool.encode(np.asfortranarray(mask)))
    return masks


def clip_frames(model: str, video: str) -> Iterator[Coco]:
    """The masks of every frame of a clip in which something was found."""
    segmenter = rfseg.Segmenter(model)
    capture = cv2.VideoCapture(video)
    while (read := capture.read())[0]:
        if masks := segmenter.infer(read[1]).masks.coco():
            yield masks


def from_runs(masks: rfseg.Masks) -> list:
    """rfseg's way."""
    return masks.polygons("external")


def from_full_frames(coco: Coco) -> list:
    """The usual way."""
    outlines = []
    for item in coco:
        found, _ = cv2.findContours(coco_tool.decode(item), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outlines.append([outline[:, 0] for outline in found])
    return outlines


def timed_ms(work: Callable, *arguments: object) -> tuple[float, list]:
    """Milliseconds of one call, and its answer."""
    begin = time.perf_counter_ns()
    answer = work(*arguments)
    return (time.perf_counter_ns() - begin) / 1e6, answer


def same(ours: list, theirs: list) -> bool:
    """Equal outlines in equal order."""
    return [[o.tolist() for o in mask] for mask in ours] == [[o.tolist() for o in mask] for mask in theirs]


def measure(frames: list[Coco], repeats: int) -> tuple[list[float], list[float]]:
    """Milliseconds a frame from runs and from full frames, in turn. Masks keep outlines: every call gets its own."""
    ours_ms, theirs_ms = [], []
    for _ in range(repeats):
        for coco in frames:
            masks = rfseg.Masks.from_coco(coco)
            ms, ours = timed_ms(from_runs, masks)
            ours_ms.append(ms)
            ms, theirs = timed_ms(from_full_frames, coco)
            theirs_ms.append(ms)
            if not same(ours, theirs):
                raise SystemExit("the outlines differ: the times mean nothing")
    return ours_ms, theirs_ms


def show(name: str, times_ms: list[float]) -> None:
    """One line: median and the range that holds nine tenths."""
    low, *_, high = statistics.quantiles(times_ms, n=20)
    print(f"{name:42} {statistics.median(times_ms):8.3f} ms a frame  (5 to 95 %: {low:.3f} to {high:.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="with --video: the masks of a clip instead of synthetic ones")
    parser.add_argument("--video")
    parser.add_argument("--repeats", type=int, default=5, help="times that every frame is measured")
    options = parser.parse_args()
    if (options.model is None) != (options.video is None):
        parser.error("--model and --video go together")

    cv2.setNumThreads(1)
    clip = clip_frames(options.model, options.video) if options.model else map(synthetic_frame, range(20))
    frames = list(clip)
    if not frames:
        raise SystemExit("nothing was found in the clip: there is nothing to measure")
    measure(frames[:5], 1)
    ours_ms, theirs_ms = measure(frames, options.repeats)

    instances = statistics.mean(map(len, frames))
    print(
        f"{platform.processor() or platform.machine()}, one thread, rfseg {rfseg.__version__}, OpenCV {cv2.__version__}"
    )
    print(f"{len(frames)} frames of {'x'.join(map(str, frames[0][0]['size']))}, {instances:.1f} instances a frame")
    show("runs -> outlines, rfseg", ours_ms)
    show("runs -> full frame -> outlines, cv2", theirs_ms)
    ratios = [theirs / ours for ours, theirs in zip(ours_ms, theirs_ms, strict=True)]
    low, *_, high = statistics.quantiles(ratios, n=20)
    print(f"{'ratio':42} {statistics.median(ratios):8.1f}             (5 to 95 %: {low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
