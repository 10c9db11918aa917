"""The first frames of an earlier file, packet by packet, for a file that goes on behind them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rfseg._core import InputError
from rfseg.missing import require


class Head:
    """Frames that are encoded already.

    Attributes:
        size: (height, width) of their pictures.
    """

    def __init__(self, path: Path, frames: int) -> None:
        """Opens the file for its size. Raises FFmpeg's errors.

        Args:
            path: of a file that VideoWriter wrote, under another name than the new one.
            frames: how many of its first ones are taken.
        """
        self._av = require("av", "Writing videos")
        self._path, self._count = path, frames
        with self._open() as container:
            context = container.streams.video[0].codec_context
            self.size = (context.height, context.width)

    def _open(self) -> Any:
        return self._av.open(f"file:{os.fspath(self._path)}")

    def packets(self, copy: Any) -> Iterator[Any]:
        """The frames' packets for the stream `copy`.

        Raises:
            InputError: they were encoded in another way than that stream's.
        """
        with self._open() as container:
            stream = container.streams.video[0]
            theirs, ours = stream.codec_context, copy.codec_context
            same = (theirs.width, theirs.height, theirs.name) == (ours.width, ours.height, copy.codec.canonical_name)
            if not same or _parameters(theirs.extradata) != _parameters(ours.extradata):
                raise InputError(
                    "what is there was encoded with other settings, so nothing can follow it: run without --resume"
                )
            # As an encoder gives them: the muxer looks for start codes, and would garble packets that have lengths.
            plain = self._av.BitStreamFilterContext(f"{theirs.name}_mp4toannexb", stream)
            left = self._count
            for packet in container.demux(stream):
                if not left:
                    return
                if packet.size:
                    left -= 1
                    for each in plain.filter(packet):
                        each.stream = copy
                        yield each

    def remove(self) -> None:
        """The new file has them."""
        self._path.unlink(missing_ok=True)


def _parameters(extradata: bytes | None) -> list[bytes]:
    """Parameter sets, whether they follow start codes (of an encoder) or lengths (in an mp4 file)."""
    data = extradata or b""
    if data[:1] != b"\x01":
        parts = data.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")[1:]
        return [part for part in parts if part[:1] and part[0] & 31 in (7, 8)]
    found, at, count = [], 6, data[5] & 31
    for kind in range(2):
        for _ in range(count):
            length = int.from_bytes(data[at : at + 2], "big")
            found.append(data[at + 2 : at + 2 + length])
            at += 2 + length
        count = data[at] if kind == 0 and at < len(data) else 0
        at += 1
    return found
