"""What share of an engine's own speed is left for whole frames, at each frame size and number of slots?

For each engine and frame size, in one run: the engine alone (its CUDA graph replayed over one and over four contexts),
`Segmenter.stream` from NumPy frames in memory to external polygons, `Segmenter.infer` one at a time, and the limits of
moving a frame (measured with torch: pinned memory to the GPU; one thread's copy in host memory). Prints one table, and
writes everything as JSON. Example:

    RFSEG_TEST_ENGINES=engines RFSEG_TEST_VIDEOS=videos python tests/bench/bench_gpu.py --json bench.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import rfseg
from rfseg.cli.measuring import measure

ENGINES = {"nano": "shapes_nano_fp16.plan", "shapes": "shapes_fp16.plan"}
SIZES = ((1080, 1920), (720, 1280), (176, 312), (2160, 3840))
CLIPS = {1080: "shapes_1080p.mp4", 720: "shapes_720p.mp4", 176: "shapes_312x176.mp4", 2160: "shapes_1080p.mp4"}
NAMES = dict(enumerate(("circle", "square", "triangle", "star", "hexagon", "ring", "cross", "crescent")))
SLOTS = (1, 2, 3, 4, 6, 8)


def read_frames(folder: Path, size: tuple[int, int], wanted: int) -> list[np.ndarray]:
    """`wanted` frames spread over the clip of this size, or enlarged to it."""
    capture = cv2.VideoCapture(str(folder / CLIPS[size[0]]))
    step, frames = max(1, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // wanted), []
    while len(frames) < wanted and capture.grab():
        frame = capture.retrieve()[1]
        frames.append(frame if frame.shape[:2] == size else cv2.resize(frame, size[::-1]))
        for _ in range(step - 1):
            capture.grab()
    assert len(frames) == wanted, f"{folder / CLIPS[size[0]]} gave {len(frames)} frames"
    return frames


def copy_rates() -> dict[str, float]:
    """GB/s of pinned memory to the GPU, and of one thread's copy between arrays that no cache holds."""
    import torch

    pinned = torch.empty(256 << 20, dtype=torch.uint8, pin_memory=True)
    target = torch.empty_like(pinned, device="cuda")
    up = []
    for _ in range(12):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        target.copy_(pinned, non_blocking=True)
        end.record()
        end.synchronize()
        up.append(pinned.numel() / begin.elapsed_time(end) / 1e6)
    source, copy, host = np.ones(256 << 20, np.uint8), pinned.numpy(), []
    for _ in range(6):
        begin_s = time.perf_counter()
        np.copyto(copy, source)
        host.append(source.nbytes / (time.perf_counter() - begin_s) / 1e9)
    return {"upload": round(statistics.median(up), 2), "host_copy": round(statistics.median(host), 2)}


def open_engine(folder: Path, name: str, **options: Any) -> rfseg.Segmenter:
    """On the GPU, tracing external outlines itself."""
    options = {"outlines": "external", "threshold": 0.4, "names": NAMES, **options}
    return rfseg.Segmenter(folder / ENGINES[name], device="cuda", allow_engine_code=name == "shapes", **options)


def start_ms(folder: Path, name: str, frame: np.ndarray) -> float:
    """Constructor and first frame."""
    begin = time.perf_counter()
    with open_engine(folder, name) as segmenter:
        segmenter.infer(frame)
        return round((time.perf_counter() - begin) * 1e3, 1)


def new_size_ms(segmenter: rfseg.Segmenter, frame: np.ndarray) -> dict[str, float]:
    """What a frame of a size not seen before takes, and one of a size that is known."""
    fresh, known = [], []
    for cut in range(1, 9):
        view = np.ascontiguousarray(frame[cut:, cut:])
        for times in (fresh, known):
            begin = time.perf_counter()
            segmenter.infer(view)
            times.append((time.perf_counter() - begin) * 1e3)
    return {"new": round(statistics.median(fresh), 2), "known": round(statistics.median(known), 2)}


def row_text(name: str, size: tuple[int, int], row: dict[str, Any], rates: dict[str, float]) -> str:
    """One line of the table."""
    share, latency = row["share_of_network_limit"], row.get("latency_ms")
    many = max(share, key=int)
    text = (
        f"{name:6} {size[1]:4}x{size[0]:<4} {row['slots']:5} {row['stream_frames_per_second']:8.1f}"
        f" {1e3 / row['network_ms']['1']:8.1f} {share['1']:6.3f} {1e3 / row['network_ms'][many]:8.1f} x{many}"
        f" {share[many]:6.3f} {rates['upload'] * 1e9 / (size[0] * size[1] * 3):8.0f} {row['instances_per_frame']:6.1f}"
    )
    if not latency:
        return text
    moved = row["bytes_per_frame"]
    ratio = latency["p99"] / latency["p50"]
    return (
        f"{text} {latency['p50']:7.3f} {latency['p50_over_network']:+7.3f} {latency['p99']:7.3f} {ratio:5.2f}"
        f" {row['stages_ms']['network'] - row['network_ms']['1']:+7.3f} {moved['back']:7} {moved['back_most']:7}"
    )


HEAD = (
    "engine frame     slots  stream/s one ctx/s share  many ctx/s      share upload/s  found"
    "     p50 -engine     p99 ratio  graph-e    back    most"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", nargs="*", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--heights", nargs="*", type=int, default=[height for height, _ in SIZES])
    parser.add_argument("--slots", nargs="*", type=int, default=list(SLOTS))
    parser.add_argument("--threads", type=int, help="as Segmenter takes them")
    parser.add_argument("--frames", type=int, default=1200, help="of each stream at 1080p and below")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    engines, videos = (Path(os.environ[name]) for name in ("RFSEG_TEST_ENGINES", "RFSEG_TEST_VIDEOS"))
    sizes = [size for size in SIZES if size[0] in options.heights]
    frames = {size: read_frames(videos, size, 24 if size[0] > 1080 else 48) for size in sizes}

    start = {name: start_ms(engines, name, frames[sizes[0]][0]) for name in options.engines}  # the first: CUDA's too
    report: dict[str, Any] = {"start_ms": start, "rows": [], "new_size_ms": {}}
    rates = report["gigabytes_per_second"] = copy_rates()
    print(
        f"start ms {start} (the first with CUDA's own); upload {rates['upload']} GB/s, host copy {rates['host_copy']}"
    )
    print(HEAD, flush=True)
    for name in options.engines:
        for slots in options.slots:
            with open_engine(engines, name, slots=slots, threads=options.threads) as segmenter:
                report["machine"] = segmenter.info
                for size in sizes:
                    count = options.frames // (4 if size[0] > 1080 else 1)
                    row = measure(segmenter, frames[size], count, latency=slots == options.slots[0])
                    report["rows"].append({"engine": name, "size": size, **row})
                    print(row_text(name, size, row, rates), flush=True)
                    if row["slow_frames"] or row["allocations"]:
                        print(f"       ^ {row['slow_frames']} slow frames, {row['allocations']} allocations")
                if slots == options.slots[0]:
                    report["new_size_ms"][name] = new_size_ms(segmenter, frames[sizes[0]][0])
    print(
        f"a frame of a new size, ms: {report['new_size_ms']}; {report['machine']['gpu']},"
        f" TensorRT {report['machine']['library_version']}"
    )
    if options.json:
        options.json.write_text(json.dumps(report))


if __name__ == "__main__":
    main()
