"""What share of an engine's own best speed is left for whole frames, from memory to polygons?

In one run: the engine alone, its CUDA graph replayed at every batch size in one to four lanes; the loop that a user
writes, `for r in seg.stream(frames): r.polygons()`, on ordinary NumPy frames, frames in pinned memory and frames on
the device; `infer` one at a time; and the limits of moving a frame (pinned memory to the GPU; one thread's copy).
Prints a table, and writes everything as JSON. Example:

    RFSEG_TEST_ENGINES=engines RFSEG_TEST_VIDEOS=videos python tests/bench/bench_gpu.py --engines dynamic --json b.json
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from gpu.material import ENGINES, SIZES, frames_of, open_engine

import rfseg

BATCHES, LANES = (1, 2, 4, 8, 16), (1, 2, 3, 4, 6, 8)
KINDS = ("numpy", "pinned", "device", "i420", "nv12-pinned", "nv12-device", "p010-device")
USUAL_KINDS = KINDS[:3]
BYTES = {"i420": 1.5, "nv12": 1.5, "p010": 3}  # of a pixel; three otherwise


def rates() -> dict[str, float]:
    """GB/s of pinned memory to the GPU, and of one thread's copy between arrays that no cache holds."""
    import torch

    pinned = torch.empty(256 << 20, dtype=torch.uint8, pin_memory=True)
    target, up = torch.empty_like(pinned, device="cuda"), []
    for _ in range(8):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        target.copy_(pinned, non_blocking=True)
        end.record()
        end.synchronize()
        up.append(pinned.numel() / begin.elapsed_time(end) / 1e6)
    source, copy, host = np.ones(256 << 20, np.uint8), pinned.numpy(), []
    for _ in range(4):
        begin_s = time.perf_counter()
        np.copyto(copy, source)
        host.append(source.nbytes / (time.perf_counter() - begin_s) / 1e9)
    return {"upload": round(statistics.median(up), 2), "host_copy": round(statistics.median(host), 2)}


