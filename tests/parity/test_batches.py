"""Batches: each frame of one gets what the host's stages make of the network's answers for it, whoever is beside it."""

from __future__ import annotations

import numpy as np
import pytest

import rfseg
from parity.answers import assert_same, infer_batch_both_ways
from parity.inputs import noise


@pytest.fixture(scope="module")
def views(mixed) -> list[np.ndarray]:
    """Sizes, strides and memory orders that have nothing in common."""
    small = [noise(1, 1), noise(2, 3, 1), noise(97, 33, 2), np.asfortranarray(noise(50, 60, 3))]
    return [*mixed[:12], *small, mixed[0][::7, ::3], mixed[1][5:300, 100:101], np.zeros((640, 427, 3), np.uint8)]


@pytest.mark.parametrize("resize", ["pil", "bilinear"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 16])
def test_a_mixed_batch_equals_the_host(shared, views, size, resize):
    segmenter, instances = shared("dynamic", resize=resize), 0
    before = segmenter.info
    for begin in range(0, len(views), size):
        batch = views[begin : begin + size]
        for frame, found in zip(batch, infer_batch_both_ways(segmenter, batch), strict=True):
            expected = rfseg.ops.preprocess(frame, segmenter.info["network_size"], resize=resize)
            assert found.network_input.tobytes() == expected.tobytes()
            assert_same(found.result, found.by_host, frame.shape, ("external",))
            instances += len(found.result)
    after = segmenter.info
    assert instances > 10
    assert after["captures"] == before["captures"]
    assert after["batches"] - before["batches"] <= len(views) - (size > 1) * len(views) // 3


def test_batches_grow_with_the_load(shared, mixed):
    segmenter = shared("dynamic")
    before = segmenter.info
    found = sum(len(result) for result in segmenter.stream(mixed * 20))
    after = segmenter.info
    assert found > 0
    assert after["frames"] - before["frames"] == 20 * len(mixed)
    assert after["batches"] - before["batches"] < 0.7 * 20 * len(mixed)
    alone = segmenter.info["batches"]
    segmenter.infer(mixed[0])
    assert segmenter.info["batches"] == alone + 1


def test_rules_of_single_frames(shared, mixed):
    segmenter = shared("dynamic")
    for frame in mixed[:4]:
        everything = segmenter.infer(frame, threshold=0.05)
        assert all(everything.confidence > np.float32(0.05))
        some = segmenter.infer(frame, threshold={None: 0.99999, "circle": 0.2})
        assert set(some.class_id.tolist()) <= {0}
        only = segmenter.infer(frame, threshold=0.05, classes=["star", 1])
        assert_same(only, everything[np.isin(everything.class_id, [1, 3])])
    before = segmenter.info
    for i in range(50):
        segmenter.infer(mixed[0], threshold=i / 50)
    assert segmenter.info["captures"] == before["captures"]
    assert segmenter.info["device_allocations"] == before["device_allocations"]


def test_sizes_cost_nothing_below_the_largest(shared, clips):
    segmenter = shared("dynamic", slots=8)
    frame = clips["shapes_1080p"][3]
    for _ in segmenter.stream([frame] * 32):
        pass
    before, random = segmenter.info, np.random.default_rng(3)
    sizes = [(int(random.integers(1, 1081)), int(random.integers(1, 1921))) for _ in range(1000)]
    results = list(segmenter.stream(frame[:height, :width] for height, width in sizes))
    assert [result.image_size for result in results] == sizes
    after = segmenter.info
    assert after["captures"] == before["captures"]
    assert after["device_allocations"] == before["device_allocations"]
    assert after["module_loads"] == before["module_loads"]
