"""RF-DETR instance segmentation: exact masks and polygons at the speed of the network.

Example:
    >>> import rfseg
    >>> seg = rfseg.Segmenter("model.onnx")
    >>> result = seg.infer(frame)  # uint8 [H, W, 3], BGR
    >>> result.xyxy, result.confidence, result.class_id, result.polygons()
"""

from __future__ import annotations

from rfseg import ops
from rfseg._core import BackendError, CudaError, Error, InputError, ModelError
from rfseg._core import version as __version__
from rfseg.formats.records import read_jsonl
from rfseg.masks import Masks, OutlineMode
from rfseg.paths import get_cmake_dir, get_include
from rfseg.result import Result
from rfseg.segmenter import Segmenter
from rfseg.tickets import Ticket

__all__ = [
    "BackendError",
    "CudaError",
    "Error",
    "InputError",
    "Masks",
    "ModelError",
    "OutlineMode",
    "Result",
    "Segmenter",
    "Ticket",
    "__version__",
    "get_cmake_dir",
    "get_include",
    "ops",
    "read_jsonl",
]
