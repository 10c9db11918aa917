"""Tickets: frames as futures, in any order, from any thread, cancelled, awaited, dropped."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import rfseg
from paths import DEMO_MODEL


def same(a: rfseg.Result, b: rfseg.Result) -> bool:
    return (
        a.image_size == b.image_size
        and np.array_equal(a.xyxy, b.xyxy)
        and np.array_equal(a.confidence, b.confidence)
        and np.array_equal(a.class_id, b.class_id)
        and a.masks.coco() == b.masks.coco()
    )


@pytest.fixture
def few() -> Iterator[rfseg.Segmenter]:
    with rfseg.Segmenter(DEMO_MODEL, slots=4) as segmenter:
        yield segmenter


def test_tickets_are_futures_that_know_their_tag(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    expected = [few.infer(frame) for frame in frames]
    tickets = [few.submit(frame, tag=i) for i, frame in enumerate(frames)]  # more than slots: submit waits
    assert few.pending == len(frames)
    for ticket in reversed(tickets):
        assert isinstance(ticket, concurrent.futures.Future)
        assert same(ticket.result(timeout=60), expected[ticket.tag])
        assert ticket.done()
        assert not ticket.running()
        assert ticket.exception() is None
        assert ticket.result() is ticket.result()
    assert few.pending == 0


def test_collect_takes_the_oldest_that_nobody_asked_for(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    first, second, third = (few.submit(frame) for frame in frames[:3])
    assert same(second.result(), few.infer(frames[1]))
    assert same(few.collect(), few.infer(frames[0]))
    assert same(few.collect(), few.infer(frames[2]))
    assert first.done()
    assert third.done()
    with pytest.raises(rfseg.InputError, match=r"nothing was submitted: call submit\(frame\) before collect\(\)"):
        few.collect()
    few.submit(frames[0])
    few.discard()
    assert few.pending == 0


def test_the_standard_library_waits_for_tickets(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    expected = [few.infer(frame) for frame in frames[:6]]
    tickets = [few.submit(frame, tag=i) for i, frame in enumerate(frames[:6])]
    told: list[int] = []
    for ticket in tickets:
        ticket.add_done_callback(lambda done: told.append(done.tag))  # type: ignore[attr-defined]
    for done in concurrent.futures.as_completed(tickets, timeout=60):
        assert same(done.result(), expected[done.tag])  # type: ignore[attr-defined]
    finished, unfinished = concurrent.futures.wait(tickets, timeout=60)
    assert len(finished) == 6
    assert not unfinished
    assert sorted(told) == list(range(6))


def test_asyncio_awaits_tickets(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    expected = [few.infer(frame) for frame in frames[:5]]

    async def all_of() -> list[rfseg.Result]:
        async def one(frame: np.ndarray) -> rfseg.Result:
            return await few.submit(frame)

        return list(await asyncio.gather(*[one(frame) for frame in frames[:5]]))

    assert all(same(a, b) for a, b in zip(asyncio.run(all_of()), expected, strict=True))


def test_a_cancelled_ticket_never_runs_and_others_are_right(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    expected = [few.infer(frame) for frame in frames[:4]]
    before = few.info["frames"]
    tickets = [few.submit(frame) for frame in frames[:4]]
    cancelled = [ticket.cancel() for ticket in tickets]
    assert any(cancelled), "four at once on one lane: the last waits"
    for ticket, was_cancelled, result in zip(tickets, cancelled, expected, strict=True):
        assert ticket.cancelled() == was_cancelled
        if was_cancelled:
            with pytest.raises(concurrent.futures.CancelledError):
                ticket.result()
        else:
            assert same(ticket.result(), result)
    few.infer(frames[0])
    assert few.info["frames"] - before == 1 + cancelled.count(False)


def test_dropped_tickets_leave_room(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    for _ in range(3):
        few.submit(frames[0])
        few.discard()
    expected = few.infer(frames[1])
    for _ in range(8):
        few.submit(frames[1])
    assert all(same(few.collect(), expected) for _ in range(8))


def test_a_wait_may_end_before_the_frame(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    tickets = [few.submit(frame) for frame in frames[:4]]
    with pytest.raises(TimeoutError):
        tickets[-1].result(timeout=0)
    assert same(tickets[-1].result(timeout=60), few.infer(frames[3]))


def test_a_ticket_outlives_its_segmenter(frames: list[np.ndarray]) -> None:
    with rfseg.Segmenter(DEMO_MODEL) as segmenter:
        expected = segmenter.infer(frames[0])
        ticket = segmenter.submit(frames[0])
    assert same(ticket.result(timeout=60), expected)
    with pytest.raises(rfseg.Error, match="this Segmenter is closed"):
        segmenter.submit(frames[0])


def test_closing_while_others_submit_ends_them_with_a_sentence(frames: list[np.ndarray]) -> None:
    segmenter = rfseg.Segmenter(DEMO_MODEL)
    ends: list[str] = []

    def work() -> None:
        try:
            while True:
                segmenter.infer(frames[0])
        except rfseg.Error as error:
            ends.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    segmenter.infer(frames[1])
    segmenter.close()
    for thread in threads:
        thread.join(timeout=60)
    assert len(ends) == 3
    assert all("this Segmenter is closed" in end for end in ends)


def test_each_call_has_its_own_threshold_and_classes(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    usual = few.infer(frames[0])
    wanted = int(usual.class_id[0])
    strict = float(np.median(usual.confidence))
    tickets = [
        few.submit(frames[0], threshold=strict),
        few.submit(frames[0], classes=[wanted]),
        few.submit(frames[0], threshold={wanted: 1.0}),
        few.submit(frames[0]),
    ]
    by_score, by_class, without, plain = (ticket.result() for ticket in tickets)
    assert np.array_equal(by_score.confidence, usual.confidence[usual.confidence > strict])
    assert np.array_equal(by_class.confidence, usual.confidence[usual.class_id == wanted])
    assert np.array_equal(without.class_id, usual.class_id[usual.class_id != wanted])
    assert same(plain, usual)
    for odd, why in (({"threshold": 1.5}, "threshold is 1.5"), ({"classes": ["nobody"]}, "'nobody'")):
        with pytest.raises(rfseg.InputError, match=why):
            few.submit(frames[0], **odd)  # type: ignore[arg-type]
    assert few.pending == 0


def test_a_list_gives_a_list_and_a_bad_frame_in_it_loses_nothing(
    few: rfseg.Segmenter, frames: list[np.ndarray]
) -> None:
    mixed = [*frames, frames[0][:100, :50]]
    expected = [few.infer(frame) for frame in mixed]
    assert all(same(a, b) for a, b in zip(few.infer(mixed), expected, strict=True))
    assert few.infer([]) == []
    with pytest.raises(rfseg.InputError, match="expected uint8"):
        few.infer([frames[0], frames[1].astype(np.float32)])
    assert same(few.infer(frames[2]), expected[2])


def test_streams_take_turns_in_threads_and_within_one(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    expected = [few.infer(frame) for frame in frames]
    forwards, backwards = few.stream(frames), few.stream(reversed(frames))
    for i in range(len(frames)):
        assert same(next(forwards), expected[i])
        assert same(next(backwards), expected[-1 - i])
    pairs = list(few.stream(frames, with_frames=True))
    assert all(frame is given for (frame, _result), given in zip(pairs, frames, strict=True))
    assert all(same(result, ours) for (_frame, result), ours in zip(pairs, expected, strict=True))


def test_after_a_fork_the_child_is_told(few: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    import os

    expected = few.infer(frames[0])
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            few.infer(frames[0])
            said = "no error"
        except rfseg.Error as error:
            said = str(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    assert "fork" in said or "process" in said, said
    assert same(few.infer(frames[0]), expected)
