"""Tensors of the network, which are f32 or f16 as the engine has them. Knows no stage."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def elements_on(tensor, half, elements):
    """The tensor from element `elements` (int64) on.

    With f16 the same count of elements is half the bytes, so the pointer's own type, f32, would not do.
    """
    tensor = tensor.to(tl.pointer_type(tl.uint8)) + elements * tl.where(half != 0, 2, 4)
    return tensor.to(tl.pointer_type(tl.float32))


@triton.jit
def load_float(tensor, offset, mask, half):
    """Values as f32; 0 where not `mask`."""
    if half != 0:
        value = tl.load(tensor.to(tl.pointer_type(tl.float16)) + offset, mask=mask, other=0.0).to(tl.float32)
    else:
        value = tl.load(tensor + offset, mask=mask, other=0.0)
    return value


@triton.jit
def store_float(tensor, offset, value, mask, half):
    """Stores f32 values, rounded to nearest even when `half`."""
    tl.store(tensor + offset, value, mask=mask & (half == 0))
    tensor_half = tensor.to(tl.pointer_type(tl.float16))
    tl.store(tensor_half + offset, value.to(tl.float16), mask=mask & (half != 0))
