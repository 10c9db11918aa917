"""Which file a Segmenter opens: the caller's, or for an ONNX file on a GPU the engine that is built from it once.

What builds is imported only then.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from rfseg._core import InputError
from rfseg.libraries import tensorrt_folders

Precision = Literal["auto", "fp16", "bf16", "fp32", "fp16-fused", "fp16-flag", "fp16-islands"]
# "never", or what to call with (stage, seconds since the start, text) while an engine is built.
OnBuild = Literal["build", "never"] | Callable[[str, float, str], None]

DRIVER_IS_THERE = Path("/dev/nvidiactl")
_GPUS = re.compile(r"cuda:all|cuda(:\d{1,3})?(,cuda(:\d{1,3})?)*")


def file_to_open(
    model: str | os.PathLike[str],
    device: str,
    precision: str,
    on_build: OnBuild,
    before_building: Callable[[], None],
    **wish: Any,
) -> str | os.PathLike[str]:
    """Returns `model`, or its engine for the GPUs that `device` names, which may be built first, for minutes.

    Args:
        model: as the Segmenter takes it.
        device: as the core takes it.
        precision: as the Segmenter takes it.
        on_build: likewise.
        before_building: as `engine_for` takes it.
        wish: `max_batch`, `resize` and `tensorrt`, likewise.

    Raises:
        InputError: a precision for a file that is not built.
        As `engine_for`.
    """
    if not callable(on_build) and on_build not in {"build", "never"}:
        raise InputError(f'on_build is {on_build!r}: it must be "build", "never" or a function')
    if not needs_engine(model, device):
        if precision != "auto":
            raise InputError(
                f"precision is {precision!r}, and nothing is built for {model!r} on device {device!r}: it "
                'runs in the precision that it has; leave precision out, or give an .onnx file and device="cuda"'
            )
        return model
    from rfseg.engines.auto import engine_for

    return engine_for(
        model,
        device,
        precision=precision,
        on_build="never" if on_build == "never" else "build",
        progress=on_build if callable(on_build) else None,
        before_building=before_building,
        **wish,
    )


def needs_engine(model: object, device: str) -> bool:
    """Whether an ONNX file meets GPUs; a `device` that names none, or one twice, is the core's to refuse."""
    if not isinstance(model, (str, os.PathLike)) or not os.fspath(model).endswith(".onnx"):
        return False
    named = [part if ":" in part else f"{part}:0" for part in device.split(",")]
    return _GPUS.fullmatch(device) is not None and len(set(named)) == len(named)


def gpu_is_idle(model: str | os.PathLike[str], device: str) -> bool:
    """Whether `device` "auto" leaves a GPU aside that could run an ONNX file.

    Looks at files only: asking the driver takes a tenth of a second, and a process that has asked must not fork.
    """
    onnx = device == "auto" and os.fspath(model).endswith(".onnx")
    return onnx and DRIVER_IS_THERE.exists() and bool(os.environ.get("RFSEG_TENSORRT") or tensorrt_folders())
