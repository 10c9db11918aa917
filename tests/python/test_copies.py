"""Annotated copies: the source's colours, sound, shape and times; what nothing was drawn on stays as it was."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import rfseg
from command import MODEL, run
from paths import DEMO_CLIP
from rfseg.cli.annotated import fitted
from rfseg.cli.demo import MODEL as DEMO_MODEL
from rfseg.cli.main import main
from rfseg.drawing import paint
from rfseg.video import VideoWriter, open_video
from rfseg.video.colors import Colors
from rfseg.video.encodable import encodable, put
from rfseg.video.mp4_index import boxes

FRAMES = 30
RATE = 48_000


def scene(index: int, height: int = 72, width: int = 96) -> np.ndarray:
    """Smooth colours that move: what an encoder keeps."""
    y, x = np.mgrid[:height, :width]
    return np.stack([40 + (x + index) % 160, 60 + y, 200 - x], -1).clip(0, 255).astype(np.uint8)


def film(
    path: Path, *, tags: tuple[int, int, int, int] = (1, 1, 1, 1), pix_fmt: str = "yuv420p", codec: str = "libx264",
    sound: str = "", size: tuple[int, int] = (72, 96), aspect: Fraction = Fraction(1), seconds: float = 1.2,
) -> Path:  # fmt: skip
    """FRAMES at 25 frames/s with these primaries, transfer, matrix and range, and a tone of 440 Hz."""
    options = {"crf": "4", "bf": "0"} if codec == "libx264" else {}
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *size, pix_fmt
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
        context.sample_aspect_ratio = aspect
        heard = out.add_stream(sound, rate=RATE, layout="stereo") if sound else None
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(scene(index, *size), format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if heard is not None:
            for piece in range(round(seconds * 25)):
                at = (np.arange(RATE // 25) + piece * RATE // 25) / RATE
                wave = np.repeat((np.sin(2 * np.pi * 440 * at) * 12_000).astype(np.int16), 2)[None]
                tone = av.AudioFrame.from_ndarray(wave, format="s16", layout="stereo")
                tone.sample_rate, tone.pts, tone.time_base = RATE, piece * RATE // 25, Fraction(1, RATE)
                out.mux(heard.encode(tone))
            out.mux(heard.encode(None))
    return path


def copied(source: Path, out: Path, *arguments: str, threshold: str = "1") -> Path:
    """The copy, in which nothing is found where the threshold is 1."""
    given = ["run", str(MODEL), str(source), "--save", "video", "--out", str(out), "--device", "cpu"]
    assert main([*given, "--threshold", threshold, "--progress", "none", *arguments]) == 0
    return out / f"{source.stem}.mp4"


def test_frames_of_another_size_keep_their_colours(tmp_path):
    joined = b"".join(film(tmp_path / f"{size[0]}.ts", size=size).read_bytes() for size in ((72, 96), (96, 72)))
    (tmp_path / "call.ts").write_bytes(joined)
    copy = copied(tmp_path / "call.ts", tmp_path / "out")
    with open_video(tmp_path / "call.ts") as source, open_video(copy) as video:
        pairs = [(a.pixels, b.pixels) for a, b in zip(source.frames(), video.frames(), strict=True)]
    changed = [(fitted(theirs, (72, 96)), ours) for theirs, ours in pairs if theirs.shape[:2] == (96, 72)]
    assert len(changed) == FRAMES
    for theirs, ours in changed:
        assert np.abs(theirs[8:-8, 26:-26].astype(int) - ours[8:-8, 26:-26]).mean() < 3


def pixels(path: Path) -> np.ndarray:
    """As a player shows it: PyAV's own decoding, with swscale's most careful conversion."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)


def tagged(path: Path) -> tuple[int, int, int, int]:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        return context.color_primaries, context.color_trc, context.colorspace, context.color_range


@pytest.mark.parametrize(
    "tags", [(1, 1, 1, 1), (6, 6, 6, 1), (5, 6, 5, 1), (9, 1, 9, 1), (2, 2, 2, 0), (1, 1, 1, 2), (2, 2, 6, 2)]
)
def test_colours_are_carried_and_nothing_is_darker(tags, tmp_path):
    source = film(tmp_path / "a.mp4", tags=tags)
    copy = copied(source, tmp_path / "out")
    assert tagged(copy) == tagged(source)
    difference = pixels(copy) - pixels(source)
    assert difference.shape == (FRAMES, 72, 96, 3)
    assert np.abs(difference.mean((0, 1, 2))).max() < 0.25  # was 2.1, 1.7 and 1.7
    assert np.abs(difference).mean() < 1


