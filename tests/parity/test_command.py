"""`rfseg parity` and `rfseg bench` with an engine, on frames in PNG files."""

from __future__ import annotations

import json

import cv2
import pytest

from parity.inputs import NAMES
from rfseg.cli.main import main


@pytest.fixture
def folder(clips, tmp_path):
    for number, frame in enumerate(clips["shapes_720p"][:4]):
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame)
    return tmp_path


@pytest.fixture
def engine(engines, tmp_path):
    """With a file of names beside it."""
    (tmp_path / "engine").mkdir()
    path = tmp_path / "engine" / "model.plan"
    path.symlink_to(engines["nano"])
    path.with_name("model.names.json").write_text(json.dumps({str(i): name for i, name in NAMES.items()}))
    return path


@pytest.mark.parametrize("resize", ["pil", "bilinear"])
def test_parity(engine, folder, capsys, resize):
    assert main(["parity", str(engine), str(folder), "--threshold", "0.1", "--resize", resize]) == 0
    out = capsys.readouterr().out
    print(out)
    assert "4 frames" in out
    assert "identical" in out
    assert "cuda:0" in out


def test_bench_in_words(engine, folder, capsys):
    assert main(["bench", str(engine), str(folder), "--frames", "40"]) == 0
    text = capsys.readouterr().out
    print(text)
    assert [line.split()[0] for line in text.splitlines()] == [
        "machine", "versions", "model", "frames", "start", "stream", "latency", "stages", "gpu", "bytes", "made",
    ]  # fmt: skip
    assert "0 device or pinned buffers, 0 kernel images after the warm-up; 0 frames" in text


def test_bench(engine, folder, capsys):
    assert main(["bench", str(engine), str(folder), "--frames", "100", "--slots", "1,4", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["slots"] for row in report["streams"]] == [1, 4]
    assert set(report["streams"][1]["network_ms"]) == {"1x1", "4x1"}
    for row in report["streams"]:
        assert 0.2 < row["share_of_network_limit"]["1x1"] < 10
        assert row["slow_frames"] == row["allocations"] == row["module_loads"] == 0
    moved = report["streams"][0]["bytes_per_frame"]
    assert moved["up"] == 720 * 1280 * 3
    assert 0 < moved["back"] <= moved["back_most"] < 64 << 10
