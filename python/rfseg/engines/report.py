"""What a verification found, in all and per image, as an object, as JSON, as text for an issue, and as a picture."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rfseg.engines.matching import Comparison

_COUNTS = (
    *("reference", "candidate", "matched", "away", "missing_near", "missing_away", "extra_near", "extra_away"),
    *("class_blind", "nonfinite", "saturated"),
)
_KEPT = (  # in a sidecar
    *("threshold", "images", "reference", "matched", "missing_away", "extra_away"),
    *("score_p50", "score_p99", "iou_p1", "iou_p50"),
)


@dataclass(slots=True)
class Totals:
    """All images together; percentiles are over the pairs. Attributes as in Comparison and Rule."""

    threshold: float = 0.0
    images: int = 0
    reference: int = 0
    candidate: int = 0
    matched: int = 0
    away: int = 0
    missing_near: int = 0
    missing_away: int = 0
    extra_near: int = 0
    extra_away: int = 0
    score_p50: float = 0.0
    score_p99: float = 0.0
    score_max: float = 0.0
    iou_p1: float = 1.0
    iou_p10: float = 1.0
    iou_p50: float = 1.0
    box_p50: float = 0.0
    box_p99: float = 0.0
    class_blind: int = 0
    class_logits: float = 0.0
    nonfinite: int = 0
    saturated: int = 0
    input_max: float = 0.0
    input_mean: float = 0.0
    reference_ms: float = 0.0
    candidate_ms: float = 0.0
    common_shift: tuple[int, float] = (0, 0.0)

    @property
    def matched_away(self) -> float:
        """Share of the reference's instances beyond the margin that have a partner."""
        return 1 - self.missing_away / self.away if self.away else 1.0


def total(comparisons: Sequence[Comparison], threshold: float) -> Totals:
    """Sums up what was compared above one threshold."""
    totals = Totals(threshold, len(comparisons))
    for name in _COUNTS:
        setattr(totals, name, sum(getattr(one, name) for one in comparisons))
    scores, ious, boxes = (
        [value for one in comparisons for value in getattr(one, name)]
        for name in ("score_differences", "mask_ious", "box_differences")
    )
    if scores:
        totals.score_p50, totals.score_p99, totals.score_max = np.percentile(scores, (50, 99, 100)).tolist()
        totals.iou_p1, totals.iou_p10, totals.iou_p50 = np.percentile(ious, (1, 10, 50)).tolist()
        totals.box_p50, totals.box_p99 = np.percentile(boxes, (50, 99)).tolist()
    for name in ("class_logits", "input_max", "input_mean"):
        setattr(totals, name, max((getattr(one, name) for one in comparisons), default=0.0))
    for name in ("reference_ms", "candidate_ms"):
        setattr(totals, name, float(np.median([getattr(one, name) for one in comparisons] or [0.0])))
    shifts: Counter[int] = Counter()
    for one in comparisons:
        shifts.update(one.class_shifts)
    if shifts:
        shift, count = shifts.most_common(1)[0]
        totals.common_shift = (shift, count / shifts.total())
    return totals


