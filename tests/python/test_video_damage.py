"""Videos that are not as they should be: damaged packets, clocks that jump, sizes that change, pictures in disguise."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import rfseg
from paths import DEMO_CLIP
from rfseg.video import VideoReader, VideoWriter
from rfseg.video.clock import Clock

FRAMES = 40


def pictures(count: int, size: tuple[int, int] = (96, 128)) -> Iterator[av.VideoFrame]:
    noise = np.random.default_rng(2).integers(0, 60, (*size, 3), np.uint8)
    for shift in range(count):
        yield av.VideoFrame.from_ndarray(np.roll(noise, 3 * shift, 1) + np.uint8(90), format="rgb24")


def write(
    path: Path,
    codec: str,
    pix_fmt: str = "yuv420p",
    *,
    damage: Callable[[int, bytes], bytes] = lambda _, data: data,
    times: Callable[[int], int] = lambda index: index,
    gop: int = 10,
    options: dict[str, str] | None = None,
    size: tuple[int, int] = (96, 128),
    format: str | None = None,
) -> Path:
    """A film of FRAMES at 30 frames/s, whose packets and time stamps are altered on the way into the file."""
    with av.open(str(path), "w", format=format) as out:
        stream = out.add_stream(codec, rate=30, options=options or {})
        stream.height, stream.width, stream.pix_fmt, stream.gop_size = *size, pix_fmt, gop
        number = 0

        def mux(packets: list[av.Packet]) -> None:
            nonlocal number
            for packet in packets:
                data = bytes(packet)
                altered = av.Packet(damage(number, data))
                altered.pts, altered.dts, altered.duration = times(packet.pts), times(packet.dts), packet.duration
                altered.time_base, altered.is_keyframe, altered.stream = packet.time_base, packet.is_keyframe, stream
                out.mux(altered)
                number += 1

        for index, picture in enumerate(pictures(FRAMES, size)):
            frame = picture.reformat(format=pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 30)
            mux(stream.encode(frame))
        mux(stream.encode(None))
    return path


def noise_at(*bad: int) -> Callable[[int, bytes], bytes]:
    chance = random.Random(1)
    return lambda number, data: chance.randbytes(len(data)) if number in bad else data


def walk(path: Path, **choice: float) -> tuple[list[rfseg.video.VideoFrame], str, VideoReader]:
    """Frames, what was complained of at the end, and the reader."""
    frames, complaint = [], ""
    with VideoReader(path) as video:
        try:
            frames.extend(video.frames(**choice))
        except rfseg.InputError as error:
            complaint = str(error)
    return frames, complaint, video


@pytest.mark.parametrize(
    ("file", "codec", "pix_fmt"),
    [
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mkv", "ffv1", "yuv420p"),
        ("a.mov", "mjpeg", "yuvj420p"),
    ],
)
@pytest.mark.parametrize("bad", [(20,), (7, 8, 9), (5, 31), (FRAMES - 1,)])
def test_damaged_packets_are_skipped_counted_and_placed(file, codec, pix_fmt, bad, tmp_path):
    path = write(tmp_path / file, codec, pix_fmt, damage=noise_at(*bad))
    frames, complaint, video = walk(path)
    missing = sorted(set(range(FRAMES)) - {frame.index for frame in frames})
    assert [frame.index for frame in frames] == sorted(frame.index for frame in frames)
    assert len(frames) + video.lost <= FRAMES
    assert not missing or min(missing) >= min(bad)  # a decoder may make a picture of noise, and lose those that follow
    assert all(round(frame.time_s * 30) == frame.index for frame in frames)
    if missing and max(missing) < frames[-1].index:
        assert f"{len(missing)} of {FRAMES} frames missing (frame" in complaint
        assert str(missing[0]) in complaint
    assert complaint


@pytest.mark.parametrize("file", ["a.mp4", "a.mkv", "a.ts"])
def test_frames_that_a_decoder_loses_in_silence_are_missed(file, tmp_path):
    options = {"bf": "0", "preset": "ultrafast"}
    path = write(tmp_path / file, "h264", damage=noise_at(20), options=options)
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        decoded = sum(1 for _ in container.decode(video=0))
    frames, complaint, video = walk(path)
    assert len(frames) == decoded < FRAMES
    assert video.lost == FRAMES - decoded
    assert f"{FRAMES - decoded} of {FRAMES} frames missing (frames 20 to" in complaint
    assert all(round(frame.time_s * 30) == frame.index for frame in frames)
    assert frames[-1].index == FRAMES - 1


@pytest.mark.parametrize(
    ("file", "codec", "options"),
    [
        ("a.mp4", "h264", {"bf": "3"}),
        ("a.ts", "h264", {"bf": "3", "x264-params": "open-gop=1"}),
        ("a.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16"}),
        ("a.webm", "libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"}),
        ("a.avi", "mpeg4", {"bf": "2"}),
        ("a.mpg", "mpeg2video", {"bf": "2"}),
        ("a.mpg", "mpeg2video", {"flags": "+ildct+ilme"}),
        ("a.wmv", "wmv2", {}),
        ("a.flv", "flv1", {}),
        ("a.mkv", "ffv1", {}),
    ],
)
def test_good_videos_miss_nothing(file, codec, options, tmp_path):
    path = tmp_path / file
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=30, options=options)
        stream.height, stream.width, stream.pix_fmt, stream.gop_size = 96, 128, "yuv420p", 10
        for index, picture in enumerate(pictures(FRAMES)):
            frame = picture.reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    frames, complaint, video = walk(path)
    assert (complaint, video.lost, video.notes) == ("", 0, ())
    assert [frame.index for frame in frames] == list(range(FRAMES))


def test_what_was_not_asked_for_is_still_counted(tmp_path):
    path = write(tmp_path / "a.avi", "mjpeg", "yuvj420p", damage=noise_at(5))
    frames, _, _ = walk(path, stride=3)
    assert [frame.index for frame in frames] == [0, 3, 7, 10, 13, 16, 19, 22, 25, 28, 31, 34, 37]
    frames, complaint, _ = walk(path, start_s=0.5, end_s=0.7)
    assert [frame.index for frame in frames] == list(range(15, 21))
    assert "1 damaged packet skipped" in complaint


def stepped(at: int, ticks: int) -> Callable[[int], int]:
    return lambda index: index + ticks if index >= at else index


@pytest.mark.parametrize(("file", "jump", "said"), [("a.ts", 3600, "+120"), ("a.mkv", 150_000, "+5000")])
def test_a_clock_that_jumps_is_one_line_and_times_go_on(file, jump, said, tmp_path):
    codec, pix_fmt = ("mpeg2video", "yuv420p") if file == "a.ts" else ("mjpeg", "yuvj420p")
    path = write(tmp_path / file, codec, pix_fmt, times=stepped(20, jump), options={"bf": "0"})
    frames, complaint, video = walk(path)
    assert complaint == ""
    assert len(frames) == FRAMES
    assert [round(frame.time_s * 30) for frame in frames] == list(range(FRAMES))
    (note,) = video.notes
    assert note.startswith(f"{path}: its clock jumps by {said}")
    assert "at frame 20" in note


def test_joined_recordings_with_a_clock_each_are_one_line(tmp_path):
    options = {"bf": "0", "preset": "ultrafast"}
    part = write(tmp_path / "part.ts", "h264", times=lambda index: index + 900, options=options).read_bytes()
    (tmp_path / "a.ts").write_bytes(part * 3)
    frames, complaint, video = walk(tmp_path / "a.ts")
    assert (complaint, len(frames)) == ("", 3 * FRAMES)
    assert [frame.index for frame in frames] == list(range(3 * FRAMES))
    assert [round(frame.time_s * 30) for frame in frames] == list(range(3 * FRAMES))
    assert f"its clock jumps by -1.333 s at frame {FRAMES}, and 1 more times" in video.notes[0]


def test_clock_keeps_what_it_can() -> None:
    clock = Clock(Fraction(1, 1000), 40, joined=False)
    assert [clock.at(stamp, i) for i, stamp in enumerate([500, 540, None, 620, 9000, 9040])] == [
        0,
        40,
        80,
        120,
        8500,
        8540,
    ]
    assert clock.jumps == 0
    assert clock.at(9040, 6) == 8580  # repeated
    assert clock.at(9080, 7) == 8620
    assert clock.jumps == 2  # 9080 is the time that the frame before was given
    joined = Clock(Fraction(1, 1000), 40, joined=True)
    assert [joined.at(stamp, i) for i, stamp in enumerate([0, 40, 90_000, 90_040, 0, 33])] == [0, 40, 80, 120, 160, 193]
    assert joined.jumps == 2


def test_an_attached_picture_is_no_film(tmp_path):
    cover = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 10, 10)).save(cover, format="JPEG")

    def with_cover(path: Path, *, film: bool) -> Path:
        with av.open(str(path), "w") as out:
            picture = out.add_stream("mjpeg", rate=1)
            picture.width = picture.height = 16
            picture.pix_fmt = "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            sound = out.add_stream("aac" if not film else "h264", rate=8000 if not film else 25)
            if film:
                sound.width, sound.height, sound.pix_fmt = 64, 48, "yuv420p"
            packet = av.Packet(cover.getvalue())
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = picture, 0, 0, True
            out.start_encoding()
            out.mux(packet)
            if film:
                for frame in pictures(5, (48, 64)):
                    out.mux(sound.encode(frame.reformat(format="yuv420p")))
            out.mux(sound.encode(None))
        return path

    with VideoReader(with_cover(tmp_path / "film.mp4", film=True)) as video:
        assert video.size == (48, 64)
        assert len(list(video.frames())) == 5
    with pytest.raises(rfseg.InputError, match="it holds no video, only an attached picture"):
        VideoReader(with_cover(tmp_path / "song.mp4", film=False))


def test_a_size_that_changes_comes_as_it_is(tmp_path):
    joined = b""
    for part, size in enumerate(((48, 64), (64, 48))):
        path = tmp_path / f"{part}.ts"
        shifted = lambda index, part=part: index + part * FRAMES  # noqa: E731
        write(path, "h264", size=size, times=shifted, options={"bf": "0", "preset": "ultrafast"})
        joined += path.read_bytes()
    (tmp_path / "a.ts").write_bytes(joined)
    frames, _, _ = walk(tmp_path / "a.ts")
    assert [frame.pixels.shape[:2] for frame in frames] == [(48, 64)] * FRAMES + [(64, 48)] * FRAMES


@pytest.mark.parametrize("aspect", [Fraction(64, 45), Fraction(1), Fraction(8, 9)])
def test_the_sample_aspect_is_read_and_written(aspect, tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 25, sample_aspect=aspect) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    with VideoReader(tmp_path / "a.mp4") as video:
        assert video.sample_aspect == aspect


def test_the_last_frame_ends_with_its_stream(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 25, Fraction(1, 1000)) as writer:
        for pts, duration in ((0, 40), (40, 900), (940, 60)):
            writer.write(np.zeros((48, 64, 3), np.uint8), pts, duration)
    with VideoReader(tmp_path / "a.mp4") as video:
        assert [frame.pts + frame.duration for frame in video.frames()][-1] * video.time_base == 1


@pytest.mark.parametrize(
    "name",
    ["10:30.mp4", "concat:a|b.mp4", "pipe:", "subfile,,start,0,end,9,,:a.mp4", "-", "a%03d.mp4", "#?.mp4", "x\n.mp4"],
)
def test_every_path_is_a_file_whatever_its_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(DEMO_CLIP.read_bytes())
    with VideoReader(name) as video:
        assert (video.count, video.size) == (150, (360, 640))
    with VideoWriter(f"out{name}.mp4", 25) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    assert Path(f"out{name}.mp4").exists()


def test_playlists_reach_no_further_than_their_folder(tmp_path):
    write(tmp_path / "a.ts", "mpeg2video")
    secret = tmp_path / "elsewhere" / "secret.mp4"
    secret.parent.mkdir()
    secret.write_bytes(DEMO_CLIP.read_bytes())
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n"
    (tmp_path / "near.m3u8").write_text(f"{head}a.ts\n#EXT-X-ENDLIST\n")
    frames, _, _ = walk(tmp_path / "near.m3u8")
    assert len(frames) > 0
    for name, text in (
        ("passwd.m3u8", f"{head}file:///etc/passwd\n#EXT-X-ENDLIST\n"),
        ("http.m3u8", f"{head}http://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"),
        ("far.ffconcat", f"ffconcat version 1.0\nfile {secret}\n"),
        ("far.mp4", f"ffconcat version 1.0\nfile {secret}\n"),
        ("up.ffconcat", "ffconcat version 1.0\nfile ../elsewhere/secret.mp4\n"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(rfseg.InputError):
            VideoReader(tmp_path / name)


def test_tags_in_other_encodings_are_no_reason(tmp_path):
    for suffix, codec in (("mkv", "mjpeg"), ("avi", "mjpeg"), ("mp4", "mpeg4"), ("flv", "flv1")):
        path = tmp_path / f"a.{suffix}"
        with av.open(str(path), "w") as out:
            out.metadata["title"] = "XXXX"
            stream = out.add_stream(codec, rate=25)
            stream.height, stream.width = 96, 128
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for frame in pictures(3):
                out.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
            out.mux(stream.encode(None))
        data = path.read_bytes()
        assert b"XXXX" in data
        path.write_bytes(data.replace(b"XXXX", b"caf\xe9"))
        assert len(walk(path)[0]) == 3


def test_frames_larger_than_the_limit_are_refused(tmp_path):
    write(tmp_path / "a.avi", "mjpeg", "yuvj420p")
    with pytest.raises(rfseg.InputError, match="128 x 96 pixels are more than the limit of 12,287"):
        VideoReader(tmp_path / "a.avi", max_pixels=128 * 96 - 1)
    VideoReader(tmp_path / "a.avi", max_pixels=128 * 96).close()
    path = write(tmp_path / "large.avi", "mjpeg", "yuvj420p", size=(480, 640))
    with pytest.raises(rfseg.InputError, match=r"limit of 1,000"):  # FFmpeg refuses it before anybody knows its size
        VideoReader(path, max_pixels=1000)


def test_a_picture_in_the_shape_of_a_film_is_refused(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.mp4", format="AVIF")
    with pytest.raises(rfseg.InputError, match=r"it is a picture \(AVIF\), no video"):
        VideoReader(tmp_path / "a.mp4")


def test_text_is_no_film(tmp_path):
    (tmp_path / "a.txt").write_text("FFmpeg draws text.\n" * 200)
    with pytest.raises(rfseg.InputError, match="cannot open"):
        VideoReader(tmp_path / "a.txt")
