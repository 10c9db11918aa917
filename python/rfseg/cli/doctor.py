"""`rfseg doctor`: what this machine has, what of it rfseg can use, and what to type next."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from rfseg.cli.common import EXIT_OK, add_command

if TYPE_CHECKING:
    from rfseg.cli.common import Commands

_EPILOG = """Exits 0 whatever it finds.

example:
  rfseg doctor --json
"""


def register(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(commands, "doctor", "examine this machine and say what to type next", _EPILOG, run)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--no-self-test", action="store_true", help="do not run the packaged network")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    from rfseg.engines.doctor import doctor
    from rfseg.engines.doctor_words import text

    found = doctor(self_test=not options.no_self_test)
    print(json.dumps(found, indent=1) if options.json else text(found))
    return EXIT_OK
