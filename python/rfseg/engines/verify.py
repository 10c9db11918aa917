"""`rfseg.verify`: the same frames through a candidate and through ONNX Runtime in float32, instance by instance.

Owns the order of things: what is compared on, above which threshold, by which limits. The networks are compared, not
the stages around them, which are `rfseg parity`'s subject.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rfseg._core import InputError
from rfseg.engines.answers import Answer, Pair, compare_all, compared_pair
from rfseg.engines.matching import Comparison
from rfseg.engines.pictures import MOST_FRAMES, Images, pictures
from rfseg.engines.report import Totals, VerifyReport, total
from rfseg.engines.rule import FEWEST_INSTANCES, Rule, failures, hints, precision_failure, verdict
from rfseg.engines.sidecar import Sidecar, read_sidecar

if TYPE_CHECKING:
    from rfseg.result import Result
    from rfseg.segmenter import Segmenter

Path_ = str | os.PathLike[str]
Resize = Literal["pil", "bilinear"]
_RESIZES: dict[str, Resize] = {"pil": "pil", "bilinear": "bilinear"}
# The first of these above which the reference finds enough to compare.
_THRESHOLDS = (0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
_ENOUGH = 2 * FEWEST_INSTANCES


def verify(
    candidate: Path_,
    against: Path_,
    images: Images | None = None,
    *,
    device: str = "auto",
    threshold: float | None = None,
    resize: Resize | None = None,
    candidate_resize: Resize | None = None,
    rule: Rule | None = None,
    precision: str | None = None,
    limit: int = MOST_FRAMES,
    allow_engine_code: bool = False,
    tensorrt: Path_ | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Compares a candidate with an ONNX file that runs in float32 on the CPU. Waits.

    Args:
        candidate: a TensorRT engine, or an ONNX file.
        against: the ONNX file.
        images: a file, folder, pattern or video, several of them, or uint8 [H, W, 3] BGR arrays. Default: the
            packaged photographs.
        device: of the candidate.
        threshold: score above which an instance counts; default: 0.3, or lower where the reference finds too little.
        resize: of both sides; default: what the Segmenter takes.
        candidate_resize: of the candidate, where it differs.
        rule: the limits.
        precision: "float16", "bfloat16" or "float32" when the engine was to be that; default: what its sidecar says.
        limit: at most so many frames.
        allow_engine_code: let an engine run machine code that it carries.
        tensorrt: as `Segmenter` takes it, for the candidate.
        progress: called with (frames done, frames in all).

    Returns:
        The report; it says itself whether it passed.

    Raises:
        InputError: the reference is no ONNX file, or there is nothing to compare on.
        ModelError, BackendError: a side cannot be opened.
    """
    started, rule = time.perf_counter(), rule or Rule()
    if Path(against).suffix.lower() != ".onnx":
        raise InputError(f"{os.fspath(against)}: what is compared against is an ONNX file")
    shown = pictures(images, limit)
    sidecar = None if Path(candidate).suffix.lower() == ".onnx" else read_sidecar(candidate)
    candidate_resize = candidate_resize or _RESIZES.get(sidecar.resize if sidecar else "")
    floor = _THRESHOLDS[-1] if threshold is None else threshold
    with (
        opened(against, "cpu", resize) as reference,
        opened(candidate, device, candidate_resize or resize, allow_engine_code, tensorrt) as other,
    ):
        reasons = [*_structure(reference, other), *_provenance(sidecar, against)]
        compared = [] if reasons else list(compare_all(reference, other, shown, floor, progress))
        sides = _described(other), _described(reference)
    chosen = threshold if threshold is not None else _choose([pair.reference.result for pair in compared])
    comparisons = [compared_pair(pair, chosen) for pair in compared]
    totals = total(comparisons, chosen)
    wanted, shares = precision or (sidecar.precision if sidecar else None), sidecar.layers if sidecar else None
    judged, reasons = _judge(totals, reasons, precision_failure(wanted, shares, rule), rule)
    return VerifyReport(
        passed=not reasons,
        verdict=judged,
        reasons=reasons,
        hints=hints(totals, rule) if reasons else [],
        totals=totals,
        images=comparisons,
        candidate=sides[0],
        reference=sides[1],
        rule=asdict(rule),
        precision=shares,
        seconds=round(time.perf_counter() - started, 2),
        worst=_worst(compared, comparisons, chosen),
    )


def _judge(totals: Totals, found: list[str], precision: str | None, rule: Rule) -> tuple[str, list[str]]:
    """Verdict and reasons; `found` are reasons for which nothing was compared."""
    if found:
        return "spoilt", [*found, *filter(None, [precision])]
    reasons = failures(totals, rule)
    if precision:
        return verdict(totals, reasons, rule) if reasons else "another precision", [*reasons, precision]
    return verdict(totals, reasons, rule), reasons


def opened(
    model: Path_, device: str, resize: Resize | None, allow_engine_code: bool = False, tensorrt: Path_ | None = None
) -> Segmenter:
    """One side of a comparison."""
    from rfseg.segmenter import Segmenter

    resizing: Any = resize or "auto"
    return Segmenter(model, device=device, resize=resizing, allow_engine_code=allow_engine_code, tensorrt=tensorrt)


def _structure(reference: Segmenter, candidate: Segmenter) -> list[str]:
    """Networks of other sizes are not the same network."""
    words = {"network_size": "input", "mask_size": "mask grid", "queries": "queries", "columns": "class columns"}
    ours, theirs = dict(reference.info), dict(candidate.info)
    return [
        f"{what}: the candidate has {theirs[key]}, the reference {ours[key]}: it is another model, or lost a part"
        for key, what in words.items()
        if ours[key] != theirs[key]
    ]


def _provenance(sidecar: Sidecar | None, against: Path_) -> list[str]:
    from rfseg.engines.cache import onnx_digest

    if sidecar is None or not sidecar.onnx_sha256 or sidecar.onnx_sha256 == onnx_digest(against):
        return []
    return [f"the engine was built from another file ({sidecar.onnx_file}): its sidecar names another ONNX digest"]


def _choose(results: list[Result]) -> float:
    for threshold in _THRESHOLDS:
        if sum(int((result.confidence > threshold).sum()) for result in results) >= _ENOUGH:
            return threshold
    return _THRESHOLDS[-1]


def _worst(compared: list[Pair], comparisons: list[Comparison], threshold: float) -> list[Any]:
    """The three images that differ most: (name, pixels, reference's result, candidate's)."""

    def badness(place: int) -> tuple[float, ...]:
        one = comparisons[place]
        lost = one.missing_away + one.extra_away
        return (one.nonfinite, lost, 1 - min(one.mask_ious, default=1.0), max(one.score_differences, default=0.0))

    def above(answer: Answer) -> Result:
        return answer.result[answer.result.confidence > threshold]

    pairs = [compared[place] for place in sorted(range(len(comparisons)), key=badness, reverse=True)[:3]]
    return [(p.picture.name, p.picture.pixels, above(p.reference), above(p.candidate)) for p in pairs]


def _described(side: Segmenter) -> dict[str, str]:
    info = side.info
    device = f"{info['device']} ({info['gpu']})" if info["gpu"] else info["device"]
    return {
        "model": os.path.basename(info["model"]),
        "backend": info["backend"],
        "version": info["library_version"],
        "device": device,
        "resize": info["resize"],
    }
