"""Builds and times one engine of one recipe: the typed graph, the worker process, the clock, the first sidecar.

Owns the temporary folder's files; what to build next and what to keep is decided elsewhere (build.py).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rfseg._core import ModelError
from rfseg.engines.batch import Profile
from rfseg.engines.build_report import Attempt, BuildReport
from rfseg.engines.files import sha256_of
from rfseg.engines.graph import FLOAT, dimensions, network_input
from rfseg.engines.machine import Gpu, Library, driver_version
from rfseg.engines.process import run_worker
from rfseg.engines.recipes import Recipe
from rfseg.engines.sidecar import Sidecar, write_sidecar
from rfseg.engines.typed import write_types
from rfseg.missing import require

Progress = Callable[[str, float, str], None]
_RUNS, _ROUNDS = 100, 3


class Workshop:
    """Everything that the attempts of one build share."""

    def __init__(
        self, report: BuildReport, folder: Path, gpu: Gpu, library: Library, progress: Progress | None
    ) -> None:
        self.report, self.folder, self.gpu, self.library = report, folder, gpu, library
        self.stated = Sidecar()  # what the engines take over from the ONNX file
        self._progress, self._started = progress, time.perf_counter()

    def elapsed_s(self) -> float:
        """Since the build began."""
        return time.perf_counter() - self._started

    def say(self, stage: str, text: str = "") -> None:
        """Tells the caller how far the build is."""
        if self._progress:
            self._progress(stage, self.elapsed_s(), text)

    def attempt(self, model: Any, recipe: Recipe, profiles: list[Profile], timing_cache: Path | None) -> Attempt:
        """Builds one engine and times it; a recipe that cannot be built is noted, not raised.

        Args:
            model: an `onnx.ModelProto`, folded.
            recipe: how.
            profiles: of a dynamic batch.
            timing_cache: a file; None measures every tactic anew.

        Raises:
            BackendError: no recipe can be built here.
            OSError: there is no room.
        """
        one = Attempt(recipe.name)
        self.report.attempts.append(one)
        source = self.folder / f"{recipe.name}.onnx"
        if not source.is_file():
            source.write_bytes(_written(model, recipe))
        engine = self.folder / f"{recipe.name}-{len(self.report.attempts)}.engine"
        request = {
            "model": str(source),
            "engine": str(engine),
            "typed": not recipe.flag,
            "fp16_flag": recipe.flag,
            "tf32": recipe.flag,  # the plain builder's own setting; elsewhere float32 means float32
            "profiles": profiles,
            "tensorrt": self.library.version,
            "timing_cache": str(timing_cache) if timing_cache else "",
        }
        started = time.perf_counter()
        self.say(f"building {recipe.name}")
        try:
            done = run_worker(request, self.gpu.ordinal, self._listener(recipe.name))
            one.build_s, one.layers, one.path = round(time.perf_counter() - started, 1), done["layers"], engine
            write_sidecar(engine, self._facts(model, recipe, profiles, one, done["tensorrt"]))
            one.network_ms, one.batch_ms = network_ms(engine, f"cuda:{self.gpu.ordinal}", self.library.path)
            self.say(f"timed {recipe.name}", f"{1e3 / one.batch_ms:,.0f} images/s")
        except ModelError as error:
            one.error, one.path = str(error), None
            self.say(f"building {recipe.name}", f"failed: {error}")
        return one

    def _listener(self, recipe: str) -> Callable[[str, dict[str, Any]], None]:
        def heard(kind: str, facts: dict[str, Any]) -> None:
            if kind == "phase":
                steps = f" {facts['step']}/{facts['steps']}" if facts["steps"] > 1 else ""
                self.say(f"building {recipe}", f"{facts['name']}{steps}")
            elif facts["text"] not in self.report.warnings:
                self.report.warnings.append(facts["text"])
                self.say(f"building {recipe}", f"TensorRT {facts['level']}: {facts['text']}")

        return heard

    def _facts(self, model: Any, recipe: Recipe, profiles: list[Profile], one: Attempt, tensorrt: str) -> Sidecar:
        given = network_input(model)
        shape = [size if isinstance(size, int) else 0 for size in dimensions(given)]
        least, most = (profiles[0][0], profiles[0][2]) if profiles else (shape[0], shape[0])
        assert one.path is not None
        return replace(
            self.stated,
            engine_size=one.path.stat().st_size,
            engine_sha256=sha256_of([one.path]),
            input_name=given.name,
            output_names=[output.name for output in model.graph.output],
            network_size=(shape[2], shape[3]),
            batch=(least, most),
            profiles=profiles,
            tensorrt=tensorrt,
            gpu=self.gpu.name,
            compute_capability=self.gpu.capability,
            driver=driver_version(),
            recipe=recipe.name,
            precision=recipe.precision,
            layers=one.layers or None,
        )


def _written(model: Any, recipe: Recipe) -> bytes:
    onnx = require("onnx", "Building an engine")
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if recipe.islands is not None and recipe.half != FLOAT:
        write_types(copy, recipe.islands, recipe.half)
    return bytes(copy.SerializeToString())


def network_ms(engine: Path, device: str, tensorrt: str) -> tuple[float, float]:
    """Milliseconds an image in one context, the median of a few rounds: as few and as many at once as it takes."""
    from rfseg.segmenter import Segmenter

    with Segmenter(engine, device=device, tensorrt=tensorrt) as segmenter:
        times = []
        for batch in (segmenter.info["min_batch"], segmenter.info["max_batch"]):
            segmenter.network_ms(_RUNS, 1, batch)  # clocks and caches warm up
            times.append(statistics.median(segmenter.network_ms(_RUNS, 1, batch) for _ in range(_ROUNDS)))
        return times[0], times[1]
