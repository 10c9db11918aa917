"""From a frame's bytes to the network's input: the antialiased resize pass by pass, or the bilinear one at once.

Owns contract.md section 2 on the GPU. Computes no scale and no weight: the host's tables say where taps lie and what
they weigh, so that both devices use the same numbers.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals; x == x is its test for NaN

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels import abi

MEAN_R, MEAN_G, MEAN_B = (tl.constexpr(mean) for mean in abi.MEAN)
STD_R, STD_G, STD_B = (tl.constexpr(std) for std in abi.STD)


@triton.jit
def _tile(height, width, ROWS: tl.constexpr, BYTES: tl.constexpr):
    """This program's rows and, along a row of packed pixels, its pixels and channels.

    Lanes run along the bytes of packed pixels, so that 32 of them touch 11 neighbouring results: a third of the cache
    lines that 32 results of one channel would touch. Rows and pixels are clamped, so that only stores need `inside`.
    """
    blocks = tl.cdiv(width * 3, BYTES)
    program = tl.program_id(0)
    row = (program // blocks) * ROWS + tl.arange(0, ROWS)[:, None]
    byte = (program % blocks) * BYTES + tl.arange(0, BYTES)[None, :]
    inside = (row < height) & (byte < width * 3)
    return tl.minimum(row, height - 1), tl.minimum(byte // 3, width - 1), byte % 3, inside


@triton.jit
def _store_network(network, value, row, x, rgb, height, width, inside, half):
    place = (rgb * height + row) * width + x
    tl.store(network + place, value, mask=inside & (half == 0))
    network_half = network.to(tl.pointer_type(tl.float16))
    tl.store(network_half + place, value.to(tl.float16), mask=inside & (half != 0))


@triton.jit
def resize_pass(
    source,
    row_bytes,
    pixel_bytes,
    channel_bytes,
    axis,
    taps,
    height,
    width,
    target,
    normalised,
    bgr,
    half,
    DOWN: tl.constexpr,
    FINAL: tl.constexpr,
    ROWS: tl.constexpr,
    BYTES: tl.constexpr,
):
    """One pass of Pillow's BILINEAR. Grid: abi.resize_grid.

    source: u8, any strides; its length along the other axis is the result's.
    axis: i32 first[n], count[n], weight[n][taps]; n = height of the result when DOWN, else its width. A pass of one tap
        of weight 2^22 changes nothing: so a frame of the network's size is normalised.
    target: u8 [height, width, 3], packed; when FINAL, f32 or f16 [3, height, width], RGB.
    normalised: f32 [3, 256].
    """
    row, x, channel, inside = _tile(height, width, ROWS, BYTES)
    source += channel * channel_bytes
    if DOWN:
        result, results = row, height
        source += x.to(tl.int64) * pixel_bytes
        step = row_bytes
    else:
        result, results = x, width
        source += row.to(tl.int64) * row_bytes
        step = pixel_bytes
    first = tl.load(axis + result)
    count = tl.load(axis + results + result)
    tap = source + first.to(tl.int64) * step
    weights = axis + 2 * results + result * taps

    total = tl.full([ROWS, BYTES], 1 << 21, tl.int32)
    for k in range(0, taps):
        byte = tl.load(tap, mask=k < count, other=0)
        total += tl.load(weights + k) * byte.to(tl.int32)
        tap += step
    level = tl.minimum(tl.maximum(total >> 22, 0), 255)

    if FINAL:
        rgb = tl.where(bgr != 0, 2 - channel, channel)
        value = tl.load(normalised + rgb * 256 + level)
        _store_network(target, value, row, x, rgb, height, width, inside, half)
    else:
        packed = row.to(tl.int64) * (width * 3) + (x * 3 + channel)
        tl.store(target + packed, level.to(tl.uint8), mask=inside)


@triton.jit
def _bilinear_tap(axis, results, result):
    i0 = tl.load(axis + result).to(tl.int64)
    i1 = tl.load(axis + results + result).to(tl.int64)
    l0 = tl.load(axis + 2 * results + result).to(tl.float32, bitcast=True)
    l1 = tl.load(axis + 3 * results + result).to(tl.float32, bitcast=True)
    return i0, i1, l0, l1


@triton.jit
def _unit(byte):
    return tl.div_rn(byte.to(tl.float32), 255.0)


@triton.jit
def resize_bilinear(
    source,
    row_bytes,
    pixel_bytes,
    channel_bytes,
    axis_x,
    axis_y,
    height,
    width,
    target,
    bgr,
    half,
    ROWS: tl.constexpr,
    BYTES: tl.constexpr,
):
    """Half-pixel bilinear without antialiasing, then normalisation. Grid: abi.resize_grid.

    source: u8, any strides.
    axis_x, axis_y: i32 i0[n], i1[n], then f32 l0[n], l1[n]; n = width and height of the result.
    target: f32 or f16 [3, height, width], RGB.
    """
    row, x, channel, inside = _tile(height, width, ROWS, BYTES)
    y0, y1, l0y, l1y = _bilinear_tap(axis_y, height, row)
    x0, x1, l0x, l1x = _bilinear_tap(axis_x, width, x)
    source += channel * channel_bytes
    upper = source + y0 * row_bytes
    lower = source + y1 * row_bytes
    left = x0 * pixel_bytes
    right = x1 * pixel_bytes
    top = l0x * _unit(tl.load(upper + left)) + l1x * _unit(tl.load(upper + right))
    bottom = l0x * _unit(tl.load(lower + left)) + l1x * _unit(tl.load(lower + right))

    rgb = tl.where(bgr != 0, 2 - channel, channel)
    mean = tl.where(rgb == 0, MEAN_R, tl.where(rgb == 1, MEAN_G, MEAN_B))
    std = tl.where(rgb == 0, STD_R, tl.where(rgb == 1, STD_G, STD_B))
    value = tl.div_rn(l0y * top + l1y * bottom - mean, std)
    _store_network(target, value, row, x, rgb, height, width, inside, half)
