"""Files of whole sources, read back by the tools they are for: supervision, shapely, pyarrow, OpenCV."""

import base64
import json
import tracemalloc
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

import rfseg
from reference.mask_cases import blobs
from reference.scenes import Frame, result_of, scenes, written
from rfseg.formats.coco_files import CocoFile
from rfseg.formats.frame_names import FrameNames, beside
from rfseg.formats.geojson import GeoJsonFile
from rfseg.formats.label_map import LabelMaps, label_map
from rfseg.formats.labelme import LabelmeFiles
from rfseg.formats.yolo import YoloFiles, yolo_lines

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")


def test_frames_have_names_of_their_own():
    paths = [Path("photos/a.jpg"), Path("photos/more/a.jpg"), Path("photos/b.jpg")]
    images = FrameNames("photos", paths)
    names = [images(Frame(i, path=path)) for i, path in enumerate(paths)]
    assert names == ["photos/a.jpg", "photos/more/a.jpg", "photos/b.jpg"]
    assert FrameNames("clip")(Frame(12)) == "clip/frame_000012.png"
    assert FrameNames("x")(Frame(0, path=Path("/a/b.jpg"))) == "a/b.jpg"


def test_files_of_frames_stay_in_their_folder_and_apart(tmp_path):
    assert beside(tmp_path, "../../etc/a.jpg", ".txt") == tmp_path / "etc" / "a.txt"
    (tmp_path / "a.txt").touch()
    assert beside(tmp_path, "a.png", ".txt") == tmp_path / "a.png.txt"


def test_yolo_segments_fill_the_masks(tmp_path):
    path = written(YoloFiles(tmp_path / "clip_yolo", {0: "zéro", 1: "one"}, FrameNames("clip")))
    files = sorted((path / "labels").rglob("*.txt"))
    assert [file.name for file in files] == [f"frame_{n:06d}.txt" for n in range(3)]
    compared = 0
    for file, result in zip(files, scenes(), strict=True):
        lines = file.read_text().splitlines()
        filled = [row for row in range(len(result)) if result.masks.area[row]]
        assert [int(line.split()[0]) for line in lines] == result.class_id[filled].tolist()
        for line, mask in zip(lines, result.masks.dense()[filled], strict=True):
            shares = np.array(line.split()[1:], float).reshape(-1, 2)
            assert len(shares) >= 3
            drawn = np.zeros(mask.shape, np.uint8)
            cv2.fillPoly(drawn, [(shares * [90, 60]).astype(np.int32)], 1)  # as ultralytics does
            missing, bridges = (mask & (drawn == 0)).sum(), (~mask & (drawn == 1)).sum()
            assert missing == 0
            rings = sum(1 + len(holes) for _, holes in rfseg.Masks.from_dense(mask[None]).polygons("tree")[0])
            assert bridges <= 60 * (rings - 1)  # the ways between parts
            compared += 1
    assert compared == 7
    text = (path / "data.yaml").read_text(encoding="utf-8")
    assert '  0: "zéro"\n  1: "one"\n  2: "class 2"\n' in text
    assert text.count("\n  ") == 8


def test_supervision_reads_yolo(tmp_path):
    supervision = pytest.importorskip("supervision")
    mask = np.zeros((2, 60, 90), bool)
    mask[0, 5:30, 10:50] = True
    mask[1] = blobs(60, 90, 8, 0.3, 5)
    result = result_of(mask, [1, 0])
    sink = YoloFiles(tmp_path / "set", {0: "a", 1: "b"}, FrameNames("images"))
    sink.write(Frame(0), result)
    sink.close()
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "frame_000000.png"), np.zeros((60, 90, 3), np.uint8))
    data = supervision.DetectionDataset.from_yolo(
        str(tmp_path / "images"), str(tmp_path / "set" / "labels" / "images"), str(tmp_path / "set" / "data.yaml"), True
    )
    _, _, detections = next(iter(data))
    assert detections.class_id.tolist() == [1, 0]
    np.testing.assert_array_equal(detections.mask[0], mask[0])
    assert (np.asarray(detections.mask[1]) & mask[1]).sum() >= 0.99 * mask[1].sum()


def test_an_instance_without_pixels_has_no_yolo_line():
    assert yolo_lines(result_of(np.zeros((1, 4, 4), bool), [3])) == []


