"""What rfdetr writes beside its engines, read into rfseg's words.

`model.trt.rfdetr.json` holds {"artifact_sha256", "metadata"}; `model.json` beside `model.trt` describes the build.
Owns these two forms; unknown keys of the second are left alone, as its writer asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rfseg._core import ModelError
from rfseg.engines.files import sha256_of
from rfseg.engines.sidecar import Sidecar, read_json

_AGAIN = "export it again, or remove the sidecar"


def read_rfdetr(engine: Path) -> Sidecar | None:
    """Reads rfdetr's sidecars of an engine; where there are both, they must agree.

    Raises:
        ModelError: one is damaged, of another version, describes another file or no segmentation, or they differ.
    """
    contract, build = Path(f"{engine}.rfdetr.json"), engine.with_suffix(".json")
    found = [_contract(engine, contract)] if contract.is_file() else []
    if engine.suffix == ".trt" and build.is_file():
        found.append(_build(engine, build))
    if len(found) == 2:
        for what in ("network_size", "resize", "mean", "std"):
            ours, theirs = (getattr(one, what) for one in found)
            if ours and theirs and ours != theirs:
                raise ModelError(f"{contract.name} says {what} {ours}, {build.name} says {theirs}: {_AGAIN}")
        found[0].tensorrt, found[0].gpu = found[1].tensorrt, found[1].gpu
        found[0].compute_capability, found[0].precision = found[1].compute_capability, found[1].precision
    return found[0] if found else None


def _contract(engine: Path, path: Path) -> Sidecar:
    known = read_json(path)
    _check_digest(engine, path, known.get("artifact_sha256", ""))
    facts = known.get("metadata") or {}
    _check_version(path, facts)
    if facts.get("task") != "segment":
        raise ModelError(f'{path}: its task is {facts.get("task")!r}: rfseg runs "segment" only')
    try:
        batch, _, height, width = facts["input_shape"]
        most = facts.get("max_batch_size") or abs(batch)
        return Sidecar(
            network_size=(height, width),
            batch=(1 if batch < 0 else batch, most),
            resize="pil" if facts.get("resize_antialias") else "bilinear",
            mean=tuple(facts["means"]),
            std=tuple(facts["stds"]),
            names=_names(facts),
            notes=[f"exported by rfdetr {facts.get('producer_version')}"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} does not say what rfdetr's contract asks: {error!r}: {_AGAIN}") from error


def _names(facts: dict[str, Any]) -> Any:
    by_column = facts.get("class_id_to_name")
    return dict(by_column) if by_column else facts.get("class_names")


def _build(engine: Path, path: Path) -> Sidecar:
    known = read_json(path)
    _check_version(path, known)
    _check_digest(engine, path, (known.get("engine") or {}).get("sha256", ""))
    try:
        given, batch, made = known["input"], known["batch"], known["build"]
        gpu = made.get("gpu") or {}
        size = batch.get("size")
        return Sidecar(
            network_size=(given["height"], given["width"]),
            input_name=given["name"],
            batch=(size, size) if size else (batch["min"], batch["max"]),
            resize="pil" if given["resize"]["antialias"] else "bilinear",
            mean=tuple(given["normalization"]["mean"]),
            std=tuple(given["normalization"]["std"]),
            tensorrt=made.get("tensorrt_version") or "",
            gpu=gpu.get("name", ""),
            compute_capability=str(gpu.get("compute_capability", "")),
            precision={"fp16": "float16", "bf16": "bfloat16", "fp32": "float32"}.get(made.get("precision", ""), ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} does not say what rfdetr writes: {error!r}: {_AGAIN}") from error


def _check_version(path: Path, facts: dict[str, Any]) -> None:
    if facts.get("schema_version") != 1:
        raise ModelError(f"{path}: its schema_version is {facts.get('schema_version')!r}, this rfseg reads 1: {_AGAIN}")


def _check_digest(engine: Path, path: Path, wanted: str) -> None:
    if wanted and wanted != sha256_of([engine]):
        raise ModelError(f"{path} describes another build than {engine.name}: their digests differ: {_AGAIN}")
