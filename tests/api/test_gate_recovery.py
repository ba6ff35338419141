"""After a limit was met, and before one is: how the gate becomes wide again, who goes first, how little is spread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import api
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.events import Event, Pacing
from gh_artifacts_async.models import RateLimit
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import Limits, RetryPolicy
from tests.api.test_gate import DELETE, GET, UNSTATED, clock, stated
from tests.kits.api import QUICK, REPO, TOKEN, slot

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub, FakeRun


def _low(remaining: int, limit: int = 5000) -> RateLimit:
    return RateLimit(limit=limit, remaining=remaining, used=None, reset_at=None, resource=None)


# --- after a pause


async def test_calls_come_back_one_by_one():
    """After a pause one call is in flight, then two; with every good response a little more, up to all."""
    timed = clock(api_concurrency=4)
    await timed.gate.pause_for(stated(10))
    widths: list[int] = []

    async def call() -> None:
        async with slot(timed.gate, GET):
            timed.inside += 1
            widths.append(timed.inside)
            await asyncio.sleep(1)
            timed.inside -= 1
        if timed.gate.recovering:
            timed.gate.recover()

    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(call())
    assert widths[0] == 1
    assert max(widths[:3]) == 2
    assert max(widths[:9]) == 3
    assert max(widths) == 4
    assert not timed.gate.recovering


async def test_a_response_from_before_the_pause_says_nothing():
    """Calls that were in flight when the limit was met may still succeed; that neither widens nor resets anything."""
    timed = clock()
    await timed.gate.pause_for(UNSTATED)
    timed.gate.recover()
    assert timed.gate._width == 1
    await timed.go()
    await timed.gate.pause_for(UNSTATED)
    await timed.go()
    assert timed.now == pytest.approx(180, abs=0.5)


async def test_an_unexplained_limit_halves_the_points():
    """840 points a minute become 420; after ten minutes without trouble it is 840 again."""
    timed = clock(points_per_minute=840, api_concurrency=50)
    await timed.gate.pause_for(UNSTATED)
    timed.gate._width = 50.0
    for _ in range(500):
        await timed.go()
    within = [moment for moment in timed.times if moment < 119]
    assert 420 <= len(within) <= 470  # a little has been won back within that minute
    await asyncio.sleep(700 - timed.now)
    for _ in range(840):
        await timed.go()
    assert timed.now < 702


async def test_a_stated_limit_does_not():
    """GitHub said when it is lifted: all points may be spent then."""
    timed = clock(points_per_minute=100)
    await timed.gate.pause_for(stated(1))
    for _ in range(100):
        await timed.go()
    assert timed.now < 2


async def test_who_was_refused_goes_first():
    """A call that has waited in line and was refused does not queue up behind 100 others."""
    timed = clock(api_concurrency=1)
    order: list[str] = []

    async def call(name: str, *, first: bool = False) -> None:
        async with slot(timed.gate, GET, first=first):
            order.append(name)
            await asyncio.sleep(1)

    waiting = [asyncio.ensure_future(call(f"{number}")) for number in range(100)]
    await asyncio.sleep(10.5)
    await call("refused", first=True)
    assert order.index("refused") <= 12
    await asyncio.gather(*waiting)
    assert len(order) == 101


@pytest.mark.once
async def test_no_call_waits_a_minute_where_every_refusal_says_a_second(
    github: FakeGitHub, run: FakeRun, monkeypatch: pytest.MonkeyPatch
):
    """Of 800 calls begun at once every 20th is refused with ``Retry-After: 1``: it ends soon after, not as the last."""
    loop = asyncio.get_running_loop()
    refused: dict[Any, float] = {}
    waits: list[float] = []
    wait_or_raise = GitHubSession._wait_or_raise

    async def noted(*arguments: Any) -> Any:
        refused.setdefault(asyncio.current_task(), loop.time())
        return await wait_or_raise(*arguments)

    monkeypatch.setattr(GitHubSession, "_wait_or_raise", noted)
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=Limits(api_concurrency=4)) as session:

        async def call(number: int) -> None:
            await api.get_workflow_run(session, REPO, run.id)
            if number % 20 == 0:
                github.faults.secondary_limit(None, times=1, retry_after=1, status=429)
            if asyncio.current_task() in refused:
                waits.append(loop.time() - refused[asyncio.current_task()])

        async with asyncio.TaskGroup() as group:
            for number in range(800):
                group.create_task(call(number))
    assert len(waits) > 20
    assert max(waits) < 5


# --- before a limit


async def test_little_is_spread():
    """With 100 of 5,000 left for 500 s, calls are five seconds apart; with enough of it again, they are not."""
    events: list[Event] = []
    timed = clock(events)
    timed.gate.spread(_low(100), 500)
    for _ in range(4):
        await timed.go()
    assert [round(moment) for moment in timed.times] == [0, 5, 10, 15]
    assert events == [Pacing(seconds=pytest.approx(5, abs=0.1), reason="primary")] * 3
    timed.gate.spread(_low(4999), 3600)
    before = timed.now
    for _ in range(50):
        await timed.go()
    assert timed.now - before < 1


@pytest.mark.parametrize(("remaining", "seconds", "apart"), [(0, 30, 30), (0, 3000, 60), (499, 60, 0.12), (500, 60, 0)])
async def test_how_far(remaining: int, seconds: float, apart: float):
    """Below a tenth, the rest lasts until the reset; never further apart than a minute."""
    timed = clock()
    timed.gate.spread(_low(remaining), seconds)
    assert timed.gate.spacing == pytest.approx(apart, abs=0.001)


@pytest.mark.parametrize("slow_below", [0.1, None])
async def test_a_session_spreads_what_is_left(github: FakeGitHub, run: FakeRun, slow_below: float | None):
    """By the server's own clock; the first call is not held back; None switches it off."""
    github.set_rate_limit(limit=5000, remaining=400, reset_in=4000)
    limits = Limits(slow_below=slow_below)
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=limits) as session:
        began = asyncio.get_running_loop().time()
        await api.get_workflow_run(session, REPO, run.id)
        assert asyncio.get_running_loop().time() - began < 1
        for _ in range(3):
            await api.get_workflow_run(session, REPO, run.id)
        took = asyncio.get_running_loop().time() - began
    assert took == pytest.approx(20 if slow_below else 0, abs=1)


