"""A machine with stand-ins for a GPU and TensorRT's builder, and a record of what the builder was asked."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import rfseg
import stand_in_gpu

Opened = list[tuple[Path, str, dict[str, Any]]]  # file, device, options


def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gives the test a cache, a version of TensorRT and a search path that end with it; returns the cache's folder."""
    monkeypatch.setenv("RFSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("STAND_VERSION", "")
    return tmp_path / "cache"


def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts them in place, with a cache of the test's own; returns where the record is written."""
    path = tmp_path / "record.jsonl"
    monkeypatch.setenv("STAND_RECORD", str(path))
    own_cache(tmp_path, monkeypatch)
    stand_in_gpu.patched(monkeypatch.setattr)
    return path


def open_engines_on_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Lets the core open engines, which are ONNX files here, on the CPU; returns what it is asked to open."""
    asked: Opened = []
    core = rfseg._core.Segmenter

    def open_anything(model: Any, *, device: str, **options: Any) -> Any:
        asked.append((Path(model), device, options))
        if not device.startswith("cuda"):
            return core(model, device=device, **options)
        copy = tmp_path / "engine.onnx"
        shutil.copy(model, copy)
        return core(copy, device="cpu", **options)

    monkeypatch.setattr(rfseg._core, "Segmenter", open_anything)
    return asked


def builds(record: Path) -> list[dict[str, Any]]:
    """What was asked, build by build."""
    return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


def left_behind(folder: Path) -> list[str]:
    """The names in a folder."""
    return sorted(path.name for path in folder.iterdir())
