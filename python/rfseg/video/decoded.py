"""What a decoder gave, as frames are taken everywhere: its own planes where contract.md section 6 has their format.

No sample is converted on the way there. What has no such format is rearranged where that loses nothing, computed by
the same formula where it has more bits (deep.py), or refused in words. Knows one frame at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.video.colors import Colors
from rfseg.video.deep import deep_bgr
from rfseg.yuv import Matrix, YuvFormat, YuvFrame

Image = YuvFrame | NDArray[np.uint8]  # pixels are uint8 [H, W, 3], BGR
Hdr = Literal["refuse", "as-sdr"]
_Array = NDArray[Any]

_AS_THEY_ARE: dict[str, YuvFormat] = {
    "yuv420p": "i420", "yuvj420p": "i420", "yuva420p": "i420", "nv12": "nv12", "p010le": "p010",
    "yuv422p": "i422", "yuvj422p": "i422", "yuva422p": "i422", "yuv420p10le": "i010",
    "yuv444p": "i444", "yuvj444p": "i444", "yuva444p": "i444",
}  # fmt: skip
_PACKED_422 = {"yuyv422": (0, 1, 3), "uyvy422": (1, 0, 2), "yvyu422": (0, 3, 1)}  # where Y, Cb and Cr begin
_COARSE = {"yuv440p": (2, 1), "yuvj440p": (2, 1), "yuv411p": (1, 4), "yuvj411p": (1, 4), "yuv410p": (4, 4)}
_LIMITED = 1


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller says about colours, over what the stream says."""

    matrix: Matrix = "auto"
    hdr: Hdr = "refuse"


def image_of(decoded: Any, wishes: Wishes) -> Image:
    """A PyAV frame as planes, or as BGR pixels where it is RGB or grey; upright, alive as long as what is returned.

    Raises:
        InputError: HDR, a matrix or a format that has no defined way to 8 bits.
    """
    name = decoded.format.name
    if decoded.format.is_rgb or name in ("gray", "ya8", "pal8", "monow", "monob"):
        return _turned_pixels(_rgb(decoded, name), decoded.rotation)
    colors = Colors.of(decoded)
    if colors.hdr and wishes.hdr == "refuse":
        raise InputError(
            f"its transfer is {colors.hdr}, HDR, and no way from there to 8 bits is defined here: map its tones to SDR "
            'first, or take the samples as they are (--hdr as-sdr, hdr="as-sdr")'
        )
    matrix: Matrix = wishes.matrix
    if matrix == "auto" and colors.matrix != 2:
        matrix = colors.matrix_name(decoded.height)
    found = _planes(decoded, name)
    if found is None:
        height = decoded.height
        pixels = deep_bgr(decoded, matrix if matrix != "auto" else colors.matrix_name(height), full=colors.full)
        return _turned_pixels(pixels, decoded.rotation)
    planes, kind = _turned(*found, decoded)
    return YuvFrame(planes, kind, matrix=_settled(matrix, decoded), full_range=_range(colors))


def _settled(matrix: Matrix, decoded: Any) -> Matrix:
    """Lines are counted before a video is turned, as its encoder saw them."""
    if matrix == "auto" and decoded.rotation % 180:
        return Colors(matrix=2).matrix_name(decoded.height)
    return matrix


def _range(colors: Colors) -> bool | None:
    return None if colors.range == 0 else colors.full


def array_of(plane: Any, width: int, dtype: type = np.uint8) -> _Array:
    """A plane's samples where they lie, [height, width]; read-only, since decoders look back at them."""
    rows: _Array = np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, :width]
    rows.flags.writeable = False
    return rows