async def test_a_new_hour_is_fast_again(github: FakeGitHub, run: FakeRun):
    """As soon as a response says that there is enough, nothing is spread any more."""
    github.set_rate_limit(limit=5000, remaining=100, reset_in=60)
    async with GitHubSession(TOKEN, base_url=github.base_url) as session:
        for _ in range(3):
            await api.get_workflow_run(session, REPO, run.id)
        assert session._gate is not None
        assert session._gate.spacing > 0
        await asyncio.sleep(70)
        await api.get_workflow_run(session, REPO, run.id)
        assert session._gate.spacing == 0


async def test_full_minutes_are_told():
    """Calls that are held back for more than a second, because the minute's points are spent, are an event."""
    events: list[Event] = []
    timed = clock(events, points_per_minute=10)
    for _ in range(11):
        await timed.go()
    assert events == [Pacing(seconds=pytest.approx(60, abs=0.1), reason="points")]


async def test_mutations_are_known_by_their_points():
    """What costs five points is a mutation and keeps its distance; a request for a token does not, all wait for it."""
    timed = clock(mutation_interval=1.0)
    for request in (DELETE, GET._replace(points=5), DELETE._replace(credential=Secret("jwt"))):
        await timed.go(request)
    assert timed.times[1] - timed.times[0] >= 0.99
    assert timed.times[2] - timed.times[1] < 0.5


async def test_a_pause_that_begins_while_a_connection_is_opened(github: FakeGitHub, run: FakeRun):
    """A request that had passed the gate, but had no connection yet, is not sent: it waits like all others."""
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK) as session:
        gate = session._opened_gate()
        calls = [asyncio.ensure_future(api.get_workflow_run(session, REPO, run.id)) for _ in range(4)]
        while not gate._in_flight:
            await asyncio.sleep(0)
        await gate.pause_for(stated(100))
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*calls)
        assert asyncio.get_running_loop().time() - began >= 99
    assert len(github.requests) == 4


async def test_a_limit_met_again_and_again(github: FakeGitHub, run: FakeRun):
    """Rate limits have their own count: faults between them use up none of it."""
    for _ in range(2):
        github.faults.secondary_limit(None, times=2, retry_after=1)
        github.faults.status(None, 502, times=2, where="api")
    policy = RetryPolicy(attempts=5, wait_initial=0.1)
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK, retry=policy) as session:
        assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id
    assert len(github.requests) == 9
