"""Stages of a run overlap, keep the order of frames, and say which of them was the limit."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import rfseg
from command import MODEL
from rfseg.cli.frames import Opened
from rfseg.cli.lanes import Lanes
from rfseg.cli.main import main
from rfseg.cli.segment import segment
from rfseg.cli.stages import Busy, Stage
from rfseg.progress import make
from rfseg.video import VideoFrame, VideoWriter
from waiting import until

FRAMES = 60


def results(frames):
    masks = rfseg.Masks.from_dense(np.ones((1, 4, 6), bool))
    for _ in frames:
        yield rfseg.Result(np.float32([[0, 0, 6, 4]]), np.float32([0.9]), np.int32([0]), masks, (4, 6), {0: "a"}, {})


class Network:
    """Stands in for a Segmenter: `delay_s` a frame, and nothing found but one box."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self._delay_s = delay_s

    def stream(self, frames):
        for frame in frames:
            time.sleep(self._delay_s)
            yield from results([frame])


class Records:
    """A sink that remembers, and may be slow or fail."""

    def __init__(self, delay_s: float = 0.0, fails_at: int = -1) -> None:
        self.path, self.seen, self.closed = Path("records"), [], 0
        self._delay_s, self._fails_at = delay_s, fails_at

    def write(self, frame, _):
        time.sleep(self._delay_s)
        if frame.index == self._fails_at:
            raise OSError(28, "No space left on device")
        self.seen.append(frame.index)

    def close(self):
        self.closed += 1


class Pictures(Records):
    """The same with drawing in front, whose times differ."""

    stage = "encode"

    def __init__(self, draw_s: float = 0.0, **more) -> None:
        super().__init__(**more)
        self.threads: set[str] = set()
        self._draw_s = draw_s

    def draw(self, frame, _):
        self.threads.add(threading.current_thread().name)
        time.sleep(self._draw_s * (1 + frame.index % 3))
        return f"picture {frame.index}"

    def write(self, frame, drawn):
        assert drawn == f"picture {frame.index}"
        super().write(frame, drawn)


def opened(read_s: float = 0.0, frames: int = FRAMES) -> Opened:
    clock = Stage("read")

    def walk():
        for index in range(frames):
            with clock.at_work():
                time.sleep(read_s)
            yield VideoFrame(np.zeros((4, 6, 3), np.uint8), index, index, 1, index / 30)

    return Opened(walk(), frames, reading=clock)


def run(network, source, *sinks):
    said: list[str] = []
    tally = segment(network, source, list(sinks), progress=make("none"), stopped=lambda: False, report=said.append)
    return tally, said


def test_every_sink_gets_every_frame_in_order_and_is_closed_once():
    pictures, records, more = Pictures(draw_s=0.001), Records(), Records(delay_s=0.001)
    tally, said = run(Network(), opened(), pictures, records, more)
    assert (tally.frames, tally.counts, said) == (FRAMES, {"a": FRAMES}, [])
    for sink in (pictures, records, more):
        assert (sink.seen, sink.closed) == (list(range(FRAMES)), 1)
    assert all(name.startswith("rfseg-draw") for name in pictures.threads)


@pytest.mark.parametrize(
    ("limit", "times"),
    [
        ("read", {"read_s": 0.006}),
        ("network", {"network_s": 0.006}),
        ("draw", {"draw_s": 0.03}),
        ("encode", {"encode_s": 0.006}),
        ("write", {"write_s": 0.006}),
    ],
)
def test_the_slowest_stage_is_named(limit, times):
    pictures = Pictures(draw_s=times.get("draw_s", 0), delay_s=times.get("encode_s", 0))
    tally, _ = run(
        Network(times.get("network_s", 0)), opened(times.get("read_s", 0)), pictures, Records(times.get("write_s", 0))
    )
    assert tally.busy.limit == limit, tally.busy.sentence()
    assert tally.busy.sentence().startswith(f"limit {limit} (")
    assert all(0 <= share <= 1 for share in tally.busy.shares().values())


def test_stages_overlap():
    """Together they take less than one after another: compared with what they themselves say, not with a clock."""
    tally, _ = run(Network(0.004), opened(), Pictures(draw_s=0.002, delay_s=0.004), Records(0.004))
    shares = tally.busy.shares()
    assert sum(shares[name] for name in ("network", "encode", "write")) > 1.5


def test_one_sink_that_fails_ends_alone():
    pictures, records = Pictures(fails_at=7), Records()
    tally, said = run(Network(), opened(), pictures, records)
    assert said == ["records breaks off: no space left on the disk"]
    assert (pictures.seen, pictures.closed) == (list(range(7)), 1)
    assert (records.seen, tally.frames) == (list(range(FRAMES)), FRAMES)
    alone = Records(fails_at=3)
    tally, said = run(Network(), opened(frames=10_000), alone)
    assert tally.frames < 100  # nobody takes frames any more


def test_frames_that_wait_are_few():
    """What is held does not grow with the film: a slow encoder stops the network."""
    gate = threading.Event()

    class Stuck(Pictures):
        def write(self, frame, drawn):
            gate.wait(30)
            super().write(frame, drawn)

    sink, busy = Stuck(), Busy()
    taken = []

    def feed() -> None:
        with Lanes([sink], taken.append, busy) as lanes:
            for frame, result in zip(opened().frames, results(range(FRAMES)), strict=True):
                lanes.put(frame, result)
                taken.append(frame.index)

    thread = threading.Thread(target=feed)
    thread.start()
    until(lambda: bool(taken))
    before = -1
    while len(taken) != before:  # until nothing moves any more
        before = len(taken)
        time.sleep(0.2)
    assert before < 24
    gate.set()
    thread.join(30)
    assert sink.seen == list(range(FRAMES))


def test_the_summary_says_the_limit(tmp_path, capsys):
    with VideoWriter(tmp_path / "clip.mp4", 10) as writer:
        for shade in range(20):
            writer.write(np.full((20, 30, 3), shade, np.uint8))
    arguments = ["run", str(MODEL), str(tmp_path / "clip.mp4"), "--device", "cpu", "--threshold", "0"]
    assert main([*arguments, "--out", str(tmp_path / "a")]) == 0
    out = capsys.readouterr().out
    stages = ["read", "network", "draw", "encode", "write"]
    assert any(f"frames/s, limit {stage} (read " in out for stage in stages)
    assert all(f"{stage} " in out for stage in stages)
    assert main([*arguments, "--progress", "json", "--out", str(tmp_path / "b")]) == 0
    event = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(event["busy"]) == stages
    assert event["busy"][event["limit"]] == max(event["busy"].values())
    assert event["processors"] > 0
