"""Engines that were built and verified once, kept by everything that decides what they are.

Owns the folder's layout: `engines/<name>-<key>/` holds `model.engine` and its sidecar, which is written last, so that
what has one is whole. Knows nothing of how engines are built.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rfseg._core import ModelError
from rfseg.engines.files import sha256_of, write_atomically
from rfseg.engines.sidecar import Sidecar, read_sidecar, sidecar_path

VARIABLE = "RFSEG_CACHE"


@dataclass(frozen=True, slots=True)
class Key:
    """What decides an engine.

    Attributes:
        onnx_sha256: of the file and its external weights.
        recipe: what was asked for, "auto" too.
        batch: most images of one execution.
        tensorrt: version.
        gpu: name.
        driver_major: "580".
        resize: of the verification.
        beside: digest of the files beside it that state names or how frames are prepared: the engine's sidecar takes
            that over.
    """

    onnx_sha256: str
    recipe: str
    batch: int
    tensorrt: str
    gpu: str
    driver_major: str
    resize: str = ""
    beside: str = ""

    def text(self) -> str:
        """A short digest of all of them."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder of the cache; `sidecar` is None where an engine is not whole or cannot be read."""

    folder: Path
    size: int
    sidecar: Sidecar | None

    @property
    def engine(self) -> Path:
        """The engine's file."""
        return self.folder / "model.engine"


def cache_folder() -> Path:
    """RFSEG_CACHE, else rfseg's part of the user's cache folder. Nothing is made."""
    own = os.environ.get(VARIABLE)
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "rfseg"


def entry_folder(model: str | os.PathLike[str], key: Key) -> Path:
    """Where the engine of a model belongs."""
    return cache_folder() / "engines" / f"{Path(model).stem[:40]}-{key.text()}"


def beside_digest(model: str | os.PathLike[str]) -> str:
    """Digest of what lies beside an ONNX file and states facts of it, "" where nothing does."""
    path = Path(model)
    files = (path.with_suffix(".names.json"), path.with_name("class_names.txt"), Path(f"{path}.rfdetr.json"))
    there = [file for file in files if file.is_file()]
    return sha256_of(there) if there else ""


def lookup(folder: Path) -> Path | None:
    """Returns the engine of a folder when it is whole, else None."""
    engine = folder / "model.engine"
    if not sidecar_path(engine).is_file():
        return None
    try:
        read_sidecar(engine)
    except ModelError:
        return None  # damaged: it is built again
    return engine


def entries() -> list[Entry]:
    """What the cache holds, by name."""
    found = []
    for folder in sorted((cache_folder() / "engines").glob("*/")):
        size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        try:
            sidecar = read_sidecar(folder / "model.engine") if (folder / "model.engine").is_file() else None
        except ModelError:
            sidecar = None
        found.append(Entry(folder, size, sidecar))
    return found


def clear() -> int:
    """Removes every engine and what was noted about files; returns the bytes that were freed.

    Locks stay: removing one that another process holds would let a third build beside it.

    Raises:
        OSError: something cannot be removed.
    """
    freed = sum(entry.size for entry in entries())
    for name in ("engines", "digests", "timing"):
        folder = cache_folder() / name
        if folder.is_dir():
            shutil.rmtree(folder)
    return freed


def remove_leftovers(folder: Path) -> None:
    """Removes what a process that was killed left half made; the caller holds the folder's lock."""
    for part in folder.glob(".*.part*"):
        part.unlink(missing_ok=True)
    for workshop in folder.glob(".rfseg-build-*"):
        shutil.rmtree(workshop, ignore_errors=True)


def onnx_digest(model: str | os.PathLike[str]) -> str:
    """Digest of an ONNX file and its external weights, remembered by size and time so that it is read once.

    Raises:
        ModelError: it cannot be read.
        MissingExtraError: the package onnx, which names the external weights, is not installed.
    """
    path = Path(model).resolve()
    memory = cache_folder() / "digests" / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.json"
    known = _remembered(memory)
    if known and known["files"] == _stamps([Path(file) for file in known["files"]]):
        return str(known["sha256"])
    from rfseg.engines.graph import external_files

    files = [path, *external_files(path)]
    try:
        stamps, digest = _stamps(files), sha256_of(files)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    with suppress(OSError):  # a cache that cannot be written costs this reading again, and building says so
        write_atomically(memory, json.dumps({"sha256": digest, "files": stamps}).encode())
    return digest


def _remembered(memory: Path) -> dict[str, Any] | None:
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
        return known if isinstance(known["files"], dict) and known["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _stamps(files: list[Path]) -> dict[str, list[int]]:
    stamps = {}
    for file in files:
        try:
            status = file.stat()
        except OSError:
            return {}
        stamps[str(file)] = [status.st_size, status.st_mtime_ns, status.st_ino]
    return stamps
