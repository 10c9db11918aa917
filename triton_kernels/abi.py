"""What the host and the kernels agree on: record layouts, capacities, block sizes, grids, and the file of images.

The single source of it, with signatures.py for the argument lists: the kernels take their constants from here, and
cpp_header.py writes it down for C++ (kernel_abi.hpp). Knows no Triton and compiles nothing.

The file of kernel images, kernels.bin, is little-endian and read in place:

    FileHeader                        one, at offset 0
    FileEntry[FileHeader.entries]     directly behind it
    entry names, each ending in NUL
    images                            each at a multiple of 64 bytes

An entry is one kernel for one compute capability. A cubin runs on devices of the same major and the same or a higher
minor capability: take the highest that fits. A PTX image runs on its capability and every later one; its text ends in
NUL, which `image_bytes` counts. `parameter_bytes` lists the size of each parameter of the entry in order. They are the
arguments of the kernel's list in signatures.py, then two hidden pointers that Triton adds: pass null for both. Launch
with `threads` threads in x and `shared_bytes` of dynamic shared memory.

A batch is: resize_first, resize_last (or resize_bilinear alone); the network; select, mask_count, mask_runs, each once
and in that order, because mask_count adds to what select has cleared. What differs from image to image is in its
FrameParams, so one captured graph serves every size, format and threshold. A frame that comes back with a flag set
belongs to the host's stages.
"""

from __future__ import annotations

from triton_kernels.records import STRUCTS, Field, byte_offset, struct_size, word_offset

__all__ = ["STRUCTS", "Field", "byte_offset", "struct_size", "word_offset"]

FILE_MAGIC = b"RFSEGK01"
IMAGE_ALIGNMENT = 64
IMAGE_KINDS = ("cubin", "ptx")
MAX_PARAMETERS = 32

# Capacities. A network or a frame beyond them belongs on the host path.
MAX_QUERIES = 1024
MAX_PASSING = 2048  # >= MAX_QUERIES: select narrows any larger set down to the queries-th best logit
MAX_SOURCE_SIDE_PX = 1 << 24

# Bits of SelectionHeader.flags.
PASSING_OVERFLOW = 1  # more than MAX_PASSING pairs tie around the queries-th place: nothing was selected
TOGGLE_OVERFLOW = 2  # toggle_count exceeds the capacity: no toggle was written, everything else is valid

# Block sizes. A pass along x shares a weight among ACROSS_ROWS rows; one along y has the same weights in a whole row.
ACROSS_BYTES = 128
DOWN_BYTES = 256
PLANE_RESULTS = 128  # pixels: a lane has all three channels of one
BILINEAR_BYTES = 256
GATHER_BYTES = 512
GATHER_ELEMENTS = 256  # words of eight bytes, where a plane allows: 1920 bytes are one tile
RESIZE_PROGRAMS_PER_SM = 8  # as many as their registers let an SM hold
SELECT_PAIRS = 2048
RANK_ROWS = 64
RANK_COLUMNS = 128
MASK_COLUMNS = 32
MASK_CELLS = 16
MASK_PROGRAMS_PER_SM = 8

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


INT = "std::int32_t"
NUMBER, ADDRESS = "std::int64_t", "std::uint64_t"

