"""How many images an engine may take at once: what a file allows, and whether its graph keeps to it.

Owns the sentences about fixed batches, and the profiles of a dynamic one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rfseg._core import InputError, ModelError
from rfseg.engines.graph import dimensions, network_input

Profile = tuple[int, int, int]  # least, best, most images
DEFAULT_MOST = 8  # an H100 gives 3.4 times batch 1 there, and 3.9 times at 16


def batch_profiles(model: Any, max_batch: int | None, *, several: bool = False) -> list[Profile]:
    """Decides an engine's batch.

    Args:
        model: an `onnx.ModelProto`.
        max_batch: most images of one execution; None: 8 where the batch is open.
        several: a profile for 1 image alone after the one for all, for a runtime that chooses between them.

    Returns:
        The profiles; none for a fixed batch, which is taken as it is.

    Raises:
        ModelError: the file's batch is fixed at another number, or baked into its graph.
        InputError: max_batch is not positive.
    """
    if max_batch is not None and max_batch < 1:
        raise InputError(f"max_batch is {max_batch}: it must be at least 1")
    given = network_input(model)
    shape = dimensions(given)
    images = shape[0]
    if isinstance(images, int):
        if max_batch is not None and max_batch != images:
            raise ModelError(
                f"max_batch is {max_batch}, and the file's batch is fixed at {images}: export it again with "
                "dynamic_batch=True, or leave max_batch out"
            )
        return []
    most = DEFAULT_MOST if max_batch is None else max_batch
    if any(not isinstance(size, int) for size in shape[1:]):
        raise ModelError(f"the input is {shape}: export it again with a fixed height and width")
    if most > 1:
        _check_open(model, given.name, [int(size) for size in shape[1:]])
    whole = (1, most, most)
    return [whole, (1, 1, 1)] if several and most > 1 else [whole]  # the Segmenter takes the first


def _check_open(model: Any, name: str, rest: list[int]) -> None:
    """Runs two images through ONNX Runtime: exports with an open input exist whose reshapes hold a 1."""
    import onnxruntime  # type: ignore[import-untyped, unused-ignore]

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    advice = "the batch is baked into the graph: export it again with dynamic_batch=True, or build with max_batch=1"
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found = session.run(None, {name: np.zeros((2, *rest), np.float32)})
    except Exception as error:  # ONNX Runtime's own kinds; the message names the node
        raise ModelError(
            f"two images do not go through this network, though its input allows it ({error}): {advice}"
        ) from error
    kept = [value.shape[0] for value in found]
    if kept != [2] * len(kept):
        raise ModelError(f"two images go in and {kept} come out of its outputs: {advice}")
