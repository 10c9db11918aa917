"""COCO files of whole sources, read by pycocotools and supervision; results in the ids of a ground truth."""

import contextlib
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

import rfseg
from reference.scenes import Frame, scenes, written
from rfseg.formats.coco_files import CocoFile, CocoLike, CocoResults

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


def coco(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def test_coco_has_a_category_for_every_id_and_pycocotools_reads_it(tmp_path):
    path = written(CocoFile(tmp_path / "clip.coco.json", {0: "zéro", 1: "one", 5: "never"}))
    data = coco(path)
    assert {c["id"]: c["name"] for c in data.dataset["categories"]} == {0: "zéro", 1: "one", 5: "never", 7: "class 7"}
    assert [i["file_name"] for i in data.dataset["images"]] == [f"clip/frame_{n:06d}.png" for n in range(3)]
    compared = 0
    for index, result in enumerate(scenes()):
        annotations = data.loadAnns(data.getAnnIds(imgIds=[index]))
        assert len(annotations) == len(result)
        for annotation, mask in zip(annotations, result.masks.dense(), strict=True):
            assert (data.annToMask(annotation) == mask).all()
            assert annotation["area"] == mask.sum()
            compared += 1
    assert compared == 8


def test_coco_ids_from_one_on(tmp_path):
    data = coco(written(CocoFile(tmp_path / "clip.coco.json", {}, first_category=1)))
    assert sorted(c["id"] for c in data.dataset["categories"]) == [1, 2, 8]
    assert {c["id"]: c["name"] for c in data.dataset["categories"]}[8] == "class 7"
    assert {a["category_id"] for a in data.dataset["annotations"]} == {1, 2, 8}


def test_supervision_opens_coco(tmp_path):
    supervision = pytest.importorskip("supervision")
    path = written(CocoFile(tmp_path / "clip.coco.json", {}))
    (tmp_path / "clip").mkdir()
    for index in range(3):
        cv2.imwrite(str(tmp_path / "clip" / f"frame_{index:06d}.png"), np.zeros((60, 90, 3), np.uint8))
    data = supervision.DetectionDataset.from_coco(str(tmp_path), str(path), force_masks=True)
    assert data.classes == ["zéro", "one", "class 7"]
    compared = 0
    for (_, image, detections), result in zip(data, scenes(), strict=True):
        assert image.shape == (60, 90, 3)
        if len(result):
            np.testing.assert_array_equal(np.asarray(detections.mask), result.masks.dense())
        compared += len(detections)
    assert compared == 8


TRUTH = {
    "images": [
        {"id": 100, "file_name": "val/a.jpg"},
        {"id": "x7", "file_name": "b.jpg"},
        {"id": 3, "file_name": "c/b.jpg"},
    ],
    "categories": [{"id": 40, "name": "one"}, {"id": 41, "name": "zéro"}],
}


def test_results_in_the_ids_of_a_ground_truth(tmp_path):
    frames = [Frame(0, path=Path("a.jpg")), Frame(1, path=Path("b.jpg")), Frame(2, path=Path("d.jpg"))]
    sink = CocoResults(tmp_path / "results.json", CocoLike(TRUTH))
    records = json.loads(written(sink, frames).read_text())
    assert [(r["image_id"], r["category_id"]) for r in records] == [(100, 41), (100, 40), (100, 41), (100, 40)]
    assert (sink.unknown, sink.some_unknown, sink.unknown_classes) == (1, ["d.jpg"], {"class 7"})
    ground = COCO()
    ground.dataset = {**TRUTH, "annotations": []}
    with contextlib.redirect_stdout(io.StringIO()):
        ground.createIndex()
        assert len(ground.loadRes(str(sink.path)).anns) == 4
    like = CocoLike(TRUTH)
    assert [like.image_id(name) for name in ("val/a.jpg", "x/a.jpg", "b.jpg", "c/b.jpg")] == [100, 100, "x7", 3]
    with pytest.raises(rfseg.InputError, match=r"2 images called 'b\.jpg'"):
        like.image_id("e/b.jpg")
    nameless = {"images": [], "categories": [{"id": 7, "name": "x"}]}
    assert CocoLike(nameless).category(7, None) == 7
    assert CocoLike(nameless).category(8, None) is None


@pytest.mark.parametrize("truth", [{}, {"images": [{}], "categories": []}, {"images": 3, "categories": []}])
def test_other_ground_truths_are_refused(truth):
    with pytest.raises(rfseg.InputError, match="not a COCO data set"):
        CocoLike(truth)
