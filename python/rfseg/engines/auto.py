"""`engine_for`: the engine of an ONNX file on this machine, from the cache, or built and verified first.

What `Segmenter("model.onnx", device="cuda")` calls. Owns the key and the waiting; building is build.py's.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfseg._core import BackendError, InputError, ModelError
from rfseg.engines import cache, machine
from rfseg.engines.files import locked
from rfseg.engines.recipes import tiers

if TYPE_CHECKING:  # an engine that is in the cache is found without the builder's and the verification's modules
    from rfseg.engines.pictures import Images
    from rfseg.engines.verify import Resize
    from rfseg.engines.workshop import Progress

OnBuild = Literal["build", "never"]
_logger = logging.getLogger("rfseg")


def engine_for(
    model: str | os.PathLike[str],
    device: str = "cuda",
    *,
    precision: str = "auto",
    max_batch: int | None = None,
    resize: Resize | None = None,
    images: Images | None = None,
    effort: str = "low",
    on_build: OnBuild = "build",
    tensorrt: str | os.PathLike[str] | None = None,
    before_building: Callable[[], None] = lambda: None,
    progress: Progress | None = None,
) -> Path:
    """Returns an engine that was built from an ONNX file for this GPU, TensorRT and driver, and agrees with it.

    The first call builds and verifies, for minutes, and waits; two processes that ask at once build once. Later calls
    find it in the cache.

    Args:
        model: an ONNX file.
        device: "cuda", "cuda:N", or several GPUs of one model, which one engine serves.
        precision: as `build` takes it.
        max_batch: as `build` takes it.
        resize: as `build` takes it.
        images: as `build` takes them.
        effort: as `build` takes it; low, since somebody waits.
        on_build: "never" refuses to build, for servers that must not start slowly.
        tensorrt: as `build` takes it.
        before_building: called first where something must be built; what it raises is raised.
        progress: called with (stage, seconds since the start, text) while it builds; the log is told in any case.

    Raises:
        BackendError: no GPU or no TensorRT, or nothing is built yet and on_build forbids it; names the next command.
        ModelError, VerificationError: as `build`.
        OSError: the cache cannot be written.
    """
    if on_build not in {"build", "never"}:
        raise InputError(f'on_build is {on_build!r}: it must be "build" or "never"')
    if not Path(model).is_file():  # a wrong path is wrong on every machine
        raise ModelError(f"{os.fspath(model)}: no such file")
    gpu, library = machine.gpu_of(device), machine.tensorrt_library(os.fspath(tensorrt or ""))
    tiers(precision, int(library.version.split(".")[0]))  # refuses what is no precision
    key = _key(model, precision, max_batch, resize, library.version, gpu.name)
    folder = cache.entry_folder(model, key)
    found = cache.lookup(folder)
    if found is not None:
        return found
    name = os.fspath(model)
    if on_build == "never":
        raise BackendError(
            f"no engine of {name} is in the cache {cache.cache_folder()} for {gpu.name}, TensorRT {library.version} "
            f'and this driver, and on_build="never" forbids building one: {_command(name, key)}'
        )
    machine.require_builder(library.version)
    before_building()
    with locked(cache.cache_folder() / "locks" / folder.name, lambda who: _wait(name, who, progress)):
        found = cache.lookup(folder)  # who held the lock may have built it
        if found is None:
            cache.remove_leftovers(folder)
            wish: dict[str, object] = {
                "precision": precision,
                "max_batch": max_batch,
                "resize": resize,
                "images": images,
                "effort": effort,
                "tensorrt": library.path,
                "device": f"cuda:{gpu.ordinal}",
            }
            found = _build(name, folder, progress, wish)
    return found


def _key(
    model: str | os.PathLike[str], precision: str, max_batch: int | None, resize: str | None, tensorrt: str, gpu: str
) -> cache.Key:
    return cache.Key(
        onnx_sha256=cache.onnx_digest(model),
        recipe=precision,
        batch=max_batch or 0,
        tensorrt=tensorrt,
        gpu=gpu,
        driver_major=machine.driver_version().split(".")[0],
        resize=resize or "",
        beside=cache.beside_digest(model),
    )


def _command(model: str, key: cache.Key) -> str:
    """What puts it into the cache, for the first GPU and the TensorRT that is found."""
    chosen = {"--precision": key.recipe if key.recipe != "auto" else "", "--resize": key.resize}
    chosen["--max-batch"] = str(key.batch or "")
    return " ".join([f"rfseg build {model} --cache", *(f"{name} {value}" for name, value in chosen.items() if value)])


def _wait(model: str, who: str, progress: Progress | None) -> None:
    _logger.warning("%s builds an engine of %s: waiting for it", who, model)
    if progress:
        progress("waiting", 0.0, f"{who} builds this engine")


def _build(model: str, folder: Path, progress: Progress | None, wish: dict[str, object]) -> Path:
    from rfseg.engines.build import build

    stages: set[str] = set()

    def tell(stage: str, elapsed_s: float, text: str) -> None:
        if stage not in stages or text.startswith("TensorRT "):
            stages.add(stage)
            _logger.info("%s: %s %s (%.0f s)", model, stage, text, elapsed_s)
        if progress:
            progress(stage, elapsed_s, text)

    _logger.warning("building an engine of %s for this GPU: minutes, once; it is kept in %s", model, folder)
    report = build(model, folder / "model.engine", progress=tell, **wish)  # type: ignore[arg-type]
    _logger.info("%s: built and verified in %.0f s\n%s", model, report.seconds, report.text())
    return report.engine
