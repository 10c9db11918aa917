"""`rfseg convert` and `rfseg eval`: what was found once in other formats, and in figures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import rfseg
from paths import DEMO_MODEL
from rfseg.cli.main import main

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


@pytest.fixture(scope="module")
def found(seg, frames) -> list[rfseg.Result]:
    return [seg.infer(frame) for frame in frames[::4]]


@pytest.fixture
def clip(tmp_path, found, monkeypatch) -> Path:
    """A .jsonl as `rfseg run` writes it, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "clip.jsonl"
    lines = [json.dumps({"frame": i, "time_s": i / 10, **result.to_dict()}) for i, result in enumerate(found)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def data_set(tmp_path, found, frames, monkeypatch) -> Path:
    """images/val/*.png with a ground truth that is what the model finds, under ids of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images" / "val").mkdir(parents=True)
    names = sorted({name for result in found for name in result.class_name})
    category = {name: 50 + i for i, name in enumerate(names)}
    images, annotations = [], []
    for number, (result, frame) in enumerate(zip(found, frames[::4], strict=True)):
        cv2.imwrite(str(tmp_path / "images" / "val" / f"{number}.png"), frame)
        images.append({"id": 900 + number, "file_name": f"val/{number}.png", "height": 360, "width": 640})
        for record, area in zip(result.to_coco(900 + number, category), result.masks.area.tolist(), strict=True):
            annotations.append({**record, "id": len(annotations) + 1, "area": area, "iscrowd": 0})
    truth = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": i, "name": n} for n, i in category.items()],
    }
    (tmp_path / "gt.json").write_text(json.dumps(truth))
    return tmp_path


def test_every_format(clip, found, capsys):
    expected = {
        "coco": "clip.coco.json",
        "geojson": "clip.geojson",
        "parquet": "clip.parquet",
        "yolo": "clip_yolo",
        "labelme": "clip_labelme",
        "label-map": "clip_masks",
    }
    total = sum(map(len, found))
    assert total > 10
    for kind, name in expected.items():
        assert main(["convert", str(clip), "--to", kind, "--out", f"out-{kind}"]) == 0
        assert [path.name for path in Path(f"out-{kind}").iterdir()] == [name]
        assert f"{len(found)} frames, {total} instances" in capsys.readouterr().out
    coco = json.loads(Path("out-coco/clip.coco.json").read_text())
    assert [i["file_name"] for i in coco["images"]] == [f"clip/frame_{n:06d}.png" for n in range(len(found))]
    masks = rfseg.Masks.from_coco(a["segmentation"] for a in coco["annotations"])
    assert masks == rfseg.Masks.from_dense(np.concatenate([result.masks.dense() for result in found]))
    labels = cv2.imread("out-label-map/clip_masks/clip/frame_000000.png", cv2.IMREAD_UNCHANGED)
    assert labels.max() == len(found[0])


def test_options_of_one_format(clip, found, capsys):
    assert main(["convert", str(clip), "--to", "coco", "--first-category", "1", "--out", "a"]) == 0
    coco = json.loads(Path("a/clip.coco.json").read_text())
    first = found[0].class_id.tolist()
    assert [a["category_id"] for a in coco["annotations"]][: len(first)] == [i + 1 for i in first]
    north_up = ["--transform", "2", "0", "100", "0", "-2", "900"]
    assert main(["convert", str(clip), "--to", "geojson", *north_up, "--simplify", "1.5", "--out", "b"]) == 0
    features = json.loads(Path("b/clip.geojson").read_text())["features"]
    expected = found[0].to_geojson(transform=(2, 0, 100, 0, -2, 900), simplify=1.5)["features"]
    assert [f["geometry"] for f in features][: len(first)] == [f["geometry"] for f in json.loads(json.dumps(expected))]
    assert main(["convert", str(clip), "--to", "label-map", "--values", "class", "--out", "c"]) == 0
    labels = cv2.imread("c/clip_masks/clip/frame_000000.png", cv2.IMREAD_UNCHANGED)
    assert set(np.unique(labels).tolist()) <= {0, *(i + 1 for i in first)}
    assert main(["convert", str(clip), "--to", "yolo", "--simplify", "1"]) == 1
    assert "--simplify is for --to geojson" in capsys.readouterr().err


def test_images_are_taken_together(tmp_path, found, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name, result in zip("ab", found, strict=False):
        Path(f"photos/{name}.json").write_text(json.dumps({"file_name": f"{name}.png", **result.to_dict()}) + "\n")
    assert main(["convert", "photos/a.json", "photos/b.json", "--to", "coco", "--out", "out"]) == 0
    coco = json.loads(Path("out/photos.coco.json").read_text())
    assert [(i["id"], i["file_name"]) for i in coco["images"]] == [(0, "photos/a.png"), (1, "photos/b.png")]


def test_what_cannot_be_read_is_named_and_the_rest_kept(clip, found, capsys):
    text = clip.read_text()
    clip.write_text(text[: text.rindex("{") - 30])
    assert main(["convert", str(clip), "missing.jsonl", "--to", "coco", "--out", "out"]) == 2
    errors = capsys.readouterr().err
    assert f"line {len(found)} of" in errors
    assert "missing.jsonl" in errors
    assert len(json.loads(Path("out/clip.coco.json").read_text())["images"]) == len(found) - 1


def test_results_in_the_ids_of_a_ground_truth(data_set, found, capsys):
    for number, result in enumerate([*found, found[0]]):
        Path(f"{number}.json").write_text(json.dumps({"file_name": f"{number}.png", **result.to_dict()}))
    files = [f"{number}.json" for number in range(len(found) + 1)]
    assert main(["convert", *files, "--to", "coco", "--coco-like", "gt.json", "--out", "out"]) == 2
    assert f"left out 1 images that the ground truth lacks: {data_set.name}/{len(found)}.png" in capsys.readouterr().err
    (path,) = Path("out").iterdir()
    records = json.loads(path.read_text())
    truth = json.loads(Path("gt.json").read_text())
    assert [(r["image_id"], r["category_id"]) for r in records] == [
        (a["image_id"], a["category_id"]) for a in truth["annotations"]
    ]


def test_a_model_that_finds_the_ground_truth_has_an_ap_of_one(data_set, capsys):
    arguments = ["eval", str(DEMO_MODEL), "--images", "images", "--annotations", "gt.json", "--device", "cpu"]
    assert main([*arguments, "--progress", "json", "--threshold", "0.5"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["images"] == 3
    assert figures["mask"]["AP"] == pytest.approx(1.0)
    assert figures["box"]["AP50"] == pytest.approx(1.0)
    assert Path(figures["results"]).name == "results.json"


def test_images_that_are_missing_are_named_and_left_out_of_the_figures(data_set, capsys):
    Path("images/val/1.png").unlink()
    Path("images/val/2.png").rename("images/2.png")  # without the folder that the ground truth names
    arguments = ["eval", str(DEMO_MODEL), "--images", "images", "--annotations", "gt.json", "--device", "cpu"]
    assert main([*arguments, "--threshold", "0.5"]) == 2
    said = capsys.readouterr()
    assert "1.png" in said.err
    assert "2 images" in said.out
    assert "1.000" in said.out.splitlines()[-1]


def test_a_ground_truth_that_is_none_is_refused(data_set, capsys):
    for text in ("[]", "{", '{"images": []}'):
        Path("gt.json").write_text(text)
        assert main(["eval", str(DEMO_MODEL), "--images", "images", "--annotations", "gt.json", "--device", "cpu"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_what_run_saves_is_what_convert_writes(data_set, found):
    saves = ["coco", "parquet", "yolo", "labelme", "masks", "json"]
    command = ["run", str(DEMO_MODEL), "images/val", "--device", "cpu", "--save", ",".join(saves), "--progress", "none"]
    assert main([*command, "--out", "out"]) == 0
    out = Path("out")
    assert {p.name for p in out.iterdir()} == {
        "val",
        "val.coco.json",
        "val.parquet",
        "val_yolo",
        "val_labelme",
        "val_masks",
    }
    coco = json.loads((out / "val.coco.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["val/0.png", "val/1.png", "val/2.png"]
    assert {a["category_id"] for a in coco["annotations"]} <= {c["id"] for c in coco["categories"]}
    labels = cv2.imread(str(out / "val_masks/val/0.png"), cv2.IMREAD_UNCHANGED)
    assert (labels > 0).sum() == found[0].masks.dense().any(axis=0).sum()
    for folder, suffix in (("val_yolo/labels/val", "txt"), ("val_labelme/val", "json")):
        assert sorted(p.name for p in (out / folder).iterdir()) == [f"{n}.{suffix}" for n in range(3)]
    files = [str(path) for path in sorted(out.glob("val/*.json"))]
    assert main(["convert", *files, "--to", "yolo", "--out", "again"]) == 0
    assert Path("again/val_yolo/labels/val/0.txt").read_text() == (out / "val_yolo/labels/val/0.txt").read_text()


def test_run_takes_the_ids_of_a_ground_truth(data_set, found, capsys):
    command = ["run", str(DEMO_MODEL), "images/val", "--device", "cpu", "--progress", "none", "--coco-like", "gt.json"]
    assert main([*command, "--save", "coco", "--out", "out"]) == 0
    records = json.loads(Path("out/val.results.json").read_text())
    truth = json.loads(Path("gt.json").read_text())
    assert [(r["image_id"], r["category_id"]) for r in records] == [
        (a["image_id"], a["category_id"]) for a in truth["annotations"]
    ]
    Path("images/val/0.png").rename("images/val/other.png")
    assert main([*command, "--save", "coco", "--out", "again"]) == 2
    assert "left out 1 images that the ground truth lacks: val/other.png" in capsys.readouterr().err
    assert main([*command, "--save", "json", "--out", "more"]) == 1
