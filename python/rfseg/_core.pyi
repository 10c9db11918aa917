import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rfseg.masks import Outlines

version: str

class Error(RuntimeError): ...
class ModelError(Error): ...
class BackendError(Error): ...
class CudaError(Error): ...
class InputError(Error, ValueError): ...

Columns = tuple[
    npt.NDArray[np.float32],
    npt.NDArray[np.float32],
    npt.NDArray[np.int32],
    Masks,
    tuple[int, int],
    dict[str, float],
]

class Masks:
    @staticmethod
    def from_columns(
        size: tuple[int, int],
        runs: npt.NDArray[np.int32],
        offsets: npt.NDArray[np.int64],
        mask_of_instance: npt.NDArray[np.int32],
    ) -> Masks: ...
    @staticmethod
    def from_dense(pixels: npt.NDArray[np.bool_]) -> Masks: ...
    @staticmethod
    def from_coco(size: tuple[int, int], counts: Sequence[bytes | str]) -> Masks: ...
    def __len__(self) -> int: ...
    @property
    def image_size(self) -> tuple[int, int]: ...
    def dense(self) -> npt.NDArray[np.bool_]: ...
    def area(self) -> npt.NDArray[np.int64]: ...
    def bounds(self) -> npt.NDArray[np.int32]: ...
    def coco(self) -> list[bytes]: ...
    def polygons(self, mode: str) -> list[Outlines]: ...
    def iou(self, other: Masks) -> npt.NDArray[np.float64]: ...
    def select(self, indices: Sequence[int]) -> Masks: ...
    def columns(
        self,
    ) -> tuple[tuple[int, int], npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int32]]: ...

def preprocess(
    frame: npt.NDArray[np.uint8], size: tuple[int, int], color: str, resize: str
) -> npt.NDArray[np.float32]: ...
def postprocess(
    dets: npt.NDArray[np.float32],
    labels: npt.NDArray[np.float32],
    masks: npt.NDArray[np.float32],
    image_size: tuple[int, int],
    threshold: float,
    max_detections: int,
    num_classes: int | None,
) -> Columns: ...

class Segmenter:
    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str | int,
        threshold: float,
        class_thresholds: Mapping[int | str, float],
        max_detections: int,
        color: str,
        resize: str,
        names: Sequence[str] | Mapping[int, str] | str | os.PathLike[str] | None,
        slots: int,
        threads: int,
        stages: str,
        outlines: str | None,
        onnxruntime: str,
        tensorrt: str | os.PathLike[str],
        library_folders: Sequence[str],
        allow_engine_code: bool,
        log: Callable[[int, str], None] | None,
    ) -> None: ...
    def infer(self, frame: object) -> Columns: ...
    def infer_with_tensors(
        self, frame: object
    ) -> tuple[
        Columns,
        npt.NDArray[np.float32],
        npt.NDArray[np.float32],
        npt.NDArray[np.float32],
        npt.NDArray[np.float32],
    ]: ...
    def postprocess_tensors(
        self,
        dets: npt.NDArray[np.float32],
        labels: npt.NDArray[np.float32],
        masks: npt.NDArray[np.float32],
        image_size: tuple[int, int],
    ) -> Columns: ...
    def frame_buffer(self, size: tuple[int, int]) -> npt.NDArray[np.uint8]: ...
    @property
    def counters(self) -> dict[str, int]: ...
    def network_ms(self, runs: int, contexts: int) -> float: ...
    def submit(self, frame: object) -> None: ...
    def collect(self) -> Columns: ...
    def discard_pending(self) -> None: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...
    @property
    def pending(self) -> int: ...
    @property
    def names(self) -> dict[int, str]: ...
    @property
    def info(self) -> dict[str, object]: ...
