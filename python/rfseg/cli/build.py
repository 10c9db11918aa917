"""`rfseg build`: an ONNX file becomes a verified TensorRT engine; how far it is, what was tried, what was kept."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rfseg.cli.building import Progress
from rfseg.cli.common import EXIT_OK, EXIT_VERIFICATION, add_command, positive
from rfseg.engines.recipes import PRECISIONS, RECIPES

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """Recipes, of which auto keeps the fastest that agrees with the ONNX file in float32 on the CPU:
{recipes}
A precision that was asked for and does not agree is refused (exit 3), not replaced.

example:
  rfseg build model.onnx --max-batch 8 --images photographs/
"""


def register(commands: Commands) -> None:
    """Adds the command."""
    recipes = "\n".join(f"  {recipe.name:<12}{recipe.what}" for recipe in RECIPES.values())
    parser = add_command(
        commands, "build", "build a verified engine from an ONNX file", _EPILOG.format(recipes=recipes), run
    )
    parser.add_argument("model", metavar="MODEL.onnx", help="an ONNX file as rfdetr exports it")
    target = parser.add_mutually_exclusive_group()
    target.add_argument("-o", "--output", metavar="ENGINE", help="where to write (MODEL.engine)")
    target.add_argument("--cache", action="store_true", help="into the cache, where --device cuda finds it")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="auto (default), or one of them")
    parser.add_argument("--max-batch", type=positive, metavar="N", help="most images at once (8 where it is open)")
    parser.add_argument("--images", nargs="+", metavar="PATH", help="verify on these (packaged photographs)")
    parser.add_argument("--resize", choices=("pil", "bilinear"), help="of the verification, and kept beside the engine")
    parser.add_argument("--rule", default="", metavar="NAME=X,..", help="limits of the verification, as for verify")
    parser.add_argument(
        "--effort",
        choices=("low", "normal", "high"),
        default="normal",
        help="low: the first that passes; normal: all, and the best again, 10 minutes; high: 30 minutes",
    )
    parser.add_argument("--timing-cache", metavar="F", help="keeps what TensorRT measures, for the next build")
    parser.add_argument("--several-profiles", action="store_true", help="one profile for 1 image, one for up to N")
    parser.add_argument("--device", default="cuda", help="cuda (default), cuda:N")
    parser.add_argument("--progress", choices=("plain", "json", "none"), default="plain", help="how far it is (plain)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    from rfseg.engines.build_report import VerificationError

    progress = None if options.progress == "none" else Progress(options.progress == "json")
    try:
        print(_into_cache(options, progress) if options.cache else _to_file(options, progress))
    except VerificationError as error:
        print(error.report.text())
        print(f"rfseg: {error}", file=sys.stderr)
        return EXIT_VERIFICATION
    return EXIT_OK


def _to_file(options: argparse.Namespace, progress: Progress | None) -> str:
    """What was built, in words or as JSON."""
    from rfseg.engines.build import build
    from rfseg.engines.rule import Rule

    report = build(
        options.model,
        options.output,
        precision=options.precision,
        max_batch=options.max_batch,
        images=options.images,
        effort=options.effort,
        timing_cache=options.timing_cache,
        resize=options.resize,
        rule=Rule.parse(options.rule),
        several_profiles=options.several_profiles,
        device=options.device,
        progress=progress,
    )
    if options.json:
        return json.dumps(report.to_dict(), indent=1)
    return f"{report.text()}\n{report.engine} was built and verified in {report.seconds:.0f} s"


def _into_cache(options: argparse.Namespace, progress: Progress | None) -> Path:
    """Where the engine lies."""
    from rfseg.engines.auto import engine_for

    return engine_for(
        options.model,
        options.device,
        precision=options.precision,
        max_batch=options.max_batch,
        resize=options.resize,
        images=options.images,
        effort=options.effort,
        progress=progress,
    )