# Only where sample_bytes is not 0: `source` and `row_bytes` are those of the plane Y then, and `bgr` is 0.
_PLANES = (
    Field("sample_shift", NUMBER, note="a sample of two bytes is bits [sample_shift, sample_shift + 10) of its word"),
    Field("cb", ADDRESS, note="first sample of Cb"),
    Field("cr", ADDRESS),
    Field("chroma_row_bytes", NUMBER),
    Field("chroma_step", NUMBER, note="samples from one of Cb, or Cr, to the next: 2 where they alternate, else 1"),
    Field("chroma_shift_x", NUMBER, note="pixel (y, x) has chroma sample (y >> chroma_shift_y, x >> chroma_shift_x)"),
    Field("chroma_shift_y", NUMBER, note="0 or 1"),
    Field("luma", NUMBER, note="red = clip((luma Y + cr_red Cr + red) >> color_shift), and so on, to 0..255"),
    Field("cr_red", NUMBER),
    Field("cb_green", NUMBER, note="negative, as the next"),
    Field("cr_green", NUMBER),
    Field("cb_blue", NUMBER),
    Field("red", NUMBER),
    Field("green", NUMBER),
    Field("blue", NUMBER),
    Field("color_shift", NUMBER),
)
_BILINEAR_AXIS = "i32 i0[n], i1[n], then float l0[n], l1[n]"
STRUCTS["FrameParams"] = (
    Field("source", ADDRESS, note="u8, first channel of the top left pixel"),
    Field("row_bytes", NUMBER, note="strides; any sign"),
    Field("pixel_bytes", NUMBER),
    Field("channel_bytes", NUMBER),
    Field("bgr", NUMBER, note="the source's first channel is blue: 1, red: 0"),
    Field("sample_bytes", NUMBER, note="0: packed pixels; else planes of Y'CbCr: of a sample, 1 or 2"),
    Field("height", NUMBER, note="of the source, px"),
    Field("width", NUMBER),
    Field(
        "passes", NUMBER, note="0: there is no image; 1: resize_last (or resize_bilinear) alone; 2: resize_first too"
    ),
    Field("first_down", NUMBER, note="resize_first goes along y: 1, along x: 0; used when there are two passes"),
    Field("last_down", NUMBER, note="the same of resize_last; 0 when neither axis changes"),
    Field("resize_x", ADDRESS, note="pil_axis, n = network width; for resize_bilinear: " + _BILINEAR_AXIS),
    Field("resize_y", ADDRESS, note="the same, n = network height"),
    Field("taps_x", NUMBER, note="of the pil_axis, 1 for an identity axis"),
    Field("taps_y", NUMBER),
    Field("between", ADDRESS, note="u8 [between_height, between_width, 3], packed: what two passes have between them"),
    Field("between_height", NUMBER),
    Field("between_width", NUMBER),
    Field("logit_cut", ADDRESS, note="float [C]; NaN drops the column"),
    Field("least_cut", NUMBER, note="bits of the least of them that is not NaN, or of a NaN: nothing passes"),
    Field("max_detections", NUMBER),
    Field("mask_x", ADDRESS, note=_BILINEAR_AXIS + ", from mask grid to source"),
    Field("mask_y", ADDRESS),
    Field("node_row", ADDRESS, note="i32 [mask_height + 1]: first source row whose i0 is at least j, or height"),
    Field("column_toggles", ADDRESS, note="scratch, column_toggles_bytes()"),
    Field("toggles", ADDRESS, note="scratch, i32 [toggle_capacity]"),
    Field("toggle_capacity", NUMBER),
    Field("hand_back", ADDRESS, note="HandBack, or 0: nothing is handed back"),
    Field("host_toggles", ADDRESS, note="i32 [toggle_capacity], mapped; pairs are the runs [start, end)"),
    *_PLANES,
)
STRUCTS["SelectionHeader"] = (
    Field("record_count", INT, note="instances"),
    Field("slot_count", INT, note="distinct queries among them; each has one mask slot"),
    Field("toggle_count", INT, note="needed for all slots, also when they do not fit; at most 2^31 - 1"),
    Field("flags", INT, note="kPassingOverflow, kToggleOverflow"),
    Field("passing_count", INT, note="pairs that were ranked"),
    Field("reserved", INT, 3, "0"),
)
STRUCTS["Record"] = (
    Field("query", INT),
    Field("column", INT, note="class column"),
    Field("logit", "float"),
    Field("cx", "float", note="of the network's box, as it gave it"),
    Field("cy", "float"),
    Field("w", "float"),
    Field("h", "float"),
    Field("mask_slot", INT, note="which slot's mask it shows"),
)
STRUCTS["Selection"] = (
    Field("header", "SelectionHeader"),
    Field("records", "Record", MAX_QUERIES, "best first"),
    Field("slot_query", INT, MAX_QUERIES, "queries in the order of their first record"),
    Field("slot_toggles", INT, MAX_QUERIES, "toggles of each slot's mask, counted by mask_count"),
    Field("ranked", INT, MAX_QUERIES, "scratch"),
    Field("first_use", INT, MAX_QUERIES, "scratch"),
    Field("slot_of_query", INT, MAX_QUERIES, "scratch"),
    Field("passing_key", INT, MAX_PASSING, "scratch"),
    Field("passing_index", INT, MAX_PASSING, "scratch"),
)
STRUCTS["HandBack"] = (
    Field("header", "SelectionHeader"),
    Field("toggle_end", INT, MAX_QUERIES, "[slot_count] slot s has toggles [toggle_end[s - 1], toggle_end[s])"),
    Field("records", "Record", MAX_QUERIES, "[record_count]"),
)
STRUCTS["FileHeader"] = (
    Field("magic", "char", 8, FILE_MAGIC.decode()),
    Field("entries", "std::uint32_t"),
    Field("entry_bytes", "std::uint32_t", note="sizeof(FileEntry)"),
    Field("file_bytes", "std::uint64_t"),
    Field("reserved", "std::uint64_t", 5, "0"),
)
STRUCTS["FileEntry"] = (
    Field("kernel", "std::uint32_t", note="a Kernel"),
    Field("kind", "std::uint32_t", note="an ImageKind"),
    Field("compute_capability", "std::uint32_t", note="90 is 9.0"),
    Field("threads", "std::uint32_t"),
    Field("shared_bytes", "std::uint32_t"),
    Field("parameters", "std::uint32_t"),
    Field("name_offset", "std::uint64_t"),
    Field("image_offset", "std::uint64_t"),
    Field("image_bytes", "std::uint64_t"),
    Field("parameter_bytes", "std::uint8_t", MAX_PARAMETERS, "0 beyond `parameters`"),
)

