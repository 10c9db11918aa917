"""What a user is told about a file that is not a network for rfseg, and where the library and the names come from."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rfseg

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "python" / "rfseg" / "demo" / "shapes.onnx"
MODELS = ROOT / "tests" / "data" / "models"
FRAME = (np.arange(30 * 40 * 3) % 251).astype(np.uint8).reshape(30, 40, 3)

PREFIX = " is not an RF-DETR segmentation network that can be run: "


def refusal(model: Path) -> str:
    """Returns what is said about `model`, without its path in front."""
    with pytest.raises(rfseg.ModelError) as caught:
        rfseg.Segmenter(model, device="cpu")
    text = str(caught.value)
    assert text.startswith(str(model))
    return text.removeprefix(str(model))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.onnx", b"", " is empty: export or download it again"),
        (
            "pointer.onnx",
            b"version https://git-lfs.github.com/spec/v1\n",
            " is a Git LFS pointer, not the file itself: run git lfs pull",
        ),
        ("text.onnx", b"hello", " is not an ONNX file"),
        ("part.onnx", DEMO.read_bytes()[:4_000_000], " is damaged or cut short: export or download it again"),
    ],
)
def test_a_file_that_is_no_model(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name) == sentence


def test_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.onnx") == ": no such file"
    (tmp_path / "folder.onnx").mkdir()
    assert refusal(tmp_path / "folder.onnx") == " is a directory: give the path of the .onnx file in it"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("open_image", "its image size is open: export it again with a fixed height and width."),
        ("keypoints", "it finds keypoints, not masks: export a segmentation variant (RFDETRSeg...)."),
        ("uneven_queries", "its outputs disagree about the number of queries Q."),
        *(
            (
                name,
                "no output of rank 4 holds masks: export a segmentation variant (RFDETRSeg...), not a detection one.",
            )
            for name in ("detection", "flat_masks")
        ),
        (
            "ambiguous",
            "which of 'a' and 'b' is dets is ambiguous, both may have 4 columns: name the outputs dets and labels.",
        ),
    ],
)
def test_another_network_is_refused_with_a_table(name: str, reason: str) -> None:
    first, *table = refusal(MODELS / f"{name}.onnx").splitlines()
    assert first == PREFIX + reason
    assert [row.split("|")[0].strip() for row in table[:5]] == ["tensor", "input", "dets", "labels", "masks"]
    assert all(row.count("|") == 2 for row in table[:-1])


def test_what_the_cpu_cannot_run_is_refused() -> None:
    assert refusal(MODELS / "not_a_number.onnx") == (
        " answers a test image with NaN or infinity in 'labels': its weights are damaged, or too large for float16: "
        "export or build it again"
    )
    future = refusal(MODELS / "from_the_future.onnx")
    assert future.startswith(" cannot be loaded by ONNX Runtime 1.")
    assert ": Unsupported model IR version: 99, max supported IR version: " in future
    assert "\n" not in future


def test_a_frame_that_fails_spoils_neither_the_next_nor_another_segmenter() -> None:
    plain = rfseg.Segmenter(MODELS / "plain.onnx", device="cpu", threshold=0)
    before = plain.infer(FRAME)
    assert len(before) > 0
    broken = rfseg.Segmenter(MODELS / "fails_when_run.onnx", device="cpu")
    for _ in range(2):
        with pytest.raises(
            rfseg.BackendError, match=r"fails_when_run.onnx failed in ONNX Runtime 1\..*idx=75"
        ) as caught:
            broken.infer(FRAME // 2 + 120)
        assert "\n" not in str(caught.value)
    assert plain.infer(FRAME).to_json() == before.to_json()


@pytest.mark.parametrize("name", ["dynamic_batch", "reordered"])
def test_other_exports_of_a_network_give_its_answer(name: str) -> None:
    plain = rfseg.Segmenter(MODELS / "plain.onnx", device="cpu", threshold=0)
    other = rfseg.Segmenter(MODELS / f"{name}.onnx", device="cpu", threshold=0)
    expected, found = plain.infer(FRAME), other.infer(FRAME)
    assert len(expected) > 0
    assert found.to_json() == expected.to_json()
    assert (found.masks.dense() == expected.masks.dense()).all()
    sizes = {"network_size": (8, 8), "mask_size": (2, 2), "queries": 5, "columns": 3}
    assert {key: other.info[key] for key in sizes} == sizes


def test_names_come_from_the_argument_then_the_metadata_then_the_sidecar(tmp_path: Path) -> None:
    demo = shutil.copy(DEMO, tmp_path / "demo.onnx")
    assert rfseg.Segmenter(demo, device="cpu").names[0] == "circle"
    plain = shutil.copy(MODELS / "plain.onnx", tmp_path / "plain.onnx")
    assert rfseg.Segmenter(plain, device="cpu").names == {}
    (tmp_path / "plain.names.json").write_text(json.dumps({"0": "caf\u00e9", "2": "\U0001f680"}))
    assert rfseg.Segmenter(plain, device="cpu").names == {0: "caf\u00e9", 2: "\U0001f680"}
    assert rfseg.Segmenter(plain, device="cpu", names=["a", "b"]).names == {0: "a", 1: "b"}
    (tmp_path / "plain.names.json").write_text('["a", 1]')
    with pytest.raises(
        rfseg.ModelError, match=r"class names in .*plain\.names\.json: expected a list of names or .* at byte 6"
    ):
        rfseg.Segmenter(plain, device="cpu")


def test_names_that_fit_no_columns_are_refused() -> None:
    with pytest.raises(
        rfseg.InputError, match=r"too_many_names\.onnx: 5 class names, but the network has 3 class columns"
    ):
        rfseg.Segmenter(MODELS / "too_many_names.onnx", device="cpu")


def test_a_library_that_was_asked_for_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RFSEG_ONNXRUNTIME", "/nowhere/libonnxruntime.so")
    with pytest.raises(rfseg.BackendError) as caught:
        rfseg.Segmenter(MODELS / "plain.onnx", device="cpu")
    assert str(caught.value) == (
        "no usable ONNX Runtime library:\n"
        "  /nowhere/libonnxruntime.so (from RFSEG_ONNXRUNTIME): "
        "cannot open shared object file: No such file or directory\n"
        "Fix: pip install onnxruntime, or set RFSEG_ONNXRUNTIME to the path of libonnxruntime.so"
    )


def test_without_the_package_the_loader_is_asked() -> None:
    script = f"""
import sys
sys.modules["onnxruntime"] = None  # as if it were not installed
import rfseg
try:
    rfseg.Segmenter({str(MODELS / "plain.onnx")!r}, device="cpu")
except rfseg.BackendError as error:
    print(error)
else:
    print("opened")
"""
    environment = {k: v for k, v in os.environ.items() if k not in ("RFSEG_ONNXRUNTIME", "LD_LIBRARY_PATH")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    if done.stdout == "opened\n":
        pytest.skip("the loader finds an ONNX Runtime on this machine")
    lines = done.stdout.splitlines()
    reason = "cannot open shared object file: No such file or directory"
    assert lines[1:3] == [
        f"  libonnxruntime.so.1 (from the loader's search): {reason}",
        f"  libonnxruntime.so (from the loader's search): {reason}",
    ]
    assert lines[3].startswith("Fix: pip install onnxruntime, or set RFSEG_ONNXRUNTIME")
