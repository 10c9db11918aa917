"""SECURITY.md and docs/faults.md say what the code does: every limit is the constant, every named test is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from paths import ROOT
from rfseg import printable
from rfseg.cli import common, frames, lanes
from rfseg.pictures import MAX_PIXELS, reader, tiff
from rfseg.video import opening, packets

SECURITY = (ROOT / "SECURITY.md").read_text()
FAULTS = (ROOT / "docs" / "faults.md").read_text()


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("a picture or a video's frame", (MAX_PIXELS,)),
        ("a picture's file", (reader._BYTES_PER_PIXEL, reader._LEAST_LARGEST_BYTES >> 20)),
        ("tags and pages of a TIFF", (tiff._MOST_TAGS, tiff._MOST_PAGES)),
        ("a name in a message", (printable._LONGEST,)),
        ("the stem of a written file", (common._LONGEST_STEM_BYTES,)),
        ("frames read ahead", (frames._VIDEO_ROOM, lanes._QUEUED, frames._IMAGE_ROOM)),
        ("packets that may wait", (packets._MOST_WAITING,)),
        ("network peers", (int(opening._TIMEOUT_S),)),
    ],
)
def test_limits_are_what_is_written(words, numbers):
    (row,) = [line for line in SECURITY.splitlines() if line.startswith(f"| {words}")]
    for number in numbers:
        assert re.search(rf"\b{number:,}\b", row), (number, row)


def named_tests() -> Iterator[tuple[str, str]]:
    """(file, part of a test's name) of every row of docs/faults.md."""
    for row in FAULTS.splitlines():
        if row.startswith("|") and "test_" in row:
            for reference in row.strip("| ").split("|")[-1].split(";"):
                files, _, parts = reference.strip().partition(": ")
                for file in files.split(", "):
                    for part in parts.split(", ") if parts else [""]:
                        yield file, part


def test_every_promise_names_a_test_that_is_there():
    counted = 0
    for file, part in named_tests():
        (path,) = [*(ROOT / "tests" / "python").glob(f"{file}.py"), *(ROOT / "tests" / "cpp").rglob(f"{file}.cpp")]
        case = rf"^def test_\w*{part}" if path.suffix == ".py" else rf'TEST_CASE\(\s*"[^"]*{part}'
        assert re.search(case, path.read_text(), re.MULTILINE), (file, part)
        counted += 1
    assert counted > 50


def test_a_ring_of_pages_ends(tmp_path):
    import struct

    entries = struct.pack("<HHII", 256, 4, 1, 10) + struct.pack("<HHII", 257, 4, 1, 10)
    ring = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + struct.pack("<I", 8)
    assert tiff.tiff_header(ring).pages == 2
    with pytest.raises(ValueError, match="too many tags"):
        tiff.tiff_header(b"II*\0\x08\0\0\0\xff\xff" + bytes(100))
