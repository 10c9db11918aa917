"""Matching against its twin, limits, what is compared on, and the command; planted faults have a file of their own."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rfseg
from paths import DATA, DEMO_CLIP, DEMO_MODEL
from reference.matching import match as slow_match
from rfseg.cli.main import main
from rfseg.engines.matching import MATCH_IOU, compare, match
from rfseg.engines.pictures import PHOTOGRAPHS, pictures
from rfseg.engines.report import total
from rfseg.engines.rule import Rule, failures
from rfseg.engines.verify import verify

verify_module = importlib.import_module("rfseg.engines.verify")

PHOTOGRAPH = PHOTOGRAPHS / "astronaut.jpg"


def test_matching_is_its_twins() -> None:
    rng, pairs = np.random.default_rng(0), 0
    for _ in range(300):
        shape = tuple(rng.integers(0, 9, 2))
        ious = rng.choice([0.0, 0.3, 0.5, 0.7, 0.7, 0.9, 1.0], shape)
        allowed = rng.random(shape) < 0.7
        found = match(ious, allowed)
        assert found == slow_match(ious, allowed, MATCH_IOU)
        pairs += len(found)
    assert pairs > 300


def result_of(boxes: list[tuple[int, int, int, int]], scores: list[float], classes: list[int]) -> rfseg.Result:
    masks = np.zeros((len(boxes), 40, 40), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    runs = rfseg.Masks.from_dense(masks)
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return rfseg.Result(xyxy, np.float32(scores), np.int32(classes), runs, (40, 40), {}, {})


def test_what_a_comparison_counts() -> None:
    a, b, c, d = (0, 0, 10, 10), (20, 0, 30, 10), (0, 20, 10, 30), (20, 20, 30, 30)
    reference = result_of([a, b, c, d], [0.9, 0.8, 0.33, 0.2], [0, 1, 2, 3])
    candidate = result_of([(1, 0, 10, 10), b, d], [0.85, 0.8, 0.32], [0, 2, 3])
    one = compare("x", reference, candidate, threshold=0.3, margin=0.05)
    assert (one.reference, one.candidate, one.matched, one.away) == (3, 3, 1, 2)
    assert (one.missing_near, one.missing_away) == (1, 1), "c scores 0.33, b is another class there"
    assert (one.extra_near, one.extra_away) == (1, 1), "d scores 0.32, b is another class here"
    assert one.mask_ious == [0.9]
    assert one.box_differences == [1.0]
    assert one.score_differences == pytest.approx([0.05])
    assert (one.class_blind, one.class_shifts) == (2, {0: 1, 1: 1})


def test_empty_answers_compare() -> None:
    empty = result_of([], [], [])
    one = compare("x", empty, empty, 0.3, 0.05)
    assert (one.reference, one.candidate, one.matched) == (0, 0, 0)
    assert "only 0 instances could be compared" in failures(total([one], 0.3), Rule())[0]


def test_masks_that_are_both_empty_match_by_their_boxes() -> None:
    box = np.array([[0, 0, 8, 8]], np.float32)
    sides = [
        rfseg.Result(
            box, np.float32([0.9]), np.int32([0]), rfseg.Masks.from_dense(np.zeros((1, 9, 9), bool)), (9, 9), {}, {}
        )
        for _ in range(2)
    ]
    assert compare("x", *sides, 0.3, 0.05).mask_ious == [1.0]


def test_rules_are_read() -> None:
    assert Rule.parse("") == Rule()
    assert Rule.parse("iou_p1=0.97, score_p99=0.1") == Rule(iou_p1=0.97, score_p99=0.1)
    for text, words in (("iou_p1", "NAME=NUMBER"), ("iou_p1=x", "NAME=NUMBER"), ("iou=1", "there is no limit 'iou'")):
        with pytest.raises(rfseg.InputError, match=words):
            Rule.parse(text)


def test_one_missing_instance_is_forgiven_two_are_not() -> None:
    reference = result_of([(0, 0, 9, 9), (20, 0, 30, 9), (0, 20, 9, 30)] * 2, [0.9] * 6, [0, 1, 2, 3, 4, 5])
    for kept, passes in ((6, True), (5, True), (4, False)):
        one = compare("x", reference, reference[:kept], 0.3, 0.05)
        assert (not failures(total([one], 0.3), Rule())) is passes


def test_what_is_compared_on(tmp_path: Path, frames: list[np.ndarray]) -> None:
    packaged = pictures(None)
    assert len(packaged) >= 4
    assert sum(path.stat().st_size for path in PHOTOGRAPHS.iterdir()) < 600_000
    assert all(f"| {path.name} |" in (PHOTOGRAPHS / "README.md").read_text() for path in PHOTOGRAPHS.glob("*.jpg"))
    assert [picture.name for picture in pictures(frames[:2])] == ["frame 0", "frame 1"]
    clip = pictures(DEMO_CLIP, limit=4)
    assert len(clip) == 4
    assert len({picture.name for picture in clip}) == 4
    assert [picture.name for picture in pictures(str(PHOTOGRAPH))] == ["astronaut.jpg"]
    with pytest.raises(rfseg.InputError, match="no images"):
        pictures(tmp_path)
    (tmp_path / "x.jpg").write_bytes(b"no image")
    with pytest.raises(rfseg.InputError, match=r"x\.jpg"):
        pictures(tmp_path)


def test_the_threshold_falls_until_something_is_found() -> None:
    report = verify(DEMO_MODEL, DEMO_MODEL, PHOTOGRAPH)
    assert report.totals.threshold == 0.2
    assert report.totals.reference >= 10
    assert verify(DEMO_MODEL, DEMO_MODEL, PHOTOGRAPH, threshold=0.6).totals.threshold == 0.6


def test_a_candidate_that_takes_several_is_compared_in_full_batches_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, opened = DATA / "models" / "dynamic_batch.onnx", verify_module.opened
    wide = tmp_path / model.name
    wide.write_bytes(model.read_bytes())
    monkeypatch.setattr(
        verify_module,
        "opened",
        lambda path, *rest: rfseg.Segmenter(path, device="cpu", max_batch=2) if path == wide else opened(path, *rest),
    )
    report = verify(wide, model, limit=3, threshold=0.01)
    names = [one.name for one in report.images]
    assert len(names) == 7, "three alone, then two batches of two, the last filled up with the first"
    assert [name.rpartition(", ")[2] for name in names[3:]] == ["2 at once"] * 4
    assert report.totals.matched == report.totals.reference == 7 * 5
    assert report.passed, report.text()


def test_nothing_to_compare_fails() -> None:
    report = verify(DEMO_MODEL, DEMO_MODEL, [np.zeros((64, 64, 3), np.uint8)], threshold=0.5)
    assert not report.passed
    assert "give images of what the network was trained on" in report.reasons[0]


def test_another_network_is_told_by_its_sizes() -> None:
    report = verify(DATA / "models" / "plain.onnx", DEMO_MODEL, PHOTOGRAPH)
    assert (report.passed, report.verdict) == (False, "spoilt")
    assert "input: the candidate has (8, 8), the reference (312, 312)" in report.reasons[0]
    assert "FAILED" in report.text()


def test_the_reference_must_be_an_onnx_file() -> None:
    with pytest.raises(rfseg.InputError, match="is an ONNX file"):
        verify(DEMO_MODEL, "model.engine")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(DEMO_MODEL)
    arguments = ["verify", model, "--against", model, "--images", str(PHOTOGRAPH)]
    files = ["--picture", str(tmp_path / "worst.png"), "--report", str(tmp_path / "report.md")]
    assert main([*arguments, *files]) == 0
    assert "result     PASSED: agrees" in capsys.readouterr().out
    assert (tmp_path / "worst.png").stat().st_size > 10_000
    assert "| astronaut.jpg |" in (tmp_path / "report.md").read_text()
    assert main([*arguments, "--json", "--engine-resize", "bilinear"]) == 3
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (said["passed"], said["verdict"]) == (False, "another resize")
    assert said["totals"]["reference"] > 0
    assert main([*arguments, "--rule", "nothing=1"]) == 2
    assert "there is no limit 'nothing'" in capsys.readouterr().err
    assert main(["verify", model, "--against", str(tmp_path / "missing.onnx")]) == 2
