"""Writes bilinear_torch.npz: what torch makes of a frame when it resizes by two taps and normalises.

Owns the choice of frames and sizes. Knows nothing of rfseg. Run it with any Python that has torch, on a processor with
AVX2 and at least two cores: with one thread, or where height + width of the result is 128 or less, torch takes another
path that rounds in another order. Case i is

    frame_i    [Hs, Ws, 3] uint8, RGB
    default_i  [3, Hn, Wn] float32, by the build of torch's kernel that has no fused multiply-add
    avx2_i     [3, Hn, Wn] float32, by the build that has it
"""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import numpy as np

CASES = [
    ((1, 1), (4, 125)),
    ((2, 3), (8, 121)),
    ((3, 2), (121, 8)),
    ((37, 53), (5, 124)),
    ((53, 37), (130, 2)),
    ((90, 160), (9, 120)),
    ((8, 91), (8, 131)),
    ((7, 129), (4, 129)),
    ((64, 64), (3, 126)),
    ((11, 300), (6, 123)),
    ((299, 7), (123, 6)),
    ((60, 5), (124, 5)),
]


def frames() -> list[np.ndarray]:
    """One frame of noise a case."""
    rng = np.random.default_rng(21)
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape, _ in CASES]


def torch_answers(capability: str) -> tuple[str, list[np.ndarray]]:
    """Torch's version and answers. It reads the environment when it is loaded, so this needs a process of its own."""
    os.environ["ATEN_CPU_CAPABILITY"] = capability
    import torch

    if torch.backends.cpu.get_cpu_capability().lower() != capability or torch.get_num_threads() < 2:
        raise SystemExit(f"this machine cannot give the {capability} answer: {torch.backends.cpu.get_cpu_capability()}")
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    answers = []
    for frame, (_, size) in zip(frames(), CASES, strict=True):
        unit = torch.from_numpy(frame).permute(2, 0, 1).contiguous().float().div(255)
        stretched = torch.nn.functional.interpolate(
            unit[None], size=size, mode="bilinear", align_corners=False, antialias=False
        )
        answers.append(((stretched[0] - mean) / std).numpy())
    return torch.__version__, answers


def main() -> None:
    """Asks both builds and writes the file beside this one."""
    arrays = {f"frame_{i}": frame for i, frame in enumerate(frames())}
    for capability in ("default", "avx2"):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            version, answers = pool.apply(torch_answers, (capability,))
        arrays |= {f"{capability}_{i}": answer for i, answer in enumerate(answers)}
    np.savez_compressed(Path(__file__).with_name("bilinear_torch.npz"), torch=np.array(version), **arrays)


if __name__ == "__main__":
    main()
