"""Where pip packages keep TensorRT and ONNX Runtime: found in order, and without running any of their code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rfseg.libraries import onnxruntime_library, tensorrt_folders

IN_ORDER = ["tensorrt_libs", "tensorrt_lean_libs", "tensorrt_cu13_libs", "tensorrt_cu12_libs"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which packages are looked for: what is installed cannot help."""
    monkeypatch.delenv("RFSEG_ONNXRUNTIME", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for name in [*IN_ORDER, "onnxruntime"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def install(site: Path, package: str, *files: str) -> Path:
    """A package that cannot be imported."""
    folder = site / package
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    return folder


def test_tensorrt_is_found_in_order_and_not_imported(site: Path) -> None:
    for package in sorted(IN_ORDER):
        install(site, package, "libnvinfer.so.10")
    assert tensorrt_folders() == [str(site / package) for package in IN_ORDER]
    assert not set(IN_ORDER) & set(sys.modules)


@pytest.mark.parametrize("present", [IN_ORDER[1:2], IN_ORDER[::3], []], ids=lambda names: " ".join(names) or "none")
def test_absent_tensorrt_packages_are_skipped(site: Path, present: list[str]) -> None:
    for package in present:
        install(site, package)
    assert tensorrt_folders() == [str(site / package) for package in present]


def test_a_module_has_no_folder(site: Path) -> None:
    (site / "tensorrt_libs.py").touch()
    assert tensorrt_folders() == []


def test_onnxruntime_is_found_and_not_imported(site: Path) -> None:
    package = install(site, "onnxruntime", "capi/libonnxruntime.so.1.19.2", "capi/libonnxruntime_providers_shared.so")
    assert onnxruntime_library() == str(package / "capi" / "libonnxruntime.so.1.19.2")
    assert "onnxruntime" not in sys.modules


def test_without_onnxruntime_the_search_is_left_to_the_core(site: Path) -> None:
    assert onnxruntime_library() == ""


def test_an_onnxruntime_older_than_its_library_is_left_to_the_core_too(site: Path) -> None:
    install(site, "onnxruntime", "capi/onnxruntime_pybind11_state.so")
    assert onnxruntime_library() == ""


def test_a_users_own_onnxruntime_is_left_to_the_core(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "onnxruntime", "capi/libonnxruntime.so.1.19.2")
    monkeypatch.setenv("RFSEG_ONNXRUNTIME", "/opt/libonnxruntime.so")
    assert onnxruntime_library() == ""
