"""The `rfseg` command: files, summaries, exit codes, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

import rfseg
from rfseg.cli.common import fresh_folder
from rfseg.cli.demo import CLIP, MODEL
from rfseg.cli.main import main
from rfseg.video import VideoReader, VideoWriter

FRAMES = 5

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


@pytest.fixture(scope="session")
def clip_frames() -> list[np.ndarray]:
    with VideoReader(CLIP) as video:
        return [frame.pixels for frame in video.frames(stride=20)][:FRAMES]


@pytest.fixture(scope="session")
def expected(clip_frames) -> list[rfseg.Result]:
    """What the library says about the frames, once they have been through a PNG."""
    with rfseg.Segmenter(str(MODEL), device="cpu") as segmenter:
        return [segmenter.infer(frame) for frame in clip_frames]


@pytest.fixture
def work(tmp_path, clip_frames, monkeypatch) -> Path:
    """A folder with photos/ (two images), a short clip, and nothing else; also the current folder."""
    (tmp_path / "photos").mkdir()
    for name, frame in (("a.png", clip_frames[0]), ("b.png", clip_frames[1])):
        cv2.imwrite(str(tmp_path / "photos" / name), frame)
    with VideoWriter(tmp_path / "clip.mp4", 10) as writer:
        for frame in clip_frames:
            writer.write(frame)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return main(["run", str(MODEL), *arguments, "--device", "cpu"])


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_video_becomes_a_video_and_a_line_a_frame(work, capsys):
    assert run("clip.mp4", "--save", "video,json,coco,geojson") == 0
    out = work / "runs" / "run"
    assert sorted(path.name for path in out.iterdir()) == ["clip.coco.json", "clip.geojson", "clip.jsonl", "clip.mp4"]
    with VideoReader(out / "clip.mp4") as video:
        assert (video.fps, video.count, video.size) == (10, FRAMES, (360, 640))
    records = lines(out / "clip.jsonl")
    assert [record["frame"] for record in records] == list(range(FRAMES))
    assert [record["time_s"] for record in records] == pytest.approx([n / 10 for n in range(FRAMES)])
    found = sum(len(record["instances"]) for record in records)
    assert found > 10

    coco = json.loads((out / "clip.coco.json").read_text())
    assert [image["id"] for image in coco["images"]] == list(range(FRAMES))
    assert [a["id"] for a in coco["annotations"]] == list(range(1, found + 1))
    assert all(coco_mask.area(a["segmentation"]) == a["area"] for a in coco["annotations"])
    assert len(coco["categories"]) == 8
    features = json.loads((out / "clip.geojson").read_text())["features"]
    assert len(features) == found
    assert [f["properties"]["frame"] for f in features] == sorted(f["properties"]["frame"] for f in features)

    (summary,) = capsys.readouterr().out.splitlines()
    assert summary.startswith(f"clip.mp4: {FRAMES} frames, {found} instances (")
    assert " frames/s, limit " in summary


def test_images_are_what_the_library_says(work, expected):
    assert run("photos", "photos/a.png", "--out", "out") == 0
    assert sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.*")) == [
        "a.json", "a.png", "photos/a.json", "photos/a.png", "photos/b.json", "photos/b.png",
    ]  # fmt: skip
    for name, result in (("a", expected[0]), ("b", expected[1])):
        record = json.loads(Path(f"out/photos/{name}.json").read_text())
        assert record == {"file_name": f"{name}.png", **result.to_dict()}
        frame = cv2.imread(f"photos/{name}.png")
        np.testing.assert_array_equal(cv2.imread(f"out/photos/{name}.png"), result.plot(frame))
    assert Path("out/a.json").read_text() == Path("out/photos/a.json").read_text()


def test_equal_names_and_equal_folders_never_overwrite(work):
    (work / "other").mkdir()
    for source, copy in (("photos/a.png", "other/a.png"), ("photos/b.png", "photos/a.bmp")):
        cv2.imwrite(copy, cv2.imread(source))
    assert run("photos/a.png", "other/a.png", "photos", "--save", "json") == 0
    found = sorted(str(path.relative_to("runs/run")) for path in Path("runs/run").rglob("*.json"))
    assert found == ["a.json", "a_2.json", "photos/a.json", "photos/a_2.json", "photos/b.json"]
    before = Path("runs/run/a.json").read_bytes()
    assert run("photos/b.png", "--save", "json") == 0
    assert [path.name for path in Path("runs/run2").iterdir()] == ["b.json"]
    assert Path("runs/run/a.json").read_bytes() == before
    assert fresh_folder(Path("runs/run")) == Path("runs/run3")


def test_classes_threshold_and_times_select(work, expected):
    names = expected[0].names
    wanted = expected[0].class_name[0]
    assert run("photos/a.png", "--classes", f"{wanted},7", "--threshold", "0.8", "--save", "json", "--out", "out") == 0
    instances = json.loads(Path("out/a.json").read_text())["instances"]
    first = expected[0]
    keep = np.isin(first.class_id, [next(i for i in names if names[i] == wanted), 7]) & (first.confidence > 0.8)
    assert 0 < keep.sum() < len(first)
    assert [instance["class_id"] for instance in instances] == first.class_id[keep].tolist()

    assert run("clip.mp4", "--start", "0.1", "--end", "0:00.5", "--stride", "2", "--out", "out2") == 0
    assert [record["frame"] for record in lines(Path("out2/clip.jsonl"))] == [1, 3]
    with VideoReader("out2/clip.mp4") as video:
        assert [frame.time_s for frame in video.frames()] == pytest.approx([0.0, 0.2])


def test_json_progress_is_json_only(work, capsys):
    assert run("photos/a.png", "--progress", "json", "--save", "json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "done"
    assert events[-1]["frames"] == 1
    assert events[-1]["instances"] == sum(events[-1]["classes"].values())


def test_a_broken_image_is_said_and_the_others_are_done(work, capsys):
    Path("photos/aa.png").write_bytes(b"nothing")
    assert run("photos", "clip.mp4", "--save", "json", "--out", "out", "--stride", "1") == 2
    assert "cannot read photos/aa.png: it is not an image" in capsys.readouterr().err
    assert sorted(path.name for path in Path("out/photos").iterdir()) == ["a.json", "b.json"]
    assert len(lines(Path("out/clip.jsonl"))) == FRAMES


def test_a_broken_video_keeps_what_was_found(work, capsys):
    with av.open(str(CLIP)) as source, av.open("all.mp4", "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    data = Path("all.mp4").read_bytes()
    Path("half.mp4").write_bytes(data[: len(data) // 3])
    assert run("half.mp4", "photos/a.png", "--out", "out", "--save", "video,json,coco", "--stride", "10") == 2
    assert "half.mp4 breaks off after" in capsys.readouterr().err
    found = lines(Path("out/half.jsonl"))
    assert [record["frame"] for record in found] == list(range(0, 10 * len(found), 10))
    assert 1 < len(found) < 15
    with VideoReader("out/half.mp4") as video:
        assert video.count == len(found)
    assert len(json.loads(Path("out/half.coco.json").read_text())["images"]) == len(found)
    assert Path("out/a.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 1, "required: COMMAND"),
        (["run"], 1, "required: MODEL, SOURCE"),
        (["run", "m.onnx", "clip.mp4", "--threshold", "7"], 1, "expected a number from 0 to 1, got 7"),
        (["run", "m.onnx", "clip.mp4", "--stride", "-1"], 1, "expected a whole number above 0, got -1"),
        (["run", "m.onnx", "clip.mp4", "--threshold", "x"], 1, "expected a number from 0 to 1, got x"),
        (["run", "m.onnx", "clip.mp4", "--save", "video,xml"], 1, "got 'xml'"),
        (["run", "m.onnx", "clip.mp4", "--start", "soon"], 1, "expected a time such as 90 or 1:30, got soon"),
        (
            ["run", str(MODEL), "clip.mp4", "--device", "cpu", "--classes", "dog"],
            1,
            "does not know 'dog'; it knows circle",
        ),
        (["run", "m.onnx", "nowhere.mp4"], 2, "no such file, folder or camera: nowhere.mp4"),
        (["run", "m.onnx", "clip.mp4"], 2, "m.onnx"),
        (["run", "clip.mp4", "clip.mp4"], 2, "clip.mp4"),
        (["bench", str(MODEL), "nowhere.mp4"], 2, "no such file, folder or camera: nowhere.mp4"),
        (["run", str(MODEL), "clip.mp4", "--device", "cuda:99"], 4, "cuda"),
    ],
)
def test_exit_codes(arguments, code, sentence, work, capsys):
    try:
        found = main(arguments)
    except SystemExit as leaving:
        found = leaving.code
    error = capsys.readouterr().err
    assert found == code
    assert sentence in error
    assert "Traceback" not in error
    assert not Path("runs").exists()


def test_a_missing_extra_is_a_missing_backend(work, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    assert run("clip.mp4") == 4
    assert 'pip install "rfseg[video]"' in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["demo"], ["run"], ["bench"]])
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as leaving:
        main([*command, "--help"])
    assert leaving.value.code == 0
    assert f"example:\n  rfseg {command[0] if command else 'demo'}" in capsys.readouterr().out


def test_ctrl_c_leaves_valid_files(tmp_path):
    command = [sys.executable, "-m", "rfseg", "demo", "--device", "cpu"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TERM": "dumb"}
    ) as process:
        records = tmp_path / "runs" / "demo" / "shapes_360p.jsonl"
        deadline = time.monotonic() + 120
        while not (records.exists() and records.stat().st_size) and time.monotonic() < deadline:
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in error
    found = lines(records)
    assert 0 < len(found) < 150
    assert f"demo: {len(found)} frame".encode() in out
    with VideoReader(records.with_suffix(".mp4")) as video:
        assert video.count == len(found) == sum(1 for _ in video.frames())


def test_demo_says_what_it_found_and_where(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rfseg.video.VideoReader.frames", _first_frames)
    assert main(["demo", "--out", str(tmp_path / "demo"), "--device", "cpu"]) == 0
    (summary,) = capsys.readouterr().out.splitlines()
    assert summary.startswith("demo: 3 frames, ")
    for name in ("shapes_360p.mp4", "shapes_360p.jsonl", "shapes_360p.geojson"):
        assert str(tmp_path / "demo" / name) in summary
        assert (tmp_path / "demo" / name).stat().st_size > 1000
    features = json.loads((tmp_path / "demo" / "shapes_360p.geojson").read_text())["features"]
    instances = [
        instance for record in lines(tmp_path / "demo" / "shapes_360p.jsonl") for instance in record["instances"]
    ]
    assert len(features) == len(instances) > 3
    assert all(feature["geometry"]["type"] in {"Polygon", "MultiPolygon"} for feature in features)


_all_frames = VideoReader.frames


def _first_frames(self, stride=1, start_s=0.0, end_s=None):
    return _all_frames(self, stride, start_s, 0.1)
