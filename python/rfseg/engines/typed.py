"""Writes a recipe's precision into a graph: half where it is safe, float32 on islands, a Cast wherever they meet.

TensorRT 11 has no switch for FP16: it computes each layer in the types that the graph says. Owns the casts; which nodes
are islands is decided elsewhere. Inputs and outputs of the network stay float32.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rfseg.engines.graph import BFLOAT16, FLOAT, FLOAT16, TYPE_NAMES, element_types, remove_dead, replace
from rfseg.engines.islands import Islands, find
from rfseg.missing import require


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Computed in half unless they are islands.
_COMPUTED = _words(
    "Conv ConvTranspose MatMul Gemm Einsum Add Sub Mul Div Neg Relu Erf Gelu Sigmoid Tanh Clip Min Max HardSigmoid "
    "LeakyRelu AveragePool MaxPool Resize LayerNormalization InstanceNormalization Softmax"
)
# Only moved: they keep the type that comes in.
_MOVED = _words(
    "Reshape Transpose Slice Concat Unsqueeze Squeeze Gather GatherElements GatherND Split Expand Tile Flatten Pad "
    "Where Identity DepthToSpace SpaceToDepth"
)
_FIRST_INPUT_ONLY = frozenset({"Resize"})  # its scales are float32 by definition
# What ONNX defines for bfloat16 only later than in 17, the operators' set that rfdetr writes.
_BFLOAT16_FROM = {"Conv": 22, "ConvTranspose": 22, "AveragePool": 22, "MaxPool": 22, "InstanceNormalization": 22}
_HALF_MAX = float(np.finfo(np.float16).max)


@dataclass(slots=True)
class TypedReport:
    """What a pass did.

    Attributes:
        half: nodes that compute in half precision.
        islands: {why: nodes kept in float32}.
        casts: Cast nodes written.
        out_of_range: weights beyond 65,504, whose nodes stay in float32 too.
    """

    half: int = 0
    islands: Counter[str] = field(default_factory=Counter)
    casts: int = 0
    out_of_range: list[str] = field(default_factory=list)


def write_types(model: Any, islands: Islands, half: int = FLOAT16) -> TypedReport:
    """Types a folded graph in place.

    Args:
        model: an `onnx.ModelProto`, constants folded.
        islands: what stays in float32.
        half: FLOAT16 or BFLOAT16.

    Returns:
        What was done.
    """
    writer = _Writer(model, half)
    kept = find(model.graph, islands)
    shown = {output.name for output in model.graph.output}
    for node in list(model.graph.node):
        writer.write(node, kept.get(node.output[0]), shown)
    replace(model.graph.node, writer.nodes)
    model.graph.initializer.extend(writer.weights)
    remove_dead(model.graph)
    del model.graph.value_info[:]
    return writer.report


class _Writer:
    """Copies a graph's nodes in order; knows the type each tensor has in the new graph."""

    def __init__(self, model: Any, half: int) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.report = TypedReport()
        self._half = half
        self._onnx = require("onnx", "Building an engine")
        self._types = element_types(model)
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self._cast: dict[tuple[str, int], str] = {}
        version = next((o.version for o in model.opset_import if o.domain in {"", "ai.onnx"}), 17)
        self._late = {op for op, since in _BFLOAT16_FROM.items() if half == BFLOAT16 and version < since}

    def write(self, node: Any, island: str | None, shown: set[str]) -> None:
        """Copies one node in the type that it is to have."""
        places = self._float_inputs(node)
        wanted = self._wanted(node, island, places)
        if island and wanted == FLOAT:
            self.report.islands[island] += 1
        elif wanted == self._half and node.op_type in _COMPUTED:
            self.report.half += 1
        copy = self._onnx.NodeProto()
        copy.CopyFrom(node)
        for place in places:
            copy.input[place] = self._as(node.input[place], wanted)
        self.nodes.append(copy)
        for place, name in enumerate(node.output):
            if self._types.get(name) != FLOAT or node.op_type == "Cast":
                continue
            self._types[name] = wanted
            if name in shown and wanted != FLOAT:  # the network's outputs stay as they were
                copy.output[place] = inner = f"{name}__half"
                self._types[inner], self._types[name] = wanted, FLOAT
                self._add_cast(inner, name, FLOAT)

    def _float_inputs(self, node: Any) -> list[int]:
        if node.op_type == "Cast":
            return []  # says itself what it makes
        places = [k for k, name in enumerate(node.input) if self._types.get(name) in {FLOAT, self._half}]
        return places[:1] if node.op_type in _FIRST_INPUT_ONLY else places

    def _wanted(self, node: Any, island: str | None, places: list[int]) -> int:
        if node.op_type in _MOVED:
            types = [self._types[node.input[k]] for k in places if node.input[k] not in self._constants]
            return self._half if types and all(kind == self._half for kind in types) else FLOAT
        if island or not places or node.op_type not in _COMPUTED or node.op_type in self._late:
            return FLOAT
        beyond = [node.input[k] for k in places if self._beyond(node.input[k])]
        self.report.out_of_range += beyond
        return FLOAT if beyond else self._half

    def _beyond(self, name: str) -> bool:
        if self._half != FLOAT16 or name not in self._constants:
            return False
        values = self._onnx.numpy_helper.to_array(self._constants[name])
        return bool(values.size and np.abs(values[np.isfinite(values)]).max(initial=0) > _HALF_MAX)

    def _as(self, name: str, kind: int) -> str:
        """The name of a tensor's value in another type, made once."""
        if self._types[name] == kind:
            return name
        target = self._cast.get((name, kind))
        if target is None:
            target = self._cast[name, kind] = f"{name}__{TYPE_NAMES[kind]}"
            self._types[target] = kind
            if name in self._constants:
                self.weights.append(self._converted(self._constants[name], target))
            else:
                self._add_cast(name, target, kind)
        return target

    def _add_cast(self, source: str, target: str, kind: int) -> None:
        node = self._onnx.helper.make_node("Cast", [source], [target], name=f"{target}/Cast", to=kind)
        self.nodes.append(node)
        self.report.casts += 1

    def _converted(self, tensor: Any, name: str) -> Any:
        values = self._onnx.numpy_helper.to_array(tensor).astype(np.float32)
        if self._half == FLOAT16:
            return self._onnx.numpy_helper.from_array(values.astype(np.float16), name)
        return self._onnx.helper.make_tensor(name, BFLOAT16, values.shape, bfloat16_bits(values).tobytes(), raw=True)


def bfloat16_bits(values: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Returns the upper halves of float32 values, rounded to nearest even; NaN stays NaN. Same shape."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), rounded)
