"""A gate whose points come from a budget that others share, on the jumping clock."""

from __future__ import annotations

import asyncio

import pytest

from gh_artifacts_async import ArtifactsClient, BudgetUnavailableError, Lease, Limits, RateLimitError, api
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.api.test_gate import DELETE, clock, stated
from tests.kits.api import REPO, TOKEN


class Shared:
    """A budget that grants what the test has it grant, and notes what it is asked."""

    def __init__(self, *leases: Lease) -> None:
        self.leases = list(leases)
        self.asked: list[int] = []
        self.pauses: list[tuple[float, str]] = []
        self.until = 0.0
        self.failing = False

    async def lease(self, points: int) -> Lease:
        if self.failing:
            raise BudgetUnavailableError("the budget is gone", host="here")
        self.asked.append(points)
        await asyncio.sleep(0)  # as over a network: others arrive meanwhile
        return self.leases.pop(0) if self.leases else Lease(points=points)

    async def pause(self, seconds: float, kind: str) -> None:
        self.pauses.append((seconds, kind))

    async def paused(self) -> float:
        return max(0.0, self.until - asyncio.get_running_loop().time())


async def test_calls_that_wait_are_leased_together():
    """Four GETs at a time, whatever is granted beyond is spent by the next; a mutation is leased alone."""
    budget = Shared()
    timed = clock(budget=budget)
    async with asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(timed.go(stay=0.1))
    assert budget.asked == [1, 4, 4, 3]  # the first one did not know of the others yet
    await timed.go(DELETE)
    await timed.go(DELETE)
    assert budget.asked[4:] == [5, 5]


async def test_what_is_not_spent_is_lost():
    """Points are counted from when they are leased: after a second they may not be spent any more."""
    budget = Shared(Lease(points=4))
    timed = clock(budget=budget)
    await timed.go()
    await asyncio.sleep(1.1)
    await timed.go()
    assert budget.asked == [1, 1]


async def test_points_that_may_be_spent_later():
    """``Lease.wait`` is waited for, and then nothing is asked again."""
    budget = Shared(Lease(points=1, wait=7))
    timed = clock(budget=budget)
    await timed.go()
    assert timed.now == pytest.approx(7, abs=0.5)
    assert budget.asked == [1]


async def test_no_points_at_the_moment():
    """It is asked again when it says so, and a little later where it says nothing."""
    budget = Shared(Lease(points=0, wait=5), Lease(points=0), Lease(points=0, wait=0.01), Lease(points=1))
    timed = clock(budget=budget)
    await timed.go()
    assert timed.now == pytest.approx(5.1, abs=0.5)
    assert budget.asked == [1, 1, 1, 1]


async def test_fewer_points_than_were_asked_for():
    """If there are not four, one will do; what is granted is kept until it is enough."""
    budget = Shared(Lease(points=1), Lease(points=0, wait=30), Lease(points=1))
    timed = clock(budget=budget)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(timed.go())
    assert budget.asked == [1, 3, 1, 2]
    budget.leases = [Lease(points=3), Lease(points=2)]
    await timed.go(DELETE)
    assert budget.asked[4:] == [5, 5]


async def test_a_pause_is_published():
    """To all who share the budget, once, however many calls met the limit; this process pauses at once."""
    budget = Shared()
    timed = clock(budget=budget)
    pausing = [timed.gate.pause_for(stated(20)) for _ in range(3)]
    assert await asyncio.gather(*pausing) == [20, 20, 20]
    assert budget.pauses == [(20, "secondary")]
    await timed.go()
    assert timed.now == pytest.approx(20, abs=0.5)


async def test_a_pause_of_others():
    """It is waited out, also where it becomes longer meanwhile; what had been leased is asked for again."""
    budget = Shared()
    timed = clock(budget=budget)
    budget.until = timed.began + 10
    going = asyncio.ensure_future(timed.go())
    await asyncio.sleep(5)
    budget.until = timed.began + 40
    await going
    assert timed.now == pytest.approx(40, abs=0.5)


async def test_a_pause_that_begins_while_points_are_leased():
    """The answer of the budget may take its time: the gate looks at its own pause again before it lets go."""
    budget = Shared()
    timed = clock(budget=budget)
    lease = budget.lease

    async def slowly(points: int) -> Lease:
        await asyncio.sleep(1)
        return await lease(points)

    budget.lease = slowly  # type: ignore[method-assign]
    going = asyncio.ensure_future(timed.go())
    await asyncio.sleep(0.5)
    await timed.gate.pause_for(stated(30))
    await going
    assert timed.now >= 30


async def test_a_pause_of_others_that_is_too_long():
    """Like one of our own: an error that says when to come back."""
    budget = Shared()
    timed = clock(budget=budget, max_pause=60)
    budget.until = timed.began + 3000
    with pytest.raises(RateLimitError, match=r"another process.*3000 s") as caught:
        await timed.go()
    assert caught.value.retry_after == pytest.approx(3000, abs=1)
    assert timed.gate._in_flight == timed.gate._queued == 0
    patient = clock(budget=budget, max_pause=None)
    await patient.go()
    assert patient.now == pytest.approx(3000, abs=2)


async def test_a_budget_that_fails(github: FakeGitHub, run: FakeRun):
    """Its error is the call's, at once; nothing is sent, and the next call asks again."""
    budget = Shared()
    budget.failing = True
    async with GitHubSession(TOKEN, base_url=github.base_url, limits=Limits(budget=budget)) as session:
        with pytest.raises(BudgetUnavailableError, match="the budget is gone"):
            await api.get_workflow_run(session, REPO, run.id)
        assert not github.requests
        budget.failing = False
        await api.get_workflow_run(session, REPO, run.id)


async def test_a_delete_that_was_never_sent(github: FakeGitHub, run: FakeRun):
    """A 404 after the budget's failure is a 404: no earlier attempt can have deleted anything."""
    budget = Shared()
    async with ArtifactsClient("token", base_url=github.base_url, limits=Limits(budget=budget)) as client:
        budget.failing = True
        with pytest.raises(BudgetUnavailableError):
            await client.delete_artifact(REPO, github.add_artifact(run, "docs"))
    assert not github.requests
