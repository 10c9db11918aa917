"""Writes what exporters write into ONNX files, without the onnx package: metadata, which may be appended to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from paths import DATA

PLAIN = DATA / "models" / "plain.onnx"

CONTRACT: dict[str, Any] = {
    "schema_version": 1,
    "producer_version": "1.12.0",
    "variant": "seg-nano",
    "backend": None,
    "format": "onnx",
    "task": "segment",
    "input_shape": [1, 3, 8, 8],
    "max_batch_size": None,
    "input_layout": "NCHW",
    "input_dtype": "float32",
    "input_name": "input",
    "outputs": {"pred_boxes": "dets", "pred_logits": "labels", "pred_masks": "masks"},
    "means": [0.485, 0.456, 0.406],
    "stds": [0.229, 0.224, 0.225],
    "pixel_scale": 1 / 255,
    "channel_order": "RGB",
    "resize_interpolation": "bilinear",
    "resize_antialias": False,
    "class_names": ["a", "b"],
    "class_id_to_name": {"0": "a", "1": "b"},
    "num_classes": 2,
    "num_select": 5,
    "selection_policy": "all_logits",
    "box_format": "cxcywh_normalized",
    "upsample_masks_to_image_size": True,
    "num_keypoints_per_class": None,
    "trace_alpha": None,
    "patch_size": 12,
    "num_windows": 2,
}


def varint(number: int) -> bytes:
    """A number in protobuf's variable length."""
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def sized(field: int, content: bytes) -> bytes:
    """A field of bytes."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def with_metadata(path: Path, base: Path = PLAIN, **properties: str | bytes) -> Path:
    """Copies `base` to `path` with more metadata."""
    content = base.read_bytes()
    for key, value in properties.items():
        text = value.encode() if isinstance(value, str) else value
        content += sized(14, sized(1, key.encode()) + sized(2, text))
    path.write_bytes(content)
    return path
