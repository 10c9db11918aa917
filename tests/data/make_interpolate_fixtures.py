"""Writes interpolate_torch.npz: where torch's own upsampling of mask logits is above 0.

Owns the choice of grids and sizes. Knows nothing of rfseg. Run it with any Python that has torch. Case i is

    logits_i     [Hm, Wm] float32
    size_i       [2] int64, height and width of the source
    positive_i   packed bits of interpolate(logits, size) > 0, row-major
    near_zero_i  int32, flat indices of the pixels with |value| < 1e-5, the only ones where an answer may differ
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

NEAR_ZERO = 1e-5


def blob(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Logits of a wavy round object."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    dy, dx = y - shape[0] * rng.uniform(0.3, 0.7), x - shape[1] * rng.uniform(0.3, 0.7)
    radius = min(shape) * rng.uniform(0.1, 0.3) * (1 + 0.2 * np.sin(5 * np.arctan2(dy, dx)))
    return 2 * (radius - np.hypot(dy, dx)) + rng.normal(0, 0.3, shape)


def grids(rng: np.random.Generator) -> list[tuple[np.ndarray, tuple[int, int]]]:
    """Grids with the source size each is stretched to."""
    y, x = np.mgrid[:78, :78]
    return [
        (blob(rng, (78, 78)), (1080, 1920)),
        (blob(rng, (108, 108)), (720, 1280)),
        (blob(rng, (192, 192)), (2160, 3840)),
        (rng.normal(0, 3, (78, 78)), (480, 640)),
        (rng.normal(0, 3, (20, 33)), (301, 177)),
        (rng.normal(0, 3, (96, 96)), (40, 500)),
        (rng.normal(0, 3, (78, 78)), (2, 3)),
        (rng.normal(0, 3, (78, 78)), (78, 78)),
        # Neighbours that cancel half-way. A pixel's centre lies there when size / grid is an odd number of halves.
        (rng.choice([-1.0, 1.0], (26, 26)), (65, 91)),
        ((-1.0) ** (x + y), (195, 273)),
        (np.where((y // 3) % 2 == 0, 1.0, -1.0) / 3, (1053, 1920)),
        (np.round(rng.normal(0, 1, (30, 30))) / 3, (450, 270)),
    ]


def main() -> None:
    """Computes every case and writes the file beside this one."""
    arrays: dict[str, np.ndarray] = {}
    for i, (values, size) in enumerate(grids(np.random.default_rng(34))):
        logits = values.astype(np.float32)
        stretched = torch.nn.functional.interpolate(
            torch.from_numpy(logits)[None, None], size=size, mode="bilinear", align_corners=False
        )[0, 0].numpy()
        arrays[f"logits_{i}"] = logits
        arrays[f"size_{i}"] = np.array(size)
        arrays[f"positive_{i}"] = np.packbits(stretched > 0)
        arrays[f"near_zero_{i}"] = np.flatnonzero(np.abs(stretched) < NEAR_ZERO).astype(np.int32)
        print(f"{logits.shape} to {size}: {arrays[f'near_zero_{i}'].size} of {stretched.size} pixels near zero")
    np.savez_compressed(Path(__file__).with_name("interpolate_torch.npz"), torch=torch.__version__, **arrays)


if __name__ == "__main__":
    main()
