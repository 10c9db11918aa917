"""Addresses for real: an RTSP and an HTTP server on this machine, whole, and with connections that are lost."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

import rfseg
from command import count, finish, start, wait_for
from paths import ROOT
from rfseg.video import open_video

FRAMES = 60
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Two seconds without B-frames, a key frame every 15, index in front."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    options = {"bf": "0", "crf": "30"}
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 160, 90, "yuv420p", 15
        rng = np.random.default_rng(5)
        noise = rng.integers(0, 255, (90, 160, 3), np.uint8)
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.roll(noise, 2 * index, 1), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def whole(film) -> list[list[np.ndarray]]:
    """The film's planes."""
    with open_video(film) as video:
        return [[plane.copy() for plane in frame.planes.planes] for frame in video.frames()]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Rtsp:
    """The server in a process of its own, which may be ended and started again."""

    def __init__(self, film: Path) -> None:
        self._film, self._port = film, free_port()
        self.address = f"rtsp://127.0.0.1:{self._port}/film"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        if shutil.which(SYSTEM_PYTHON) is None:
            pytest.skip(f"no {SYSTEM_PYTHON} for GStreamer's RTSP server")
        command = [SYSTEM_PYTHON, str(ROOT / "tests" / "rtsp_server.py"), str(self._port), str(self._film)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline().strip()
        if line != "ready" and self._process.wait(10) == 77:
            pytest.skip(f"GStreamer's RTSP server is not installed ({line}); tests/rtsp_server.py says how")
        assert line == "ready", line

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None


@pytest.fixture
def rtsp(film) -> Iterator[Rtsp]:
    server = Rtsp(film)
    server.start()
    yield server
    server.end()


def test_rtsp_gives_the_films_own_planes(rtsp, whole):
    with open_video(rtsp.address) as video:
        frames = list(video.frames())
    assert len(frames) > FRAMES - 15  # a server may begin at its second key frame
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert all(a.time_s < b.time_s for a, b in pairwise(frames))
    first = next(k for k in range(FRAMES) if all(map(np.array_equal, frames[0].planes.planes, whole[k])))
    for frame, planes in zip(frames, whole[first:], strict=False):
        assert all(map(np.array_equal, frame.planes.planes, planes))


def test_rtsp_that_is_lost_is_found_again(rtsp):
    frames = []
    with open_video(rtsp.address, patience_s=20) as video:
        for frame in video.frames():
            frames.append(frame)
            if len(frames) == 10:
                rtsp.end()
                threading.Timer(1.0, rtsp.start).start()
            if len(frames) == 40:
                break
        (note,) = video.notes
    assert re.search(r"the connection was lost and found again once, after \d+\.\d s in all", note)
    assert [frame.index for frame in frames] == list(range(40))
    assert all(a.time_s < b.time_s for a, b in pairwise(frames))
    assert all(len(frame.planes.planes) == 3 for frame in frames)  # also those of the connection that is gone


def test_rtsp_that_stays_away_is_said(rtsp):
    frames = []
    with (
        open_video(rtsp.address, patience_s=1.5) as video,
        pytest.raises(rfseg.InputError, match=r"not found again within 1\.5 s"),
    ):
        for frame in video.frames():
            frames.append(frame)
            if len(frames) == 5:
                rtsp.end()
    assert len(frames) >= 5


def test_a_run_of_rtsp_goes_on_after_a_drop(rtsp, tmp_path):
    out = tmp_path / "out"
    arguments = ("--save", "json,video", "--patience", "20", "--end", "1.8", "--out", out, "--progress", "none")
    process = start(rtsp.address, *arguments, "--policy", "all")
    wait_for(lambda: sum(count(path) for path in out.glob("*.jsonl")) > 5, process)
    rtsp.end()
    rtsp.start()
    code, _, error = finish(process)
    assert code == 0, error
    assert "the connection was lost and found again once" in error
    (records,) = (tmp_path / "out").glob("*.jsonl")
    assert count(records) == count(records.with_suffix(".mp4")) > 30


@contextmanager
def http(content: bytes, drops: list[int]) -> Iterator[tuple[str, list[int]]]:
    """A server of one file with ranges; request by request it hangs up after so many bytes. Gives where each began."""
    begins: list[int] = []
    left = list(drops)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            begin = int(asked[1]) if asked else 0
            begins.append(begin)
            body = content[begin:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Accept-Ranges", "bytes")
            if asked:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            sent = left.pop(0) if left else len(body)
            try:
                self.wfile.write(body[:sent])
            except OSError:
                return
            if sent < len(body):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/film.mp4", begins
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_http_is_as_the_file(film, whole):
    with http(film.read_bytes(), []) as (address, _), open_video(address) as video:
        frames = list(video.frames())
        assert video.notes == ()
    assert len(frames) == FRAMES
    for frame, planes in zip(frames, whole, strict=True):
        assert all(map(np.array_equal, frame.planes.planes, planes))


def test_http_that_drops_is_taken_up_where_it_broke_off(film, whole):
    content = film.read_bytes()
    half = len(content) // 2
    with http(content, [half, half // 3]) as (address, begins), open_video(address, patience_s=10) as video:
        frames = list(video.frames())
    assert len(begins) >= 3
    assert len(frames) == FRAMES
    for frame, planes in zip(frames, whole, strict=True):
        assert all(map(np.array_equal, frame.planes.planes, planes))


def test_http_that_drops_without_patience_breaks_off(film):
    content = film.read_bytes()
    frames = []
    with (
        http(content, [len(content) // 2] * 9) as (address, _),
        open_video(address) as video,
        pytest.raises(rfseg.InputError, match="breaks off after"),
    ):
        frames.extend(video.frames())
    assert 0 < len(frames) < FRAMES


def test_an_address_that_is_not_there_is_said():
    for scheme in ("rtsp", "http"):
        with pytest.raises(rfseg.InputError, match=f"cannot open {scheme}://127.0.0.1"):
            open_video(f"{scheme}://127.0.0.1:{free_port()}/film", patience_s=0.5)
