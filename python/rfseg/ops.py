"""The two ends of the pipeline by themselves, for those who run the network on their own."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from rfseg import _core
from rfseg.masks import Masks
from rfseg.result import Result
from rfseg.yuv import YuvFrame


def preprocess(
    frame: npt.NDArray[np.uint8] | YuvFrame,
    size: tuple[int, int],
    color: Literal["bgr", "rgb"] = "bgr",
    resize: Literal["pil", "bilinear"] = "pil",
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406),
    std: tuple[float, float, float] = (0.229, 0.224, 0.225),
) -> npt.NDArray[np.float32]:
    """Stretches and normalises a frame for the network.

    Args:
        frame: uint8 [H, W, 3], any strides; or planes, which say their colours themselves.
        size: (Hn, Wn) of the network's input, pixels.
        color: the frame's channel order.
        resize: "pil": Pillow's antialiased BILINEAR, byte for byte; "bilinear": as rfdetr's own predict().
        mean: of red, green and blue, after pixel / 255; of a loaded network: `info["mean"]`.
        std: likewise, above 0.

    Returns:
        float32 [3, Hn, Wn], RGB, (pixel / 255 - mean) / std.

    Raises:
        InputError: a frame that is not uint8 [H, W, 3], or a size that is not positive; a mean or deviation
            that no network can be trained with.
    """
    given = frame.core if isinstance(frame, YuvFrame) else frame
    return _core.preprocess(given, size, color, resize, mean, std)


def convert(frame: YuvFrame, color: Literal["bgr", "rgb"] = "bgr") -> npt.NDArray[np.uint8]:
    """Turns a frame of planes in host memory into pixels, for drawing and saving: the ones that the network sees.

    Returns:
        uint8 [H, W, 3].

    Raises:
        InputError: planes in device memory, or another word than "bgr" and "rgb".
    """
    return _core.convert(frame.core, color)


def postprocess(
    dets: npt.NDArray[np.float32],
    labels: npt.NDArray[np.float32],
    masks: npt.NDArray[np.float32],
    image_size: tuple[int, int],
    threshold: float = 0.5,
    max_detections: int = 300,
    num_classes: int | None = None,
) -> Result:
    """Turns the raw outputs of one image into instances. Source of the rules: rfdetr's post-processing.

    Args:
        dets: float32 [Q, 4], boxes cx, cy, w, h, normalised to 0..1.
        labels: float32 [Q, C], class logits.
        masks: float32 [Q, Hm, Wm], mask logits.
        image_size: (height, width) of the source frame, pixels.
        threshold: score above which a (query, class) pair becomes an instance.
        max_detections: at most this many, the best ones.
        num_classes: class columns from there on are dropped; None keeps all.

    Raises:
        InputError: arrays of another dtype or shape, or an option out of range.
    """
    xyxy, confidence, class_id, runs, size, speed = _core.postprocess(
        dets, labels, masks, image_size, threshold, max_detections, num_classes
    )
    return Result(xyxy, confidence, class_id, Masks(runs), size, {}, speed)
