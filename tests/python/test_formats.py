"""COCO and JSON: read back by others and by rfseg itself, pixel for pixel and bit for bit."""

import contextlib
import io
import json

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
    for mode in ("external", "tree", "largest", "edge"):
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


def with_numbers(result: rfseg.Result, number: float) -> rfseg.Result:
    odd = result[:2]
    odd.confidence = np.array([0.5, number], np.float32)
    odd.xyxy = np.array([[0, 0, number, 4], [number, -number, 3, 4]], np.float32)
    return odd


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_json_has_no_number_for_is_null(result, number):
    odd = with_numbers(result, number)
    texts = [odd.to_json(), odd.to_json(polygons="edge"), *(json.dumps(x) for x in (odd.to_coco(1), odd.to_geojson()))]
    for text in texts:
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert odd.to_dict()["instances"][1]["confidence"] is None
    assert odd.to_coco(1)[0]["bbox"] == [0.0, 0.0, None, 4.0]
    assert odd.plot().shape == (30, 40, 3)


def test_a_dict_is_read_back(result):
    again = rfseg.Result.from_dict(json.loads(result.to_json()))
    assert again == result
    assert rfseg.Result.from_dict(result.to_dict()).confidence.dtype == np.float32
    assert again.names == {0: "zéro"}
    assert rfseg.Result.from_dict(result[[]].to_dict()) == result[[]]
    odd = with_numbers(result, float("nan"))
    assert rfseg.Result.from_dict(odd.to_dict()) == odd
    for change in ("xyxy", "confidence", "class_id"):
        other = result[:]
        setattr(other, change, getattr(other, change) + 1)
        assert other != result
    assert result[::-1] != result
    assert result != result.to_dict()
    assert result.masks == rfseg.Masks.from_dense(result.masks.dense())
    assert result.masks[1:] != result.masks


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda d: d.pop("instances"), "'instances' is missing"),
        (lambda d: d["instances"][0].pop("box"), "'box' is missing"),
        (lambda d: d["instances"][0].pop("segmentation"), "no segmentation"),
        (lambda d: d["instances"][0].update(box=[1, 2, 3]), "not what Result.to_dict"),
        (lambda d: d["instances"][0].update(class_id="circle"), "not what Result.to_dict"),
        (lambda d: d["instances"][0].update(class_id=1 << 40), "not what Result.to_dict"),
        (lambda d: d.update(image_size=[30]), "not what Result.to_dict"),
        (lambda d: d.update(image_size=[30, 41]), "one image size"),
        (lambda d: d["instances"][0]["segmentation"].update(counts="~"), "counts"),
    ],
)
def test_other_dicts_are_refused(result, damage, sentence):
    data = result.to_dict()
    damage(data)
    with pytest.raises(rfseg.InputError, match=sentence):
        rfseg.Result.from_dict(data)


def test_categories_of_another_data_set(result):
    by_name = {"zéro": 7, "class 1": 8, 2: 9}
    expected = [{0: 7, 1: 8, 2: 9}[i] for i in result.class_id.tolist()]
    assert [record["category_id"] for record in result.to_coco("a", by_name)] == expected
    with pytest.raises(rfseg.InputError, match="no id for class"):
        result.to_coco("a", {"zéro": 7})


def test_json_lines_are_read_back(result, tmp_path):
    path = tmp_path / "clip.jsonl"
    lines = [json.dumps({"frame": 2 * i, "time_s": i / 4, **result[i:].to_dict()}) for i in range(3)]
    path.write_text("\ufeff" + "\n".join(lines) + "\n\n", encoding="utf-8")
    assert list(rfseg.read_jsonl(path)) == [(2 * i, i / 4, result[i:]) for i in range(3)]
    path.write_text(lines[0] + "\n" + lines[1][:-7], encoding="utf-8")
    frames = rfseg.read_jsonl(path)
    assert next(frames)[0] == 0
    with pytest.raises(rfseg.InputError, match=r"line 2 of .*clip\.jsonl"):
        next(frames)
    for key in ("frame", "time_s", "file_name"):
        path.write_text(json.dumps({**result.to_dict(), key: [1]}))
        with pytest.raises(rfseg.InputError, match=key):
            next(rfseg.read_jsonl(path))
    path.write_text("[1, 2]\n")
    with pytest.raises(rfseg.InputError, match="expected an object, got list"):
        next(rfseg.read_jsonl(path))
