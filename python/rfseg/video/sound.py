"""The sound of a file, packet by packet beside the frames of its copy; nothing is decoded.

Reads the file a second time, so only what is a file has sound. Trouble with it never touches the pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from rfseg.causes import cause
from rfseg.missing import require
from rfseg.pictures.reader import MAX_PIXELS
from rfseg.video.opening import Address, open_container

# What an mp4 file may hold and players expect there.
_FITS_MP4 = frozenset(("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac", "mp2"))


class Sound:
    """The first sound of a file, cut to where its copy begins and ends."""

    def __init__(self, address: Address, note: Callable[[str], None]) -> None:
        """Opens the file.

        Args:
            address: a file that was opened as a video already.
            note: takes a sentence about what is left out.
        """
        self._note = note
        self._container: Any = None
        self._packets: Iterator[Any] = iter(())
        self._next: Any = None
        self._shift = Fraction(0)
        self.stream: Any = None  # to be copied; None where there is none that can be
        self._copy: Any = None
        try:
            self._container = open_container(require("av", "Copying sound"), address, MAX_PIXELS)
            self._choose()
        except Exception as error:
            self._end(cause(error))

    def _choose(self) -> None:
        streams = self._container.streams.audio
        if not streams:
            self.close()
            return
        self.stream = self._container.streams.best("audio") or streams[0]
        name = self.stream.codec_context.name
        if name.removesuffix("float") not in _FITS_MP4:
            self._end(f"{name} does not go into an mp4 file")
            return
        if len(streams) > 1:
            self._note(f"the copy has one of {len(streams)} sound tracks")

    def begin(self, copy: Any, origin_s: Fraction) -> None:
        """Starts to copy.

        Args:
            copy: the output's stream.
            origin_s: the source's time that is 0 in the copy.
        """
        self._copy, self._shift = copy, origin_s
        self._packets = self._container.demux(self.stream)

    def until(self, time_s: Fraction | None, end_s: Fraction | None = None) -> Iterator[Any]:
        """Packets that start before `time_s` of the copy (None: all) and before `end_s`, as the output takes them."""
        while self.stream is not None:
            packet = self._next if self._next is not None else self._advance()
            if packet is None:
                return
            base = packet.time_base
            at = packet.pts * base - self._shift
            if (time_s is not None and at >= time_s) or (end_s is not None and at >= end_s):
                self._next = packet
                return
            self._next = None
            if at + (packet.duration or 0) * base <= 0 and self._shift > 0:
                continue  # before the copy begins; where it begins with the file, an encoder's lead-in is kept
            shift = round(self._shift / base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = self._copy
            yield packet

    def _advance(self) -> Any:
        try:
            for packet in self._packets:
                if packet.dts is not None and packet.pts is not None:
                    return packet
        except Exception as error:
            self._end(cause(error))
        self.close()
        return None

    def _end(self, why: str) -> None:
        self._note(f"the copy has no sound from here on: {why}" if self._copy else f"the copy has no sound: {why}")
        self.close()

    def refuse(self, error: Exception) -> None:
        """The output does not take it."""
        self._end(cause(error))

    def close(self) -> None:
        """Closes the file. May be called twice."""
        self.stream = None
        if self._container is not None:
            self._container.close()
            self._container = None
