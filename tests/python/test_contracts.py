"""What a model's file says about itself: what is used, what is refused, who wins."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import rfseg
from contracts import CONTRACT, PLAIN, with_metadata
from paths import DATA

FRAME = (np.arange(30 * 40 * 3) % 251).astype(np.uint8).reshape(30, 40, 3)


def contract_file(folder: Path, **changes: object) -> Path:
    return with_metadata(folder / "m.onnx", rfdetr_inference=json.dumps({**CONTRACT, **changes}))


def test_the_contract_is_used(tmp_path: Path) -> None:
    with rfseg.Segmenter(contract_file(tmp_path)) as segmenter:
        assert segmenter.names == {0: "a", 1: "b"}
        assert segmenter.info["resize"] == "bilinear"
        assert segmenter.info["producer"] == "rfdetr 1.12.0, seg-nano"
    with rfseg.Segmenter(contract_file(tmp_path, resize_antialias=True)) as segmenter:
        assert segmenter.info["resize"] == "pil"
    with rfseg.Segmenter(contract_file(tmp_path), resize="pil", names=["x", "y", "z"]) as segmenter:
        assert segmenter.info["resize"] == "pil"
        assert segmenter.names == {0: "x", 1: "y", 2: "z"}
    positions = contract_file(tmp_path, outputs={"pred_boxes": 0, "pred_logits": 1, "pred_masks": 2}, input_name=0)
    rfseg.Segmenter(positions).close()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"schema_version": 2}, r"schema_version is 2: this rfseg reads 1"),
        ({"schema_version": True}, r"schema_version is true"),
        ({"task": "detect"}, r"task is \"detect\": .*export a segmentation variant"),
        ({"task": None}, r"task is null: it is missing"),
        ({"format": "tensorrt"}, r"format is \"tensorrt\": rfseg follows \"onnx\""),
        ({"input_shape": [1, 3, 9, 8]}, r"states an input of 9x8, but .* has one of 8x8"),
        ({"input_shape": [-1, 3, 8, 8]}, r"states a batch of any size, but .* has 1"),
        ({"input_shape": [1, 8, 8, 3]}, r"input_shape is \[1, 8, 8, 3\]: rfseg runs networks of 3 channels"),
        ({"input_layout": "NHWC"}, r"input_layout is \"NHWC\""),
        ({"input_dtype": "float16"}, r"states an input of float16, but .* has float32"),
        ({"outputs": {"pred_boxes": "x", "pred_logits": "labels", "pred_masks": "masks"}}, r"names the tensor 'x'"),
        ({"outputs": {"pred_boxes": "dets", "pred_logits": "dets", "pred_masks": "masks"}}, r"one tensor plays two"),
        ({"outputs": {"pred_boxes": 0, "pred_logits": 1, "pred_masks": 9}}, r"the file has 3 outputs"),
        ({"means": [1, 2]}, r"means is \[1, 2\]: expected 3 numbers"),
        ({"stds": [0, 1, 1]}, r"stds is \[0, 1, 1\]: expected numbers above 0"),
        ({"stds": [1e-60, 1, 1]}, r"stds is \[1e-60, 1, 1\]: expected numbers above 0"),
        ({"means": [1e39, 0, 0]}, r"expected numbers that float32 holds"),
        ({"means": [float("nan"), 0, 0]}, r"expected a value at byte"),
        ({"num_select": 0}, r"num_select is 0"),
        ({"num_select": 2.5}, r"num_select is 2.5"),
        ({"num_classes": 9}, r"states classes: 9, but .* has 3 class columns"),
        ({"upsample_masks_to_image_size": False}, r"masks are always those of the whole image"),
        ({"class_id_to_name": {"7": "b"}}, r"class 7 \(b\) is named"),
        ({"class_id_to_name": 3}, r"expected a list of names or an object .*; names= overrides them"),
        ({"pixel_scale": 1}, r"pixel_scale is 1"),
        ({"channel_order": "BGR"}, r"channel_order is \"BGR\""),
        ({"resize_interpolation": "bicubic"}, r"resize_interpolation is \"bicubic\""),
        ({"selection_policy": "best"}, r"selection_policy"),
        ({"box_format": "xyxy"}, r"box_format"),
        ({"max_batch_size": 8}, r"max_batch_size is 8: input_shape fixes the batch at 1"),
        ({"surprise": 1}, r"surprise is 1: a key that schema 1 does not have"),
    ],
)
def test_what_conflicts_is_refused(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(rfseg.Error, match=sentence):
        rfseg.Segmenter(contract_file(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", " ", "[]", "{", '{"schema_version": 1', "null", b"\xff\xfe{", "[" * 10000])
def test_a_contract_that_is_none_is_refused(tmp_path: Path, text: str | bytes) -> None:
    if text == "":
        rfseg.Segmenter(with_metadata(tmp_path / "m.onnx", rfdetr_inference="")).close()
        return
    with pytest.raises(rfseg.ModelError, match="rfdetr_inference in"):
        rfseg.Segmenter(with_metadata(tmp_path / "m.onnx", rfdetr_inference=text))


def test_sidecars_describe_one_build_and_contradict_nobody(tmp_path: Path) -> None:
    model, sidecar = tmp_path / "m.onnx", tmp_path / "m.onnx.rfdetr.json"

    def write(digest: str, metadata: object) -> None:
        sidecar.write_text(json.dumps({"artifact_sha256": digest, "metadata": metadata}))

    shutil.copy(PLAIN, model)
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    write(digest.upper(), CONTRACT)
    assert rfseg.Segmenter(model).names == {0: "a", 1: "b"}
    write("0" * 64, CONTRACT)
    with pytest.raises(rfseg.ModelError, match=f"describes another build: .* has {digest}"):
        rfseg.Segmenter(model)
    contract_file(tmp_path)
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    write(digest, dict(reversed(CONTRACT.items())))
    rfseg.Segmenter(model).close()
    write(digest, {**CONTRACT, "num_select": 4})
    with pytest.raises(rfseg.ModelError, match="disagree: num_select 5 and 4"):
        rfseg.Segmenter(model)
    for size in range(50, 120):  # every length of the digest's last block
        (tmp_path / "long.onnx").write_bytes(PLAIN.read_bytes() + bytes([0x32, size]) + b"d" * size)
        digest = hashlib.sha256((tmp_path / "long.onnx").read_bytes()).hexdigest()
        (tmp_path / "long.onnx.rfdetr.json").write_text(json.dumps({"artifact_sha256": digest, "metadata": CONTRACT}))
        rfseg.Segmenter(tmp_path / "long.onnx").close()


def test_names_in_a_file_and_who_wins(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = tmp_path / "m.onnx"
    python_dict = "{0: 'person', 1: \"rider's bike\"}"
    assert rfseg.Segmenter(with_metadata(model, names=python_dict)).names == {0: "person", 1: "rider's bike"}
    assert rfseg.Segmenter(with_metadata(model, names='["x","y"]'.encode("utf-16"))).names == {0: "x", 1: "y"}
    notes = json.dumps({"names": ["n", "m"], "by": "me"})
    assert rfseg.Segmenter(with_metadata(model, rfdetr_notes=notes)).names == {0: "n", 1: "m"}
    assert rfseg.Segmenter(with_metadata(model, rfdetr_notes='["first try", "no"]')).names == {}
    both = with_metadata(model, names="['q', 'r']", rfdetr_inference=json.dumps(CONTRACT))
    with pytest.raises(rfseg.ModelError, match="disagree about what classes are called; names= overrides them"):
        rfseg.Segmenter(both)
    assert rfseg.Segmenter(both, names=["s", "t"]).names == {0: "s", 1: "t"}
    with_metadata(model, names="[[[")
    with pytest.raises(rfseg.ModelError, match="names= overrides them"):
        rfseg.Segmenter(model)
    assert rfseg.Segmenter(model, names={"2": "c"}).names == {2: "c"}  # type: ignore[dict-item]

    shutil.copy(PLAIN, model)
    (tmp_path / "class_names.txt").write_bytes("caf\u00e9\r\ntwo\r\n".encode("utf-16"))
    assert rfseg.Segmenter(model).names == {0: "caf\u00e9", 1: "two"}
    (tmp_path / "class_names.txt").write_text("background\na\n")
    caplog.clear()
    assert rfseg.Segmenter(model).names == {}
    assert "off by one" in caplog.text
    (tmp_path / "data.yaml").write_text("nc: 2\nnames:\n  0: one\n  1: two\n")
    assert rfseg.Segmenter(model, names=tmp_path / "data.yaml").names == {0: "one", 1: "two"}
    caplog.clear()
    rfseg.Segmenter(model, names={1: "a", 2: "b"}).close()
    assert "off by one" in caplog.text
    for wrong in (["background", "a"], ["a"], "coco", {7: "a"}, "/dev/zero"):
        with pytest.raises(rfseg.InputError):
            rfseg.Segmenter(model, names=wrong)


def test_nothing_says_how_to_resize(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="rfseg"):
        rfseg.Segmenter(PLAIN).close()
        assert caplog.text.count('resize="bilinear"') == 1
        caplog.clear()
        rfseg.Segmenter(PLAIN, resize="bilinear").close()
        assert "resize" not in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("m.engine", PLAIN.read_bytes(), "is an ONNX file: name it .onnx"),
        ("m.pth", b"PK\x03\x04" + b"0" * 26 + b"m/data.pkl", "is a PyTorch checkpoint: export it with rfdetr first"),
        ("m.pt", b"\x80\x02rest", "is a PyTorch checkpoint"),
        ("m.onnx", b"<!DOCTYPE html><html>404</html>", "is a web page, not a model"),
        ("m.engine", b"version https://git-lfs.github.com/spec/v1\n", "run git lfs pull"),
        ("m.onnx", PLAIN.read_bytes()[:-1], "is damaged or cut short"),
        ("m.onnx", b'{"message": "Not Found"}', "is a JSON text"),
        ("m.onnx", b"ftrt\0\0\0\0\2\0\0\0", "is a TensorRT engine: name it .engine"),
        ("m.bin", PLAIN.read_bytes(), "is an ONNX file by its content: name it .onnx"),
    ],
)
def test_a_file_named_against_its_content(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(rfseg.ModelError, match=sentence):
        rfseg.Segmenter(tmp_path / name)


def test_other_doors_of_a_network() -> None:
    models = DATA / "models"
    plain = rfseg.Segmenter(PLAIN, threshold=0).infer(FRAME)
    half = rfseg.Segmenter(models / "float16.onnx", threshold=0).infer(FRAME)
    np.testing.assert_allclose(half.confidence, plain.confidence, rtol=0, atol=2e-3)
    assert len(rfseg.Segmenter(models / "transformers.onnx", threshold=0).infer(FRAME)) == 5
    with pytest.raises(rfseg.ModelError, match="NaN or infinity in 'labels'"):
        rfseg.Segmenter(models / "not_a_number.onnx")


def test_a_path_of_any_bytes(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.onnx"
    Path(os.fsdecode(path)).write_bytes(PLAIN.read_bytes())
    with rfseg.Segmenter(os.fsdecode(path)) as segmenter:
        assert os.fsencode(segmenter.info["model"]) == path
    Path(os.fsdecode(path)).write_bytes(b"")
    with pytest.raises(rfseg.ModelError, match=r"caf\\xe9.onnx is empty"):
        rfseg.Segmenter(os.fsdecode(path))
