"""What a build tried and kept, as objects, JSON and a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rfseg._core import Error
from rfseg.engines.report import VerifyReport


class VerificationError(Error):
    """No engine that was built agrees with its ONNX file; `report` says of each how far off it is."""

    def __init__(self, sentence: str, report: BuildReport) -> None:
        super().__init__(sentence)
        self.report = report


_FIGURES = ("recipe", "build_s", "network_ms", "batch_ms", "layers", "error", "chosen")  # of an attempt, in JSON


@dataclass(slots=True)
class Attempt:
    """One engine that was built.

    Attributes:
        recipe: its name.
        build_s: seconds of the build.
        network_ms: milliseconds an image in one context, as few at once as it takes: one, but for a fixed batch.
        batch_ms: milliseconds an image when it takes as many as it may; decides which engine is the fastest.
        layers: {type: share}.
        report: of its verification; None: a faster one passed first.
        error: why there is no engine.
        chosen: it is the one that was kept.
    """

    recipe: str
    build_s: float = 0.0
    network_ms: float = 0.0
    batch_ms: float = 0.0
    layers: dict[str, float] = field(default_factory=dict)
    report: VerifyReport | None = None
    error: str = ""
    chosen: bool = False
    path: Path | None = None


@dataclass(slots=True)
class BuildReport:
    """What was tried and what was kept.

    Attributes:
        engine: the file.
        attempts: in the order they were built.
        warnings: what TensorRT warned of, each once.
        seconds: it took.
    """

    engine: Path
    attempts: list[Attempt] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def chosen(self) -> Attempt | None:
        """The attempt that was kept."""
        return next((attempt for attempt in self.attempts if attempt.chosen), None)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        attempts = [
            {
                **{
                    k: getattr(one, k)
                    for k in ("recipe", "build_s", "network_ms", "batch_ms", "layers", "error", "chosen")
                },
                "verification": one.report.summary() if one.report else None,
            }
            for one in self.attempts
        ]
        return {"engine": str(self.engine), "seconds": self.seconds, "warnings": self.warnings, "attempts": attempts}

    def text(self) -> str:
        """A table: recipe, speed, agreement."""
        lines = [
            f"{'recipe':<12}{'built in':>10}{'1 image':>10}{'images/s':>10}{'matched':>9}{'IoU p1':>8}{'score p50':>11}"
        ]
        for one in self.attempts:
            alone, rate = (f"{1e3 / ms:,.0f}" if ms else "-" for ms in (one.network_ms, one.batch_ms))
            totals = one.report.totals if one.report else None
            figures = (
                f"{totals.matched_away:>9.2%}{totals.iou_p1:>8.3f}{totals.score_p50:>11.4f}" if totals else " " * 28
            )
            lines.append(f"{one.recipe:<12}{one.build_s:>8.0f} s{alone:>10}{rate:>10}{figures}  {_outcome(one)}")
        return "\n".join(lines)


def _outcome(one: Attempt) -> str:
    if one.error:
        return f"not built: {one.error}"
    if one.report is None:
        return "not verified: a faster one passed"
    return "kept" if one.chosen else one.report.verdict + ("" if one.report.passed else f": {one.report.reasons[0]}")
