"""A TensorRT Python package that builds nothing: it notes what it is asked for; its engine is the ONNX model itself.

Versions differ as the real ones do: 11 has no FP16 flag and no STRONGLY_TYPED. Told by the environment: STAND_VERSION,
STAND_RECORD (a file that gets one JSON line a build), STAND_SLEEP_S (a build takes so long), STAND_FAULT.
"""

from __future__ import annotations

import enum
import json
import os
import time
from typing import Any

__version__ = os.environ.get("STAND_VERSION", "10.6.0")
_MAJOR = int(__version__.split(".")[0])
_FAULT = os.environ.get("STAND_FAULT", "")


class ILogger:
    class Severity(enum.IntEnum):
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class IProgressMonitor:
    pass


BuilderFlag = enum.IntEnum("BuilderFlag", (["FP16"] if _MAJOR == 10 else []) + ["TF32", "DISABLE_TIMING_CACHE"])
NetworkDefinitionCreationFlag = enum.IntEnum(
    "NetworkDefinitionCreationFlag", ["EXPLICIT_BATCH", *(["STRONGLY_TYPED"] if _MAJOR == 10 else [])], start=0
)
ProfilingVerbosity = enum.IntEnum("ProfilingVerbosity", ["LAYER_NAMES_ONLY", "NONE", "DETAILED"], start=0)
LayerInformationFormat = enum.IntEnum("LayerInformationFormat", ["ONELINE", "JSON"], start=0)


class _Tensor:
    def __init__(self, name: str, shape: list[int]) -> None:
        self.name, self.shape = name, shape


class _Network:
    def __init__(self, flags: int) -> None:
        self.flags, self.model = flags, b""

    def get_input(self, place: int) -> _Tensor:
        import onnx

        value = onnx.load_from_string(self.model).graph.input[place]
        return _Tensor(value.name, [d.dim_value or -1 for d in value.type.tensor_type.shape.dim])


class OnnxParser:
    def __init__(self, network: _Network, logger: Any) -> None:
        self._network, self.num_errors = network, 1 if _FAULT == "parser" else 0

    def parse(self, model: bytes) -> bool:
        self._network.model = model
        return _FAULT != "parser"

    def get_error(self, place: int) -> str:
        return "no importer for FooBar"


class _Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, Any] = {}

    def set_shape(self, name: str, least: Any, best: Any, most: Any) -> None:
        self.shapes[name] = [list(least), list(best), list(most)]


class _TimingCache:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def serialize(self) -> bytes:
        return self._data + b"."


class _Config:
    def __init__(self) -> None:
        self.flags = {BuilderFlag.TF32}
        self.profiles: list[Any] = []
        self.profiling_verbosity: Any = None
        self.progress_monitor: Any = None
        self._cache: _TimingCache | None = None

    def set_flag(self, flag: BuilderFlag) -> None:
        self.flags.add(flag)

    def clear_flag(self, flag: BuilderFlag) -> None:
        self.flags.discard(flag)

    def create_timing_cache(self, data: bytes) -> _TimingCache:
        return _TimingCache(data)

    def set_timing_cache(self, cache: _TimingCache, ignore_mismatch: bool) -> bool:
        self._cache = cache
        return True

    def get_timing_cache(self) -> _TimingCache | None:
        return self._cache

    def add_optimization_profile(self, profile: _Profile) -> int:
        self.profiles.append(profile.shapes)
        return len(self.profiles) - 1


class Builder:
    def __init__(self, logger: Any) -> None:
        self._logger = logger
        if _FAULT == "no gpu":
            logger.log(ILogger.Severity.ERROR, "CUDA initialization failure with error: 35")
            raise TypeError("pybind11::init(): factory function returned nullptr")

    def create_network(self, flags: int = 0) -> _Network:
        return _Network(flags)

    def create_builder_config(self) -> _Config:
        return _Config()

    def create_optimization_profile(self) -> _Profile:
        return _Profile()

    def build_serialized_network(self, network: _Network, config: _Config) -> bytes | None:
        self._logger.log(ILogger.Severity.WARNING, "a warning that comes twice")
        self._logger.log(ILogger.Severity.WARNING, "a warning that comes twice")
        print("TensorRT prints to stdout")
        config.progress_monitor.phase_start("Building Engine", None, 2)
        _record(network, config)
        time.sleep(float(os.environ.get("STAND_SLEEP_S", "0")))
        config.progress_monitor.step_complete("Building Engine", 0)
        config.progress_monitor.phase_finish("Building Engine")
        if _FAULT == "no engine":
            self._logger.log(ILogger.Severity.ERROR, "Could not find any implementation for node X")
            return None
        if _FAULT == "crash":
            os._exit(7)
        return network.model


def _record(network: _Network, config: _Config) -> None:
    facts = {
        "flags": network.flags,
        "builder_flags": sorted(flag.name for flag in config.flags),
        "profiles": config.profiles,
        "verbosity": int(config.profiling_verbosity),
        "timing_cache": config._cache is not None,
        "process": os.getpid(),
        "device": os.environ.get("CUDA_VISIBLE_DEVICES"),
    }
    with open(os.environ["STAND_RECORD"], "a", encoding="utf-8") as record:
        record.write(json.dumps(facts) + "\n")


class Runtime:
    def __init__(self, logger: Any) -> None:
        pass

    def deserialize_cuda_engine(self, plan: bytes) -> _Engine:
        return _Engine(plan)


class _Engine:
    def __init__(self, plan: bytes) -> None:
        self._plan = plan

    def create_engine_inspector(self) -> _Engine:
        return self

    def get_engine_information(self, form: LayerInformationFormat) -> str:
        """A layer for each node, in the types of the graph; in float32 throughout when that is the fault."""
        import onnx

        graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(self._plan)).graph
        words = {1: "Row major linear FP32", 10: "Half", 16: "BFloat16", 7: "Int64"}
        types = {value.name: value.type.tensor_type.elem_type for value in graph.value_info}
        kinds = [words.get(types.get(node.output[0], 1), "Bool") for node in graph.node]
        if _FAULT == "float32":
            kinds = ["Float"] * len(kinds)
        return json.dumps({"Layers": [{"Name": "x", "Outputs": [{"Format/Datatype": kind}]} for kind in kinds]})
