"""Frames as decoders give them: every format exact against the contract's twin, turned, kept alive, or refused."""

from __future__ import annotations

import gc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import rfseg
from paths import DEMO_CLIP, DEMO_MODEL
from reference import color
from rfseg.missing import MissingExtraError
from rfseg.video import open_video
from rfseg.video.decoded import Wishes, image_of

SIZES = [(48, 64), (46, 62), (33, 35)]


def noise(pix_fmt: str, size: tuple[int, int], seed: int = 0) -> av.VideoFrame:
    """A frame whose every byte is random, within the bits of its format."""
    frame = av.VideoFrame(size[1], size[0], pix_fmt)
    rng = np.random.default_rng(seed)
    bits = frame.format.components[0].bits
    for plane in frame.planes:
        data = rng.integers(0, 256, plane.buffer_size, np.uint8)
        if bits > 8:
            data = (
                rng.integers(0, 1 << bits, plane.buffer_size // 2, np.uint16) << (6 if "p010" in pix_fmt else 0)
            ).view(np.uint8)
        plane.update(data.tobytes())
    return frame


def film(path: Path, pix_fmt: str, codec: str, size=(48, 64), tags=(2, 2, 2, 0), frames=3, rotation=0) -> Path:
    """Encoded without loss."""
    options = {"libx264": {"qp": "0", "preset": "ultrafast"}, "libx265": {"x265-params": "lossless=1:log-level=none"}}
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=options.get(codec, {}))
        stream.height, stream.width, stream.pix_fmt = *size, pix_fmt
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(frames):
            frame = noise(pix_fmt, size, index)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def by_the_twin(path: Path, matrix: str, full: bool) -> list[np.ndarray]:
    """The film as BGR: PyAV's planes, chroma replicated, and the contract's integers; upright as PyAV says."""
    pictures = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            bits = frame.format.components[0].bits
            height, width = frame.height, frame.width
            parts = []
            for plane in frame.planes[:3]:
                wide = np.frombuffer(plane, np.uint16 if bits > 8 else np.uint8).reshape(plane.height, -1)
                samples = wide[:, : plane.width].astype(np.int64)
                down, right = round(height / plane.height), round(width / plane.width)
                parts.append(samples.repeat(down, 0).repeat(right, 1)[:height, :width])
            red, green, blue = color.rgb(*parts, matrix, full, bits)
            picture = np.stack([blue, green, red], -1)
            pictures.append(np.rot90(picture, round(frame.rotation / 90) % 4))
    return pictures


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("pix_fmt", "codec", "format"),
    [
        ("yuv420p", "ffv1", "i420"),
        ("yuv422p", "ffv1", "i422"),
        ("yuv444p", "ffv1", "i444"),
        ("yuv440p", "ffv1", "i444"),
        ("yuv411p", "ffv1", "i444"),
        ("yuva420p", "ffv1", "i420"),
        ("yuv420p10le", "ffv1", "i010"),
        ("yuv422p10le", "ffv1", None),
        ("yuv444p12le", "ffv1", None),
        ("yuv420p16le", "ffv1", None),
    ],
)
def test_every_format_is_the_twins(pix_fmt, codec, format, size, tmp_path):
    path = film(tmp_path / "a.mkv", pix_fmt, codec, size)
    with open_video(path) as video:
        frames = list(video.frames())
    expected = by_the_twin(path, "bt601", False)
    assert len(frames) == len(expected) == 3
    for frame, picture in zip(frames, expected, strict=True):
        assert frame.size == size
        assert (frame.planes.format if frame.planes else None) == format
        np.testing.assert_array_equal(frame.pixels, picture)
        assert frame.pixels is frame.pixels  # made once


@pytest.mark.parametrize(
    ("tags", "matrix", "full"),
    [((1, 1, 1, 1), "bt709", False), ((6, 6, 6, 2), "bt601", True), ((9, 1, 9, 1), "bt2020", False),
     ((2, 2, 2, 2), "bt601", True)],
)  # fmt: skip
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_the_streams_colours_decide(tags, matrix, full, pix_fmt, tmp_path):
    path = film(tmp_path / "a.mp4", pix_fmt, "libx264", tags=tags)
    with open_video(path) as video:
        frames = list(video.frames())
        assert (video.colors.primaries, video.colors.transfer, video.colors.matrix, video.colors.range) == tags
    for frame, picture in zip(frames, by_the_twin(path, matrix, full), strict=True):
        np.testing.assert_array_equal(frame.pixels, picture)
    with open_video(path, matrix="bt2020") as video:
        said = next(video.frames()).pixels
    np.testing.assert_array_equal(said, by_the_twin(path, "bt2020", full)[0])


@pytest.mark.parametrize("rotation", [90, 180, -90])
@pytest.mark.parametrize("size", [(48, 64), (46, 62)])
@pytest.mark.parametrize(("pix_fmt", "codec"), [("yuv420p", "libx264"), ("yuv422p", "libx264"), ("yuv444p", "libx264"),
                                                ("yuv420p10le", "libx265"), ("yuv422p10le", "libx265")])  # fmt: skip
def test_turned_planes_are_the_turned_picture(pix_fmt, codec, size, rotation, tmp_path):
    path = film(tmp_path / "a.mp4", pix_fmt, codec, size, rotation=rotation)
    with open_video(path) as video:
        frames = list(video.frames())
        assert video.size == frames[0].size == (size if rotation == 180 else size[::-1])
    expected = by_the_twin(path, "bt601", False)
    assert len(frames) == len(expected) == 3
    for frame, picture in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.pixels, picture)


