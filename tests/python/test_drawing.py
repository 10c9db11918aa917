"""Drawing: what is filled, what is left alone, what is refused."""

import pickle
from itertools import combinations

import cv2
import numpy as np
import pytest

import rfseg
from rfseg.drawing import class_color

ONLY_MASKS = {"outlines": False, "boxes": False, "labels": False}


def make_result(masks: np.ndarray, class_ids: list[int] | None = None) -> rfseg.Result:
    count, height, width = masks.shape
    packed = rfseg.Masks.from_dense(masks)
    ids = np.array(class_ids if class_ids else range(count), np.int32)
    confidence = np.linspace(0.9, 0.5, count).astype(np.float32)
    return rfseg.Result(packed.bbox.astype(np.float32), confidence, ids, packed, (height, width), {0: "circle"}, {})


@pytest.fixture
def scene() -> rfseg.Result:
    masks = np.zeros((3, 90, 120), np.uint8)
    cv2.circle(masks[0], (40, 40), 25, 1, -1)
    cv2.circle(masks[0], (40, 40), 10, 0, -1)
    cv2.rectangle(masks[1], (60, 10), (119, 50), 1, -1)
    cv2.rectangle(masks[2], (0, 70), (20, 89), 1, -1)
    return make_result(masks.astype(bool))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(11).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_filled_mask_is_the_mask():
    rng = np.random.default_rng(2)
    filled = 0
    for height, width in rng.integers(1, 30, (150, 2)):
        mask = rng.random((1, height, width)) < rng.random()
        image = make_result(mask, [3]).plot(opacity=1.0, **ONLY_MASKS)
        np.testing.assert_array_equal((image != 0).any(-1), mask[0])
        assert (image[mask[0]] == class_color(3)).all()
        filled += int(mask.sum())
    assert filled > 1000


def test_masks_are_blended_and_nothing_else_changes(scene):
    frame = noise(90, 120)
    for opacity in (0.0, 0.3, 0.45, 1.0):
        image = scene[0].plot(frame, opacity=opacity, **ONLY_MASKS)
        mask = scene.masks.dense()[0]
        np.testing.assert_array_equal(image[~mask], frame[~mask])
        expected = frame[mask] * (1 - opacity) + np.array(class_color(0)) * opacity
        assert np.abs(image[mask] - expected).max() <= 0.5001


def test_the_frame_is_only_read(scene):
    frame = noise(90, 120)
    before = frame.copy()
    frame.setflags(write=False)
    image = scene.plot(frame)
    np.testing.assert_array_equal(frame, before)
    assert not np.shares_memory(image, frame)
    assert (image != frame).any()


def test_views_draw_as_their_copies(scene):
    wide = noise(180, 240)
    view = wide[::2, ::-2]
    np.testing.assert_array_equal(scene.plot(view), scene.plot(np.ascontiguousarray(view)))


def test_rgb_frames_get_the_same_colours(scene):
    frame = noise(90, 120)
    rgb = scene.plot(frame[..., ::-1], color="rgb")
    np.testing.assert_array_equal(rgb[..., ::-1], scene.plot(frame))


@pytest.mark.parametrize("part", ["masks", "outlines", "boxes", "labels"])
def test_each_part_can_be_left_out(scene, part):
    nothing = dict.fromkeys(("masks", "outlines", "boxes", "labels"), False)
    assert not scene.plot(**nothing).any()
    assert scene.plot(**{**nothing, part: True}).any()


def test_boxes_stay_inside_the_image(scene):
    image = scene[1].plot(masks=False, outlines=False, labels=False)
    y, x = np.nonzero(image.any(-1))
    assert (x.min(), y.min(), x.max(), y.max()) == (60, 10, 119, 50)


def test_labels_are_inside_and_never_under_a_mask():
    masks = np.zeros((2, 200, 300), bool)
    masks[0, :, :] = True  # its label has no room above
    masks[1, 100:150, 250:300] = True  # its label has no room to the right
    image = make_result(masks).plot(opacity=1.0)
    for class_id in (0, 1):
        plate = (image == class_color(class_id)).all(-1)
        assert plate.any()
    plate_of_the_lower = (image == class_color(1)).all(-1)
    assert plate_of_the_lower[80:100, 200:300].sum() > 200


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 500), (4000, 8)])
def test_any_size_can_be_drawn(size):
    image = make_result(np.ones((2, *size), bool)).plot()
    assert image.shape == (*size, 3)


def test_nothing_found_draws_the_frame(scene):
    frame = noise(90, 120)
    np.testing.assert_array_equal(scene[[]].plot(frame), frame)
    assert not scene[[]].plot().any()


@pytest.mark.parametrize(
    "frame", [np.zeros((90, 121, 3), np.uint8), np.zeros((90, 120, 3), np.float32), np.zeros((90, 120), np.uint8)]
)
def test_a_frame_of_something_else_is_refused(scene, frame):
    with pytest.raises(rfseg.InputError, match=r"expected the frame of this result, uint8 \[90, 120, 3\]; got"):
        scene.plot(frame)


def test_colours_are_far_apart():
    colors = [np.array(class_color(i)) for i in range(16)]
    assert min(np.abs(a - b).max() for a, b in combinations(colors, 2)) >= 20
    assert class_color(2, "rgb") == class_color(2, "bgr")[::-1]


def test_saved_pictures_read_back(scene, tmp_path):
    frame = noise(90, 120)
    scene.save(tmp_path / "a.png", frame)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png")), scene.plot(frame))
    scene.save(tmp_path / "b.png", frame[..., ::-1], color="rgb")
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "b.png")), scene.plot(frame))
    decoded = cv2.imdecode(np.frombuffer(scene._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded, scene.plot())
    with pytest.raises(rfseg.InputError, match="not an image suffix"):
        scene.save(tmp_path / "a.text", frame)
    assert not (tmp_path / "a.text").exists()


@pytest.mark.parametrize("opacity", [-0.1, 2, float("nan")])
def test_an_opacity_that_is_no_share_is_refused(scene, opacity):
    with pytest.raises(rfseg.InputError, match="from 0 to 1"):
        scene.plot(opacity=opacity)


def test_a_result_draws_on_the_frame_it_was_given(scene, tmp_path):
    frame = noise(90, 120)
    before = frame.copy()
    with_frame = scene.with_frame(frame)
    assert with_frame == scene
    assert scene.picture is None
    np.testing.assert_array_equal(with_frame.plot(), scene.plot(frame))
    np.testing.assert_array_equal(with_frame[1:].plot(), scene[1:].plot(frame))
    drawn = cv2.imdecode(np.frombuffer(with_frame._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(drawn, scene.plot(frame))
    rgb = scene.with_frame(np.ascontiguousarray(frame[..., ::-1]), "rgb")
    np.testing.assert_array_equal(rgb.plot()[..., ::-1], scene.plot(frame))
    drawn = cv2.imdecode(np.frombuffer(rgb._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(drawn, scene.plot(frame))
    rgb.save(tmp_path / "a.png")
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png")), scene.plot(frame))
    assert pickle.loads(pickle.dumps(with_frame)).picture is None
    np.testing.assert_array_equal(frame, before)
