"""From frames' bytes to the network's input by two taps an axis: the whole of resize="bilinear".

Owns contract.md section 2's second resize on the GPU. Computes no scale: the host's tables say where taps lie and what
they weigh, so that both devices use the same numbers.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels import abi
from triton_kernels.frame_params import FRAME_WORDS, bytes_at, number, start_in_next, words_at
from triton_kernels.resize_pass import (
    BGR,
    CHANNEL_BYTES,
    PASSES,
    PIXEL_BYTES,
    RESIZE_X,
    RESIZE_Y,
    ROW_BYTES,
    SOURCE,
)
from triton_kernels.tensors import elements_on, store_float

MEAN_R, MEAN_G, MEAN_B = (tl.constexpr(mean) for mean in abi.MEAN)
STD_R, STD_G, STD_B = (tl.constexpr(std) for std in abi.STD)


@triton.jit
def _tap(axis, results, result):
    i0 = tl.load(axis + result).to(tl.int64)
    i1 = tl.load(axis + results + result).to(tl.int64)
    l0 = tl.load(axis + 2 * results + result).to(tl.float32, bitcast=True)
    l1 = tl.load(axis + 3 * results + result).to(tl.float32, bitcast=True)
    return i0, i1, l0, l1


@triton.jit
def _unit(byte):
    return tl.div_rn(byte.to(tl.float32), 255.0)


@triton.jit
def _values(frame, row, x, channel, height, width):
    """Results of one row, in 0..1, of the source's channels."""
    y0, y1, l0y, l1y = _tap(words_at(frame, RESIZE_Y), height, row)
    x0, x1, l0x, l1x = _tap(words_at(frame, RESIZE_X), width, x)
    row_bytes, pixel_bytes = tl.load(frame + ROW_BYTES), tl.load(frame + PIXEL_BYTES)
    source = bytes_at(frame, SOURCE)
    upper, lower = source + y0 * row_bytes, source + y1 * row_bytes
    channel_at = channel * tl.load(frame + CHANNEL_BYTES)
    left, right = x0 * pixel_bytes + channel_at, x1 * pixel_bytes + channel_at
    top = l0x * _unit(tl.load(upper + left)) + l1x * _unit(tl.load(upper + right))
    bottom = l0x * _unit(tl.load(lower + left)) + l1x * _unit(tl.load(lower + right))
    return l0y * top + l1y * bottom


@triton.jit
def resize_bilinear(
    params,
    frames,
    height,
    width,
    input,
    half,
    BYTES: tl.constexpr,
):
    """Half-pixel bilinear without antialiasing, then normalisation. Grid: abi.resize_grid.

    params: abi's FrameParams [frames], in words of 8 bytes. input: f32 or f16 [frames, 3, height, width], RGB.
    """
    programs = tl.num_programs(0)
    start = tl.program_id(0)
    blocks = tl.cdiv(width * 3, BYTES)
    items = height * blocks
    for image in range(frames):
        frame = params + image * FRAME_WORDS
        if tl.load(frame + PASSES) != 0:
            network = elements_on(input, half, tl.cast(image, tl.int64) * 3 * height * width)
            bgr = number(frame, BGR)
            for item in range(start, items, programs):
                row = item // blocks
                byte = (item - row * blocks) * BYTES + tl.arange(0, BYTES)
                x, channel = tl.minimum(byte // 3, width - 1), byte % 3
                value = _values(frame, row, x, channel, height, width)
                rgb = tl.where(bgr != 0, 2 - channel, channel)
                mean = tl.where(rgb == 0, MEAN_R, tl.where(rgb == 1, MEAN_G, MEAN_B))
                std = tl.where(rgb == 0, STD_R, tl.where(rgb == 1, STD_G, STD_B))
                place = rgb * height * width + x + row * width
                store_float(network, place, tl.div_rn(value - mean, std), byte < width * 3, half)
            start = start_in_next(start, items, programs)
