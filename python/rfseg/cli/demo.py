"""`rfseg demo`: the packaged network on the packaged clip; needs no network connection and no other files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import rfseg
from rfseg.cli.common import EXIT_INTERRUPTED, EXIT_OK, Interrupt, add_command, add_device, fresh_folder
from rfseg.cli.run import Job
from rfseg.sources import Video

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """It writes an annotated video, the masks as one line of JSON a frame and the polygons as GeoJSON, and says
what it found.

example:
  rfseg demo --out runs/demo
"""
DEMO = Path(rfseg.__file__).parent / "demo"
MODEL, CLIP = DEMO / "shapes.onnx", DEMO / "shapes_360p.mp4"


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "demo", "run the packaged network on the packaged clip", _EPILOG, run)
    add_device(parser)
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder to write to (runs/demo)")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    with rfseg.Segmenter(str(MODEL), device=options.device) as segmenter, Interrupt() as interrupt:
        job = Job(segmenter, fresh_folder(options.out), ("video", "json", "geojson"), "auto")
        job.take(Video("demo", CLIP.stem, str(CLIP)), interrupt)
    return EXIT_INTERRUPTED if interrupt.wanted else EXIT_OK
