"""`Segmenter("model.onnx", device="cuda")` on stand-ins: what is built, found again, refused."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import onnx
import pytest

import rfseg
import stand_in_gpu
from contracts import CONTRACT, with_metadata
from paths import DEMO_MODEL
from recording import Opened, builds
from rfseg import loading
from rfseg.engines import auto, cache, machine
from rfseg.engines.sidecar import Sidecar, read_sidecar, write_sidecar


def kept(model: Path = DEMO_MODEL, **wish: Any) -> Path:
    """An engine in the cache, as if it had been built."""
    key = cache.Key(
        **{
            "onnx_sha256": cache.onnx_digest(model), "recipe": "auto", "batch": 0, "tensorrt": "10.6.0",
            "gpu": "NVIDIA Stand-in", "driver_major": "580", "beside": cache.beside_digest(model), **wish,
        }
    )  # fmt: skip
    folder = cache.entry_folder(model, key)
    folder.mkdir(parents=True)
    shutil.copy(model, folder / "model.engine")
    write_sidecar(folder / "model.engine", Sidecar(engine_size=model.stat().st_size))
    return folder / "model.engine"


def test_an_engine_is_built_once_and_found_again(
    record: Path, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    with caplog.at_level(logging.INFO, logger="rfseg"):
        rfseg.Segmenter(
            DEMO_MODEL, device="cuda", precision="fp32", on_build=lambda stage, *_: told.append(stage)
        ).close()
    assert len(builds(record)) == 1
    assert told[0] == "reading"
    assert "verified fp32" in told
    said = [entry.message for entry in caplog.records]
    assert any("building an engine of" in sentence for sentence in said)
    assert any("built and verified in" in sentence for sentence in said)
    (engine, device, options) = opened[-1]
    assert (engine.name, device, options["max_batch"]) == ("model.engine", "cuda", 0)
    facts = read_sidecar(engine, check_digest=True)
    assert facts is not None
    assert (facts.resize, facts.places, facts.names["0"]) == ("pil", 50, "circle")
    for on_build in ("build", "never"):
        rfseg.Segmenter(DEMO_MODEL, device="cuda", precision="fp32", on_build=on_build).close()
        assert opened[-1][0] == engine
    assert len(builds(record)) == 1


def test_what_is_asked_reaches_the_build(record: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def found(model: Any, device: str, **wish: Any) -> Any:
        asked.update(wish, device=device)
        return model

    monkeypatch.setattr(auto, "engine_for", found)
    for device, text in (("cuda", "cuda"), (1, "cuda:1"), (["cuda:0", 1], "cuda:0,cuda:1"), ("cuda:all", "cuda:all")):
        rfseg.Segmenter(DEMO_MODEL, device=device).close()
        assert asked["device"] == opened[-1][1] == text
        assert (asked["max_batch"], asked["resize"], asked["tensorrt"]) == (None, None, None)
        assert (asked["precision"], asked["on_build"], asked["progress"]) == ("auto", "build", None)
    library, names = "/x/libnvinfer.so.10", [str(k) for k in range(8)]
    options: dict[str, Any] = {"max_batch": 1, "resize": "bilinear", "tensorrt": library}
    with rfseg.Segmenter(
        DEMO_MODEL, device="cuda", precision="bf16", on_build="never", names=names, **options
    ) as segmenter:
        assert segmenter.names[7] == "7"
    assert {key: asked[key] for key in options} == options
    assert (asked["precision"], asked["on_build"]) == ("bf16", "never")
    assert (opened[-1][2]["max_batch"], opened[-1][2]["resize"]) == (1, "bilinear")


def test_the_library_that_is_named_is_the_one_that_is_built_for(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str] = []

    def libraries(path: str = "") -> Any:
        named.append(path)
        return iter([machine.Library(path or "libnvinfer.so.10", "10.6.0")])

    monkeypatch.setattr(machine, "tensorrt_libraries", libraries)
    asked: dict[str, Any] = {}
    monkeypatch.setattr(auto, "_build", lambda model, folder, progress, wish: asked.update(wish) or folder)
    auto.engine_for(DEMO_MODEL, tensorrt="/x/libnvinfer.so.10")
    assert named == ["/x/libnvinfer.so.10"]
    assert asked["tensorrt"] == "/x/libnvinfer.so.10"
    monkeypatch.undo()
    monkeypatch.setenv("RFSEG_TENSORRT", "/nowhere/by/variable.so")
    (tried,) = machine.tensorrt_libraries("/nowhere/libnvinfer.so.10")
    assert (tried.path, "cannot open" in tried.reason) == ("/nowhere/libnvinfer.so.10", True)


@pytest.mark.parametrize(
    ("model", "options", "kind", "words"),
    [
        (DEMO_MODEL, {"precision": "fp16"}, rfseg.InputError, r"precision is 'fp16', and nothing is built for .*auto"),
        (DEMO_MODEL, {"precision": "fp16", "device": "cpu"}, rfseg.InputError, "runs in the precision that it has"),
        ("x.engine", {"precision": "fp16", "device": "cuda"}, rfseg.InputError, "nothing is built for 'x.engine'"),
        (DEMO_MODEL, {"precision": "int8", "device": "cuda"}, rfseg.InputError, "it must be one of auto"),
        (DEMO_MODEL, {"on_build": "ask"}, rfseg.InputError, 'on_build is \'ask\': it must be "build", "never" or'),
        (
            DEMO_MODEL,
            {"device": "cuda", "on_build": "never"},
            rfseg.BackendError,
            r"rfseg build .*shapes.onnx --cache$",
        ),
        (
            *(DEMO_MODEL, {"device": "cuda", "on_build": "never", "precision": "fp16", "max_batch": 1}),
            *(rfseg.BackendError, r"--cache --precision fp16 --max-batch 1$"),
        ),
        (DEMO_MODEL, {"device": "cuda:7"}, rfseg.BackendError, "1 GPUs are visible"),
        (DEMO_MODEL, {"device": "cuda:0,cuda"}, rfseg.InputError, "names a GPU twice"),
        (DEMO_MODEL, {"device": "cuda:x"}, rfseg.InputError, "device is 'cuda:x': it must be"),
        ("no/such.onnx", {"device": "cuda"}, rfseg.ModelError, "no such file"),
        (DEMO_MODEL, {"device": "cuda", "names": ["one"]}, rfseg.InputError, "1 class names, but the network has"),
        (DEMO_MODEL, {"device": "cuda", "threshold": {"dragon": 0.5}}, rfseg.InputError, "class 'dragon'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_built(
    record: Path, model: Any, options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        rfseg.Segmenter(model, **options)
    assert builds(record) == []


def test_several_gpus_of_one_model_have_one_engine(record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = stand_in_gpu.GPU, machine.Gpu(1, stand_in_gpu.GPU.name, "9.0", 1)
    monkeypatch.setattr(machine, "gpus", lambda: [one, two])
    engine = kept()
    for device in ("cuda:1", "cuda:0,cuda:1", "cuda:all"):
        assert auto.engine_for(DEMO_MODEL, device) == engine
    assert machine.gpu_of("cuda:1") == two
    monkeypatch.setattr(machine, "gpus", lambda: [one, machine.Gpu(1, "NVIDIA L4", "8.9", 1)])
    for device in ("cuda:0,cuda:1", "cuda:all"):
        with pytest.raises(rfseg.BackendError, match=r"of different models \(NVIDIA Stand-in, NVIDIA L4\)"):
            auto.engine_for(DEMO_MODEL, device)
    monkeypatch.setattr(machine, "gpus", list)
    with pytest.raises(rfseg.BackendError, match="0 GPUs are visible"):
        machine.gpu_of("cuda:all")


def test_what_the_onnx_file_states_goes_with_its_engine(tmp_path: Path, record: Path) -> None:
    names = {str(k): name for k, name in enumerate("abcdefgh")}
    facts = {"input_shape": [1, 3, 312, 312], "class_names": None, "class_id_to_name": None, "num_classes": 8}
    facts |= {"num_select": 40, "means": [0.5, 0.5, 0.25], "stds": [0.25, 0.5, 0.25]}
    model = onnx.load(DEMO_MODEL)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    path = with_metadata(
        tmp_path / "model.onnx", tmp_path / "bare.onnx", rfdetr_inference=json.dumps({**CONTRACT, **facts})
    )
    (tmp_path / "class_names.txt").write_text("\n".join(names.values()))
    seen = rfseg.build(path, precision="fp32", effort="low")
    found = read_sidecar(seen.engine)
    assert found is not None
    assert found.names == names
    assert (found.resize, found.places) == ("bilinear", 40)
    assert (found.mean, found.std) == ((0.5, 0.5, 0.25), (0.25, 0.5, 0.25))
    before = cache.beside_digest(path)
    (tmp_path / "class_names.txt").write_text("\n".join(reversed(names.values())))
    assert cache.beside_digest(path) != before


def test_auto_says_that_a_gpu_is_idle(
    record: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(device: str) -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="rfseg"):
            rfseg.Segmenter(DEMO_MODEL, device=device).close()
        return [entry.message for entry in caplog.records if "would build an engine" in entry.message]

    monkeypatch.setattr(loading, "tensorrt_folders", lambda: ["/x/tensorrt_libs"])
    assert said("auto") == []
    monkeypatch.setattr(loading, "DRIVER_IS_THERE", Path("/dev/null"))
    assert len(said("auto")) == 1
    assert said("cpu") == []
    monkeypatch.setattr(loading, "tensorrt_folders", list)
    assert said("auto") == []
