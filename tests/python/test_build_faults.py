"""Builds that fail, are stopped or killed: what is said, and that nothing half made is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rfseg
import stand_in_gpu
from paths import DEMO_MODEL, ROOT
from recording import builds, left_behind
from waiting import until


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("parser", rfseg.ModelError, "cannot read the model: no importer for FooBar"),
        ("no engine", rfseg.ModelError, "Could not find any implementation for node X"),
        ("no gpu", rfseg.BackendError, "CUDA initialization failure"),
        ("crash", rfseg.ModelError, "ended with exit code 7"),
    ],
)
def test_what_tensorrt_meets_is_said(
    tmp_path: Path, record: Path, monkeypatch: pytest.MonkeyPatch, fault: str, kind: Any, words: str
) -> None:
    monkeypatch.setenv("STAND_FAULT", fault)
    out = tmp_path / "out"
    with pytest.raises(kind, match=words):
        rfseg.build(DEMO_MODEL, out / "m.engine", precision="fp32", effort="low")
    assert left_behind(out) == []


def test_a_builder_of_another_version_is_refused_before_it_builds(tmp_path: Path, record: Path) -> None:
    os.environ["STAND_VERSION"] = "10.16.1"
    with pytest.raises(rfseg.BackendError) as failure:
        rfseg.build(DEMO_MODEL, tmp_path / "m.engine", precision="fp32", effort="low")
    assert "package is 10.16.1, and the library that would run the engine is 10.6.0" in str(failure.value)
    assert 'pip install "tensorrt-cu12==10.6.0.*"' in str(failure.value)
    assert builds(record) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, record: Path) -> None:
    """The worker, and this process, may write files of a megabyte at most."""
    import resource

    out, before = tmp_path / "out", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(OSError, match=r"too large|no room"):
            rfseg.build(DEMO_MODEL, out / "m.engine", precision="fp32", effort="low")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert left_behind(out) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_told_to_stop_leaves_nothing(tmp_path: Path, record: Path, number: int) -> None:
    out = tmp_path / "out"
    program = (
        f"import signal, sys; sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background ignores it\n"
        "import stand_in_gpu; stand_in_gpu.patched()\n"
        "from rfseg.cli.main import main\n"
        f"options = ['-o', {str(out / 'm.engine')!r}, '--precision', 'fp32', '--effort', 'low']\n"
        f"sys.exit(main(['build', {str(DEMO_MODEL)!r}, *options]))\n"
    )
    environment = {**os.environ, "STAND_SLEEP_S": "60"}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE) as building:
        until(lambda: bool(builds(record)))
        building.send_signal(number)
        assert building.wait(20) == (130 if number == signal.SIGINT else 143)
    assert left_behind(out) == []
    assert_gone(builds(record)[0]["process"])


def test_a_killed_build_takes_its_worker_along(tmp_path: Path, record: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
        "import stand_in_gpu; stand_in_gpu.patched()\n"
        f"import rfseg; rfseg.build({str(DEMO_MODEL)!r}, {str(tmp_path / 'm.engine')!r}, precision='fp32')\n"
    )
    environment = {**os.environ, "STAND_SLEEP_S": "60"}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL) as building:
        until(lambda: bool(builds(record)))
        building.kill()
    assert not (tmp_path / "m.engine").exists()
    assert_gone(builds(record)[0]["process"])


def assert_gone(process: int) -> None:
    def gone() -> bool:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        return state == "Z"  # only its parent's look at it is missing

    until(gone, 10)


def test_without_a_gpu_the_driver_is_named() -> None:
    with pytest.raises(rfseg.BackendError, match="NVIDIA's driver"):
        rfseg.build(DEMO_MODEL)


def test_without_tensorrt_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from rfseg.engines import machine

    monkeypatch.setattr(machine, "gpus", lambda: [stand_in_gpu.GPU])
    monkeypatch.setenv("RFSEG_TENSORRT", "/nowhere/libnvinfer.so.10")
    with pytest.raises(rfseg.BackendError, match=r'pip install "rfseg\[gpu\]"'):
        rfseg.build(DEMO_MODEL)
    monkeypatch.setattr(machine, "tensorrt_libraries", lambda *_: iter([machine.Library("x", "10.6.0")]))
    with pytest.raises(rfseg.BackendError, match=r'pip install "tensorrt-cu12==10\.6\.0\.\*" "rfseg\[gpu\]"'):
        rfseg.build(DEMO_MODEL)
