"""Result: selection, text, pickling, the way to supervision, and what `import rfseg` leaves alone."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import supervision

import rfseg


def make_result() -> rfseg.Result:
    """A ring, two bars that cross no column and whole columns, and an empty mask, in a frame of 40 x 60."""
    masks = np.zeros((3, 40, 60), bool)
    masks[0, 5:30, 10:35] = True
    masks[0, 12:20, 18:26] = False
    masks[1, :, 3:6] = True
    masks[1, 7, 50:58] = True
    xyxy = np.array([[10, 5, 35, 30], [2.25, 0, 58, 40], [0, 0, 1, 1]], np.float32)
    confidence = np.array([0.9, 0.75, 0.6], np.float32)
    class_id = np.array([5, 2, 5], np.int32)
    speed = {"network": 1.5}
    return rfseg.Result(xyxy, confidence, class_id, rfseg.Masks.from_dense(masks), (40, 60), {5: "circle"}, speed)


def test_constructor_keeps_what_it_is_given():
    result = make_result()
    again = rfseg.Result(result.xyxy, result.confidence, result.class_id, result.masks, (40, 60), {}, {})
    assert again.xyxy is result.xyxy
    assert again.masks is result.masks
    assert not hasattr(again, "__dict__")


def test_class_without_a_name_is_called_by_its_id():
    assert make_result().class_name == ["circle", "class 2", "circle"]


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (1, [1]),
        (-1, [2]),
        (np.int64(0), [0]),
        (slice(1, None), [1, 2]),
        (slice(None, None, -1), [2, 1, 0]),
        (np.array([True, False, True]), [0, 2]),
        ([False, True, False], [1]),
        (np.array([2, 0]), [2, 0]),
        ([], []),
        (np.zeros(3, bool), []),
    ],
)
def test_selection_takes_every_column(key, rows):
    result = make_result()
    chosen = result[key]
    assert isinstance(chosen, rfseg.Result)
    assert len(chosen) == len(rows)
    np.testing.assert_array_equal(chosen.xyxy, result.xyxy[rows])
    np.testing.assert_array_equal(chosen.confidence, result.confidence[rows])
    np.testing.assert_array_equal(chosen.class_id, result.class_id[rows])
    np.testing.assert_array_equal(chosen.masks.dense(), result.masks.dense()[rows])
    assert chosen.image_size == result.image_size
    assert chosen.names is result.names


@pytest.mark.parametrize("key", [3, -4, np.ones(2, bool), [5]])
def test_selection_outside_the_rows_is_refused(key):
    with pytest.raises(IndexError):
        make_result()[key]


def test_iteration_yields_single_instances():
    rows = list(make_result())
    assert [len(row) for row in rows] == [1, 1, 1]
    assert [float(row.confidence[0]) for row in rows] == pytest.approx([0.9, 0.75, 0.6])


def test_text_and_truth():
    result = make_result()
    assert repr(result) == "Result(40x60, 3 instances: 2 circle, 1 class 2)"
    assert repr(result[0]) == "Result(40x60, 1 instance: 1 circle)"
    assert repr(result[[]]) == "Result(40x60, 0 instances)"
    assert result
    assert not result[[]]


def test_pickle_holds_runs_and_not_pixels():
    masks = np.zeros((5, 1080, 1920), bool)
    masks[:, 100:700, 200:900] = True
    boxes = np.zeros((5, 4), np.float32)
    scores, ids = np.ones(5, np.float32), np.zeros(5, np.int32)
    result = rfseg.Result(boxes, scores, ids, rfseg.Masks.from_dense(masks), (1080, 1920), {0: "box"}, {"network": 1.0})
    data = pickle.dumps(result)
    assert len(data) < 40_000  # 5 x 700 runs of 8 bytes; the pixels are 10 MB
    again = pickle.loads(data)
    np.testing.assert_array_equal(again.masks.dense(), masks)
    assert (again.names, again.speed, again.image_size) == (result.names, result.speed, result.image_size)
    assert repr(again) == repr(result)


def test_polygons_are_those_of_the_masks():
    result = make_result()
    for mode in ("external", "tree", "largest"):
        found, expected = result.polygons(mode), result.masks.polygons(mode)
        assert len(found) == len(expected) == 3
    assert [len(outlines) for outlines in result.polygons()] == [1, 2, 0]
    assert [len(holes) for _, holes in result.polygons("tree")[0]] == [1]


def random_masks(rng: np.random.Generator) -> np.ndarray:
    height, width = rng.integers(1, 20, 2)
    masks = rng.random((4, height, width)) < rng.random((4, 1, 1))
    masks[rng.integers(4)] = rng.random() < 0.5  # all or nothing
    return masks


@pytest.mark.parametrize("compact", [True, False])
def test_supervision_sees_the_same_masks(compact, monkeypatch):
    if compact:
        assert hasattr(supervision, "CompactMask"), "the compact path would go untested"
    else:
        monkeypatch.delattr(supervision, "CompactMask")
    rng = np.random.default_rng(7)
    for masks in [make_result().masks.dense(), *(random_masks(rng) for _ in range(200))]:
        count, height, width = masks.shape
        boxes = np.zeros((count, 4), np.float32)  # a mask may leave its box
        scores, ids = np.full(count, 0.5, np.float32), np.arange(count, dtype=np.int32)
        result = rfseg.Result(boxes, scores, ids, rfseg.Masks.from_dense(masks), (height, width), {1: "one"}, {})
        detections = result.to_supervision()
        assert isinstance(detections.mask, np.ndarray) is not compact
        np.testing.assert_array_equal(np.asarray(detections.mask), masks)
        np.testing.assert_array_equal(detections.area, masks.sum((1, 2)))
    np.testing.assert_array_equal(detections.class_id, ids)
    assert detections.data["class_name"].tolist() == ["class 0", "one", "class 2", "class 3"]
    assert detections[detections.class_id == 1].data["class_name"].tolist() == ["one"]


def test_supervision_of_nothing():
    detections = make_result()[[]].to_supervision()
    assert len(detections) == 0
    assert detections.data["class_name"].shape == (0,)


@pytest.mark.parametrize(
    ("module", "call", "command"),
    [
        ("cv2", lambda result: result.plot(), 'pip install "rfseg[viz]"'),
        ("supervision", lambda result: result.to_supervision(), 'pip install "supervision"'),
    ],
)
def test_a_missing_extra_names_the_command_that_brings_it(module, call, command, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)  # `import` then fails as if it were not installed
    with pytest.raises(ImportError) as caught:
        call(make_result())
    assert command in str(caught.value)


def test_a_notebook_without_opencv_shows_the_text(monkeypatch):
    assert make_result()._repr_png_().startswith(b"\x89PNG")
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert make_result()._repr_png_() is None


def test_import_loads_no_extra():
    code = "import sys, rfseg; print(sorted({'cv2', 'av', 'rich', 'argparse', 'supervision'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
