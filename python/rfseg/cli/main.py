"""Entry point of the `rfseg` command: reads the arguments, runs one command, turns errors into exit codes.

Knows the commands' names and nothing of their work.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

import rfseg
from rfseg.causes import cause, file_name, is_shortage
from rfseg.cli import bench, build, cache, convert, demo, doctor, evaluate, parity, run, verify
from rfseg.cli.common import EXIT_BACKEND, EXIT_INPUT, EXIT_INTERRUPTED, EXIT_USAGE, UsageError
from rfseg.missing import MissingExtraError
from rfseg.terminal import leave_streams, say, take_streams

_EXIT_CODES = """exit codes:
  0  done
  1  the command cannot be understood
  2  a model cannot be read, or something was left out: an image, a frame, a file that cannot be written
  3  a verification failed
  4  a library or device that the command needs is missing
  129, 130, 143  stopped by SIGHUP, SIGINT (Ctrl-C), SIGTERM; files are complete up to there
"""


class _Parser(argparse.ArgumentParser):
    """argparse leaves with 2, which is this command's code for bad input."""

    def error(self, message: str) -> NoReturn:
        for line in (*self.format_usage().splitlines(), f"{self.prog}: {message}"):
            say(line)
        self.exit(EXIT_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; leaves by SystemExit for --help and usage errors.

    Args:
        arguments: without the program's name; None takes those of this program.
    """
    options = _parser().parse_args(arguments)
    if arguments is not None:
        return _run(options)
    take_streams()
    try:
        return _run(options)
    finally:
        leave_streams()


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
        return code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        code, sentence = _exit_of(error)
        for line in sentence.splitlines():
            say(f"rfseg: {line}")
        return code


def _exit_of(error: Exception) -> tuple[int, str]:
    """The exit code for an error and what is said about it; raises what nobody foresaw."""
    if isinstance(error, UsageError):
        return EXIT_USAGE, str(error)
    if isinstance(error, (rfseg.BackendError, rfseg.CudaError, MissingExtraError)):
        return EXIT_BACKEND, str(error)
    if isinstance(error, rfseg.Error):
        return EXIT_INPUT, str(error)
    if isinstance(error, OSError) or is_shortage(error):
        name = getattr(error, "filename", None)
        return EXIT_INPUT, f"{file_name(name)}: {cause(error)}" if name else cause(error)
    raise error


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rfseg",
        description="RF-DETR instance segmentation of images and videos.",
        epilog=f"example:\n  rfseg demo\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rfseg {rfseg.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (demo, run, convert, evaluate, bench, parity, build, verify, doctor, cache):
        command.register(commands)
    return parser
