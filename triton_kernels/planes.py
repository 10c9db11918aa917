"""Pixels of a frame of planes: samples of Y, Cb and Cr become red, green and blue in registers, contract.md section 6.

Owns the arithmetic; the coefficients and the format's numbers are the host's. Knows no pass.
"""

# ruff: noqa: N803 - Triton writes compile-time arguments in capitals

from __future__ import annotations

import triton
import triton.language as tl

from triton_kernels.frame_params import frame_word, number

ROW_BYTES, SAMPLE_SHIFT = frame_word("row_bytes"), frame_word("sample_shift")
SOURCE, CB, CR = frame_word("source"), frame_word("cb"), frame_word("cr")
CHROMA_ROW_BYTES, CHROMA_STEP = frame_word("chroma_row_bytes"), frame_word("chroma_step")
CHROMA_SHIFT_X, CHROMA_SHIFT_Y = frame_word("chroma_shift_x"), frame_word("chroma_shift_y")
LUMA, COLOR_SHIFT = frame_word("luma"), frame_word("color_shift")
CR_RED, CB_GREEN = frame_word("cr_red"), frame_word("cb_green")
CR_GREEN, CB_BLUE = frame_word("cr_green"), frame_word("cb_blue")
RED, GREEN, BLUE = frame_word("red"), frame_word("green"), frame_word("blue")


@triton.jit
def coefficients(frame):
    """For chroma_part() and rgb(): of Y; of Cr in red; of Cb and Cr in green; of Cb in blue; the offsets; the shift."""
    of_green = number(frame, CB_GREEN), number(frame, CR_GREEN)
    offsets = number(frame, RED), number(frame, GREEN), number(frame, BLUE)
    of_red, of_blue = number(frame, CR_RED), number(frame, CB_BLUE)
    return number(frame, LUMA), of_red, of_green, of_blue, offsets, number(frame, COLOR_SHIFT)


@triton.jit
def chroma_part(color, cb, cr):
    """What pixels of one chroma sample have in common: their sums of red, green and blue without Y."""
    _, of_red, of_green, of_blue, offsets, _ = color
    green = of_green[0] * cb + of_green[1] * cr + offsets[1]
    return of_red * cr + offsets[0], green, of_blue * cb + offsets[2]


@triton.jit
def rgb(color, y, chroma):
    """Bytes of red, green and blue, as int32."""
    luma, _, _, _, _, shift = color
    red, green, blue = chroma
    red = tl.minimum(tl.maximum((luma * y + red) >> shift, 0), 255)
    green = tl.minimum(tl.maximum((luma * y + green) >> shift, 0), 255)
    blue = tl.minimum(tl.maximum((luma * y + blue) >> shift, 0), 255)
    return red, green, blue


@triton.jit
def plane(frame, ADDRESS: tl.constexpr, WIDE: tl.constexpr):
    """The samples from the one that a member is the address of."""
    word = tl.uint16 if WIDE else tl.uint8
    return tl.load(frame + ADDRESS).to(tl.pointer_type(word))


@triton.jit
def planes(frame, WIDE: tl.constexpr):
    """Y, Cb and Cr. WIDE: a sample has two bytes; every count of bytes becomes one of samples."""
    row, chroma_row = tl.load(frame + ROW_BYTES), tl.load(frame + CHROMA_ROW_BYTES)
    if WIDE:
        row, chroma_row = row >> 1, chroma_row >> 1
    return plane(frame, SOURCE, WIDE), plane(frame, CB, WIDE), plane(frame, CR, WIDE), row, chroma_row


@triton.jit
def sample(address, shift, WIDE: tl.constexpr):
    """One sample as int32; a wide one has ten bits."""
    value = tl.load(address).to(tl.int32)
    if WIDE:
        value = (value >> shift) & 1023
    return value