@dataclass(slots=True)
class VerifyReport:
    """A verification's outcome.

    Attributes:
        passed: nothing failed.
        verdict: "agrees", "another precision", "another resize", "small difference" or "spoilt".
        reasons: why it did not pass, one sentence each.
        hints: what the failure looks like.
        totals: over all images.
        images: one by one.
        candidate, reference: file, backend, device of each side.
        rule: {limit: value} that was applied.
        precision: {type: share of the engine's layers}; None where it is not known.
        seconds: it took.
    """

    passed: bool
    verdict: str
    reasons: list[str]
    hints: list[str]
    totals: Totals
    images: list[Comparison]
    candidate: dict[str, str]
    reference: dict[str, str]
    rule: dict[str, float]
    precision: dict[str, float] | None = None
    seconds: float = 0.0
    worst: list[Any] = field(default_factory=list, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The figures, ready for JSON."""
        totals = {**asdict(self.totals), "matched_away": self.totals.matched_away}
        images = []
        for one in self.images:
            shares = {k: v for k, v in asdict(one).items() if not isinstance(v, list)}
            images.append({**shares, "class_shifts": {str(k): v for k, v in one.class_shifts.items()}})
        keys = ("passed", "verdict", "reasons", "hints", "candidate", "reference", "rule", "precision", "seconds")
        return {**{key: getattr(self, key) for key in keys}, "totals": totals, "images": images}

    def summary(self) -> dict[str, Any]:
        """What a sidecar keeps."""
        figures = {name: round(float(getattr(self.totals, name)), 5) for name in _KEPT}
        return {"passed": self.passed, "verdict": self.verdict, **figures}

    def text(self) -> str:
        """The report as text, as it may be pasted into an issue."""
        t = self.totals
        lines = [
            f"candidate  {_side(self.candidate)}",
            f"reference  {_side(self.reference)}",
            f"images     {t.images}, {t.reference} instances above {t.threshold:g}",
            f"matched    {t.matched} of {t.reference}, {t.matched_away:.2%} of {t.away} away from the threshold",
            f"missing    {t.missing_near} near the threshold, {t.missing_away} away",
            f"extra      {t.extra_near} near the threshold, {t.extra_away} away",
            f"mask IoU   p1 {t.iou_p1:.4f}, p10 {t.iou_p10:.4f}, p50 {t.iou_p50:.4f}",
            f"scores     differ by p50 {t.score_p50:.4f}, p99 {t.score_p99:.4f}, at most {t.score_max:.4f}",
            f"boxes      differ by p50 {t.box_p50:.3%}, p99 {t.box_p99:.3%} of the longer side",
            f"classes    best logit of a class differs by at most {t.class_logits:.3g}",
            f"numbers    {t.nonfinite} NaN or infinite, {t.saturated} at FP16's end",
            f"time       {t.candidate_ms:.2f} ms an image, the reference {t.reference_ms:.1f} ms",
        ]
        if self.precision:
            shares = ", ".join(f"{share:.0%} {kind}" for kind, share in self.precision.items())
            lines.append(f"layers     {shares}")
        limits = ", ".join(f"{name}={value:g}" for name, value in self.rule.items())
        lines += [
            f"rule       {limits}",
            f"result     {'PASSED' if self.passed else 'FAILED'}: {self.verdict}",
        ]
        return "\n".join([*lines, *(f"  - {r}" for r in self.reasons), *(f"  hint: {h}" for h in self.hints)])

    def markdown(self) -> str:
        """`text`, the images one by one, and the machine, for an issue."""
        rows = [
            f"| {one.name} | {one.reference} | {one.matched} | {one.missing_away} | {one.extra_away} "
            f"| {min(one.mask_ious, default=1):.3f} | {max(one.score_differences, default=0):.4f} "
            f"| {one.nonfinite} | {one.candidate_ms:.2f} |"
            for one in self.images
        ]
        head = "| image | instances | matched | missing away | extra away | IoU least | score most | NaN | ms |"
        machine = f"{platform.platform()}, Python {platform.python_version()}"
        table = "\n".join([head, "|---" * 9 + "|", *rows])
        return f"```\n{self.text()}\nmachine    {machine}\n```\n\n{table}\n"

    def save_picture(self, path: str | os.PathLike[str]) -> None:
        """Draws the three worst images, reference left, candidate right; needs OpenCV.

        Raises:
            MissingExtraError: OpenCV is not installed.
            InputError: there is no image, or the suffix is none of an image.
        """
        from rfseg._core import InputError
        from rfseg.drawing import draw, image_bytes
        from rfseg.missing import require

        cv2 = require("cv2", "Drawing")
        if not self.worst:
            raise InputError("there is no picture: no image was compared")
        rows = []
        for name, pixels, reference, candidate in self.worst:
            pair = np.hstack([draw(reference, pixels), draw(candidate, pixels)])
            pair = cv2.resize(pair, (1280, max(1, round(pair.shape[0] * 1280 / pair.shape[1]))))
            cv2.putText(pair, f"{name}: reference | candidate", (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1)
            rows.append(pair)
        Path(path).write_bytes(image_bytes(Path(path).suffix, np.vstack(rows)))


def _side(side: dict[str, str]) -> str:
    return f"{side['model']} ({side['backend']} {side['version']} on {side['device']})"
