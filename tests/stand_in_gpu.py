"""Makes this process believe in one GPU and one TensorRT; engines, which are ONNX models here, run on the CPU.

For tests (with monkeypatch) and for programs that tests start (`patched` sets attributes for good).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rfseg.engines import build, machine, verify, workshop

PACKAGE = Path(__file__).with_name("stand_in_tensorrt")
GPU = machine.Gpu(0, "NVIDIA Stand-in", "9.0", 80 << 30)
SPEEDS_MS = {"fp16-fused": 1.0, "fp16-flag": 1.1, "fp16": 1.2, "bf16": 1.5, "fp32": 3.0}


def patched(set_attribute: Callable[[Any, str, Any], None] = setattr, *, version: str = "10.6.0") -> None:
    """Puts the stand-ins in place."""
    if str(PACKAGE) not in sys.path:
        sys.path.insert(0, str(PACKAGE))
    os.environ["STAND_VERSION"] = version
    os.environ.setdefault("STAND_RECORD", os.devnull)
    set_attribute(machine, "gpus", lambda: [GPU])
    set_attribute(machine, "driver_version", lambda: "580.1")
    set_attribute(machine, "tensorrt_libraries", lambda *_: iter([machine.Library("libnvinfer.so.10", version)]))
    set_attribute(workshop, "driver_version", lambda: "580.1")
    set_attribute(workshop, "network_ms", lambda engine, *_: (SPEEDS_MS[engine.stem.rpartition("-")[0]],) * 2)
    on_cpu = _opened(verify.opened)
    for module in (verify, build):
        set_attribute(module, "opened", on_cpu)


def _opened(original: Callable[..., Any]) -> Callable[..., Any]:
    def opened(model: Any, device: str, resize: Any, *_: Any) -> Any:
        if Path(model).suffix == ".onnx":
            return original(model, "cpu", resize)
        copy = Path(tempfile.mkdtemp()) / "engine.onnx"
        shutil.copy(model, copy)
        try:
            return original(copy, "cpu", resize)
        finally:
            shutil.rmtree(copy.parent)

    return opened
