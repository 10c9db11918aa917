"""Networks with planted faults, made from a folded ONNX model; knows nothing of how faults are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Rewrite = Callable[[str, str], list[Any]]


def copy_of(model: Any) -> Any:
    """Returns a model to change."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def change(model: Any, node: Any, how: Callable[[np.ndarray], np.ndarray]) -> None:
    """Changes the weights of a node."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    tensor = next(weights[name] for name in node.input if name in weights)
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(how(numpy_helper.to_array(tensor))), tensor.name))


def named(model: Any, part: str) -> Any:
    """Returns the first node whose name holds `part`."""
    return next(node for node in model.graph.node if part in node.name)


def rewire(model: Any, tensor: str, rewrite: Rewrite) -> None:
    """Puts nodes between the maker of a tensor and its users."""
    inner = f"{tensor}__inner"
    for node in model.graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == tensor:
                    names[place] = inner
    nodes = list(model.graph.node)
    if tensor in {value.name for value in model.graph.input}:  # its users now read what is made of it
        nodes = [*rewrite(tensor, inner), *nodes]
    else:
        place = next(k for k, node in enumerate(nodes) if inner in node.output) + 1
        nodes[place:place] = rewrite(inner, tensor)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def constant(model: Any, name: str, value: Any) -> str:
    """Adds an initializer."""
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def norm_in_half(model: Any) -> None:
    """A normalisation whose squares overflow as FP16's do, on features as large as a deeper network's.

    The range is written out: ONNX Runtime's CPU computes FP16 nodes in float32, and nothing would overflow.
    """
    norm = named(model, "layer.3/norm2/LayerNormalization")
    big, most = constant(model, "big", np.float32(400)), constant(model, "most", np.float32(65504))
    epsilon, infinite = constant(model, "epsilon", np.float32(1e-6)), constant(model, "infinite", np.float32(np.inf))
    source, scale, bias = norm.input[:3]
    make = helper.make_node
    nodes = [
        make("Mul", [source, big], ["n_x"]),
        make("ReduceMean", ["n_x"], ["n_mean"], axes=[-1]),
        make("Sub", ["n_x", "n_mean"], ["n_centred"]),
        make("Mul", ["n_centred", "n_centred"], ["n_exact"]),
        make("Greater", ["n_exact", most], ["n_beyond"]),
        make("Where", ["n_beyond", infinite, "n_exact"], ["n_squares"]),
        make("ReduceMean", ["n_squares"], ["n_variance"], axes=[-1]),
        make("Add", ["n_variance", epsilon], ["n_safe"]),
        make("Sqrt", ["n_safe"], ["n_deviation"]),
        make("Div", ["n_centred", "n_deviation"], ["n_normal"]),
        make("Mul", ["n_normal", scale], ["n_scaled"]),
        make("Add", ["n_scaled", bias], [norm.output[0]]),
    ]
    rest = list(model.graph.node)
    place = rest.index(norm)
    rest[place : place + 1] = nodes
    del model.graph.node[:]
    model.graph.node.extend(rest)


def missing_normalisation(model: Any) -> None:
    """The network is given pixels of 0..1: what rfseg's normalisation did is undone."""
    std = constant(model, "std", np.float32(STD).reshape(1, 3, 1, 1))
    mean = constant(model, "mean", np.float32(MEAN).reshape(1, 3, 1, 1))
    make = helper.make_node
    rewire(model, "input", lambda a, b: [make("Mul", [a, std], ["x1"]), make("Add", ["x1", mean], [b])])


def bgr(model: Any) -> None:
    """The first layer expects blue first."""
    change(model, next(node for node in model.graph.node if node.op_type == "Conv"), lambda w: w[:, ::-1])


def classes_rotated(model: Any) -> None:
    """Every class column moves on by one."""
    order = constant(model, "order", np.roll(np.arange(9), 1))
    rewire(model, "labels", lambda a, b: [helper.make_node("Gather", [a, order], [b], axis=2)])


def last_class_silent(model: Any) -> None:
    """The last class that has a name is never found."""
    bias = np.zeros(9, np.float32)
    bias[7] = -100
    name = constant(model, "silence", bias)
    rewire(model, "labels", lambda a, b: [helper.make_node("Add", [a, name], [b])])


def last_column_dropped(model: Any) -> None:
    """A class column less."""
    columns = constant(model, "columns", np.arange(8))
    rewire(model, "labels", lambda a, b: [helper.make_node("Gather", [a, columns], [b], axis=2)])
    next(o for o in model.graph.output if o.name == "labels").type.tensor_type.shape.dim[2].dim_value = 8


def boxes_in_xyxy(model: Any) -> None:
    """Corners where centre and size are expected."""
    to_corners = np.float32([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]])
    matrix = constant(model, "corners", to_corners)
    rewire(model, "dets", lambda a, b: [helper.make_node("MatMul", [a, matrix], [b])])


def masks_transposed(model: Any) -> None:
    """Rows for columns."""
    rewire(model, "masks", lambda a, b: [helper.make_node("Transpose", [a], [b], perm=[0, 1, 3, 2])])


def nan_in_boxes(model: Any) -> None:
    """One head gives NaN for every query."""
    nan = constant(model, "nan", np.float32(np.nan))
    rewire(model, "dets", lambda a, b: [helper.make_node("Add", [a, nan], [b])])


def scaled(part: str) -> Callable[[Any], None]:
    """Weights of one layer times 0.8."""
    return lambda model: change(model, named(model, part), lambda w: w * np.float32(0.8))
