"""Makes the kernels importable and interpreted: Triton decides which when it is first imported."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(scope="session", autouse=True)
def triton() -> None:
    """Skips this folder where the kernels cannot be run."""
    pytest.importorskip("triton", reason="the kernels are written in Triton: pip install triton==3.6.0 'numpy<2.4'")
