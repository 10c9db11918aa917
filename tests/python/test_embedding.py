"""The C++ side: its unit tests, and a stranger's project that embeds the library in both supported ways."""

from __future__ import annotations

import os
import re
import shutil
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


def segmented_as_in_python(build: Path, frame: tuple[Path, np.ndarray]) -> None:
    """From C++ and from C, without a word about ONNX Runtime: it is found in the environment of the configuration."""
    for program in ("consumer", "plain_c"):
        check_answers(run(build / program, DEMO_MODEL, frame[0], RFSEG_ONNXRUNTIME="").splitlines(), frame)


def check_answers(lines: list[str], frame: tuple[Path, np.ndarray]) -> None:
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
    cmake(ROOT / "tests" / "consumer", tmp_path, f"-Drfseg_DIR={rfseg.get_cmake_dir()}")
    segmented_as_in_python(tmp_path, frame)


def test_find_package_from_an_installed_prefix(frame: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    cmake(ROOT, BUILD / "tests", "-DRFSEG_BUILD_TESTS=ON", "-DRFSEG_DEVELOPER=ON", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--install", BUILD / "tests", "--prefix", tmp_path / "prefix")
    cmake(ROOT / "tests" / "consumer", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={tmp_path / 'prefix'}")
    segmented_as_in_python(tmp_path / "build", frame)


def test_add_subdirectory_for_a_cpu(
    frame: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without triton, and in a project that has CMake modules of its own by the names of rfseg's."""
    build, strangers = BUILD / "consumer", tmp_path / "cmake"
    strangers.mkdir()
    for name in ("OpenCV", "Kernels", "Install"):
        (strangers / f"{name}.cmake").write_text(f'message(FATAL_ERROR "this {name} is not yours")\n')
    (tmp_path / "triton.py").write_text("raise RuntimeError('triton is not needed for a CPU')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    options = [f"-DRFSEG_SOURCE={ROOT}", f"-DCMAKE_MODULE_PATH={strangers}", "-DRFSEG_GPU=OFF"]
    cmake(ROOT / "tests" / "consumer", build, *options, "-DCMAKE_BUILD_TYPE=Release")
    segmented_as_in_python(build, frame)


def test_a_program_without_onnxruntime_says_where_it_looked(tmp_path: Path, frame: tuple[Path, np.ndarray]) -> None:
    """The library of a package, moved to where no other package lies."""
    lonely = tmp_path / "site" / "rfseg" / "lib"
    lonely.mkdir(parents=True)
    shutil.copy(Path(rfseg.get_cmake_dir()).parents[1] / "librfseg.so", lonely)
    cmake(ROOT / "tests" / "consumer", tmp_path / "build", f"-Drfseg_DIR={rfseg.get_cmake_dir()}")
    done = subprocess.run(
        [tmp_path / "build" / "consumer", DEMO_MODEL, frame[0]],
        env={**os.environ, "RFSEG_ONNXRUNTIME": "", "LD_LIBRARY_PATH": str(lonely)},  # before the program's RUNPATH
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout
    assert "libonnxruntime.so.1 (from the loader's search)" in done.stderr
    looked_at = tmp_path / "site" / "onnxruntime" / "capi"
    assert f"no libonnxruntime.so.* in {looked_at} (the Python packages beside rfseg)" in done.stderr


def needs(compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed here")


@pytest.mark.parametrize("standard", ["c++17", "c++20"])
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_public_headers_give_no_warning(compiler: str, standard: str) -> None:
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
    source = ROOT / "tests" / "consumer" / "main.cpp"
    needs(compiler)
    run(compiler, f"-std={standard}", *warnings, "-fsyntax-only", "-I", rfseg.get_include(), source)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_c_header_gives_no_warning(compiler: str) -> None:
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
    source = ROOT / "tests" / "consumer" / "plain.c"
    needs(compiler)
    run(compiler, "-std=c11", *warnings, "-fsyntax-only", "-I", rfseg.get_include(), source)


def test_the_library_exports_what_its_headers_declare_and_no_more() -> None:
    """Of C++, members and type information of what is public; the library's own copies of templates stay inside."""
    library = Path(rfseg.get_cmake_dir()).parents[1] / "librfseg.so"
    names = [line.split(maxsplit=2)[2] for line in run("nm", "-DC", "--defined-only", library).splitlines()]
    declared = (Path(rfseg.get_include()) / "rfseg" / "rfseg.h").read_text()
    functions = set(re.findall(r"RFSEG_API[^;(]*?(rfseg_\w+)\(", declared))
    assert len(functions) > 20
    assert {name for name in names if re.fullmatch(r"rfseg_\w+", name)} == functions
    classes = "Error|ModelError|BackendError|CudaError|InputError"
    cpp = rf"rfseg::(Masks|Segmenter|Ticket|ops)::.*|(typeinfo|typeinfo name|vtable) for rfseg::({classes})"
    strangers = [name for name in names if name not in functions and not re.fullmatch(cpp, name)]
    assert strangers == []


def test_a_version_of_a_developer_builds(tmp_path: Path) -> None:
    for name in ("CMakeLists.txt", "csrc", "triton_kernels", "docs"):
        os.symlink(ROOT / name, tmp_path / name)
    described = (ROOT / "pyproject.toml").read_text()
    changed = re.sub('^version = ".*"$', 'version = "0.2.0.dev1"', described, flags=re.MULTILINE)
    assert changed != described
    (tmp_path / "pyproject.toml").write_text(changed)
    options = ["-G", "Ninja", f"-DPython_EXECUTABLE={sys.executable}", "-DRFSEG_GPU=OFF"]
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", *options)
    header = (tmp_path / "build" / "include" / "rfseg" / "version.hpp").read_text()
    assert '#define RFSEG_VERSION "0.2.0.dev1"' in header
    assert "#define RFSEG_VERSION_MINOR 2" in header


def test_headers_cite_a_contract_that_is_installed_beside_them() -> None:
    installed = Path(rfseg.get_include(), "rfseg", "contract.md")
    assert installed.read_bytes() == (ROOT / "docs" / "contract.md").read_bytes()


def test_a_package_without_its_library_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rfseg.paths._PACKAGE", tmp_path)
    for asked in (rfseg.get_cmake_dir, rfseg.get_include):
        with pytest.raises(FileNotFoundError, match="no C\\+\\+ library to embed"):
            asked()
