"""What a stream says about its colours: primaries, transfer, matrix and range, in the numbers of ITU-T H.273.

Carries them from a source to its copy, and gives the integers for the way from BGR into planes. Knows no pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfseg._core import InputError
from rfseg.yuv import Matrix

_UNSAID = 2
_RGB = 0
_LIMITED, _FULL = 1, 2  # FFmpeg's numbers of ranges; 0 is not said
_MATRICES: dict[int, Matrix] = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020"}
_OTHERS = {4: "FCC", 7: "SMPTE 240M", 8: "YCgCo", 10: "BT.2020 constant luminance", 14: "ICtCp"}
_HDR = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}
_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}  # of red and blue
_HD_LINES = 720  # from there on, who says nothing is taken for BT.709


@dataclass(frozen=True, slots=True)
class Colors:
    """Numbers of H.273, and `range`: 0 not said, 1 limited (16 to 235), 2 full."""

    primaries: int = 1
    transfer: int = 1
    matrix: int = 1
    range: int = _LIMITED

    @classmethod
    def of(cls, decoded: Any) -> Colors:
        """Those of a PyAV frame. An RGB one has none, and its copy is BT.709."""
        if decoded.colorspace == _RGB or decoded.format.is_rgb:
            return BT709
        full = decoded.format.name.startswith("yuvj") or decoded.color_range == _FULL
        stated = _FULL if full else int(decoded.color_range)
        return cls(int(decoded.color_primaries), int(decoded.color_trc), int(decoded.colorspace), stated)

    def with_matrix(self, name: str) -> Colors:
        """The same with bt601, bt709 or bt2020 stated."""
        same = self.matrix in _MATRICES and _MATRICES[self.matrix] == name
        return self if same else replace(self, matrix={"bt709": 1, "bt601": 6, "bt2020": 9}[name])

    @property
    def full(self) -> bool:
        """Black is 0 and white 255."""
        return self.range == _FULL

    def matrix_name(self, height: int) -> Matrix:
        """bt601, bt709 or bt2020; what is not said goes by the height, as contract.md section 6 has it.

        Raises:
            InputError: it is another one.
        """
        if self.matrix == _UNSAID:
            return "bt709" if height >= _HD_LINES else "bt601"
        if self.matrix not in _MATRICES:
            raise InputError(
                f"its colour matrix is {_OTHERS.get(self.matrix, self.matrix)}, not BT.601, BT.709 or BT.2020; "
                "--matrix (matrix=) takes it for one of these"
            )
        return _MATRICES[self.matrix]

    @property
    def hdr(self) -> str:
        """The name of an HDR transfer, or ""."""
        return _HDR.get(self.transfer, "")


BT709 = Colors()


def weights(matrix: str) -> tuple[float, float]:
    """The shares of red and of blue in the luma of bt601, bt709 or bt2020."""
    return _WEIGHTS[matrix]


def planes_matrix(matrix: str, *, full: bool) -> NDArray[np.float64]:
    """The real coefficients from (B, G, R, 1) to Y, Cb, Cr: float64 [3, 4]. Source: ITU-R BT.601, BT.709, BT.2020."""
    red, blue = _WEIGHTS[matrix]
    green = 1 - red - blue
    luma, chroma, offset = (1.0, 1.0, 0.0) if full else (219 / 255, 224 / 255, 16.0)
    y = np.array([blue, green, red])
    cb = (np.array([1.0, 0.0, 0.0]) - y) / (2 * (1 - blue))
    cr = (np.array([0.0, 0.0, 1.0]) - y) / (2 * (1 - red))
    rows = np.stack([luma * y, chroma * cb, chroma * cr])
    return np.concatenate([rows, [[offset], [128.0], [128.0]]], axis=1)
