"""Frames of planes, made up, and what the kernels are told of them: the readable twin of the C++ host.

Owns where a format's samples lie; what colour they are, reference.color knows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.stages import Device, Members, upload
from reference.color import coefficients, convert


class Format(NamedTuple):
    """A sample is bits [shift, shift + bits) of its word of `sample_bytes`."""

    sample_bytes: int
    shift: int
    bits: int
    chroma_shift_x: int
    chroma_shift_y: int
    interleaved: bool


FORMATS = {
    "nv12": Format(1, 0, 8, 1, 1, True),
    "i420": Format(1, 0, 8, 1, 1, False),
    "i422": Format(1, 0, 8, 1, 0, False),
    "i444": Format(1, 0, 8, 0, 0, False),
    "p010": Format(2, 6, 10, 1, 1, True),
    "i010": Format(2, 0, 10, 1, 1, False),
}


@dataclass(frozen=True)
class Planar:
    """A frame as a decoder gives it: Y [H, W], Cb and Cr [ceil(H / 2^sy), ceil(W / 2^sx)], in any words."""

    format: str
    y: NDArray[Any]
    cb: NDArray[Any]
    cr: NDArray[Any]
    matrix: str = "bt709"
    range: str = "limited"

    @property
    def shape(self) -> tuple[int, int, int]:
        """As of packed pixels."""
        return (*self.y.shape, 3)

    def rgb(self) -> NDArray[np.uint8]:
        """[H, W, 3], with replicated chroma."""
        height, width = self.y.shape
        return convert([self.y, self.cb, self.cr], self.format, (height, width), self.matrix, self.range == "full")

    def color(self) -> dict[str, int]:
        """Of FrameParams: the contract's integers, its offsets and half multiplied out."""
        bits, full = FORMATS[self.format].bits, self.range == "full"
        a, b, d, e, f = (math.floor(real * 2**16 + Fraction(1, 2)) for real in coefficients(self.matrix, full))
        o, c, shift = (0 if full else 16) << (bits - 8), 128 << (bits - 8), 16 + bits - 8
        zero = 2 ** (shift - 1) - a * o
        factors = {"luma": a, "cr_red": b, "cb_green": -d, "cr_green": -e, "cb_blue": f}
        return factors | {"red": zero - b * c, "green": zero + (d + e) * c, "blue": zero - f * c, "color_shift": shift}

    def memory(self, padding: int = 0) -> tuple[list[NDArray[np.uint8]], list[int]]:
        """The planes' bytes, rows `padding` samples longer than they are, and the bytes of such a row."""
        chroma = [np.stack([self.cb, self.cr], axis=-1).reshape(len(self.cb), -1)]
        planes = [self.y, *(chroma if FORMATS[self.format].interleaved else (self.cb, self.cr))]
        padded = [np.pad(plane, ((0, 0), (0, padding)), constant_values=0x55) for plane in planes]
        return [np.ascontiguousarray(p).view(np.uint8).reshape(-1) for p in padded], [p[0].nbytes for p in padded]

    def members(self, device: Device, padding: int = 0) -> Members:
        """Of FrameParams, with the planes uploaded."""
        form, (planes, rows) = FORMATS[self.format], self.memory(padding)
        uploaded = [upload(device, plane) for plane in planes]
        return {
            "source": uploaded[0],
            "row_bytes": rows[0],
            "bgr": 0,
            "sample_bytes": form.sample_bytes,
            "height": self.y.shape[0],
            "width": self.y.shape[1],
            "sample_shift": form.shift,
            "cb": uploaded[1],
            "cr": uploaded[1] + form.sample_bytes if form.interleaved else uploaded[2],
            "chroma_row_bytes": rows[1],
            "chroma_step": 1 + form.interleaved,
            "chroma_shift_x": form.chroma_shift_x,
            "chroma_shift_y": form.chroma_shift_y,
            **self.color(),
        }


def random_planar(
    format: str, height: int, width: int, matrix: str = "bt709", range: str = "limited", seed: int = 0
) -> Planar:
    """Noise in every bit, those of a word that do not count too."""
    form, random = FORMATS[format], np.random.default_rng([height, width, seed])
    chroma = (height + form.chroma_shift_y) >> form.chroma_shift_y, (width + form.chroma_shift_x) >> form.chroma_shift_x
    dtype = np.uint8 if form.sample_bytes == 1 else np.uint16
    y, cb, cr = (
        random.integers(0, np.iinfo(dtype).max, size, dtype, True) for size in ((height, width), chroma, chroma)
    )
    return Planar(format, y, cb, cr, matrix, range)
