"""What a Segmenter says of itself."""

from __future__ import annotations

from typing import Literal, TypedDict


class Info(TypedDict):
    """Model, device and network; and, from `frames` on, what happened so far on all devices together.

    Attributes:
        model: path.
        device: "cpu", "cuda:0", "cuda:0,cuda:1".
        backend: "onnxruntime" or "tensorrt".
        library_version: of the backend.
        library_path: of the backend.
        precision: of the weights, "float32", "float16", "int8", "mixed"; of an engine that states none, of its masks.
        input_precision: of its input.
        network_size: (height, width) of its input, pixels.
        mask_size: (height, width) of its mask grid.
        queries: Q.
        columns: C, class columns.
        places: pairs of query and class that are kept before the threshold.
        slots: frames in flight, on each GPU.
        lanes: executions at once, on each GPU.
        min_batch: images that an execution takes at least; missing ones are filled up.
        max_batch: images that an execution takes at most.
        threads: as the constructor takes it.
        resize: how frames are stretched, "pil" or "bilinear".
        mean: of red, green and blue, which pixel / 255 is normalised by.
        std: likewise.
        producer: what wrote the file, as it says; empty where it does not.
        gpu: names and compute capabilities; "" on a CPU.
        stages: "device" or "host".
        frames: finished.
        batches: executions that they took.
        slow_frames: took a slower path because a buffer was too small for what they held.
        device_allocations: device and pinned buffers made.
        module_loads: kernel images loaded.
        captures: graphs captured.
        bytes_back: that the device wrote for the frame finished last.
        assumed_colors: frames of planes whose matrix or range nobody stated.
    """

    model: str
    device: str
    backend: str
    library_version: str
    library_path: str
    precision: str
    input_precision: str
    network_size: tuple[int, int]
    mask_size: tuple[int, int]
    queries: int
    columns: int
    places: int
    slots: int
    lanes: int
    min_batch: int
    max_batch: int
    threads: int
    resize: Literal["pil", "bilinear"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    producer: str
    gpu: str
    stages: str
    frames: int
    batches: int
    slow_frames: int
    device_allocations: int
    module_loads: int
    captures: int
    bytes_back: int
    assumed_colors: int
