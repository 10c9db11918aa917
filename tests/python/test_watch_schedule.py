"""The rules of `Segmenter.watch` in virtual time: ten thousand schedules, lags, pauses, sixty-four cameras."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import repeat

import pytest

from rfseg.patience import Patience
from rfseg.watching.stats import Counts
from rfseg.watching.stats import percentile as percentile_of
from watched_world import Network, Source, World

SCHEDULES = 10_000


def percentile(ages: list[float], share: float) -> float:
    found = percentile_of(sorted(ages), share)
    assert found is not None
    return found


def random_world(chance: random.Random, frames: int) -> World:
    """Anything: up to six sources of any pace, with pauses and bursts, on any network, before any caller."""

    def gaps(pace_s: float) -> Iterator[float]:
        pause = chance.choice((0.0, 0.05, 0.3))
        for _ in range(chance.randrange(frames + 1)):
            yield 0.5 if chance.random() < pause else pace_s * chance.choice((0.0, 0.5, 1.0, 1.0, 1.5))

    sources = [
        Source(chance.random() < 0.5, gaps(chance.choice((0.001, 0.01, 0.04, 0.2))), chance.random() < 0.7)
        for _ in range(chance.randint(1, 6))
    ]
    base_s, each_s = chance.choice((0.001, 0.01, 0.1)), chance.choice((0.0, 0.002, 0.03))
    uneven = chance.choice((0.0, 1.0))
    failing = chance.choice((0.0, 0.0, 0.2))
    network = Network(
        chance.choice((1, 2, 4, 16)),
        chance.randint(1, 3),
        chance.choice((1, 4)),
        lambda size: (base_s + each_s * size) * (1 + uneven * chance.random()),
        lambda: chance.random() < failing,
    )
    think_s = chance.choice((0.0, 0.0, 0.005, 0.08))
    return World(sources, network, lambda: think_s * chance.random(), chance.choice((0.03, 0.5)))


def test_ten_thousand_random_schedules_keep_every_promise() -> None:
    seen = {"events": 0, "checked": 0, "done": 0, "dropped": 0, "failed": 0, "left": 0}
    for seed in range(SCHEDULES):
        chance = random.Random(seed)
        world = random_world(chance, 12)
        leaves = chance.random() < 0.3
        world.run(chance.random() if leaves else float("inf"))
        stats = [world.schedule.stats(number, "") for number in range(len(world.sources))]
        if leaves:
            world.leave()
        else:
            assert world.schedule.over
            assert not any(source.pending for source in stats)
        seen["events"] += world.events
        seen["checked"] += world.checked
        seen["left"] += leaves
        for name in ("done", "dropped", "failed"):
            seen[name] += sum(getattr(source, name) for source in stats)
    # What happened too seldom to have been tested.
    assert seen["events"] > 20 * SCHEDULES
    assert seen["checked"] > 40 * SCHEDULES
    assert min(seen["done"], seen["dropped"], 10 * seen["failed"]) > SCHEDULES, seen
    assert 0.2 * SCHEDULES < seen["left"] < 0.4 * SCHEDULES


def steady(period_s: float, seconds: float, phase_s: float = 0.0) -> Iterator[float]:
    yield phase_s
    yield from repeat(period_s, round(seconds * 1000) // round(period_s * 1000))


@pytest.mark.parametrize("period_ms", [1, 7, 33, 99, 100, 101, 150, 1000])
def test_latest_lags_by_two_network_times_at_most(period_ms: int) -> None:
    network_s = 0.1
    source = Source(latest=True, gaps=steady(period_ms / 1000, 20))
    world = World([source], Network(2, 1, 1, lambda _: network_s), lambda: 0.0)
    world.run()
    assert len(source.taken) > 15
    assert max(source.ages) <= 2 * network_s + 1e-9
    assert len(source.taken) + source.dropped == source.arrived == 20_000 // period_ms + 1
    assert (source.dropped == 0) == (period_ms >= 100)
    if period_ms < 100:  # the network is never idle
        assert len(source.taken) >= 20 / network_s - 1


def test_a_slow_caller_holds_latest_back_and_not_the_other_way_round() -> None:
    source = Source(latest=True, gaps=steady(0.02, 20))
    world = World([source], Network(16, 2, 4, lambda _: 0.01), lambda: 0.3)
    world.run()
    assert max(source.ages[:-1]) <= 0.3 + 0.02 + 0.01  # nothing replaces the last one
    assert len(source.taken) > 60
    assert source.dropped > 800


def gpu(share: float = 1.0) -> Network:
    """Two lanes at once: 16 frames each in 9.2 ms, one each in 1.2 ms: 3,474 frames/s, as nano at 312 px on an H100."""
    return Network(64, 2, 16, lambda size: 2 * (0.00035 + 0.000266 * size) / share)


def cameras(latest: bool, network: Network) -> tuple[list[Source], list[float]]:
    """64 of 25 frames/s, for 5 s; a caller who takes 0.3 ms a result. Returns ages too."""
    chance = random.Random(64)
    sources = [Source(latest, steady(0.04, 5, chance.random() * 0.04)) for _ in range(64)]
    world = World(sources, network, lambda: 0.0003)
    world.run()
    assert world.schedule.over
    assert sum(source.arrived for source in sources) == 64 * 126
    assert all(source.arrived == len(source.taken) + source.dropped for source in sources)
    return sources, [age for source in sources for age in source.ages]


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("latest", [True, False])
def test_sixty_four_sources_of_25_frames_a_second(latest: bool, share: float) -> None:
    """1,600 frames/s; half of that GPU is 0.92 busy with them."""
    _, ages = cameras(latest, gpu(share))
    assert len(ages) == 64 * 126
    assert percentile(ages, 0.99) <= 0.080


def test_a_network_that_is_too_slow_for_all_is_shared_evenly() -> None:
    sources, ages = cameras(True, gpu(0.4))
    assert len(ages) < 0.9 * 64 * 126
    taken = [len(source.taken) for source in sources]
    assert max(taken) - min(taken) <= 2
    assert percentile(ages, 0.99) <= 2 * 64 / 1389 + 0.01  # two rounds


def test_a_source_that_pauses_delays_nobody() -> None:
    """Cameras pause for half a second and then give at once what they held back."""

    def with_pauses(phase_s: float) -> Iterator[float]:
        yield phase_s
        for _ in range(5):
            yield from repeat(0.04, 12)
            yield 0.5
            yield from repeat(0.0, 12)

    def world_of(pausing: int) -> tuple[float, World]:
        chance = random.Random(7)
        phases = [chance.random() * 0.04 for _ in range(64)]
        sources = [
            Source(True, with_pauses(phase) if number < pausing else steady(0.04, 5, phase))
            for number, phase in enumerate(phases)
        ]
        world = World(sources, gpu(), lambda: 0.0003)
        world.run()
        others = [age for source in sources[32:] for age in source.ages]
        assert len(others) > 32 * 120
        return percentile(others, 0.99), world

    calm_s, _ = world_of(0)
    troubled_s, world = world_of(32)
    assert troubled_s <= max(1.1 * calm_s, 0.02)
    assert all(source.dropped for source in world.sources[:32])


def test_a_greedy_source_starves_nobody() -> None:
    greedy = Source(latest=False, gaps=repeat(0.0, 5000), live=False)
    newest = Source(latest=True, gaps=repeat(0.001, 5000))
    camera = Source(latest=False, gaps=steady(0.2, 5))
    world = World([greedy, newest, camera], Network(2, 1, 1, lambda _: 0.01), lambda: 0.0)
    world.run(5.0)
    assert max(camera.ages) <= 0.05 + 1e-9  # two in the network, one turn of each other source, its own
    assert len(camera.taken) == 25
    assert len(greedy.taken) > 150
    assert len(newest.taken) > 100


def test_frames_that_are_too_old_are_dropped_without_losing_the_turn() -> None:
    rare = Source(latest=True, gaps=steady(0.35, 30))
    crowd = [Source(latest=True, gaps=steady(0.05, 30)) for _ in range(9)]
    world = World([rare, *crowd], Network(1, 1, 1, lambda _: 0.1), lambda: 0.0, max_age_s=0.2)
    world.run()
    assert rare.dropped > 5
    assert len(rare.taken) > 20
    assert max(rare.ages) <= 0.3 + 1e-9


def test_patience_doubles_and_ends() -> None:
    patience, now, delays = Patience(20.0), 100.0, []
    while (delay := patience.delay_s(now)) is not None:
        delays.append(delay)
        now += delay
    assert delays == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 2.25]
    assert now == 120.0
    patience.reset()
    assert patience.delay_s(now) == 0.25
    assert Patience(0.0).delay_s(now) is None


def test_ages_are_of_the_last_thousand() -> None:
    counts = Counts()
    assert counts.seen("a", "all", 0).age_p50_s is None
    counts.ages.extend(range(5000, 0, -1))
    stats = counts.seen("a", "all", 0)
    assert (stats.age_p50_s, stats.age_p99_s) == (500, 990)
