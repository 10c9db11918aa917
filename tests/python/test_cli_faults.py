"""One item never ends a job: sources, frames, drawings and files that fail are a line each, and the rest goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import rfseg
from command import MODEL, count, finish, repeated, run, start, wait_for
from paths import DEMO_CLIP
from rfseg.cli.common import Stems, UsageError, fresh_folder
from rfseg.cli.main import main
from rfseg.cli.outputs import SUFFIXES
from rfseg.video import VideoReader, VideoWriter

ALL = "video,json,coco,geojson"


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """A folder with photos/ of three pictures and a clip; also the current folder."""
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.jpg", "c.bmp"):
        cv2.imwrite(str(tmp_path / "photos" / name), np.full((20, 30, 3), 90, np.uint8))
    with VideoWriter(tmp_path / "clip.mp4", 10) as writer:
        for shade in range(5):
            writer.write(np.full((20, 30, 3), shade, np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def here(*arguments: str) -> int:
    """In this process, so that parts can be made to fail."""
    return main(["run", str(MODEL), *arguments, "--device", "cpu", "--threshold", "0", "--progress", "none"])


def test_every_odd_source_is_one_line_and_the_good_ones_are_done(work):
    Path("broken.mp4").write_bytes(b"nothing")
    Path("broken.png").write_bytes(b"nothing")
    Path("empty.mkv").touch()
    os.mkfifo("pipe.png")
    odd = [
        "rtsp://[::1",
        "http://[bad",
        "nowhere.mp4",
        "none-*.jpg",
        "broken.mp4",
        "broken.png",
        "empty.mkv",
        "pipe.png",
    ]
    odd += ["x" * 5000, "http://127.0.0.1:9/" + "x" * 5000, "99999", "concat:clip.mp4|clip.mp4", "https://user:pw@[/x"]
    code, out, error = run(*odd, "clip.mp4", "photos", "--save", ALL, "--out", "out", "--progress", "none")
    assert code == 2
    lines = error.splitlines()
    assert all(line.startswith("rfseg: ") for line in lines)
    assert lines[-1] == f"rfseg: {len(odd)} left out, see above"
    assert len(lines) == len(odd) + 1
    assert "pw" not in error
    assert "clip.mp4: 5 frames" in out
    assert "photos: 3 frames" in out
    assert [count(work / "out" / f"clip.{kind}") for kind in ("mp4", "jsonl", "coco.json", "geojson")] == [5, 5, 5, 25]


def test_names_in_any_encoding_and_of_any_form_work(work):
    names = [
        b"caf\xe9",
        b"a[b",
        b"[bold]",
        b"10:30",
        b"-x",
        b"x\x1b[31m\ny",
        b"a%d",
        "grün é".encode(),
        b"n" * 240,
        b".hidden",
    ]
    for name in names:
        for suffix, source in ((b".png", "photos/a.png"), (b".mp4", "clip.mp4")):
            Path(os.fsdecode(name + suffix)).write_bytes(Path(source).read_bytes())
    sources = [os.fsdecode(b"./" + name + suffix) for name in names for suffix in (b".png", b".mp4")]
    code, out, error = run(*sources, "--save", ALL, "--out", "out", "--progress", "none")
    assert (code, error) == (0, "")
    assert len(out.splitlines()) == len(sources)
    assert "\x1b" not in out
    files = list((work / "out").iterdir())
    assert len(files) == 4 * 2 * len(names)
    assert {count(path) for path in files if path.name.endswith((".mp4", ".jsonl"))} == {5}
    texts = [path.read_text() for path in files if path.suffix == ".json"]
    assert all(json.loads(text) for text in texts)
    assert any('"file_name":"caf\\\\xe9.png"' in text for text in texts)


@pytest.mark.parametrize("encoding", ["C", "C.UTF-8"])
def test_names_are_printed_in_any_locale(encoding, work):
    Path("grün.png").write_bytes(Path("photos/a.png").read_bytes())
    environment = {**os.environ, "LC_ALL": encoding, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, out, error = run("grün.png", "--save", "json", env=environment)
    assert (code, error) == (0, "")
    assert out.startswith(("grün.png: 1 frame", "gr\\xfcn.png: 1 frame", "gr\\xc3\\xbcn.png", "gr\\udcc3\\udcbcn.png"))


def test_a_folder_says_what_it_left_out(work):
    for name in ("notes.txt", "more.txt", "README", ".hidden.txt", ".DS_Store"):
        Path("photos", name).write_text("text")
    (work / "photos" / "deeper").mkdir()
    code, _, error = run("photos", "--save", "json", "--progress", "none")
    assert code == 0
    assert error == "rfseg: the folder photos holds 3 other files (2 .txt, 1 without a suffix), left out\n"


def test_pictures_are_found_by_content(work):
    Path("photos/a.png").rename("photos/a.dat")
    Path("photos/b.jpg").rename("photos/b")
    Path("clip.mp4").rename("photos/film.jpg")
    code, out, error = run("photos", "--save", "json", "--progress", "none")
    assert (code, error) == (0, "")
    assert "photos: 3 frames" in out
    assert "photos/film.jpg: 5 frames" in out


@pytest.mark.parametrize("broken", ["json", "coco", "geojson", "video"])
def test_one_files_trouble_does_not_end_the_others(broken, work):
    suffix = {"json": "jsonl", "coco": "coco.json.part", "geojson": "geojson", "video": "mp4"}[broken]
    hook = f"""
