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
from triton_kernels.planes import (
    CHROMA_SHIFT_X,
    CHROMA_SHIFT_Y,
    CHROMA_STEP,
    SAMPLE_SHIFT,
    chroma_part,
    coefficients,
    planes,
    rgb,
    sample,
)
from triton_kernels.resize_pass import (
    BGR,
    CHANNEL_BYTES,
    PASSES,
    PIXEL_BYTES,
    RESIZE_X,
    RESIZE_Y,
    ROW_BYTES,
    SAMPLE_BYTES,
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
def _packed_tiles(frame, start, size, network, half, BYTES: tl.constexpr):
    """This program's tiles of an image of packed pixels, a lane for each channel; returns how many tiles there are."""
    height, width = size
    blocks = tl.cdiv(width * 3, BYTES)
    items = height * blocks
    bgr = number(frame, BGR)
    for item in range(start, items, tl.num_programs(0)):
        row = item // blocks
        byte = (item - row * blocks) * BYTES + tl.arange(0, BYTES)
        x, channel = tl.minimum(byte // 3, width - 1), byte % 3
        value = _values(frame, row, x, channel, height, width)
        red_first = tl.where(bgr != 0, 2 - channel, channel)
        mean = tl.where(red_first == 0, MEAN_R, tl.where(red_first == 1, MEAN_G, MEAN_B))
        std = tl.where(red_first == 0, STD_R, tl.where(red_first == 1, STD_G, STD_B))
        place = red_first * height * width + x + row * width
        store_float(network, place, tl.div_rn(value - mean, std), byte < width * 3, half)
    return items


@triton.jit
def _pixel(frame, color, y, x, WIDE: tl.constexpr):
    """Red, green and blue of pixels of planes."""
    luma, cb_plane, cr_plane, row_step, chroma_row_step = planes(frame, WIDE)
    shift = number(frame, SAMPLE_SHIFT)
    chroma_row = (y >> tl.load(frame + CHROMA_SHIFT_Y)) * chroma_row_step
    chroma_at = chroma_row + (x >> tl.load(frame + CHROMA_SHIFT_X)) * tl.load(frame + CHROMA_STEP)
    chroma = chroma_part(color, sample(cb_plane + chroma_at, shift, WIDE), sample(cr_plane + chroma_at, shift, WIDE))
    return rgb(color, sample(luma + y * row_step + x, shift, WIDE), chroma)


@triton.jit
def _plane_tiles(frame, start, size, network, half, WIDE: tl.constexpr, RESULTS: tl.constexpr):
    """The same of an image of planes, a lane for each pixel."""
    height, width = size
    blocks = tl.cdiv(width, RESULTS)
    items = height * blocks
    color = coefficients(frame)
    for item in range(start, items, tl.num_programs(0)):
        row = item // blocks
        result = (item - row * blocks) * RESULTS + tl.arange(0, RESULTS)
        y0, y1, l0y, l1y = _tap(words_at(frame, RESIZE_Y), height, row)
        x0, x1, l0x, l1x = _tap(words_at(frame, RESIZE_X), width, tl.minimum(result, width - 1))
        upper, upper_right = _pixel(frame, color, y0, x0, WIDE), _pixel(frame, color, y0, x1, WIDE)
        lower, lower_right = _pixel(frame, color, y1, x0, WIDE), _pixel(frame, color, y1, x1, WIDE)
        for channel in tl.static_range(3):
            top = l0x * _unit(upper[channel]) + l1x * _unit(upper_right[channel])
            bottom = l0x * _unit(lower[channel]) + l1x * _unit(lower_right[channel])
            value = l0y * top + l1y * bottom
            mean = (MEAN_R, MEAN_G, MEAN_B)[channel]
            std = (STD_R, STD_G, STD_B)[channel]
            place = channel * height * width + result + row * width
            store_float(network, place, tl.div_rn(value - mean, std), result < width, half)
    return items


@triton.jit
def resize_bilinear(
    params,
    frames,
    height,
    width,
    input,
    half,
    BYTES: tl.constexpr,
    PLANE_RESULTS: tl.constexpr,
):
    """Half-pixel bilinear without antialiasing, then normalisation. Grid: abi.resize_grid.

    params: abi's FrameParams [frames], in words of 8 bytes. input: f32 or f16 [frames, 3, height, width], RGB.
    """
    programs = tl.num_programs(0)
    start = tl.program_id(0)
    for image in range(frames):
        frame = params + image * FRAME_WORDS
        if tl.load(frame + PASSES) != 0:
            network = elements_on(input, half, tl.cast(image, tl.int64) * 3 * height * width)
            sample_bytes, size = tl.load(frame + SAMPLE_BYTES), (height, width)
            if sample_bytes == 0:
                items = _packed_tiles(frame, start, size, network, half, BYTES)
            elif sample_bytes == 1:
                items = _plane_tiles(frame, start, size, network, half, False, PLANE_RESULTS)
            else:
                items = _plane_tiles(frame, start, size, network, half, True, PLANE_RESULTS)
            start = start_in_next(start, items, programs)