def _planes(decoded: Any, name: str) -> tuple[list[_Array], YuvFormat] | None:
    """Planes and their format, or None where samples have other bits."""
    height, width = decoded.height, decoded.width
    half = (width + 1) // 2
    if name in _AS_THEY_ARE:
        kind = _AS_THEY_ARE[name]
        dtype = np.uint16 if kind in ("p010", "i010") else np.uint8
        chroma = {"nv12": 2 * half, "p010": 2 * half, "i444": width}.get(kind, half)
        widths = [width] + [chroma] * (1 if kind in ("nv12", "p010") else 2)
        return [array_of(plane, n, dtype) for plane, n in zip(decoded.planes, widths, strict=False)], kind
    if name in _PACKED_422:
        samples = array_of(decoded.planes[0], 4 * half)
        y, cb, cr = _PACKED_422[name]
        luma = np.ascontiguousarray(samples[:, y::2][:, :width])
        return [luma, np.ascontiguousarray(samples[:, cb::4]), np.ascontiguousarray(samples[:, cr::4])], "i422"
    if name in ("nv16", "nv24", "nv21"):
        columns = width if name == "nv24" else half
        pairs = array_of(decoded.planes[1], 2 * columns).reshape(-1, columns, 2)
        parts = [np.ascontiguousarray(pairs[..., place]) for place in ((1, 0) if name == "nv21" else (0, 1))]
        kinds: dict[str, YuvFormat] = {"nv16": "i422", "nv24": "i444", "nv21": "i420"}
        return [array_of(decoded.planes[0], width), *parts], kinds[name]
    if name in _COARSE:  # chroma is replicated in any case
        down, right = _COARSE[name]
        parts = [
            array_of(plane, -(-width // right)).repeat(down, 0).repeat(right, 1)[:height, :width]
            for plane in decoded.planes[1:3]
        ]
        return [array_of(decoded.planes[0], width), *map(np.ascontiguousarray, parts)], "i444"
    return None


def _turned(planes: list[_Array], kind: YuvFormat, decoded: Any) -> tuple[list[_Array], YuvFormat]:
    """Planes turned upright; where chroma would no longer begin with the picture, it is replicated first."""
    turns = round(decoded.rotation / 90) % 4
    if not turns:
        return planes, kind
    height, width = decoded.height, decoded.width
    if kind in ("nv12", "p010"):
        pairs = planes[1].reshape(planes[1].shape[0], -1, 2)
        if height % 2 == 0 and width % 2 == 0:
            turned = np.rot90(pairs, turns)
            return [np.ascontiguousarray(np.rot90(planes[0], turns)), np.ascontiguousarray(turned)], kind
        deep = kind == "p010"
        planes = [planes[0] >> 6 if deep else planes[0], *((p >> 6 if deep else p) for p in np.moveaxis(pairs, 2, 0))]
        kind = "i010" if deep else "i420"
    even = height % 2 == 0 and width % 2 == 0 and (kind != "i422" or turns == 2)
    if kind != "i444" and not even:
        if kind == "i010":
            raise InputError(f"10 bits, {width} x {height} and turned: only even sizes can be turned")
        down = 1 if kind == "i422" else 2
        planes = [planes[0], *(p.repeat(down, 0).repeat(2, 1)[:height, :width] for p in planes[1:])]
        kind = "i444"
    return [np.ascontiguousarray(np.rot90(plane, turns)) for plane in planes], kind


def _rgb(decoded: Any, name: str) -> NDArray[np.uint8]:
    """RGB and grey lie in the order they are, or are rearranged by swscale, which then copies bytes."""
    if name == "bgr24":
        return array_of(decoded.planes[0], 3 * decoded.width).reshape(decoded.height, decoded.width, 3)
    if name == "gray" and decoded.color_range == _LIMITED:
        rows = array_of(decoded.planes[0], decoded.width).astype(np.int32)
        levels = np.clip(((rows - 16) * 76309 + (1 << 15)) >> 16, 0, 255).astype(np.uint8)  # 255 / 219 times 2^16
        return np.repeat(levels[..., None], 3, 2)
    if max(component.bits for component in decoded.format.components) > 8:
        raise InputError(f"its format is {name}: RGB of more than 8 bits has no defined way to 8 bits here")
    pixels: NDArray[np.uint8] = decoded.to_ndarray(format="bgr24")
    return pixels


def _turned_pixels(pixels: NDArray[np.uint8], rotation: float) -> NDArray[np.uint8]:
    turns = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
