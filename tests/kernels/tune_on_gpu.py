"""Times the kernels with other block sizes than abi.py's, on a GPU with triton: run by hand.

    python tests/kernels/tune_on_gpu.py [--stage resize|select|mask]

One line a variant, with the median microseconds of each kernel of the stage on its main cases. It decides nothing: the
sizes in abi.py do.
"""

# ruff: noqa: E402 - a script has to say where its packages are

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from triton_kernels import abi, image_file, signatures
from triton_kernels.build import BuildError, assemble, compile_ptx

from kernels.batches import asked_of_scene, postprocess_launches
from kernels.cuda_device import CudaDevice, CudaError
from kernels.scenes import HD, frame_of
from kernels.stages import preprocess_launches, preprocess_members

STAGES = {"resize": ("resize_first", "resize_last"), "select": ("select",), "mask": ("mask_count", "mask_runs")}


@dataclass(frozen=True)
class Variant:
    """Constants of abi.py to replace, warps, and a thread's most registers (0: any; None: as shipped)."""

    sizes: dict[str, int]
    warps: int = 4
    registers: int | None = None


def variants(stage: str) -> Iterator[Variant]:
    """What is tried."""
    if stage == "resize":
        for across in (128, 256):
            for down in (128, 256, 512):
                for programs, registers in ((6, 80), (8, 64), (10, 48), (16, 64)):
                    sizes = {"ACROSS_BYTES": across, "DOWN_BYTES": down, "RESIZE_PROGRAMS_PER_SM": programs}
                    yield Variant(sizes, registers=registers)
    elif stage == "select":
        for pairs in (2048, 4096, 8192, 16384):
            for warps in (8, 16, 32):
                yield Variant({"SELECT_PAIRS": pairs}, warps)
    else:
        for columns in (16, 32, 64):
            for cells in (8, 16, 32):
                for warps, programs, registers in ((4, 8, 0), (8, 4, 0)):
                    sizes = {"MASK_COLUMNS": columns, "MASK_CELLS": cells, "MASK_PROGRAMS_PER_SM": programs}
                    yield Variant(sizes, warps, registers)


def compiled(name: str, stage: str, variant: Variant, cache: Path) -> image_file.Image:
    """The kernel with other sizes, assembled from PTX of 8.0 for 9.0: change this on another GPU."""
    kernel = signatures.KERNELS[name]
    sizes = {size.removeprefix(stage.upper() + "_"): value for size, value in variant.sizes.items()}
    constants = {constant: sizes.get(constant, value) for constant, value in kernel.constants.items()}
    registers = kernel.registers if variant.registers is None else variant.registers
    changed = dataclasses.replace(kernel, constants=constants, warps=variant.warps, registers=registers)
    return assemble(compile_ptx(name, changed, cache), 90)


def times_us(device: CudaDevice, stage: str) -> list[float]:
    """Of the stage's kernels for nano, of one and of eight 1080p frames; masks: ten objects, then a large one."""
    times = []
    for frames in (1, 8):
        if stage == "resize":
            images = [preprocess_members(device, frame_of(*HD), (312, 312)) for _ in range(frames)]
            grid = abi.resize_grid(device.multiprocessors)
            chains = [preprocess_launches(device, images, (312, 312), True, "pil", grid)[0]]
        else:
            chains = [
                postprocess_launches(
                    device, [asked_of_scene("nano", HD, *objects)] * frames, abi.mask_grid(device.multiprocessors)
                )[0]
                for objects in ((10, 300), (1, 0))
            ]
        for launches in chains:
            for launch in launches:
                device.launch(launch)
            # The last first: mask_count adds to what select cleared, and mask_runs needs its sums.
            timed = [launch for launch in reversed(launches) if launch.kernel in STAGES[stage]]
            times += [device.time_us([launch], 100)[0] for launch in timed][::-1]
    return times


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=STAGES, nargs="+", default=list(STAGES))
    with tempfile.TemporaryDirectory() as cache:
        every = [compile_ptx(name, kernel, Path(cache)) for name, kernel in signatures.KERNELS.items()]
        device = CudaDevice([assemble(ptx, 90) for ptx in every])
        for stage in parser.parse_args().stage:
            shipped = dict(device.loaded)
            for variant in [Variant({}, signatures.KERNELS[STAGES[stage][0]].warps), *variants(stage)]:
                before = {size: getattr(abi, size) for size in variant.sizes}
                vars(abi).update(variant.sizes)  # the grid formulas read them
                try:
                    for name in STAGES[stage]:
                        device.loaded[name] = device.load(compiled(name, stage, variant, Path(cache)))
                    took = [round(time, 2) for time in times_us(device, stage)]
                    print(f"{'+'.join(STAGES[stage])}: {took} us {variant}", flush=True)
                except (BuildError, CudaError) as error:
                    print(f"{stage}: {variant}: {error}", flush=True)
                vars(abi).update(before)
            device.loaded = shipped


if __name__ == "__main__":
    main()
