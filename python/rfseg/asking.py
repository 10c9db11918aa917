"""What a caller may hand to a Segmenter, turned into what the core takes: frames, thresholds, classes, devices."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from rfseg._core import InputError
from rfseg.yuv import YuvFrame


class SupportsDLPack(Protocol):
    """An array in a GPU's memory: torch, CuPy, JAX."""

    def __dlpack__(self, *, stream: Any = ...) -> Any: ...
    def __dlpack_device__(self) -> tuple[Any, int]: ...


class SupportsCudaArray(Protocol):
    """An array in a GPU's memory: Numba, PyNvVideoCodec."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]: ...


class SupportsPillow(Protocol):
    """A Pillow image, as far as it is looked at."""

    mode: str

    @property
    def size(self) -> tuple[int, int]: ...  # noqa: D102


class SupportsVideo(Protocol):
    """As VideoFrame does."""

    @property
    def image(self) -> Any: ...  # noqa: D102
    @property
    def index(self) -> int: ...  # noqa: D102


Frame = npt.NDArray[Any] | SupportsDLPack | SupportsCudaArray | SupportsPillow | SupportsVideo | YuvFrame
Class = int | str
Classes = Class | Iterable[Class]
Threshold = float | Mapping[Any, float]  # {class id or name, or None for all others: score}
Wanted = tuple[float | None, dict[Class, float], list[Class] | None]  # of one frame, as the core takes it


def pixels_of(frame: Any) -> tuple[Any, Literal["rgb", "bgr"] | None]:
    """The array or planes that hold a frame, and its colour order where the frame knows better than the Segmenter."""
    if isinstance(frame, YuvFrame):
        return frame.core, None
    video = sys.modules.get("rfseg.video.frame")
    if video is not None and isinstance(frame, video.VideoFrame):
        return (frame.image.core, None) if isinstance(frame.image, YuvFrame) else (frame.image, "bgr")
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(frame, pillow.Image):
        return np.asarray(frame.convert("RGB")), "rgb"
    return frame, None


def thresholds(threshold: Threshold | None) -> tuple[float | None, dict[Class, float]]:
    """The score for all classes, None where nobody says it, and those of single classes."""
    if not isinstance(threshold, Mapping):
        return threshold, {}
    base = threshold.get(None)
    if base is None and isinstance(threshold, defaultdict) and threshold.default_factory is not None:
        base = threshold.default_factory()
    return base, {_key(key): score for key, score in threshold.items() if key is not None}


def asked(threshold: Threshold | None, classes: Classes | None) -> Wanted | None:
    """What one frame asks for, as the core takes it; None for nothing."""
    if threshold is None and classes is None:
        return None
    if isinstance(classes, (str, int, np.integer)):
        classes = [classes]
    if classes is not None and not isinstance(classes, Iterable):
        raise InputError(f"classes is {classes!r}: it must be a class or several, each an id or a name")
    return (*thresholds(threshold), None if classes is None else [_key(one) for one in classes])


def _key(key: Any) -> Class:
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        return int(key)
    if isinstance(key, str):
        return key
    raise InputError(f"a class is an id or a name, got {key!r}")


def device_text(device: str | int | Sequence[str | int]) -> str:
    """`0` is "cuda:0"; a list names several GPUs."""
    if isinstance(device, (int, np.integer)) and not isinstance(device, bool):
        return f"cuda:{device}"
    if isinstance(device, str):
        return device
    if isinstance(device, Sequence) and not isinstance(device, (bytes, bytearray)) and device:
        return ",".join(device_text(one) for one in device)
    raise InputError(
        f'device is {device!r}: it must be "auto", "cpu", "cuda", "cuda:N", N, "cuda:all" or a list of GPUs'
    )
