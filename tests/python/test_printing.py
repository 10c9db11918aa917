"""What reaches a terminal: no secrets, nothing that it would obey, no lines of others; and pipes that close."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from command import MODEL, count, finish, run, start
from rfseg.causes import cause, is_shortage
from rfseg.printable import address_stem, escaped, printable, without_secrets
from rfseg.progress import make
from rfseg.terminal import say
from rfseg.video import VideoWriter

SECRETS = [
    "http://user:SECRET@127.0.0.1:9/x.mp4",
    "http://user:SEC/RET@127.0.0.1:9/x.mp4",
    "http://user:SEC@RET@127.0.0.1:9/x.mp4",
    "http://user:SEC?RET@127.0.0.1:9/x.mp4",
    "http://user:SEC#RET@127.0.0.1:9/x.mp4",
    "http://SECRET@127.0.0.1:9/x.mp4",
    "http://127.0.0.1:9/x.mp4?token=SECRET",
    "http://127.0.0.1:9/x.mp4?user=a@b.c&token=SECRET",
    "http://127.0.0.1:9/x.mp4#SECRET",
    "rtsp://user:SECRET@[::1]:9/live",
    "rtsp://user:SECRET@[::1",
]


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    with VideoWriter(tmp_path / "clip.mp4", 10) as writer:
        for shade in range(4):
            writer.write(np.full((20, 30, 3), shade, np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("address", SECRETS)
def test_no_form_of_a_secret_is_shown(address):
    for shown in (without_secrets(address), address_stem(address)):
        assert "SEC" not in shown
        assert "RET" not in shown
        assert "user:" not in shown


def test_addresses_keep_what_is_no_secret():
    assert without_secrets("rtsp://u:p@host:554/live/1") == "rtsp://host:554/live/1"
    assert without_secrets("http://host/a.mp4?x=1") == "http://host/a.mp4"
    assert without_secrets("http://host/a.mp4?x=a@b") == "http://host/a.mp4"
    assert address_stem("rtsp://u:p@10.0.0.5:554/live/main.sdp") == "10.0.0.5_live_main"
    assert address_stem("http://[::1]:8/") == "1"
    assert address_stem("://") == "stream"


def test_no_secret_is_printed_or_becomes_a_file(work):
    for mode in ("plain", "json"):
        code, out, error = run(*SECRETS, "clip.mp4", "--save", "json", "--out", mode, "--progress", mode)
        assert code == 2
        names = " ".join(path.name for path in (work / mode).iterdir())
        assert not {"SEC", "RET"} & {text[i : i + 3] for text in (out, error, names) for i in range(len(text))}


def test_escapes_say_what_they_were():
    assert escaped("a\x1b]0;x\x07\r\n\u202e\u2028\udce9é漢") == "a\\x1b]0;x\\x07\\x0d\\x0a\\u202e\\u2028\\udce9é漢"
    assert printable("x" * 5000) == "x" * 2000 + "..."


def test_a_models_names_cannot_reach_the_terminal(work):
    Path("evil.onnx").write_bytes(MODEL.read_bytes())
    evil = ["a\x1b]0;owned\x07\r\nrfseg: done", "[bold]b[/x]", "c\u202e" + "y" * 5000]
    Path("evil.names.json").write_text(json.dumps(evil))
    command = [sys.executable, "-m", "rfseg", "run", "evil.onnx", "clip.mp4", "--threshold", "0", "--save", "json"]
    for more in ([], ["--classes", "zz"]):
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == (1 if more else 0)
        for text in (done.stdout, done.stderr):
            assert not set(text) & set("\x1b\x07\r\u202e")
            assert "\nrfseg: done" not in text
            assert all(len(line) < 8000 for line in text.splitlines())


def terminal(*arguments: str) -> tuple[int, str]:
    """Runs on a terminal of its own and returns what it would have shown."""
    ours, theirs = pty.openpty()
    process = start(*arguments, stdout=theirs, stderr=theirs)
    os.close(theirs)
    pieces: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(ours, 4096):
                pieces.append(piece)
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    code = process.wait(timeout=100)
    reader.join()
    os.close(ours)
    return code, b"".join(pieces).decode("utf-8", "replace")


def test_brackets_in_a_name_are_no_markup_for_the_bar(work):
    Path("a[").mkdir()
    Path("a[/b].mp4").write_bytes(Path("clip.mp4").read_bytes())
    code, shown = terminal("a[/b].mp4", "--save", "json")
    assert code == 0
    assert "a[/b].mp4: 4 frames" in shown
    assert "Traceback" not in shown


def test_decoders_print_nothing_between(work):
    Path("photos").mkdir()
    ok, data = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8))
    assert ok
    damaged = bytes(data)[:300] + bytes(50) + bytes(data)[350:]
    for name, content in (
        ("a.png", damaged),
        ("b.png", bytes(data)[:5000]),
        ("c.jpg", b"\xff\xd8\xff\xe0" + bytes(99)),
    ):
        Path("photos", name).write_bytes(content)
    ok, jpeg = cv2.imencode(".jpg", np.zeros((60, 60, 3), np.uint8))
    Path("photos/d.jpg").write_bytes(bytes(jpeg)[:-30])
    Path("photos/e.tif").write_bytes(b"II*\0\x08\0\0\0" + b"\xff" * 40)
    Path("bad.mp4").write_bytes(Path("clip.mp4").read_bytes()[:600])
    code, _, error = run("photos", "bad.mp4", "--save", "json", "--progress", "none")
    assert code == 2
    assert len(error.splitlines()) >= 5
    assert all(line.startswith("rfseg: ") for line in error.splitlines()), error


@pytest.mark.parametrize("mode", ["plain", "json", "none"])
def test_a_reader_that_goes_away_is_no_error(mode, work):
    reader, writer = os.pipe()
    process = start("clip.mp4", "--save", "json", "--out", "out", "--progress", mode, stdout=writer)
    os.close(writer)
    os.close(reader)
    code, _, error = finish(process)
    assert (code, error) == (0, "")
    assert count(work / "out" / "clip.jsonl") == 4


@pytest.mark.parametrize("mode", ["plain", "json"])
def test_a_full_disk_under_the_summary_is_an_error(mode, work):
    with open("/dev/full", "w") as full:
        code, _, error = run("clip.mp4", "--save", "json", "--out", "out", "--progress", mode, stdout=full)
    assert code == 2
    assert "the summary cannot be printed: no space left on the disk" in error
    assert count(work / "out" / "clip.jsonl") == 4


def test_closed_streams_do_not_become_files(work):
    command = [sys.executable, "-m", "rfseg", "run", str(MODEL), "nowhere.mp4", "clip.mp4", "--save", "video,json"]
    command += ["--out", "out", "--threshold", "0"]
    done = subprocess.run(["bash", "-c", 'exec >&- 2>&- <&-; exec "$@"', "-", *command], timeout=100, check=False)
    assert done.returncode == 2
    assert (count(work / "out" / "clip.mp4"), count(work / "out" / "clip.jsonl")) == (4, 4)


def test_say_survives_any_stream(monkeypatch):
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        say("nobody hears it")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", narrow)
    say("grün \udce9")
    assert narrow.buffer.getvalue() == b"gr\\xfcn \\udce9\n"


def test_plain_progress_is_printable(capsys, monkeypatch):
    monkeypatch.setattr("rfseg.progress._PLAIN_EVERY_S", 0.0)
    monkeypatch.setattr("rfseg.progress._Lines.every_s", 0.0)
    progress = make("plain")
    progress.begin("a\x1b[31m", None)
    progress.advance()
    assert capsys.readouterr().err.startswith("a\\x1b[31m: 1 frames")


@pytest.mark.parametrize(
    ("error", "said", "short"),
    [
        (MemoryError(), "not enough memory", True),
        (MemoryError("3 GiB"), "not enough memory: 3 GiB", True),
        (OSError(12, "Cannot allocate memory"), "not enough memory", True),
        (OSError(24, "Too many open files", "x"), "too many open files (ulimit -n)", True),
        (OSError(28, "No space left on device", "x"), "no space left on the disk", True),
        (RuntimeError("can't start new thread"), "the system gives no more threads (ulimit -u)", True),
        (OSError(2, "No such file or directory", "http://u:p@h"), "No such file or directory", False),
        (ValueError("a\nb\x1b"), "a b\\x1b", False),
        (KeyError("k"), "'k' (KeyError)", False),
        (AssertionError(), "AssertionError (AssertionError)", False),
    ],
)
def test_causes_tell_shortage_from_damage(error, said, short):
    assert (cause(error), is_shortage(error)) == (said, short)
