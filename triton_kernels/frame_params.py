"""How the kernels read FrameParams, and how one fixed grid shares out the work of a batch. Knows no stage."""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels import abi

FRAME_WORDS = tl.constexpr(abi.struct_size("FrameParams") // 8)


def frame_word(field: str) -> tl.constexpr:
    """Where a member of FrameParams lies, for number() and the two below."""
    return tl.constexpr(abi.word_offset("FrameParams", field))


@triton.jit
def number(frame, WORD: tl.constexpr):
    """A member that fits into 32 bits."""
    return tl.load(frame + WORD).to(tl.int32)


@triton.jit
def bytes_at(frame, WORD: tl.constexpr):
    """A member that is an address of bytes."""
    return tl.load(frame + WORD).to(tl.pointer_type(tl.uint8))


@triton.jit
def words_at(frame, WORD: tl.constexpr):
    """A member that is an address of int32."""
    return tl.load(frame + WORD).to(tl.pointer_type(tl.int32))


@triton.jit
def start_in_next(start, items, programs):
    """The first item of the next image that is this program's, when `start` was that of an image with `items`.

    Items are counted on from image to image, and a program takes every programs-th.
    """
    return (start + programs - items % programs) % programs