STRUCT_NOTES = {
    "FrameParams": "One image of a batch: where it lies, how it is resized, what is asked of it, where the answer\n"
    "/// goes. Device memory. An entry without an image: passes 0, least_cut NaN, hand_back 0; no more is used.\n"
    "/// A pil_axis is i32 first[n], weight[taps][n]: result i is the sum over k of weight[k][i] times the source at\n"
    "/// first[i] + k. taps is the most that a result needs; those that it does not need weigh 0, and first[i] + taps\n"
    "/// is never beyond the source. An identity axis has one tap, of weight 2^22.",
    "SelectionHeader": "What a frame held.",
    "Record": "One instance: a query and the class column it won.",
    "Selection": "Device memory, one for each image of a batch, written by select; no part of it needs to be cleared.",
    "HandBack": "What the host gets besides the toggles. Pinned host memory, mapped; written by mask_runs, each word\n"
    "/// once. Only header, toggle_end[0, slot_count) and records[0, record_count) are written.",
    "FileHeader": "Opens the file of kernel images.",
    "FileEntry": "One kernel for one compute capability. Offsets count from the start of the file.",
}


# Grids are one-dimensional. cpp_header.py has the same formulas in C++.


def ceil_div(a: int, b: int) -> int:
    """A / b, rounded up."""
    return -(-a // b)


def resize_grid(multiprocessors: int) -> int:
    """Programs of the resizes and of gather and gather_rows: fixed, whatever the frames' sizes.

    Each takes every grid-th tile of all images, in one count that runs on from image to image.
    """
    return multiprocessors * RESIZE_PROGRAMS_PER_SM


def slot_counts(width: int) -> int:
    """Row length of column_toggles: a count for each column, one behind them, in whole blocks, and for each block."""
    return ceil_div(width + 1, MASK_COLUMNS) * (MASK_COLUMNS + 1)


def mask_grid(multiprocessors: int) -> int:
    """Programs of mask_count and of mask_runs: fixed, since a graph is captured before it is known what a frame holds.

    Each takes every grid-th block of columns of every slot in use, of all images in one count. A grid of one program
    for each block of each slot that there could be would launch 72,000 programs for a 1080p frame to do the work of a
    few hundred.
    """
    return multiprocessors * MASK_PROGRAMS_PER_SM


def column_toggles_bytes(slots: int, width: int) -> int:
    """What mask_count counts; `slots`: the most that a frame can have, min(queries, max_detections)."""
    return 4 * slots * slot_counts(width)
