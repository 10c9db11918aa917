"""Checks the compiled kernels on a GPU at the sizes they are for, and times them: run by hand, not by pytest.

    python -m triton_kernels.build --out DIR && python tests/kernels/run_on_gpu.py --kernels DIR

Needs NumPy and a driver, and OpenCV for the last masks, which it draws. Each section runs in a process of its own, so
that one that breaks the context does not take the others with it. Exits 1 when anything differs.
"""

# ruff: noqa: E402 - a script has to say where its packages are

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import traceback
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from triton_kernels import abi, image_file

from kernels.batches import chain
from kernels.cuda_device import CudaDevice
from kernels.gpu_checks import SECTIONS
from kernels.planar import random_planar
from kernels.report import Report
from kernels.scenes import HD, UHD, frame_of
from kernels.stages import (
    Launch,
    gather_launch,
    gather_rows_launch,
    preprocess_launches,
    preprocess_members,
)


def print_times(device: CudaDevice, what: str, launches: list[Launch]) -> None:
    """The time of all in a row, of what is before and behind the network, and of each by itself.

    Each after the chain has run once, the last first: mask_count adds to what select cleared, and mask_runs needs the
    sums of one run.
    """
    parts = {"all": launches, "before": launches[:-3], "behind": launches[-3:]} if len(launches) > 3 else {}
    parts |= {launch.kernel: [launch] for launch in reversed(launches)}
    for launch in launches:
        device.launch(launch)
    for name, part in parts.items():
        median, late = device.time_us(part)
        grid = f"grid {part[0].grid}" if len(part) == 1 else ""
        print(f"  time    {what:36s} {name:16s} {median:8.2f} us  p90 {late:8.2f}  {grid}", flush=True)


def time_planes(device: CudaDevice, size: tuple[int, int]) -> None:
    """The resizes of a packed frame and of frames of planes, both ways round; packing the planes of nv12."""
    programs = abi.resize_grid(device.multiprocessors)
    for shape in (size, size[::-1]):
        frames = {"packed": frame_of(*shape)} | {name: random_planar(name, *shape) for name in ("nv12", "i420", "p010")}
        for what, frame in frames.items():
            for resize in ("pil", "bilinear") if what in ("packed", "nv12") else ("pil",):
                images = [preprocess_members(device, frame, (312, 312), True, resize)]
                launches, _ = preprocess_launches(device, images, (312, 312), True, resize, programs)
                print_times(device, f"{what} {shape} -> 312 {resize}", launches)
    padded = [np.zeros((rows, 4096), np.uint8)[:, : size[1]] for rows in (size[0], size[0] // 2)]
    print_times(device, f"nv12 {size}, two planes", [gather_rows_launch(device, rows, programs)[0] for rows in padded])


def time_all(device: CudaDevice, _: Report) -> None:
    """The chains around the network by replays of graphs, at batch 1 and 8; bilinear; planes; gather."""
    programs = abi.resize_grid(device.multiprocessors)
    for size in (HD, UHD, (1280, 720)):
        for network in ("nano", "2xlarge"):
            for frames in (1, 8):
                what = f"{size} -> {network} x{frames}"
                print_times(device, what, chain(device, [frame_of(*size)] * frames, network, device.multiprocessors))
        for frames in (1, 8):
            images = [preprocess_members(device, frame_of(*size), (312, 312), True, "bilinear") for _ in range(frames)]
            launches, _ = preprocess_launches(device, images, (312, 312), True, "bilinear", programs)
            print_times(device, f"{size} -> 312 x{frames}", launches)
        time_planes(device, size)
        print_times(device, f"{size}", [gather_launch(device, frame_of(*size)[::-1], programs)[0]])
    # A batch of eight with one image: what the entries that are not there cost.
    images = [preprocess_members(device, frame_of(*HD), (312, 312)), *[None] * 7]
    print_times(device, "one of eight", preprocess_launches(device, images, (312, 312), True, "pil", programs)[0])


def run_section(name: str, kind: str, file: Path) -> int:
    """One section in this process."""
    report = Report()
    device = CudaDevice(image_file.read(file.read_bytes()), kind)
    where = f"{device.name}, cc {device.capability}, {device.multiprocessors} SMs"
    print(f"== {name} from {kind} images on {where}", flush=True)
    began = time.monotonic()
    try:
        (time_all if name == "times" else SECTIONS[name])(device, report)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        report.failures += 1
    took = time.monotonic() - began
    print(f"== {name}: {report.checks} checks, {report.failures} failures, {took:.0f} s", flush=True)
    return int(report.failures > 0 or (report.checks == 0 and name != "times"))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", type=Path, required=True, help="folder or file of kernels.bin")
    parser.add_argument("--section", choices=[*SECTIONS, "times"], help="only this one, in this process")
    parser.add_argument("--kind", choices=abi.IMAGE_KINDS, default="cubin")
    arguments = parser.parse_args()
    file = arguments.kernels / "kernels.bin" if arguments.kernels.is_dir() else arguments.kernels
    if arguments.section:
        return run_section(arguments.section, arguments.kind, file)
    runs = [("times", "cubin"), *((name, "cubin") for name in SECTIONS), ("batches", "ptx"), ("select", "ptx")]
    failed = []
    for name, kind in runs:
        command = [sys.executable, __file__, "--kernels", str(file), "--section", name, "--kind", kind]
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(f"{name} from {kind}")
    print(f"summary: {len(runs)} sections, failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
