"""`model.engine.json`: what an engine is, was built from and for, and how it was verified. rfdetr's own files too.

Owns writing, and reading for verification, cache and doctor. What opens an engine (csrc/network/engine_sidecar.cpp)
reads the same file and judges there whether the engine fits the machine.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rfseg._core import ModelError
from rfseg.engines.files import sha256_of, write_atomically

SCHEMA_VERSION = 1


@dataclass(slots=True)
class Sidecar:
    """The facts about one engine; empty where a file does not say.

    Attributes:
        engine_size, engine_sha256: of the engine's file.
        onnx_file, onnx_sha256: what it was built from, external weights included.
        input_name, output_names: of the network's tensors; the layout is NCHW, RGB.
        network_size: (height, width), pixels.
        batch: (least, most) images of one execution.
        profiles: (least, best, most) of each optimisation profile.
        resize: "pil", "bilinear", or "" where nobody said.
        mean, std: of the normalisation, after pixel / 255.
        places: pairs of query and class that are kept before the threshold; None: nobody said.
        names: class names, a list or {id: name}; None: nobody named them.
        tensorrt, gpu, compute_capability, driver: what it was built with and for.
        recipe: how.
        precision: what was asked for: "float16", "bfloat16", "float32".
        layers: {type: share of the layers}, as TensorRT's inspector counts them.
        verification: a verification's summary; None: none was made.
        notes: what a person may want to know.
    """

    engine_size: int = 0
    engine_sha256: str = ""
    onnx_file: str = ""
    onnx_sha256: str = ""
    input_name: str = "input"
    output_names: list[str] = field(default_factory=list)
    network_size: tuple[int, int] = (0, 0)
    batch: tuple[int, int] = (1, 1)
    profiles: list[tuple[int, int, int]] = field(default_factory=list)
    resize: str = ""
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    places: int | None = None
    names: Any = None
    tensorrt: str = ""
    gpu: str = ""
    compute_capability: str = ""
    driver: str = ""
    recipe: str = ""
    precision: str = ""
    layers: dict[str, float] | None = None
    verification: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)


def sidecar_path(engine: str | os.PathLike[str]) -> Path:
    """`model.engine` -> `model.engine.json`."""
    return Path(f"{os.fspath(engine)}.json")


def write_sidecar(engine: str | os.PathLike[str], sidecar: Sidecar) -> None:
    """Writes the facts beside an engine, whole or not at all."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, "layout": "NCHW", **asdict(sidecar)}, indent=1)
    write_atomically(sidecar_path(engine), text.encode())


def read_sidecar(engine: str | os.PathLike[str], *, check_digest: bool = False) -> Sidecar | None:
    """Reads what is known of an engine: rfseg's sidecar, else rfdetr's.

    Args:
        engine: the engine's file.
        check_digest: read the whole engine and compare; its size is compared in any case.

    Returns:
        None where there is no sidecar.

    Raises:
        ModelError: a sidecar is damaged, of another version, or describes another engine.
    """
    from rfseg.engines.rfdetr_sidecar import read_rfdetr

    path = sidecar_path(engine)
    if not path.is_file():
        return read_rfdetr(Path(engine))
    known = read_json(path)
    version = known.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ModelError(
            f"{path}: its schema_version is {version!r}, this rfseg reads {SCHEMA_VERSION}: build the engine again, "
            "or use the rfseg that built it"
        )
    sidecar = _from_json(path, known)
    check_engine(Path(engine), path, sidecar, check_digest)
    return sidecar


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ModelError: it cannot be read, or holds something else.
    """
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    if not isinstance(known, dict):
        raise ModelError(f"{path} cannot be read: it holds no JSON object")
    return known


def _from_json(path: Path, known: dict[str, Any]) -> Sidecar:
    """Unknown keys are left alone, so that a later rfseg may add some."""
    blank = Sidecar()
    values: dict[str, Any] = {}
    for name, default in asdict(blank).items():
        value = known.get(name, default)
        if default is not None and value is not None and not isinstance(value, (type(default), list)):
            raise ModelError(f"{path}: {name} is {value!r}, a {type(default).__name__} is expected")
        values[name] = tuple(value) if isinstance(default, tuple) else value
    values["profiles"] = [tuple(profile) for profile in values["profiles"]]
    return Sidecar(**values)


def check_engine(engine: Path, path: Path, sidecar: Sidecar, digest: bool) -> None:
    """Raises ModelError when a sidecar describes another engine than the one it lies beside."""
    try:
        size = engine.stat().st_size
    except OSError as error:
        raise ModelError(f"{engine} cannot be read: {error.strerror}") from error
    other = sidecar.engine_size and sidecar.engine_size != size
    if other or (digest and sidecar.engine_sha256 and sidecar.engine_sha256 != sha256_of([engine])):
        raise ModelError(
            f"{path} describes another build than {engine.name} ({sidecar.engine_size:,} bytes there, {size:,} here, "
            f"or other bytes): build it again, or remove the sidecar"
        )


def same_tensorrt(built: str, here: str) -> bool:
    """Whether two versions agree; 10.6.0.26 and 10.6.0 do."""
    return built.split(".")[:3] == here.split(".")[:3]
