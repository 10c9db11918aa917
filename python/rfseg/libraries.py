"""Finds the native libraries that pip packages carry, without importing them; keeps them from phoning home."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

_TENSORRT_PACKAGES = ("tensorrt_libs", "tensorrt_lean_libs", "tensorrt_cu13_libs", "tensorrt_cu12_libs")

# ONNX Runtime reads this once, when it is first opened in the process, whoever opens it. A user's own value stays.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def onnxruntime_library() -> str:
    """Returns the path of ONNX Runtime's library, "" to leave the search to the C++ side.

    `RFSEG_ONNXRUNTIME` is left to the C++ side too. The package has carried the library since 1.19.
    """
    if os.environ.get("RFSEG_ONNXRUNTIME"):
        return ""
    for folder in _package_folders("onnxruntime"):
        found = sorted(Path(folder, "capi").glob("libonnxruntime.so.*"))
        if found:
            return str(found[-1])
    return ""


def tensorrt_folders() -> list[str]:
    """Returns the folders in which pip packages keep TensorRT's libraries, those of a whole TensorRT first."""
    return [folder for package in _TENSORRT_PACKAGES for folder in _package_folders(package)]


def _package_folders(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    return list(spec.submodule_search_locations or []) if spec else []
