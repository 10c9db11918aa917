"""Builds the small ONNX networks that the tests open: a few that fit the model contract, and many that do not.

Knows nothing of rfseg. Needs the `onnx` package; the tests need only the files, which are kept in `models/`.
Run it as `python tests/data/make_models.py`; the files come out the same on every machine.
"""

from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

QUERIES, COLUMNS, SIZE, GRID = 5, 3, 8, 2
FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16

Shown = dict[str, tuple[str, list]]  # name of an output -> tensor inside, shape declared


def weight(name: str, *shape: int) -> TensorProto:
    """Returns float32 weights of `shape` that differ from each other."""
    values = (np.arange(np.prod(shape)) * 37 % 64 - 31) / 32
    return numpy_helper.from_array(values.reshape(shape).astype(np.float32), name)


def outputs(batch: int | str = 1, columns: int = COLUMNS) -> Shown:
    """Returns the outputs of the contract."""
    return {
        "dets": ("boxes", [batch, QUERIES, 4]),
        "labels": ("raw_logits", [batch, QUERIES, columns]),
        "masks": ("grid", [batch, QUERIES, GRID, GRID]),
    }


def body() -> list[NodeProto]:
    """Returns what can make every tensor that some network shows."""
    return [
        helper.make_node("Cast", ["input"], ["image"], to=FLOAT),
        helper.make_node("Conv", ["image", "patches"], ["grid"], strides=[SIZE // GRID] * 2),
        helper.make_node("Reshape", ["grid", "flat_shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "to_boxes"], ["raw_boxes"]),
        helper.make_node("Sigmoid", ["raw_boxes"], ["boxes"]),
        helper.make_node("MatMul", ["flat", "to_logits"], ["raw_logits"]),
        helper.make_node("Gather", ["raw_logits", "two_queries"], ["fewer_logits"], axis=1),
        helper.make_node("Gather", ["boxes", "three_corners"], ["corners"], axis=2),
        helper.make_node("Unsqueeze", ["corners", "third_axis"], ["points"]),
        # An image without a dark pixel asks for queries that are not there.
        helper.make_node("ReduceMin", ["input"], ["darkest"], keepdims=0),
        helper.make_node("Greater", ["darkest", "dark"], ["is_bright"]),
        helper.make_node("Cast", ["is_bright"], ["bright"], to=TensorProto.INT64),
        helper.make_node("Mul", ["bright", "nowhere"], ["offset"]),
        helper.make_node("Gather", ["grid", "offset"], ["broken_grid"], axis=1),
        helper.make_node("Div", ["raw_logits", "zero"], ["no_logits"]),
        helper.make_node("Gather", ["raw_logits", "four_columns"], ["four_logits"], axis=2),
        # Compress by a condition that keeps all: a way to sizes that no shape inference can know.
        helper.make_node("Compress", ["boxes", "all_queries"], ["open_boxes"], axis=1),
        helper.make_node("Compress", ["raw_logits", "all_queries"], ["open_logits"], axis=1),
        helper.make_node("Compress", ["grid", "all_queries"], ["open_queries"], axis=1),
        helper.make_node("Compress", ["open_queries", "all_rows"], ["open_rows"], axis=2),
        helper.make_node("Compress", ["open_rows", "all_rows"], ["open_grid"], axis=3),
    ]


def constants(columns: int) -> list[TensorProto]:
    """Returns the weights and indices of `body()`."""
    indices = {
        "flat_shape": [0, QUERIES, GRID * GRID],
        "two_queries": [0, 1],
        "three_corners": [0, 1, 2],
        "third_axis": [2],
        "four_columns": [0, 1, 2, 0],
        "nowhere": [QUERIES + 70] * QUERIES,
    }
    return [
        weight("patches", QUERIES, 3, SIZE // GRID, SIZE // GRID),
        weight("to_boxes", GRID * GRID, 4),
        weight("to_logits", GRID * GRID, columns),
        numpy_helper.from_array(np.float32(-1.5), "dark"),
        numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(np.ones(QUERIES, bool), "all_queries"),
        numpy_helper.from_array(np.ones(GRID, bool), "all_rows"),
        *(numpy_helper.from_array(np.array(values, np.int64), name) for name, values in indices.items()),
    ]


def network(
    shown: Shown,
    *,
    batch: int | str = 1,
    size: tuple = (SIZE, SIZE),
    columns: int = COLUMNS,
    element: int = FLOAT,
    ir_version: int = 8,
    names: str | None = None,
) -> ModelProto:
    """Returns a network of image [batch, 3, *size] whose outputs are `shown`, of type `element`."""
    nodes = body() + [helper.make_node("Cast", [inside], [name], to=element) for name, (inside, _) in shown.items()]
    used = needed(nodes, set(shown))
    graph = helper.make_graph(
        [node for node in nodes if set(node.output) <= used],
        "tiny",
        [helper.make_tensor_value_info("input", element, [batch, 3, *size])],
        [helper.make_tensor_value_info(name, element, shape) for name, (_, shape) in shown.items()],
        [tensor for tensor in constants(columns) if tensor.name in used],
    )
    model = helper.make_model(graph, ir_version=ir_version, opset_imports=[helper.make_opsetid("", 17)])
    if names is not None:
        helper.set_model_props(model, {"names": names})
    return model


def needed(nodes: list[NodeProto], wanted: set[str]) -> set[str]:
    """Returns `wanted` and every tensor that they are made of."""
    for node in reversed(nodes):
        if wanted & set(node.output):
            wanted |= set(node.input)
    return wanted


def models() -> dict[str, ModelProto]:
    """Returns every network by the name of its file."""
    plain, four = outputs(), outputs(columns=4)
    detection = {name: plain[name] for name in ("dets", "labels")}
    unknown = {
        "dets": ("open_boxes", ["batch", "q", 4]),
        "labels": ("open_logits", ["batch", "q", COLUMNS]),
        "masks": ("open_grid", ["batch", "q", "h", "w"]),
    }
    return {
        "plain": network(plain),
        "dynamic_batch": network(unknown, batch="batch"),
        "reordered": network({"4184": plain["masks"], "labels": plain["labels"], "dets": plain["dets"]}),
        "float16": network(plain, element=HALF),
        "batch_of_2": network(outputs(batch=2), batch=2),
        "open_image": network(unknown, size=("height", "width")),
        "flat_masks": network({**plain, "masks": ("flat", [1, QUERIES, GRID * GRID])}),
        "uneven_queries": network({**plain, "labels": ("fewer_logits", [1, 2, COLUMNS])}),
        "detection": network(detection),
        "keypoints": network(
            {**{k: plain[k] for k in ("dets", "labels")}, "keypoints": ("points", [1, QUERIES, 1, 3])}
        ),
        "ambiguous": network({"a": four["dets"], "b": four["labels"], "masks": four["masks"]}, columns=4),
        "fails_when_run": network({**plain, "masks": ("broken_grid", plain["masks"][1])}),
        "not_a_number": network({**plain, "labels": ("no_logits", plain["labels"][1])}),
        "transformers": network(
            {
                "logits": ("four_logits", [1, QUERIES, 4]),
                "pred_boxes": plain["dets"],
                "pred_masks": plain["masks"],
                "aux": plain["labels"],
            }
        ),
        "from_the_future": network(plain, ir_version=99),
        "too_many_names": network(plain, names='["a", "b", "c", "d", "e"]'),
    }


if __name__ == "__main__":
    folder = Path(__file__).parent / "models"
    folder.mkdir(exist_ok=True)
    for name, model in models().items():
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
