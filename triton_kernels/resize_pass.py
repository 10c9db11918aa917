"""The antialiased resize, pass by pass, from frames' bytes to the network's input.

Owns contract.md section 2 on the GPU. Computes no scale and no weight: the host's tables say where taps lie and what
they weigh, so that both devices use the same numbers. What one tile of a pass is, resize_tiles.py knows.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.frame_params import FRAME_WORDS, bytes_at, frame_word, number, start_in_next, words_at
from triton_kernels.resize_planes import pass_across_planes, pass_down_planes
from triton_kernels.resize_tiles import pass_across, pass_across_strided, pass_down
from triton_kernels.tensors import elements_on

SOURCE, ROW_BYTES = frame_word("source"), frame_word("row_bytes")
PIXEL_BYTES, CHANNEL_BYTES = frame_word("pixel_bytes"), frame_word("channel_bytes")
BGR, PASSES = frame_word("bgr"), frame_word("passes")
SAMPLE_BYTES = frame_word("sample_bytes")
FIRST_DOWN, LAST_DOWN = frame_word("first_down"), frame_word("last_down")
RESIZE_X, RESIZE_Y = frame_word("resize_x"), frame_word("resize_y")
TAPS_X, TAPS_Y = frame_word("taps_x"), frame_word("taps_y")
BETWEEN = frame_word("between")
BETWEEN_HEIGHT, BETWEEN_WIDTH = frame_word("between_height"), frame_word("between_width")


@triton.jit
def _pass(
    frame,
    down,
    start,
    source,
    size,
    target,
    FINAL: tl.constexpr,
    ACROSS_BYTES: tl.constexpr,
    DOWN_BYTES: tl.constexpr,
):
    """This program's tiles of a pass of one image; returns where its tiles start in the next image."""
    address, row_bytes, pixel_bytes, channel_bytes = source
    if down != 0:
        axis = words_at(frame, RESIZE_Y), number(frame, TAPS_Y)
        items = pass_down(start, source, axis, size, target, FINAL, DOWN_BYTES)
    else:
        axis = words_at(frame, RESIZE_X), number(frame, TAPS_X)
        if (pixel_bytes == 3) & (channel_bytes == 1):
            items = pass_across(start, address, row_bytes, axis, size, target, FINAL, ACROSS_BYTES)
        else:
            items = pass_across_strided(start, source, axis, size, target, FINAL, DOWN_BYTES)
    return start_in_next(start, items, tl.num_programs(0))


@triton.jit
def _pass_planes(
    frame, down, start, size, target, FINAL: tl.constexpr, WIDE: tl.constexpr, PLANE_RESULTS: tl.constexpr
):
    """The same of an image of planes, from the image itself."""
    if down != 0:
        axis = words_at(frame, RESIZE_Y), number(frame, TAPS_Y)
        items = pass_down_planes(start, frame, axis, size, target, FINAL, WIDE, PLANE_RESULTS)
    else:
        axis = words_at(frame, RESIZE_X), number(frame, TAPS_X)
        items = pass_across_planes(start, frame, axis, size, target, FINAL, WIDE, PLANE_RESULTS)
    return start_in_next(start, items, tl.num_programs(0))


@triton.jit
def _frame(frame):
    """The image's pixels with their strides."""
    row_bytes, pixel_bytes = tl.load(frame + ROW_BYTES), tl.load(frame + PIXEL_BYTES)
    return bytes_at(frame, SOURCE), row_bytes, pixel_bytes, tl.load(frame + CHANNEL_BYTES)


@triton.jit
def resize_first(
    params,
    frames,
    ACROSS_BYTES: tl.constexpr,
    DOWN_BYTES: tl.constexpr,
    PLANE_RESULTS: tl.constexpr,
):
    """The first of two passes, to `between`. Grid: abi.resize_grid.

    params: abi's FrameParams [frames], in words of 8 bytes.
    """
    start = tl.program_id(0)
    for image in range(frames):
        frame = params + image * FRAME_WORDS
        if tl.load(frame + PASSES) == 2:
            size = number(frame, BETWEEN_HEIGHT), number(frame, BETWEEN_WIDTH)
            down, between = tl.load(frame + FIRST_DOWN), bytes_at(frame, BETWEEN)
            sample_bytes = tl.load(frame + SAMPLE_BYTES)
            if sample_bytes == 0:
                start = _pass(frame, down, start, _frame(frame), size, between, False, ACROSS_BYTES, DOWN_BYTES)
            elif sample_bytes == 1:
                start = _pass_planes(frame, down, start, size, between, False, False, PLANE_RESULTS)
            else:
                start = _pass_planes(frame, down, start, size, between, False, True, PLANE_RESULTS)


@triton.jit
def resize_last(
    params,
    frames,
    height,
    width,
    input,
    normalised,
    half,
    ACROSS_BYTES: tl.constexpr,
    DOWN_BYTES: tl.constexpr,
    PLANE_RESULTS: tl.constexpr,
):
    """The last or only pass, from `between` or the frame itself. Grid: abi.resize_grid.

    params: abi's FrameParams [frames], in words of 8 bytes.
    input: f32 or f16 [frames, 3, height, width], RGB. normalised: f32 [3, 256].

    A pass of one tap of weight 2^22 changes nothing: so a frame of the network's size is normalised.
    """
    start = tl.program_id(0)
    for image in range(frames):
        frame = params + image * FRAME_WORDS
        passes = tl.load(frame + PASSES)
        if passes != 0:
            down, size = tl.load(frame + LAST_DOWN), (height, width)
            network = elements_on(input, half, tl.cast(image, tl.int64) * 3 * height * width)
            target = network, normalised, number(frame, BGR), half
            sample_bytes = tl.load(frame + SAMPLE_BYTES)
            if (sample_bytes == 0) | (passes == 2):
                address, row_bytes, pixel_bytes, channel_bytes = _frame(frame)
                if passes == 2:
                    address, row_bytes = bytes_at(frame, BETWEEN), 3 * tl.load(frame + BETWEEN_WIDTH)
                    pixel_bytes, channel_bytes = tl.full([], 3, tl.int64), tl.full([], 1, tl.int64)
                source = address, row_bytes, pixel_bytes, channel_bytes
                start = _pass(frame, down, start, source, size, target, True, ACROSS_BYTES, DOWN_BYTES)
            elif sample_bytes == 1:
                start = _pass_planes(frame, down, start, size, target, True, False, PLANE_RESULTS)
            else:
                start = _pass_planes(frame, down, start, size, target, True, True, PLANE_RESULTS)
