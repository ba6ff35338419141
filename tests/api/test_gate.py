"""The one gate of a client, on the jumping clock."""

from __future__ import annotations

import asyncio
import bisect

import pytest

from gh_artifacts_async.api.gate import Gate
from gh_artifacts_async.events import Emitter, RateLimitPause
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.throttling import Throttle
from gh_artifacts_async.settings import Limits

REPO = RepositoryName("o", "r")
GET = requests.get_artifact(REPO, 1)
DELETE = requests.delete_artifact(REPO, 1)
UNSTATED = Throttle(kind="secondary", wait=60, stated=False)


def stated(wait, kind="secondary"):
    """Return a limit with a stated time."""
    return Throttle(kind=kind, wait=wait, stated=True)


class Clock:
    """Notes the times, since its making, at which requests are let through."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.times: list[float] = []
        self.inside = self.most = 0

    @property
    def now(self) -> float:
        return self.loop.time() - self.began

    async def go(self, request=GET, stay=0.0):
        async with self.gate.slot(request):
            self.times.append(self.now)
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(stay)
            self.inside -= 1


def clock(events=None, **limits):
    """Return a gate's clock; without limits but those given."""
    off = {"points_per_minute": None, "mutation_interval": None}
    return Clock(Gate(Limits(**(off | limits)), Emitter(None if events is None else events.append)))


async def test_so_many_at_once():
    """No more than ``api_concurrency`` are in flight, and as many as that are."""
    timed = clock(api_concurrency=3)
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(timed.go(stay=1))
    assert timed.most == 3
    assert len(timed.times) == 20
    assert timed.now == pytest.approx(7, abs=0.5)


async def test_so_many_points_a_minute():
    """840 points a minute on average, and in no minute more than GitHub's 900."""
    timed = clock(points_per_minute=840, api_concurrency=50)
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(_many(timed, 60))
    times = timed.times
    assert len(times) == 3000
    assert timed.now == pytest.approx((3000 - 50) / 14, abs=2)
    assert max(bisect.bisect(times, start + 60) - index for index, start in enumerate(times)) <= 895


async def _many(timed, count):
    for _ in range(count):
        await timed.go()


async def test_a_delete_costs_five_points():
    """GitHub counts writing five times."""
    timed = clock(points_per_minute=60, api_concurrency=1)
    for _ in range(11):
        await timed.go(DELETE)
    assert timed.now == pytest.approx(5, abs=0.5)  # 55 points, of which 50 may be spent at once


async def test_a_small_budget():
    """Fewer points a minute than a burst has."""
    timed = clock(points_per_minute=0.5)
    for _ in range(3):
        await timed.go()
    assert timed.now == pytest.approx(240, abs=1)


async def test_a_delete_is_not_starved():
    """While GETs take every point, a DELETE gets its five in turn."""
    timed = clock(points_per_minute=840, api_concurrency=50)
    getters = [asyncio.ensure_future(_many(timed, 10_000)) for _ in range(30)]
    await asyncio.sleep(20)
    asked = timed.now
    await timed.go(DELETE)
    waited = timed.now - asked
    for getter in getters:
        getter.cancel()
    await asyncio.gather(*getters, return_exceptions=True)
    assert waited < 15


async def test_mutations_are_a_second_apart():
    """GETs go on meanwhile."""
    timed = clock(mutation_interval=1.0)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(timed.go(DELETE))
        group.create_task(timed.go(GET))
    gaps = [later - earlier for earlier, later in zip(timed.times[1:], timed.times[2:], strict=False)]
    assert timed.times[1] < 0.5
    assert all(gap >= 0.99 for gap in gaps)
    assert timed.now == pytest.approx(3, abs=0.5)


async def test_mutations_are_a_second_apart_after_a_pause_too():
    """A limit that was just met is not met again by all that had to wait for it."""
    timed = clock(mutation_interval=1.0)
    timed.gate.pause_for(stated(60))
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(timed.go(DELETE))
    assert timed.times[0] >= 60
    assert all(later - earlier >= 0.99 for earlier, later in zip(timed.times, timed.times[1:], strict=False))


