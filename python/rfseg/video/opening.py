"""Opens what a VideoReader is given: every local path as a file, addresses with a time-out, cameras by their number.

Chooses the stream that is the film. Knows FFmpeg's containers, decodes nothing.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from rfseg._core import InputError

Address = str | os.PathLike[str] | int

_TIMEOUT_S = 10.0  # without one, a camera that went away blocks for ever
_NO_FILM = ("tty", "image2")  # FFmpeg draws text files as films, and takes %d in a name for a series of files


def is_remote(address: Address) -> bool:
    """Whether it is an address, which FFmpeg's protocols read, and not a path or a camera."""
    return isinstance(address, str) and "://" in address


def open_container(av: Any, address: Address, max_pixels: int, patience_s: float = 0.0) -> Any:
    """An open input container, HTTP taken up again within `patience_s` where it breaks off; raises FFmpeg's errors."""
    options = {"max_pixels": _limit(max_pixels)}
    settings: dict[str, Any] = {"options": options}
    if int(av.__version__.split(".")[0]) < 19:  # old cameras write tags in other encodings; PyAV 19 takes them all
        settings["metadata_errors"] = "replace"
    if isinstance(address, int):
        if sys.platform == "darwin":
            settings["container_options"] = {"framerate": "30"}
            return av.open(str(address), format="avfoundation", **settings)
        return av.open(f"/dev/video{address}", format="v4l2", **settings)
    if is_remote(address):
        if str(address).startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        elif str(address).startswith("http") and patience_s:
            options["reconnect"] = "1"  # of what has ranges; neither of live streams nor at the first try
            options["reconnect_delay_max"] = str(max(1, round(patience_s)))
        return av.open(str(address), timeout=_TIMEOUT_S, **settings)
    # The protocol is said: a file's name, 10:30.mp4 or concat:a, must not choose another one.
    return av.open(f"file:{os.fspath(address)}", **settings)


def picture_stream(container: Any, max_pixels: int) -> Any:
    """The stream that is the film: the first one that is no attached picture, a default one before others."""
    if container.format.name in _NO_FILM:
        raise InputError("it is a text or a series of images, no video")
    films = [stream for stream in container.streams.video if not _is_still(stream)]
    if not films:
        raise InputError("it holds no video" + (", only an attached picture" if container.streams.video else ""))
    stream = min(films, key=lambda film: "default" not in _disposition(film))
    context = stream.codec_context
    if context.width * context.height > max_pixels:
        raise InputError(
            f"its {context.width} x {context.height} pixels are more than the limit of {max_pixels:,}; "
            "--max-pixels (max_pixels=) raises it"
        )
    stream.thread_type = "AUTO"  # decodes 1.4 times as fast
    context.options = {**context.options, "max_pixels": _limit(max_pixels)}
    return stream


def _limit(max_pixels: int) -> str:
    """For FFmpeg, which counts the padding of its blocks too; the exact limit is checked where the size is known."""
    return str(min(2 * max_pixels + (1 << 16), 2**31 - 1))


def _disposition(stream: Any) -> set[str]:
    return {flag.name for flag in type(stream.disposition) if flag in stream.disposition}


def _is_still(stream: Any) -> bool:
    return bool(_disposition(stream) & {"attached_pic", "timed_thumbnails", "still_image"})
