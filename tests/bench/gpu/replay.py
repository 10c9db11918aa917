"""Times one engine by itself: a CUDA graph of TensorRT's own context, replayed. Needs torch and TensorRT's package."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

_REPLAYS, _ROUNDS = 100, 5


def replay_ms(plan: Path, batch: int, profile: int) -> float:
    """Milliseconds of one execution of `batch` images: a CUDA graph of TensorRT's own context, replayed."""
    import torch

    from rfseg.engines.builder import load_module

    trt = load_module()
    runtime = _kept(trt.Runtime(_kept(trt.Logger(trt.Logger.ERROR))))
    engine = _kept(runtime.deserialize_cuda_engine(plan.read_bytes()))
    graph, stream = _captured(torch, trt, engine, batch, profile)
    times = []
    for _ in range(_ROUNDS):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        with torch.cuda.stream(stream):
            for _ in range(_REPLAYS):
                graph.replay()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - begin) * 1e3 / _REPLAYS)
    return statistics.median(times)


_KEEP: list[Any] = []  # TensorRT holds its logger for ever, and graphs hold contexts and tensors by address


def _kept(thing: Any) -> Any:
    _KEEP.append(thing)
    return thing


def _captured(torch: Any, trt: Any, engine: Any, batch: int, profile: int) -> tuple[Any, Any]:
    context, stream = _kept(engine.create_execution_context()), torch.cuda.Stream()
    with torch.cuda.stream(stream):
        if profile:
            context.set_optimization_profile_async(profile, stream.cuda_stream)
        for k in range(engine.num_io_tensors):
            name = engine.get_tensor_name(k)
            if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
                context.set_input_shape(name, (batch, *tuple(engine.get_tensor_shape(name))[1:]))
        context.infer_shapes()
        for k in range(engine.num_io_tensors):
            name = engine.get_tensor_name(k)
            tensor = _kept(torch.randn(tuple(context.get_tensor_shape(name)), device="cuda"))
            context.set_tensor_address(name, tensor.data_ptr())
        for _ in range(3):
            assert context.execute_async_v3(stream.cuda_stream)
    stream.synchronize()
    graph = _kept(torch.cuda.CUDAGraph())
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        context.execute_async_v3(stream.cuda_stream)
    return graph, stream
