"""An ONNX file in memory and the questions that the passes ask of its graph.

Owns loading with external data and the indices of who makes and who uses a tensor; knows nothing of precision.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from rfseg._core import ModelError
from rfseg.missing import require

FLOAT, FLOAT16, BFLOAT16 = 1, 10, 16  # onnx.TensorProto.DataType
FLOATS = frozenset({FLOAT, FLOAT16, BFLOAT16})
TYPE_NAMES = {FLOAT: "float32", FLOAT16: "float16", BFLOAT16: "bfloat16"}


def load(path: str | os.PathLike[str]) -> Any:
    """Returns the `onnx.ModelProto` of a file, with its external data inside.

    Raises:
        ModelError: it is missing, no ONNX file, or its external data is.
        MissingExtraError: the package onnx is not installed.
    """
    onnx = require("onnx", "Building an engine")
    if not Path(path).is_file():
        raise ModelError(f"{os.fspath(path)}: no such file")
    try:
        model = onnx.load(os.fspath(path))
    except Exception as error:  # protobuf, onnx's own checks and the file system each have their own kinds
        raise ModelError(f"{os.fspath(path)} cannot be read as an ONNX file with its weights: {error}") from error
    if not model.graph.node:
        raise ModelError(f"{os.fspath(path)} is not an ONNX file: it holds no nodes")
    return model


def external_files(path: str | os.PathLike[str]) -> list[Path]:
    """Returns the files beside an ONNX file that hold its weights, sorted; empty when it holds them itself."""
    onnx = require("onnx", "Building an engine")
    try:
        graph = onnx.load(os.fspath(path), load_external_data=False).graph
    except Exception as error:
        raise ModelError(f"{os.fspath(path)} is not an ONNX file: {error}") from error
    names = {entry.value for tensor in graph.initializer for entry in tensor.external_data if entry.key == "location"}
    return [Path(path).parent / name for name in sorted(names)]


def element_types(model: Any) -> dict[str, int]:
    """Returns the element type of every tensor that shape inference can name."""
    onnx = require("onnx", "Building an engine")
    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {t.name: t.data_type for t in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        types[value.name] = value.type.tensor_type.elem_type
    return types


def producers(graph: Any) -> dict[str, Any]:
    """Returns {tensor: the node that makes it}."""
    return {output: node for node in graph.node for output in node.output if output}


def consumers(graph: Any) -> dict[str, list[Any]]:
    """Returns {tensor: the nodes that use it}."""
    users: dict[str, list[Any]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            users[name].append(node)
    return users


def remove_dead(graph: Any) -> None:
    """Drops nodes and initializers that no output depends on."""
    wanted = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    replace(graph.node, reversed(kept))
    replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in wanted])


def replace(field: Any, values: Any) -> None:
    """Sets a repeated protobuf field."""
    kept = list(values)
    del field[:]
    field.extend(kept)


def dimensions(value: Any) -> list[int | str]:
    """Returns the shape of a value info; a symbol, or "?", where it is open."""
    return [d.dim_value or d.dim_param or "?" for d in value.type.tensor_type.shape.dim]


def network_input(model: Any) -> Any:
    """Returns the value info of the one input that is not a weight.

    Raises:
        ModelError: there is another number of them.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise ModelError(f"the network has {len(inputs)} inputs: an RF-DETR segmentation network has one")
    return inputs[0]
