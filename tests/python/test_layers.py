"""Dependencies point down only: binding -> public interface <- pipeline -> network -> cuda, pipeline -> raster, and
everyone may use the host's own tools. Rooms have sub-rooms, which are told apart: onnx/ may not see cuda/.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"

# A room, and the rooms whose headers it may include; a room's own sub-rooms are not included in it.
MAY_INCLUDE: dict[str, set[str]] = {
    "include/rfseg": set(),
    "host": {"host"},
    "raster": {"raster", "raster/*"},
    "raster/color": {"raster/color"},
    "raster/resize": {"raster", "raster/resize", "raster/color"},
    "raster/detections": {"raster", "raster/detections", "raster/masks"},
    "raster/masks": {"raster", "raster/masks"},
    "cuda": {"cuda", "host"},
    "network": {"network", "host"},
    "network/onnx": {"network", "network/onnx", "host"},
    "network/tensorrt": {"network", "network/tensorrt", "cuda", "host"},
    "pipeline": {"pipeline", "pipeline/opening", "network", "raster", "raster/resize", "raster/detections", "host"},
    "pipeline/opening": {"pipeline", "pipeline/*", "network", "network/*", "cuda", "raster/detections", "host"},
    "pipeline/cpu": {"pipeline", "pipeline/cpu", "network", "network/onnx", "raster", "raster/*", "host"},
    "pipeline/gpu": {"pipeline", "pipeline/gpu", "network", "network/tensorrt", "cuda", "raster", "raster/*", "host"},
    "binding": {"binding", "raster/color"},  # of the latter what is constexpr: the library shows no more
    "capi": {"capi"},
}
TOPS = {room.split("/")[0] for room in MAY_INCLUDE} - {"include"}
FOREIGN = {"opencv2": "raster/masks/polygon.cpp", "pybind11": "binding/"}
MODEL_WORDS = re.compile(r"\b(quer(y|ies)|logits?|dets|rf-?detr)\b", re.IGNORECASE)


def sources(room: str) -> list[Path]:
    found = sorted(path for path in (CSRC / room).glob("*") if path.suffix in {".hpp", ".cpp", ".in"})
    assert found, f"no sources in {room}: the test looked in the wrong place"
    return found


def includes(path: Path) -> list[str]:
    return re.findall(r'^#include\s+["<]([^">]+)[">]', path.read_text(), re.MULTILINE)


def test_a_room_includes_only_what_lies_below_it() -> None:
    checked = 0
    for room, below in MAY_INCLUDE.items():
        for path in sources(room):
            for name in includes(path):
                home, _, _file = name.rpartition("/")
                if name.split("/")[0] in TOPS:
                    allowed = home in below or f"{home.split('/')[0]}/*" in below - {home}
                    assert allowed, f"{path.relative_to(ROOT)} includes {name}"
                    checked += 1
    assert checked > 50


def test_every_source_lies_in_a_room_that_is_named() -> None:
    rooms = {str(path.parent.relative_to(CSRC)) for path in CSRC.rglob("*.[ch]pp")}
    assert rooms == set(MAY_INCLUDE)


def test_opencv_and_python_stay_in_their_rooms() -> None:
    homes: dict[str, set[str]] = {foreign: set() for foreign in FOREIGN}
    for room in MAY_INCLUDE:
        for path in sources(room):
            for name in includes(path):
                for foreign, home in FOREIGN.items():
                    if name.startswith(foreign):
                        assert str(path.relative_to(CSRC)).startswith(home), f"{path.relative_to(ROOT)} includes {name}"
                        homes[foreign].add(path.name)
    assert all(homes.values()), f"found no user of {homes}"


def test_no_file_includes_a_gpu_or_runtime_header() -> None:
    forbidden = re.compile(r"^(cuda|cuda_runtime|NvInfer\w*|onnxruntime\w*)(\.h|/)")
    for room in MAY_INCLUDE:
        for path in sources(room):
            for name in includes(path):
                assert not (forbidden.match(name) and name.endswith(".h")), f"{path.relative_to(ROOT)} includes {name}"


def test_the_driver_layer_knows_no_model_word() -> None:
    for path in sources("cuda"):
        found = MODEL_WORDS.search(path.read_text())
        assert not found, f"{path.relative_to(ROOT)} says {found.group(0)!r}" if found else ""


def test_hand_written_files_stay_short() -> None:
    counted = 0
    for folder, pattern in ((CSRC, "**/*.[ch]pp"), (ROOT / "python", "**/*.py"), (ROOT / "triton_kernels", "*.py")):
        for path in folder.glob(pattern):
            lines = len(path.read_text().splitlines())
            assert lines <= 250, f"{path.relative_to(ROOT)} has {lines} lines"
            counted += 1
    assert counted > 50
