"""The one gate of a client, on the jumping clock."""

from __future__ import annotations

import asyncio
import bisect
import itertools
import random

import pytest

from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.api.gate import Gate
from gh_artifacts_async.events import RateLimitPause
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.throttling import Throttle
from gh_artifacts_async.settings import Limits
from tests.kits.api import slot
from tests.kits.sampling import mostly_slow

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
        async with slot(self.gate, request):
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


async def _many(timed, count):
    for _ in range(count):
        await timed.go()


async def test_a_quiet_minute_goes_at_full_speed():
    """300 calls take as long as 8 connections need for them, and so do all 840; the next one waits for a minute."""
    timed = clock(points_per_minute=840)
    async with asyncio.TaskGroup() as group:
        for _ in range(300):
            group.create_task(timed.go(stay=0.1))
    assert timed.now == pytest.approx(300 / 8 * 0.1, abs=0.5)
    await _many(timed, 540)
    assert timed.now < 5
    await timed.go()
    assert timed.now == pytest.approx(60.1, abs=0.5)


async def test_a_minutes_points_are_spent_every_minute():
    """The limit is used up: 3,000 calls need three waits of a minute."""
    timed = clock(points_per_minute=840, api_concurrency=50)
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(_many(timed, 60))
    assert len(timed.times) == 3000
    assert timed.now == pytest.approx(180, abs=1)


@pytest.mark.parametrize("seed", mostly_slow(range(6), quick=2))
async def test_no_latency_makes_the_server_see_more(seed):
    """Whenever between sending and response the server counts, it finds 840 points in no 60 s and no fixed minute."""
    rng = random.Random(seed)  # noqa: S311 - a test's own
    timed = clock(points_per_minute=840, api_concurrency=100)
    slowest = rng.choice([0.1, 5, 50, 90])
    counted: list[tuple[float, int]] = []

    async def call() -> None:
        await asyncio.sleep(rng.uniform(0, 100))
        request = DELETE if rng.random() < 0.1 else GET
        async with slot(timed.gate, request):
            sent = timed.now
            await asyncio.sleep(rng.uniform(0, slowest))
            counted.append((rng.uniform(sent, timed.now), request.points))

    async with asyncio.TaskGroup() as group:
        for _ in range(2000):
            group.create_task(call())
    counted.sort()
    moments = [moment for moment, _ in counted]
    before = [0, *itertools.accumulate(points for _, points in counted)]
    for start in [*moments, *(float(minute) for minute in range(0, int(timed.now), 60))]:
        first, end = bisect.bisect_left(moments, start), bisect.bisect_left(moments, start + 60)
        assert before[end] - before[first] <= 840


async def test_a_call_in_flight_counts_all_the_time():
    """Nobody knows when the server counts it; when it has failed after two minutes, it counts for one more."""
    timed = clock(points_per_minute=1)

    async def fail() -> None:
        async with slot(timed.gate, GET):
            await asyncio.sleep(120)
            raise ConnectionError

    failing = asyncio.ensure_future(fail())
    await asyncio.sleep(1)
    await timed.go()
    assert timed.now == pytest.approx(180, abs=0.5)
    with pytest.raises(ConnectionError):
        await failing


async def test_a_delete_costs_five_points():
    """GitHub counts writing five times."""
    timed = clock(points_per_minute=60, api_concurrency=1)
    for _ in range(13):
        await timed.go(DELETE)
    assert timed.times[11] < 0.5
    assert timed.times[12] == pytest.approx(60, abs=0.5)


async def test_a_small_budget():
    """A request of more points than a minute has goes alone, and takes as many minutes."""
    timed = clock(points_per_minute=0.5)
    for _ in range(3):
        await timed.go()
    assert timed.now == pytest.approx(240, abs=1)


async def test_those_who_wait_are_served_in_order():
    """A DELETE of five points among GETs is not passed by those that came later and need only one."""
    timed = clock(points_per_minute=20, api_concurrency=4)
    order: list[int] = []

    async def call(number, request):
        async with slot(timed.gate, request):
            order.append(number)
            await asyncio.sleep(0.1 * (number % 5))

    async with asyncio.TaskGroup() as group:
        for number in range(100):
            group.create_task(call(number, DELETE if number % 9 == 8 else GET))
    assert order == list(range(100))


async def test_a_delete_is_not_starved():
    """While 30 tasks take every point with GETs, a DELETE waits for the next free points and no longer."""
    timed = clock(points_per_minute=840, api_concurrency=50)
    getters = [asyncio.ensure_future(_many(timed, 10_000)) for _ in range(30)]
    await asyncio.sleep(20)
    await timed.go(DELETE)
    assert timed.now == pytest.approx(60, abs=0.5)
    for getter in getters:
        getter.cancel()
    await asyncio.gather(*getters, return_exceptions=True)


async def test_mutations_are_a_second_apart():
    """GETs continue meanwhile."""
    timed = clock(mutation_interval=1.0)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(timed.go(DELETE))
        group.create_task(timed.go(GET))
    gaps = [later - earlier for earlier, later in itertools.pairwise(timed.times[1:])]
    assert timed.times[1] < 0.5
    assert all(gap >= 0.99 for gap in gaps)
    assert timed.now == pytest.approx(3, abs=0.5)


async def test_mutations_are_a_second_apart_after_a_pause_too():
    """A limit that was just met is not met again by all that had to wait for it."""
    timed = clock(mutation_interval=1.0)
    await timed.gate.pause_for(stated(60))
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(timed.go(DELETE))
    assert timed.times[0] >= 60
    assert all(later - earlier >= 0.99 for earlier, later in itertools.pairwise(timed.times))


