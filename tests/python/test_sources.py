"""What SOURCE arguments expand to."""

from pathlib import Path

import pytest

import rfseg
from rfseg.sources import Images, Video, expand


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("b10.jpg", "b2.JPG", "a.png", "clip.mp4", "notes.txt", "sub.jpg/x"):
        path = photos / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return photos


def test_a_folder_is_one_source_of_images_and_its_videos(folder):
    images, video = expand([str(folder)])
    assert isinstance(images, Images)
    assert [path.name for path in images.paths] == ["a.png", "b2.JPG", "b10.jpg"]
    assert (images.stem, images.grouped) == ("photos", True)
    assert video == Video(str(folder / "clip.mp4"), "clip", str(folder / "clip.mp4"))


def test_the_current_folder_has_a_name(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert expand(["."])[0].stem == "photos"


def test_a_pattern_keeps_what_can_be_read(folder):
    (images,) = expand([str(folder / "b*")])
    assert [path.name for path in images.paths] == ["b2.JPG", "b10.jpg"]
    (video,) = expand([str(folder / "*.mp4")])
    assert video.stem == "clip"


def test_files_stay_in_the_order_given(folder):
    sources = expand([str(folder / "clip.mp4"), str(folder / "a.png"), str(folder / "notes.txt")])
    assert [type(source) for source in sources] == [Video, Images, Video]
    assert sources[1].paths == (folder / "a.png",)
    assert not sources[1].grouped


def test_cameras_and_addresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert expand(["0"]) == [Video("camera 0", "camera0", 0)]
    (stream,) = expand(["rtsp://user:secret@10.0.0.5:554/live/main.sdp"])
    assert stream.address == "rtsp://user:secret@10.0.0.5:554/live/main.sdp"
    assert stream.stem == "10.0.0.5_live_main"
    assert "secret" not in stream.name
    Path("7").touch()
    assert expand(["7"])[0].address == "7"


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("nowhere.jpg", "no such file, folder or camera: nowhere.jpg"),
        ("*.webp", r"the pattern \*.webp matches no images and no videos"),
        ("empty", "the folder empty holds no images and no videos"),
    ],
)
def test_what_is_not_there_is_said(argument, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(rfseg.InputError, match=sentence):
        expand([argument])
