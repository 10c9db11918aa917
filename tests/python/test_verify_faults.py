"""Twelve planted faults, all caught on the packaged photographs; half precision, which is no fault, passes.

Ten are ONNX files on the CPU, of which one does not even open. A float32 engine where FP16 was asked for and an engine
of another model are told by what the inspector and the sidecar say.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

import planted
import rfseg
from paths import DEMO_MODEL
from rfseg.engines.fold import fold
from rfseg.engines.graph import load
from rfseg.engines.islands import Islands
from rfseg.engines.report import Totals, VerifyReport
from rfseg.engines.rule import Rule, failures, precision_failure
from rfseg.engines.typed import write_types
from rfseg.engines.verify import verify

FAULTS: dict[str, tuple[Callable[[Any], None], str, str]] = {
    "norm in FP16 overflows": (planted.norm_in_half, "spoilt", ""),
    "attention output scaled by 0.8": (planted.scaled("layer.3/mlp/fc2/MatMul"), "", ""),
    "decoder layer scaled by 0.8": (planted.scaled("decoder/layers.1/linear2/MatMul"), "", ""),
    "mask head scaled by 0.8": (planted.scaled("query_features_proj/MatMul"), "", ""),
    "BGR for RGB": (planted.bgr, "spoilt", ""),
    "missing normalisation": (planted.missing_normalisation, "spoilt", ""),
    "classes rotated": (planted.classes_rotated, "spoilt", "class +1 away"),
    "last class silent": (planted.last_class_silent, "spoilt", "a class was dropped"),
    "last column dropped": (planted.last_column_dropped, "spoilt", ""),
    "boxes in xyxy": (planted.boxes_in_xyxy, "spoilt", "xyxy"),
    "masks transposed": (planted.masks_transposed, "spoilt", "mask grid is turned"),
}


@pytest.fixture(scope="module")
def folded() -> Any:
    model = load(DEMO_MODEL)
    fold(model)
    return model


def report_on(tmp_path: Path, folded: Any, fault: Callable[[Any], object]) -> VerifyReport:
    model = planted.copy_of(folded)
    fault(model)
    onnx.save(model, tmp_path / "candidate.onnx")
    return verify(tmp_path / "candidate.onnx", DEMO_MODEL)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(tmp_path: Path, folded: Any, name: str) -> None:
    fault, verdict, hint = FAULTS[name]
    report = report_on(tmp_path, folded, fault)
    assert not report.passed
    assert report.reasons
    assert not verdict or report.verdict == verdict, report.text()
    assert not hint or hint in report.text(), report.text()
    assert "FAILED" in report.markdown()


def test_what_the_reasons_say(tmp_path: Path, folded: Any) -> None:
    assert "7 numbers of its outputs are NaN or infinite" in failures(Totals(nonfinite=7), Rule())
    reasons = " ".join(report_on(tmp_path, folded, planted.last_column_dropped).reasons)
    assert "class columns: the candidate has 8, the reference 9" in reasons


def test_nan_in_one_head_is_told_when_the_candidate_opens(tmp_path: Path, folded: Any) -> None:
    with pytest.raises(rfseg.ModelError, match="NaN or infinity in 'dets'"):
        report_on(tmp_path, folded, planted.nan_in_boxes)


def test_another_resize_is_told_apart_from_a_spoilt_network() -> None:
    report = verify(DEMO_MODEL, DEMO_MODEL, resize="pil", candidate_resize="bilinear")
    assert (report.passed, report.verdict) == (False, "another resize")
    assert any("resize differently" in hint for hint in report.hints)
    assert report.totals.input_max > 0.1


def test_a_float32_engine_where_half_was_asked_for_is_caught() -> None:
    said = precision_failure("float16", {"float32": 0.97, "float16": 0.03}, Rule())
    assert said is not None
    assert "float16 was asked for, and 3% of the engine's layers compute in it" in said
    assert precision_failure("float16", {"float32": 0.4, "float16": 0.6}, Rule()) is None
    assert precision_failure("float32", {"float32": 1.0}, Rule()) is None
    assert precision_failure("float16", None, Rule()) is None


@pytest.mark.parametrize("islands", [Islands(), Islands(norms=False, softmax=False)], ids=["fp16", "fp16-fused"])
def test_half_precision_passes(tmp_path: Path, folded: Any, islands: Islands) -> None:
    report = report_on(tmp_path, folded, lambda model: write_types(model, islands))
    assert report.passed, report.text()
    assert report.totals.reference >= 20
    assert 0 < report.totals.score_p50 < 2e-3
    assert report.totals.iou_p50 > 0.998


def test_a_network_agrees_with_itself() -> None:
    report = rfseg.verify(DEMO_MODEL, DEMO_MODEL)
    assert (report.passed, report.verdict) == (True, "agrees")
    assert report.totals.matched == report.totals.reference >= 20
    assert report.totals.iou_p1 == 1.0
    assert report.totals.score_max == 0.0
