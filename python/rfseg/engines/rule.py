"""When a candidate's answers count as the reference's: the limits, what fails them, and what the failure looks like.

Owns no measurement. The medians are what tells a spoilt network: half precision moved them by 0.001 in mask IoU and
0.0005 in score, the mildest planted fault by ten times that. The tails hold queries that the network's TopK swapped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from rfseg._core import InputError

if TYPE_CHECKING:
    from rfseg.engines.report import Totals

FEWEST_INSTANCES = 5  # fewer compared say nothing
_HALVES = ("float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class Rule:
    """Limits of a verification; each may be overridden.

    Attributes:
        matched_away: share of the reference's instances beyond the margin that have a partner, and of the candidate's;
            one may be missing in any case.
        iou_p50, iou_p1: mask IoU of the pairs, least.
        score_p50, score_p99: difference of their scores, most.
        box_p50: difference of their boxes, share of the image's longer side, most.
        class_logits: difference of a class column's best logit in an image, most.
        input_max: difference of what the networks are given, in units of normalised values, most.
        half_share: of the layers, least, where half precision was asked for.
    """

    matched_away: float = 0.99
    iou_p50: float = 0.99
    iou_p1: float = 0.90
    score_p50: float = 0.006
    score_p99: float = 0.15
    box_p50: float = 0.002
    class_logits: float = 3.0
    input_max: float = 0.02
    half_share: float = 0.2

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Reads `iou_p1=0.97,matched_away=0.995`; what is not named keeps its default.

        Raises:
            InputError: an unknown name, or no number.
        """
        known = [field.name for field in fields(cls)]
        values = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            try:
                values[name.strip()] = float(value)
            except ValueError:
                raise InputError(f"rule: expected NAME=NUMBER, got {part!r}") from None
            if name.strip() not in known:
                raise InputError(f"rule: there is no limit {name.strip()!r}; there are {', '.join(known)}")
        return cls(**values)


def failures(totals: Totals, rule: Rule) -> list[str]:
    """Returns why the candidate does not pass, one sentence each; empty when it does."""
    found = []
    if totals.nonfinite:
        found.append(f"{totals.nonfinite:,} numbers of its outputs are NaN or infinite")
    if totals.saturated:
        found.append(f"{totals.saturated:,} numbers of its outputs are at the end of FP16's range")
    if totals.reference < FEWEST_INSTANCES:
        found.append(
            f"only {totals.reference} instances could be compared above {totals.threshold:g}, "
            f"{FEWEST_INSTANCES} are needed: give images of what the network was trained on"
        )
    allowed = max(1, math.ceil((1 - rule.matched_away) * totals.away))
    for count, what in ((totals.missing_away, "has no partner in"), (totals.extra_away, "is found only by")):
        if count > allowed:
            found.append(f"{count} of {totals.away} instances away from the threshold: each {what} the candidate")
    for value, limit, least, what in (
        (totals.iou_p50, rule.iou_p50, True, "mask IoU p50"),
        (totals.iou_p1, rule.iou_p1, True, "mask IoU p1"),
        (totals.score_p50, rule.score_p50, False, "score difference p50"),
        (totals.score_p99, rule.score_p99, False, "score difference p99"),
        (totals.box_p50, rule.box_p50, False, "box difference p50"),
        (totals.class_logits, rule.class_logits, False, "difference of a class's best logit"),
        (totals.input_max, rule.input_max, False, "difference of what the networks are given"),
    ):
        if (value < limit) if least else (value > limit):
            found.append(f"{what} is {value:.4g}, {'at least' if least else 'at most'} {limit:g} is asked")
    if totals.reference >= FEWEST_INSTANCES and not totals.matched:
        found.append("no instance of the reference has a partner")
    return found


def precision_failure(wanted: str | None, shares: dict[str, float] | None, rule: Rule) -> str | None:
    """A sentence when an engine is not in the precision that was asked for.

    Args:
        wanted: "float16", "bfloat16", "float32" or None.
        shares: {type: share of the layers}, as the inspector counts them; None: unknown.
        rule: says how much is enough.
    """
    if wanted not in _HALVES or not shares:
        return None
    half = sum(shares.get(kind, 0.0) for kind in _HALVES)
    if half >= rule.half_share:
        return None
    return f"{wanted} was asked for, and {half:.0%} of the engine's layers compute in it: this is a float32 engine"


def verdict(totals: Totals, reasons: list[str], rule: Rule) -> str:
    """`agrees`, `another resize`, `small difference` (a layer, a coarser number format) or `spoilt`."""
    if not reasons:
        return "agrees"
    near = (
        not totals.nonfinite
        and totals.matched >= 0.8 * max(totals.reference, 1)
        and totals.iou_p50 >= 0.95
        and totals.score_p50 <= 0.02
        and totals.box_p50 <= 0.01
        and totals.class_logits <= 3
    )
    if not near:
        return "spoilt"
    return "another resize" if totals.input_max > rule.input_max else "small difference"


def hints(totals: Totals, rule: Rule) -> list[str]:
    """What known mistakes look like."""
    found = []
    if totals.input_max > rule.input_max:
        found.append(
            f"the two networks are given different pixels (mean {totals.input_mean:.3g}): they resize differently, "
            "antialiased or not; name the resize of each side"
        )
    shift, share = totals.common_shift
    if shift and share > 0.5:
        found.append(f"{share:.0%} of the masks that fit have a class {shift:+d} away: the class columns are shifted")
    if totals.matched and totals.iou_p50 > 0.98 and totals.box_p50 > 0.02:
        found.append("masks fit and boxes do not: boxes in another format (xyxy for cxcywh)?")
    if totals.class_logits > 10 and not shift:
        found.append("a class column is far off while others fit: a class was dropped")
    if totals.reference and totals.class_blind < 0.3 * totals.reference and totals.class_logits < 0.5:
        found.append("scores fit and masks do not: the mask grid is turned or shifted?")
    return found
