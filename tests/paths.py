"""Where tests find the repository's files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data"
DEMO_MODEL = ROOT / "python" / "rfseg" / "demo" / "shapes.onnx"
DEMO_CLIP = ROOT / "python" / "rfseg" / "demo" / "shapes_360p.mp4"
