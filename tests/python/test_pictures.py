"""Pictures of every kind: told by content, whole, upright, within limits, or refused in words."""

from __future__ import annotations

import io
import os
import random
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

import rfseg
from rfseg.pictures import MAX_PIXELS, kind_of, read_picture
from rfseg.video import VideoReader

KINDS = {"JPEG": "JPEG", "PNG": "PNG", "BMP": "BMP", "TIFF": "TIFF", "WebP": "WEBP", "GIF": "GIF", "PNM": "PPM"}
KINDS |= {"JPEG 2000": "JPEG2000", "AVIF": "AVIF", "QOI": "QOI"}


def quarters() -> np.ndarray:
    """RGB [40, 60, 3], each quarter of another colour, so that every turn shows."""
    rgb = np.full((40, 60, 3), 30, np.uint8)
    rgb[:20, :30], rgb[:20, 30:], rgb[20:, :30] = (250, 20, 20), (20, 250, 20), (20, 20, 250)
    return rgb


def encoded(pillow_format: str, **how: object) -> bytes:
    data = io.BytesIO()
    Image.fromarray(quarters()).save(data, format=pillow_format, **how)
    return data.getvalue()


def read(path: Path, **limits: int) -> tuple[np.ndarray, list[str]]:
    notes: list[str] = []
    return read_picture(path, note=notes.append, **limits), notes


@pytest.mark.parametrize("name", KINDS)
def test_content_decides_and_not_the_suffix(name, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(encoded(KINDS[name]))
    kind = kind_of(path)
    assert (kind.name, kind.sort) == (name, "picture")
    pixels, notes = read(path)
    assert pixels.shape == (40, 60, 3)
    assert np.abs(pixels[..., ::-1].astype(int) - quarters()).mean() < 8
    assert notes == []


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_kind_comes_upright(pillow_format, orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a"
    path.write_bytes(encoded(pillow_format, exif=exif))
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)
    pixels, _ = read(path)
    assert pixels.shape == expected.shape
    assert np.abs(pixels[..., ::-1] - expected).mean() < 4


def test_opencv_pictures_are_opencvs(tmp_path):
    for suffix in (".png", ".jpg", ".bmp", ".tif", ".webp"):
        path = tmp_path / f"a{suffix}"
        cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 255, (33, 47, 3), np.uint8))
        np.testing.assert_array_equal(read(path)[0], cv2.imread(str(path)))


def test_heic_is_read_whole_where_the_plug_in_is_and_refused_in_words_where_not(tmp_path, monkeypatch):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded("HEIF", quality=95))
    assert kind_of(path).name == "HEIC"
    assert np.abs(read(path)[0][..., ::-1].astype(int) - quarters()).mean() < 8
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(rfseg.InputError, match=r"HEIC needs the package pillow_heif.*pip install"):
        read(path)


