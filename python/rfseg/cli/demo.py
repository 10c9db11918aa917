"""`rfseg demo`: the packaged network on the packaged clip; needs no network connection and no other files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import rfseg
from rfseg.cli.common import add_command, add_model_options, fresh_folder, model_options
from rfseg.cli.job import Job, Wish
from rfseg.cli.signals import Interrupt
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
    add_model_options(parser, engine=False)
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder to write to (runs/demo)")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    with Interrupt() as interrupt, rfseg.Segmenter(str(MODEL), **model_options(options, interrupt)) as segmenter:
        job = Job(segmenter, fresh_folder(options.out), Wish(("video", "json", "geojson")), interrupt)
        interrupt.saving = True
        job.take(Video("demo", CLIP.stem, str(CLIP)))
        return job.finish()
