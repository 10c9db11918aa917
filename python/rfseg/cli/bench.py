"""`rfseg bench`: how fast a model runs here, and how much of the network's own speed is left.

Frames are decoded beforehand and no files are written: reading and drawing are not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import rfseg
from rfseg.cli.common import EXIT_OK, add_command, add_device, positive
from rfseg.cli.demo import CLIP
from rfseg.cli.frames import opened
from rfseg.sources import expand

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """What is measured, after a warm-up, on frames that were decoded beforehand:
  stream    frames/s of Segmenter.stream, from uint8 frames to masks and external polygons
  latency   ms of Segmenter.infer, one frame at a time, polygons included
  stages    ms of each stage within these single frames, median
  limit     frames/s that the network alone would give: 1 / its median time
  share     stream / limit; above 100 % where frames in flight overlap in the network

example:
  rfseg bench model.onnx clip.mp4 --frames 300 --json
"""
_WARM_UP = 5
_ROUNDS = 4  # stream and single frames take turns, so that a busy neighbour slows down both
_DISTINCT = 64  # decoded frames kept in memory and repeated: 400 MB at 1080p


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "bench", "measure frames/s, latency and the time of each stage", _EPILOG, run)
    parser.add_argument("model", metavar="MODEL", help="an .onnx file")
    parser.add_argument(
        "source", metavar="SOURCE", nargs="?", default=str(CLIP), help="its frames are used (the demo's)"
    )
    add_device(parser)
    parser.add_argument("--frames", type=positive, default=200, metavar="N", help="frames of each measurement (200)")
    parser.add_argument("--threads", type=positive, metavar="N", help="threads of the network on a CPU (all cores)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    frames = _decode(options.source, options.frames)
    with rfseg.Segmenter(
        options.model, device=options.device, threads=options.threads, outlines="external"
    ) as segmenter:
        report = _measure(segmenter, frames, options.frames)
        report = {**_setting(segmenter, options.source, frames), **report}
    print(json.dumps(report) if options.json else _text(report))
    return EXIT_OK


def _decode(source: str, wanted: int) -> list[NDArray[np.uint8]]:
    def complain(sentence: str) -> None:
        print(f"rfseg: {sentence}", file=sys.stderr)

    with opened(expand([source])[0], complain) as reading:
        frames = [frame.pixels for frame in islice(reading.frames, min(wanted, _DISTINCT))]
    if not frames:
        raise rfseg.InputError(f"{source} holds no frames")
    return frames


def _measure(segmenter: rfseg.Segmenter, frames: list[NDArray[np.uint8]], count: int) -> dict[str, Any]:
    for frame in islice(cycle(frames), _WARM_UP):
        segmenter.infer(frame)
    feed, seconds, instances, latencies, speeds = cycle(frames), 0.0, 0, [], []
    for rest in range(count, 0, -_round_of(count)):
        frames_of_round = list(islice(feed, min(rest, _round_of(count))))
        started = perf_counter()
        instances += sum(len(result) for result in segmenter.stream(frames_of_round))
        seconds += perf_counter() - started
        for frame in frames_of_round:
            started = perf_counter()
            result = segmenter.infer(frame)
            latencies.append((perf_counter() - started) * 1e3)
            speeds.append(result.speed)
    rate = count / seconds
    stages = {stage: float(np.median([speed[stage] for speed in speeds])) for stage in speeds[0]}
    limit = 1e3 / stages["network"]
    p50, p90, p99 = (round(float(value), 3) for value in np.percentile(latencies, (50, 90, 99)))
    return {
        "frames": count,
        "instances_per_frame": round(instances / count, 2),
        "stream_frames_per_second": round(rate, 2),
        "latency_ms": {"p50": p50, "p90": p90, "p99": p99},
        "stages_ms": {stage: round(median, 3) for stage, median in stages.items()},
        "network_limit_frames_per_second": round(limit, 2),
        "share_of_network_limit": round(rate / limit, 4),
    }


def _round_of(count: int) -> int:
    return -(-count // _ROUNDS)


def _setting(segmenter: rfseg.Segmenter, source: str, frames: list[NDArray[np.uint8]]) -> dict[str, Any]:
    return {
        "source": source,
        "frame_size": list(frames[0].shape[:2]),
        "model": segmenter.info,
        "machine": {"processor": _processor(), "threads": _threads(), "system": platform.platform()},
        "versions": {"rfseg": rfseg.__version__, "python": platform.python_version(), "numpy": np.__version__},
    }


def _text(report: dict[str, Any]) -> str:
    info, machine, versions, latency = (report[key] for key in ("model", "machine", "versions", "latency_ms"))
    height, width = report["frame_size"]
    stages = ", ".join(f"{stage} {median:.2f}" for stage, median in report["stages_ms"].items())
    backend = f"{info['backend']} {info['library_version']}, {info['precision']}, on {info['device']}"
    return "\n".join(
        (
            f"machine  {machine['processor']}, {machine['threads']} threads, {machine['system']}",
            f"versions {', '.join(f'{name} {version}' for name, version in versions.items())}",
            f"model    {info['model']}, {backend}",
            f"frames   {report['frames']} of {report['source']}, {width}x{height},"
            f" {report['instances_per_frame']} instances a frame, polygons included, decoded beforehand",
            f"stream   {report['stream_frames_per_second']:.1f} frames/s",
            f"latency  p50 {latency['p50']:.2f}, p90 {latency['p90']:.2f}, p99 {latency['p99']:.2f} ms (one at a time)",
            f"stages   {stages} ms (median, one at a time)",
            f"limit    {report['network_limit_frames_per_second']:.1f} frames/s for the network alone",
            f"share    {100 * report['share_of_network_limit']:.1f} % of that limit",
        )
    )


def _processor() -> str:
    """platform.processor() is empty on most Linux systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _threads() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
