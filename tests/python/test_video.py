"""Videos: times to the tick, sizes, colours, rotation, and files that break off."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import rfseg
from rfseg.cli.demo import CLIP
from rfseg.video import VideoReader, VideoWriter


def gradient(height: int, width: int, shift: int = 0) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([(x + shift) % 200, (y * 2) % 200, np.full_like(x, 40 + shift)], -1).astype(np.uint8)


def write(path: Path, frames: list[np.ndarray], fps: int = 25) -> Path:
    with VideoWriter(path, fps) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def timing(path: Path) -> tuple[object, ...]:
    """What a player sees: frames, rate, length in ticks, every time stamp."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        ticks = [frame.pts * stream.time_base for frame in container.decode(stream)]
        return stream.frames, stream.average_rate, stream.duration * stream.time_base, stream.codec.name, ticks


def test_a_copy_lasts_exactly_as_long(tmp_path):
    with VideoReader(CLIP) as video, VideoWriter(tmp_path / "copy.mp4", video.fps, video.time_base) as copy:
        assert (video.fps, video.count, video.size) == (30, 150, (360, 640))
        for frame in video.frames():
            copy.write(frame.pixels, frame.pts, frame.duration)
    assert timing(tmp_path / "copy.mp4") == timing(CLIP)
    assert timing(CLIP)[0] == 150


@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(25), Fraction(15, 2)])
def test_frames_without_stamps_follow_the_rate(fps, tmp_path):
    with VideoWriter(tmp_path / "a.mp4", fps) as writer:
        for shift in range(12):
            writer.write(gradient(48, 64, shift))
    frames, rate, length, codec, ticks = timing(tmp_path / "a.mp4")
    assert (frames, rate, length, codec) == (12, fps, 12 / fps, "h264")
    assert ticks == [n / fps for n in range(12)]


def test_uneven_times_are_kept(tmp_path):
    pts = [0, 10, 15, 60, 61]
    with VideoWriter(tmp_path / "a.mp4", 25, Fraction(1, 1000)) as writer:
        for stamp in pts:
            writer.write(gradient(48, 64), stamp, 7)
    _, _, length, _, ticks = timing(tmp_path / "a.mp4")
    assert ticks == [Fraction(stamp, 1000) for stamp in pts]
    assert length == Fraction(68, 1000)
    with VideoReader(tmp_path / "a.mp4") as video:
        assert [round(frame.time_s * 1000, 6) for frame in video.frames()] == pts


@pytest.mark.parametrize("size", [(48, 64), (47, 64), (48, 63), (33, 35), (1, 1)])
def test_pixels_survive_and_odd_sizes_gain_a_copy_of_the_edge(size, tmp_path):
    frame = gradient(*size)
    with VideoWriter(tmp_path / "a.mp4", 25, crf=1) as writer:
        writer.write(frame[:, ::-1])
        writer.write(frame)
    with VideoReader(tmp_path / "a.mp4") as video:
        assert video.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
        seen = [each.pixels for each in video.frames()][1]
    padded = np.pad(frame, [(0, size[0] % 2), (0, size[1] % 2), (0, 0)], mode="edge")
    assert np.abs(seen.astype(int) - padded).mean() < 6  # the chroma has a quarter of the pixels


def test_plain_colours_survive(tmp_path):
    colors = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (40, 90, 200), (255, 255, 255), (0, 0, 0)]
    write(tmp_path / "a.mp4", [np.full((48, 64, 3), color, np.uint8) for color in colors])
    with VideoReader(tmp_path / "a.mp4") as video:
        for frame, color in zip(video.frames(), colors, strict=True):
            assert np.abs(frame.pixels.astype(int) - color).max() <= 4


def test_a_turned_video_comes_upright(tmp_path):
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:24, :32] = 220  # the top left quarter is light
    for degrees in (90, 180, -90):
        path = tmp_path / f"{degrees}.mp4"
        stored = np.rot90(upright, -degrees // 90)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("h264", rate=25)
            stream.height, stream.width = stored.shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.set_display_rotation(degrees)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="bgr24")))
            container.mux(stream.encode(None))
        with VideoReader(path) as video:
            assert video.size == (48, 64)
            (frame,) = video.frames()
        assert np.abs(frame.pixels.astype(int) - upright).mean() < 6


def test_stride_and_times_choose_frames(tmp_path):
    path = write(tmp_path / "a.mp4", [gradient(48, 64, shift) for shift in range(20)], fps=10)

    def chosen(**choice: float) -> list[int]:
        with VideoReader(path) as video:
            return [frame.index for frame in video.frames(**choice)]

    assert chosen() == list(range(20))
    assert chosen(stride=7) == [0, 7, 14]
    assert chosen(start_s=0.5, end_s=0.8) == [5, 6, 7]
    assert chosen(start_s=0.45, stride=3) == [5, 8, 11, 14, 17]
    assert chosen(start_s=9) == []


def test_a_broken_video_gives_what_it_has_and_says_where_it_ends(tmp_path):
    with (
        av.open(str(CLIP)) as source,
        av.open(str(tmp_path / "all.mp4"), "w", options={"movflags": "faststart"}) as out,
    ):
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    data = (tmp_path / "all.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
    seen = []
    with VideoReader(tmp_path / "half.mp4") as video, pytest.raises(rfseg.InputError) as caught:
        seen.extend(frame.index for frame in video.frames())
    assert seen == list(range(len(seen)))
    assert 10 < len(seen) < 140
    assert f"half.mp4 breaks off after {len(seen)} frames: " in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"not a video" * 100])
def test_what_is_not_a_video_is_refused(content, tmp_path):
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(rfseg.InputError, match=r"cannot open .*a\.mp4: "):
        VideoReader(path)


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(rfseg.InputError, match="it holds no video"):
        VideoReader(tmp_path / "a.wav")


def test_a_missing_camera_is_said():
    with pytest.raises(rfseg.InputError, match="cannot open camera 73: "):
        VideoReader(73)


def test_a_writer_without_frames_leaves_no_file_and_may_be_closed_twice(tmp_path):
    writer = VideoWriter(tmp_path / "a.mp4", 25)
    writer.close()
    assert not (tmp_path / "a.mp4").exists()
    writer.write(gradient(48, 64))
    writer.close()
    writer.close()
    assert timing(tmp_path / "a.mp4")[0] == 1


def test_a_frame_of_another_size_is_refused_and_the_file_stays_valid(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 25) as writer:
        writer.write(gradient(48, 64))
        with pytest.raises(rfseg.InputError, match=r"\(48, 64\).*got one of \(48, 66\)"):
            writer.write(gradient(48, 66))
    assert timing(tmp_path / "a.mp4")[0] == 1


def test_without_pyav_the_command_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    for make in (lambda: VideoReader(CLIP), lambda: VideoWriter("a.mp4", 25)):
        with pytest.raises(ImportError, match=r'pip install "rfseg\[video\]"'):
            make()
