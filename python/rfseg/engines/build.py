"""`rfseg.build`: tries recipes, times what they give, keeps the fastest engine that verifies.

Owns the walk and its budget. The engine appears under its name, verified and with its sidecar, or not at all.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rfseg._core import InputError, ModelError
from rfseg.engines import machine
from rfseg.engines.batch import Profile, batch_profiles
from rfseg.engines.build_report import Attempt, BuildReport, VerificationError
from rfseg.engines.cache import onnx_digest
from rfseg.engines.fold import fold
from rfseg.engines.graph import load
from rfseg.engines.pictures import Images
from rfseg.engines.process import stopping_cleanly
from rfseg.engines.recipes import Recipe, tiers
from rfseg.engines.rule import Rule
from rfseg.engines.sidecar import Sidecar, read_sidecar, sidecar_path, write_sidecar
from rfseg.engines.verify import Resize, opened, verify
from rfseg.engines.workshop import Progress, Workshop

Path_ = str | os.PathLike[str]
EFFORTS = {"low": (0.0, 0), "normal": (600.0, 3), "high": (1800.0, 8)}  # seconds, builds of the winner anew


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the caller of build() asked for."""

    model: Path_
    effort: str
    images: Images | None
    resize: Resize | None
    rule: Rule | None


def build(
    model: Path_,
    engine: Path_ | None = None,
    *,
    precision: str = "auto",
    max_batch: int | None = None,
    images: Images | None = None,
    effort: str = "normal",
    timing_cache: Path_ | None = None,
    resize: Resize | None = None,
    rule: Rule | None = None,
    several_profiles: bool = False,
    device: str = "cuda",
    tensorrt: Path_ | None = None,
    progress: Progress | None = None,
) -> BuildReport:
    """Builds, times and verifies engines, and keeps the fastest that agrees with its ONNX file. Waits, for minutes.

    Args:
        model: an ONNX file as rfdetr exports it.
        engine: where to write; default: beside the model, with the suffix `.engine`.
        precision: "auto" (float16, else bfloat16, else float32), "fp16", "bf16", "fp32", or one recipe's name.
        max_batch: most images of one execution; default 8 where the file's batch is open.
        images: to verify on, as `verify` takes them; default: packaged photographs.
        effort: "low": the first recipe that passes; "normal": all recipes, and the best up to 3 times again while 10
            minutes last; "high": up to 8 times, 30 minutes. Whatever was begun is finished.
        timing_cache: a file to keep measurements of tactics in, for other builds on this GPU.
        resize: of both sides of the verification, and for the sidecar.
        rule: the verification's limits.
        several_profiles: a profile for one image alone beside that for up to max_batch.
        device: "cuda" or "cuda:N".
        tensorrt: as `Segmenter` takes it: the library that times and verifies, and will run the engine.
        progress: called with (stage, seconds since the start, text).

    Returns:
        The report; `chosen` is what was kept.

    Raises:
        BackendError: no GPU, or TensorRT's builder or library is missing: names the command that installs it.
        ModelError: the file cannot be built.
        VerificationError: nothing that was built agrees; nothing was written.
        OSError: there is no room; nothing half made is left.
    """
    if effort not in EFFORTS:
        raise InputError(f"effort is {effort!r}: it must be one of {', '.join(EFFORTS)}")
    gpu, library = machine.gpu_of(device), machine.tensorrt_library(os.fspath(tensorrt or ""))
    machine.require_builder(library.version)
    steps = tiers(precision, int(library.version.split(".")[0]))
    target = Path(engine) if engine is not None else Path(model).with_suffix(".engine")
    target.parent.mkdir(parents=True, exist_ok=True)
    report = BuildReport(target)
    with stopping_cleanly():
        folder = Path(tempfile.mkdtemp(prefix=".rfseg-build-", dir=target.parent))
        try:
            workshop = Workshop(report, folder, gpu, library, progress)
            workshop.say("reading", os.fspath(model))
            workshop.stated = _stated(model, resize)
            graph = load(model)
            workshop.say("folding", f"{fold(graph)} nodes of constants")
            profiles = batch_profiles(graph, max_batch, several=several_profiles)
            measured = Path(timing_cache) if timing_cache is not None else folder / "timing.cache"
            wish = _Wish(model, effort, images, resize, rule)
            _keep(_Walk(workshop, graph, profiles, measured, wish).best(steps), target, wish)
            report.seconds = round(workshop.elapsed_s(), 1)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return report


