"""Videos in and out as BGR frames with their exact times; needs PyAV (`rfseg[video]`)."""

from rfseg.video.reader import VideoFrame, VideoReader
from rfseg.video.writer import VideoWriter

__all__ = ["VideoFrame", "VideoReader", "VideoWriter"]