@pytest.mark.parametrize("pix_fmt", ["bgr24", "rgb24", "bgra", "rgba", "gray", "0rgb", "gbrp"])
def test_rgb_and_grey_are_taken_as_they_are(pix_fmt, tmp_path):
    path = film(tmp_path / "a.nut", pix_fmt, "rawvideo")
    with open_video(path) as video:
        frames = list(video.frames())
    assert len(frames) == 3
    for index, frame in enumerate(frames):
        sent = noise(pix_fmt, (48, 64), index)
        planes = [np.frombuffer(p, np.uint8).reshape(p.height, -1) for p in sent.planes]
        if pix_fmt == "gray":
            picture = np.repeat(planes[0][:, :64, None], 3, 2)
        elif pix_fmt == "gbrp":
            picture = np.stack([planes[1][:, :64], planes[0][:, :64], planes[2][:, :64]], -1)
        else:
            samples = planes[0][:, : 64 * len(pix_fmt.removesuffix("24"))].reshape(48, 64, -1)
            picture = samples[..., [pix_fmt.index(letter) for letter in "bgr"]]
        assert frame.planes is None
        np.testing.assert_array_equal(frame.pixels, picture)
        assert frame.image is frame.pixels


@pytest.mark.parametrize("pix_fmt", ["yuyv422", "uyvy422", "nv12", "nv21", "nv16", "nv24", "p010le"])
def test_packed_samples_are_sorted_out(pix_fmt):
    for seed in range(3):
        sent = noise(pix_fmt, (48, 64), seed)
        image = image_of(sent, Wishes())
        wide = np.uint16 if pix_fmt == "p010le" else np.uint8
        data = [np.frombuffer(p, wide).reshape(p.height, -1) for p in sent.planes]
        if pix_fmt in ("yuyv422", "uyvy422"):
            quads = data[0][:, :128].reshape(48, 32, 4)
            order = [pix_fmt.index(letter) for letter in "uv"]
            y = quads[..., [0, 2] if pix_fmt[0] == "y" else [1, 3]].reshape(48, 64)
            cb, cr = (quads[..., place].repeat(2, 1) for place in order)
        else:
            y = data[0][:, :64]
            columns = 64 if pix_fmt == "nv24" else 32
            pairs = data[1][:, : 2 * columns].reshape(-1, columns, 2)
            cb, cr = (pairs[..., k].repeat(48 // len(pairs), 0).repeat(64 // columns, 1) for k in (0, 1))
            if pix_fmt == "nv21":
                cb, cr = cr, cb
        bits, shift = (10, 6) if pix_fmt == "p010le" else (8, 0)
        parts = [(part >> shift).astype(np.int64) for part in (y, cb, cr)]
        red, green, blue = color.rgb(*parts, "bt601", False, bits)
        np.testing.assert_array_equal(rfseg.ops.convert(image), np.stack([blue, green, red], -1))


def test_planes_lie_where_the_decoder_put_them_and_outlive_it():
    with open_video(DEMO_CLIP) as video:
        frames = list(video.frames(stride=10))
    gc.collect()
    copies = [[plane.copy() for plane in frame.planes.planes] for frame in frames]
    with open_video(DEMO_CLIP) as video:
        again = list(video.frames(stride=10))
    for frame, other, copy in zip(frames, again, copies, strict=True):
        for plane, same, kept in zip(frame.planes.planes, other.planes.planes, copy, strict=True):
            assert not plane.flags.owndata
            assert not plane.flags.writeable
            np.testing.assert_array_equal(plane, same)
            np.testing.assert_array_equal(plane, kept)


def test_the_network_sees_the_same_in_planes_and_pixels():
    found = 0
    with rfseg.Segmenter(str(DEMO_MODEL), device="cpu") as segmenter, open_video(DEMO_CLIP) as video:
        for frame in video.frames(stride=30):
            result = segmenter.infer(frame)
            assert result == segmenter.infer(frame.pixels) == segmenter.infer(frame.image)
            found += len(result)
    assert found > 10


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused_unless_the_caller_says_so(transfer, name, tmp_path):
    path = film(tmp_path / "a.mp4", "yuv420p10le", "libx265", tags=(9, transfer, 9, 1))
    with pytest.raises(rfseg.InputError, match=rf"its transfer is {name}.*HDR.*--hdr as-sdr"):
        open_video(path)
    with open_video(path, hdr="as-sdr") as video:
        frames = list(video.frames())
    np.testing.assert_array_equal(frames[0].pixels, by_the_twin(path, "bt2020", False)[0])


def test_what_has_no_way_to_8_bits_is_refused_in_words(tmp_path):
    path = film(tmp_path / "a.mp4", "yuv420p", "libx264", tags=(1, 1, 7, 1))
    with pytest.raises(rfseg.InputError, match=r"its colour matrix is SMPTE 240M.*--matrix"):
        open_video(path)
    with open_video(path, matrix="bt709") as video:
        np.testing.assert_array_equal(next(video.frames()).pixels, by_the_twin(path, "bt709", False)[0])
    deep = film(tmp_path / "b.mkv", "gbrp10le", "ffv1")
    with pytest.raises(rfseg.InputError, match="gbrp10le: RGB of more than 8 bits"):
        open_video(deep)


def test_a_gpu_is_never_fallen_back_from():
    with pytest.raises((MissingExtraError, rfseg.BackendError), match=r"PyNvVideoCodec|CPU only"):
        open_video(DEMO_CLIP, decode="gpu")
    with pytest.raises(rfseg.InputError, match="decode is 'fast'"):
        open_video(DEMO_CLIP, decode="fast")
    with open_video(DEMO_CLIP, "auto") as video, open_video(DEMO_CLIP, "cpu") as other:
        assert next(video.frames()).index == next(other.frames()).index == 0
