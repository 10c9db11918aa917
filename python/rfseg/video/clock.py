"""Times that only go forward, from time stamps that may be missing, repeat, or jump.

Knows one stream's time base and frame rate; nothing of frames.
"""

from __future__ import annotations

from fractions import Fraction

_STEP_BACK_S = 1  # less is a stamp in disorder, more a clock that was set
# Streams of joined pieces (MPEG-TS, RTSP) start a new clock with each; in a file a still picture may last for minutes.
_JOINT_S, _GAP_S = 10, 3600


class Clock:
    """Gives each frame a time in ticks, 0 at the first one, each above the one before.

    Attributes:
        jumps: how often a stamp could not be kept.
        first_jump: (frame index, seconds by which the stamps jumped) of the first time.
        last: time of the last frame in ticks.
    """

    def __init__(self, time_base: Fraction, step: int, *, joined: bool) -> None:
        """Starts at nothing.

        Args:
            time_base: seconds of a tick.
            step: ticks of a frame at the nominal rate.
            joined: the format is one whose pieces may each bring a clock of their own.
        """
        self.jumps = 0
        self.first_jump = (0, 0.0)
        self._time_base, self._step = time_base, step
        self._back = -round(_STEP_BACK_S / time_base)
        self._far = round((_JOINT_S if joined else _GAP_S) / time_base)
        self._offset: int | None = None
        self.last = -step

    def begin_again(self) -> None:
        """Another connection: its first frame follows the last one, whatever its stamp is. No jump."""
        self._offset = None

    def at(self, stamp: int | None, index: int) -> int:
        """The time of the next frame. After a jump, frames go on at the nominal rate from the frame before."""
        following = self.last + self._step
        if stamp is None:
            self.last = following
            return following
        if self._offset is None:
            self._offset = following - stamp
        ticks = stamp + self._offset
        if not self.last < ticks <= self.last + self._far + self._step:
            self._note(ticks - following, index)
            if not self._back < ticks - self.last <= self._far:
                self._offset += following - ticks
            ticks = following
        self.last = ticks
        return ticks

    def _note(self, ticks: int, index: int) -> None:
        self.jumps += 1
        if self.jumps == 1:
            self.first_jump = (index, float(ticks * self._time_base))

    def sentence(self) -> str:
        """What happened, or ""."""
        if not self.jumps:
            return ""
        index, seconds = self.first_jump
        times = f", and {self.jumps - 1} more times" if self.jumps > 1 else ""
        return (
            f"its clock jumps by {seconds:+.3f} s at frame {index}{times}; "
            "times go on from the frame before, in every output alike"
        )
