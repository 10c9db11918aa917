"""`rfseg run --resume`: what an interrupted run left is gone on with, and the end is as if nothing had happened."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from command import count, run, start, wait_for
from rfseg.cli.common import UsageError
from rfseg.cli.resume import refuse_what_cannot
from rfseg.video import VideoWriter, open_video

ALL = ("--save", "video,json,geojson,coco", "--progress", "none")
FRAMES = 1500


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """Long enough to be interrupted."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    noise = np.random.default_rng(1).integers(0, 255, (96, 128, 3), np.uint8)
    with VideoWriter(path, 25) as writer:
        for index in range(FRAMES):
            writer.write(np.roll(noise, 3 * index, 1))
    return path


@pytest.fixture(scope="module")
def whole(clip, tmp_path_factory) -> Path:
    """The folder of a run that nobody interrupted."""
    out = tmp_path_factory.mktemp("whole") / "out"
    code, _, error = run(clip, *ALL, "--out", out)
    assert (code, error) == (0, "")
    return out


def interrupted(clip: Path, out: Path, number: int, lines: int = 300) -> int:
    process = start(clip, *ALL, "--out", out)
    records = out / "clip.jsonl"
    wait_for(lambda: records.exists() and records.read_bytes().count(b"\n") > lines, process)
    process.send_signal(number)
    process.communicate(timeout=60)
    return records.read_bytes().count(b"\n")


def planes(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_was_interrupted_is_gone_on_with(number, clip, whole, tmp_path):
    out = tmp_path / "out"
    done = interrupted(clip, out, number)
    assert 300 < done < FRAMES
    if number == signal.SIGKILL:  # half a line, as a crash of the machine may leave it
        with (out / "clip.jsonl").open("ab") as file:
            file.write(b'{"frame":')
    before = planes(out / "clip.mp4")
    code, said, error = run(clip, *ALL, "--out", out, "--resume")
    assert code == 0, error
    kept = int(error.split("goes on behind frame ")[1].split(",")[0]) + 1
    assert error == (
        f"rfseg: {clip} goes on behind frame {kept - 1}, {kept} done; the copy's packets are kept as they are\n"
    )
    assert 200 < kept <= done
    assert f"{FRAMES - kept} frames" in said
    assert (out / "clip.jsonl").read_bytes() == (whole / "clip.jsonl").read_bytes()
    for name in ("clip.geojson", "clip.coco.json"):
        assert json.loads((out / name).read_text()) == json.loads((whole / name).read_text())
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in whole.iterdir())
    after = planes(out / "clip.mp4")
    assert len(after) == FRAMES
    assert times(out / "clip.mp4") == times(whole / "clip.mp4")
    assert all(np.array_equal(a, b) for a, b in zip(before[:kept], after, strict=False))
    fresh = planes(whole / "clip.mp4")
    assert np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(after, fresh, strict=True)]) < 3


def test_a_complete_run_is_left_alone(clip, whole, tmp_path):
    out = shutil.copytree(whole, tmp_path / "out")
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    code, said, error = run(clip, *ALL, "--out", out, "--resume")
    assert (code, said, error) == (0, "", f"rfseg: {clip} is complete already\n")
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_nothing_there_is_a_run_like_any_other(clip, whole, tmp_path):
    code, _, error = run(clip, *ALL, "--out", tmp_path / "new" / "out", "--resume")
    assert (code, error) == (0, "")
    assert (tmp_path / "new" / "out" / "clip.jsonl").read_bytes() == (whole / "clip.jsonl").read_bytes()


def test_a_copy_that_is_gone_begins_again(clip, whole, tmp_path):
    out = shutil.copytree(whole, tmp_path / "out")
    (out / "clip.mp4").unlink()
    code, _, error = run(clip, *ALL, "--out", out, "--resume")
    assert (code, error) == (0, "")
    assert count(out / "clip.mp4") == count(out / "clip.jsonl") == FRAMES


def test_a_copy_of_other_settings_is_not_joined(clip, whole, tmp_path):
    out = shutil.copytree(whole, tmp_path / "out")
    with VideoWriter(out / "clip.mp4", 25, preset="ultrafast") as writer:
        for _ in range(50):
            writer.write(np.zeros((96, 128, 3), np.uint8))
    code, _, error = run(clip, "--save", "json,video", "--out", out, "--resume", "--progress", "none")
    assert code == 2
    assert "encoded with other settings, so nothing can follow it: run without --resume" in error
    assert count(out / "clip.jsonl") == FRAMES
    with open_video(out / "clip.mp4.part") as copy:
        assert sum(1 for _ in copy.frames()) == 50  # what was there stays


def test_pictures_that_are_done_are_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.jpg", "c.png", "c.bmp", "d.png"):
        cv2.imwrite(
            str(tmp_path / "photos" / name), np.random.default_rng(len(name)).integers(0, 255, (40, 60, 3), np.uint8)
        )
    arguments = (tmp_path / "photos", "--save", "video,json,coco,geojson", "--progress", "none", "--out")
    assert run(*arguments, tmp_path / "whole")[0] == 0
    out = shutil.copytree(tmp_path / "whole", tmp_path / "out")
    (out / "photos" / "d.png").unlink()
    (out / "photos.coco.json").rename(out / "photos.coco.json.part")
    before = {path: path.stat().st_mtime_ns for path in (out / "photos").glob("[ab].*")}
    assert len(before) == 6
    code, said, error = run(*arguments, out, "--resume")
    assert (code, error) == (0, f"rfseg: {tmp_path / 'photos'}: 2 pictures are done already\n")
    assert "photos: 3 frames" in said  # both of the name c, since their files may be either's, and d
    assert {path: path.stat().st_mtime_ns for path in before} == before
    names = sorted(path.relative_to(out) for path in out.rglob("*.*"))
    assert names == sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*.*"))
    for name in names:
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("saves", "sentence"), [(("video",), "needs json"), (("json", "yolo"), "cannot go on with yolo")]
)
def test_what_cannot_be_resumed_is_said(saves, sentence):
    with pytest.raises(UsageError, match=sentence):
        refuse_what_cannot(saves)
    refuse_what_cannot(("video", "json", "coco"))
