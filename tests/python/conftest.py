"""What several test files drive: the demo's frames, an open Segmenter, a machine with stand-ins for a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import rfseg
from paths import DATA, DEMO_CLIP, DEMO_MODEL
from recording import Opened, open_engines_on_cpu, own_cache, stand_ins
from watched_network import threads


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    import av

    with av.open(str(DEMO_CLIP)) as clip:
        return [frame.to_ndarray(format="bgr24") for frame, _ in zip(clip.decode(video=0), range(12), strict=False)]


@pytest.fixture(scope="module")
def seg() -> Iterator[rfseg.Segmenter]:
    with rfseg.Segmenter(DEMO_MODEL) as segmenter:
        yield segmenter


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a cache of engines that is the test's own."""
    return own_cache(tmp_path, monkeypatch)


@pytest.fixture
def no_watching_thread_stays() -> Iterator[None]:
    """Fails a test that leaves threads of `Segmenter.watch` behind."""
    yield
    assert threads() == []


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for a GPU and TensorRT's builder, and where the builder notes what it is asked."""
    return stand_ins(tmp_path, monkeypatch)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """What the core is asked to open; engines are ONNX files, which it opens on the CPU."""
    return open_engines_on_cpu(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def quick() -> Iterator[rfseg.Segmenter]:
    """A network of a millisecond."""
    with rfseg.Segmenter(DATA / "models" / "plain.onnx", threshold=0.0) as segmenter:
        yield segmenter
