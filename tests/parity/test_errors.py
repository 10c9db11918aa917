"""Engines and devices that cannot be used are refused with a sentence that says why."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import rfseg
from parity.answers import assert_same
from parity.inputs import ENGINES, NAMES
from paths import DEMO_MODEL

TAG_AT, TAG = 0x54, 239  # of the format of TensorRT 10.6's engines; 10.15 writes 240


def refusal(path: Path, **options: object) -> str:
    """What ModelError says of a file; printed, because TensorRT's own words are in it."""
    with pytest.raises(rfseg.ModelError) as error:
        rfseg.Segmenter(path, device="cuda", names=NAMES, **options)
    print(f"{path.name}: {error.value}")
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.fixture
def damaged(engines, tmp_path):
    """(engine, function of its bytes) -> path of the result."""

    def make(change):
        path = tmp_path / "damaged.engine"
        path.write_bytes(change(bytearray(engines["nano"].read_bytes())))
        return path

    return make


def other_version(plan: bytearray) -> bytearray:
    assert (plan[TAG_AT - 4 : TAG_AT], plan[TAG_AT]) == (b"ptrt", TAG), "an engine of another layout"
    plan[TAG_AT] += 1
    return plan


def test_a_missing_engine(tmp_path):
    assert "no such file" in refusal(tmp_path / "nothing.engine").lower()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda plan: plan[: len(plan) // 2], ""),
        (lambda plan: plan[:100], ""),
        (lambda plan: b"", "empty"),
        (lambda plan: b"\0" * len(plan), ""),
        (lambda plan: DEMO_MODEL.read_bytes(), ""),
        (other_version, "version tag"),
    ],
    ids=["half", "100 bytes", "empty", "zeros", "an ONNX file", "another version"],
)
def test_a_damaged_or_foreign_engine(damaged, change, sentence):
    assert sentence in refusal(damaged(change)).lower()


def test_an_engine_with_code_of_its_own_needs_permission(engines, shared, mixed, caplog):
    """shapes_fp16.plan is version compatible; whether TensorRT wants permission for it, its log says."""
    expected = shared().infer(mixed[0])
    caplog.set_level(logging.DEBUG, "rfseg")
    try:
        with rfseg.Segmenter(engines["shapes"], device="cuda", names=NAMES) as segmenter:
            assert_same(segmenter.infer(mixed[0]), expected)
            print("no permission needed")
    except rfseg.ModelError as error:
        print(f"permission needed: {error}")
        assert "allow_engine_code" in str(error)
    print(caplog.text)


def test_the_library_that_is_asked_for_is_the_one_that_runs(engines, shared, mixed, tmp_path):
    absent = tmp_path / "libnvinfer.so.10"
    with pytest.raises(rfseg.BackendError, match=str(absent)):
        rfseg.Segmenter(engines["nano"], device="cuda", names=NAMES, tensorrt=absent)
    path = shared("nano").info["library_path"]
    with rfseg.Segmenter(engines["nano"], device="cuda", names=NAMES, tensorrt=path) as segmenter:
        assert segmenter.info["library_path"] == path
        assert_same(segmenter.infer(mixed[0]), shared("nano").infer(mixed[0]))


@pytest.mark.parametrize("device", ["cuda:99", "cuda:7"])
def test_a_gpu_that_is_not_there(engines, device):
    with pytest.raises(rfseg.BackendError, match=device.split(":")[1]):
        rfseg.Segmenter(engines["nano"], device=device, names=NAMES)


def test_files_and_devices_must_fit(engines):
    with pytest.raises(rfseg.BackendError, match=r"\.onnx"):
        rfseg.Segmenter(engines["nano"], device="cpu")
    with pytest.raises(rfseg.BackendError, match="engine"):
        rfseg.Segmenter(DEMO_MODEL, device="cuda")
    with rfseg.Segmenter(engines["nano"], names=NAMES) as segmenter:  # auto
        assert segmenter.device == "cuda:0"


def test_a_library_that_is_none_is_named(engines, monkeypatch, tmp_path):
    monkeypatch.setenv("RFSEG_TENSORRT", str(tmp_path / "libnvinfer.so.10"))
    with pytest.raises(rfseg.BackendError, match="libnvinfer") as error:
        rfseg.Segmenter(engines["nano"], device="cuda", names=NAMES)
    print(error.value)


@pytest.mark.parametrize("options", [{"stages": "both"}, {"slots": -1}, {"threshold": 2.0}, {"max_detections": 0}])
def test_options_out_of_range(engines, options):
    with pytest.raises(rfseg.InputError, match=next(iter(options))):
        rfseg.Segmenter(engines["nano"], **{"device": "cuda", "names": NAMES, **options})


def test_names_that_do_not_fit(engines):
    with pytest.raises(rfseg.InputError, match="names"):
        rfseg.Segmenter(engines["nano"], device="cuda", names=["circle", "square"])


def test_failures_leave_the_others_alone(shared, mixed, engines):
    segmenter = shared()
    expected = segmenter.infer(mixed[0])
    for name in ENGINES:
        with pytest.raises(rfseg.ModelError):
            rfseg.Segmenter(engines[name].with_suffix(".missing.engine"), device="cuda")
    assert_same(segmenter.infer(mixed[0]), expected)
