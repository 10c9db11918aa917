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
        note: what it does.
    """

    module: str
    function: str
    arguments: tuple[Argument, ...]
    constants: dict[str, int]
    warps: int
    note: str

    @property
    def parameter_bytes(self) -> tuple[int, ...]:
        """Size of each parameter of a compiled image, the hidden ones included."""
        return tuple(a.size for a in self.arguments) + tuple(PARAMETER_BYTES[h] for h in HIDDEN_PARAMETERS)


SOURCE = (
    Argument("source", "*u8", "first channel of the top left pixel"),
    Argument("row_bytes", "i64", "strides; any sign"),
    Argument("pixel_bytes", "i64"),
    Argument("channel_bytes", "i64"),
)


def _resize_arguments(target: Argument) -> tuple[Argument, ...]:
    return (
        *SOURCE,
        Argument("axis", "*i32", "PilAxis: first[n], count[n], weight[n][taps], one after the other"),
        Argument("taps", "i32"),
        Argument("height", "i32", "of the result, px"),
        Argument("width", "i32"),
        target,
        Argument("normalised", "*fp32", "[3][256] by channel (0 red) and byte; used by the final passes only"),
        Argument("bgr", "i32", "the source's first channel is blue: 1, red: 0"),
        Argument("half", "i32", "network input is float16: 1, float32: 0"),
    )


_PACKED = Argument("target", "*u8", "[height, width, 3], packed")
_NETWORK = Argument("target", "*fp32", "float32 or float16 [3, height, width], RGB")
_RESIZE_SIZES = {"ROWS": abi.RESIZE_ROWS, "BYTES": abi.RESIZE_BYTES}

_BILINEAR_AXIS = "BilinearAxis: i0[n], i1[n], l0[n], l1[n], one after the other"
_MASK_ARGUMENTS = (
    Argument("masks", "*fp32", "[Q, mask_height, mask_width] logits"),
    Argument("masks_half", "i32", "they are float16: 1, float32: 0"),
    Argument("mask_height", "i32"),
    Argument("mask_width", "i32"),
    Argument("axis_x", "*i32", _BILINEAR_AXIS + ", from mask grid to source"),
    Argument("axis_y", "*i32"),
    Argument(
        "node_row", "*i32", "[mask_height + 1] first source row whose i0 is at least j; height when there is none"
    ),
    Argument("height", "i32", "of the source, px"),
    Argument("width", "i32"),
    Argument("selection", "*i32", "Selection"),
    Argument("nodes", "*fp32", "scratch, mask_nodes_bytes()"),
    Argument("column_toggles", "*i32", "scratch, column_toggles_bytes()"),
    Argument("toggles", "*i32", "device memory, [toggle_capacity]; used by mask_runs only, as are the following"),
    Argument("toggle_capacity", "i32"),
    Argument("hand_back", "*i32", "HandBack"),
    Argument("host_toggles", "*i32", "[toggle_capacity], mapped host memory; pairs of it are the runs [start, end)"),
)
_MASK_SIZES = {"COLUMNS": abi.MASK_COLUMNS, "ROWS": abi.MASK_ROWS}

KERNELS: dict[str, Kernel] = {
    "resize_x": Kernel(
        "preprocess",
        "resize_pass",
        _resize_arguments(_PACKED),
        {"DOWN": 0, "FINAL": 0, **_RESIZE_SIZES},
        4,
        "Pass along x of the antialiased resize, to bytes.",
    ),
    "resize_y": Kernel(
        "preprocess",
        "resize_pass",
        _resize_arguments(_PACKED),
        {"DOWN": 1, "FINAL": 0, **_RESIZE_SIZES},
        4,
        "Pass along y, to bytes.",
    ),
    "resize_x_final": Kernel(
        "preprocess",
        "resize_pass",
        _resize_arguments(_NETWORK),
        {"DOWN": 0, "FINAL": 1, **_RESIZE_SIZES},
        4,
        "Pass along x, normalised into the network's input.",
    ),
    "resize_y_final": Kernel(
        "preprocess",
        "resize_pass",
        _resize_arguments(_NETWORK),
        {"DOWN": 1, "FINAL": 1, **_RESIZE_SIZES},
        4,
        "Pass along y, normalised into the network's input.",
    ),
    "resize_bilinear": Kernel(
        "preprocess",
        "resize_bilinear",
        (
            *SOURCE,
            Argument("axis_x", "*i32", _BILINEAR_AXIS + ", from source to network"),
            Argument("axis_y", "*i32"),
            Argument("height", "i32", "of the network's input, px"),
            Argument("width", "i32"),
            _NETWORK,
            Argument("bgr", "i32", "the source's first channel is blue: 1, red: 0"),
            Argument("half", "i32", "network input is float16: 1, float32: 0"),
        ),
        _RESIZE_SIZES,
        4,
        'The whole resize="bilinear".',
    ),
    "select": Kernel(
        "select",
        "select",
        (
            Argument("labels", "*fp32", "[queries, columns] logits"),
            Argument("labels_half", "i32", "they are float16: 1, float32: 0"),
            Argument("dets", "*fp32", "[queries, 4]"),
            Argument("dets_half", "i32"),
            Argument("queries", "i32", "at most kMaxQueries"),
            Argument("columns", "i32"),
            Argument("logit_cut", "*fp32", "[columns]; NaN drops the column"),
            Argument("min_cut", "fp32", "the least of them that is not NaN, or NaN"),
            Argument("max_detections", "i32"),
            Argument("selection", "*i32", "Selection"),
        ),
        {"PAIRS": abi.SELECT_PAIRS},
        16,
        "Chooses the instances and gives each distinct query a mask slot.",
    ),
    "mask_count": Kernel(
        "mask_runs",
        "mask_pass",
        _MASK_ARGUMENTS,
        {"EMIT": 0, **_MASK_SIZES},
        4,
        "Counts the toggles of each source column of each slot's mask.",
    ),
    "mask_runs": Kernel(
        "mask_runs",
        "mask_pass",
        _MASK_ARGUMENTS,
        {"EMIT": 1, **_MASK_SIZES},
        4,
        "Writes the toggles, and hands everything back to the host. Same arguments as mask_count.",
    ),
}
