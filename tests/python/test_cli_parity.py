"""`rfseg parity` on a CPU, where both sides are the host's: what it counts, and that it sees any difference."""

import json

import cv2
import numpy as np
import pytest

import rfseg
from contracts import CONTRACT, with_metadata
from rfseg.cli import parity
from rfseg.cli.common import EXIT_INPUT, EXIT_OK, EXIT_VERIFICATION
from rfseg.cli.demo import CLIP, MODEL
from rfseg.cli.main import main

FRAMES = 3


def run(*arguments: str) -> int:
    return main(["parity", str(MODEL), str(CLIP), "--frames", str(FRAMES), "--device", "cpu", *arguments])


def counts(text: str) -> dict[str, list[int]]:
    """{aspect: [identical, total]}."""
    lines = [line.split() for line in text.splitlines() if " of " in line]
    return {words[0]: [int(words[1].replace(",", "")), int(words[3].replace(",", ""))] for words in lines}


@pytest.mark.parametrize("arguments", [(), ("--threshold", "0"), ("--resize", "bilinear")], ids=str)
def test_equal_sides(arguments, capsys):
    assert run(*arguments) == EXIT_OK
    text = capsys.readouterr().out
    found = counts(text)
    assert found["inputs"] == [FRAMES, FRAMES]
    assert set(found) == {"inputs", "class", "score", "box", "mask", "polygons"}
    instances = found["class"][1]
    assert instances > 10
    assert all(found[aspect] == [instances, instances] for aspect in found if aspect != "inputs")
    assert f"{FRAMES} frames, {instances} instances" in text
    assert "both sides are the host's" in text
    assert text.endswith("result   identical\n")


def test_a_models_own_preparation_is_compared_with(tmp_path, capsys):
    facts = {"input_shape": [1, 3, 312, 312], "class_names": None, "class_id_to_name": None, "num_classes": 8}
    facts |= {"num_select": 50, "means": [0.5, 0.5, 0.25], "stds": [0.25, 0.5, 0.25]}
    path = with_metadata(tmp_path / "m.onnx", MODEL, rfdetr_inference=json.dumps({**CONTRACT, **facts}))
    with rfseg.Segmenter(path) as segmenter:
        info = segmenter.info
    assert (info["mean"], info["std"], info["resize"]) == ((0.5, 0.5, 0.25), (0.25, 0.5, 0.25), "bilinear")
    assert main(["parity", str(path), str(CLIP), "--frames", "2", "--device", "cpu"]) == EXIT_OK
    assert counts(capsys.readouterr().out)["inputs"] == [2, 2]


class Planted(rfseg.Segmenter):
    """Its host side differs a little, in the last frame alone."""

    change = staticmethod(lambda columns: columns)

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self._core = _Core(self._core, type(self).change)


class _Core:
    def __init__(self, core, change) -> None:
        self._wrapped, self._change, self._calls = core, change, 0

    def __getattr__(self, name):
        return getattr(self._wrapped, name)

    def infer_with_tensors(self, frames):
        ((columns, network_input, *tensors),) = self._wrapped.infer_with_tensors(frames)
        self._calls += 1
        if self._calls == FRAMES and self._change is one_input:
            network_input[0, 5, 5] = np.nextafter(network_input[0, 5, 5], np.float32(9))
        return [(columns, network_input, *tensors)]

    def postprocess_tensors(self, *arguments):
        columns = self._wrapped.postprocess_tensors(*arguments)
        return self._change(columns) if self._calls == FRAMES and self._change is not one_input else columns


def one_input(columns):
    return columns


def one_class(columns):
    columns[2][0] += 1
    return columns


def one_score(columns):
    columns[1][-1] = np.nextafter(columns[1][-1], np.float32(0))
    return columns


def one_corner(columns):
    columns[0][1, 2] = np.nextafter(columns[0][1, 2], np.float32(0))
    return columns


def one_pixel(columns):
    dense = columns[3].dense()
    dense[0, 0, 0] ^= True
    return (*columns[:3], rfseg._core.Masks.from_dense(dense), *columns[4:])


def one_less(columns):
    keep = list(range(len(columns[2]) - 1))
    return (*(column[keep] for column in columns[:3]), columns[3].select(keep), *columns[4:])


@pytest.mark.parametrize(
    ("change", "aspects"),
    [
        (one_input, {"inputs"}),
        (one_class, {"class"}),
        (one_score, {"score"}),
        (one_corner, {"box"}),
        (one_pixel, {"mask", "polygons"}),
        (one_less, {"class", "score", "box", "mask", "polygons"}),
    ],
)
def test_a_planted_difference_is_found(change, aspects, capsys, monkeypatch):
    monkeypatch.setattr(Planted, "change", staticmethod(change))
    monkeypatch.setattr(rfseg, "Segmenter", Planted)
    assert run() == EXIT_VERIFICATION
    text = capsys.readouterr().out
    for aspect, (identical, total) in counts(text).items():
        assert total - identical == (aspect in aspects), aspect
    assert text.count("<- DIFFERS") == len(aspects)
    assert text.endswith("result   DIFFERENT\n")


def test_polygons_are_compared_in_every_mode(monkeypatch, capsys):
    """An outline that differs although the masks are equal."""
    all_equal = rfseg.Result.polygons

    class Once:
        modes: tuple[str, ...] = ()

    def polygons(self, mode="external"):
        found = all_equal(self, mode)
        if mode not in Once.modes:
            return found
        Once.modes = ()
        return [[np.zeros((1, 2), np.int32)], *found[1:]]

    monkeypatch.setattr(rfseg.Result, "polygons", polygons)
    for mode in parity._MODES:
        Once.modes = (mode,)
        assert run() == EXIT_VERIFICATION
        identical, total = counts(capsys.readouterr().out)["polygons"]
        assert total - identical == 1


def test_comparing_nothing_is_an_error(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("rfseg.video.VideoReader.frames", lambda *_: iter(()))
    assert run() == EXIT_INPUT
    captured = capsys.readouterr()
    assert "holds no frames: nothing was compared" in captured.err
    assert "identical" not in captured.out


def test_images_and_a_broken_one(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((90, 120, 3), 90, np.uint8))
    (tmp_path / "b.png").write_bytes(b"nothing")
    assert main(["parity", str(MODEL), str(tmp_path), "--device", "cpu"]) == EXIT_INPUT
    captured = capsys.readouterr()
    assert "1 frames" in captured.out
    assert "b.png" in captured.err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["parity", "m.onnx"], 1, "required: VIDEO"),
        (["parity", "m.onnx", "clip.mp4", "--threshold", "2"], 1, "expected a number from 0 to 1"),
        (["parity", "m.onnx", "clip.mp4", "--frames", "0"], 1, "expected a whole number above 0"),
        (["parity", str(MODEL), "nowhere.mp4"], 2, "nowhere.mp4"),
        (["parity", "nothing.onnx", str(CLIP)], 2, "nothing.onnx"),
        (["parity", str(MODEL), str(CLIP), "--device", "cuda:99"], 4, "cuda"),
    ],
)
def test_exit_codes(arguments, code, sentence, capsys):
    try:
        found = main(arguments)
    except SystemExit as leaving:
        found = leaving.code
    assert found == code
    assert sentence in capsys.readouterr().err


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["parity", "--help"])
    assert "example:\n  rfseg parity" in capsys.readouterr().out
