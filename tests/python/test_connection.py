"""A source that is found again and gives nothing, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import av
import pytest

from rfseg.video import connection


class Packets:
    """Frames of each connection in turn."""

    frames_left = 1

    def __init__(self, *_: Any) -> None:
        self.end = ""

    def frames(self) -> Iterator[Any]:
        if Packets.frames_left:
            Packets.frames_left -= 1
            yield SimpleNamespace(pts=0)


def test_a_source_that_opens_and_gives_no_frame_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    container = SimpleNamespace(duration=None, close=lambda: None)
    stream = SimpleNamespace(time_base=Fraction(1, 25), start_time=0)
    monkeypatch.setattr(Packets, "frames_left", 1)
    monkeypatch.setattr(connection, "open_container", lambda *_: container)
    monkeypatch.setattr(connection, "picture_stream", lambda *_: stream)
    monkeypatch.setattr(connection, "Packets", Packets)
    monkeypatch.setattr(connection.time, "monotonic", lambda: now_s[0])

    def away(_: str, delay_s: float) -> bool:
        now_s[0] += delay_s
        assert now_s[0] < 200, "it is tried for ever"
        return False

    source = connection.Connection(av, "rtsp://gate/live", 1 << 20, 2.0, away)
    assert len(list(source.frames(lambda: None))) == 1
    assert source.found_again == 4  # after 0.25, 0.5, 1 s and the rest
    assert now_s[0] == 102.0
    assert source.end == "the connection was lost and not found again within 2 s (the connection ended)"
