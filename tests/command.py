"""Runs the `rfseg` command in a process of its own, on a network of a millisecond, and reads what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av

from paths import DATA

MODEL = DATA / "models" / "plain.onnx"


def start(*arguments: str | Path, **settings: Any) -> subprocess.Popen[str]:
    """`rfseg run MODEL ...`; every instance is kept, so that files fill."""
    command = [sys.executable, "-m", "rfseg", "run", str(MODEL), *map(str, arguments)]
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **settings}
    # Who runs the tests with nohup has SIGHUP ignored, which a command inherits.
    settings = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL), **settings}
    return subprocess.Popen([*command, "--threshold", "0", "--device", "cpu"], text=True, errors="replace", **settings)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    out, error = process.communicate(timeout=100)
    assert "Traceback" not in (error or ""), error
    return process.returncode, out or "", error or ""


def run(*arguments: str | Path, **settings: Any) -> tuple[int, str, str]:
    return finish(start(*arguments, **settings))


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 100
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def count(path: Path) -> int:
    """Frames of a video, lines, features or images of a record; raises where the file is not valid."""
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    if path.suffix == ".jsonl":
        lines = path.read_text().splitlines()
        return len([json.loads(line) for line in lines])
    value = json.loads(path.read_text())
    return len(value["features"] if "features" in value else value["images"])


def repeated(clip: Path, path: Path, times: int) -> Path:
    """A transport stream of the clip, again and again: long, and quick to make."""
    with av.open(str(clip)) as source, av.open(str(path), "w", format="mpegts") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(source.streams.video[0]) if packet.dts is not None]
        length = packets[-1].dts + packets[-1].duration - packets[0].dts
        data = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe, p.time_base) for p in packets]
        for turn in range(times):
            for content, pts, dts, duration, key, base in data:
                packet = av.Packet(content)
                packet.pts, packet.dts, packet.duration = pts + turn * length, dts + turn * length, duration
                packet.is_keyframe, packet.time_base, packet.stream = key, base, stream
                out.mux(packet)
    return path


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **more}
