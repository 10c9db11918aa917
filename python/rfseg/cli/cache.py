"""`rfseg cache`: lists the engines that were built once, or removes them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rfseg.cli.common import EXIT_OK, add_command

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """The cache is RFSEG_CACHE, else rfseg's part of the user's cache folder.

example:
  rfseg cache list
"""


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "cache", "list or clear the engines that were built", _EPILOG, run)
    parser.add_argument("action", choices=("list", "clear"), nargs="?", default="list", help="list (default) or clear")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    from rfseg.engines import cache

    if options.action == "clear":
        print(f"freed {cache.clear() / 1e6:,.1f} MB in {cache.cache_folder()}")
        return EXIT_OK
    kept = cache.entries()
    for entry in kept:
        facts = entry.sidecar
        what = (
            f"{facts.onnx_file}, {facts.recipe}, TensorRT {facts.tensorrt}, {facts.gpu}, driver {facts.driver}"
            if facts
            else "not whole: it is built again when it is asked for"
        )
        print(f"{entry.size / 1e6:8.1f} MB  {entry.folder.name}  {what}")
    total = sum(entry.size for entry in kept) / 1e6
    print(f"{len(kept)} engine{'' if len(kept) == 1 else 's'}, {total:,.1f} MB in {cache.cache_folder()}")
    return EXIT_OK