async def test_all_wait_for_one_pause():
    """Also those that hold a slot or wait for points when it begins, and it may be prolonged meanwhile."""
    timed = clock(points_per_minute=60, api_concurrency=5)
    tasks = [asyncio.ensure_future(timed.go()) for _ in range(70)]
    await asyncio.sleep(2)
    before = len(timed.times)
    assert timed.gate.pause_for(stated(30))
    await asyncio.sleep(20)
    assert timed.gate.pause_for(stated(30))
    await asyncio.gather(*tasks)
    assert before >= 50
    assert timed.times[before] >= 52
    assert len(timed.times) == 70


async def test_a_shorter_pause_does_not_shorten_a_longer_one():
    """The latest end counts."""
    timed = clock()
    timed.gate.pause_for(stated(50))
    timed.gate.pause_for(stated(5))
    await timed.go()
    assert timed.now == pytest.approx(50, abs=0.5)


@pytest.mark.parametrize(
    ("wait", "longest", "paused"), [(901, 900, False), (900, 900, True), (1e9, None, True), (60, 59, False)]
)
async def test_a_pause_that_is_too_long(wait, longest, paused):
    """Beyond ``max_pause`` nobody waits: the caller gets an error instead."""
    events: list[RateLimitPause] = []
    timed = clock(events, max_pause=longest)
    assert timed.gate.pause_for(stated(wait)) is paused
    assert bool(events) is paused
    if not paused:
        await timed.go()
        assert timed.now < 1


async def test_an_unstated_pause_grows():
    """A minute, then two, then four, up to ``max_pause``; a good answer begins anew."""
    events: list[RateLimitPause] = []
    timed = clock(events)
    for _ in range(5):
        assert timed.gate.pause_for(UNSTATED)
        await timed.go()
    assert [event.seconds for event in events] == [60, 120, 240, 480, 900]
    timed.gate.reset_backoff()
    timed.gate.pause_for(UNSTATED)
    assert events[-1].seconds == 60


async def test_answers_that_were_under_way_together_are_one_pause():
    """Eight calls that are refused at once do not make the pause 2**8 minutes, and tell of it once."""
    events: list[RateLimitPause] = []
    timed = clock(events)
    for _ in range(8):
        assert timed.gate.pause_for(UNSTATED)
        await asyncio.sleep(0.01)
    await timed.go()
    assert timed.now < 61
    assert events == [RateLimitPause(seconds=60, kind="secondary")]
    for _ in range(8):
        timed.gate.pause_for(UNSTATED)
    assert [event.seconds for event in events] == [60, 120]


async def test_a_longer_pause_is_told():
    """Of two limits the longer one."""
    events: list[RateLimitPause] = []
    timed = clock(events)
    timed.gate.pause_for(stated(10))
    timed.gate.pause_for(stated(100, "primary"))
    timed.gate.pause_for(stated(20))
    assert [(event.kind, event.seconds) for event in events] == [("secondary", 10), ("primary", 101)]


async def test_a_primary_pause_ends_after_the_reset():
    """GitHub's reset is a whole second, rounded down."""
    timed = clock()
    timed.gate.pause_for(stated(10, "primary"))
    await timed.go()
    assert timed.now == pytest.approx(11, abs=0.5)


@pytest.mark.parametrize("request_", [GET, DELETE], ids=["GET", "DELETE"])
async def test_who_gives_up_waiting_leaves_no_trace(request_):
    """A cancelled call, wherever it waited, gives its place back."""
    timed = clock(api_concurrency=1, mutation_interval=1.0, points_per_minute=60)
    timed.gate.pause_for(stated(10))
    tasks = [asyncio.ensure_future(timed.go(request_)) for _ in range(3)]
    await asyncio.sleep(5)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    async with asyncio.timeout(10):
        await timed.go(request_)
    assert timed.times == [pytest.approx(10, abs=0.5)]
