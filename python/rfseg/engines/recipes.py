"""The ways to build an engine, fastest first, and which of them a wish for precision means.

Owns names and order; each recipe is data. What it costs and whether it agrees is found out by building and verifying.
"""

from __future__ import annotations

from dataclasses import dataclass

from rfseg._core import InputError
from rfseg.engines.graph import BFLOAT16, FLOAT, FLOAT16
from rfseg.engines.islands import Islands


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to build.

    Attributes:
        name: for people and files.
        precision: "float16", "bfloat16" or "float32".
        half: the type that is written into the graph; FLOAT writes nothing.
        islands: what stays in float32 besides heads and coordinates.
        flag: leave the choice to TensorRT's own FP16 flag, which 11 no longer has.
        what: a sentence for `--help` and reports.
    """

    name: str
    precision: str
    half: int
    islands: Islands | None
    flag: bool
    what: str


_ALL = (
    Recipe(
        "fp16-fused",
        "float16",
        FLOAT16,
        Islands(norms=False, softmax=False),
        False,
        "float16; coordinates, boxes and scores in float32; norms and softmax fused with their neighbours",
    ),
    Recipe("fp16-flag", "float16", FLOAT, None, True, "TensorRT 10 chooses layer by layer (its FP16 flag)"),
    Recipe("fp16", "float16", FLOAT16, Islands(), False, "float16; norms, softmax, coordinates and heads in float32"),
    Recipe("bf16", "bfloat16", BFLOAT16, Islands(), False, "bfloat16 with the same islands: coarser, cannot overflow"),
    Recipe("fp32", "float32", FLOAT, None, False, "float32 throughout, without TF32"),
)
RECIPES = {recipe.name: recipe for recipe in _ALL}
PRECISIONS = ("auto", "fp16", "bf16", "fp32", "fp16-fused", "fp16-flag", "fp16-islands")


def tiers(precision: str, tensorrt_major: int) -> list[list[Recipe]]:
    """Which recipes to build and time against each other; a later tier only when none of the earlier passes.

    Args:
        precision: "auto"; "fp16" (the fastest of its recipes), "bf16", "fp32"; or one recipe: "fp16-fused",
            "fp16-flag", "fp16-islands".
        tensorrt_major: 10 or 11.

    Raises:
        InputError: there is no such precision, or not in this TensorRT.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision is {precision!r}: it must be one of {', '.join(PRECISIONS)}")
    if precision == "fp16-flag" and tensorrt_major >= 11:
        raise InputError(f"precision fp16-flag: TensorRT {tensorrt_major} has no FP16 flag; use fp16")
    half = [r for r in _ALL if r.precision == "float16" and not (r.flag and tensorrt_major >= 11)]
    if precision == "auto":
        return [half, [RECIPES["bf16"]], [RECIPES["fp32"]]]
    if precision == "fp16":
        return [half]
    return [[RECIPES["fp16" if precision == "fp16-islands" else precision]]]
