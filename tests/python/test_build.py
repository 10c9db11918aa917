"""From an ONNX file to an engine on a stand-in TensorRT: what is asked, what is kept, what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import planted
import rfseg
import stand_in_gpu
from paths import DATA, DEMO_MODEL
from recording import builds, left_behind
from rfseg.cli import main as command
from rfseg.engines.batch import batch_profiles
from rfseg.engines.build import EFFORTS
from rfseg.engines.build_report import VerificationError
from rfseg.engines.builder import shares_of
from rfseg.engines.fold import fold
from rfseg.engines.graph import load
from rfseg.engines.recipes import PRECISIONS, tiers
from rfseg.engines.sidecar import read_sidecar, sidecar_path


def test_auto_keeps_the_fastest_that_verifies(tmp_path: Path, record: Path) -> None:
    told: list[tuple[str, str]] = []
    out = tmp_path / "out"
    report = rfseg.build(
        DEMO_MODEL, out / "m.engine", effort="low", progress=lambda stage, _, text: told.append((stage, text))
    )
    assert report.chosen is not None
    assert (report.chosen.recipe, report.engine) == ("fp16-fused", out / "m.engine")
    assert left_behind(out) == ["m.engine", "m.engine.json"]
    facts = read_sidecar(out / "m.engine", check_digest=True)
    assert facts is not None
    assert (facts.recipe, facts.precision, facts.tensorrt, facts.driver) == ("fp16-fused", "float16", "10.6.0", "580.1")
    assert (facts.gpu, facts.compute_capability) == ("NVIDIA Stand-in", "9.0")
    assert (facts.network_size, facts.batch, facts.profiles) == ((312, 312), (1, 1), [])
    assert facts.output_names == ["dets", "labels", "masks"]
    assert facts.names["0"] == "circle"
    assert facts.layers is not None
    assert facts.layers["float16"] > 0.4
    assert facts.verification is not None
    assert facts.verification["passed"]
    assert report.warnings == ["a warning that comes twice"]
    stages = [stage for stage, _ in told]
    assert stages[0] == "reading"
    assert {"folding", "building fp16-fused", "timed fp16-fused", "verified fp16-fused"} <= set(stages)
    assert ("building fp16-fused", "TensorRT warning: a warning that comes twice") in told
    assert "kept" in report.text()
    assert rfseg.verify(out / "m.engine", DEMO_MODEL).passed


def test_what_tensorrt_10_is_asked(tmp_path: Path, record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All fp16 recipes once, and the fastest again within the budget, measured anew."""
    monkeypatch.setitem(EFFORTS, "normal", (600.0, 1))
    report = rfseg.build(DEMO_MODEL, tmp_path / "m.engine", precision="fp16")
    typed, flag = {"flags": 2, "builder_flags": []}, {"flags": 0, "builder_flags": ["FP16", "TF32"]}
    asked = builds(record)
    assert [{key: one[key] for key in ("flags", "builder_flags")} for one in asked] == [
        typed,
        flag,
        typed,
        {**typed, "builder_flags": ["DISABLE_TIMING_CACHE"]},
    ]
    assert [one["timing_cache"] for one in asked] == [True, True, True, False]
    assert {one["verbosity"] for one in asked} == {2}
    assert [one.recipe for one in report.attempts] == ["fp16-fused", "fp16-flag", "fp16", "fp16-fused"]
    assert report.attempts[1].report is None
    assert "a faster one passed" in report.text()
    assert {one["process"] for one in asked}.isdisjoint({os.getpid()})


