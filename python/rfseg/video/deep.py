"""Planes of more bits or in layouts that frames do not have, as pixels: contract.md section 6 in NumPy, slow and exact.

For ProRes, 12-bit and the like. Chroma is replicated, the matrix applied in integers, and rounded once, at the end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.video.colors import weights


def deep_bgr(decoded: Any, matrix: str, *, full: bool) -> NDArray[np.uint8]:
    """A PyAV frame of planar Y'CbCr or grey with 9 to 16 bits as BGR, uint8 [H, W, 3].

    Raises:
        InputError: its format is another one.
    """
    components = decoded.format.components
    bits = components[0].bits
    planar = decoded.format.is_planar and len(decoded.planes) == len(components)
    if not planar or not 8 <= bits <= 16 or decoded.format.is_big_endian or decoded.format.has_palette:
        raise InputError(f"its format is {decoded.format.name}: no way from there to 8 bits is defined here")
    dtype = np.uint8 if bits == 8 else np.uint16
    height, width = decoded.height, decoded.width
    y, *chroma = (_replicated(plane, dtype, height, width) for plane in decoded.planes[:3])
    cb, cr = chroma if len(chroma) == 2 else (np.full_like(y, 1 << (bits - 1)),) * 2
    return bgr_of(y, cb, cr, matrix, bits, full=full)


def _replicated(plane: Any, dtype: type, height: int, width: int) -> NDArray[np.int64]:
    samples: NDArray[Any] = np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width]
    down, right = round(height / plane.height), round(width / plane.width)
    whole: NDArray[np.int64] = samples.repeat(down, 0).repeat(right, 1)[:height, :width].astype(np.int64)
    return whole


def bgr_of(
    y: NDArray[np.int64], cb: NDArray[np.int64], cr: NDArray[np.int64], matrix: str, bits: int, *, full: bool
) -> NDArray[np.uint8]:
    """The contract's integers for samples [H, W] of `bits` bits; at 8 and 10 what `ops.convert` gives.

    Full range keeps the contract's offsets too, which scale with 2^(bits - 8).
    """
    red, blue = weights(matrix)
    green = 1 - red - blue
    luma, scale = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    factors = [luma, 2 * (1 - red) * scale, 2 * blue * (1 - blue) * scale / green]
    factors += [2 * red * (1 - red) * scale / green, 2 * (1 - blue) * scale]
    a, b, d, e, f = (math.floor(factor * 65536 + 0.5) for factor in factors)
    more = bits - 8
    light, u, v = (y - ((0 if full else 16) << more)) * a, cb - (128 << more), cr - (128 << more)
    half, shift = 1 << (15 + more), 16 + more
    channels = [light + f * u, light - d * u - e * v, light + b * v]
    return np.stack([np.clip((c + half) >> shift, 0, 255).astype(np.uint8) for c in channels], axis=-1)
