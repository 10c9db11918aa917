"""What several commands share: exit codes, arguments, folders that have one run, names that are given out once."""

from __future__ import annotations

import argparse
import fcntl
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfseg.cli.building import Progress
from rfseg.cli.signals import Interrupt
from rfseg.engines.recipes import PRECISIONS
from rfseg.pictures import MAX_PIXELS
from rfseg.printable import printable

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_USAGE, EXIT_INPUT, EXIT_VERIFICATION, EXIT_BACKEND, EXIT_INTERRUPTED = 0, 1, 2, 3, 4, 130
_MODEL_OPTIONS = ("device", "names", "resize", "allow_engine_code", "precision", "max_batch")
_LONGEST_STEM_BYTES = 200  # file systems take 255 for a name; ".coco.json.part" and a number are added
_LONGEST_NUMBER = 18  # digits: what 64 bits hold
_held: list[int] = []  # descriptors of the folders of this process; their locks end with it


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
    parser.add_argument(
        "--device",
        default="auto",
        help="auto (default), cpu, cuda (builds an engine of an .onnx file once), cuda:N, cuda:all",
    )


def add_model_options(parser: argparse.ArgumentParser, *, engine: bool = True) -> None:
    """The options of every command that opens a model, which `model_options` reads."""
    add_device(parser)
    if engine:
        add_engine_code(parser)
        help_precision = f"of an engine that is built: {', '.join(PRECISIONS[:4])} or a recipe of `rfseg build` (auto)"
        parser.add_argument("--precision", choices=PRECISIONS, metavar="P", help=help_precision)
        parser.add_argument("--max-batch", type=positive, metavar="N", help="as Segmenter takes it (its default)")
    parser.add_argument("--names", metavar="FILE|coco", help="class names: a .json or text file, or coco (the model's)")
    parser.add_argument("--resize", choices=("auto", "pil", "bilinear"), help="as Segmenter takes it (its default)")


def model_options(options: argparse.Namespace, interrupt: Interrupt | None = None) -> dict[str, Any]:
    """Arguments for Segmenter; what was not asked for is left to its defaults. What is built meanwhile is shown."""
    chosen = {key: getattr(options, key, None) for key in _MODEL_OPTIONS}
    shown = Progress(as_json=False)
    chosen["on_build"] = shown if interrupt is None else interrupt.watching(shown)
    return {key: value for key, value in chosen.items() if value is not None}


def add_max_pixels(parser: argparse.ArgumentParser) -> None:
    """The option of commands that read pictures and videos."""
    help_text = f"refuse larger pictures and frames ({MAX_PIXELS})"
    parser.add_argument("--max-pixels", type=positive, default=MAX_PIXELS, metavar="N", help=help_text)


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


def thresholds(text: str) -> float | dict[int | str, float]:
    """One number from 0 to 1, or `class=number,...`, where a class is a name or an id."""
    if "=" not in text:
        return share(text)
    chosen: dict[int | str, float] = {}
    for part in text.split(","):
        name, mark, number = part.strip().rpartition("=")
        if not mark or not name:
            raise argparse.ArgumentTypeError(f"expected class=number, got {part}")
        chosen[int(name) if name.isdecimal() and len(name) <= _LONGEST_NUMBER else name] = share(number)
    return chosen


def positive(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or len(text) > _LONGEST_NUMBER or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text[:40]}")
    return int(text)


def fresh_folder(wish: Path) -> Path:
    """Creates and returns `wish`, or `wish2`, `wish3`, ... where that exists and is not empty, or another run has it.

    The folder stays locked until the program ends, so of two runs that start at once each has its own.

    Raises:
        UsageError: `wish` has no name that a number could be added to, and is not empty.
        OSError: it cannot be created or written.
    """
    number, folder = 1, wish
    while not _claim(folder):
        if wish.name in ("", ".", ".."):
            raise UsageError(
                f"--out {wish} holds files already: name a folder of its own, such as --out {wish / 'out'}"
            )
        number += 1
        folder = wish.with_name(f"{wish.name}{number}")
    return folder


def same_folder(wish: Path) -> Path:
    """Returns `wish` with what is in it, or made where it is not there; locked as `fresh_folder` does.

    Raises:
        UsageError: another run writes there.
        OSError: it cannot be created or written.
    """
    if not _claim(wish, empty=False):
        raise UsageError(f"--resume: another run writes to {wish}, or it is no folder")
    return wish


def _claim(folder: Path, *, empty: bool = True) -> bool:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir():
            return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    except OSError:
        pass  # a file system without locks: what is in the folder decides
    if empty and os.listdir(folder):
        os.close(descriptor)
        return False
    if not os.access(folder, os.W_OK | os.X_OK):
        os.close(descriptor)
        raise PermissionError(13, "it cannot be written to", str(folder))
    _held.append(descriptor)
    return True


class Stems:
    """Stems for files in one folder: clip, clip_2, clip_3. No name that a stem can become is given out twice."""

    def __init__(self, suffixes: Sequence[str] = ("",)) -> None:
        """`suffixes`: what may be added to a stem, such as ".coco.json"; "" for a folder."""
        self._suffixes = suffixes
        self._taken: set[str] = set()

    def claim(self, stem: str) -> str:
        """Gives out `stem`, shortened where file systems would not take it, or its first numbered form that is free."""
        stem = _shortened(stem)
        name, number = stem, 1
        while any(_folded(name + suffix) in self._taken for suffix in self._suffixes):
            number += 1
            name = f"{stem}_{number}"
        self._taken.update(_folded(name + suffix) for suffix in self._suffixes)
        return name


def _folded(name: str) -> str:
    """Some file systems tell neither case nor composed letters apart."""
    return unicodedata.normalize("NFC", name).casefold()


def _shortened(stem: str) -> str:
    encoded = os.fsencode(stem)
    return stem if len(encoded) <= _LONGEST_STEM_BYTES else encoded[:_LONGEST_STEM_BYTES].decode("utf-8", "ignore")


def counted(counts: Counter[str]) -> str:
    """`7 instances (5 circle, 2 star)`."""
    total = counts.total()
    classes = ", ".join(f"{count} {printable(name)}" for name, count in counts.most_common())
    return f"{total} instance{'' if total == 1 else 's'}" + (f" ({classes})" if classes else "")
