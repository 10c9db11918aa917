"""Which nodes of an RF-DETR graph stay in float32 when the rest computes in half precision, and why each.

Chosen by operator, by name and by what a node feeds, so that exports without names and with decomposed norms are served
too. Knows nothing of casts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rfseg.engines.graph import consumers, producers

# Sums and squares over a whole feature overflow 65,504; exponentials lose their tails.
NORMS = frozenset({"LayerNormalization", "BatchNormalization", "InstanceNormalization", "GroupNormalization"})
SUMS = frozenset({"ReduceMean", "ReduceSum", "ReduceL2", "ReduceSumSquare", "Pow", "Sqrt", "Reciprocal", "CumSum"})
SOFTMAX = frozenset({"Softmax", "LogSoftmax"})
# A step of half precision near 312 is a quarter of a pixel, and TopK must see scores that differ.
COORDINATES = frozenset({"GridSample", "TopK", "Sin", "Cos", "Exp", "Log", "ReduceMax", "ReduceMin", "Floor", "Mod"})
HEAD_NAMES = re.compile(r"(^|[/.])(enc_out_)?(class_embed|bbox_embed)([/.]|$)|enc_out_(class|bbox)_embed")

_MATRICES = frozenset({"MatMul", "Gemm", "Conv", "ConvTranspose", "Einsum"})
_ELEMENTWISE = frozenset({"Add", "Sub", "Mul", "Div", "Neg", "Relu", "Sigmoid", "Clip", "Min", "Max"})


@dataclass(frozen=True, slots=True)
class Islands:
    """What a recipe keeps in float32 besides coordinates and heads, which every recipe keeps.

    Attributes:
        norms: normalisation, with casts around it. Otherwise it takes and gives half precision, and computes in
            float32 inside (its stash_type), where the export is whole enough to have one node for it.
        softmax: with casts around it, which may keep TensorRT from fusing attention.
    """

    norms: bool = True
    softmax: bool = True


def find(graph: Any, islands: Islands) -> dict[str, str]:
    """Returns {name of a node's first output: why it stays in float32}."""
    by_operator = {**dict.fromkeys(COORDINATES, "coordinates"), **dict.fromkeys(SUMS, "sums")}
    if islands.norms:
        by_operator |= dict.fromkeys(NORMS, "normalisation")
    if islands.softmax:
        by_operator |= dict.fromkeys(SOFTMAX, "softmax")
    found = {node.output[0]: by_operator[node.op_type] for node in graph.node if node.op_type in by_operator}
    makers = producers(graph)
    for name in _head_sinks(graph):
        _walk_up(name, makers, NORMS | SOFTMAX, found, "heads")
    for node in graph.node:
        if node.op_type == "GridSample":
            _walk_up(node.input[1], makers, NORMS | SOFTMAX | _MATRICES, found, "coordinates")
        elif HEAD_NAMES.search(node.name):
            found.setdefault(node.output[0], "heads")
    _close(graph, found, makers)
    return found


def _head_sinks(graph: Any) -> list[str]:
    """Boxes and scores, inside (TopK) and at the end; masks are last or have rank 4, and are no head."""
    ranks = {output.name: len(output.type.tensor_type.shape.dim) for output in graph.output}
    sinks = [name for name, rank in ranks.items() if rank < 4 and name not in {"masks", "pred_masks"}]
    return sinks + [node.input[0] for node in graph.node if node.op_type == "TopK"]


def _walk_up(name: str, makers: dict[str, Any], borders: frozenset[str], found: dict[str, str], why: str) -> None:
    """Marks what makes a tensor, up to and without the nodes of `borders`."""
    waiting, seen = [name], {name}
    while waiting:
        node = makers.get(waiting.pop())
        if node is None or node.op_type in borders:
            continue
        found.setdefault(node.output[0], why)
        for source in node.input:
            if source not in seen:
                seen.add(source)
                waiting.append(source)


def _close(graph: Any, found: dict[str, str], makers: dict[str, Any]) -> None:
    """Marks arithmetic between islands: pieces of a decomposed norm, which a cast each way would only slow down."""
    users = consumers(graph)
    for node in graph.node:
        if node.op_type not in _ELEMENTWISE or node.output[0] in found:
            continue
        sources = [makers[name].output[0] for name in node.input if name in makers]
        inside = [name for name in sources if name in found]
        leads_in = any(user.output[0] in found for user in users[node.output[0]])
        if inside and (leads_in or len(inside) == len(sources)):
            found[node.output[0]] = found[inside[0]]
