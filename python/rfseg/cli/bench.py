"""`rfseg bench`: how fast a model runs here, and how much of the network's own speed is left.

Frames are decoded beforehand and no files are written: reading and drawing are not measured.
"""

from __future__ import annotations

import argparse
import json
import platform
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import rfseg
from rfseg.cli.common import EXIT_OK, add_command, add_max_pixels, add_model_options, model_options, positive
from rfseg.cli.demo import CLIP
from rfseg.cli.frames import Choice, opened
from rfseg.cli.measuring import measure
from rfseg.cli.stages import PROCESSORS
from rfseg.printable import printable, without_secrets
from rfseg.sources import expand
from rfseg.terminal import answer, say

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """What is measured, after a warm-up, on frames that were decoded beforehand:
  start     ms until the model was open and the first frame was done
  stream    frames/s of Segmenter.stream, from uint8 frames to masks and external polygons
  network   frames/s of the network alone, taken in the same minute; on a GPU also of several contexts at once
  share     stream / network; above 100 % where frames in flight overlap in the network
  latency   ms of Segmenter.infer, one frame at a time, polygons included
  stages    ms of each stage within these single frames, median; on a GPU `network` is its whole time on the frame
  gpu       ms of a single frame's graph: the network and rfseg's kernels around it
  bytes     moved to the GPU and back for a frame
  made      on the GPU after the warm-up: nothing should be

example:
  rfseg bench model.engine clip.mp4 --slots 1,2,4,8 --json
"""
_DISTINCT = 64  # decoded frames kept in memory and repeated: 400 MB at 1080p


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "bench", "measure frames/s, latency and the time of each stage", _EPILOG, run)
    parser.add_argument("model", metavar="MODEL", help="an .onnx file or a TensorRT engine")
    parser.add_argument(
        "source", metavar="SOURCE", nargs="?", default=str(CLIP), help="its frames are used (the demo's)"
    )
    add_model_options(parser)
    add_max_pixels(parser)
    parser.add_argument("--frames", type=positive, metavar="N", help="frames of each measurement (200; on a GPU 2000)")
    parser.add_argument("--slots", type=_numbers, metavar="N,...", help="frames in flight, one row each (the default)")
    parser.add_argument("--threads", type=positive, metavar="N", help="threads, as Segmenter takes them")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    frames = _decode(options)
    report: dict[str, Any] = {"streams": []}
    for slots in options.slots or (None,):
        started = perf_counter()
        with rfseg.Segmenter(
            options.model,
            threads=options.threads,
            slots=slots,
            outlines="external",
            **model_options(options),
        ) as segmenter:
            segmenter.infer(frames[0])
            start_ms = (perf_counter() - started) * 1e3
            first = not report["streams"]
            count = options.frames or (2000 if segmenter.device.startswith("cuda") else 200)
            row = measure(segmenter, frames, count, latency=first)
            if first:
                report = {**_setting(segmenter, options.source, frames), "start_ms": round(start_ms, 1), **report}
            report["streams"].append(row)
    for line in [json.dumps(report)] if options.json else _text(report).splitlines():
        answer(line)
    return EXIT_OK


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(positive(part.strip()) for part in text.split(","))


def _decode(options: argparse.Namespace) -> list[NDArray[np.uint8]]:
    wanted = min(options.frames or _DISTINCT, _DISTINCT)
    with opened(expand([options.source])[0], _complain, Choice(max_pixels=options.max_pixels)) as reading:
        frames = [frame.pixels for frame in islice(reading.frames, wanted)]
    if not frames:
        raise rfseg.InputError(f"{printable(without_secrets(options.source))} holds no frames")
    return frames


def _complain(sentence: str) -> None:
    say(f"rfseg: {sentence}")


def _setting(segmenter: rfseg.Segmenter, source: str, frames: list[NDArray[np.uint8]]) -> dict[str, Any]:
    return {
        "source": printable(without_secrets(source)),
        "frame_size": list(frames[0].shape[:2]),
        "model": segmenter.info,
        "machine": {"processor": _processor(), "threads": PROCESSORS, "system": platform.platform()},
        "versions": {"rfseg": rfseg.__version__, "python": platform.python_version(), "numpy": np.__version__},
    }


def _text(report: dict[str, Any]) -> str:
    info, machine, versions, first = (*(report[key] for key in ("model", "machine", "versions")), report["streams"][0])
    height, width = report["frame_size"]
    latency, stages = first["latency_ms"], (f"{stage} {ms:.2f}" for stage, ms in first["stages_ms"].items())
    gpu = f" ({info['gpu']})" if info["gpu"] else ""
    lines = [
        f"machine  {machine['processor']}, {machine['threads']} threads, {machine['system']}",
        f"versions {', '.join(f'{name} {version}' for name, version in versions.items())}",
        f"model    {info['model']}, {info['backend']} {info['library_version']}, {info['precision']},"
        f" on {info['device']}{gpu}",
        f"frames   {first['frames']} of {report['source']}, {width}x{height},"
        f" {first['instances_per_frame']} instances a frame, polygons included, decoded beforehand",
        f"start    {report['start_ms']:.0f} ms until the first frame was done",
        *map(_stream_line, report["streams"]),
        f"latency  p50 {latency['p50']:.2f}, p90 {latency['p90']:.2f}, p99 {latency['p99']:.2f} ms (one at a time);"
        f" p50 is the network + {latency['p50_over_network']:.2f} ms",
        f"stages   {', '.join(stages)} ms (median, one at a time)",
    ]
    if "bytes_per_frame" in first:
        moved = first["bytes_per_frame"]
        graph_ms, network_ms = first["stages_ms"]["network"], next(iter(first["network_ms"].values()))
        lines += [
            f"gpu      {graph_ms:.3f} ms a frame, {graph_ms - network_ms:.3f} more than the network alone",
            f"bytes    {moved['up']:,} up, {moved['back']:,} back (median; {moved['back_most']:,} at most)",
            f"made     {first['allocations']} device or pinned buffers, {first['module_loads']} kernel images after the"
            f" warm-up; {first['slow_frames']} frames took the host's stages",
        ]
    return "\n".join(lines)


def _stream_line(row: dict[str, Any]) -> str:
    shares = (
        f"{100 * share:.1f} % of the network alone ({1e3 / row['network_ms'][way]:.1f} as {way})"
        for way, share in row["share_of_network_limit"].items()
    )
    slow = f"; {row['slow_frames']} frames took the slower path" if row["slow_frames"] else ""
    slots = f"{row['slots']} slot{'' if row['slots'] == 1 else 's'}"
    batches = f", {row['frames_per_batch']} frames a batch" if row["max_batch"] > 1 else ""
    return (
        f"stream   {row['stream_frames_per_second']:.1f} frames/s with {slots}{batches}: {', '.join(shares)};"
        f" {row['processor_ms_per_frame']:.2f} ms of processor time a frame{slow}"
    )


def _processor() -> str:
    """platform.processor() is empty on most Linux systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
