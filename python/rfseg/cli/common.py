"""What several commands share: exit codes, argument types, the answer to Ctrl-C, folders that are never overwritten."""

from __future__ import annotations

import argparse
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_USAGE, EXIT_INPUT, EXIT_VERIFICATION, EXIT_BACKEND, EXIT_INTERRUPTED = 0, 1, 2, 3, 4, 130


class UsageError(Exception):
    """Arguments that can only be judged after a model was opened."""


def add_command(commands: Commands, name: str, summary: str, epilog: str, run: Any) -> argparse.ArgumentParser:
    """Adds a command whose epilog, with its example, is printed as it is written."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_device(parser: argparse.ArgumentParser) -> None:
    """The option every command that opens a model has."""
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:N; only auto chooses")


def add_engine_code(parser: argparse.ArgumentParser) -> None:
    """The option of commands that open engines."""
    help_text = "let an engine run machine code that it carries: only for files you trust"
    parser.add_argument("--allow-engine-code", action="store_true", help=help_text)


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text}")
    return value


def positive(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text}")
    return int(text)


class Interrupt:
    """Turns the first Ctrl-C into a wish to stop that loops look at; the second one ends the program at once."""

    def __init__(self) -> None:
        self.wanted = False

    def __enter__(self) -> Interrupt:
        self._before = signal.signal(signal.SIGINT, self._first)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _first(self, *_: object) -> None:
        self.wanted = True
        signal.signal(signal.SIGINT, self._second)

    def _second(self, *_: object) -> NoReturn:
        raise KeyboardInterrupt


def fresh_folder(wish: Path) -> Path:
    """Creates and returns `wish`, or `wish2`, `wish3`, ... where that exists and is not empty."""
    number, folder = 1, wish
    while folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        number += 1
        folder = wish.with_name(f"{wish.name}{number}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Stems:
    """Names for files in one folder, each given out once: clip, clip_2, clip_3."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, stem: str) -> str:
        """Gives out `stem`, or the first numbered form of it that is free."""
        name, number = stem, 1
        while name.lower() in self._taken:  # some file systems do not tell case apart
            number += 1
            name = f"{stem}_{number}"
        self._taken.add(name.lower())
        return name


def counted(counts: Counter[str]) -> str:
    """`7 instances (5 circle, 2 star)`."""
    total = counts.total()
    classes = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    return f"{total} instance{'' if total == 1 else 's'}" + (f" ({classes})" if classes else "")
