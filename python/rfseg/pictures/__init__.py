"""Picture files, told by their content, as BGR pixels; needs OpenCV, and Pillow for what OpenCV cannot read."""

from rfseg.pictures.kinds import Kind, kind_of
from rfseg.pictures.reader import MAX_PIXELS, read_picture

__all__ = ["MAX_PIXELS", "Kind", "kind_of", "read_picture"]
