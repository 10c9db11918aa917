"""What `names=` may be, read into what the C++ side takes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rfseg._core import InputError

Names = Sequence[str] | Mapping[int, str] | os.PathLike[str] | str


def read_names(names: Names | None) -> list[str] | dict[int, str] | None:
    """Reads class names.

    Args:
        names: a list (0-based, contiguous), a mapping {id: name}, or a file: `.json` with either, or text with one
            name a line. None: what the model or its sidecar says.

    Raises:
        InputError: a file that is missing or holds something else.
    """
    if names is None:
        return None
    if isinstance(names, (str, os.PathLike)):
        return _read_file(Path(names))
    return _checked(names, "names=")


def _read_file(path: Path) -> list[str] | dict[int, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"names file {path} cannot be read: {error}") from error
    if path.suffix != ".json":
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        return _checked(json.loads(text), str(path))
    except json.JSONDecodeError as error:
        raise InputError(f"names file {path} is not JSON: {error}") from error


def _checked(names: Any, source: str) -> list[str] | dict[int, str]:
    if isinstance(names, Mapping):
        try:
            return {int(key): str(name) for key, name in names.items()}
        except (TypeError, ValueError) as error:
            raise InputError(f"{source}: a class id is not a number: {error}") from error
    if isinstance(names, Sequence) and all(isinstance(name, str) for name in names):
        return list(names)
    raise InputError(f"{source}: expected a list of names or a mapping {{id: name}}, got {type(names).__name__}")
