"""Frames in flight never mix: whatever the order of calls, each result is what its frame gives by itself."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

import rfseg
from parity.answers import assert_same, differ


@pytest.fixture(scope="module")
def expected(shared, mixed) -> list[rfseg.Result]:
    """One by one, in one slot."""
    results = [shared(slots=1).infer(frame) for frame in mixed]
    assert all(differ(results[0], result) for result in results[1:20])
    return results


def assert_all_same(found: list[rfseg.Result], expected: list[rfseg.Result]) -> None:
    for i, (result, other) in enumerate(zip(found, expected, strict=True)):
        assert_same(result, other, i, ("external",))


@pytest.mark.parametrize("outlines", [None, "external"])
@pytest.mark.parametrize("slots", [1, 2, 4, 8])
def test_stream_equals_one_by_one(shared, mixed, expected, slots, outlines):
    segmenter = shared(slots=slots, outlines=outlines)
    assert segmenter.info["slots"] == slots
    for _ in range(3):
        assert_all_same(list(segmenter.stream(iter(mixed))), expected)
    assert_all_same([segmenter.infer(frame) for frame in mixed], expected)


@pytest.mark.parametrize("slots", [1, 2, 4, 8])
def test_submit_and_collect_in_every_depth(shared, mixed, expected, slots):
    segmenter = shared(slots=slots, outlines=None)
    for depth in range(1, slots + 1):
        found, frames = [], iter(mixed)
        for frame in itertools.islice(frames, depth):
            segmenter.submit(frame)
        for frame in frames:
            found.append(segmenter.collect())
            segmenter.submit(frame)
        found += [segmenter.collect() for _ in range(depth)]
        assert_all_same(found, expected)
    for frame in mixed:  # more than there are slots: submit waits for a slot, not for collect
        segmenter.submit(frame)
    assert_all_same([segmenter.collect() for _ in mixed], expected)


def test_a_frame_may_be_overwritten_once_it_was_submitted(shared, mixed, expected):
    segmenter = shared(slots=4)
    for _ in range(20):
        for frame in mixed[:4]:
            scratch = frame.copy()
            segmenter.submit(scratch)
            scratch[:] = 0
        assert_all_same([segmenter.collect() for _ in range(4)], expected[:4])


def test_two_segmenters_in_two_threads(shared, mixed, expected):
    by_nano = [shared("nano", slots=1).infer(frame) for frame in mixed]
    pairs = [(shared("shapes", slots=2), expected), (shared("nano", slots=3), by_nano)]
    failures: list[BaseException] = []
    together = threading.Barrier(2)

    def work(segmenter: rfseg.Segmenter, answers: list[rfseg.Result]) -> None:
        try:
            together.wait(timeout=60)
            for _ in range(8):
                assert_all_same(list(segmenter.stream(mixed)), answers)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_closing_with_frames_in_flight(open_engine, mixed, expected):
    segmenter = open_engine(slots=4)
    kept = segmenter.infer(mixed[0])
    for frame in mixed[:4]:
        segmenter.submit(frame)
    segmenter.close()
    segmenter.close()
    assert_same(kept, expected[0], modes=("tree",))
    assert_all_same([segmenter.collect() for _ in range(4)], expected[:4])
    with pytest.raises(rfseg.Error, match="closed"):
        segmenter.submit(mixed[0])
    for frame in mixed[:3]:  # and by the garbage collector
        dropped = open_engine(slots=2)
        dropped.submit(frame)
        del dropped


def test_leaving_a_stream_early_drops_what_is_in_flight(shared, mixed, expected):
    segmenter = shared(slots=4)
    stream = segmenter.stream(itertools.cycle(mixed))
    assert_all_same(list(itertools.islice(stream, 3)), expected[:3])
    stream.close()
    assert_all_same(list(segmenter.stream(mixed)), expected)


@pytest.mark.parametrize("place", [0, 1, 5])
def test_a_bad_frame_loses_no_other(shared, mixed, expected, place):
    segmenter, found = shared(slots=4), []
    grey = np.zeros((90, 120), np.uint8)
    with pytest.raises(rfseg.InputError, match="3 channels"):
        found.extend(segmenter.stream([*mixed[:place], grey, *mixed[place:]]))
    assert_all_same(found, expected[:place])
    segmenter.submit(mixed[0])
    with pytest.raises(rfseg.InputError, match="3 channels"):
        segmenter.submit(grey)
    segmenter.submit(mixed[1])
    assert_all_same([segmenter.collect(), segmenter.collect()], expected[:2])


def test_a_source_that_breaks_loses_no_frame(shared, mixed, expected):
    def source():
        yield from mixed[:3]
        raise OSError("the camera is gone")

    found = []
    with pytest.raises(OSError, match="the camera is gone"):
        found.extend(shared(slots=4).stream(source()))
    assert_all_same(found, expected[:3])


def test_the_network_alone_can_be_timed(shared):
    segmenter = shared(slots=4)
    one, four = segmenter.network_ms(100), segmenter.network_ms(100, contexts=4)
    assert 0 < four < 1.2 * one < 100
    with pytest.raises(rfseg.InputError, match="contexts"):
        segmenter.network_ms(10, contexts=5)


def test_streams_and_calls_take_turns(shared, mixed, expected):
    segmenter = shared(slots=4)
    streams = [segmenter.stream(mixed), segmenter.stream(mixed[::-1], with_frames=True)]
    tickets = [segmenter.submit(frame, tag=i) for i, frame in enumerate(mixed)]
    turns = []
    for i, (first, (frame, second)) in enumerate(zip(*streams, strict=True)):
        turns.append((first, second, segmenter.infer(mixed[i])))
        assert frame is mixed[-1 - i]
    for i, (first, second, third) in enumerate(turns):
        assert_same(first, expected[i], i)
        assert_same(second, expected[-1 - i], i)
        assert_same(third, expected[i], i)
    assert_all_same([ticket.result(timeout=60) for ticket in tickets[::-1]], expected[::-1])
    assert [ticket.tag for ticket in tickets] == list(range(len(mixed)))


def test_threads_get_what_is_theirs(shared, mixed, expected):
    segmenter, failures = shared(slots=4), []

    def work(offset: int) -> None:
        try:
            for _ in range(4):
                for i in range(len(mixed)):
                    place = (i * 7 + offset) % len(mixed)
                    assert_same(segmenter.infer(mixed[place]), expected[place], place)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
