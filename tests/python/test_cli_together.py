"""`rfseg run --together`, and live sources: the files of separate runs; the latest frames of an HTTP camera that comes
and goes on this machine's loopback.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import rfseg
from command import MODEL, count, repeated, run, start, wait_for
from http_camera import Camera
from rfseg.cli import together
from rfseg.cli.main import main
from rfseg.video import VideoWriter, open_video

SAVES = "video,json,coco,geojson,yolo"
SHADES = np.random.default_rng(12).integers(0, 255, (40, 1, 96, 3)).astype(np.uint8)


def film(path: Path, frames: int, height: int = 64) -> Path:
    with VideoWriter(path, 30) as writer:
        for shade in SHADES[:frames]:
            writer.write(np.broadcast_to(shade, (height, 96, 3)))
    return path


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    film(Path("a.mp4"), 12)
    Path("other").mkdir()
    film(Path("other/a.mp4"), 7, 50)
    Path("photos").mkdir()
    for number, shade in enumerate(SHADES[:3]):
        Image.fromarray(np.broadcast_to(shade, (40, 96, 3))).save(f"photos/{number}.png")
    return tmp_path


def here(*arguments: str) -> int:
    return main(["run", str(MODEL), "--threshold", "0", "--device", "cpu", *arguments])


def contents(folder: str) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def events(out: str, kind: str) -> list[dict[str, Any]]:
    return [event for event in map(json.loads, out.splitlines()) if event["event"] == kind]


def test_files_are_those_of_separate_runs(work, capsys):
    sources = ("a.mp4", "other/a.mp4", "photos", "photos/1.png")
    wish = ("--save", SAVES, "--stride", "2", "--classes", "0,2", "--progress", "none")
    assert here(*sources, *wish, "--out", "apart") == 0
    apart = capsys.readouterr().out
    assert here(*sources, *wish, "--together", "--out", "at_once") == 0
    at_once = capsys.readouterr().out
    assert contents("at_once") == contents("apart")
    assert len(contents("apart")) > 16
    heads = [line.split(" left out")[0].rsplit(", ", 3)[0] for line in apart.splitlines()]
    assert [line.split(":")[0] for line in at_once.splitlines()] == [head.split(":")[0] for head in heads]
    for line, head, frames in zip(at_once.splitlines(), heads, (6, 4, 2, 1), strict=True):
        assert f": {frames} frame" in line
        assert f"all of {frames} read, age " in line
        assert head.split(" instances")[0] in line


def test_one_that_fails_delays_and_spoils_nothing(work, capsys):
    Path("broken.mp4").write_bytes(Path("a.mp4").read_bytes()[:1000])
    Path("cut.mp4").write_bytes(Path("a.mp4").read_bytes()[:-200])
    wish = ("--save", "json", "--progress", "json")
    assert here("broken.mp4", "a.mp4", "missing.mp4", "photos", *wish, "--together", "--out", "out") == 2
    out, error = capsys.readouterr()
    assert [event["source"] for event in events(out, "done")] == ["a.mp4", "photos"]
    assert [event["source"] for event in events(out, "failed")] == ["broken.mp4"]
    assert "cannot open broken.mp4" in error
    assert "no such file, folder or camera: missing.mp4" in error
    assert error.endswith("rfseg: 2 left out, see above\n")
    assert len(records(Path("out/a.jsonl"))) == 12


def test_all_that_fail_are_told_once_each(work, capsys):
    Path("broken.mp4").write_bytes(b"\0" * 1000)
    assert here("broken.mp4", "--together", "--out", "out") == 2
    assert capsys.readouterr().err.count("broken.mp4") == 1
    assert not list(Path("out").iterdir())


def refusing(monkeypatch: pytest.MonkeyPatch, refused: set[int]) -> None:
    ticket, seen = rfseg.Segmenter._ticket, []

    def some(self: Any, *arguments: Any) -> Any:
        seen.append(arguments)
        if len(seen) - 1 in refused:
            raise MemoryError
        return ticket(self, *arguments)

    monkeypatch.setattr(rfseg.Segmenter, "_ticket", some)


def test_a_frame_that_the_network_refuses_is_one_line(work, monkeypatch, capsys):
    refusing(monkeypatch, {1, 2})
    assert here("a.mp4", "--together", "--save", "json", "--out", "out", "--progress", "json") == 2
    out, error = capsys.readouterr()
    assert [record["frame"] for record in records(Path("out/a.jsonl"))] == [0, *range(3, 12)]
    assert "rfseg: a.mp4: frame 1: not enough memory; the others are not affected" in error
    [done] = events(out, "done")
    assert (done["read"], done["done"], done["failed"], done["left_out"]) == (12, 10, 2, 2)


def test_frames_that_all_fail_end_their_source_alone(work, monkeypatch, capsys):
    refusing(monkeypatch, set(range(100)))
    assert here("a.mp4", "--together", "--save", "json", "--out", "out") == 2
    error = capsys.readouterr().err
    assert error.count("not enough memory") == together.PATIENCE
    assert error.endswith(f"{together.PATIENCE} left out, see above\n")


def test_latest_of_a_file_drops_and_counts(work, capsys):
    film(Path("long.mp4"), 40)
    assert here("long.mp4", "--policy", "latest", "--save", "json", "--progress", "json", "--out", "out") == 0
    [done] = events(capsys.readouterr().out, "done")
    assert done["policy"] == "latest"
    assert done["read"] == 40 == done["done"] + done["dropped"]
    assert done["frames"] == done["done"] == len(records(Path("out/long.jsonl")))
    assert done["age_p99_s"] >= done["age_p50_s"] > 0


@pytest.mark.parametrize("wish", [("--together",), ("--policy", "latest")])
def test_resume_is_for_files_one_after_another(wish, work, capsys):
    assert here("a.mp4", *wish, "--resume", "--save", "json", "--out", "out") == 1
    assert "--resume goes on with files, one after another: leave out" in capsys.readouterr().err
    assert here("rtsp://127.0.0.1:9/live", "a.mp4", "--resume", "--save", "json", "--out", "out") == 2
    assert "rtsp://127.0.0.1:9/live: a camera or an address cannot be gone on with" in capsys.readouterr().err
    assert len(records(Path("out/a.jsonl"))) == 12


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_completes_the_files_of_all(number, work):
    long = repeated(Path("a.mp4"), Path("long.ts"), 1000)
    pipe = Path("stalls.ts")
    os.mkfifo(pipe)
    saves = ("--save", "video,json,coco,geojson", "--progress", "none")
    process = start(long, pipe, "other/a.mp4", *saves, "--together", "--out", "out")
    lines = Path("out/long.jsonl")
    wait_for(lambda: lines.exists() and lines.read_bytes().count(b"\n") > 40, process)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert error == "rfseg: stopped; the files are complete up to here\n"
    counts = {kind: count(Path(f"out/long.{kind}")) for kind in ("mp4", "jsonl", "coco.json")}
    assert len(set(counts.values())) == 1
    assert counts["jsonl"] < 12_000
    assert [record["frame"] for record in records(lines)] == list(range(counts["jsonl"]))
    assert count(Path("out/a.mp4")) == 7


@pytest.fixture
def camera(work: Path) -> Iterator[Camera]:
    """Breaks off in the middle, is away once, and stays away after another round."""
    stream = repeated(film(Path("clip.mp4"), 40), Path("live.ts"), 2).read_bytes()
    server = Camera(stream, [0.5, 0.0, 1.0], 1.0)
    yield server
    server.close()


def test_a_camera_that_breaks_off_is_tried_again_until_patience_ends(camera, work):
    wish = ("--save", "json,video", "--progress", "json", "--patience", "3", "--out", "out")
    code, out, error = run(camera.address, *wish)
    assert code == 2
    assert "secret" not in out + error
    assert "the connection was lost and not found again within 3 s" in error
    assert "the connection was lost and found again once" in error
    assert error.endswith("rfseg: 1 left out, see above\n")
    [done] = events(out, "done")
    assert (done["policy"], done["state"]) == ("latest", "ended")
    assert done["reconnects"] >= 4
    assert camera.turns == 1 + done["reconnects"]
    assert done["read"] == done["done"] + done["dropped"] > 90
    stem = Path(done["files"][0]).stem
    lines = records(Path(f"out/{stem}.jsonl"))
    assert len(lines) == done["done"] == count(Path(f"out/{stem}.mp4"))
    assert all(a["frame"] < b["frame"] and a["time_s"] < b["time_s"] for a, b in pairwise(lines))
    assert lines[-1]["frame"] >= done["read"] - 1  # the latest is never dropped


def test_a_camera_that_never_was_there_is_told_at_once(work):
    server = Camera(b"", [], 0)
    try:
        code, _, error = run(server.address, "--save", "json", "--out", "out")
    finally:
        server.close()
    assert code == 2
    assert error.startswith("rfseg: cannot open http://127.0.0.1")
    assert server.turns == 1


def test_who_waits_for_a_camera_may_stop_waiting(camera):
    told: list[float] = []
    with (
        open_video(
            camera.address, patience_s=60, away=lambda why, delay_s: bool(told.append(delay_s)) or True
        ) as video,
        pytest.raises(rfseg.InputError, match="the connection was lost and not found again"),
    ):
        list(video.frames())
    assert told == [0.25]
    assert camera.turns == 1


def test_watch_takes_addresses_and_files(camera, seg, work):
    with seg.watch({"live": camera.address, "film": "a.mp4"}, patience_s=3) as cameras:
        seen = [(one.source, one.index) for one in cameras]
        live, film = cameras.stats().values()
    assert [index for source, index in seen if source == "film"] == list(range(12))
    assert (live.policy, film.policy) == ("latest", "all")
    assert live.reconnects >= 4
    assert film.last_error is None
    assert "not found again within 3 s" in str(live.last_error)
    assert live.read == live.done + live.dropped > 90