@pytest.mark.parametrize("pix_fmt", ["yuvj420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_other_planes_keep_their_colours_too(pix_fmt, tmp_path):
    source = film(tmp_path / "a.mkv", pix_fmt=pix_fmt, tags=(1, 1, 1, 2 if pix_fmt == "yuvj420p" else 1))
    copy = copied(source, tmp_path / "out")
    seen = []
    for path in (source, copy):  # by the contract's integers: swscale gives two layouts of one picture two colours
        with open_video(path) as video:
            seen.append(np.stack([frame.pixels for frame in video.frames()]).astype(int))
    assert np.abs((seen[1] - seen[0]).mean((0, 1, 2))).max() < 0.5
    assert tagged(copy)[2] == 1


def test_what_nothing_was_drawn_on_is_within_a_level(tmp_path):
    """The demo's film and network: planes outside the drawn areas, before and after, encoded without loss."""
    with open_video(DEMO_CLIP) as video, rfseg.Segmenter(str(DEMO_MODEL), device="cpu") as segmenter:
        writer = VideoWriter(tmp_path / "copy.mp4", video.fps, video.time_base, crf=0, colors=video.colors)
        kept, sources = [], []
        with writer:
            for frame in video.frames(stride=30):
                canvas = frame.pixels.copy()
                areas = paint(canvas, segmenter.infer(frame.image))
                matrix = video.colors.matrix_name(frame.size[0])
                retouch = lambda planes, c=canvas, a=areas, m=matrix: put(planes, c, a, m, full=False)  # noqa: E731
                writer.write(encodable(av, frame.planes.planes, retouch), frame.pts)
                outside = np.ones(frame.size, bool)
                for x0, y0, x1, y1 in areas:
                    outside[max(0, y0 - 1) : y1 + 1, max(0, x0 - 1) : x1 + 1] = False
                kept.append(outside)
                sources.append(frame.pixels)
    with open_video(tmp_path / "copy.mp4") as video:
        copies = [frame.pixels for frame in video.frames()]
    assert len(copies) == len(sources) == 5
    for copy, source, outside in zip(copies, sources, kept, strict=True):
        assert 0.2 < outside.mean() < 0.99
        assert np.abs(copy[outside].astype(int) - source[outside]).max() <= 1
        assert np.abs(copy[~outside].astype(int) - source[~outside]).max() > 50  # something was drawn


def sounds(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size]


@pytest.mark.parametrize(("file", "codec"), [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.mkv", "libmp3lame")])
def test_sound_is_copied(file, codec, tmp_path):
    source = film(tmp_path / file, sound=codec)
    copy = copied(source, tmp_path / "out")
    before, after = sounds(source), sounds(copy)
    assert [data for _, data in after] == [data for _, data in before]
    shift = [a - b for (a, _), (b, _) in zip(after, before, strict=True)]
    assert np.ptp(shift) < 0.002
    assert abs(shift[-1]) < 0.002
    with av.open(str(source)) as one, av.open(str(copy)) as other:
        seconds = [sum(f.samples / f.sample_rate for f in file.decode(audio=0)) for file in (one, other)]
        assert seconds[1] == pytest.approx(seconds[0], abs=0.05)


def test_sound_is_cut_to_the_frames(tmp_path):
    source = film(tmp_path / "a.mp4", sound="aac", seconds=3)
    copy = copied(source, tmp_path / "out", "--start", "0.4", "--end", "0.8")
    whole = {data: time for time, data in sounds(source)}
    after = sounds(copy)
    assert len(after) > 10
    for time, data in after:
        assert time == pytest.approx(whole[data] - 0.4, abs=0.002)
    assert -0.03 < after[0][0] < 0.03
    assert 0.35 < after[-1][0] < 0.4


def test_sound_that_does_not_fit_is_said(tmp_path, capsys):
    copy = copied(film(tmp_path / "a.mkv", sound="pcm_s16le"), tmp_path / "out")
    assert "a.mp4: the copy has no sound: pcm_s16le does not go into an mp4 file" in capsys.readouterr().err
    with av.open(str(copy)) as container:
        assert not container.streams.audio
    copied(film(tmp_path / "b.mp4"), tmp_path / "more")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("sound", ["", "aac"])
def test_the_index_is_in_front_and_the_shape_is_kept(sound, tmp_path):
    source = film(tmp_path / "a.mp4", sound=sound, aspect=Fraction(4, 3), size=(71, 97) if not sound else (72, 96),
                  pix_fmt="yuv444p" if not sound else "yuv420p")  # fmt: skip
    copy = copied(source, tmp_path / "out", threshold="0")
    with copy.open("rb") as file:
        kinds = [kind for kind, _, _ in boxes(file.fileno(), 0, copy.stat().st_size)]
    assert kinds[:2] == [b"ftyp", b"moov"]
    assert kinds[-1] == b"mdat"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.mp4"]
    with av.open(str(copy)) as container:
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio == Fraction(4, 3)
        assert sum(1 for _ in container.decode(stream)) == FRAMES == stream.frames


def test_an_index_stays_behind_where_there_is_no_room(tmp_path, monkeypatch):
    from rfseg.video import mp4_index

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mp4_index, "_copy", full)
    copy = copied(film(tmp_path / "a.mp4"), tmp_path / "out")
    assert len(pixels(copy)) == FRAMES
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.mp4"]


def test_other_encoders_are_asked_for_and_never_fallen_back_from(tmp_path):
    with pytest.raises(rfseg.InputError, match="the encoder is 'h263': expected one of libx264, h264_nvenc"):
        VideoWriter(tmp_path / "a.mp4", 25, encoder="h263")
    with pytest.raises(rfseg.InputError, match=r"cannot write .*a\.mp4 with 64 x 48 frames"):
        VideoWriter(tmp_path / "a.mp4", 25, encoder="h264_qsv").write(np.zeros((48, 64, 3), np.uint8))
    code, _, error = run(
        film(tmp_path / "b.mp4"), "--encoder", "h264_qsv", "--save", "video,json", "--out", tmp_path / "o"
    )
    assert code == 2
    assert "b.mp4 breaks off: cannot write" in error
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["b.jsonl"]


def test_a_matrix_that_is_wrong_can_be_said(tmp_path):
    source = film(tmp_path / "a.mp4", tags=(2, 2, 2, 0))
    copy = copied(source, tmp_path / "out", "--matrix", "bt709")
    assert tagged(copy)[2] == 1
    assert Colors(matrix=2).with_matrix("bt601").matrix == 6
    assert Colors(matrix=5).with_matrix("bt601").matrix == 5
