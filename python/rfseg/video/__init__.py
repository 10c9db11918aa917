"""Videos in as decoders give them and out in the same colours, with exact times; needs PyAV (`rfseg[video]`)."""

from rfseg.video.frame import VideoFrame
from rfseg.video.reader import VideoReader, open_video
from rfseg.video.writer import VideoWriter

__all__ = ["VideoFrame", "VideoReader", "VideoWriter", "open_video"]
