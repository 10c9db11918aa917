"""`rfseg run model.onnx ... --device cuda` on stand-ins: the build is shown, and leaves nothing when it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from paths import DEMO_MODEL, ROOT
from recording import Opened, builds
from rfseg.cli.main import main
from rfseg.engines.pictures import PHOTOGRAPHS
from waiting import until


def test_the_command_line_shows_the_build(
    tmp_path: Path, record: Path, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = PHOTOGRAPHS / "astronaut.jpg"
    arguments = [
        "run",
        str(DEMO_MODEL),
        str(picture),
        "--device",
        "cuda",
        "--save",
        "json",
        "--out",
        str(tmp_path / "o"),
    ]
    assert main(arguments) == 0
    shown = capsys.readouterr().err
    assert " s  building fp16-fused" in shown
    assert "verified fp16-fused: agrees" in shown
    (_, _, options) = opened[-1]
    assert options["max_batch"] == 0
    assert main([*arguments, "--precision", "fp32", "--max-batch", "1"]) == 0
    assert builds(record)[-1]["builder_flags"] == []
    assert opened[-1][2]["max_batch"] == 1
    capsys.readouterr()
    assert main(arguments) == 0
    assert "building" not in capsys.readouterr().err
    assert len(builds(record)) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_while_it_builds_leaves_nothing(tmp_path: Path, record: Path, number: int) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
        "import stand_in_gpu; stand_in_gpu.patched()\n"
        "from rfseg.cli.main import main\n"
        f"sys.exit(main(['run', {str(DEMO_MODEL)!r}, {str(PHOTOGRAPHS)!r}, '--device', 'cuda']))\n"
    )
    environment = {**os.environ, "STAND_SLEEP_S": "60"}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, cwd=tmp_path) as running:
        until(lambda: bool(builds(record)))
        running.send_signal(number)
        assert running.wait(20) == 128 + number
    assert [path for path in (tmp_path / "cache" / "engines").rglob("*") if path.is_file()] == []
    assert not (tmp_path / "runs").exists()
