"""Decodes one stream packet by packet, goes on behind damage, and knows which frames never came.

Each packet is numbered, and FFmpeg hands the number on to its frame: so frames that a decoder drops without a word are
missed, wherever its threads and its reordering put their neighbours. Knows no pixels and no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any

from rfseg.causes import cause, is_shortage

# Codecs whose decoders make one frame of each packet; for others only errors tell that a frame is missing.
_FRAME_A_PACKET = frozenset(
    ("h264", "hevc", "av1", "vp8", "vp9", "mjpeg", "mpeg4", "ffv1", "prores", "dnxhd", "mpeg2video")
)
_MOST_WAITING = 500  # packets; decoders delay frames by less than 100
_PLACES = 4  # named in the sentence
_FASTEST = 240  # frames/s; browsers' recordings call their milliseconds a rate
_LONGEST_GAP = 10_000  # frames
_UNEVEN = 0.25  # of a frame's time; WebM rounds to milliseconds

_Key = tuple[int, int]  # clock, time stamp


class Packets:
    """The frames of a stream with their indices.

    Attributes:
        damaged: packets that the decoder refused.
        lost: frames that never came; they keep their indices.
        end: why reading stopped early, or "".
        index: of the frame handed out last; -1 before the first one.
    """

    def __init__(self, av: Any, container: Any, stream: Any, before: Packets | None = None) -> None:
        """`before`: of a connection that was lost, whose counts go on."""
        self.damaged: int = before.damaged if before else 0
        self.lost: int = before.lost if before else 0
        self.end = ""
        self.index: int = before.index if before else -1
        self._av, self._container, self._stream = av, container, stream
        self._places: list[list[int]] = before._places if before else []
        self._counted = stream.codec_context.name in _FRAME_A_PACKET
        self._number = 0
        self._clock = 0
        self._last_stamp: int | None = None
        self._first: _Key | None = None
        self._waiting: dict[int, _Key] = {}
        self._order: list[tuple[_Key, int]] = []
        self._grid, self._promised = _grid(stream), bool(stream.frames)
        self._shown: tuple[int | None, int] | None = None
        self._missed = 0  # what was damaged or lost until the frame before
        stream.codec_context.copy_opaque = True

    def frames(self) -> Iterator[Any]:
        """Decoded frames in the order they are shown; `index` is then the one of the frame.

        Raises:
            MemoryError, OSError: of shortage, which is no damage.
        """
        for packet in self._demuxed():
            self._expect(packet)
            for frame in self._decoded(packet):
                self._arrived(frame)
                yield frame

    def finish(self) -> None:
        """Counts what never came behind the last frame; not to be called where the stream breaks off there."""
        while self._order:
            self._miss()

    def sentence(self) -> str:
        """What was damaged and what is missing, or ""."""
        parts = []
        if self.damaged:
            parts.append(f"{self.damaged} damaged packet{'' if self.damaged == 1 else 's'} skipped")
        if self.lost:
            spans = [str(a) if a == b else f"{a} to {b}" for a, b in self._places[:_PLACES]]
            more = ", ..." if len(self._places) > _PLACES else ""
            parts.append(
                f"{self.lost} of {self.index + 1} frames missing (frame{'' if self.lost == 1 else 's'} "
                f"{', '.join(spans)}{more}); indices and times are the file's"
            )
        return ", ".join(parts)

    def _demuxed(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except self._av.FFmpegError as error:
                if is_shortage(error) and not isinstance(error, self._av.BlockingIOError):
                    raise
                self.end = cause(error)
                packet = None
            if packet is None or (packet.size == 0 and packet.dts is None):
                break
            yield packet
        yield None

    def _decoded(self, packet: Any) -> Iterator[Any]:
        context = self._stream.codec_context
        while True:
            try:
                yield from context.decode(packet)
                return
            except self._av.EOFError:
                return
            except self._av.FFmpegError as error:
                if is_shortage(error):
                    raise
                self.damaged += 1
                if not self._counted:
                    self._lose()
                if packet is not None:
                    return  # flushing goes on: the frames behind the damage wait in the decoder

    def _expect(self, packet: Any) -> None:
        if packet is None or not self._counted:
            return
        stamp = packet.pts
        if stamp is None or packet.size == 0:
            self._counted = self._counted and stamp is not None
            return
        decoding = packet.dts if packet.dts is not None else stamp
        if self._last_stamp is not None and decoding < self._last_stamp:
            self._clock += 1  # joined pieces
        self._last_stamp = decoding
        key = (self._clock, stamp)
        if self._first is None and packet.is_keyframe:
            self._first = key
        self._number += 1
        packet.opaque = self._number
        # Frames before the first key frame cannot be decoded, and those of an edit list's hidden part are not shown.
        if self._first is not None and key >= self._first and not packet.is_discard:
            self._waiting[self._number] = key
            heappush(self._order, (key, self._number))
            if len(self._waiting) > _MOST_WAITING:
                self._miss()

    def _arrived(self, frame: Any) -> None:
        if self._counted and (frame.interlaced_frame or frame.opaque is None):
            self._counted = False  # two fields may be two packets; and some decoders forget the number
            self._waiting.clear()
            self._order.clear()
        key = self._waiting.pop(frame.opaque, None) if self._counted else None
        while key is not None and self._order and self._order[0][0] < key:
            self._miss()
        self._fill(frame.pts)
        self.index += 1
        self._shown, self._missed = (frame.pts, self.index), self.damaged + self.lost

    def _fill(self, stamp: int | None) -> None:
        """Frames whose packets are not even there: gaps in even times, where damage or the index tells of more."""
        if self._grid is None or stamp is None or self._shown is None or self._shown[0] is None:
            return
        steps = (stamp - self._shown[0]) / self._grid
        frames = round(steps)
        if not 1 < frames < _LONGEST_GAP or abs(steps - frames) > _UNEVEN:
            return
        if self._promised or self.damaged + self.lost > self._missed:
            for _ in range(frames - 1 - (self.index - self._shown[1])):
                self._lose()

    def _miss(self) -> None:
        """The first of the frames waited for will not come, or has come."""
        _, number = heappop(self._order)
        if self._waiting.pop(number, None) is not None:
            self._lose()

    def _lose(self) -> None:
        self.lost += 1
        self.index += 1
        if self._places and self._places[-1][1] == self.index - 1:
            self._places[-1][1] = self.index
        elif len(self._places) <= _PLACES:
            self._places.append([self.index, self.index])


def _grid(stream: Any) -> float | None:
    """Ticks of a frame where the stream says that it runs evenly."""
    rate = stream.average_rate
    if not rate or rate != stream.base_rate or rate > _FASTEST:
        return None
    return float(1 / (rate * stream.time_base))
