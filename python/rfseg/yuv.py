"""YuvFrame: a frame of Y'CbCr planes as decoders give them. Turns arrays of the host into NumPy's; converts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from rfseg._core import InputError, Planes

YuvFormat = Literal["nv12", "i420", "i422", "i444", "p010", "i010"]
Matrix = Literal["auto", "bt601", "bt709", "bt2020"]
Transfer = Literal["sdr", "pq", "hlg"]

_HOST_MEMORY = (1, 3)  # DLPack's numbers of ordinary and of pinned memory


class YuvFrame:
    """A frame of planes, taken wherever a frame is; its pixels are what `ops.convert` gives, on every machine.

    The planes are read where they are, by the call that the frame is passed to; they are kept, not copied, so what
    is written into them before that call is seen. Rows may be padded or run upwards (any row stride); the samples of
    a row lie side by side. Host memory: NumPy, or what offers `__dlpack__`. GPU: what offers `__dlpack__` or
    `__cuda_array_interface__`; its producer's stream is honoured.

    | format | planes, (rounded up) |
    |---|---|
    | "nv12" | Y [H, W], CbCr [H/2, W/2, 2] or [H/2, W], uint8 |
    | "i420" | Y [H, W], Cb and Cr [H/2, W/2], uint8 |
    | "i422" | Y [H, W], Cb and Cr [H, W/2], uint8 |
    | "i444" | Y, Cb and Cr [H, W], uint8 |
    | "p010" | as nv12, uint16: 10 bits in the upper bits |
    | "i010" | as i420, uint16: 10 bits in the lower bits |

    Example:
        >>> y, cbcr = np.full((4, 6), 81, np.uint8), np.tile(np.uint8([90, 240]), (2, 3)).reshape(2, 3, 2)
        >>> rfseg.ops.convert(rfseg.YuvFrame((y, cbcr), "nv12", matrix="bt601"), "rgb")[0, 0].tolist()
        [254, 0, 0]
    """

    __slots__ = ("core",)

    def __init__(
        self,
        planes: Sequence[Any],
        format: YuvFormat = "nv12",
        *,
        size: tuple[int, int] | None = None,
        matrix: Matrix = "auto",
        full_range: bool | None = None,
        transfer: Transfer | None = None,
    ) -> None:
        """Keeps the planes; those on the host are checked at once, those on a GPU when the frame is used.

        Args:
            planes: (Y, CbCr) or (Y, Cb, Cr), as `format` says; each may have a last dimension of 1.
            format: how the samples lie.
            size: (height, width) in pixels, of planes that have padding at the right or below it within their shape;
                default: the shape of Y.
            matrix: of the stream; "auto": "bt601" below 720 lines, "bt709" from there on, said once in the log.
            full_range: of the stream; None: limited, said once in the log.
            transfer: of the stream; "pq" and "hlg" are refused.

        Raises:
            InputError: an unknown word, the wrong number of planes, another dtype or shape than the format has,
                planes in different memories, samples that do not lie side by side, HDR.
        """
        if transfer in ("pq", "hlg"):
            raise InputError(
                f'transfer is "{transfer}": HDR has no defined way to 8 bits here; map its tones to SDR first, '
                "or leave transfer out to take the samples as they are"
            )
        if transfer not in (None, "sdr"):
            raise InputError(f'transfer is {transfer!r}: it must be "sdr", "pq" or "hlg"')
        seen = tuple(_seen(plane) for plane in planes)
        try:
            self.core = Planes(seen, format, size, matrix, full_range)
        except TypeError:
            raise InputError(
                "expected texts as format and matrix, size=(height, width) or None, full_range=True, False or None; "
                f"got {format!r}, {matrix!r}, {size!r} and {full_range!r}"
            ) from None

    @property
    def planes(self) -> tuple[Any, ...]:
        """The arrays."""
        return self.core.planes

    @property
    def format(self) -> str:
        """How the samples lie."""
        return self.core.format

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.core.size

    @property
    def matrix(self) -> str:
        """As it was stated: "auto", "bt601", "bt709" or "bt2020"."""
        return self.core.matrix

    @property
    def full_range(self) -> bool | None:
        """As it was stated: whether black is 0 and not 16, or None."""
        return self.core.full_range

    def __repr__(self) -> str:
        height, width = self.size
        levels = {None: "auto", False: "limited", True: "full"}[self.full_range]
        return f"YuvFrame({self.format}, {height}x{width}, matrix {self.matrix}, range {levels})"


def _seen(plane: Any) -> Any:
    """The plane, as NumPy's array if it is in host memory."""
    if isinstance(plane, np.ndarray) or not hasattr(plane, "__dlpack_device__"):
        return plane
    try:  # the producer's code, which may raise anything
        return np.from_dlpack(plane) if plane.__dlpack_device__()[0] in _HOST_MEMORY else plane
    except Exception as error:
        raise InputError(f"a plane ({type(plane).__name__}) cannot be read through its __dlpack__: {error}") from error
