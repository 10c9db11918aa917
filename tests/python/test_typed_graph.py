"""Folding changes no number; the cast pass writes the types that its recipe says, and ONNX Runtime agrees with both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import rfseg
from paths import DATA, DEMO_MODEL
from rfseg.engines.fold import fold
from rfseg.engines.graph import BFLOAT16, FLOAT, FLOAT16, element_types, load
from rfseg.engines.islands import NORMS, SOFTMAX, Islands, find
from rfseg.engines.typed import bfloat16_bits, write_types

EVERYTHING = Islands()
FUSED = Islands(norms=False, softmax=False)


def copy_of(model: Any) -> Any:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def run(model: Any, image: np.ndarray) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(None, {session.get_inputs()[0].name: image}))


@pytest.fixture(scope="module")
def folded() -> Any:
    model = load(DEMO_MODEL)
    fold(model)
    return model


@pytest.fixture(scope="module")
def image(frames: list[np.ndarray]) -> np.ndarray:
    return rfseg.ops.preprocess(frames[0], (312, 312))[None]


def test_folding_gives_the_plain_export_and_its_numbers(folded: Any, image: np.ndarray) -> None:
    packed = load(DEMO_MODEL)
    assert sum(node.op_type == "Cast" for node in packed.graph.node) > 100, "the packed file hides its weights in FP16"
    assert not [node.name for node in folded.graph.node if node.op_type in {"Cast", "Constant", "Shape"}]
    assert {t.data_type for t in folded.graph.initializer} <= {TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL}
    for ours, theirs in zip(run(folded, image), run(packed, image), strict=True):
        assert np.array_equal(ours, theirs)
    assert {node.name for node in folded.graph.node} <= {node.name for node in packed.graph.node}


def test_folding_keeps_a_dynamic_batch() -> None:
    path = DATA / "models" / "dynamic_batch.onnx"
    model = load(path)
    fold(model)
    batch = np.random.default_rng(0).standard_normal((3, 3, 8, 8)).astype(np.float32)
    for ours, theirs in zip(run(model, batch), run(load(path), batch), strict=True):
        assert len(ours) == 3
        assert np.array_equal(ours, theirs)


def graph_of(nodes: list[Any], shown: dict[str, list], weights: dict[str, np.ndarray], opset: int = 16) -> Any:
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shown.items()]
    given = [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 4, 8])]
    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", given, outputs, tensors)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", opset)])


def test_shapes_partly_known_are_folded() -> None:
    """What an attention of a dynamic export asks of its own input: the batch stays open, the rest is known."""
    nodes = [
        helper.make_node("Shape", ["input"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Gather", ["shape", "two"], ["width"]),
        helper.make_node("Slice", ["shape", "last", "end"], ["tail"]),
        helper.make_node("Cast", ["tail"], ["tail_float"], to=FLOAT),
        helper.make_node("Sqrt", ["tail_float"], ["scale"]),
        helper.make_node("Unsqueeze", ["batch", "axis"], ["a"]),
        helper.make_node("Unsqueeze", ["width", "axis"], ["b"]),
        helper.make_node("Concat", ["a", "b", "four"], ["target"], axis=0),
        helper.make_node("Reshape", ["input", "target"], ["turned"]),
        helper.make_node("Div", ["turned", "scale"], ["out"]),
    ]
    whole = np.array
    weights = {
        "zero": whole(0),
        "two": whole(2),
        "last": whole([-1]),
        "end": whole([2**62]),
        "axis": whole([0]),
        "four": whole([4]),
    }
    model = graph_of(nodes, {"out": ["batch", 8, 4]}, weights)
    batch = np.random.default_rng(0).standard_normal((3, 4, 8)).astype(np.float32)
    before = run(model, batch)
    fold(model)
    assert [node.op_type for node in model.graph.node] == ["Shape", "Gather", "Unsqueeze", "Concat", "Reshape", "Div"]
    assert np.array_equal(run(model, batch)[0], before[0])


@pytest.mark.parametrize("half", [FLOAT16, BFLOAT16])
@pytest.mark.parametrize("islands", [EVERYTHING, FUSED], ids=["everything", "fused"])
def test_every_type_is_as_intended(folded: Any, half: int, islands: Islands) -> None:
    model = copy_of(folded)
    report = write_types(model, islands, half)
    onnx.checker.check_model(model, full_check=True)
    types = element_types(model)
    kept = find(folded.graph, islands)
    checked = 0
    for node in model.graph.node:
        found = {types[name] for name in node.input[:1] if types.get(name) in {FLOAT, half}}
        if node.op_type in {"GridSample", "TopK", "Sin", "Exp"} or (islands.norms and node.op_type in NORMS | SOFTMAX):
            assert found == {FLOAT}, node.name
            checked += 1
        elif node.op_type in {"MatMul", "Gemm"} and node.output[0] not in kept:
            assert found == {half}, node.name
            checked += 1
    assert checked > 100
    assert [types[o.name] for o in (*model.graph.input, *model.graph.output)] == [FLOAT] * 4
    heads = [n for n in model.graph.node if "class_embed" in n.name or "bbox_embed" in n.name]
    assert heads
    assert {types[name] for node in heads for name in node.output} == {FLOAT}
    assert report.half > 250
    assert report.islands["heads"] > 20
    assert report.casts == sum(node.op_type == "Cast" for node in model.graph.node)


@pytest.mark.parametrize("islands", [EVERYTHING, FUSED], ids=["everything", "fused"])
def test_half_precision_stays_near_float32(folded: Any, image: np.ndarray, islands: Islands) -> None:
    """TopK inside the graph may swap queries, so the best queries are matched by their boxes."""
    model = copy_of(folded)
    write_types(model, islands)
    ours, theirs = run(model, image), run(folded, image)
    best = np.flatnonzero(theirs[1][0].max(-1) > -0.5)
    assert len(best) >= 4
    for query in best:
        partner = np.abs(ours[0][0] - theirs[0][0, query]).max(-1).argmin()
        assert np.abs(ours[0][0, partner] - theirs[0][0, query]).max() < 4e-3
        assert np.abs(ours[1][0, partner] - theirs[1][0, query]).max() < 0.15
        assert np.median(np.abs(ours[2][0, partner] - theirs[2][0, query])) < 0.2
    assert any(not np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)), "nothing was computed in half"


def test_a_decomposed_norm_is_an_island_whole() -> None:
    """As exports before opset 17 write it, without names, and with a dynamic batch."""
    weight = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["input", "w"], ["x"]),
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[-1]),
        helper.make_node("Sub", ["x", "mean"], ["centred"]),
        helper.make_node("Pow", ["centred", "two"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["variance"], axes=[-1]),
        helper.make_node("Add", ["variance", "epsilon"], ["safe"]),
        helper.make_node("Sqrt", ["safe"], ["deviation"]),
        helper.make_node("Div", ["centred", "deviation"], ["normal"]),
        helper.make_node("MatMul", ["normal", "w"], ["masks"]),
    ]
    weights = {"w": weight * 400, "two": np.float32(2), "epsilon": np.float32(1e-6)}
    model = graph_of(nodes, {"masks": ["batch", 4, 8]}, {k: np.asarray(v) for k, v in weights.items()})
    given = np.random.default_rng(1).standard_normal((2, 4, 8)).astype(np.float32)
    expected = run(model, given)[0]
    report = write_types(model, EVERYTHING)
    onnx.checker.check_model(model, full_check=True)
    assert report.half == 2, "the two products, and nothing between them"
    found = run(model, given)[0]
    assert np.isfinite(found).all(), "squares of 400 overflow half precision"
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()


def test_weights_that_half_precision_cannot_hold_stay() -> None:
    weights = {"w": np.full((8, 8), 1e5, np.float32)}
    model = graph_of([helper.make_node("MatMul", ["input", "w"], ["masks"])], {"masks": ["batch", 4, 8]}, weights)
    report = write_types(model, EVERYTHING)
    assert (report.half, report.out_of_range) == (0, ["w"])


def test_bfloat16_rounds_as_ml_dtypes_does() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        theirs = values.astype(ml_dtypes.bfloat16)
    number = ~np.isnan(values)
    assert number.any()
    assert np.array_equal(bfloat16_bits(values)[number], theirs.view(np.uint16)[number])
    assert np.isnan(bfloat16_bits(values)[~number].view(ml_dtypes.bfloat16).astype(np.float32)).all()


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").write_bytes(b"")
    for name in ("missing.onnx", "empty.onnx"):
        with pytest.raises(rfseg.ModelError, match=name):
            load(tmp_path / name)
