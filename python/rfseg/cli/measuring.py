"""Times one open model on frames in memory. Knows nothing of files, arguments and printing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rfseg.segmenter import Segmenter

Frames = Sequence[NDArray[np.uint8]]

_WARM_UP = 5
_NETWORK_RUNS = 100  # at most, in each round
_ROUNDS = 4  # stream, single frames and network take turns, so that a busy neighbour slows down all of them


@dataclass(slots=True)
class Times:
    """What the rounds gave.

    Attributes:
        network_ms: {(executions at once, images of each): milliseconds an image, of each round}.
    """

    rates: list[float] = field(default_factory=list)
    busy_s: list[float] = field(default_factory=list)
    batch_fill: list[float] = field(default_factory=list)
    instances: int = 0
    network_ms: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    speeds: list[dict[str, float]] = field(default_factory=list)
    bytes_back: list[int] = field(default_factory=list)


def measure(segmenter: Segmenter, frames: Frames, count: int, *, latency: bool = True) -> dict[str, Any]:
    """Streams `count` frames, again and again the given ones, and times the network alone in the same minute.

    Args:
        segmenter: idle; it should trace outlines itself, or they are not measured.
        frames: uint8 [H, W, 3] each.
        count: frames of each measurement.
        latency: also runs as many frames one at a time.

    Returns:
        A JSON object: `slots`, `lanes`, `max_batch`, `frames`, `frames_per_batch`, `processor_ms_per_frame` (of all
        threads), `instances_per_frame`, `stream_frames_per_second`, `network_ms` an image and `share_of_network_limit`
        by "executions at once x images of each", `slow_frames`, `allocations` (device and pinned buffers made
        after the warm-up), `module_loads` (kernel images loaded after it); with `latency` also `latency_ms`,
        `stages_ms` and `bytes_per_frame`.
    """
    info = segmenter.info
    slots, alone = info["slots"], (1, info["min_batch"])
    times = Times(network_ms={alone: [], (info["lanes"], info["max_batch"]): []})
    for _ in segmenter.stream(islice(cycle(frames), _WARM_UP + 2 * slots)):
        pass
    before = segmenter.info
    feed, size = cycle(frames), -(-count // _ROUNDS)
    for rest in range(count, 0, -size):
        _round(segmenter, list(islice(feed, min(rest, size))), times, latency)
    after = segmenter.info
    rate = median(times.rates)
    network_ms = {f"{lanes}x{batch}": median(rounds) for (lanes, batch), rounds in times.network_ms.items()}
    report = {
        "slots": slots,
        "lanes": info["lanes"],
        "max_batch": info["max_batch"],
        "frames": count,
        "frames_per_batch": round(median(times.batch_fill), 2),
        "processor_ms_per_frame": round(1e3 * median(times.busy_s), 3),
        "instances_per_frame": round(times.instances / count, 2),
        "stream_frames_per_second": round(rate, 2),
        "network_ms": {contexts: round(ms, 4) for contexts, ms in network_ms.items()},
        "share_of_network_limit": {contexts: round(rate * ms / 1e3, 4) for contexts, ms in network_ms.items()},
        "slow_frames": after["slow_frames"] - before["slow_frames"],
        "allocations": after["device_allocations"] - before["device_allocations"],
        "module_loads": after["module_loads"] - before["module_loads"],
    }
    if latency:
        report |= _one_at_a_time(times, frames, network_ms[f"1x{alone[1]}"], bool(info["gpu"]))
    return report


def _round(segmenter: Segmenter, frames: Frames, times: Times, latency: bool) -> None:
    before, started, busy = segmenter.info, perf_counter(), process_time()
    found = sum(len(result) for result in segmenter.stream(frames))
    times.rates.append(len(frames) / (perf_counter() - started))
    times.busy_s.append((process_time() - busy) / len(frames))
    after = segmenter.info
    times.batch_fill.append((after["frames"] - before["frames"]) / (after["batches"] - before["batches"]))
    times.instances += found
    for frame in frames if latency else ():
        started = perf_counter()
        result = segmenter.infer(frame)
        times.latencies_ms.append((perf_counter() - started) * 1e3)
        times.speeds.append(dict(result.speed))
        times.bytes_back.append(segmenter.info["bytes_back"])
    for (lanes, batch), rounds in times.network_ms.items():
        rounds.append(segmenter.network_ms(min(len(frames), _NETWORK_RUNS), lanes, batch))


def _one_at_a_time(times: Times, frames: Frames, network_ms: float, on_gpu: bool) -> dict[str, Any]:
    p50, p90, p99 = (float(value) for value in np.percentile(times.latencies_ms, (50, 90, 99)))
    latency_ms = {"p50": p50, "p90": p90, "p99": p99, "p50_over_network": p50 - network_ms}
    stages = {stage: median(speed[stage] for speed in times.speeds) for stage in times.speeds[0]}
    report: dict[str, Any] = {
        "latency_ms": {name: round(value, 3) for name, value in latency_ms.items()},
        "stages_ms": {stage: round(value, 3) for stage, value in stages.items()},
    }
    if on_gpu:
        report["bytes_per_frame"] = {
            "up": max(frame.size for frame in frames),
            "back": int(median(times.bytes_back)),
            "back_most": max(times.bytes_back),
        }
    return report
