"""The host's side of the GPU stages, in NumPy: an image's FrameParams, what each launch is given, what comes back.

The readable twin of the C++ host. Owns the packing and the order of launches; knows neither the formulas that the
kernels compute nor what a device is: Triton's interpreter and a real GPU both serve.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
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

    def address(self, buffer: Any) -> int:
        """Where the kernels find it."""

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
    """Taps per result and the packed table of one axis, as FrameParams says; an identity axis where nothing changes."""
    axis = [(o, np.array([1 << 22])) for o in range(size_out)] if size_in == size_out else pil_axis(size_in, size_out)
    taps = max(len(weights) for _, weights in axis)
    first = np.array([min(first, size_in - taps) for first, _ in axis])
    weight = np.zeros((taps, size_out), np.int64)
    for o, (start, weights) in enumerate(axis):
        weight[start - first[o] :, o][: len(weights)] = weights
    return taps, np.concatenate([first, weight.reshape(-1)]).astype(np.int32)


def packed_bilinear_axis(size_in: int, size_out: int) -> NDArray[np.int32]:
    """The packed table of one axis."""
    i0, i1, l0, l1 = bilinear_axis(size_in, size_out, fused=False)
    return np.concatenate([i0.astype(np.int32), i1.astype(np.int32), l0.view(np.int32), l1.view(np.int32)])


def normalised_bytes() -> NDArray[np.float32]:
    """[3, 256] by channel and byte."""
    unit = np.arange(256, dtype=np.float32) / np.float32(255)
    return normalise(np.stack([unit] * 3, axis=-1)[None])[:, 0]


Members = dict[str, Any]  # of FrameParams: numbers and buffers by name
ABSENT: Members = {"passes": 0, "least_cut": np.array(np.nan, np.float32), "hand_back": 0}


def upload_params(device: Device, images: Sequence[Members | None]) -> Any:
    """FrameParams of a batch; None where there is no image. What is not given is poisoned."""
    poison = int.from_bytes(bytes([POISON] * 8), "little", signed=True)
    names = [field.name for field in abi.STRUCTS["FrameParams"]]
    words = np.full((len(images), len(names)), poison, np.int64)
    for image, members in enumerate(images):
        for name, value in (ABSENT if members is None else members).items():
            word = value if isinstance(value, int) else device.address(value) if name != "least_cut" else _bits(value)
            words[image, names.index(name)] = word
    return upload(device, words)


def _bits(value: NDArray[np.float32]) -> int:
    return int(value.view(np.uint32))


def source_members(device: Device, frame: NDArray[np.uint8], bgr: bool) -> Members:
    """Of a view [Hs, Ws, 3] with any strides, uploaded with the memory that it lies in."""
    spans = [(size - 1) * stride for size, stride in zip(frame.shape, frame.strides, strict=True)]
    first = -sum(span for span in spans if span < 0)  # bytes of the memory before the top left pixel
    size = first + sum(span for span in spans if span > 0) + 1
    memory = np.frombuffer(ctypes.string_at(frame.ctypes.data - first, size), np.uint8)
    strides = dict(zip(("row_bytes", "pixel_bytes", "channel_bytes"), frame.strides, strict=True))
    size_px = dict(zip(("height", "width"), frame.shape, strict=False))
    return {"source": upload(device, memory) + first, **strides, **size_px, "bgr": int(bgr), "sample_bytes": 0}


def resize_members(device: Device, source: tuple[int, int], network: tuple[int, int]) -> Members:
    """Of resize="pil": its tables, its passes and what they have between them."""
    (height, width), (to_height, to_width) = source, network
    taps_x, table_x = packed_pil_axis(width, to_width)
    taps_y, table_y = packed_pil_axis(height, to_height)
    members: Members = {"resize_x": upload(device, table_x), "taps_x": taps_x}
    members |= {"resize_y": upload(device, table_y), "taps_y": taps_y}
    if width == to_width or height == to_height:
        return members | {"passes": 1, "last_down": int(height != to_height)}
    down = vertical_pass_first(source, network)
    between = (to_height, width) if down else (height, to_width)
    members |= {"between": device.buffer(3 * between[0] * between[1])}
    members |= dict(zip(("between_height", "between_width"), between, strict=True))
    return members | {"passes": 2, "first_down": int(down), "last_down": int(not down)}


def bilinear_members(device: Device, source: tuple[int, int], network: tuple[int, int]) -> Members:
    """Of resize="bilinear": its tables."""
    tables = [upload(device, packed_bilinear_axis(source[i], network[i])) for i in (0, 1)]
    return {"resize_y": tables[0], "resize_x": tables[1], "passes": 1}


def preprocess_members(
    device: Device, frame: Any, network: tuple[int, int], bgr: bool = True, resize: str = "pil"
) -> Members:
    """Of everything before the network; `frame`: packed pixels uint8 [Hs, Ws, 3], or planar.Planar."""
    axes = resize_members if resize == "pil" else bilinear_members
    source = source_members(device, frame, bgr) if isinstance(frame, np.ndarray) else frame.members(device)
    return source | axes(device, (frame.shape[0], frame.shape[1]), network)


def preprocess_launches(
    device: Device, images: Sequence[Members | None], network: tuple[int, int], half: bool, resize: str, programs: int
) -> tuple[list[Launch], Any]:
    """From frames to the network's input, and the input's buffer."""
    params, frames = upload_params(device, images), len(images)
    target = device.buffer(frames * 3 * network[0] * network[1] * (2 if half else 4))
    if resize == "bilinear":
        return [Launch("resize_bilinear", programs, (params, frames, *network, target, int(half)))], target
    last = (params, frames, *network, target, upload(device, normalised_bytes()), int(half))
    return [Launch("resize_first", programs, (params, frames)), Launch("resize_last", programs, last)], target


def gather_launch(device: Device, frame: NDArray[np.uint8], programs: int) -> tuple[Launch, Any]:
    """The launch that packs a frame, and the packed frame."""
    source = source_members(device, frame, False)
    packed = device.buffer(frame.size)
    names = ("source", "row_bytes", "pixel_bytes", "channel_bytes", "height", "width")
    return Launch("gather", programs, (*(source[name] for name in names), packed)), packed


def gather_rows_launch(device: Device, rows: NDArray[np.uint8], programs: int) -> tuple[Launch, Any]:
    """The launch that packs a plane, bytes [H, L] whose rows may lie anyhow, and the packed plane."""
    source = source_members(device, rows[..., None], False)
    packed = device.buffer(rows.size)
    arguments = (source["source"], rows.strides[0], rows.shape[1], rows.shape[0], packed)
    return Launch("gather_rows", programs, arguments), packed


def select_members(device: Device, logit_cut: NDArray[np.float32], max_detections: int) -> Members:
    """What select is asked: the cut of each column [C], NaN where the column is dropped."""
    kept = logit_cut[~np.isnan(logit_cut)]
    least = np.array(kept.min() if kept.size else np.nan, np.float32)
    cuts = upload(device, logit_cut.astype(np.float32))
    return {"logit_cut": cuts, "least_cut": least, "max_detections": max_detections}


def select_launch(device: Device, params: Any, labels: NDArray[Any], dets: NDArray[Any]) -> tuple[Launch, Any]:
    """The launch for labels [B, Q, C] and dets [B, Q, 4], and the buffer of the Selections."""
    selection = device.buffer(len(labels) * abi.struct_size("Selection"))
    arguments = (
        params,
        *(upload(device, labels), int(labels.dtype == np.float16)),
        *(upload(device, dets), int(dets.dtype == np.float16)),
        *labels.shape[1:],
        selection,
    )
    return Launch("select", len(labels), arguments), selection


def mask_members(
    device: Device, image_size: tuple[int, int], mask_size: tuple[int, int], slots: int, toggle_capacity: int
) -> Members:
    """Of what follows select: tables, scratch for at most `slots` mask slots, and the host's memory."""
    height, width = image_size
    axis_y = packed_bilinear_axis(mask_size[0], height)
    node_row = np.searchsorted(axis_y[:height], np.arange(mask_size[0] + 1)).astype(np.int32)
    return {
        "height": height,
        "width": width,
        "mask_x": upload(device, packed_bilinear_axis(mask_size[1], width)),
        "mask_y": upload(device, axis_y),
        "node_row": upload(device, node_row),
        "column_toggles": device.buffer(abi.column_toggles_bytes(slots, width)),
        "toggles": device.buffer(4 * toggle_capacity),
        "toggle_capacity": toggle_capacity,
        "hand_back": device.buffer(abi.struct_size("HandBack"), True),
        "host_toggles": device.buffer(4 * toggle_capacity, True),
    }


def mask_launches(device: Device, params: Any, masks: NDArray[Any], selection: Any, programs: int) -> list[Launch]:
    """mask_count and mask_runs for masks [B, Q, Hm, Wm]."""
    frames, queries, *mask_size = masks.shape
    half = int(masks.dtype == np.float16)
    arguments = (params, frames, upload(device, masks), half, *mask_size, queries, selection)
    return [Launch(name, programs, arguments) for name in ("mask_count", "mask_runs")]


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
