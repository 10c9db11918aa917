"""RF-DETR instance segmentation: exact masks and polygons at the speed of the network.

Example:
    >>> import rfseg
    >>> seg = rfseg.Segmenter("model.onnx")
    >>> result = seg.infer(frame)  # uint8 [H, W, 3], BGR
    >>> result.xyxy, result.confidence, result.class_id, result.polygons()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rfseg import ops
from rfseg._core import BackendError, CudaError, Error, InputError, ModelError
from rfseg._core import version as __version__
from rfseg.formats.records import read_jsonl
from rfseg.masks import Masks, OutlineMode
from rfseg.paths import get_cmake_dir, get_include
from rfseg.result import Result
from rfseg.segmenter import Segmenter
from rfseg.tickets import Ticket
from rfseg.yuv import YuvFrame

if TYPE_CHECKING:
    from rfseg.engines.build import build
    from rfseg.engines.build_report import BuildReport
    from rfseg.engines.doctor import doctor
    from rfseg.engines.report import VerifyReport
    from rfseg.engines.verify import verify
    from rfseg.video.frame import VideoFrame
    from rfseg.video.reader import VideoReader, open_video

# Imported when first asked for: an `import rfseg` that only runs networks stays light.
_LATER = {
    "BuildReport": "rfseg.engines.build_report",
    "VerifyReport": "rfseg.engines.report",
    "VideoFrame": "rfseg.video.frame",
    "VideoReader": "rfseg.video.reader",
    "build": "rfseg.engines.build",
    "doctor": "rfseg.engines.doctor",
    "open_video": "rfseg.video.reader",
    "verify": "rfseg.engines.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'rfseg' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


__all__ = [
    "BackendError",
    "BuildReport",
    "CudaError",
    "Error",
    "InputError",
    "Masks",
    "ModelError",
    "OutlineMode",
    "Result",
    "Segmenter",
    "Ticket",
    "VerifyReport",
    "VideoFrame",
    "VideoReader",
    "YuvFrame",
    "__version__",
    "build",
    "doctor",
    "get_cmake_dir",
    "get_include",
    "open_video",
    "ops",
    "read_jsonl",
    "verify",
]
