"""Packs a frame of any strides in device memory. Knows no stage: it runs by itself, ahead of a batch."""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def gather(source, row_bytes, pixel_bytes, channel_bytes, height, width, target, BYTES: tl.constexpr):
    """Copies a frame. Grid: abi.resize_grid, of any number of programs.

    source: u8 [height, width, 3], strides of any sign. target: u8 [height, width, 3], packed.
    """
    blocks = tl.cdiv(width * 3, BYTES)
    for item in range(tl.program_id(0), height * blocks, tl.num_programs(0)):
        row = item // blocks
        byte = (item - row * blocks) * BYTES + tl.arange(0, BYTES)
        inside = byte < width * 3
        pixel = source + row.to(tl.int64) * row_bytes + (byte // 3).to(tl.int64) * pixel_bytes
        value = tl.load(pixel + (byte % 3) * channel_bytes, mask=inside)
        tl.store(target + row.to(tl.int64) * (width * 3) + byte, value, mask=inside)
