"""The Segmenter: a model, ready to turn frames into results."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Literal, NoReturn, cast

import numpy as np
import numpy.typing as npt

from rfseg import _core
from rfseg.asking import Threshold, device_text, thresholds
from rfseg.calls import Calls
from rfseg.info import Info
from rfseg.libraries import onnxruntime_library, tensorrt_folders
from rfseg.loading import OnBuild, Precision, file_to_open, gpu_is_idle
from rfseg.masks import OutlineMode
from rfseg.tickets import Announcer

Names = Sequence[str] | Mapping[int, str] | os.PathLike[str] | str

_DEFAULT_THRESHOLD = 0.5
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
_logger = logging.getLogger("rfseg")
_logger.addHandler(logging.NullHandler())


def _log(level: int, sentence: str) -> None:
    _logger.log(_LEVELS[level], sentence)


class Segmenter(Calls):
    """Runs one RF-DETR segmentation model. Any thread may call anything at any time; results reach who sent the frame.

    After a fork only the process that opened the model may use it: in a child every call raises.

    Example:
        >>> with rfseg.Segmenter("model.onnx") as seg:
        ...     for result in seg.stream(frames):
        ...         print(result.class_name, result.polygons())
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str | int | Sequence[str | int] = "auto",
        threshold: Threshold = _DEFAULT_THRESHOLD,
        max_detections: int = 300,
        color: Literal["bgr", "rgb"] = "bgr",
        resize: Literal["auto", "pil", "bilinear"] = "auto",
        names: Names | None = None,
        slots: int | None = None,
        max_batch: int | None = None,
        lanes: int | None = None,
        threads: int | None = None,
        outlines: OutlineMode | None = None,
        stages: Literal["device", "host"] = "device",
        tensorrt: str | os.PathLike[str] | None = None,
        allow_engine_code: bool = False,
        precision: Precision = "auto",
        on_build: OnBuild = "build",
    ) -> None:
        """Opens a model and waits until it is loaded; where an engine must be built first, for minutes, once.

        Args:
            model: an `.onnx` file, or a TensorRT engine (`.engine`, `.plan`, `.trt`) for a GPU. On a GPU an `.onnx`
                file is built into an engine, verified against ONNX Runtime on the CPU and kept in the cache.
            device: "auto" (a CPU for an `.onnx` file), "cpu", "cuda", "cuda:N" or N, "cuda:all" or a list of GPUs,
                which must be of one model where an engine is built. An explicit device never falls back.
            threshold: score above which an instance is kept, 0..1; or {class id or name: score}, where the key None
                says it for the classes not listed (else 0.5; a defaultdict says it itself).
            max_detections: at most this many instances a frame, the best ones.
            color: channel order of the caller's frames.
            resize: "pil" (antialiased, as Pillow and rfdetr up to 1.8), "bilinear" (as rfdetr 1.9 and later), or
                "auto": what the model's file says, else "pil", which is logged.
            names: a list (0-based), {id: name}, "coco" or a file (JSON, data.yaml, one name a line); default: what the
                model says, else `model.names.json` or `class_names.txt` beside it.
            slots: frames in flight, on each GPU; default 2 on a CPU, on a GPU enough to keep its lanes full.
            max_batch: images that an execution takes at most; default: on a GPU 16 of what the engine allows, 8 where
                it is built from an `.onnx` file, on a CPU 1, and a fixed batch as it is. An execution takes what
                waits, and never waits for more.
            lanes: executions at once on each GPU; default as measured best.
            threads: on a CPU, of the network, default: physical cores; on a GPU, threads that help to copy frames and
                trace outlines.
            outlines: outlines to trace before a result is handed out; default: when they are first asked for.
            stages: on a GPU, "device": everything runs there; "host": all but the network runs on the host, for
                debugging and comparing.
            tensorrt: on a GPU, path of the library (`libnvinfer.so.10`); default: the environment variable
                RFSEG_TENSORRT, then the folders of NVIDIA's pip packages, then the system's loader.
            allow_engine_code: let an engine run machine code that it carries, as version-compatible ones may. Only for
                files you trust.
            precision: of an engine that is built: "auto", the fastest that agrees with the file, or as `rfseg.build`.
            on_build: "never" refuses to build, for servers that must not start slowly; a function is called with
                (stage, seconds since the start, text) meanwhile, of which the log is told in any case.

        Raises:
            ModelError: the file is missing or is not an RF-DETR segmentation network.
            BackendError: no usable library or device; says which were tried and why each was refused.
            InputError: an option is out of range, or names do not fit the class columns.
            VerificationError: no engine that was built agrees with the file.
            OSError: the cache cannot be written.
        """
        base, by_class = thresholds(threshold)
        where = device_text(device)
        opened = partial(
            _core.Segmenter,
            threshold=_DEFAULT_THRESHOLD if base is None else base,
            class_thresholds=by_class,
            max_detections=max_detections,
            color=color,
            resize=resize,
            names=names,
            slots=0 if slots is None else slots,
            lanes=0 if lanes is None else lanes,
            threads=0 if threads is None else threads,
            stages=stages,
            outlines=outlines,
            onnxruntime=onnxruntime_library(),
            tensorrt="" if tensorrt is None else tensorrt,
            library_folders=tensorrt_folders(),
            allow_engine_code=allow_engine_code,
        )

        def refuse_early() -> None:  # before minutes of building: what a CPU refuses too
            opened(model, device="cpu", max_batch=0, log=None).close()

        built = {"max_batch": max_batch, "resize": None if resize == "auto" else resize, "tensorrt": tensorrt}
        path = file_to_open(model, where, precision, on_build, refuse_early, **built)
        self._core = opened(path, device=where, max_batch=0 if max_batch is None else max_batch, log=_log)
        if gpu_is_idle(model, where):
            _log(1, f'{os.fspath(model)} runs on the CPU: device="cuda" would build an engine of it, once, for the GPU')
        self._names = MappingProxyType(self._core.names)
        self._tickets = {}
        self._announcer = Announcer()
        weakref.finalize(self, self._announcer.stop)

    def frame_buffer(self, shape: tuple[int, int] | tuple[int, int, int]) -> npt.NDArray[np.uint8]:
        """Returns an uninitialised frame in page-locked memory, uint8 [H, W, 3], to fill again and again.

        A GPU reads it without a copy by the host; on a CPU it is ordinary memory. Outlives the Segmenter, if need be.

        Args:
            shape: (H, W) or (H, W, 3), pixels.

        Raises:
            InputError: another shape, or a size that is not positive.
        """
        if len(shape) not in {2, 3} or shape[2:] not in {(), (3,)}:
            raise _core.InputError(f"shape is {shape}: it must be (H, W) or (H, W, 3)")
        return self._core.frame_buffer((shape[0], shape[1]))

    def network_ms(self, runs: int, contexts: int = 1, batch: int = 0) -> float:
        """Returns milliseconds an image of the network alone, over `runs` executions on `contexts` lanes at once.

        The limit that the whole pipeline is measured against. `batch`: images an execution, 0: `info["max_batch"]`. A
        CPU has one lane. Waits for the frames in flight; frames sent meanwhile wait.

        Raises:
            InputError: a number is out of range.
        """
        return self._core.network_ms(runs, contexts, batch)

    @property
    def names(self) -> Mapping[int, str]:
        """{class id: name}; empty when nobody named the classes."""
        return self._names

    @property
    def device(self) -> str:
        """What the network runs on: "cpu", "cuda:0"."""
        return str(self._core.info["device"])

    @property
    def info(self) -> Info:
        """Model, device, backend with its library and version, precision, network sizes, slots, lanes, batch, threads.

        And what happened so far: frames finished and the executions that they took, frames that took a slower path
        because a buffer was too small for what they held, device and pinned buffers made, kernel images loaded, graphs
        captured, bytes that came back for the last frame.
        """
        return cast(Info, {**self._core.info, **self._core.counters})

    def close(self) -> None:
        """Frees the model. Waits for the calls and frames in flight; later calls raise. Harmless when repeated.

        Results of tickets stay where they are.
        """
        self._core.close()
        self._announcer.stop()

    def __enter__(self) -> Segmenter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        info = self._core.info
        height, width = info["network_size"]
        closed = ", closed" if self._core.closed else ""
        return f"Segmenter({info['model']!r}, {info['device']}, {info['backend']}, {height}x{width}{closed})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Segmenter cannot be pickled: open the model in each process, or after the fork")
