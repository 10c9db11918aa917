"""The readable twin of contract section 6: planes of Y'CbCr to RGB, in integers, and the real formula beside it.

Owns what the answer is, one formula after the other in NumPy. Refuses to be fast, and does not know rfseg.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

MATRICES = {  # Kr, Kb
    "bt601": (Fraction("0.299"), Fraction("0.114")),
    "bt709": (Fraction("0.2126"), Fraction("0.0722")),
    "bt2020": (Fraction("0.2627"), Fraction("0.0593")),
}
SUBSAMPLED = {"nv12": (1, 1), "i420": (1, 1), "i422": (0, 1), "i444": (0, 0), "p010": (1, 1), "i010": (1, 1)}  # y, x
TEN_BITS = {"p010": 6, "i010": 0}  # how far up the bits are

Size = tuple[int, int]
Channels = tuple[np.ndarray, np.ndarray, np.ndarray]


def matrix_of(height: int) -> str:
    """The matrix of a frame that states none."""
    return "bt601" if height < 720 else "bt709"


def coefficients(matrix: str, full_range: bool) -> tuple[Fraction, ...]:
    """a, b, d, e, f of the real formula."""
    kr, kb = MATRICES[matrix]
    kg = 1 - kr - kb
    s = Fraction(1) if full_range else Fraction(255, 224)
    a = Fraction(1) if full_range else Fraction(255, 219)
    return a, 2 * (1 - kr) * s, 2 * kb * (1 - kb) * s / kg, 2 * kr * (1 - kr) * s / kg, 2 * (1 - kb) * s


def sums(y: np.ndarray, cb: np.ndarray, cr: np.ndarray, by: Sequence[float], o: int, c: int) -> Channels:
    """R, G and B before they are rounded, in the type that samples and coefficients have; broadcasts."""
    a, b, d, e, f = by
    luma = a * (y - o)
    return luma + b * (cr - c), luma - d * (cb - c) - e * (cr - c), luma + f * (cb - c)


def rgb(y: np.ndarray, cb: np.ndarray, cr: np.ndarray, matrix: str, full_range: bool, bits: int = 8) -> Channels:
    """Samples int64, of shapes that broadcast, to uint8 red, green and blue."""
    by = [math.floor(value * 2**16 + Fraction(1, 2)) for value in coefficients(matrix, full_range)]  # none is negative
    times = 2 ** (bits - 8)
    shift = 16 + bits - 8
    o, c = (0 if full_range else 16) * times, 128 * times
    red, green, blue = (np.clip((s + 2 ** (shift - 1)) >> shift, 0, 255) for s in sums(y, cb, cr, by, o, c))
    return red.astype(np.uint8), green.astype(np.uint8), blue.astype(np.uint8)


def real_rgb(y: np.ndarray, cb: np.ndarray, cr: np.ndarray, matrix: str, full_range: bool, bits: int = 8) -> Channels:
    """As rgb in float64, with the real coefficients, rounded once."""
    by = [float(value) for value in coefficients(matrix, full_range)]
    times = 2 ** (bits - 8)
    o, c = (0 if full_range else 16) * times, 128 * times
    red, green, blue = (np.clip(np.floor(s / times + 0.5), 0, 255).astype(np.uint8) for s in sums(y, cb, cr, by, o, c))
    return red, green, blue


def samples(planes: Sequence[np.ndarray], name: str, size: Size) -> Channels:
    """Y, Cb and Cr of every pixel, int64 [H, W], of planes that may be larger than the frame."""
    if len(planes) == 2:
        pairs = planes[1].reshape(len(planes[1]), -1)
        planes = (planes[0], pairs[:, 0::2], pairs[:, 1::2])
    whole = [plane.reshape(plane.shape[:2]).astype(np.int64) for plane in planes]
    if name in TEN_BITS:
        whole = [(plane >> TEN_BITS[name]) & 1023 for plane in whole]
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])
    down, right = SUBSAMPLED[name]
    return whole[0][rows, columns], *(plane[rows >> down, columns >> right] for plane in whole[1:])  # type: ignore[return-value]


def convert(
    planes: Sequence[np.ndarray], name: str, size: Size, matrix: str = "auto", full_range: bool | None = None
) -> np.ndarray:
    """uint8 [H, W, 3], RGB, of a frame of format `name`."""
    matrix = matrix_of(size[0]) if matrix == "auto" else matrix
    bits = 10 if name in TEN_BITS else 8
    return np.stack(rgb(*samples(planes, name, size), matrix, bool(full_range), bits), axis=2)
