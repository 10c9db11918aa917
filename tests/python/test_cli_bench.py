"""`rfseg bench`: numbers that fit together, and every row of a sweep."""

import json

import pytest

from rfseg.cli.demo import CLIP, MODEL
from rfseg.cli.main import main


def test_rates_fit_together(capsys):
    assert main(["bench", str(MODEL), "--frames", "8", "--slots", "1,2", "--json", "--device", "cpu"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frame_size"] == [360, 640]
    assert report["start_ms"] > 0
    first, second = report["streams"]
    assert [row["slots"] for row in (first, second)] == [1, 2]
    for row in (first, second):
        limit = 1e3 / row["network_ms"]["1x1"]
        assert row["share_of_network_limit"]["1x1"] == pytest.approx(row["stream_frames_per_second"] / limit, rel=1e-2)
        assert row["frames"] == 8
        assert row["instances_per_frame"] > 0
        assert set(row["network_ms"]) == {"1x1"}
    latency, stages = first["latency_ms"], first["stages_ms"]
    assert 0 < stages["network"] < latency["p50"] <= latency["p90"] <= latency["p99"]
    assert latency["p50_over_network"] == pytest.approx(latency["p50"] - first["network_ms"]["1x1"], abs=2e-3)
    assert set(stages) == {"preprocess", "network", "postprocess", "outlines"}
    assert "latency_ms" not in second


def test_text_says_the_same(capsys):
    assert main(["bench", str(MODEL), str(CLIP), "--frames", "2", "--device", "cpu"]) == 0
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines()] == [
        "machine", "versions", "model", "frames", "start", "stream", "latency", "stages",
    ]  # fmt: skip
    assert all(words in text for words in ("polygons included", "with 2 slots", "p99", "% of the network alone"))


@pytest.mark.parametrize("slots", ["0", "1,", "2,x", ""])
def test_slots_are_whole_numbers(slots, capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["bench", str(MODEL), "--slots", slots])
    assert leaving.value.code == 1
    assert "expected a whole number above 0" in capsys.readouterr().err
