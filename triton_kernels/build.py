"""Compiles every kernel for every supported GPU: `python -m triton_kernels.build --out DIR` in the repository's root.

Writes kernels.bin, manifest.json (for people) and kernel_abi.hpp. Needs triton, no GPU, no CUDA toolkit and no
compiler; the same bytes come out in every directory. Owns the compilation and its checks; signatures.py says what is
compiled.

Triton runs once a kernel, for compute capability 8.0. The PTX it emits uses nothing newer, so the same text is
assembled for each capability and shipped itself for those to come: all GPUs run the same arithmetic, and no image is
tied to one chip as those for sm_90a are. Another version of Triton gives other bytes, so only the pinned one is taken.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from triton_kernels import image_file, signatures
from triton_kernels.cpp_header import cpp_header

TRITON_VERSION = "3.6.0"  # as pyproject.toml pins it
PTX_CAPABILITY = 80
PTX_VERSION = 80  # 8.0: any driver from R525 on
CAPABILITIES = (80, 86, 87, 89, 90, 100, 120)

CONTRACTABLE = re.compile(
    r"\b(?:mul|add|sub|mad|fma)(?:\.ftz)?\.f32|\bfma\.rn|\.ftz|\b(?:div|rcp|sqrt)\.(?:approx|full)"
)


class BuildError(Exception):
    """What is asked for cannot be built here, or a compiled image is not what abi.py says."""


def require_triton() -> None:
    """Imports Triton.

    Raises:
        BuildError: there is none, or it is not the pinned version.
    """
    try:
        from triton import __version__ as found
    except ModuleNotFoundError:
        found = "not installed"
    if found != TRITON_VERSION:
        raise BuildError(
            f"triton is {found}, but only {TRITON_VERSION} gives the same images, byte for byte: "
            f"pip install triton=={TRITON_VERSION}"
        )


def compile_ptx(name: str, kernel: signatures.Kernel, cache: Path) -> image_file.Image:
    """Runs Triton.

    Raises:
        BuildError: it is not the pinned version, or the kernel needs scratch memory or a cluster, or its arithmetic
            could be changed by an assembler.
    """
    os.environ.update(TRITON_CACHE_DIR=str(cache), TRITON_DISABLE_LINE_INFO="1", TRITON_INTERPRET="0")
    require_triton()  # which reads the environment when it is imported
    import triton
    from triton.backends.compiler import GPUTarget

    function = getattr(importlib.import_module(f"triton_kernels.{kernel.module}"), kernel.function)
    signature = {argument.name: argument.type for argument in kernel.arguments}
    source = triton.compiler.ASTSource(
        function, signature | dict.fromkeys(kernel.constants, "constexpr"), constexprs=dict(kernel.constants)
    )
    options = {"num_warps": kernel.warps, "num_stages": 1, "enable_fp_fusion": False, "ptx_version": PTX_VERSION}
    if kernel.registers:
        options["maxnreg"] = kernel.registers
    compiled = triton.compile(source, target=GPUTarget("cuda", PTX_CAPABILITY, 32), options=options)
    metadata, ptx = compiled.metadata, compiled.asm["ptx"]
    if metadata.global_scratch_size or metadata.profile_scratch_size or metadata.num_ctas != 1:
        raise BuildError(f"{name}: needs scratch memory or a cluster, which the host does not provide")
    found = CONTRACTABLE.search(ptx)
    if found:
        raise BuildError(f"{name}: {found.group()} does not round as contract.md asks, or may be fused")
    return image_file.Image(
        kernel=name,
        kind="ptx",
        compute_capability=PTX_CAPABILITY,
        name=metadata.name,
        threads=32 * metadata.num_warps,
        shared_bytes=metadata.shared,
        parameter_bytes=kernel.parameter_bytes,
        code=ptx.encode(),
    )


def assemble(ptx: image_file.Image, capability: int) -> image_file.Image:
    """The cubin of a PTX image.

    Raises:
        BuildError: its parameters are not those of the kernel's argument list and the hidden pointers.
    """
    from triton.backends.nvidia.compiler import get_ptxas

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "kernel.ptx"), Path(folder, "kernel.cubin")
        source.write_bytes(ptx.code)
        command = [
            get_ptxas(capability).path,
            "--fmad=false",
            f"--gpu-name=sm_{capability}",
            source.name,
            "-o",
            target.name,
        ]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise BuildError(f"{ptx.kernel}: ptxas for {capability} failed: {ran.stderr}")
        cubin = target.read_bytes()
    found = image_file.cubin_parameter_bytes(cubin, ptx.name)
    if found != ptx.parameter_bytes:
        raise BuildError(f"{ptx.kernel}: parameters are {found} bytes, abi.py says {ptx.parameter_bytes}")
    return image_file.Image(**{**vars(ptx), "kind": "cubin", "compute_capability": capability, "code": cubin})


def build(out: Path, kernels: list[str], capabilities: list[int]) -> list[image_file.Image]:
    """Compiles and writes the three files.

    Raises:
        BuildError: a compute capability is below 8.0, which is said before anything is compiled; or as compile_ptx()
            and assemble().
    """
    oldest = min(capabilities, default=PTX_CAPABILITY)
    if oldest < PTX_CAPABILITY:
        raise BuildError(
            f"compute capability {oldest // 10}.{oldest % 10} is too old: the images are made from PTX of 8.0, so name "
            f"{PTX_CAPABILITY} (for 8.0) or later"
        )
    out.mkdir(parents=True, exist_ok=True)
    images = []
    for name in kernels:
        ptx = compile_ptx(name, signatures.KERNELS[name], out.absolute() / "triton_cache")
        images += [assemble(ptx, capability) for capability in capabilities]
        images.append(ptx)
    Path(out, "kernels.bin").write_bytes(image_file.write(images))
    Path(out, "manifest.json").write_text(json.dumps([image.summary() for image in images], indent=1) + "\n")
    Path(out, "kernel_abi.hpp").write_text(cpp_header())
    return images


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m triton_kernels.build", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for kernels.bin, manifest.json and kernel_abi.hpp")
    parser.add_argument("--header", type=Path, help="write only this header; needs no triton")
    parser.add_argument("--kernels", nargs="+", choices=signatures.KERNELS, default=list(signatures.KERNELS))
    parser.add_argument("--capabilities", nargs="+", type=int, default=list(CAPABILITIES), help="90: 9.0")
    arguments = parser.parse_args()
    if (arguments.out is None) == (arguments.header is None):
        parser.error("give one of --out and --header")
    if arguments.header is not None:
        arguments.header.write_text(cpp_header())
        return
    try:
        images = build(arguments.out, arguments.kernels, arguments.capabilities)
    except BuildError as error:
        sys.exit(str(error))
    size = Path(arguments.out, "kernels.bin").stat().st_size
    print(f"{len(images)} images, {size} bytes in {Path(arguments.out, 'kernels.bin')}")


if __name__ == "__main__":
    main()