import os, sys
from rfseg.cli import main
before = os.pwrite
def writing(file, data, at):
    aimed = os.readlink(f"/proc/self/fd/{{file}}").endswith(".{suffix}")
    if aimed and (at > 0 and len(data) > 9 or {broken == "video"}):  # a tail fits where it was
        raise OSError(28, "No space left on device")
    return before(file, data, at)
os.pwrite = writing
sys.exit(main.main())
"""
    command = [sys.executable, "-c", hook, "run", str(MODEL), "clip.mp4", "photos", "--save", ALL, "--out", "out"]
    done = subprocess.run([*command, "--threshold", "0"], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2, done.stderr
    assert "no space left on the disk" in done.stderr
    assert "Traceback" not in done.stderr
    whole = {"mp4": 5, "jsonl": 5, "coco.json": 5, "geojson": 25}
    for kind, expected in whole.items():
        path = work / "out" / f"clip.{kind}"
        if not suffix.startswith(kind):
            assert count(path) == expected
        elif path.exists():
            assert count(path) < expected
    assert len(list((work / "out" / "photos").glob("*.json"))) == 3
    assert "clip.mp4: 5 frames" in done.stdout
    assert "left out" in done.stdout


def test_a_copy_keeps_its_size_where_the_source_changes_it(work):
    joined = b""
    for part, size in enumerate(((40, 60), (60, 40), (40, 60))):
        with av.open("part.ts", "w", format="mpegts") as out:
            stream = out.add_stream("h264", rate=25, options={"bf": "0", "preset": "ultrafast"})
            stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
            for index in range(6):
                frame = av.VideoFrame.from_ndarray(np.full((*size, 3), 200, np.uint8), format="bgr24")
                frame.pts, frame.time_base = 6 * part + index, Fraction(1, 25)
                out.mux(stream.encode(frame.reformat(format="yuv420p")))
            out.mux(stream.encode(None))
        joined += Path("part.ts").read_bytes()
    Path("call.ts").write_bytes(joined)
    code, _, error = run("call.ts", "--save", ALL, "--out", "out", "--progress", "none")
    assert code == 0
    (line,) = error.splitlines()
    assert "frames are 40 x 60 from frame 6 on; the copy keeps 60 x 40" in line
    sizes = [json.loads(text)["image_size"] for text in Path("out/call.jsonl").read_text().splitlines()]
    assert sizes == [[40, 60]] * 6 + [[60, 40]] * 6 + [[40, 60]] * 6
    with VideoReader("out/call.mp4") as video:
        frames = [frame.pixels for frame in video.frames()]
    assert [frame.shape for frame in frames] == [(40, 60, 3)] * 18
    assert frames[8][:, :10].mean() < 30  # black beside the upright picture
    assert frames[8][10:30, 22:38].mean() > 60


def test_a_drawing_that_fails_costs_only_the_picture(work, monkeypatch, capsys):
    import rfseg.cli.annotated
    import rfseg.cli.outputs

    def fails(*_):
        raise ValueError("cannot convert float NaN to integer")

    monkeypatch.setattr(rfseg.cli.outputs, "draw", fails)
    monkeypatch.setattr(rfseg.cli.annotated, "paint", fails)
    assert here("photos", "clip.mp4", "--save", "video,json", "--out", "out") == 2
    said = capsys.readouterr()
    assert len(list(Path("out/photos").glob("*.json"))) == 3
    assert count(work / "out" / "clip.jsonl") == 5
    assert said.err.count("cannot convert float NaN to integer") == 4
    assert "clip.mp4: 5 frames, 25 instances" in said.out


@pytest.mark.parametrize("error", [MemoryError(), rfseg.InputError("this frame"), RuntimeError("odd")])
def test_a_frame_that_the_network_refuses_is_one_line(error, work, monkeypatch, capsys):
    stream = rfseg.Segmenter.stream

    def fails_at_the_second(self, frames):
        for frame in frames:
            fails_at_the_second.seen += 1
            if fails_at_the_second.seen == 2:
                raise error
            yield from stream(self, iter([frame]))

    fails_at_the_second.seen = 0
    monkeypatch.setattr(rfseg.Segmenter, "stream", fails_at_the_second)
    assert here("clip.mp4", "--save", "json", "--out", "out") == 2
    frames = [json.loads(line)["frame"] for line in Path("out/clip.jsonl").read_text().splitlines()]
    assert frames == [0, 2, 3, 4]
    assert "frame 1: " in capsys.readouterr().err


def test_shortage_is_told_as_shortage(work, monkeypatch, capsys):
    monkeypatch.setattr(
        "rfseg.cli.ahead.Thread.start", lambda _: (_ for _ in ()).throw(RuntimeError("can't start new thread"))
    )
    assert here("clip.mp4", "photos") == 2
    assert capsys.readouterr().err.count("the system gives no more threads (ulimit -u)") == 2


@pytest.mark.parametrize("megabytes", [500, 700, 900])
def test_little_memory_is_no_damage(megabytes, work):
    limit = ["bash", "-c", f'ulimit -v {megabytes}000; exec "$@"', "-"]
    command = [*limit, sys.executable, "-m", "rfseg", "run", str(MODEL), str(DEMO_CLIP), "--end", "0.3", "--out", "out"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode == 0:
        assert count(Path("out/shapes_360p.jsonl")) == 9
    else:
        assert "Invalid data" not in done.stderr
        assert "reinstall" not in done.stderr


def test_a_folder_that_goes_away_is_an_error(work):
    source = repeated(work / "clip.mp4", work / "long.ts", 400)
    process = start(source, "--save", ALL, "--out", "out", "--progress", "none")
    wait_for(lambda: (work / "out" / "long.jsonl").exists() and count(work / "out" / "long.jsonl") > 2, process)
    for path in (work / "out").iterdir():
        path.unlink()
    (work / "out").rmdir()
    code, out, error = finish(process)
    assert code == 2
    assert "removed while it was written" in error
    assert "nothing written" in out


def test_runs_that_start_at_once_have_a_folder_each(work):
    processes = [start("clip.mp4", "--save", "json", "--out", "out", "--progress", "none") for _ in range(4)]
    assert [finish(process)[0] for process in processes] == [0] * 4
    assert sorted(path.name for path in work.glob("out*")) == ["out", "out2", "out3", "out4"]
    assert all(count(path / "clip.jsonl") == 5 for path in work.glob("out*"))


def test_a_folder_is_taken_once(work):
    (work / "made").mkdir()
    assert fresh_folder(Path("made")) == Path("made")
    assert fresh_folder(Path("made")) == Path("made2")  # still empty, and taken
    for wish in (".", "..", "/"):
        with pytest.raises(UsageError, match="name a folder of its own"):
            fresh_folder(Path(wish))
    with pytest.raises(NotADirectoryError):
        fresh_folder(Path("clip.mp4/deeper"))


def test_no_file_takes_anothers_name(work):
    for name in ("clip.coco.png", "clip.png", "CLIP.bmp", "clip.part.png", "clip.json.png"):
        cv2.imwrite(name, np.zeros((9, 9, 3), np.uint8))
    sources = ["clip.mp4", "clip.coco.png", "clip.png", "CLIP.bmp", "clip.part.png", "clip.json.png"]
    assert here(*sources, "--save", ALL, "--out", "out") == 0
    names = [path.name for path in Path("out").iterdir()]
    assert len(names) == 4 * len(sources)
    assert len({name.casefold() for name in names}) == len(names)
    assert count(work / "out" / "clip.coco.json") == 5


def test_stems_stay_apart_and_fit_a_file_system():
    stems = Stems(SUFFIXES)
    given = [stems.claim(stem) for stem in ("a", "a", "A", "a.coco", "a.part", "é", "e\u0301", "x" * 5000, "x" * 5001)]
    names = [stem + suffix for stem in given for suffix in SUFFIXES]
    assert len(set(names)) == len(names)
    assert given[:3] == ["a", "a_2", "A_3"]
    assert max(len(os.fsencode(name)) for name in names) < 256


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--start", "10:00", "--end", "5"], "--end 5 s is not after --start 600 s"),
        (["--start", "9" * 400], "expected a time such as 90 or 1:30"),
        (["--classes", "99"], "the model has no class 99; it has 0 to 7"),
        (["--threshold", "circle=2"], "expected a number from 0 to 1, got 2"),
        (["--max-pixels", "9" * 30], "expected a whole number above 0"),
        (["--stride", "9" * 20], "expected a whole number above 0"),
    ],
)
def test_wishes_that_cannot_be_met_are_said(arguments, sentence, work, capsys):
    from rfseg.cli.demo import MODEL as DEMO

    try:
        code = main(["run", str(DEMO), "clip.mp4", "--device", "cpu", *arguments])
    except SystemExit as leaving:
        code = leaving.code
    assert code == 1
    assert sentence in capsys.readouterr().err


def test_thresholds_of_classes_and_names_reach_the_segmenter(work):
    Path("n.json").write_text('["x", "y", "z"]')
    arguments = ["--threshold", "0", "--names", "n.json", "--resize", "bilinear", "--save", "json", "--device", "cpu"]
    assert main(["run", str(MODEL), "photos/a.png", *arguments, "--out", "all"]) == 0
    found = json.loads(Path("all/a.json").read_text())["instances"]
    assert {instance["class_name"] for instance in found} == {"x", "y", "z"}
    arguments[1] = "x=1,y=0,2=0"
    assert main(["run", str(MODEL), "photos/a.png", *arguments, "--out", "some"]) == 0
    some = json.loads(Path("some/a.json").read_text())["instances"]
    assert some == [instance for instance in found if instance["class_name"] != "x"]


def test_a_limit_of_pixels_is_an_option(work, capsys):
    assert here("photos/a.png", "clip.mp4", "--max-pixels", "599", "--out", "out") == 2
    said = capsys.readouterr().err
    assert "its 30 x 20 pixels are more than the limit of 599" in said
    assert "cannot open clip.mp4: " in said
    assert here("photos/a.png", "clip.mp4", "--max-pixels", "600", "--out", "out") == 0
