"""Many sources of frames, one network: `Segmenter.watch`. The rules are in schedule.py, the threads around it."""

from rfseg.watching.cameras import Cameras, Watched
from rfseg.watching.stats import SourceStats

__all__ = ["Cameras", "SourceStats", "Watched"]
