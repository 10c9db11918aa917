"""Numbers and JSON text as every format writes them: the shortest that read back exactly, and never NaN."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np


def shortest(value: np.float32) -> float | None:
    """The double with the fewest digits that rounds back to `value`: 0.9, not 0.8999999761581421.

    None, JSON's null, for NaN and the infinities, which JSON cannot write.
    """
    return float(str(value)) if math.isfinite(value) else None


def line(value: Any) -> str:
    """`value` as JSON without spaces or line breaks.

    Raises:
        ValueError: a number that is not finite: better no line than one that readers refuse.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def line_bytes(value: Any) -> bytes:
    """`line` as UTF-8; half a surrogate, which has none, becomes JSON's escape of it. Raises as `line`."""
    return line(value).encode("utf-8", "backslashreplace")
