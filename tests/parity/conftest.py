"""Gives the parity tests a GPU, engines and clips; where one is missing they are skipped, or fail where it is promised.

RFSEG_TEST_ENGINES   folder with shapes_fp16.plan, shapes_nano_fp16.plan and nano_dynamic_1_16_fp16.plan (batch 1 to 16)
RFSEG_TENSORRT       the TensorRT library that runs them
RFSEG_TEST_VIDEOS    folder with shapes_1080p.mp4, shapes_720p.mp4 and shapes_312x176.mp4
RFSEG_REQUIRE_GPU    1: nothing may be missing
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import rfseg
from parity.inputs import CLIPS, ENGINES, NAMES, read_clip
from paths import DEMO_CLIP

Open = Callable[..., rfseg.Segmenter]


@pytest.fixture(scope="session")
def absent() -> Callable[[str], NoReturn]:
    """Ends the test that lacks something: every skip of this folder goes through here."""

    def end(sentence: str) -> NoReturn:
        if os.environ.get("RFSEG_REQUIRE_GPU") == "1":
            pytest.fail(f"RFSEG_REQUIRE_GPU=1, but {sentence}")
        pytest.skip(sentence)

    return end


def gpus() -> int:
    """How many GPUs the NVIDIA driver can use; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    usable = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if usable else 0


collect_ignore = [] if gpus() > 1 else ["test_two_gpus.py"]


@pytest.fixture(scope="session", autouse=True)
def gpu(absent: Callable[[str], NoReturn]) -> None:
    """An NVIDIA GPU that the driver can use."""
    if gpus() == 0:
        absent("the NVIDIA driver, if there is one, finds no GPU")


def folder_of(variable: str, files: tuple[str, ...], absent: Callable[[str], NoReturn]) -> Path:
    """The folder that an environment variable names, with these files in it."""
    folder = Path(os.environ.get(variable, ""))
    missing = [file for file in files if not os.environ.get(variable) or not (folder / file).is_file()]
    if missing:
        absent(f"{variable} names no folder with {', '.join(missing)}")
    return folder


@pytest.fixture(scope="session")
def engines(gpu: None, absent: Callable[[str], NoReturn]) -> dict[str, Path]:
    """Paths of the engine files by name."""
    folder = folder_of("RFSEG_TEST_ENGINES", tuple(ENGINES.values()), absent)
    return {name: folder / file for name, file in ENGINES.items()}


@pytest.fixture(scope="session")
def open_engine(engines: dict[str, Path]) -> Open:
    """Opens an engine on the GPU: (name, **options of Segmenter). The caller closes it."""

    def open_one(name: str = "shapes", **options: Any) -> rfseg.Segmenter:
        options = {"device": "cuda", "names": NAMES, "allow_engine_code": name == "shapes", **options}
        return rfseg.Segmenter(engines[name], **options)

    return open_one


@pytest.fixture(scope="session")
def shared(open_engine: Open) -> Iterator[Open]:
    """As open_engine, but one Segmenter for all tests that ask for the same options; a test leaves it open and idle."""
    opened: dict[str, rfseg.Segmenter] = {}
    with ExitStack() as closing:

        def get(name: str = "shapes", **options: Any) -> rfseg.Segmenter:
            key = f"{name} {sorted(options.items())}"
            if key not in opened:
                opened[key] = closing.enter_context(open_engine(name, **options))
            return opened[key]

        yield get


@pytest.fixture(scope="session")
def clips(absent: Callable[[str], NoReturn]) -> dict[str, list[np.ndarray]]:
    """Every 30th frame of each clip, about 18 a clip; BGR."""
    folder = folder_of("RFSEG_TEST_VIDEOS", CLIPS, absent)
    paths = [*(folder / name for name in CLIPS), DEMO_CLIP]
    return {path.stem: read_clip(path, 30) for path in paths}


@pytest.fixture(scope="session")
def torch(absent: Callable[[str], NoReturn]) -> Any:
    """The module, where it can use the GPU."""
    try:
        import torch
    except ImportError:
        absent("torch is not installed")
    if not torch.cuda.is_available():
        absent("torch cannot use the GPU")
    return torch


@pytest.fixture(scope="session")
def mixed(clips: dict[str, list[np.ndarray]]) -> list[np.ndarray]:
    """24 frames whose sizes and strides alternate, of four sizes."""
    frames = [clip[i] for i in range(1, 5) for clip in clips.values()]
    views = [frames[0][::-1, ::-1], frames[1][..., ::-1], frames[4][:, ::-1], frames[5][::-1]]
    return [*frames, *views, *(frame.copy() for frame in frames[:4])]
