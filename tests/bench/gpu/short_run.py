"""A few frames through everything that runs on the GPU, for tools that make it a hundred times slower.

Both sides of Pillow's pass order, bilinear, host and device frames, a frame by the slower path; each result is compared
with the host's stages, so that a run that found nothing to check fails. Example:

    compute-sanitizer --tool memcheck python tests/bench/gpu/short_run.py ENGINE
"""

from __future__ import annotations

import argparse

import numpy as np

import rfseg


def blobs(height: int, width: int, seed: int) -> np.ndarray:
    """Flat discs on noise: a trained network finds something in them. uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / min(height, width)
    frame = rng.integers(100, 140, (height, width, 3), dtype=np.uint8)
    for _ in range(6):
        cx, cy = rng.uniform(0.1, 0.9) * width / min(height, width), rng.uniform(0.1, 0.9) * height / min(height, width)
        frame[(x - cx) ** 2 + (y - cy) ** 2 < rng.uniform(0.05, 0.15) ** 2] = rng.integers(0, 256, 3)
    return frame


def check(segmenter: rfseg.Segmenter, frames: list[np.ndarray]) -> int:
    """Streams frames and compares; returns how many instances were compared."""
    instances = 0
    for frame, result in zip(frames, list(segmenter.stream(frames)), strict=True):
        columns, network_input, *tensors = segmenter._core.infer_with_tensors(frame)
        expected = segmenter._result(segmenter._core.postprocess_tensors(*tensors, frame.shape[:2]))
        assert segmenter._result(columns).masks.coco() == result.masks.coco() == expected.masks.coco()
        assert result.xyxy.tobytes() == expected.xyxy.tobytes()
        assert result.polygons() is not None
        assert np.isfinite(network_input).all()
        instances += len(result)
    return instances


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine")
    options = parser.parse_args()
    frames = [blobs(360, 640, 1), blobs(640, 427, 2), blobs(360, 640, 3)]
    instances = 0
    for resize in ("pil", "bilinear"):
        with rfseg.Segmenter(
            options.engine, device="cuda", slots=2, threshold=0.05, resize=resize, allow_engine_code=True
        ) as segmenter:
            found = check(segmenter, frames if resize == "pil" else frames[:1])
            if resize == "pil":
                wide = np.repeat(frames[0][::8], 200, axis=1)
                found += check(segmenter, [wide[:, :100_000]])
            print(
                f"{resize}: {found} instances compared, {segmenter.info['slow_frames']} by the slower path", flush=True
            )
            instances += found
    assert instances > 0, "nothing was compared"
    print("short run done", flush=True)


if __name__ == "__main__":
    main()
