"""The Segmenter: a model, ready to turn frames into results."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rfseg import _core
from rfseg.libraries import onnxruntime_library, tensorrt_folders
from rfseg.masks import Masks, OutlineMode
from rfseg.result import Result

Frame = npt.NDArray[np.uint8]  # [H, W, 3]
Threshold = float | Mapping[int | str, float]
Names = Sequence[str] | Mapping[int, str] | os.PathLike[str] | str

_DEFAULT_THRESHOLD = 0.5
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
_logger = logging.getLogger("rfseg")
_logger.addHandler(logging.NullHandler())


def _log(level: int, sentence: str) -> None:
    _logger.log(_LEVELS[level], sentence)


class Segmenter:
    """Runs one RF-DETR segmentation model. One thread at a time; distinct objects are independent.

    Example:
        >>> with rfseg.Segmenter("model.onnx") as seg:
        ...     for result in seg.stream(frames):
        ...         print(result.class_name, result.polygons())
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str | int = "auto",
        threshold: Threshold = _DEFAULT_THRESHOLD,
        max_detections: int = 300,
        color: Literal["bgr", "rgb"] = "bgr",
        resize: Literal["auto", "pil", "bilinear"] = "auto",
        names: Names | None = None,
        slots: int | None = None,
        threads: int | None = None,
        outlines: OutlineMode | None = None,
        stages: Literal["device", "host"] = "device",
        tensorrt: str | os.PathLike[str] | None = None,
        allow_engine_code: bool = False,
    ) -> None:
        """Opens a model and waits until it is loaded.

        Args:
            model: an `.onnx` file for a CPU, a TensorRT engine (`.engine`, `.plan`, `.trt`) for a GPU.
            device: "auto", "cpu", "cuda", "cuda:N" or N. An explicit device never falls back.
            threshold: score above which an instance is kept, 0..1; or {class id or name: score}, with 0.5 for the
                classes not listed.
            max_detections: at most this many instances a frame, the best ones.
            color: channel order of the caller's frames.
            resize: "pil" (antialiased, as Pillow and rfdetr up to 1.8), "bilinear" (as rfdetr 1.9 and later), or
                "auto": what the model's file says, else "pil", which is logged.
            names: a list (0-based), {id: name}, "coco" or a file (JSON, data.yaml, one name a line); default: what the
                model says, else `model.names.json` or `class_names.txt` beside it.
            slots: frames in flight; default 2 on a CPU, 6 on a GPU.
            threads: on a CPU, of the network, default: physical cores; on a GPU, threads that help to copy frames and
                trace outlines.
            outlines: outlines to trace before a result is handed out; default: when they are first asked for.
            stages: on a GPU, "device": everything runs there; "host": all but the network runs on the host, for
                debugging and comparing.
            tensorrt: on a GPU, path of the library (`libnvinfer.so.10`); default: the environment variable
                RFSEG_TENSORRT, then the folders of NVIDIA's pip packages, then the system's loader.
            allow_engine_code: let an engine run machine code that it carries, as version-compatible ones may. Only for
                files you trust.

        Raises:
            ModelError: the file is missing or is not an RF-DETR segmentation network.
            BackendError: no usable library or device; says which were tried and why each was refused.
            InputError: an option is out of range, or names do not fit the class columns.
        """
        by_class: dict[int | str, float] = dict(threshold) if isinstance(threshold, Mapping) else {}
        self._core = _core.Segmenter(
            model,
            device=device,
            threshold=_DEFAULT_THRESHOLD if isinstance(threshold, Mapping) else threshold,
            class_thresholds=by_class,
            max_detections=max_detections,
            color=color,
            resize=resize,
            names=names,
            slots=0 if slots is None else slots,
            threads=0 if threads is None else threads,
            stages=stages,
            outlines=outlines,
            onnxruntime=onnxruntime_library(),
            tensorrt="" if tensorrt is None else tensorrt,
            library_folders=tensorrt_folders(),
            allow_engine_code=allow_engine_code,
            log=_log,
        )
        self._names = self._core.names

    def infer(self, frame: Frame) -> Result:
        """Segments one frame and waits for the result.

        Args:
            frame: uint8 [H, W, 3] in the Segmenter's color order, any strides. Not kept. On a GPU also an array in
                its memory that offers `__dlpack__` or `__cuda_array_interface__`; its producer's stream is honoured.

        Raises:
            InputError: the frame cannot be used (the message says how to fix it), or submitted frames wait.
        """
        return self._result(self._core.infer(frame))

    def stream(self, frames: Iterable[Frame]) -> Iterator[Result]:
        """Segments frames in order with several in flight, and yields one Result a frame.

        When `frames` or a frame fails, the results of the frames before it come first, then the error. Leaving the
        loop early waits for the frames in flight and drops them.

        Raises:
            InputError: a frame cannot be used, or submitted frames wait.
        """
        if self._core.pending:
            raise _core.InputError(
                f"{self._core.pending} submitted frames wait for collect(): stream() would overtake them"
            )
        return self._stream(iter(frames))

    def _stream(self, frames: Iterator[Frame]) -> Iterator[Result]:
        slots = self._core.info["slots"]
        failure: Exception | None = None
        try:
            while failure is None:
                try:
                    frame = next(frames)
                except StopIteration:
                    break
                except Exception as error:
                    failure = error
                    break
                if self._core.pending == slots:
                    yield self.collect()
                try:
                    self._core.submit(frame)
                except Exception as error:
                    failure = error
            while self._core.pending:
                yield self.collect()
        finally:
            if not self._core.closed:
                self._core.discard_pending()
        if failure is not None:
            raise failure

    def submit(self, frame: Frame) -> None:
        """Starts one frame; waits only while the frame is read. Not kept.

        Raises:
            InputError: the frame cannot be used, or as many frames are in flight as there are slots.
        """
        self._core.submit(frame)

    def collect(self) -> Result:
        """Returns the result of the oldest frame in flight; waits for it.

        Raises:
            InputError: nothing is in flight.
        """
        return self._result(self._core.collect())

    def frame_buffer(self, shape: tuple[int, int] | tuple[int, int, int]) -> Frame:
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

    def network_ms(self, runs: int, contexts: int = 1) -> float:
        """Returns milliseconds a frame of the network alone, over `runs` frames on `contexts` contexts at once.

        The limit that the whole pipeline is measured against. A CPU has one context. Waits.

        Raises:
            InputError: frames are in flight, or a number is out of range.
        """
        return self._core.network_ms(runs, contexts)

    @property
    def names(self) -> dict[int, str]:
        """{class id: name}; empty when nobody named the classes."""
        return self._names

    @property
    def device(self) -> str:
        """What the network runs on: "cpu", "cuda:0"."""
        return str(self._core.info["device"])

    @property
    def info(self) -> dict[str, Any]:
        """Model, device, backend with its library and version, precision, network sizes, resize, slots, threads.

        On a GPU also its name, and what happened so far: frames that took a slower path because a buffer was too small
        for what they held, device and pinned buffers made, kernel images loaded, bytes that came back for the last
        frame.
        """
        return {**self._core.info, **(self._core.counters if "gpu" in self._core.info else {})}

    def close(self) -> None:
        """Frees the model; waits for the frames in flight and drops them. Harmless when repeated."""
        self._core.close()

    def __enter__(self) -> Segmenter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _result(self, columns: _core.Columns) -> Result:
        xyxy, confidence, class_id, masks, image_size, speed = columns
        return Result(xyxy, confidence, class_id, Masks(masks), image_size, self._names, speed)
