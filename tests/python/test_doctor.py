"""The doctor here, and on machines that lack or break one thing each: it never fails, and its advice fits."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rfseg
import stand_in_gpu
from paths import ROOT
from rfseg.cli.main import main
from rfseg.engines import doctor, machine
from rfseg.engines.doctor_words import advice, text
from rfseg.engines.machine import Library

HEALTHY: dict[str, Any] = {
    "onnxruntime": [{"path": "x", "reason": ""}],
    "gpus": {"found": [], "reason": "no NVIDIA driver"},
    "tensorrt": [{"path": "libnvinfer.so.10", "version": "", "reason": "cannot open"}],
    "packages": {"av": {"version": "18", "reason": ""}},
    "cache": {"reason": ""},
    "self_test": {"cpu": {"result": "2 instances", "reason": ""}},
}
GPU = {"found": [{"name": "NVIDIA H100"}], "reason": ""}
USABLE = [{"path": "/x/libnvinfer.so.10", "version": "10.6.0", "reason": ""}]
BROKEN = [{"path": "/x/libnvinfer.so.10", "version": "", "reason": "libcudart missing"}, *HEALTHY["tensorrt"]]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RFSEG_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RFSEG_TENSORRT", raising=False)


def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    found = rfseg.doctor()
    assert found["rfseg"] == rfseg.__version__
    assert found["self_test"]["cpu"]["reason"] == ""
    assert "instances in" in found["self_test"]["cpu"]["result"]
    assert found["onnxruntime"][0]["reason"] == ""
    assert found["packages"]["numpy"]["version"]
    assert found["next"]
    assert main(["doctor", "--json", "--no-self-test"]) == 0
    assert json.loads(capsys.readouterr().out)["self_test"] == {}
    assert main(["doctor", "--no-self-test"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1].startswith("next ")
    assert text(found).count("\n") > 8


@pytest.mark.parametrize(
    ("changes", "command", "problem"),
    [
        ({}, "rfseg run model.onnx clip.mp4", ""),
        ({"onnxruntime": [{"path": "", "reason": "not installed"}]}, "pip install onnxruntime", "not installed"),
        ({"packages": {"av": {"version": ""}}}, 'pip install "rfseg[video]"', "PyAV"),
        ({"gpus": GPU}, 'pip install "rfseg[gpu]"', "no TensorRT"),
        ({"gpus": GPU, "tensorrt": BROKEN}, 'pip install "rfseg[gpu]" --force-reinstall', "libcudart missing"),
        ({"gpus": GPU, "tensorrt": USABLE}, 'pip install "tensorrt-cu12==10.6.0.*" "rfseg[gpu]"', "Python package"),
        ({"cache": {"reason": "/ cannot be written"}}, "export RFSEG_CACHE=FOLDER", "cannot be written"),
    ],
)
def test_the_next_command_fits(changes: dict[str, Any], command: str, problem: str) -> None:
    problems, following = advice({**HEALTHY, **changes})
    assert following == command
    assert problem in " ".join(problems)
    assert bool(problems) == bool(problem)


def test_a_working_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "require_builder", lambda version: None)
    ready = {**HEALTHY, "gpus": GPU, "tensorrt": USABLE}
    tested = {"cpu": HEALTHY["self_test"]["cpu"], "cuda:0": {"result": "2 instances", "reason": ""}}
    assert advice({**ready, "self_test": tested}) == ([], "rfseg run model.onnx clip.mp4 --device cuda")
    unbuilt = {**tested, "cuda:0": {"result": "", "reason": 'on_build="never" ...: rfseg build x.onnx --cache'}}
    problems, following = advice({**ready, "self_test": unbuilt})
    assert problems == ["no engine of the packaged network is built yet"]
    assert following.startswith("rfseg build ")
    assert following.endswith("shapes.onnx --cache")


def test_a_gpu_with_a_broken_tensorrt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A real file that is no library, where RFSEG_TENSORRT points."""
    library = tmp_path / "libnvinfer.so.10"
    library.write_bytes(b"not a library")
    monkeypatch.setattr(machine, "gpus", lambda: [stand_in_gpu.GPU])
    monkeypatch.setenv("RFSEG_TENSORRT", str(library))
    found = rfseg.doctor()
    assert found["gpus"]["found"][0]["kernels"] == "cubin for 9.0"
    assert found["tensorrt"][0]["path"] == str(library)
    assert found["tensorrt"][0]["reason"]
    assert found["self_test"]["cuda:0"]["reason"]
    assert "TensorRT does not load" in found["problems"][0]
    assert found["next"] == "unset RFSEG_TENSORRT"
    assert "NVIDIA Stand-in, 9.0, 80.0 GiB" in text(found)


def test_broken_packages_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> Any:
        raise OSError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor, "import_module", fails)
    found = rfseg.doctor(self_test=False)
    assert 'libGL.so.1: cannot open shared object file; pip install "rfseg[viz]"' in found["packages"]["cv2"]["reason"]


def test_old_and_strange_tensorrt_libraries_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        def __init__(self, path: str, **_: Any) -> None:
            pass

        def getInferLibVersion(self) -> int:  # noqa: N802
            return 8601  # 8 and 9 counted in thousands

    monkeypatch.setenv("RFSEG_TENSORRT", "libm.so.6")
    [strange] = machine.tensorrt_libraries()
    assert "getInferLibVersion" in strange.reason
    monkeypatch.setattr(machine.ctypes, "CDLL", Old)
    [old] = machine.tensorrt_libraries()
    assert isinstance(old, Library)
    assert "it is TensorRT 8.6.1: 10.1 or a later 10.x, or 11.x, is needed" in old.reason


def test_kernel_images_are_those_that_are_compiled() -> None:
    source = (ROOT / "triton_kernels" / "build.py").read_text()
    line = next(line for line in source.splitlines() if line.startswith("CAPABILITIES"))
    compiled = [f"{int(part) // 10}.{int(part) % 10}" for part in line.split("(")[1].rstrip(")").split(",")]
    assert tuple(compiled) == doctor.KERNEL_IMAGES
    for capability, image in (
        ("7.5", ""),
        ("8.0", "cubin for 8.0"),
        ("8.9", "cubin for 8.9"),
        ("9.0", "cubin for 9.0"),
        ("10.3", "cubin for 10.0"),
        ("11.0", "PTX for 8.0"),
        ("13.0", "PTX for 8.0"),
    ):
        assert doctor.kernel_image(capability) == image


def test_importing_rfseg_stays_light() -> None:
    """Neither the engines' room nor onnx comes with `import rfseg`, and the command line does not bring onnx either."""
    program = (
        "import sys, rfseg; assert not [m for m in sys.modules if m.startswith('rfseg.engines')]\n"
        "import rfseg.cli.main; assert not {'onnx', 'onnxruntime', 'cv2', 'tensorrt'} & set(sys.modules)\n"
        "assert callable(rfseg.build) and callable(rfseg.verify) and callable(rfseg.doctor)\n"
        "try: rfseg.nothing\n"
        "except AttributeError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "no attribute 'nothing'" in ran.stdout


def test_a_machine_without_onnx_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(machine, "find_spec", lambda name: None if name == "onnx" else real("json"))
    with pytest.raises(rfseg.BackendError, match=r'onnx, which is not installed: pip install "rfseg\[gpu\]"'):
        machine.require_builder("10.6.0")
