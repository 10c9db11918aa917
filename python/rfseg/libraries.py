"""Finds the native libraries that pip packages carry, without importing those packages; keeps them from phoning home."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

# ONNX Runtime reads this once, when it is first opened in the process, whoever opens it. A user's own value stays.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def onnxruntime_library() -> str:
    """Returns the path of ONNX Runtime's library, "" to leave the search to the C++ side.

    `RFSEG_ONNXRUNTIME` is left to the C++ side too. The package has carried the library since 1.19.
    """
    if os.environ.get("RFSEG_ONNXRUNTIME"):
        return ""
    spec = importlib.util.find_spec("onnxruntime")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        found = sorted(Path(folder, "capi").glob("libonnxruntime.so.*"))
        if found:
            return str(found[-1])
    return ""
