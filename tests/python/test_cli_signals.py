"""Signals end a run in time with valid files; a second one ends it at once, wherever it is."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from command import MODEL, count, finish, repeated, start, wait_for
from rfseg.cli.main import main
from rfseg.cli.signals import Interrupt
from rfseg.video import VideoWriter

KINDS = ("mp4", "jsonl", "geojson", "coco.json")
ALL = ("--save", "video,json,coco,geojson", "--progress", "none")


@pytest.fixture
def long(tmp_path) -> Path:
    """40,000 frames: a run of it does not end by itself within a test."""
    with VideoWriter(tmp_path / "clip.mp4", 30) as writer:
        for shade in range(40):
            writer.write(np.full((64, 96, 3), shade, np.uint8))
    return repeated(tmp_path / "clip.mp4", tmp_path / "long.ts", 1000)


def running(source: Path, out: Path, lines: int = 40) -> subprocess.Popen[str]:
    process = start(source, *ALL, "--out", out)
    records = out / f"{source.stem}.jsonl"
    wait_for(lambda: records.exists() and records.read_bytes().count(b"\n") > lines, process)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_completes_every_file(number, long, tmp_path):
    process = running(long, tmp_path / "out")
    process.send_signal(number)
    code, out, error = finish(process)
    assert code == 128 + number
    assert error == "rfseg: stopped; the files are complete up to here\n"
    counts = {kind: count(tmp_path / "out" / f"long.{kind}") for kind in KINDS}
    assert counts["mp4"] == counts["jsonl"] == counts["coco.json"] > 40
    assert f"long.ts: {counts['jsonl']} frames" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(f"long.{kind}" for kind in KINDS)


@pytest.mark.parametrize("numbers", [(signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGHUP)])
def test_the_second_signal_ends_at_once_and_leaves_what_survives(numbers, long, tmp_path):
    process = running(long, tmp_path / "out")
    os.kill(process.pid, signal.SIGSTOP)  # so that the first one is not answered before the second one comes
    for number in numbers:
        process.send_signal(number)
    os.kill(process.pid, signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode in {128 + number for number in numbers}
    assert count(tmp_path / "out" / "long.jsonl") > 40
    assert count(tmp_path / "out" / "long.geojson") > 40
    assert not (tmp_path / "out" / "long.coco.json").exists()


def test_what_is_said_to_survive_a_kill_survives(long, tmp_path):
    process = running(long, tmp_path / "out", 200)
    process.kill()
    process.communicate(timeout=60)
    lines = count(tmp_path / "out" / "long.jsonl")
    assert lines > 200
    assert count(tmp_path / "out" / "long.geojson") > lines
    assert count(tmp_path / "out" / "long.mp4") >= 30
    assert not (tmp_path / "out" / "long.coco.json").exists()
    assert (tmp_path / "out" / "long.coco.json.part").exists()


@pytest.mark.parametrize("fed", [False, True])
@pytest.mark.parametrize("signals", [1, 2])
def test_a_source_that_stalls_can_be_left(fed, signals, long, tmp_path):
    """A pipe without a writer, and one whose writer stops: FFmpeg waits in the system for ever."""
    pipe = tmp_path / "pipe.ts"
    os.mkfifo(pipe)
    ended = threading.Event()

    def feed() -> None:
        with pipe.open("wb") as file:
            file.write(long.read_bytes()[: 40 * 188])
            file.flush()
            ended.wait(60)

    feeder = threading.Thread(target=feed, daemon=True)
    if fed:
        feeder.start()
    process = start(pipe, *ALL, "--out", tmp_path / "out")
    wait_for((tmp_path / "out").exists, process)
    time.sleep(0.5)
    for _ in range(signals):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    ended.set()
    assert process.returncode == 130


def test_until_files_are_written_one_signal_is_enough(tmp_path, long):
    hook = (
        "import rfseg, sys, time; rfseg.Segmenter = lambda *_, **__: time.sleep(60); from rfseg.cli.main import main; "
    )
    import sys

    process = subprocess.Popen(
        [sys.executable, "-c", f"{hook}print('ready', flush=True); sys.exit(main())", "run", str(MODEL), str(long)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (143, "")
    assert not (tmp_path / "runs").exists()


def test_an_ignored_hangup_stays_ignored(long, tmp_path):
    process = start(
        long, *ALL, "--out", tmp_path / "out", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    )
    records = tmp_path / "out" / "long.jsonl"
    wait_for(lambda: records.exists() and records.stat().st_size > 0, process)
    process.send_signal(signal.SIGHUP)
    before = records.stat().st_size
    wait_for(lambda: records.stat().st_size > 4 * before, process)
    process.terminate()
    assert finish(process)[0] == 143


def test_handlers_come_back_and_nothing_stays_open():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with Interrupt() as interrupt:
            interrupt.saving = True
            os.kill(os.getpid(), signal.SIGTERM)
            deadline = time.monotonic() + 30
            while not interrupt.wanted and time.monotonic() < deadline:
                time.sleep(0.001)
            assert (interrupt.wanted, interrupt.code) == (True, 143)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    deadline = time.monotonic() + 30
    while len(os.listdir("/proc/self/fd")) > descriptors and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_command_in_another_thread_leaves_signals_alone(tmp_path, long, capsys):
    codes = []
    arguments = ["run", str(MODEL), str(tmp_path / "clip.mp4"), "--out", str(tmp_path / "out"), "--device", "cpu"]
    thread = threading.Thread(target=lambda: codes.append(main(arguments)))
    thread.start()
    thread.join()
    assert codes == [0]
