"""Files that a full disk, a limit, a removed folder or a kill cannot make invalid."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import rfseg
from command import count
from rfseg.files import GrowingFile, PartFile, Spool, write_whole
from rfseg.video import VideoWriter

NOISE = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)


class Full:
    """A disk that takes so many bytes more: os.pwrite that writes less, and then refuses."""

    def __init__(self, room: int) -> None:
        self.room, self._pwrite = room, os.pwrite

    def __call__(self, file: int, data: bytes, at: int) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        piece = bytes(data)[: self.room]
        self.room -= len(piece)
        return self._pwrite(file, piece, at)


@pytest.mark.parametrize("room", [0, 1, 20, 37, 38, 39, 60, 1000])
def test_a_growing_file_is_valid_at_every_byte_that_a_disk_may_end_at(room, tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    file = GrowingFile(path, b'{"list":[', b"\n]}\n")
    monkeypatch.setattr(os, "pwrite", Full(room))
    written, failed = 0, False
    for number in range(40):
        try:
            file.append(b",\n%d" % number if number else b"\n0")
            written += 1
        except OSError as error:
            failed = True
            assert error.filename == str(path)
            monkeypatch.undo()  # a tail of some bytes fits where they were
            file._restore()
            break
    assert failed == (room < 400)
    file.close()
    assert json.loads(path.read_text())["list"] == list(range(written))


def test_a_growing_file_is_valid_after_every_record(tmp_path):
    path = tmp_path / "a.json"
    file = GrowingFile(path, b"[", b"]\n")
    for number in range(5):
        assert json.loads(path.read_text()) == list(range(number))
        file.append((b"," if number else b"") + b"%d" % number)
    file.close()
    file.close()
    with pytest.raises(FileExistsError):
        GrowingFile(path)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_removed_meanwhile_is_missed(replaced, tmp_path):
    file = GrowingFile(tmp_path / "a")
    (tmp_path / "a").unlink()
    if replaced:
        (tmp_path / "a").touch()
    with pytest.raises(FileNotFoundError, match="removed while it was written"):
        file.close()


def test_a_part_gets_its_name_when_it_is_complete(tmp_path):
    spool = Spool(tmp_path)
    for _ in range(3):
        spool.append(b"x" * 700_000)
    file = PartFile(tmp_path / "a", b"head ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.part"]
    file.append_all(spool)
    file.complete()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"head " + b"x" * 2_100_000


def test_a_small_file_is_whole_or_absent(tmp_path, monkeypatch):
    write_whole(tmp_path / "a", b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "b", b"half")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("frames", [1, 30, 90])
def test_a_full_disk_is_an_os_error_and_no_crash(frames, tmp_path):
    (tmp_path / "a.mp4").symlink_to("/dev/full")
    script = f"""
import numpy, sys
from rfseg.video import VideoWriter
writer, said = VideoWriter({str(tmp_path / "a.mp4")!r}, 30), []
for call in [lambda: writer.write(numpy.zeros((90, 160, 3), numpy.uint8))] * {frames} + [writer.close] * 2:
    try:
        call()
    except OSError as error:
        said.append((error.errno, error.filename))
assert said == [(28, {str(tmp_path / "a.mp4")!r})], said
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("limit", [0, 44, 5000, 300_000, 1_000_000])
def test_a_video_on_a_disk_that_fills_plays_to_its_last_fragment(limit, tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    monkeypatch.setattr(os, "pwrite", Full(limit))
    writer = VideoWriter(path, 30)
    with pytest.raises(OSError, match="No space left"):
        for shift in range(150):
            writer.write(np.random.default_rng(shift).permutation(NOISE))
        writer.close()
    writer.close()
    if limit < 100_000:
        assert not path.exists()  # nothing in it could be played
    else:
        assert path.stat().st_size <= limit
        assert count(path) % 30 == 0
        assert count(path) > 0


def test_a_video_plays_at_any_moment(tmp_path):
    path = tmp_path / "a.mp4"
    writer = VideoWriter(path, 30)
    seen = []
    for _ in range(200):
        writer.write(NOISE)
        if path.stat().st_size > 100:
            copy = tmp_path / "copy.mp4"
            copy.write_bytes(path.read_bytes())
            seen.append(count(copy))
    writer.close()
    assert seen == sorted(seen)
    assert seen[-1] >= 120
    assert count(path) == 200
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 200


def test_a_video_whose_folder_goes_away_is_missed(tmp_path):
    (tmp_path / "out").mkdir()
    writer = VideoWriter(tmp_path / "out" / "a.mp4", 30)
    writer.write(NOISE)
    (tmp_path / "out" / "a.mp4").unlink()
    (tmp_path / "out").rmdir()
    with pytest.raises(FileNotFoundError, match="removed while it was written"):
        writer.close()


def test_what_an_encoder_refuses_is_said(tmp_path):
    with pytest.raises(rfseg.InputError, match=r"cannot write .*a\.mp4 with 16386 x 64 frames"):
        VideoWriter(tmp_path / "a.mp4", 30).write(np.zeros((64, 16386, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(rfseg.InputError, match=r"expected uint8 \[H, W, 3\], got float32 \[4, 4, 3\]"):
        VideoWriter(tmp_path / "a.mp4", 30).write(np.zeros((4, 4, 3), np.float32))
    with VideoWriter(tmp_path / "slow.mp4", Fraction(1, 10**15)) as writer:
        writer.write(NOISE)
    assert count(tmp_path / "slow.mp4") == 1
    with pytest.raises(FileNotFoundError):
        VideoWriter(tmp_path / "nowhere" / "a.mp4", 30).write(NOISE)


def test_memory_is_flat_while_records_grow(tmp_path):
    """A COCO file of a camera's day has 2.6 million images: what is known of them lies on the disk."""
    from rfseg.formats.coco_files import CocoFile
    from rfseg.video import VideoFrame

    masks = rfseg.Masks.from_dense(np.ones((1, 4, 6), bool))
    result = rfseg.Result(np.float32([[0, 0, 6, 4]]), np.float32([0.9]), np.int32([0]), masks, (4, 6), {0: "a"}, {})
    pixels = np.zeros((4, 6, 3), np.uint8)
    sink = CocoFile(tmp_path / "a.coco.json", {0: "a"})
    peaks = []
    for index in range(6000):
        sink.write(VideoFrame(pixels, index, index, 1, index / 30), result)
        if index in (1000, 5999):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    sink.close()
    assert peaks[1] - peaks[0] < 1000  # kB; a dict a frame would be 1,700
    assert count(Path(tmp_path / "a.coco.json")) == 6000
