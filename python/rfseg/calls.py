"""What a Segmenter does with frames: one at a time, in lists, in streams, by tickets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import numpy as np

from rfseg._core import Error, InputError
from rfseg._core import Segmenter as CoreSegmenter
from rfseg._core import Ticket as CoreTicket
from rfseg.asking import Classes, Frame, Threshold, Wanted, asked, pixels_of
from rfseg.masks import Masks
from rfseg.result import Result
from rfseg.streaming import stream
from rfseg.tickets import Announcer, Ticket

if TYPE_CHECKING:
    from rfseg._core import Columns
    from rfseg.watching import Cameras
    from rfseg.watching.feeds import Feed, Source

F = TypeVar("F", bound=Frame)


class Calls:
    """The calls of Segmenter, which opens and ends the model. Any thread may call anything at any time."""

    _core: CoreSegmenter
    _names: Mapping[int, str]
    _tickets: dict[int, Ticket]  # that nobody has asked for their result, oldest first
    _announcer: Announcer

    @overload
    def infer(self, frame: Frame, *, threshold: Threshold | None = None, classes: Classes | None = None) -> Result: ...
    @overload
    def infer(
        self, frame: list[F], *, threshold: Threshold | None = None, classes: Classes | None = None
    ) -> list[Result]: ...
    def infer(
        self,
        frame: Frame | list[Any],
        *,
        threshold: Threshold | None = None,
        classes: Classes | None = None,
    ) -> Result | list[Result]:
        """Segments one frame, or a list of frames, and waits.

        Args:
            frame: uint8 [H, W, 3] in the Segmenter's color order, any strides. Not kept. On a GPU also an array in
                its memory that offers `__dlpack__` or `__cuda_array_interface__`; its producer's stream is honoured.
                Also a Pillow image, or a YuvFrame. A list: of frames of any sizes, in as few executions as they fit.
            threshold: for this call, as the constructor takes it; classes that a mapping does not list keep theirs.
            classes: the only classes that are kept, ids or names.

        Returns:
            A Result; a list of them, in order, for a list.

        Raises:
            InputError: a frame cannot be used (the message says how to fix it), or a class is not the model's.
        """
        if isinstance(frame, list):
            return self.infer_batch(frame, threshold=threshold, classes=classes)
        pixels, color = pixels_of(frame)
        return self._result(self._core.infer(pixels, asked(threshold, classes), color))

    __call__ = infer

    def infer_batch(
        self, frames: Iterable[Frame], *, threshold: Threshold | None = None, classes: Classes | None = None
    ) -> list[Result]:
        """Segments several frames, as `infer` does with a list."""
        seen = [pixels_of(frame) for frame in frames]
        tickets = self._core.submit_all(
            [pixels for pixels, _color in seen], asked(threshold, classes), [color for _pixels, color in seen]
        )
        return [self._result(ticket.take()) for ticket in tickets]

    @overload
    def stream(
        self,
        frames: Iterable[F],
        *,
        threshold: Threshold | None = None,
        classes: Classes | None = None,
        with_frames: Literal[False] = False,
    ) -> Iterator[Result]: ...
    @overload
    def stream(
        self,
        frames: Iterable[F],
        *,
        threshold: Threshold | None = None,
        classes: Classes | None = None,
        with_frames: Literal[True],
    ) -> Iterator[tuple[F, Result]]: ...
    def stream(
        self,
        frames: Iterable[Frame],
        *,
        threshold: Threshold | None = None,
        classes: Classes | None = None,
        with_frames: bool = False,
    ) -> Iterator[Any]:
        """Segments frames in order with several in flight, and yields one Result a frame.

        A result leaves as soon as it is done, however slow the source. When `frames` or a frame fails, the results of
        the frames before it come first, then the error. Leaving the loop early waits for the frames in flight and drops
        them. Any number of streams and other calls may take turns on one Segmenter.

        Args:
            frames: as `infer` takes them; asked for the next one by the thread that asks for results.
            threshold: as `infer`.
            classes: as `infer`.
            with_frames: yields pairs (frame, Result); the frame is kept until then.

        Raises:
            InputError: a frame cannot be used.
        """
        wanted = asked(threshold, classes)

        def submit(frame: Frame) -> CoreTicket:
            pixels, color = pixels_of(frame)
            return self._core.submit(pixels, wanted, color)

        return stream(iter(frames), submit, self._result, self._core.info["slots"], with_frames)

    def submit(
        self,
        frame: Frame,
        *,
        tag: Any = None,
        threshold: Threshold | None = None,
        classes: Classes | None = None,
    ) -> Ticket:
        """Starts one frame. Waits while all slots are taken, and while the frame is read. Not kept.

        Args:
            frame: as `infer`.
            tag: anything, to know the ticket by.
            threshold: as `infer`.
            classes: as `infer`.

        Raises:
            InputError: the frame cannot be used.
        """
        ticket = self._ticket(frame, tag, asked(threshold, classes), self._forget)
        self._tickets[id(ticket)] = ticket
        return ticket

    def collect(self) -> Result:
        """Returns the result of the oldest ticket that nobody has asked for its result; waits for it.

        Raises:
            InputError: nothing was submitted.
        """
        try:
            ticket = self._tickets.pop(next(iter(self._tickets)))
        except (StopIteration, KeyError):
            raise InputError("nothing was submitted: call submit(frame) before collect()") from None
        return ticket.result()

    @property
    def pending(self) -> int:
        """Tickets that `submit` gave out and nobody has asked for their result."""
        return len(self._tickets)

    def discard(self) -> None:
        """Cancels those, or waits for them, and drops their results."""
        while self._tickets:
            with contextlib.suppress(KeyError, Error):
                ticket = self._tickets.pop(next(iter(self._tickets)))
                if not ticket.cancel():
                    ticket.exception()

    def watch(
        self,
        sources: Source | Sequence[Source] | Mapping[str, Source],
        *,
        policy: Literal["all", "latest"] | None = None,
        max_age_s: float = 0.5,
        patience_s: float = 30.0,
        threshold: Threshold | None = None,
        classes: Classes | None = None,
    ) -> Cameras:
        """Segments many sources at once, fairly: a loop over it yields results, each as soon as it is done.

        A source is read by its own thread, so one that pauses, fails or comes back delays no other. Its results come
        in the order of its frames. Nothing is opened before the loop starts.

        Args:
            sources: paths, addresses, camera numbers, iterables of frames, or functions that return such an iterable
                and are called again when it fails; a list, or {name: source}.
            policy: "all" sends every frame and makes the source wait; "latest" sends the newest one as soon as the
                one before is answered, and drops and counts the others. None: "latest" for cameras and addresses,
                "all" for the rest.
            max_age_s: frames of "latest" that are older when their turn comes are dropped too. No result is.
            patience_s: how long a camera, an address or a function is tried again and again, 0.25 s to 5 s apart, after
                it was lost; then it has ended. The others go on. Files and iterables end at once.
            threshold: as `infer`.
            classes: as `infer`.

        Raises:
            InputError: a file does not exist, something is no source, or a class is not the model's; from the loop:
                no source gave a frame.

        Example:
            >>> with seg.watch(["rtsp://porch/live", "rtsp://gate/live"]) as cameras:
            ...     for seen in cameras:
            ...         print(seen.source, seen.index, f"{seen.age_s:.3f} s", seen.result)
        """
        from rfseg.watching.feeds import feeds_of

        wanted = asked(threshold, classes)
        if wanted is not None:
            self._core.infer(np.zeros((1, 1, 3), np.uint8), wanted, None)  # so that what cannot be asked is said here
        wishes: dict[str, Any] = {"policy": policy, "max_age_s": max_age_s, "patience_s": patience_s}
        return self._cameras(feeds_of(sources), wanted, **wishes)

    def _cameras(
        self,
        feeds: Sequence[Feed],
        wanted: Wanted | None = None,
        picture: Callable[[Any], Frame] = lambda frame: frame,
        **wishes: Any,
    ) -> Cameras:
        """Cameras over feeds; `picture` of a feed's frame goes to the network, `wishes` as Cameras takes them."""
        from rfseg.watching import Cameras  # later: its threads and readers are for who watches

        slots = self._core.info["slots"] * len(self._core.info["device"].split(","))
        submit = lambda frame: self._ticket(picture(frame), None, wanted, lambda _ticket: None)  # noqa: E731
        return Cameras(feeds, submit, slots=slots, **wishes)

    def _ticket(self, frame: Frame, tag: Any, wanted: Wanted | None, settled: Callable[[Ticket], None]) -> Ticket:
        pixels, color = pixels_of(frame)
        return Ticket(self._core.submit(pixels, wanted, color), tag, self._result, self._announcer, settled)

    def _forget(self, ticket: Ticket) -> None:
        self._tickets.pop(id(ticket), None)

    def _result(self, columns: Columns) -> Result:
        xyxy, confidence, class_id, masks, image_size, speed = columns
        return Result(xyxy, confidence, class_id, Masks(masks), image_size, self._names, speed)
