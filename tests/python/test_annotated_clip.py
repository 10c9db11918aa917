"""Accuracy on the annotated clip: the packaged network finds what was drawn, and its masks fit."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

import rfseg
from rfseg.cli.demo import CLIP, MODEL
from rfseg.video import VideoReader

ANNOTATION = Path(__file__).parents[1] / "data" / "shapes_360p_annotated.json"
RECALL, MEAN_IOU = 0.72, 0.85  # floors at threshold 0.5


def matches(iou: np.ndarray) -> list[float]:
    """IoUs of 0.5 and above, the best pair first, each row and column used once."""
    iou, found = iou.copy(), []
    while iou.size and iou.max() >= 0.5:
        row, column = np.unravel_index(iou.argmax(), iou.shape)
        found.append(float(iou[row, column]))
        iou[row, :] = iou[:, column] = 0
    return found


def test_accuracy_on_the_annotated_clip():
    annotation = json.loads(ANNOTATION.read_text())
    truth = defaultdict(lambda: defaultdict(list))
    for item in annotation["annotations"]:
        truth[item["image_id"]][item["category_id"]].append(item["segmentation"])
    ious, frames, predicted = [], 0, 0
    with rfseg.Segmenter(str(MODEL), device="cpu", threshold=0.5) as segmenter, VideoReader(CLIP) as video:
        assert segmenter.names == {category["id"]: category["name"] for category in annotation["categories"]}
        for index, result in enumerate(segmenter.stream(frame.pixels for frame in video.frames())):
            frames, predicted = frames + 1, predicted + len(result)
            for class_id, segmentations in truth[index].items():
                expected = rfseg.Masks.from_coco(segmentations)
                ious += matches(result.masks[result.class_id == class_id].iou(expected))
    total = len(annotation["annotations"])
    recall, mean = len(ious) / total, float(np.mean(ious))
    print(f"{total} annotated, {predicted} found: recall at IoU 0.5 {recall:.4f}, mean IoU of matches {mean:.4f}")
    assert (frames, total) == (len(annotation["images"]), 1258)
    assert recall >= RECALL
    assert mean >= MEAN_IOU
