"""What several test files drive: the demo's frames and an open Segmenter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import rfseg
from paths import DEMO_CLIP, DEMO_MODEL


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    import av

    with av.open(str(DEMO_CLIP)) as clip:
        return [frame.to_ndarray(format="bgr24") for frame, _ in zip(clip.decode(video=0), range(12), strict=False)]


@pytest.fixture(scope="module")
def seg() -> Iterator[rfseg.Segmenter]:
    with rfseg.Segmenter(DEMO_MODEL) as segmenter:
        yield segmenter
