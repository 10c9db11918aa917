"""The process in which TensorRT builds: reads one request from stdin, says on stdout how far it is, writes a file.

`python -m rfseg.engines.worker`. Dies with its parent; a kill at any moment leaves at most its own unfinished file,
which lies in the parent's temporary folder.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def main() -> int:
    """Builds what stdin asks for; the last line it says is {"done": {...}} or {"failed": {...}}."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    # TensorRT and its libraries may print; what this process says goes where only it writes.
    voice = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(kind: str, facts: dict[str, Any]) -> None:
        voice.write(json.dumps({kind: facts}) + "\n")
        voice.flush()

    request = json.loads(sys.stdin.readline())
    try:
        say("done", _build(request, say))
        return 0
    except Exception as error:
        number = getattr(error, "errno", None) if isinstance(error, OSError) else None
        say("failed", {"kind": type(error).__name__, "text": str(error), "errno": number})
        return 1


def _build(request: dict[str, Any], say: Any) -> dict[str, Any]:
    from rfseg._core import BackendError
    from rfseg.engines.builder import build_plan, layer_types, load_module
    from rfseg.engines.machine import tensorrt_command
    from rfseg.engines.sidecar import same_tensorrt

    trt = load_module()
    wanted = request["tensorrt"]
    if not same_tensorrt(trt.__version__, wanted):
        raise BackendError(
            f"TensorRT's Python package is {trt.__version__}, and the library that would run the engine is {wanted}: "
            f"{tensorrt_command(wanted)}, or point RFSEG_TENSORRT to the library of {trt.__version__}"
        )
    cache = Path(request["timing_cache"]) if request["timing_cache"] else None
    measured = cache.read_bytes() if cache and cache.is_file() else b""
    plan, after = build_plan(
        trt,
        Path(request["model"]).read_bytes(),
        typed=request["typed"],
        fp16_flag=request["fp16_flag"],
        tf32=request["tf32"],
        profiles=[tuple(profile) for profile in request["profiles"]],
        timing_cache=measured if cache else None,
        say=say,
    )
    Path(request["engine"]).write_bytes(plan)
    if cache and after:
        from rfseg.engines.files import write_atomically

        write_atomically(cache, after)
    say("phase", {"name": "Inspecting", "step": 0, "steps": 1})
    return {"tensorrt": trt.__version__, "layers": layer_types(trt, plan, say), "bytes": len(plan)}


if __name__ == "__main__":
    sys.exit(main())