def test_labelme_shapes_are_the_masks(tmp_path):
    shapely = pytest.importorskip("shapely")
    path = written(LabelmeFiles(tmp_path / "clip_labelme", FrameNames("clip")))
    compared = 0
    for index, result in enumerate(scenes()):
        data = json.loads((path / "clip" / f"frame_{index:06d}.json").read_text(encoding="utf-8"))
        assert (data["imagePath"], data["imageHeight"], data["imageWidth"]) == (f"frame_{index:06d}.png", 60, 90)
        areas: dict = {}
        for shape in data["shapes"]:
            if shape["shape_type"] == "mask":
                (x0, y0), (x1, y1) = shape["points"]
                pixels = cv2.imdecode(np.frombuffer(base64.b64decode(shape["mask"]), np.uint8), cv2.IMREAD_UNCHANGED)
                assert pixels.shape == (y1 - y0 + 1, x1 - x0 + 1)
                area = float(pixels.sum())
            else:
                polygon = shapely.Polygon(shape["points"])
                assert polygon.is_valid
                area = polygon.area
            key = shape["description"]
            areas[key] = areas.get(key, 0) + area
            compared += 1
        assert sorted(areas.values()) == sorted(a for a in result.masks.area.tolist() if a)
    assert compared > 10


def test_label_maps(tmp_path):
    path = written(LabelMaps(tmp_path / "clip_masks", FrameNames("clip")))
    for index, result in enumerate(scenes()):
        stored = cv2.imread(str(path / "clip" / f"frame_{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        expected = np.zeros((60, 90), np.uint16)
        classes = np.zeros((60, 90), np.uint16)
        for row in reversed(range(len(result))):
            expected[result.masks[row].dense()[0]] = row + 1
            classes[result.masks[row].dense()[0]] = result.class_id[row] + 1
        assert stored.dtype == np.uint16
        np.testing.assert_array_equal(stored, expected)
        np.testing.assert_array_equal(label_map(result, "class"), classes)
    with pytest.raises(rfseg.InputError, match="65535"):
        label_map(result_of(np.ones((1, 2, 2), bool), [65535]), "class")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_parquet_is_geoparquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    shapely = pytest.importorskip("shapely")
    from rfseg.formats.table import ParquetFile

    path = written(ParquetFile(tmp_path / "clip.parquet"))
    table = parquet.read_table(path)
    rows = table.to_pylist()
    results = scenes()
    assert [row["frame"] for row in rows] == [0] * 5 + [2] * 3
    assert [row["instance"] for row in rows] == [*range(5), *range(3)]
    assert json.loads(table.schema.metadata[b"geo"])["primary_column"] == "geometry"
    for row in rows:
        result, at = results[row["frame"]], row["instance"]
        assert (row["class_id"], row["class_name"]) == (result.class_id[at], result.class_name[at])
        assert [row[name] for name in ("x0", "y0", "x1", "y1")] == result.xyxy[at].tolist()
        assert np.float32(row["confidence"]) == result.confidence[at]
        mask = coco_mask.decode({"size": [row["image_height"], row["image_width"]], "counts": row["counts"]})
        assert (mask == result.masks.dense()[at]).all()
        figure = shapely.from_wkb(row["geometry"])
        assert row["area"] == (figure.area if figure else 0)
        assert figure is None or figure.is_valid
        assert row["time_s"] == row["frame"] / 10
    if find_spec("geopandas"):
        import geopandas

        assert geopandas.read_parquet(path).geometry.area.sum() == table["area"].to_numpy().sum()


def kept_bytes(sink, rounds: int) -> int:
    """What a sink holds on to over `rounds` frames."""
    result = scenes()[0]
    for index in range(50):
        sink.write(Frame(index), result)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for index in range(50, 50 + rounds):
        sink.write(Frame(index), result)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    sink.close()
    return after - before


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: CocoFile(folder / "a.json", {}),
        lambda folder: GeoJsonFile(folder / "a.geojson"),
        lambda folder: YoloFiles(folder / "yolo", {}),
        lambda folder: LabelmeFiles(folder / "labelme"),
        lambda folder: LabelMaps(folder / "maps"),
    ],
)
def test_a_sink_needs_no_more_memory_the_longer_it_runs(make, tmp_path):
    assert kept_bytes(make(tmp_path), 1000) < 50_000  # buffers; a list of the frames would be 284,000


def test_parquet_holds_one_group_of_rows(tmp_path):
    pytest.importorskip("pyarrow")
    from rfseg.formats.table import _ROWS, ParquetFile

    sink = ParquetFile(tmp_path / "a.parquet")
    kept = []
    for index in range(2 * _ROWS // 5 + 2):
        sink.write(Frame(index), scenes()[0])
        kept.append(len(sink._rows["frame"]))
    sink.close()
    assert max(kept) < _ROWS
    assert kept[-1] < kept[0] * 4


def test_geojson_of_a_clip_on_a_map(tmp_path):
    path = written(GeoJsonFile(tmp_path / "a.geojson", transform=(2, 0, 10, 0, -2, 20), simplify=1))
    features = json.loads(path.read_text())["features"]
    assert [f["properties"]["frame"] for f in features] == [0] * 5 + [2] * 3
    assert features[2]["geometry"]["coordinates"][0] == [[188, -100], [190, -100], [190, -98], [188, -98], [188, -100]]
