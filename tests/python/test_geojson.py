"""GeoJSON: valid by shapely's judgement, of the masks' own areas, on the map where rasterio puts it."""

import json

import numpy as np
import pytest

import rfseg
from reference.mask_cases import named_masks, random_mask

shapely = pytest.importorskip("shapely")
NORTH_UP = (0.5, 0.0, 400_000.25, 0.0, -0.5, 5_700_000.75)


def result_of(masks: np.ndarray) -> rfseg.Result:
    count, height, width = masks.shape
    scores = np.linspace(0.9, 0.5, count, dtype=np.float32)
    ids = np.arange(count, dtype=np.int32) % 3
    boxes = np.zeros((count, 4), np.float32)
    return rfseg.Result(boxes, scores, ids, rfseg.Masks.from_dense(masks), (height, width), {0: "zéro"}, {})


def shapes(collection: dict) -> list:
    features = json.loads(json.dumps(collection))["features"]
    return [shapely.geometry.shape(f["geometry"]) if f["geometry"] else shapely.Polygon() for f in features]


def results() -> list[rfseg.Result]:
    named = [mask for mask in named_masks().values() if mask.size < 10_000]
    return [result_of(mask[None]) for mask in [*named, *map(random_mask, range(30))]]


def test_kinds_and_properties():
    masks = np.zeros((5, 30, 40), bool)
    masks[0, 2:20, 3:30] = True
    masks[0, 6:14, 8:20] = False
    masks[0, 9, 10:12] = True  # an island in the hole
    masks[1, 3:6, 4:7] = masks[1, 6:9, 7:9] = True  # two parts that touch at a corner
    masks[2, 29, 39] = True
    masks[3] = True
    result = result_of(masks)
    collection = json.loads(json.dumps(result.to_geojson()))
    features = collection["features"]
    assert collection["type"] == "FeatureCollection"
    kinds = [feature["geometry"] and feature["geometry"]["type"] for feature in features]
    assert kinds == ["MultiPolygon", "MultiPolygon", "Polygon", "Polygon", None]
    assert all(feature["type"] == "Feature" for feature in features)
    assert [feature["properties"]["class_name"] for feature in features] == result.class_name
    assert [feature["properties"]["class_id"] for feature in features] == result.class_id.tolist()
    np.testing.assert_array_equal(np.float32([f["properties"]["confidence"] for f in features]), result.confidence)
    assert features[2]["geometry"]["coordinates"] == [[[39, 29], [40, 29], [40, 30], [39, 30], [39, 29]]]


def test_every_geometry_is_valid_and_has_its_masks_area():
    compared = 0
    for result in results():
        for figure, area in zip(shapes(result.to_geojson()), result.masks.area.tolist(), strict=True):
            assert figure.is_valid
            assert figure.area == area
            for part in getattr(figure, "geoms", [figure] if area else []):
                assert part.exterior.is_ccw
                assert not any(hole.is_ccw for hole in part.interiors)
            compared += area > 0
    assert compared > 40


def test_rasterio_puts_it_in_the_same_place():
    affine = pytest.importorskip("affine")
    features = pytest.importorskip("rasterio.features")
    rotated = affine.Affine(*NORTH_UP) @ affine.Affine.rotation(30)
    for transform in (affine.Affine(*NORTH_UP), rotated, affine.Affine.identity()):
        for result in results():
            mask = result.masks.dense()[0]
            theirs = [
                shapely.geometry.shape(geometry)
                for geometry, _ in features.shapes(mask.astype(np.uint8), mask=mask, transform=transform)
            ]
            ours = shapes(result.to_geojson(transform=transform))[0]
            assert ours.is_valid
            expected = shapely.unary_union(theirs) if not theirs else shapely.MultiPolygon(theirs)
            difference = ours.symmetric_difference(expected).area
            assert difference <= 1e-6 * max(1.0, expected.area)
            for part in getattr(ours, "geoms", [ours] if mask.any() else []):
                assert part.exterior.is_ccw


def test_transforms_as_numbers():
    result = result_of(np.ones((1, 2, 3), bool))
    nine = (*NORTH_UP, 0, 0, 1)
    assert result.to_geojson(transform=NORTH_UP) == result.to_geojson(transform=np.array(nine))
    figure = shapes(result.to_geojson(transform=NORTH_UP))[0]
    assert figure.bounds == (400_000.25, 5_699_999.75, 400_001.75, 5_700_000.75)


@pytest.mark.parametrize(
    "transform",
    [
        (1, 0, 0),
        (1, 0, 0, 0, 1, 0, 0, 0, 2),
        (1, 2, 0, 2, 4, 0),
        (1, 0, float("nan"), 0, 1, 0),
        ("a",) * 6,
        5,
        "abcdef",
    ],
)
def test_other_transforms_are_refused(transform):
    with pytest.raises(rfseg.InputError, match="transform"):
        result_of(np.ones((1, 2, 3), bool)).to_geojson(transform=transform)


def test_simplified_geometries_stay_valid_and_near():
    fewer = compared = 0
    for result in results():
        exact = shapes(result.to_geojson())[0]
        assert result.to_geojson(simplify=0) == result.to_geojson()
        for distance_px in (0.5, 1, 2.5, 40):
            simple = shapes(result.to_geojson(simplify=distance_px))[0]
            assert simple.is_valid
            parts, originals = shapely.get_parts(simple), shapely.get_parts(exact)
            assert len(parts) == len(originals)
            assert [len(p.interiors) for p in parts if p.area] == [len(p.interiors) for p in originals if p.area]
            if not exact.is_empty:
                assert exact.hausdorff_distance(simple) <= distance_px + 1e-9
            fewer += shapely.get_num_coordinates(simple) < shapely.get_num_coordinates(exact)
            compared += 1
    assert compared > 150
    assert fewer > 60


@pytest.mark.parametrize("distance", [-1, float("nan"), float("inf")])
def test_other_distances_are_refused(distance):
    with pytest.raises(rfseg.InputError, match="tolerance"):
        result_of(np.ones((1, 2, 3), bool)).to_geojson(simplify=distance)
