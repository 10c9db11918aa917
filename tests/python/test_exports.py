"""Exports of several rfdetr releases, and transformers', against predict() of each written out in NumPy.

The oracle owns its resize (in double, one weight matrix an axis), its normalisation and its selection; the network
between them is run by ONNX Runtime's own Python package. rfdetr 1.9 and later resize without antialiasing. Up to 1.8
floats were resized with it: that is Pillow's resize but for the rounding of bytes, which is bounded here, and Pillow's
is what the answers are compared with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import rfseg
from contracts import CONTRACT, with_metadata
from paths import DATA, DEMO_MODEL

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
MODELS = DATA / "models"


@dataclass
class Export:
    """A file as a release writes it, what its predict() does, and what rfseg has to be told."""

    base: Path
    antialias: bool
    outputs: tuple[str, str, str] = ("dets", "labels", "masks")
    contract: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    threshold: float = 0.3


def stated(**changes: Any) -> dict[str, Any]:
    shape = {"input_shape": [1, 3, 312, 312], "class_names": None, "class_id_to_name": None, "num_classes": 8}
    return {**CONTRACT, **shape, "num_select": 50, **changes}


EXPORTS = {
    "rfdetr 1.4": Export(MODELS / "reordered.onnx", True, ("dets", "labels", "4184"), threshold=0),
    "rfdetr 1.8": Export(DEMO_MODEL, True),
    "rfdetr 1.11": Export(DEMO_MODEL, False, options={"resize": "bilinear"}),
    "rfdetr 1.12": Export(DEMO_MODEL, False, contract=stated()),
    "rfdetr 1.12, antialiased": Export(DEMO_MODEL, True, contract=stated(resize_antialias=True)),
    "rfdetr 1.12, own means": Export(
        DEMO_MODEL, False, contract=stated(means=[0.5, 0.45, 0.4], stds=[0.25, 0.2, 0.3]), threshold=0.05
    ),
    "rfdetr 1.12, few kept": Export(DEMO_MODEL, False, contract=stated(num_select=3), threshold=0.05),
    "rfdetr 1.12, many kept": Export(DEMO_MODEL, False, contract=stated(num_select=120), threshold=0.001),
    "transformers": Export(MODELS / "transformers.onnx", True, ("pred_boxes", "logits", "pred_masks"), threshold=0),
}


@cache
def weights(length: int, out: int, antialias: bool) -> np.ndarray:
    """[out, length] triangle weights with half-pixel centres, edges clamped."""
    scale = length / out
    centres = (np.arange(out) + 0.5) * scale
    if antialias:
        reach = max(1.0, scale)
        distance = np.abs(np.arange(length) + 0.5 - centres[:, None]) / reach
        triangle = np.maximum(0.0, 1.0 - distance)
        return triangle / triangle.sum(axis=1, keepdims=True)
    return np.stack([np.interp(centres - 0.5, np.arange(length), unit) for unit in np.eye(length)], axis=1)


def network_input(frame: np.ndarray, size: tuple[int, int], export: Export) -> np.ndarray:
    rgb = frame[:, :, ::-1]
    down, across = (weights(frame.shape[axis], size[axis], export.antialias) for axis in (0, 1))
    resized = np.einsum("yh,hwc,xw->cyx", down, rgb / 255, across, optimize=True)
    if export.antialias:
        image = Image.fromarray(np.ascontiguousarray(rgb)).resize(size[::-1], Image.Resampling.BILINEAR)
        rounded = np.asarray(image).transpose(2, 0, 1) / 255
        assert np.abs(rounded - resized).max() < 1.1 / 255  # two passes, half a byte each
        resized = rounded
    contract = export.contract or {}
    mean, std = (np.array(contract.get(key, default)) for key, default in (("means", MEAN), ("stds", STD)))
    return ((resized - mean[:, None, None]) / std[:, None, None]).astype(np.float32)[None]


@cache
def opened(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def predict(frame: np.ndarray, export: Export) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores [K], classes [K], boxes [K, 4], masks [K, H, W], best first."""
    session = opened(export.base)
    door = session.get_inputs()[0]
    image = network_input(frame, (door.shape[2], door.shape[3]), export)
    dets, labels, masks = (output[0] for output in session.run(list(export.outputs), {door.name: image}))
    scores = (1 / (1 + np.exp(-labels.astype(np.float64)))).reshape(-1)
    places = (export.contract or {}).get("num_select", len(dets))
    best = np.argsort(-scores, kind="stable")[:places]
    best = best[scores[best] > export.threshold]
    query = best // labels.shape[1]
    height, width = frame.shape[:2]
    cx, cy, w, h = dets[query].T
    corners = np.stack([(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height], 1)
    boxes = corners.clip(0, [width, height, width, height])
    stretch = [weights(masks.shape[1 + axis], frame.shape[axis], False) for axis in (0, 1)]
    return scores[best], best % labels.shape[1], boxes, stretch[0] @ masks[query] @ stretch[1].T > 0


@pytest.mark.parametrize("name", EXPORTS)
def test_answers_are_those_of_predict(name: str, frames: list[np.ndarray], tmp_path: Path) -> None:
    export = EXPORTS[name]
    path = export.base
    if export.contract is not None:
        path = with_metadata(tmp_path / "m.onnx", path, rfdetr_inference=json.dumps(export.contract))
    columns = 4 if name == "transformers" else 3 if export.base.parent == MODELS else 9
    options = {"names": [f"class {i}" for i in range(columns)], "max_detections": 1000, **export.options}
    atol, box_px = 1e-4, 0.05
    compared = 0
    with rfseg.Segmenter(path, threshold=export.threshold, **options) as segmenter:
        for frame in frames[:2]:
            scores, classes, boxes, masks = predict(frame, export)
            ours = segmenter.infer(frame)
            sure = int((scores > export.threshold + atol).sum())
            assert len(ours) >= sure
            dense = ours.masks.dense()
            for i in range(sure):
                near = np.abs(ours.xyxy - boxes[i]).max(axis=1) + 1000 * (ours.class_id != classes[i])
                mine = int(near.argmin())
                assert near[mine] <= box_px
                assert abs(ours.confidence[mine] - scores[i]) <= atol
                differing = int((dense[mine] != masks[i]).sum())
                assert differing <= 8
                compared += 1
            assert len(ours) <= int((scores > export.threshold - atol).sum())
    assert compared > 0
