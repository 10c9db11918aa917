"""COCO, GeoJSON and JSON: read back by others, pixel for pixel and bit for bit."""

import contextlib
import io
import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

import rfseg

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


def make_result(masks: np.ndarray) -> rfseg.Result:
    rng = np.random.default_rng(3)
    count, height, width = masks.shape
    corners = np.sort(rng.random((count, 2, 2)), axis=1) * [width, height]
    xyxy = corners.reshape(count, 4).astype(np.float32)
    confidence = np.sort(rng.random(count).astype(np.float32))[::-1]
    class_id = rng.integers(0, 3, count).astype(np.int32)
    return rfseg.Result(xyxy, confidence, class_id, rfseg.Masks.from_dense(masks), (height, width), {0: "zéro"}, {})


@pytest.fixture
def result() -> rfseg.Result:
    masks = np.zeros((6, 30, 40), bool)
    masks[0, 2:20, 3:30] = True  # with a hole, and an island in it
    masks[0, 6:14, 8:20] = False
    masks[0, 9, 10:12] = True
    masks[1, 3:6, 4:7] = masks[1, 20:25, 30:40] = True  # two parts
    masks[2, 29, 39] = True  # one pixel
    masks[3, 5, 5:9] = True  # a line
    masks[4] = True  # masks[5] is empty
    return make_result(masks)


def test_coco_records_load_as_results(result):
    records = json.loads(json.dumps(result.to_coco(image_id=17)))
    assert [set(record) for record in records] == [{"image_id", "category_id", "bbox", "score", "segmentation"}] * 6
    np.testing.assert_array_equal([coco_mask.decode(r["segmentation"]) for r in records], result.masks.dense())
    np.testing.assert_array_equal(np.float32([r["score"] for r in records]), result.confidence)
    boxes = np.array([r["bbox"] for r in records])
    np.testing.assert_allclose(boxes[:, :2] + boxes[:, 2:], result.xyxy[:, 2:], atol=1e-4)

    data_set = COCO()
    data_set.dataset = {"images": [{"id": 17, "height": 30, "width": 40}], "categories": [{"id": i} for i in range(3)]}
    with contextlib.redirect_stdout(io.StringIO()):
        data_set.createIndex()
        loaded = data_set.loadRes(records)
    np.testing.assert_array_equal([loaded.annToMask(a) for a in loaded.dataset["annotations"]], result.masks.dense())
    assert [a["category_id"] for a in loaded.dataset["annotations"]] == result.class_id.tolist()


def test_dict_has_the_documented_schema(result):
    plain = result.to_dict()
    assert plain["image_size"] == [30, 40]
    assert [list(instance) for instance in plain["instances"]] == [
        ["box", "confidence", "class_id", "class_name", "segmentation"]
    ] * 6
    assert [instance["class_name"] for instance in plain["instances"]] == result.class_name
    np.testing.assert_array_equal(np.float32([i["box"] for i in plain["instances"]]), result.xyxy)  # bit for bit
    runs = [instance["segmentation"] for instance in plain["instances"]]
    np.testing.assert_array_equal(rfseg.Masks.from_coco(runs).dense(), result.masks.dense())


def test_json_is_one_short_line(result):
    line = result.to_json()
    assert "\n" not in line
    assert json.loads(line) == result.to_dict()
    nine_tenths = result[0]
    nine_tenths.confidence = np.array([0.9], np.float32)
    assert '"confidence":0.9,' in nine_tenths.to_json()
    assert "zéro" in make_result(np.ones((20, 2, 2), bool)).to_json()


def test_dict_with_polygons(result):
    for mode in ("external", "tree", "largest"):
        instances = json.loads(result.to_json(polygons=mode))["instances"]
        assert all("segmentation" not in instance for instance in instances)
        assert [len(instance["polygons"]) for instance in instances][5] == 0
    external = result.to_dict(polygons="external")["instances"]
    for instance, outlines in zip(external, result.polygons(), strict=True):
        assert instance["polygons"] == [outline.tolist() for outline in outlines]
    tree = result.to_dict(polygons="tree")["instances"]
    assert sorted(len(part["holes"]) for part in tree[0]["polygons"]) == [0, 1]
    largest = result.to_dict(polygons="largest")["instances"]
    assert [len(instance["polygons"]) for instance in largest] == [1, 1, 1, 1, 1, 0]


def test_an_empty_result(result):
    nothing = result[[]]
    assert nothing.to_coco(0) == []
    assert nothing.to_dict() == {"image_size": [30, 40], "instances": []}
    assert nothing.to_geojson() == {"type": "FeatureCollection", "features": []}


def signed_area(ring: list[list[int]]) -> float:
    x, y = np.array(ring, float).T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)


def polygons_of(geometry: dict | None) -> list[list[list[list[int]]]]:
    if geometry is None:
        return []
    return [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]


def test_geojson_kinds_and_properties(result):
    features = json.loads(json.dumps(result.to_geojson()))["features"]
    kinds = [feature["geometry"] and feature["geometry"]["type"] for feature in features]
    assert kinds == ["MultiPolygon", "MultiPolygon", "Polygon", "Polygon", "Polygon", None]
    assert all(feature["type"] == "Feature" for feature in features)
    assert [feature["properties"]["class_name"] for feature in features] == result.class_name
    assert [feature["properties"]["class_id"] for feature in features] == result.class_id.tolist()
    np.testing.assert_array_equal(np.float32([f["properties"]["confidence"] for f in features]), result.confidence)


def test_geojson_rings_close_turn_right_and_fill_the_mask(result):
    rng = np.random.default_rng(5)
    noise = [make_result(rng.random((3, h, w)) < rng.random()) for h, w in rng.integers(1, 25, (60, 2))]
    holes = 0
    for each in [result, *noise]:
        dense = each.masks.dense()
        for feature, mask in zip(each.to_geojson()["features"], dense, strict=True):
            drawn = np.zeros(mask.shape, np.uint8)
            for exterior, *inner in polygons_of(feature["geometry"]):
                for ring in (exterior, *inner):
                    assert len(ring) >= 4
                    assert ring[0] == ring[-1]
                assert signed_area(exterior) >= 0
                assert all(signed_area(ring) < 0 for ring in inner)
                holes += len(inner)
                cv2.drawContours(drawn, [np.array(ring) for ring in (exterior, *inner)], -1, 1, cv2.FILLED)
            np.testing.assert_array_equal(drawn.astype(bool), mask)
    assert holes > 100
