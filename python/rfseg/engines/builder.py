"""TensorRT's Python builder, 10.x and 11.x, behind one function that builds and one that inspects.

The only file that speaks to the package; it runs in a process of its own (worker.py), since TensorRT keeps the first
logger of a process for ever and cannot be interrupted. 11 has no FP16 flag and types every graph strongly.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rfseg._core import BackendError, ModelError
from rfseg.engines.machine import builder_module, require_builder

Say = Callable[[str, dict[str, Any]], None]
Profile = tuple[int, int, int]  # least, best, most images

_KEPT_MESSAGES = 20
# How the inspector names types, in 10.x and 11.x; bfloat16 first, since its name holds another's.
_TYPE_WORDS = {"bfloat16": ("bf16", "bfloat16"), "float16": ("fp16", "half"), "float32": ("fp32", "float")}


def load_module() -> Any:
    """Imports `tensorrt`, or `tensorrt_bindings` with the libraries of RFSEG_TENSORRT's folder loaded before it.

    Raises:
        BackendError: it is not installed, or does not load.
    """
    require_builder("")
    name = builder_module()
    library = os.environ.get("RFSEG_TENSORRT", "")
    if library:
        _preload(Path(library))
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise BackendError(f"TensorRT's Python package {name} is installed and does not load: {error}") from error


def _preload(library: Path) -> None:
    """The package names its libraries without a folder: those loaded already serve it."""
    folder = library.parent
    names = ("libnvinfer.so.*", "libnvinfer_builder_resource*.so.*", "libnvinfer_plugin.so.*", "libnvonnxparser.so.*")
    for pattern in names:
        for file in sorted(folder.glob(pattern)):
            ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)


def build_plan(
    trt: Any,
    model: bytes,
    *,
    typed: bool,
    fp16_flag: bool,
    tf32: bool,
    profiles: list[Profile],
    timing_cache: bytes | None,
    say: Say,
) -> tuple[bytes, bytes]:
    """Builds one engine.

    Args:
        trt: the module.
        model: an ONNX model.
        typed: layers compute in the types that the graph says.
        fp16_flag: TensorRT may choose FP16 (10.x, not typed).
        tf32: float32 products may be rounded to TF32.
        profiles: of a dynamic batch; empty for a fixed one.
        timing_cache: what earlier builds measured; None measures anew and keeps nothing.
        say: hears ("phase", {...}) and ("message", {...}).

    Returns:
        The engine, and the timing cache after it.

    Raises:
        ModelError: TensorRT cannot read the model, or cannot build it.
        BackendError: it finds no GPU.
    """
    logger = _logger(trt, say)
    builder = _builder(trt, logger)
    network = builder.create_network(_creation_flags(trt, typed))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(model):
        errors = "; ".join(str(parser.get_error(k)) for k in range(parser.num_errors))
        raise ModelError(f"TensorRT {trt.__version__} cannot read the model: {errors}")
    config = builder.create_builder_config()
    if fp16_flag:
        config.set_flag(trt.BuilderFlag.FP16)
    if not tf32:
        config.clear_flag(trt.BuilderFlag.TF32)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    measured = None if timing_cache is None else config.create_timing_cache(timing_cache)
    if measured is None:
        config.set_flag(trt.BuilderFlag.DISABLE_TIMING_CACHE)
    else:
        config.set_timing_cache(measured, False)
    _add_profiles(builder, config, network.get_input(0), profiles)
    # TensorRT holds these by address only: parser, monitor and measurements live to the end of this function.
    config.progress_monitor = monitor = _monitor(trt, say)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ModelError(f"TensorRT {trt.__version__} built no engine: {logger.last_error() or 'it gives no reason'}")
    del monitor
    return bytes(memoryview(plan)), b"" if measured is None else bytes(memoryview(measured.serialize()))


def _creation_flags(trt: Any, typed: bool) -> int:
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None) if typed else None
    return 0 if flag is None else 1 << int(flag)


def _builder(trt: Any, logger: Any) -> Any:
    try:
        builder = trt.Builder(logger)
    except Exception as error:  # pybind11 has nothing better than TypeError for a null factory
        raise BackendError(f"TensorRT {trt.__version__} finds no usable GPU: {logger.last_error() or error}") from error
    if builder is None:
        raise BackendError(f"TensorRT {trt.__version__} finds no usable GPU: {logger.last_error()}")
    return builder


def _add_profiles(builder: Any, config: Any, given: Any, profiles: list[Profile]) -> None:
    rest = tuple(given.shape)[1:]
    for sizes in profiles:
        profile = builder.create_optimization_profile()
        profile.set_shape(given.name, *((images, *rest) for images in sizes))
        if config.add_optimization_profile(profile) < 0:
            raise ModelError(f"TensorRT refuses a batch of {sizes[0]} to {sizes[2]} images for this network")


def _logger(trt: Any, say: Say) -> Any:
    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self._errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            level = int(severity)  # 0 internal error, 1 error, 2 warning, 3 info, 4 verbose
            if level <= 1:
                self._errors = [*self._errors[-_KEPT_MESSAGES:], message]
            if level <= 2:
                say("message", {"level": "warning" if level == 2 else "error", "text": message})

        def last_error(self) -> str:
            return self._errors[-1] if self._errors else ""

    return Logger()


def _monitor(trt: Any, say: Say) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._steps[phase_name] = num_steps
            if parent_phase is None:
                say("phase", {"name": phase_name, "step": 0, "steps": num_steps})

        def step_complete(self, phase_name: str, step: int) -> bool:
            say("phase", {"name": phase_name, "step": step + 1, "steps": self._steps.get(phase_name, 0)})
            return True

        def phase_finish(self, phase_name: str) -> None:
            self._steps.pop(phase_name, None)

    return Monitor()


def layer_types(trt: Any, plan: bytes, say: Say) -> dict[str, float]:
    """Share of an engine's layers by the type they give, as TensorRT's inspector tells; layers of integers left out."""
    runtime = trt.Runtime(_logger(trt, say))
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        return {}
    text = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
    return shares_of(json.loads(text).get("Layers", []))


def shares_of(layers: list[Any]) -> dict[str, float]:
    """{type: share} of the inspector's layers; empty when some are shown from outside only: then nothing is known."""
    if any(not isinstance(layer, dict) or "ForeignNode" in str(layer.get("Name")) for layer in layers):
        return {}
    counts = Counter(filter(None, map(layer_type, layers)))
    return {kind: round(count / counts.total(), 4) for kind, count in counts.most_common()}


def layer_type(layer: dict[str, Any]) -> str:
    """The type that one layer of the inspector's JSON gives: "float16", "bfloat16", "float32"; "" for none of them."""
    for output in layer.get("Outputs", []):
        words = str(output.get("Format/Datatype", "")).lower() if isinstance(output, dict) else ""
        for kind, names in _TYPE_WORDS.items():
            if any(name in words for name in names):
                return kind
    return ""
