"""Computes once what a graph would compute from constants, so that TensorRT is given weights and not their recipe.

The same network ran at 833 or 993 images/s by how its file is written: FP16 weights behind Casts hide from the builder
what they are. Node names stay, since islands are found by them. Evaluation is ONNX Runtime's, not ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfseg.engines.graph import consumers, element_types, remove_dead, replace
from rfseg.missing import require

_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
_GROWING = {"ConstantOfShape", "Expand", "Tile", "Range"}  # may make large constants of small ones
_LARGEST_BYTES = 16 << 20
_ROUNDS = 8  # a folded shape makes further shapes static; deeper chains than this were not met


def fold(model: Any) -> int:
    """Folds constants in place.

    Returns:
        How many nodes are gone.
    """
    before = len(model.graph.node)
    for _ in range(_ROUNDS):
        count = len(model.graph.node)
        _shapes_to_constants(model)
        _fold_closure(model)
        _drop_idle_casts(model)
        if len(model.graph.node) == count:
            break
    del model.graph.value_info[:]
    return before - len(model.graph.node)


def _shapes_to_constants(model: Any) -> None:
    """Shape of a tensor whose shape is known, and the part that Gather or Slice takes of a shape partly known."""
    onnx = require("onnx", "Building an engine")
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        value.name: [d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.type.tensor_type.HasField("shape")
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    shape_of: dict[str, list[int | None]] = {}
    for node in model.graph.node:
        if node.op_type == "Shape" and not node.attribute and node.input[0] in shapes:
            shape_of[node.output[0]] = shapes[node.input[0]]
    kept = []
    for node in model.graph.node:
        value = _known_shape(node, shape_of, constants)
        if value is None:
            kept.append(node)
        else:
            model.graph.initializer.append(onnx.numpy_helper.from_array(value, node.output[0]))
    replace(model.graph.node, kept)


def _known_shape(node: Any, shape_of: dict[str, list[int | None]], constants: dict[str, Any]) -> Any:
    onnx = require("onnx", "Building an engine")
    if node.op_type == "Shape":
        shape = shape_of.get(node.output[0], [None])
        return None if None in shape else np.array(shape, np.int64)
    if node.op_type == "Gather" and node.input[0] in shape_of and node.input[1] in constants:
        index, shape = onnx.numpy_helper.to_array(constants[node.input[1]]), shape_of[node.input[0]]
        dimension = shape[int(index)] if index.ndim == 0 and -len(shape) <= index < len(shape) else None
        return None if dimension is None else np.array(dimension, np.int64)
    if node.op_type == "Slice" and node.input[0] in shape_of and all(name in constants for name in node.input[1:]):
        start, end, axis, step = _slice_of(node, constants)
        part = shape_of[node.input[0]][start:end]
        return np.array(part, np.int64) if (axis, step) == (0, 1) and None not in part else None
    return None


def _slice_of(node: Any, constants: dict[str, Any]) -> tuple[int, int, int, int]:
    """Start, end, axis, step of a Slice of a list."""
    onnx = require("onnx", "Building an engine")
    given = [int(onnx.numpy_helper.to_array(constants[name]).reshape(-1)[0]) for name in node.input[1:]]
    start, end, axis, step = (*given, *(0, 1)[len(given) - 2 :])
    return start, end, axis, step


def _fold_closure(model: Any) -> None:
    """Evaluates, in one run, every node that depends on constants alone."""
    onnx = require("onnx", "Building an engine")
    known = {tensor.name for tensor in model.graph.initializer}
    constant: list[Any] = []
    rest: list[Any] = []
    for node in model.graph.node:
        (constant if _is_constant(node, known) else rest).append(node)
    if not constant:
        return
    made = {name for node in constant for name in node.output if name}
    used = {name for node in rest for name in node.input} | {output.name for output in model.graph.output}
    frontier = sorted(made & used)
    values = dict(zip(frontier, _evaluate(model, constant, frontier), strict=True))
    for node in constant:
        made_here = set(node.output) & set(values)
        if node.op_type in _GROWING and any(values[name].nbytes > _LARGEST_BYTES for name in made_here):
            values = {name: value for name, value in values.items() if name not in made_here}
    # What made the folded values is dead; what makes a large one is not.
    replace(model.graph.node, [*(node for node in constant if not set(node.output) & set(values)), *rest])
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()
    )
    remove_dead(model.graph)


def _is_constant(node: Any, known: set[str]) -> bool:
    has_subgraph = any(attribute.type in {5, 10} for attribute in node.attribute)
    constant = all(name in known for name in node.input if name) and node.op_type not in _RANDOM and not has_subgraph
    if constant:
        known.update(name for name in node.output if name)
    return constant


def _evaluate(model: Any, nodes: list[Any], outputs: list[str]) -> list[Any]:
    if not outputs:
        return []
    onnx = require("onnx", "Building an engine")
    import onnxruntime  # type: ignore[import-untyped, unused-ignore]

    used = {name for node in nodes for name in node.input}
    weights = [tensor for tensor in model.graph.initializer if tensor.name in used]
    shown = [onnx.ValueInfoProto(name=name) for name in outputs]
    part = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "constants", [], shown, weights),
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
    )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(outputs, {}))


def _drop_idle_casts(model: Any) -> None:
    """Casts to the type that a tensor has already, and Identity nodes."""
    types, shown = element_types(model), {output.name for output in model.graph.output}
    renamed: dict[str, str] = {}
    kept = []
    for node in model.graph.node:
        source, target = node.input[0] if node.input else "", node.output[0]
        to = next((attribute.i for attribute in node.attribute if attribute.name == "to"), None)
        idle = node.op_type == "Identity" or (node.op_type == "Cast" and types.get(source) == to)
        if idle and target not in shown:
            renamed[target] = renamed.get(source, source)
        else:
            kept.append(node)
    if renamed:
        for users in consumers(model.graph).values():
            for node in users:
                for place, name in enumerate(node.input):
                    node.input[place] = renamed.get(name, name)
    replace(model.graph.node, kept)
