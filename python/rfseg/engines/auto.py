"""`engine_for`: the engine of an ONNX file on this machine, from the cache, or built and verified first.

What `Segmenter("model.onnx", device="cuda")` calls. Owns the key and the waiting; building is build.py's.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rfseg._core import BackendError
from rfseg.engines import cache, machine
from rfseg.engines.files import locked
from rfseg.engines.sidecar import Sidecar, check_machine, read_sidecar

if TYPE_CHECKING:  # an engine that is in the cache is found without the builder's and the verification's modules
    from rfseg.engines.pictures import Images
    from rfseg.engines.verify import Resize
    from rfseg.engines.workshop import Progress

OnBuild = Literal["build", "never"]
_logger = logging.getLogger("rfseg")
_warned: set[str] = set()


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
    progress: Progress | None = None,
) -> Path:
    """Returns an engine that was built from an ONNX file for this GPU, TensorRT and driver, and agrees with it.

    The first call builds and verifies, for minutes, and waits; two processes that ask at once build once. Later calls
    find it in the cache.

    Args:
        model: an ONNX file.
        device: "cuda" or "cuda:N".
        precision: as `build` takes it.
        max_batch: as `build` takes it.
        resize: as `build` takes it.
        images: as `build` takes them.
        effort: as `build` takes it; low, since somebody waits.
        on_build: "never" refuses to build, for servers that must not start slowly.
        progress: called with (stage, seconds since the start, text) while it builds; the log is told in any case.

    Raises:
        BackendError: no GPU or no TensorRT, or nothing is built yet and on_build forbids it; names the next command.
        ModelError, VerificationError: as `build`.
        OSError: the cache cannot be written.
    """
    gpu, library = machine.gpu_of(device), machine.tensorrt_library()
    key = cache.Key(
        onnx_sha256=cache.onnx_digest(model),
        recipe=precision,
        batch=max_batch or 0,
        tensorrt=library.version,
        gpu=gpu.name,
        driver_major=machine.driver_version().split(".")[0],
        resize=resize or "",
        names=cache.names_digest(model),
    )
    folder = cache.entry_folder(model, key)
    found = cache.lookup(folder)
    if found is not None:
        return found
    name = os.fspath(model)
    if on_build == "never":
        raise BackendError(
            f"no engine of {name} is in the cache {cache.cache_folder()} for {gpu.name}, TensorRT {library.version} "
            f'and this driver, and on_build="never" forbids building one: rfseg build {name} --cache'
        )
    machine.require_builder(library.version)
    with locked(cache.cache_folder() / "locks" / folder.name, lambda who: _wait(name, who, progress)):
        found = cache.lookup(folder)  # who held the lock may have built it
        if found is None:
            cache.remove_leftovers(folder)
            found = _build(name, folder, device, progress, (precision, max_batch, resize, images, effort))
    return found


def _wait(model: str, who: str, progress: Progress | None) -> None:
    _logger.warning("%s builds an engine of %s: waiting for it", who, model)
    if progress:
        progress("waiting", 0.0, f"{who} builds this engine")


def _build(model: str, folder: Path, device: str, progress: Progress | None, wish: tuple[object, ...]) -> Path:
    from rfseg.engines.build import build

    stages: set[str] = set()

    def tell(stage: str, elapsed_s: float, text: str) -> None:
        if stage not in stages or text.startswith("TensorRT "):
            stages.add(stage)
            _logger.info("%s: %s %s (%.0f s)", model, stage, text, elapsed_s)
        if progress:
            progress(stage, elapsed_s, text)

    _logger.warning("building an engine of %s for this GPU: minutes, once; it is kept in %s", model, folder)
    names = ("precision", "max_batch", "resize", "images", "effort")
    report = build(model, folder / "model.engine", device=device, progress=tell, **dict(zip(names, wish, strict=True)))  # type: ignore[arg-type]
    _logger.info("%s: built and verified in %.0f s\n%s", model, report.seconds, report.text())
    return report.engine


def admitted(engine: str | os.PathLike[str], device: str = "cuda") -> Sidecar | None:
    """Reads an engine's sidecar and refuses an engine for another GPU or TensorRT, before TensorRT is asked.

    An engine of the same compute capability built on another model of GPU is warned of, once a process.

    Returns:
        None where there is no sidecar: nothing is known then, and TensorRT judges.

    Raises:
        ModelError: the sidecar is damaged, or describes another engine.
        BackendError: the engine is for another machine.
    """
    sidecar = read_sidecar(engine)
    if sidecar is not None:
        gpu = machine.gpu_of(device)
        version = next((library.version for library in machine.tensorrt_libraries() if not library.reason), "")
        warning = check_machine(engine, sidecar, version, gpu.name, gpu.capability)
        if warning and warning not in _warned:
            _warned.add(warning)
            _logger.warning("%s", warning)
    return sidecar