def limits(name: str, runs: int) -> dict[str, float]:
    """Images a second of the engine alone, by "lanes x batch"."""
    found = {}
    with open_engine(name, lanes=8 if name != "dynamic" else 4, slots=64) as segmenter:
        info = segmenter.info
        for batch in (b for b in BATCHES if info["min_batch"] <= b <= info["max_batch"]):
            for lanes in (n for n in LANES if n <= info["lanes"]):
                found[f"{lanes}x{batch}"] = round(1e3 / segmenter.network_ms(max(24, runs // batch), lanes, batch), 1)
    return found


def planes_of(frame: np.ndarray, form: str) -> list[np.ndarray]:
    """A frame's planes of half the chroma lines."""
    import cv2

    height, width = frame.shape[:2]
    whole = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    y, cb, cr = np.split(whole, [height * width, height * width * 5 // 4])
    y, cb, cr = y.reshape(height, width), cb.reshape(height // 2, width // 2), cr.reshape(height // 2, width // 2)
    if form == "i420":
        return [y, cb, cr]
    planes = [y, np.stack([cb, cr], axis=2)]
    return planes if form == "nv12" else [plane.astype(np.uint16) << 8 for plane in planes]


def as_planes(frames: list[np.ndarray], kind: str, segmenter: Any) -> list[Any]:
    """The frames as YuvFrames, of the format and in the memory that `kind` says."""
    form, _, memory = kind.partition("-")
    made = []
    for frame in frames:
        planes: list[Any] = planes_of(frame, form)
        if memory == "device":
            import torch

            planes = [torch.from_numpy(plane).cuda() for plane in planes]
        elif memory == "pinned":
            pixels = planes
            planes = [segmenter.frame_buffer(p.shape[:2]).reshape(-1)[: p.size].reshape(p.shape) for p in pixels]
            for plane, filled in zip(planes, pixels, strict=True):
                plane[:] = filled
        made.append(rfseg.YuvFrame(planes, form, matrix="bt709", full_range=False))
    return made


def as_kind(frames: list[np.ndarray], kind: str, segmenter: Any) -> list[Any]:
    """The frames in the memory, and the format, that `kind` says."""
    if kind == "numpy":
        return frames
    if kind not in USUAL_KINDS:
        return as_planes(frames, kind, segmenter)
    if kind == "device":
        import torch

        return [torch.from_numpy(frame).cuda() for frame in frames]
    buffers = [segmenter.frame_buffer(frame.shape) for frame in frames]
    for buffer, frame in zip(buffers, frames, strict=True):
        buffer[:] = frame
    return buffers


def stream(segmenter: Any, frames: list[Any], count: int) -> dict[str, float]:
    """The user's loop over `count` frames; the median of three."""
    rounds = []
    for _ in range(4):  # the first warms up
        before, begin, busy = segmenter.info, time.perf_counter(), time.process_time()
        outlines = 0
        for result in segmenter.stream(itertools.islice(itertools.cycle(frames), count)):
            outlines += len(result.polygons())
        wall, after = time.perf_counter() - begin, segmenter.info
        busy = time.process_time() - busy
        rounds.append(
            {
                "frames_per_second": count / wall,
                "processors": busy / wall,
                "processor_ms": 1e3 * busy / count,
                "fill": (after["frames"] - before["frames"]) / (after["batches"] - before["batches"]),
                "instances": outlines / count,
                "slow": after["slow_frames"] - before["slow_frames"],
                "allocations": after["device_allocations"] - before["device_allocations"],
                "captures": after["captures"] - before["captures"],
            }
        )
    return sorted(rounds[1:], key=lambda one: one["frames_per_second"])[1]


def latency(segmenter: Any, frames: list[np.ndarray], count: int) -> dict[str, float]:
    """`infer`, one at a time, with outlines; and the engine alone for one image in the same minute."""
    taken, alone, busy = [], [], time.process_time()
    for number, frame in enumerate(itertools.islice(itertools.cycle(frames), count + 50)):
        begin = time.perf_counter()
        segmenter.infer(frame).polygons()
        taken.append((time.perf_counter() - begin) * 1e3)
        if number % 100 == 0:
            alone.append(segmenter.network_ms(60, 1, segmenter.info["min_batch"]))
    p50, p99 = np.percentile(taken[50:], (50, 99))
    engine = statistics.median(alone)
    return {"p50": p50, "p99": p99, "engine": engine, "over": p50 - engine, "ratio": p99 / p50, "busy_s": busy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", nargs="*", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--heights", nargs="*", type=int, default=[1080], choices=SIZES)
    parser.add_argument("--kinds", nargs="*", default=list(USUAL_KINDS), choices=KINDS)
    parser.add_argument("--configurations", nargs="*", default=[""], help='such as "lanes=2,max_batch=16,slots=50"')
    parser.add_argument("--frames", type=int, default=3000, help="of each stream at 1080p and below")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    moving, report = rates(), []
    print(f"upload {moving['upload']} GB/s, one thread's copy {moving['host_copy']} GB/s")
    for name in options.engines:
        alone = limits(name, 400)
        best = max(alone.values())
        print(f"{name}: alone, images/s by lanes x batch: {alone}", flush=True)
        for height, configuration in itertools.product(options.heights, options.configurations):
            chosen = {key: int(value) for key, value in (pair.split("=") for pair in configuration.split(",") if pair)}
            frames = frames_of(height, 24 if height > 1080 else 48)
            count = options.frames // (4 if height > 1080 else 1)
            begin = time.perf_counter()
            with open_engine(name, **chosen) as segmenter:
                segmenter.infer(frames[0])
                start_s, info = time.perf_counter() - begin, segmenter.info
                setting = f"{name} {height} lanes={info['lanes']} batch={info['max_batch']} slots={info['slots']}"
                single = latency(segmenter, frames, 400)
                print(
                    f"  {setting}: open {start_s:.2f} s, infer p50 {single['p50']:.3f} = engine {single['engine']:.3f}"
                    f" {single['over']:+.3f}, p99/p50 {single['ratio']:.2f}",
                    flush=True,
                )
                for kind in options.kinds:
                    row = stream(segmenter, as_kind(frames, kind, segmenter), count)
                    upload = moving["upload"] * 1e9 / frames[0].size * 3 / BYTES.get(kind[:4], 3)
                    print(
                        f"    {kind:11} {row['frames_per_second']:7.1f} frames/s ="
                        f" {row['frames_per_second'] / best:.3f} of {best:.0f} (upload's limit {upload:.0f});"
                        f" {row['fill']:.1f} a batch,"
                        f" {row['processor_ms']:.2f} ms of processor a frame, {row['processors']:.1f} busy,"
                        f" {row['instances']:.1f} found, {row['slow']} slow, {row['allocations']} made",
                        flush=True,
                    )
                    report.append({"engine": name, "height": height, "kind": kind, "best": best, **chosen, **row})
                report.append({"engine": name, "height": height, "alone": alone, "infer": single, "gpu": info["gpu"]})
    print(f"{info['gpu']}, TensorRT {info['library_version']}")
    if options.json:
        options.json.write_text(json.dumps({"moving": moving, "rows": report}))


if __name__ == "__main__":
    main()
