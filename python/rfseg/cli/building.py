"""What a person sees while an engine is built, by `rfseg build` or because an ONNX file meets a GPU."""

from __future__ import annotations

import json
import sys

_EVERY_S = 2.0  # TensorRT speaks of thousands of steps


class Progress:
    """Prints stages as they begin, TensorRT's warnings, now and then a step; JSON to stdout, text to stderr."""

    def __init__(self, as_json: bool) -> None:
        self._json, self._stage, self._said = as_json, "", -_EVERY_S

    def __call__(self, stage: str, elapsed_s: float, text: str) -> None:
        """Takes what `build` tells."""
        warning = text.startswith("TensorRT ")
        if stage == self._stage and not warning and elapsed_s - self._said < _EVERY_S:
            return
        self._stage, self._said = stage, elapsed_s
        if self._json:
            event = {"event": "progress", "stage": stage, "elapsed_s": round(elapsed_s, 1), "text": text}
            print(json.dumps(event), flush=True)
        else:
            print(f"{elapsed_s:6.0f} s  {stage}{': ' if text else ''}{text}", file=sys.stderr, flush=True)
