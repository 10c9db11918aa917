"""Do frames of random sizes, formats and batches stay right, and memory, threads and files as they were?

Streams and lists of random views of the clips' frames, each compared with what the host's stages make of the network's
answers for it, every n-th frame; and the memory of 16 frames in flight at 4K. Example:

    RFSEG_TEST_ENGINES=engines RFSEG_TEST_VIDEOS=videos python tests/bench/soak_gpu.py --frames 100000
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import psutil
from gpu.material import frames_of, open_engine


def device_bytes() -> int:
    """In use on the current device, by everybody."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return total - free


def memory_at_4k() -> None:
    """16 frames in flight, nano, 3840x2160."""
    frame = frames_of(2160, 1)[0]
    own = psutil.Process()
    device, resident = device_bytes(), own.memory_info().rss
    with open_engine("dynamic", slots=16) as segmenter:
        opened, opened_resident = device_bytes(), own.memory_info().rss
        for _ in segmenter.stream([frame] * 64):
            pass
        full, full_resident = device_bytes(), own.memory_info().rss
    print(
        f"nano, 16 in flight at 4K: {(full - device) / 1e9:.2f} GB on the device ({(opened - device) / 1e9:.2f} once"
        f" opened), host {(full_resident - resident) / 1e9:.2f} GB (pinned at most"
        f" {(full_resident - opened_resident) / 1e9:.2f} and what opening pins)"
    )


def view_of(frames: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """A random cut of a random frame, with strides of any sign."""
    frame = frames[random.integers(len(frames))]
    height, width = (int(random.integers(2, size + 1)) for size in frame.shape[:2])
    top, left = (
        int(random.integers(0, size - cut + 1)) for size, cut in zip(frame.shape, (height, width), strict=False)
    )
    view = frame[top : top + height, left : left + width]
    return (view, view[::-1], view[:, ::-1], np.ascontiguousarray(view))[random.integers(4)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--engine", default="dynamic")
    options = parser.parse_args()
    import torch

    torch.cuda.init()
    memory_at_4k()
    random, own = np.random.default_rng(5), psutil.Process()
    frames = [frame for height in (720, 176) for frame in frames_of(height, 12)] + frames_of(1080, 6)
    compared = instances = done = 0
    with open_engine(options.engine) as segmenter:
        largest = [frames[-1]] * (3 * segmenter.info["slots"])
        for _ in segmenter.stream(largest):
            pass
        for _ in range(8 * segmenter.info["lanes"]):  # each lane makes a buffer to read the network's answers into
            segmenter._core.infer_with_tensors(largest[:8])
        before, start = segmenter.info, time.perf_counter()
        usage = (own.memory_info().rss, device_bytes(), own.num_threads(), own.num_fds())
        resident = []  # at tenths of the way
        while done < options.frames:
            if done * 10 >= options.frames * len(resident):
                resident.append(round((own.memory_info().rss - usage[0]) / 1e6))
            batch = [view_of(frames, random) for _ in range(int(random.integers(1, 40)))]
            for result in segmenter.stream(batch):
                instances += len(result)
            done += len(batch)
            if random.integers(12) == 0:
                some = batch[: int(random.integers(1, 9))]
                for view, (columns, _input, *tensors) in zip(
                    some, segmenter._core.infer_with_tensors(some), strict=True
                ):
                    found = segmenter._result(columns)
                    right = segmenter._result(segmenter._core.postprocess_tensors(*tensors, view.shape[:2]))
                    assert found.masks.coco() == right.masks.coco()
                    assert found.xyxy.tobytes() == right.xyxy.tobytes()
                    assert found.confidence.tobytes() == right.confidence.tobytes()
                    compared += 1
                done += len(some)
        after = segmenter.info
        now = (own.memory_info().rss, device_bytes(), own.num_threads(), own.num_fds())
    assert compared > options.frames / 200
    print(
        f"{done} frames in {time.perf_counter() - start:.0f} s, {compared} compared, {instances} instances; resident"
        f" {(now[0] - usage[0]) / 1e6:+.1f} MB (by tenths {resident}), device {(now[1] - usage[1]) / 1e6:+.1f} MB,"
        f" threads {now[2] - usage[2]:+d}, files {now[3] - usage[3]:+d};"
        f" captures {after['captures'] - before['captures']},"
        f" allocations {after['device_allocations'] - before['device_allocations']},"
        f" slow {after['slow_frames'] - before['slow_frames']}"
    )


if __name__ == "__main__":
    main()
