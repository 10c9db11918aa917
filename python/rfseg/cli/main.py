"""Entry point of the `rfseg` command: reads the arguments, runs one command, turns errors into exit codes.

Knows the commands' names and nothing of their work.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

import rfseg
from rfseg.cli import bench, convert, demo, evaluate, parity, run
from rfseg.cli.common import EXIT_BACKEND, EXIT_INPUT, EXIT_INTERRUPTED, EXIT_USAGE, UsageError
from rfseg.missing import MissingExtraError

_EXIT_CODES = """exit codes:
  0  done
  1  the command cannot be understood
  2  a model, an image or a video cannot be read
  3  a verification failed
  4  a library or device that the command needs is missing
"""


class _Parser(argparse.ArgumentParser):
    """argparse leaves with 2, which is this command's code for bad input."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; leaves by SystemExit for --help and usage errors.

    Args:
        arguments: without the program's name; None takes those of this program.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except UsageError as error:
        return _fail(error, EXIT_USAGE)
    except (rfseg.BackendError, rfseg.CudaError, MissingExtraError) as error:
        return _fail(error, EXIT_BACKEND)
    except (rfseg.Error, OSError) as error:
        return _fail(error, EXIT_INPUT)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rfseg",
        description="RF-DETR instance segmentation of images and videos.",
        epilog=f"example:\n  rfseg demo\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rfseg {rfseg.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (demo, run, convert, evaluate, bench, parity):
        command.register(commands)
    return parser


def _fail(error: BaseException, code: int) -> int:
    print(f"rfseg: {error}", file=sys.stderr)
    return code
