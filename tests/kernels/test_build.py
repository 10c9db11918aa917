"""The ahead-of-time build for one kernel: its file, its checks, its header, and the same bytes from every folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from triton_kernels import abi, image_file, signatures
from triton_kernels.cpp_header import cpp_header

ROOT = Path(__file__).parents[2]


def run_python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a fresh interpreter in which Triton compiles instead of interpreting."""
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"} | variables
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def build(folder: Path, out: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Builds one kernel."""
    command = ("-m", "triton_kernels.build", "--out", str(out), "--kernels", "mask_count", *options)
    return run_python(folder, *command, **variables)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("built")
    ran = build(ROOT, out, "--capabilities", "90")
    assert ran.returncode == 0, ran.stderr
    return out


def test_file_holds_what_was_asked_for(built):
    cubin, ptx = image_file.read((built / "kernels.bin").read_bytes())
    kernel = signatures.KERNELS["mask_count"]
    assert (cubin.kernel, cubin.kind, cubin.compute_capability) == ("mask_count", "cubin", 90)
    assert (ptx.kernel, ptx.kind, ptx.compute_capability) == ("mask_count", "ptx", 80)
    assert cubin.code[:4] == b"\x7fELF"
    assert b".version 8.0\n.target sm_80\n" in ptx.code
    for image in (cubin, ptx):
        assert image.name == kernel.function
        assert image.threads == 32 * kernel.warps
        assert image.parameter_bytes == kernel.parameter_bytes
    assert [entry["code"] for entry in json.loads((built / "manifest.json").read_text())] == [
        len(cubin.code),
        len(ptx.code),
    ]


def test_without_being_asked_every_supported_gpu_gets_its_image(tmp_path):
    ran = build(ROOT, tmp_path)
    assert ran.returncode == 0, ran.stderr
    images = image_file.read((tmp_path / "kernels.bin").read_bytes())
    supported = [("cubin", capability) for capability in (80, 86, 87, 89, 90, 100, 120)]
    assert [(image.kind, image.compute_capability) for image in images] == [*supported, ("ptx", 80)]


def test_older_gpus_are_refused_before_anything_is_compiled(tmp_path):
    ran = build(ROOT, tmp_path / "out", "--capabilities", "90", "75")
    assert ran.returncode == 1
    assert ran.stderr.startswith("compute capability 7.5 is too old"), ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("version", ["3.5.1", "3.6.0+git123"])
def test_another_triton_is_refused(tmp_path, version):
    (tmp_path / "triton.py").write_text(f"__version__ = {version!r}\n")
    ran = build(ROOT, tmp_path / "out", PYTHONPATH=str(tmp_path))
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"triton is {version}, but"), ran.stderr
    assert ran.stderr.endswith("pip install triton==3.6.0\n"), ran.stderr


def test_the_triton_that_is_required_is_the_one_that_is_installed():
    from triton_kernels.build import TRITON_VERSION

    assert set(re.findall(r"triton==([^\s;\"]+)", (ROOT / "pyproject.toml").read_text())) == {TRITON_VERSION}


def test_file_survives_writing_and_refuses_what_is_not_whole(built):
    file = (built / "kernels.bin").read_bytes()
    assert image_file.write(image_file.read(file)) == file
    for broken in (file[:-1], b"RFSEGK00" + file[8:]):
        with pytest.raises(ValueError, match="not a file of kernel images"):
            image_file.read(broken)


def test_the_cubin_tells_its_parameters(built):
    cubin, _ = image_file.read((built / "kernels.bin").read_bytes())
    assert image_file.cubin_parameter_bytes(cubin.code, cubin.name) == signatures.KERNELS["mask_count"].parameter_bytes
    with pytest.raises(ValueError, match="no kernel nobody"):
        image_file.cubin_parameter_bytes(cubin.code, "nobody")


PLANTED = """
import dataclasses, sys
from pathlib import Path
from triton_kernels import build, signatures
kernel = signatures.KERNELS["resize_last"]
wrong = tuple(dataclasses.replace(a, type="i64") if a.name == "half" else a for a in kernel.arguments)
ptx = build.compile_ptx("resize_last", kernel, Path(sys.argv[1]))
claimed = dataclasses.replace(kernel, arguments=wrong).parameter_bytes
build.assemble(ptx, 80)
try:
    build.assemble(dataclasses.replace(ptx, parameter_bytes=claimed), 80)
except build.BuildError as error:
    print(error)
"""


def test_a_wrong_argument_list_is_caught(tmp_path):
    ran = run_python(ROOT, "-c", PLANTED, str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert "resize_last: parameters are" in ran.stdout


def test_same_bytes_from_another_folder(built, tmp_path):
    shutil.copytree(ROOT / "triton_kernels", tmp_path / "triton_kernels", ignore=shutil.ignore_patterns("__pycache__"))
    ran = build(tmp_path, tmp_path / "out", "--capabilities", "90")
    assert ran.returncode == 0, ran.stderr
    for name in ("kernels.bin", "manifest.json", "kernel_abi.hpp"):
        assert (tmp_path / "out" / name).read_bytes() == (built / name).read_bytes()


def test_every_contractable_instruction_is_recognised():
    from triton_kernels.build import CONTRACTABLE

    for text in ("mul.f32 %f1", "fma.rn.f32", "add.ftz.f32", "div.full.f32", "mad.f32"):
        assert CONTRACTABLE.search(text), text
    for text in ("mul.rn.f32", "add.rn.f32", "div.rn.f32", "mad.lo.s32", "add.s32"):
        assert not CONTRACTABLE.search(text), text


PROGRAM = """
#include "kernel_abi.hpp"
#include <cstdio>
int main() {
  using namespace rfseg::kernel_abi;
  const long long sizes[] = {resize_grid(132), mask_grid(132), column_toggles_bytes(300, 1920)};
  for (const long long size : sizes) std::printf("%lld ", size);
  std::printf("%zu %zu ", sizeof(FrameParams), offsetof(FrameParams, least_cut));
  return static_cast<int>(Kernel::mask_runs);
}
"""


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
def test_header_is_cpp_and_agrees_with_python(tmp_path):
    (tmp_path / "kernel_abi.hpp").write_text(cpp_header())
    (tmp_path / "main.cpp").write_text(PROGRAM)
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
    subprocess.run(["c++", *flags, "main.cpp", "-o", "main"], cwd=tmp_path, check=True)
    ran = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=False)
    sizes = (
        abi.resize_grid(132),
        abi.mask_grid(132),
        abi.column_toggles_bytes(300, 1920),
        8 * len(abi.STRUCTS["FrameParams"]),
        8 * abi.word_offset("FrameParams", "least_cut"),
    )
    assert ran.stdout.split() == [str(size) for size in sizes]
    assert ran.returncode == list(signatures.KERNELS).index("mask_runs")


def test_argument_lists_follow_the_functions():
    import importlib

    for kernel in signatures.KERNELS.values():
        function = getattr(importlib.import_module(f"triton_kernels.{kernel.module}"), kernel.function)
        names = [argument.name for argument in kernel.arguments]
        assert function.arg_names == names + list(kernel.constants), kernel.function
        assert len(kernel.parameter_bytes) <= abi.MAX_PARAMETERS