def test_what_tensorrt_11_is_asked(tmp_path: Path, record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_gpu.patched(monkeypatch.setattr, version="11.4.0")
    report = rfseg.build(DEMO_MODEL, tmp_path / "m.engine", precision="fp16-islands", effort="low")
    assert [(one["flags"], one["builder_flags"]) for one in builds(record)] == [(0, [])]
    facts = read_sidecar(report.engine)
    assert facts is not None
    assert facts.tensorrt == "11.4.0"
    with pytest.raises(rfseg.InputError, match="has no FP16 flag; use fp16"):
        rfseg.build(DEMO_MODEL, tmp_path / "m.engine", precision="fp16-flag")


def test_a_plain_request_that_fails_is_refused(tmp_path: Path, record: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "out"
    with pytest.raises(VerificationError, match="none was written") as failure:
        rfseg.build(DEMO_MODEL, out / "m.engine", precision="fp32", rule=rfseg_rule("iou_p1=1.01"))
    assert failure.value.report.attempts[0].report is not None
    assert left_behind(out) == []
    arguments = ["build", str(DEMO_MODEL), "-o", str(out / "m.engine"), "--precision", "fp32", "--rule", "iou_p1=1.01"]
    assert command.main(arguments) == 3
    assert "mask IoU p1 is 1, at least 1.01 is asked" in capsys.readouterr().out


def rfseg_rule(text: str) -> Any:
    from rfseg.engines.rule import Rule

    return Rule.parse(text)


def test_a_float32_engine_for_fp16_is_refused(tmp_path: Path, record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_FAULT", "float32")
    with pytest.raises(VerificationError, match="this is a float32 engine"):
        rfseg.build(DEMO_MODEL, tmp_path / "m.engine", precision="fp16-islands", effort="low")


def test_an_engine_of_another_model_is_told(tmp_path: Path, record: Path) -> None:
    engine = rfseg.build(DEMO_MODEL, tmp_path / "m.engine", precision="fp32", effort="low").engine
    other = load(DEMO_MODEL)
    planted.change(other, planted.named(other, "widen_onnx::MatMul_2657"), lambda w: w * np.float16(0.8))
    onnx.save(other, tmp_path / "other.onnx")
    report = rfseg.verify(engine, tmp_path / "other.onnx")
    assert not report.passed
    assert "built from another file (shapes.onnx)" in report.reasons[0]


def test_profiles() -> None:
    dynamic, fixed = load(DATA / "models" / "dynamic_batch.onnx"), load(DEMO_MODEL)
    assert batch_profiles(dynamic, None) == [(1, 8, 8)]
    assert batch_profiles(dynamic, 4, several=True) == [(1, 4, 4), (1, 1, 1)]
    assert batch_profiles(dynamic, 1, several=True) == [(1, 1, 1)]
    assert batch_profiles(fixed, None) == batch_profiles(fixed, 1) == []
    with pytest.raises(rfseg.ModelError, match="fixed at 1: export it again with dynamic_batch=True"):
        batch_profiles(fixed, 8)
    with pytest.raises(rfseg.InputError, match="at least 1"):
        batch_profiles(dynamic, 0)


def test_a_batch_baked_into_reshapes_is_said() -> None:
    model = load(DEMO_MODEL)
    fold(model)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    with pytest.raises(rfseg.ModelError, match=r"(?s)two images.*the batch is baked into the graph"):
        batch_profiles(model, 8)
    assert batch_profiles(model, 1) == [(1, 1, 1)]


def test_a_dynamic_batch_is_built_with_its_profiles(tmp_path: Path, record: Path) -> None:
    path, engine = DATA / "models" / "dynamic_batch.onnx", tmp_path / "m.engine"
    with pytest.raises(VerificationError):  # nothing to find in this network's answers to photographs
        rfseg.build(path, engine, precision="fp32", max_batch=4, several_profiles=True, rule=rfseg_rule("iou_p1=2"))
    one, all_of_them = [[1, 3, 8, 8]] * 3, [[1, 3, 8, 8], [4, 3, 8, 8], [4, 3, 8, 8]]
    assert builds(record)[0]["profiles"] == [{"input": all_of_them}, {"input": one}]


def test_what_the_inspector_says_is_counted() -> None:
    def layer(kind: str, name: str = "x") -> dict[str, Any]:
        return {"Name": name, "Outputs": [{"Name": "y", "Format/Datatype": kind}]}

    words = ("Half", "Row major linear FP16 format", "BFloat16", "Float", "Row major linear FP32", "Int64", "Bool")
    assert shares_of([layer(kind) for kind in words]) == {"float16": 0.4, "float32": 0.4, "bfloat16": 0.2}
    assert shares_of([layer("Float"), {"Name": "no outputs", "Outputs": []}]) == {"float32": 1.0}
    assert shares_of([layer("Float"), layer("Float", "{ForeignNode[a...b]}")]) == {}, "what is inside is not shown"
    assert shares_of(["names only"]) == shares_of([]) == {}


def test_every_precision_means_something() -> None:
    for precision in PRECISIONS:
        for major in (10, 11):
            if (precision, major) != ("fp16-flag", 11):
                assert all(tiers(precision, major))
    assert [[recipe.name for recipe in tier] for tier in tiers("auto", 11)] == [
        ["fp16-fused", "fp16"],
        ["bf16"],
        ["fp32"],
    ]
    with pytest.raises(rfseg.InputError, match="must be one of auto"):
        tiers("int8", 10)


def test_the_sidecar_stays_with_its_engine(tmp_path: Path, record: Path) -> None:
    """Building over an older engine replaces both."""
    engine = tmp_path / "m.engine"
    engine.write_bytes(b"old")
    sidecar_path(engine).write_text("{}")
    rfseg.build(DEMO_MODEL, engine, precision="fp32", effort="low")
    facts = read_sidecar(engine, check_digest=True)
    assert facts is not None
    assert facts.recipe == "fp32"
