"""What this machine has: GPUs, their driver, TensorRT's library and builder. Asked by ctypes, so nothing is imported.

Owns finding out and the sentences about what is missing; builds and runs nothing.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rfseg._core import BackendError
from rfseg.libraries import tensorrt_folders

# CUDA 12 runs on every driver from 525 on; TensorRT for CUDA 13 would need 580.
PIP_COMMAND = 'pip install "rfseg[gpu]"'
_NAMES = ("libnvinfer.so.11", "libnvinfer.so.10")
_LEAN = ("libnvinfer_lean.so.11", "libnvinfer_lean.so.10")  # run engines and build none
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: ordinal as in "cuda:0", its name, compute capability "9.0", memory in bytes."""

    ordinal: int
    name: str
    capability: str
    memory: int


@dataclass(frozen=True, slots=True)
class Library:
    """A TensorRT library that was tried: its version, or why it cannot be used."""

    path: str
    version: str = ""
    reason: str = ""


def gpus() -> list[Gpu]:
    """The visible GPUs in the driver's order.

    Raises:
        BackendError: there is no driver, or it does not start.
    """
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise BackendError(f"no NVIDIA driver: {error}; install NVIDIA's driver, 525 or later") from error
    status = cuda.cuInit(0)
    if status == 100:  # CUDA_ERROR_NO_DEVICE
        return []
    if status != 0:
        raise BackendError(f"NVIDIA's driver does not start: cuInit gives CUDA error {status}")
    count = ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(count))
    return [_gpu(cuda, ordinal) for ordinal in range(count.value)]


def _gpu(cuda: ctypes.CDLL, ordinal: int) -> Gpu:
    device, name, memory, part = ctypes.c_int(), ctypes.create_string_buffer(128), ctypes.c_size_t(), ctypes.c_int()
    cuda.cuDeviceGet(ctypes.byref(device), ordinal)
    cuda.cuDeviceGetName(name, len(name), device)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    parts = []
    for attribute in (_MAJOR, _MINOR):
        cuda.cuDeviceGetAttribute(ctypes.byref(part), attribute, device)
        parts.append(str(part.value))
    return Gpu(ordinal, name.value.decode(errors="replace"), ".".join(parts), memory.value)


def gpu_of(device: str) -> Gpu:
    """The GPU that "cuda" or "cuda:N" names; of several ("cuda:0,cuda:1", "cuda:all") the first, if they are alike.

    Raises:
        BackendError: there is none, or they are of different models, which one engine does not serve.
    """
    found = gpus()
    numbers = [part.removeprefix("cuda").removeprefix(":") or "0" for part in device.split(",")]
    if device == "cuda:all":
        numbers = [str(gpu.ordinal) for gpu in found]
    if not numbers or not all(number.isdecimal() and int(number) < len(found) for number in numbers):
        raise BackendError(f"device {device!r}: {len(found)} GPUs are visible")
    named = [found[int(number)] for number in numbers]
    if models := sorted({gpu.name for gpu in named} - {named[0].name}):
        raise BackendError(
            f"device {device!r} names GPUs of different models ({', '.join([named[0].name, *models])}), and an engine "
            "is built for one: name GPUs of one model, and open a Segmenter for each model"
        )
    return named[0]


def driver_version() -> str:
    """NVIDIA's driver as it counts itself, "580.159"; "" where nobody says."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8")
    except OSError:
        return _driver_by_nvml()
    found = re.search(r"\s(\d{3}\.\d+(?:\.\d+)?)\s", text)
    return found.group(1) if found else ""


def _driver_by_nvml() -> str:
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return ""
    version = ctypes.create_string_buffer(80)
    if nvml.nvmlInit_v2() != 0 or nvml.nvmlSystemGetDriverVersion(version, len(version)) != 0:
        return ""
    return version.value.decode()


def tensorrt_libraries(named: str = "") -> Iterator[Library]:
    """Every TensorRT library in the order in which the Segmenter tries them, each opened when it is asked for.

    `named`: what its `tensorrt=` says.
    """
    only = named or os.environ.get("RFSEG_TENSORRT")
    if only:
        yield _tried(only)
        return
    for folder in tensorrt_folders():
        for name in (*_NAMES, *_LEAN):
            if Path(folder, name).exists():
                yield _tried(str(Path(folder, name)))
    for name in _NAMES:
        yield _tried(name)


def _tried(path: str) -> Library:
    try:
        number = ctypes.CDLL(path).getInferLibVersion()
    except (OSError, AttributeError) as error:
        return Library(path, reason=str(error))
    major = 10000 if number >= 100000 else 1000  # 8 and 9 counted in thousands
    version = f"{number // major}.{number % major // 100}.{number % 100}"
    if number < 100100 or number >= 120000:
        return Library(path, version, f"it is TensorRT {version}: 10.1 or a later 10.x, or 11.x, is needed")
    return Library(path, version)


def tensorrt_library(named: str = "") -> Library:
    """The library that the Segmenter will take; `named`: what its `tensorrt=` says.

    Raises:
        BackendError: there is none; says which were tried, and what to type.
    """
    tried = []
    for library in tensorrt_libraries(named):
        if not library.reason:
            return library
        tried.append(f"\n  {library.path}: {library.reason}")
    raise BackendError(f"no usable TensorRT library:{''.join(tried)}\nFix: {PIP_COMMAND}, or set RFSEG_TENSORRT")


def tensorrt_command(version: str) -> str:
    """The command that installs one version; the packages count builds in a fourth place, the libraries do not."""
    return f'pip install "tensorrt-cu12=={version}.*"'


def builder_module() -> str:
    """Name of the Python package that builds engines, "tensorrt" or "tensorrt_bindings"; "" where there is none."""
    return next((name for name in ("tensorrt", "tensorrt_bindings") if find_spec(name) is not None), "")


def require_builder(version: str) -> None:
    """Raises BackendError, with the command, unless engines for that version of TensorRT can be built here."""
    command = f'{tensorrt_command(version)} "rfseg[gpu]"' if version else PIP_COMMAND
    if not builder_module():
        raise BackendError(f"engines are built by TensorRT's Python package, which is not installed: {command}")
    if find_spec("onnx") is None:
        raise BackendError(f"engines are built with the Python package onnx, which is not installed: {PIP_COMMAND}")
