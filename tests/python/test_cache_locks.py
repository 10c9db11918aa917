"""The lock of the cache: two processes build once, whoever is killed frees it, who waits is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paths import DEMO_MODEL, ROOT
from rfseg.engines.files import locked
from rfseg.engines.sidecar import read_sidecar
from waiting import until

# A build that takes a moment and counts itself.
PROGRAM = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(ROOT / "tests")!r})
import stand_in_gpu
stand_in_gpu.patched()
from rfseg.engines import auto, build, machine
from rfseg.engines.build_report import BuildReport
from rfseg.engines.sidecar import Sidecar, write_sidecar
machine.require_builder = lambda version: None

def slow(model, engine, **wish):
    with open(sys.argv[1], "a") as count:
        count.write("built\\n")
    time.sleep(1.5)
    engine.parent.mkdir(parents=True, exist_ok=True)
    engine.write_bytes(b"plan")
    write_sidecar(engine, Sidecar(engine_size=4))
    return BuildReport(engine)

build.build = slow
Path(sys.argv[1] + sys.argv[2]).touch()
print(auto.engine_for({str(DEMO_MODEL)!r}))
"""


pytestmark = pytest.mark.usefixtures("folder")


def test_two_processes_build_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    both = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(count), name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    engines = {process.communicate(timeout=60)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert count.read_text() == "built\n"
    assert len(engines) == 1
    assert read_sidecar(engines.pop()) is not None


def test_a_lock_is_freed_when_its_holder_is_killed(tmp_path: Path) -> None:
    count = tmp_path / "count"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(count), "a"], stdout=subprocess.DEVNULL) as holder:
        until(count.exists)
        holder.kill()
    again = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(count), "b"], capture_output=True, text=True, timeout=60, check=True
    )
    assert count.read_text() == "built\nbuilt\n"
    assert read_sidecar(again.stdout.strip()) is not None


def test_a_file_system_without_locks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(handle: object, operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuses)
    with (
        pytest.raises(OSError, match=r"cannot be locked \(No locks available\): choose a folder"),
        locked(tmp_path / "x", print),
    ):
        pass


def test_who_waits_is_told_who_builds(tmp_path: Path) -> None:
    lock, told = tmp_path / "x.lock", tmp_path / "told"
    program = (
        "import sys; from pathlib import Path; from rfseg.engines.files import locked\n"
        f"with locked(Path({str(lock)!r}), lambda who: Path({str(told)!r}).write_text(who)): pass\n"
    )
    with locked(lock, lambda who: pytest.fail(f"{who} holds it")):
        waiting = subprocess.Popen([sys.executable, "-c", program])
        until(told.exists)
    assert waiting.wait(30) == 0
    assert told.read_text() == f"process {os.getpid()}"
