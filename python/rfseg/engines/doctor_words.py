"""What the doctor's findings mean: the problems as sentences, the next command, the findings as text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rfseg._core import Error
from rfseg.engines import cache, machine


def advice(found: dict[str, Any]) -> tuple[list[str], str]:
    """What is wrong, the gravest first, and the one command that helps most."""
    problems: list[tuple[str, str]] = []
    for runtime in found["onnxruntime"]:
        if runtime["reason"]:
            problems.append((f"ONNX Runtime: {runtime['reason']}", "pip install onnxruntime"))
    cpu = found["self_test"].get("cpu", {})
    if cpu.get("reason") and not problems:
        problems.append((f"the packaged network does not run on the CPU: {cpu['reason']}", "pip install -U rfseg"))
    if found["gpus"]["found"]:
        problems += _gpu_problems(found)
    if found["cache"]["reason"]:
        problems.append((f"cache: {found['cache']['reason']}", f"export {cache.VARIABLE}=FOLDER"))
    working = "rfseg run model.onnx clip.mp4" + (" --device cuda" if found["gpus"]["found"] else "")
    if not found["gpus"]["found"] and not problems and not found["packages"]["av"]["version"]:
        problems.append(("video cannot be read: PyAV is missing", 'pip install "rfseg[video]"'))
    return [sentence for sentence, _ in problems], problems[0][1] if problems else working


def _gpu_problems(found: dict[str, Any]) -> list[tuple[str, str]]:
    usable = [library for library in found["tensorrt"] if not library["reason"]]
    broken = [library for library in found["tensorrt"] if library["reason"] and os.path.isabs(library["path"])]
    if not usable and broken:
        said = "; ".join(f"{library['path']}: {library['reason']}" for library in broken)
        if os.environ.get("RFSEG_TENSORRT"):
            return [(f"TensorRT does not load: {said}", "unset RFSEG_TENSORRT")]
        return [(f"TensorRT does not load: {said}", f"{machine.PIP_COMMAND} --force-reinstall")]
    if not usable:
        return [("there is a GPU and no TensorRT", machine.PIP_COMMAND)]
    try:
        machine.require_builder(usable[0]["version"])
    except Error as error:
        return [(str(error), str(error).rpartition(": ")[2])]
    demo = Path(__file__).parents[1] / "demo" / "shapes.onnx"
    reasons = [test["reason"] for device, test in found["self_test"].items() if device != "cpu" and test["reason"]]
    if reasons and "--cache" in reasons[0]:
        return [("no engine of the packaged network is built yet", f"rfseg build {demo} --cache")]
    return [(reason, "rfseg doctor --json") for reason in reasons[:1]]


def text(found: dict[str, Any]) -> str:
    """The findings for people."""
    lines = [f"rfseg {found['rfseg']}, Python {found['python']}, {found['os']}"]
    lines.append(f"driver       {found['driver'] or 'none'}")
    for gpu in found["gpus"]["found"]:
        kernels = f"kernels: {gpu['kernels']}"
        lines.append(f"GPU          {gpu['name']}, {gpu['compute_capability']}, {gpu['memory_gib']} GiB, {kernels}")
    if found["gpus"]["reason"]:
        lines.append(f"GPU          {found['gpus']['reason']}")
    for label, libraries in (("ONNX Runtime", found["onnxruntime"]), ("TensorRT", found["tensorrt"])):
        for library in libraries:
            state = library["reason"] or "usable"
            lines.append(f"{label:<13}{' '.join(filter(None, (library.get('version'), library['path'])))}: {state}")
    builder = found["builder"]
    lines.append(f"builder      {builder['module'] or builder['reason']}")
    for name, package in found["packages"].items():
        lines.append(f"{name:<13}{package['version'] or package['reason']}")
    kept = found["cache"]
    engines = f"{kept['engines']} engines, {kept['bytes'] / 1e6:,.0f} MB"
    lines.append(f"cache        {kept['folder']}: {kept['reason'] or engines}")
    for device, test in found["self_test"].items():
        lines.append(f"self-test    {device}: {test['result'] or test['reason']}")
    lines += [f"problem      {problem}" for problem in found["problems"]]
    return "\n".join([*lines, f"next         {found['next']}"])
