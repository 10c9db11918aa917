"""The cache of engines: what decides a key, what is found, damage, and folders that cannot be written."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import rfseg
import stand_in_gpu
from paths import DATA, DEMO_MODEL
from rfseg.cli.main import main
from rfseg.engines import auto, cache
from rfseg.engines.files import write_atomically
from rfseg.engines.sidecar import Sidecar, sidecar_path, write_sidecar

KEY = cache.Key("ab" * 32, "auto", 1, "10.6.0", "NVIDIA H100", "580", "pil")


pytestmark = pytest.mark.usefixtures("folder")


def put(folder: Path, size: int = 4) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.engine").write_bytes(b"plan")
    write_sidecar(folder / "model.engine", Sidecar(engine_size=size, onnx_file="m.onnx", recipe="fp32"))
    return folder / "model.engine"


def test_everything_that_matters_is_in_the_key() -> None:
    changed = [
        replace(KEY, onnx_sha256="cd" * 32),
        replace(KEY, recipe="fp32"),
        replace(KEY, batch=8),
        replace(KEY, tensorrt="10.16.1"),
        replace(KEY, gpu="NVIDIA H200"),
        replace(KEY, driver_major="590"),
        replace(KEY, resize="bilinear"),
        replace(KEY, beside="ef" * 32),
    ]
    assert len({key.text() for key in (KEY, *changed)}) == 9
    assert cache.entry_folder("a/model.onnx", KEY) == cache.cache_folder() / "engines" / f"model-{KEY.text()}"


def test_names_beside_the_file_are_part_of_the_key(tmp_path: Path) -> None:
    assert cache.beside_digest(tmp_path / "model.onnx") == ""
    (tmp_path / "model.names.json").write_text('["cat"]')
    assert len(cache.beside_digest(tmp_path / "model.onnx")) == 64


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("RFSEG_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "rfseg"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / ".cache" / "rfseg"


def test_only_whole_engines_are_found(folder: Path) -> None:
    assert cache.lookup(folder / "engines" / "none") is None
    whole = put(folder / "engines" / "whole")
    assert cache.lookup(whole.parent) == whole
    cut = put(folder / "engines" / "cut", size=5)
    assert cache.lookup(cut.parent) is None
    without = put(folder / "engines" / "without")
    sidecar_path(without).unlink()
    assert cache.lookup(without.parent) is None


def test_list_and_clear(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder / "engines" / "whole")
    put(folder / "engines" / "cut", size=5)
    assert main(["cache"]) == 0
    said = capsys.readouterr().out
    assert "m.onnx, fp32" in said
    assert "not whole" in said
    assert "2 engines" in said
    assert main(["cache", "clear"]) == 0
    assert "freed" in capsys.readouterr().out
    assert cache.entries() == []
    assert main(["cache", "list"]) == 0
    assert "0 engines" in capsys.readouterr().out


def test_a_digest_is_read_once_and_again_when_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "model.onnx"
    copy.write_bytes((DATA / "models" / "plain.onnx").read_bytes())
    first = cache.onnx_digest(copy)
    monkeypatch.setattr(cache, "sha256_of", lambda files: pytest.fail("read again"))
    assert cache.onnx_digest(copy) == first
    monkeypatch.undo()
    monkeypatch.setenv("RFSEG_CACHE", str(tmp_path / "cache"))
    copy.write_bytes((DATA / "models" / "reordered.onnx").read_bytes())
    assert cache.onnx_digest(copy) != first


def test_external_weights_are_part_of_the_digest(tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "model.onnx"
    model = onnx.load(DATA / "models" / "plain.onnx")
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    first = cache.onnx_digest(path)
    weights = tmp_path / "weights.bin"
    weights.write_bytes(bytes([weights.read_bytes()[0] ^ 1]) + weights.read_bytes()[1:])
    assert cache.onnx_digest(path) != first


def test_a_read_only_cache_that_holds_the_engine_serves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_gpu.patched(monkeypatch.setattr)
    key = cache.Key(cache.onnx_digest(DEMO_MODEL), "auto", 0, "10.6.0", "NVIDIA Stand-in", "580")
    engine = put(cache.entry_folder(DEMO_MODEL, key))
    monkeypatch.setattr(cache, "write_atomically", lambda path, data: pytest.fail(f"it writes {path}"))
    monkeypatch.setattr(auto, "locked", lambda *_: pytest.fail("it takes a lock"))
    assert auto.engine_for(DEMO_MODEL) == engine


def test_on_build_never_refuses_with_the_next_command(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_gpu.patched(monkeypatch.setattr)
    with pytest.raises(rfseg.BackendError, match=r'on_build="never".*rfseg build .*shapes\.onnx --cache'):
        auto.engine_for(DEMO_MODEL, on_build="never")


def test_a_cached_engine_needs_neither_onnx_nor_tensorrts_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_gpu.patched(monkeypatch.setattr)
    key = cache.Key(cache.onnx_digest(DEMO_MODEL), "auto", 0, "10.6.0", "NVIDIA Stand-in", "580")
    engine = put(cache.entry_folder(DEMO_MODEL, key))
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr("rfseg.engines.machine.require_builder", lambda version: pytest.fail("it asks for a builder"))
    assert auto.engine_for(DEMO_MODEL) == engine


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be: root may write anywhere else."""
    (tmp_path / "cache").write_text("")
    stand_in_gpu.patched(monkeypatch.setattr)
    with pytest.raises(OSError, match="cache"):
        auto.engine_for(DEMO_MODEL)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "engine"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"9 bytes do not fit, .* are free there; nothing half made was left"):
        write_atomically(target, b"an engine")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["engine"]
    assert target.read_bytes() == b"old"


def test_leftovers_of_killed_builds_go(folder: Path) -> None:
    entry = folder / "engines" / "x"
    (entry / ".rfseg-build-abc").mkdir(parents=True)
    (entry / ".rfseg-build-abc" / "half.engine").write_bytes(b"half")
    (entry / ".model.123.part.engine").write_bytes(b"half")
    cache.remove_leftovers(entry)
    assert list(entry.iterdir()) == []
