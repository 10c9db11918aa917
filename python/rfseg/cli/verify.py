"""`rfseg verify`: does an engine give what its ONNX file gives in float32 on the CPU?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rfseg.cli.common import EXIT_OK, EXIT_VERIFICATION, add_command, add_device, add_engine_code, positive, share

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """Both networks are given the same frames; their instances are matched by class and mask overlap.
{limits}
Exits 3 when a limit is broken. ENGINE may be an ONNX file too. The report can be pasted into an issue.

example:
  rfseg verify model.engine --against model.onnx --images photographs/ --picture worst.png
"""


def register(commands: Commands) -> None:
    """Adds the command."""
    from dataclasses import fields

    from rfseg.engines.rule import Rule

    limits = ", ".join(f"{field.name}={field.default:g}" for field in fields(Rule))
    epilog = _EPILOG.format(limits=f"Limits, which --rule overrides: {limits}")
    parser = add_command(commands, "verify", "compare an engine with its ONNX file", epilog, run)
    parser.add_argument("candidate", metavar="ENGINE", help="a TensorRT engine or an ONNX file")
    parser.add_argument("--against", metavar="MODEL.onnx", required=True, help="runs in float32 on the CPU")
    parser.add_argument("--images", nargs="+", metavar="PATH", help="folders, videos, images (packaged photographs)")
    add_device(parser)
    add_engine_code(parser)
    parser.add_argument("--frames", type=positive, default=64, metavar="N", help="at most so many, spread evenly (64)")
    parser.add_argument("--threshold", type=share, help="score above which an instance counts (0.3, or lower)")
    parser.add_argument("--resize", choices=("pil", "bilinear"), help="of both sides")
    parser.add_argument("--engine-resize", choices=("pil", "bilinear"), help="of the engine, where it differs")
    parser.add_argument("--rule", default="", metavar="NAME=X,..", help="limits that differ: iou_p1=0.97,score_p99=0.1")
    parser.add_argument("--picture", type=Path, metavar="F", help="writes the three worst images side by side")
    parser.add_argument("--report", type=Path, metavar="F", help="writes the report as Markdown, image by image")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    from rfseg.engines.rule import Rule
    from rfseg.engines.verify import verify

    report = verify(
        options.candidate,
        options.against,
        options.images,
        device=options.device,
        threshold=options.threshold,
        resize=options.resize,
        candidate_resize=options.engine_resize,
        rule=Rule.parse(options.rule),
        limit=options.frames,
        allow_engine_code=options.allow_engine_code,
        progress=_progress if sys.stderr.isatty() else None,
    )
    print(json.dumps(report.to_dict(), indent=1) if options.json else report.text())
    if options.report:
        options.report.write_text(report.markdown(), encoding="utf-8")
    if options.picture and report.images:
        report.save_picture(options.picture)
    return EXIT_OK if report.passed else EXIT_VERIFICATION


def _progress(done: int, count: int) -> None:
    print(f"\r{done}/{count} images{chr(10) if done == count else ''}", end="", file=sys.stderr, flush=True)