def heic_start() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it is not an image, or a damaged one"),
        (b"nothing of the kind", "it is not an image, or a damaged one"),
        (b"\x1aE\xdf\xa3" + bytes(300), "it is not an image, it is a film"),
        (b"#?RADIANCE\n", "nothing here reads Radiance HDR"),
        (b"\x76\x2f\x31\x01\2\0\0\0", "nothing here reads OpenEXR"),
        (b"\xff\x0a" + bytes(40), "nothing here reads JPEG XL"),
        (b"PF\n3 3\n-1.0\n" + bytes(108), "nothing here reads PFM"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(40), "nothing here reads camera raw"),
        (b"\x89PNG\r\n\x1a\n\0", "its PNG header is damaged"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "its JPEG header is damaged"),
        (b"II*\0\xff\xff\xff\xff", "its TIFF header is damaged"),
        (heic_start(), "cannot read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(data, sentence, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(rfseg.InputError, match=r"cannot read .*a\.png: ") as caught:
        read(path)
    assert sentence in str(caught.value)


def test_folders_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for path in (tmp_path, tmp_path / "pipe.png", tmp_path / "zero.png"):
        assert kind_of(path) is None
        with pytest.raises(rfseg.InputError, match="a folder, a pipe or a device"):
            read(path)


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


def grown(data: bytes, place: int, value: bytes) -> bytes:
    return data[:place] + value + data[place + len(value) :]


def huge_headers() -> dict[str, bytes]:
    """Small files that ask for 3.6 thousand million pixels."""
    jpeg, bmp, gif = encoded("JPEG"), encoded("BMP"), encoded("GIF")
    frame = jpeg.index(b"\xff\xc0")
    return {
        "PNG": png(60000, 60000),
        "JPEG": grown(jpeg, frame + 5, struct.pack(">HH", 60000, 60000)),
        "BMP": grown(bmp, 18, struct.pack("<ii", 60000, -60000)),
        "GIF": grown(gif, 6, struct.pack("<HH", 60000, 60000)),
        "PNM": b"P6 60000 60000 255\n" + bytes(100),
        "WebP": b"RIFF\x64\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0" + (60000 - 1).to_bytes(3, "little") * 2 + bytes(80),
        "TIFF": b"II*\0\x08\0\0\0\2\0" + struct.pack("<HHIIHHII", 256, 4, 1, 60000, 257, 4, 1, 60000) + bytes(40),
        "JPEG 2000": b"\xff\x4f\xff\x51\0\x2f\0\0" + struct.pack(">IIII", 60000, 60000, 0, 0) + bytes(40),
        "Sun raster": b"\x59\xa6\x6a\x95" + struct.pack(">IIIIIII", 60000, 60000, 24, 0, 1, 0, 0),
    }


@pytest.mark.parametrize("name", huge_headers())
def test_the_limit_of_pixels_comes_before_the_memory(name, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(huge_headers()[name])
    tracemalloc.start()
    try:
        with pytest.raises(
            rfseg.InputError, match=r"60000 x 60000 pixels are more than the limit of 200,000,000.*--max"
        ):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_the_limit_can_be_moved(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded("PNG"))
    assert read(tmp_path / "a.png", max_pixels=2400)[0].size == 7200
    with pytest.raises(rfseg.InputError, match="60 x 40 pixels are more than the limit of 2,399"):
        read(tmp_path / "a.png", max_pixels=2399)
    assert MAX_PIXELS == 200_000_000


def test_a_file_larger_than_its_pixels_could_be_is_not_read(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.write(png(10, 10))
        file.truncate(60 << 30)
    with pytest.raises(rfseg.InputError, match="64,424,509,440 bytes are more than 200,000,000 pixels need"):
        read(tmp_path / "a.png")


def tiff(array: np.ndarray, sample_format: int, *, tags: tuple[tuple[int, int], ...] = (), bits: int = 0) -> bytes:
    """One strip of grey samples."""
    height, width = array.shape
    entries = [(256, width), (257, height), (258, bits or array.itemsize * 8), (259, 1), (262, 1), (273, 0), (277, 1)]
    entries += [(278, height), (279, array.nbytes), (339, sample_format), *tags]
    entries.sort()
    start = 8 + 2 + 12 * len(entries) + 4
    body = b"".join(struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value) for tag, value in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + bytes(4) + array.tobytes()


def test_more_than_8_bits_is_one_line(tmp_path):
    deep = np.arange(0, 65536, 27, np.uint16)[:2400].reshape(40, 60)
    cv2.imwrite(str(tmp_path / "a.png"), deep)
    cv2.imwrite(str(tmp_path / "a.tif"), deep)
    (tmp_path / "a.ppm").write_bytes(b"P5 60 40 65535\n" + deep.astype(">u2").tobytes())
    for suffix in ("png", "tif", "ppm"):
        pixels, notes = read(tmp_path / f"a.{suffix}")
        assert np.abs(pixels[..., 0].astype(int) - deep // 256).max() <= 1
        assert notes == [f"{tmp_path}/a.{suffix}: it has 16 bits a channel; the upper 8 were used"]


@pytest.mark.parametrize(
    ("array", "sample_format", "sentence"),
    [
        (np.ones((4, 6), np.float32), 3, "its samples are floating point numbers"),
        (np.ones((4, 6), np.float64), 3, "its samples are floating point numbers"),
        (np.ones((4, 6), np.int16), 2, "its samples are signed whole numbers"),
        (np.ones((4, 6), np.uint32), 1, "it has 32 bits a sample"),
    ],
)
def test_samples_without_an_agreed_range_are_refused(array, sample_format, sentence, tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(array, sample_format))
    with pytest.raises(rfseg.InputError, match=f"{sentence}.*convert it to 8 bits"):
        read(tmp_path / "a.tif")


def test_a_thumbnail_is_not_taken_for_the_photograph(tmp_path):
    grey = np.full((4, 6), 90, np.uint8)
    (tmp_path / "good.tif").write_bytes(tiff(grey, 1))
    np.testing.assert_array_equal(read(tmp_path / "good.tif")[0][..., 0], grey)
    for tag in ((254, 1), (50706, 1)):
        (tmp_path / "a.dng").write_bytes(tiff(grey, 1, tags=(tag,)))
        with pytest.raises(rfseg.InputError, match="only the thumbnail could be read"):
            read(tmp_path / "a.dng")


def test_further_pages_and_frames_are_one_line(tmp_path):
    pages = [Image.fromarray(np.roll(quarters(), 7 * turn, 1)) for turn in range(3)]
    for pillow_format in ("TIFF", "GIF", "PNG", "WEBP", "AVIF"):
        path = tmp_path / pillow_format
        pages[0].save(path, format=pillow_format, save_all=True, append_images=pages[1:])
        pixels, notes = read(path)
        assert np.abs(pixels[..., ::-1].astype(int) - quarters()).mean() < 8
        assert len(notes) == 1
        assert "the first was used" in notes[0]


def test_a_gif_that_moves_is_a_film(tmp_path):
    pages = [Image.fromarray(np.roll(quarters(), 7 * turn, 1)) for turn in range(3)]
    for name, frames in (("still", 1), ("moving", 3)):
        pages[0].save(tmp_path / name, format="GIF", save_all=True, append_images=pages[1:frames])
    assert (kind_of(tmp_path / "still").sort, kind_of(tmp_path / "moving").sort) == ("picture", "film")
    with VideoReader(tmp_path / "moving") as video:
        assert len(list(video.frames())) == 3
    data = (tmp_path / "moving").read_bytes()
    for end in range(6, len(data), 31):  # no end of the file is a surprise
        (tmp_path / "cut").write_bytes(data[:end])
        assert kind_of(tmp_path / "cut") is not None


def test_damage_of_any_kind_is_one_sentence(tmp_path):
    """Truncated and altered files: pixels, or InputError; nothing else comes out, and a cut file is no picture."""
    chance, refused, path = random.Random(5), 0, tmp_path / "a"
    for pillow_format in KINDS.values():
        whole = encoded(pillow_format)
        for _ in range(40):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            cut = chance.random() < 0.5
            path.write_bytes(data[: chance.randrange(len(data))] if cut else data)
            try:
                pixels = read(path, max_pixels=1_000_000)[0]
            except rfseg.InputError as error:
                refused += 1
                assert str(error).startswith(f"cannot read {path}: ")
            else:
                assert pixels.dtype == np.uint8
                assert pixels.ndim == 3
    assert refused > 100