async def test_all_wait_for_one_pause():
    """Also those that hold a slot or wait for points when it begins, and it may be prolonged meanwhile."""
    timed = clock(points_per_minute=50, api_concurrency=5)
    tasks = [asyncio.ensure_future(timed.go()) for _ in range(70)]
    await asyncio.sleep(50)
    assert len(timed.times) == 50
    assert await timed.gate.pause_for(stated(30))
    await asyncio.sleep(20)
    assert await timed.gate.pause_for(stated(30))
    await asyncio.gather(*tasks)
    assert timed.times[50] == pytest.approx(100, abs=0.5)
    assert len(timed.times) == 70


async def test_a_shorter_pause_does_not_shorten_a_longer_one():
    """The latest end counts."""
    timed = clock()
    await timed.gate.pause_for(stated(50))
    await timed.gate.pause_for(stated(5))
    await timed.go()
    assert timed.now == pytest.approx(50, abs=0.5)


@pytest.mark.parametrize(
    ("wait", "longest", "paused"), [(901, 900, False), (900, 900, True), (1e9, None, True), (60, 59, False)]
)
async def test_a_pause_that_is_too_long(wait, longest, paused):
    """Beyond ``max_pause`` nobody waits: the caller gets an error instead."""
    events: list[RateLimitPause] = []
    timed = clock(events, max_pause=longest)
    assert (await timed.gate.pause_for(stated(wait)) is not None) is paused
    assert bool(events) is paused
    if not paused:
        await timed.go()
        assert timed.now < 1


async def test_no_pause_at_all_is_a_second():
    """A server that refuses, and says that no wait is needed, is not asked again at once."""
    timed = clock()
    assert await timed.gate.pause_for(stated(0)) == 1
    await timed.go()
    assert timed.now == pytest.approx(1, abs=0.3)


async def test_an_unstated_pause_grows():
    """A minute, then two, then four, up to ``max_pause``; a good response starts it again."""
    events: list[RateLimitPause] = []
    timed = clock(events)
    for _ in range(5):
        assert await timed.gate.pause_for(UNSTATED)
        await timed.go()
    assert [event.seconds for event in events] == [60, 120, 240, 480, 900]
    timed.gate.recover()
    await timed.gate.pause_for(UNSTATED)
    assert events[-1].seconds == 60


async def test_answers_that_were_under_way_together_are_one_pause():
    """Eight calls that are refused at once do not make the pause 2**8 minutes, and tell of it once."""
    events: list[RateLimitPause] = []
    timed = clock(events)
    for _ in range(8):
        assert await timed.gate.pause_for(UNSTATED)
        await asyncio.sleep(0.01)
    await timed.go()
    assert timed.now < 61
    assert events == [RateLimitPause(seconds=60, kind="secondary")]
    for _ in range(8):
        await timed.gate.pause_for(UNSTATED)
    assert [event.seconds for event in events] == [60, 120]


async def test_a_longer_pause_is_told():
    """Of two limits the longer one."""
    events: list[RateLimitPause] = []
    timed = clock(events)
    await timed.gate.pause_for(stated(10))
    await timed.gate.pause_for(stated(100, "primary"))
    await timed.gate.pause_for(stated(20))
    assert [(event.kind, event.seconds) for event in events] == [("secondary", 10), ("primary", 101)]


async def test_a_primary_pause_ends_after_the_reset():
    """GitHub's reset is a whole second, rounded down."""
    timed = clock()
    await timed.gate.pause_for(stated(10, "primary"))
    await timed.go()
    assert timed.now == pytest.approx(11, abs=0.5)


HOLDS = {
    "a pause": {},
    "points": {"points_per_minute": 5},
    "concurrency": {"api_concurrency": 1},
    "the interval between mutations": {"mutation_interval": 10.0},
}


@pytest.mark.parametrize("request_", [GET, DELETE], ids=["GET", "DELETE"])
@pytest.mark.parametrize("hold", HOLDS)
async def test_a_cancelled_call_leaves_no_trace(hold, request_):
    """Wherever it waited, first in the queue or behind, it has taken neither slot nor points, and wakes the next."""
    timed = clock(**HOLDS[hold])
    if hold == "a pause":
        await timed.gate.pause_for(stated(10))
    first = asyncio.ensure_future(timed.go(DELETE, stay=10))
    await asyncio.sleep(0)
    waiting = [asyncio.ensure_future(timed.go(request_)) for _ in range(5)]
    await asyncio.sleep(5)
    for task in waiting[:2] + waiting[3:]:
        task.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await first
    cancelled = sum(isinstance(result, asyncio.CancelledError) for result in results)
    passes_by = hold == "the interval between mutations" and request_ is GET
    assert cancelled == (0 if passes_by else 4)
    async with asyncio.timeout(80):
        await timed.go(request_)
    assert timed.gate._in_flight == timed.gate._queued == 0
    assert timed.gate._window._used == sum(points for _, points in timed.gate._window._settled)


async def test_a_call_cancelled_in_flight_gives_its_slot_back():
    """Its points stay: the server may have counted it."""
    timed = clock(api_concurrency=1, points_per_minute=2)
    task = asyncio.ensure_future(timed.go(stay=100))
    await asyncio.sleep(1)
    task.cancel()
    await timed.go()
    assert timed.now < 2
    await timed.go()
    assert timed.now == pytest.approx(61, abs=0.5)
