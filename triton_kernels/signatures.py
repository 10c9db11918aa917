"""The kernels that are compiled: their argument lists, compile-time constants and warps.

The single source of the lists: build.py compiles from them and checks every image against them, cpp_header.py writes
them down for C++. Knows no Triton.
"""

from __future__ import annotations

from dataclasses import dataclass

from triton_kernels import abi

HIDDEN_PARAMETERS = ("pointer", "pointer")  # Triton's global scratch and profile scratch, unused by these kernels
PARAMETER_BYTES = {"pointer": 8, "i32": 4, "i64": 8, "fp32": 4}


@dataclass(frozen=True)
class Argument:
    """One parameter of a kernel, in Triton's spelling of its type ("*u8", "i32")."""

    name: str
    type: str
    note: str = ""

    @property
    def size(self) -> int:
        """Bytes in the parameter list."""
        return PARAMETER_BYTES["pointer" if self.type.startswith("*") else self.type]


@dataclass(frozen=True)
class Kernel:
    """A kernel: one source function with its compile-time constants fixed.

    Attributes:
        module: file of this folder that holds the function.
        function: its name, also the entry name of the images.
        arguments: run-time arguments in order.
        constants: compile-time arguments by name.
        warps: of 32 threads each, in one program.
        registers: of a thread, at most: the compiler would take more and fewer programs would fit an SM. 0: any number.
        note: what it does.
    """

    module: str
    function: str
    arguments: tuple[Argument, ...]
    constants: dict[str, int]
    warps: int
    registers: int
    note: str

    @property
    def parameter_bytes(self) -> tuple[int, ...]:
        """Size of each parameter of a compiled image, the hidden ones included."""
        return tuple(a.size for a in self.arguments) + tuple(PARAMETER_BYTES[h] for h in HIDDEN_PARAMETERS)


_BATCH = (
    Argument("params", "*i64", "FrameParams[frames]"),
    Argument("frames", "i32", "images of the batch, those that are not there included"),
)
_NETWORK_SIZE = (Argument("height", "i32", "of the network's input, px"), Argument("width", "i32"))
_INPUT = Argument("input", "*fp32", "float32 or float16 [frames, 3, height, width], RGB")
_INPUT_HALF = Argument("half", "i32", "the network's input is float16: 1, float32: 0")
_MASK_ARGUMENTS = (
    *_BATCH,
    Argument("masks", "*fp32", "[frames, Q, mask_height, mask_width] logits"),
    Argument("masks_half", "i32", "they are float16: 1, float32: 0"),
    Argument("mask_height", "i32"),
    Argument("mask_width", "i32"),
    Argument("queries", "i32", "Q"),
    Argument("selection", "*i32", "Selection[frames]"),
)
_MASK_SIZES = {"COLUMNS": abi.MASK_COLUMNS, "CELLS": abi.MASK_CELLS}
_PASS_SIZES = {
    "ACROSS_BYTES": abi.ACROSS_BYTES,
    "DOWN_BYTES": abi.DOWN_BYTES,
    "PLANE_RESULTS": abi.PLANE_RESULTS,
}

KERNELS: dict[str, Kernel] = {
    "resize_first": Kernel(
        "resize_pass",
        "resize_first",
        _BATCH,
        _PASS_SIZES,
        4,
        64,
        "First pass of the antialiased resize, of the images that take two, to bytes.",
    ),
    "resize_last": Kernel(
        "resize_pass",
        "resize_last",
        (
            *_BATCH,
            *_NETWORK_SIZE,
            _INPUT,
            Argument("normalised", "*fp32", "[3][256] by channel (0 red) and byte"),
            _INPUT_HALF,
        ),
        _PASS_SIZES,
        4,
        64,
        "Last or only pass, normalised into the network's input.",
    ),
    "resize_bilinear": Kernel(
        "resize_bilinear",
        "resize_bilinear",
        (*_BATCH, *_NETWORK_SIZE, _INPUT, _INPUT_HALF),
        {"BYTES": abi.BILINEAR_BYTES, "PLANE_RESULTS": abi.PLANE_RESULTS},
        4,
        0,
        'The whole resize="bilinear".',
    ),
    "select": Kernel(
        "select",
        "select",
        (
            _BATCH[0],
            Argument("labels", "*fp32", "[frames, queries, columns] logits"),
            Argument("labels_half", "i32", "they are float16: 1, float32: 0"),
            Argument("dets", "*fp32", "[frames, queries, 4]"),
            Argument("dets_half", "i32"),
            Argument("queries", "i32", "at most kMaxQueries"),
            Argument("columns", "i32"),
            Argument("selection", "*i32", "Selection[frames]"),
        ),
        {"PAIRS": abi.SELECT_PAIRS},
        16,
        0,
        "Chooses the instances and gives each distinct query a mask slot. Program b has image b: as many as images.",
    ),
    "mask_count": Kernel(
        "mask_runs",
        "mask_pass",
        _MASK_ARGUMENTS,
        {"EMIT": 0, **_MASK_SIZES},
        4,
        80,
        "Counts the toggles of each source column of each slot's mask.",
    ),
    "mask_runs": Kernel(
        "mask_runs",
        "mask_pass",
        _MASK_ARGUMENTS,
        {"EMIT": 1, **_MASK_SIZES},
        4,
        112,
        "Writes the toggles, and hands everything back to the host. Same arguments as mask_count.",
    ),
    "gather": Kernel(
        "gather",
        "gather",
        (
            Argument("source", "*u8", "first channel of the top left pixel"),
            Argument("row_bytes", "i64", "strides; any sign"),
            Argument("pixel_bytes", "i64"),
            Argument("channel_bytes", "i64"),
            Argument("height", "i32", "of the frame, px"),
            Argument("width", "i32"),
            Argument("target", "*u8", "[height, width, 3], packed"),
        ),
        {"BYTES": abi.GATHER_BYTES},
        4,
        0,
        "Packs one frame of any strides; by itself, outside a batch.",
    ),
    "gather_rows": Kernel(
        "gather",
        "gather_rows",
        (
            Argument("source", "*u8", "first byte of the top row"),
            Argument("row_bytes", "i64", "from a row to the one below it, of any sign"),
            Argument("length", "i32", "bytes of a row"),
            Argument("height", "i32", "rows"),
            Argument("target", "*u8", "[height, length], packed"),
        ),
        {"COUNT": abi.GATHER_ELEMENTS},
        4,
        0,
        "Packs one plane of a frame; by itself, outside a batch.",
    ),
}
