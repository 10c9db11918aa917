"""The C++ side: its unit tests, and a stranger's project that embeds the library in both supported ways."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rfseg
from paths import DEMO_CLIP, DEMO_MODEL, ROOT

BUILD = ROOT / "build"


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return done.stdout


def cmake(source: Path, build: Path, *options: str) -> None:
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DPython_EXECUTABLE={sys.executable}", *options)
    run("cmake", "--build", build)


def onnxruntime() -> str:
    with rfseg.Segmenter(DEMO_MODEL) as segmenter:
        return str(segmenter.info["library_path"])


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    import av

    with av.open(str(DEMO_CLIP)) as clip:
        pixels = next(clip.decode(video=0)).to_ndarray(format="rgb24")
    path = tmp_path_factory.mktemp("frame") / "frame.ppm"
    path.write_bytes(b"P6 %d %d 255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes())
    return path, pixels


def segmented_as_in_python(consumer: Path, frame: tuple[Path, np.ndarray]) -> None:
    lines = run(consumer, DEMO_MODEL, frame[0], RFSEG_ONNXRUNTIME=onnxruntime()).splitlines()
    with rfseg.Segmenter(DEMO_MODEL, color="rgb") as segmenter:
        result = segmenter.infer(frame[1])
    assert len(result) > 3
    assert lines[0] == f"rfseg {rfseg.__version__}, {len(result)} instances"
    for line, name, score, outlines in zip(
        lines[1:], result.class_name, result.confidence, result.polygons(), strict=True
    ):
        points = [tuple(map(int, point)) for outline in outlines for point in outline]
        assert line.startswith(f"{name} {score:.6f} {len(outlines)} outlines:")
        assert [tuple(map(int, pair.split(","))) for pair in line.split(":")[1].split()] == points


def test_cpp_units() -> None:
    cmake(ROOT, BUILD / "tests", "-DRFSEG_BUILD_TESTS=ON", "-DRFSEG_DEVELOPER=ON", "-DCMAKE_BUILD_TYPE=Release")
    report = run("ctest", "--test-dir", BUILD / "tests", "--output-on-failure", RFSEG_ONNXRUNTIME=onnxruntime())
    passed = re.search(r"100% tests passed.* out of (\d+)", report)
    assert passed, report
    assert int(passed.group(1)) >= 1


def test_find_package_from_the_installed_package(frame: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    if not Path(rfseg.get_cmake_dir()).is_dir():
        pytest.fail("rfseg is not installed: run `pip install .` first")
    cmake(ROOT / "tests" / "consumer", tmp_path, f"-Drfseg_DIR={rfseg.get_cmake_dir()}")
    segmented_as_in_python(tmp_path / "consumer", frame)


def test_find_package_from_an_installed_prefix(frame: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    cmake(ROOT, BUILD / "tests", "-DRFSEG_BUILD_TESTS=ON", "-DRFSEG_DEVELOPER=ON", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--install", BUILD / "tests", "--prefix", tmp_path / "prefix")
    cmake(ROOT / "tests" / "consumer", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}")
    segmented_as_in_python(tmp_path / "build" / "consumer", frame)


def test_add_subdirectory(frame: tuple[Path, np.ndarray]) -> None:
    build = BUILD / "consumer"
    cmake(ROOT / "tests" / "consumer", build, f"-DRFSEG_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release")
    segmented_as_in_python(build / "consumer", frame)
