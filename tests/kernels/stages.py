"""The host's side of the GPU stages, in NumPy: which tables go up, what each launch is given, what comes back.

The readable twin of the C++ host. Owns the packing and the order of launches; knows neither the formulas that the
kernels compute nor what a device is: Triton's interpreter and a real GPU both serve.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from triton_kernels import abi

from reference.preprocess import bilinear_axis, normalise, pil_axis, vertical_pass_first

POISON = 0xA5  # fills what a kernel has to write


class Device(Protocol):
    """Memory and launches."""

    def buffer(self, size: int, host: bool = False) -> Any:
        """`size` bytes, poisoned; `host`: mapped host memory. Supports `buffer + offset` in bytes."""

    def write(self, buffer: Any, values: NDArray[Any]) -> None:
        """Copies a C-contiguous array to the start of `buffer`."""

    def read(self, buffer: Any, dtype: Any, count: int) -> NDArray[Any]:
        """The first `count` elements."""

    def launch(self, launch: Launch) -> None:
        """Runs one launch to its end."""


@dataclass(frozen=True)
class Launch:
    """One kernel of signatures.KERNELS and what it is given: buffers and numbers, in the order of its argument list."""

    kernel: str
    grid: int
    arguments: tuple[Any, ...]


def upload(device: Device, values: NDArray[Any]) -> Any:
    """A new buffer with these bytes."""
    values = np.ascontiguousarray(values)
    buffer = device.buffer(values.nbytes)
    device.write(buffer, values)
    return buffer


def packed_pil_axis(size_in: int, size_out: int) -> tuple[int, NDArray[np.int32]]:
    """Taps per result and the packed table of one axis; one tap of weight 2^22 where nothing changes."""
    axis = [(o, np.array([1 << 22])) for o in range(size_out)] if size_in == size_out else pil_axis(size_in, size_out)
    taps = max(len(weights) for _, weights in axis)
    first = [first for first, _ in axis]
    count = [len(weights) for _, weights in axis]
    weight = np.stack([np.pad(weights, (0, taps - len(weights))) for _, weights in axis])
    return taps, np.concatenate([first, count, weight.reshape(-1)]).astype(np.int32)


def packed_bilinear_axis(size_in: int, size_out: int) -> NDArray[np.int32]:
    """The packed table of one axis."""
    i0, i1, l0, l1 = bilinear_axis(size_in, size_out, fused=False)
    return np.concatenate([i0.astype(np.int32), i1.astype(np.int32), l0.view(np.int32), l1.view(np.int32)])


def normalised_bytes() -> NDArray[np.float32]:
    """[3, 256] by channel and byte."""
    unit = np.arange(256, dtype=np.float32) / np.float32(255)
    return normalise(np.stack([unit] * 3, axis=-1)[None])[:, 0]


def upload_frame(device: Device, frame: NDArray[np.uint8]) -> tuple[Any, int, int, int]:
    """The source arguments of a view with any strides, uploaded with the memory that it lies in."""
    spans = [(size - 1) * stride for size, stride in zip(frame.shape, frame.strides, strict=True)]
    first = -sum(span for span in spans if span < 0)  # bytes of the memory before the top left pixel
    size = first + sum(span for span in spans if span > 0) + 1
    memory = np.frombuffer(ctypes.string_at(frame.ctypes.data - first, size), np.uint8)
    return (upload(device, memory) + first, *frame.strides)


def resize_launches(
    device: Device, frame: NDArray[np.uint8], network: tuple[int, int], bgr: bool = True, half: bool = False
) -> tuple[list[Launch], Any]:
    """The passes of resize="pil" that turn `frame` [Hs, Ws, 3] into the network's input, and the input's buffer."""
    height, width = frame.shape[:2]
    source = upload_frame(device, frame)
    normalised = upload(device, normalised_bytes())
    target = device.buffer(3 * network[0] * network[1] * (2 if half else 4))
    tables = {}
    for down, size_in, size_out in ((False, width, network[1]), (True, height, network[0])):
        taps, table = packed_pil_axis(size_in, size_out)
        tables[down] = (upload(device, table), taps)

    passes = [down for down in (False, True) if frame.shape[0 if down else 1] != network[0 if down else 1]] or [False]
    if len(passes) == 2 and vertical_pass_first((height, width), network):
        passes.reverse()
    launches = []
    for down in passes[:-1]:
        height, width = (network[0], width) if down else (height, network[1])
        packed = device.buffer(height * width * 3)
        name = "resize_y" if down else "resize_x"
        arguments = (*source, *tables[down], height, width, packed, normalised, 0, 0)
        launches.append(Launch(name, abi.resize_grid(height, width), arguments))
        source = (packed, width * 3, 3, 1)
    name = "resize_y_final" if passes[-1] else "resize_x_final"
    arguments = (*source, *tables[passes[-1]], *network, target, normalised, int(bgr), int(half))
    return [*launches, Launch(name, abi.resize_grid(*network), arguments)], target


def bilinear_launches(
    device: Device, frame: NDArray[np.uint8], network: tuple[int, int], bgr: bool = True, half: bool = False
) -> tuple[list[Launch], Any]:
    """The same for resize="bilinear"."""
    target = device.buffer(3 * network[0] * network[1] * (2 if half else 4))
    axes = [upload(device, packed_bilinear_axis(frame.shape[i], network[i])) for i in (1, 0)]
    arguments = (*upload_frame(device, frame), *axes, *network, target, int(bgr), int(half))
    return [Launch("resize_bilinear", abi.resize_grid(*network), arguments)], target


def select_launch(
    device: Device, labels: NDArray[Any], dets: NDArray[Any], logit_cut: NDArray[np.float32], max_detections: int
) -> tuple[Launch, Any]:
    """The launch of select, and the buffer of its Selection."""
    selection = device.buffer(abi.struct_size("Selection"))
    kept = logit_cut[~np.isnan(logit_cut)]
    arguments = (
        *(upload(device, labels), int(labels.dtype == np.float16)),
        *(upload(device, dets), int(dets.dtype == np.float16)),
        *labels.shape,
        upload(device, logit_cut.astype(np.float32)),
        float(kept.min()) if kept.size else math.nan,
        max_detections,
        selection,
    )
    return Launch("select", 1, arguments), selection


@dataclass(frozen=True)
class MaskOutputs:
    """Mapped host memory that mask_runs writes."""

    hand_back: Any
    toggles: Any


def mask_launches(
    device: Device,
    masks: NDArray[Any],
    selection: Any,
    slots: int,
    image_size: tuple[int, int],
    toggle_capacity: int,
    programs: int,
) -> tuple[list[Launch], MaskOutputs]:
    """mask_count and mask_runs for a frame of `image_size` with at most `slots` mask slots."""
    height, width = image_size
    axis_y = packed_bilinear_axis(masks.shape[1], height)
    node_row = np.searchsorted(axis_y[:height], np.arange(masks.shape[1] + 1)).astype(np.int32)
    outputs = MaskOutputs(device.buffer(abi.struct_size("HandBack"), True), device.buffer(4 * toggle_capacity, True))
    arguments = (
        *(upload(device, masks), int(masks.dtype == np.float16), *masks.shape[1:]),
        *(upload(device, table) for table in (packed_bilinear_axis(masks.shape[2], width), axis_y, node_row)),
        *(height, width, selection),
        device.buffer(abi.mask_nodes_bytes(programs, masks.shape[1])),
        device.buffer(abi.column_toggles_bytes(slots, width)),
        device.buffer(4 * toggle_capacity),
        toggle_capacity,
        *(outputs.hand_back, outputs.toggles),
    )
    return [Launch(name, programs, arguments) for name in ("mask_count", "mask_runs")], outputs


RECORD = np.dtype([(f.name, np.float32 if f.c_type == "float" else np.int32) for f in abi.STRUCTS["Record"]])


def read_fields(device: Device, buffer: Any, struct: str) -> dict[str, NDArray[Any]]:
    """All fields of a struct by name, the header's own among them."""
    fields: dict[str, NDArray[Any]] = {}
    for field in abi.STRUCTS[struct]:
        place = buffer + abi.byte_offset(struct, field.name)
        if field.c_type == "SelectionHeader":
            fields |= read_fields(device, place, "SelectionHeader")
        else:
            fields[field.name] = device.read(place, RECORD if field.c_type == "Record" else np.int32, field.count)
    return fields
