"""`rfseg.doctor`: what is on this machine, what of it rfseg can use, and what to type next.

Never raises: what is broken is what it reports. Asks each library itself, in its own order of search.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rfseg._core import Error
from rfseg._core import version as rfseg_version
from rfseg.engines import cache, machine
from rfseg.engines.doctor_words import advice
from rfseg.libraries import onnxruntime_library

# What triton_kernels/build.py compiles: a cubin serves later minors of its major, PTX for the first every later GPU.
KERNEL_IMAGES = ("8.0", "8.6", "8.7", "8.9", "9.0", "10.0", "12.0")
_DEMO = Path(__file__).parents[1] / "demo" / "shapes.onnx"
_PACKAGES = {"numpy": "", "onnxruntime": "", "cv2": "rfseg[viz]", "av": "rfseg[video]", "onnx": "rfseg[gpu]"}
_DISTRIBUTIONS = (
    "onnxruntime",
    "onnxruntime-gpu",
    "tensorrt",
    "tensorrt-cu12",
    "tensorrt-cu13",
    "tensorrt-cu12-bindings",
)


def doctor(*, self_test: bool = True) -> dict[str, Any]:
    """Examines the machine; takes a second or two.

    Args:
        self_test: run the packaged network on every device that can run it.

    Returns:
        A JSON object: `rfseg`, `python`, `os`, `gpus`, `driver`, `onnxruntime`, `tensorrt`, `builder`, `packages`,
        `cache`, `self_test`, `problems` (sentences) and `next` (the command to type).
    """
    found: dict[str, Any] = {
        "rfseg": rfseg_version,
        "python": f"{platform.python_version()} ({sys.executable})",
        "os": platform.platform(),
        "driver": machine.driver_version(),
        "gpus": _gpus(),
        "onnxruntime": _onnxruntimes(),
        "tensorrt": [_library(library) for library in machine.tensorrt_libraries()],
        "builder": _builder(),
        "packages": {name: _package(name, extra) for name, extra in _PACKAGES.items()},
        "distributions": {name: its for name in _DISTRIBUTIONS if (its := _distribution(name))},
        "cache": _cache(),
    }
    found["self_test"] = _self_tests(found) if self_test else {}
    found["problems"], found["next"] = advice(found)
    return found


def _gpus() -> dict[str, Any]:
    try:
        listed = machine.gpus()
    except Error as error:
        return {"reason": str(error), "found": []}
    reason = "" if listed else "the driver shows no GPU (CUDA_VISIBLE_DEVICES?)"
    return {"reason": reason, "found": [_gpu(gpu) for gpu in listed]}


def _gpu(gpu: machine.Gpu) -> dict[str, Any]:
    image = kernel_image(gpu.capability)
    return {
        "name": gpu.name,
        "compute_capability": gpu.capability,
        "memory_gib": round(gpu.memory / 2**30, 1),
        "kernels": image or f"none: rfseg's kernels need compute capability {KERNEL_IMAGES[0]} or later",
    }


def kernel_image(capability: str) -> str:
    """Which of the packaged kernel images a GPU of this compute capability runs, "" for none."""
    major, minor = (int(part) for part in capability.split("."))
    known = [tuple(int(part) for part in image.split(".")) for image in KERNEL_IMAGES]
    fitting = [image for image in known if image[0] == major and image[1] <= minor]
    if fitting:
        return "cubin for {}.{}".format(*max(fitting))
    return f"PTX for {KERNEL_IMAGES[0]}" if known[0] <= (major, minor) else ""


def _onnxruntimes() -> list[dict[str, str]]:
    variable = os.environ.get("RFSEG_ONNXRUNTIME")
    path = variable or onnxruntime_library()
    if not path:
        return [{"path": "", "reason": "the package onnxruntime is not installed: pip install onnxruntime"}]
    reason = "" if Path(path).exists() else "no such file"
    return [{"path": path, "reason": reason, "version": Path(path).name.partition(".so.")[2]}]


def _library(library: machine.Library) -> dict[str, str]:
    return {"path": library.path, "version": library.version, "reason": library.reason}


def _builder() -> dict[str, str]:
    name = machine.builder_module()
    return {"module": name, "reason": "" if name else "TensorRT's Python package is not installed"}


def _package(name: str, extra: str) -> dict[str, str]:
    try:
        return {"version": str(import_module(name).__version__), "reason": ""}
    except Exception as error:  # a package may fail in any way when it is imported
        fix = f'; pip install "{extra or name}"'
        return {"version": "", "reason": f"{type(error).__name__}: {error}{fix}"}


def _distribution(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _cache() -> dict[str, Any]:
    folder = cache.cache_folder()
    standing = next((parent for parent in (folder, *folder.parents) if parent.exists()), Path("/"))
    reason = "" if os.access(standing, os.W_OK) else f"{standing} cannot be written: set {cache.VARIABLE}"
    kept = cache.entries()
    return {
        "folder": str(folder),
        "reason": reason,
        "engines": len(kept),
        "bytes": sum(entry.size for entry in kept),
        "free_bytes": shutil.disk_usage(standing).free,
    }


def _self_tests(found: dict[str, Any]) -> dict[str, Any]:
    results = {"cpu": _tried(lambda: _segment(_DEMO, "cpu"))}
    for ordinal in range(len(found["gpus"]["found"])):
        device = f"cuda:{ordinal}"
        results[device] = _tried(lambda device=device: _segment(_demo_engine(device), device))
    return results


def _demo_engine(device: str) -> Path:
    from rfseg.engines.auto import engine_for

    return engine_for(_DEMO, device, on_build="never")


def _tried(test: Callable[..., str]) -> dict[str, str]:
    try:
        return {"result": test(), "reason": ""}
    except Exception as error:
        return {"result": "", "reason": f"{error}"}


def _segment(model: Path, device: str) -> str:
    """What the packaged network finds in a picture drawn here: two discs and a ring of bright colour."""
    import numpy as np

    from rfseg.segmenter import Segmenter

    y, x = np.mgrid[:312, :312]
    frame = np.full((312, 312, 3), 110, np.uint8)
    for cy, cx, color in ((90, 90, (40, 60, 220)), (210, 220, (220, 160, 40))):
        frame[(y - cy) ** 2 + (x - cx) ** 2 < 45**2] = color
    with Segmenter(model, device=device) as segmenter:
        segmenter.infer(frame)
        started = time.perf_counter()
        result = segmenter.infer(frame)
        ms = (time.perf_counter() - started) * 1e3
    if len(result) < 1:
        raise RuntimeError("the packaged network found nothing in a picture of two discs")
    return f"{len(result)} instances in {ms:.1f} ms"