class _Walk:
    """From the fastest recipe to the slowest, until one verifies; then that one again while time is left."""

    def __init__(
        self, workshop: Workshop, graph: Any, profiles: list[Profile], timing_cache: Path, wish: _Wish
    ) -> None:
        self._shop, self._graph, self._profiles, self._timing_cache = workshop, graph, profiles, timing_cache
        self._wish = wish

    def best(self, steps: list[list[Recipe]]) -> Attempt:
        """The attempt to keep.

        Raises:
            VerificationError: none verifies.
            ModelError: none could be built.
        """
        for tier in steps:
            found = self._first_that_verifies(tier)
            if found is not None:
                return self._again(found, next(recipe for recipe in tier if recipe.name == found.recipe))
        report = self._shop.report
        if not any(one.path for one in report.attempts):
            raise ModelError(f"no engine could be built:{_reasons(report)}")
        raise VerificationError(
            f"no engine that was built agrees with the ONNX file, and none was written:{_reasons(report)}", report
        )

    def _first_that_verifies(self, tier: list[Recipe]) -> Attempt | None:
        built = []
        for recipe in tier:
            one = self._shop.attempt(self._graph, recipe, self._profiles, self._timing_cache)
            if one.path is None:
                continue
            built.append(one)
            if self._wish.effort == "low" and self._verifies(one):
                return one
        for one in sorted(built, key=lambda one: one.batch_ms):
            if one.report is None and self._verifies(one):
                return one
        return None

    def _again(self, best: Attempt, recipe: Recipe) -> Attempt:
        """Tactics vary from build to build by a fifth: builds anew, without the measurements of the first time."""
        budget_s, times = EFFORTS[self._wish.effort]
        slowest_s = max(one.build_s for one in self._shop.report.attempts)
        for _ in range(times):
            if self._shop.elapsed_s() + slowest_s > budget_s:
                break
            one = self._shop.attempt(self._graph, recipe, self._profiles, None)
            if one.path is None:
                break
            slowest_s = max(slowest_s, one.build_s)
            if one.batch_ms < best.batch_ms and self._verifies(one):
                best = one
        return best

    def _verifies(self, one: Attempt) -> bool:
        wish, shop = self._wish, self._shop
        assert one.path is not None
        shop.say(f"verifying {one.recipe}")
        one.report = verify(
            one.path,
            wish.model,
            wish.images,
            device=f"cuda:{shop.gpu.ordinal}",
            tensorrt=shop.library.path,
            resize=wish.resize,
            rule=wish.rule,
            progress=lambda done, count: shop.say(f"verifying {one.recipe}", f"{done}/{count} images"),
        )
        shop.say(f"verified {one.recipe}", one.report.verdict)
        return one.report.passed


def _stated(model: Path_, resize: Resize | None) -> Sidecar:
    """What the ONNX file says of itself, as the engine's sidecar will say it. A file that cannot run is refused."""
    with opened(model, "cpu", resize) as reference:
        info, names = reference.info, {str(number): name for number, name in reference.names.items()}
    return Sidecar(
        onnx_file=Path(model).name,
        resize=info["resize"],
        mean=info["mean"],
        std=info["std"],
        places=info["places"],
        names=names or None,
    )


def _reasons(report: BuildReport) -> str:
    reasons = [one.error or (one.report.reasons[0] if one.report else "") for one in report.attempts]
    return "".join(f"\n  {one.recipe}: {why}" for one, why in zip(report.attempts, reasons, strict=True))


def _keep(one: Attempt, target: Path, wish: _Wish) -> None:
    """Moves the engine to its name. Its sidecar comes last: an engine that has one is whole, and is the one it says."""
    assert one.path is not None
    assert one.report is not None
    facts = read_sidecar(one.path)
    assert facts is not None
    facts.onnx_sha256 = onnx_digest(wish.model)
    facts.verification = one.report.summary()
    sidecar_path(target).unlink(missing_ok=True)
    os.replace(one.path, target)
    write_sidecar(target, facts)
    one.chosen, one.path = True, target
