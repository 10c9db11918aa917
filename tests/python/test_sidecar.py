"""Sidecars: rfseg's own there and back, rfdetr's two forms, and every way in which one can be wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import rfseg
from rfseg.engines.sidecar import Sidecar, read_sidecar, sidecar_path, write_sidecar

BYTES = b"an engine"
DIGEST = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    path = tmp_path / "model.trt"
    path.write_bytes(BYTES)
    return path


def facts(**changes: Any) -> Sidecar:
    return Sidecar(
        **{
            "engine_size": len(BYTES),
            "engine_sha256": DIGEST,
            "onnx_file": "model.onnx",
            "onnx_sha256": "ab" * 32,
            "network_size": (312, 312),
            "batch": (1, 8),
            "profiles": [(1, 8, 8)],
            "resize": "bilinear",
            "names": {"0": "circle"},
            "tensorrt": "10.6.0",
            "gpu": "NVIDIA H100",
            "compute_capability": "9.0",
            "driver": "580.159",
            "recipe": "fp16-fused",
            "precision": "float16",
            "layers": {"float16": 0.8, "float32": 0.2},
            "verification": {"passed": True},
            **changes,
        }
    )


def test_there_and_back(engine: Path) -> None:
    write_sidecar(engine, facts())
    assert sidecar_path(engine).name == "model.trt.json"
    assert read_sidecar(engine, check_digest=True) == facts()
    assert json.loads(sidecar_path(engine).read_text())["schema_version"] == 1
    assert [path.name for path in sorted(engine.parent.iterdir())] == ["model.trt", "model.trt.json"]


def test_no_sidecar(engine: Path) -> None:
    assert read_sidecar(engine) is None


def test_unknown_keys_are_left_alone(engine: Path) -> None:
    write_sidecar(engine, facts())
    known = json.loads(sidecar_path(engine).read_text())
    sidecar_path(engine).write_text(json.dumps({**known, "from_the_future": 1}))
    assert read_sidecar(engine) == facts()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "no JSON object"),
        ('{"schema_version": 2}', "schema_version is 2, this rfseg reads 1: build the engine again"),
        ('{"schema_version": 1, "tensorrt": 10}', "tensorrt is 10, a str is expected"),
        ('{"schema_version": 1, "engine_size": 5}', "describes another build"),
    ],
)
def test_a_wrong_sidecar_is_refused(engine: Path, text: str, words: str) -> None:
    sidecar_path(engine).write_text(text)
    with pytest.raises(rfseg.ModelError, match=words):
        read_sidecar(engine)


def test_other_bytes_are_found_when_asked(engine: Path) -> None:
    write_sidecar(engine, facts())
    engine.write_bytes(BYTES[::-1])
    assert read_sidecar(engine) is not None
    with pytest.raises(rfseg.ModelError, match="describes another build"):
        read_sidecar(engine, check_digest=True)


def contract(**changes: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "producer_version": "1.12.0",
        "task": "segment",
        "input_shape": [-1, 3, 312, 312],
        "max_batch_size": 16,
        "resize_antialias": False,
        "means": [0.485, 0.456, 0.406],
        "stds": [0.229, 0.224, 0.225],
        "class_names": ["cat", "dog"],
        "class_id_to_name": {"1": "cat", "17": "dog"},
        **changes,
    }


def write_contract(engine: Path, digest: str = DIGEST, **changes: Any) -> None:
    text = json.dumps({"artifact_sha256": digest, "metadata": contract(**changes)})
    Path(f"{engine}.rfdetr.json").write_text(text)


def write_build(engine: Path, **changes: Any) -> None:
    known = {
        "schema_version": 1,
        "engine": {"size": len(BYTES), "sha256": DIGEST},
        "input": {
            "name": "input",
            "height": 312,
            "width": 312,
            "normalization": {"scale": 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
            "resize": {"interpolation": "bilinear", "half_pixel_centers": True, "antialias": False},
        },
        "outputs": [],
        "batch": {"dynamic": True, "min": 1, "opt": 8, "max": 16},
        "build": {
            "precision": "fp16",
            "tensorrt_version": "10.6.0",
            "gpu": {"name": "NVIDIA H100", "compute_capability": "9.0"},
        },
        "unknown": 1,
        **changes,
    }
    engine.with_suffix(".json").write_text(json.dumps(known))


def test_rfdetrs_contract_is_read(engine: Path) -> None:
    write_contract(engine)
    found = read_sidecar(engine)
    assert found is not None
    assert (found.network_size, found.batch, found.resize) == ((312, 312), (1, 16), "bilinear")
    assert found.names == {"1": "cat", "17": "dog"}
    assert found.notes == ["exported by rfdetr 1.12.0"]


def test_rfdetrs_build_is_read_and_the_two_are_one(engine: Path) -> None:
    write_build(engine)
    found = read_sidecar(engine)
    assert found is not None
    assert (found.tensorrt, found.gpu, found.compute_capability) == ("10.6.0", "NVIDIA H100", "9.0")
    assert (found.precision, found.batch) == ("float16", (1, 16))
    write_contract(engine)
    both = read_sidecar(engine)
    assert both is not None
    assert (both.tensorrt, both.names) == ("10.6.0", {"1": "cat", "17": "dog"})


def test_rfdetrs_sidecars_that_do_not_fit_are_refused(engine: Path) -> None:
    for changes, words in (
        ({"digest": "00"}, "describes another build"),
        ({"schema_version": 3}, "schema_version is 3"),
        ({"task": "detect"}, "its task is 'detect'"),
        ({"means": None}, "does not say what rfdetr's contract asks"),
    ):
        write_contract(engine, **changes)
        with pytest.raises(rfseg.ModelError, match=words):
            read_sidecar(engine)
    write_contract(engine, resize_antialias=True)
    write_build(engine)
    with pytest.raises(rfseg.ModelError, match=r"says resize pil, model\.json says bilinear"):
        read_sidecar(engine)


def test_our_own_sidecar_comes_first(engine: Path) -> None:
    write_contract(engine, task="detect")
    write_sidecar(engine, facts())
    assert read_sidecar(engine) == facts()
