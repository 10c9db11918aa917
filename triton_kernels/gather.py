"""Packs a frame in device memory. Knows no stage: it runs by itself, ahead of a batch."""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def gather(source, row_bytes, pixel_bytes, channel_bytes, height, width, target, BYTES: tl.constexpr):
    """Copies a frame of packed pixels. Grid: abi.resize_grid, of any number of programs.

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


@triton.jit
def _copy_rows(source, step, count, height, target, COUNT: tl.constexpr):
    """Rows of `count` elements that lie `step` elements apart."""
    blocks = tl.cdiv(count, COUNT)
    for item in range(tl.program_id(0), height * blocks, tl.num_programs(0)):
        row = item // blocks
        at = (item - row * blocks) * COUNT + tl.arange(0, COUNT)
        value = tl.load(source + row.to(tl.int64) * step + at, mask=at < count)
        tl.store(target + row.to(tl.int64) * count + at, value, mask=at < count)


@triton.jit
def gather_rows(source, row_bytes, length, height, target, COUNT: tl.constexpr):
    """Copies a plane, by words of eight bytes where all of it lies at such. Grid: as gather.

    source: u8 rows of `length` bytes, `row_bytes` apart, of any sign. target: u8 [height, length], packed.
    """
    if (source.to(tl.int64) | target.to(tl.int64) | row_bytes | length) & 7 == 0:
        words, words_target = source.to(tl.pointer_type(tl.uint64)), target.to(tl.pointer_type(tl.uint64))
        _copy_rows(words, row_bytes >> 3, length >> 3, height, words_target, COUNT)
    else:
        _copy_rows(source, row_bytes, length, height, target, COUNT)
