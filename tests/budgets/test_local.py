"""The budget of one process: a window, on the jumping clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactsClient, ConfigurationError, Lease, Limits
from gh_artifacts_async.budgets import LocalBudget
from tests.kits.api import REPO

if TYPE_CHECKING:
    from gh_artifacts_async import Budget
    from gh_artifacts_async.testing import FakeGitHub, FakeRun


async def test_a_local_budget_is_a_window():
    """It grants a minute's points at once, says when the next are free, and pauses all who share it."""
    budget: Budget = LocalBudget(10)
    assert [await budget.lease(5), await budget.lease(5)] == [Lease(points=5), Lease(points=5)]
    refused = await budget.lease(1)
    assert refused.points == 0
    assert 0 < refused.wait <= 1
    await asyncio.sleep(60.5)
    assert await budget.lease(1) == Lease(points=1)
    assert await budget.paused() == 0
    await budget.pause(30, "secondary")
    await budget.pause(3, "primary")
    assert await budget.paused() == pytest.approx(30, abs=0.5)
    assert await LocalBudget(None).lease(10**6) == Lease(points=10**6)


@pytest.mark.parametrize("points", [0, -1])
def test_a_local_budget_of_nothing(points: float):
    """Nobody could ever be let through."""
    with pytest.raises(ConfigurationError, match="points_per_minute"):
        LocalBudget(points)


async def test_clients_share_a_local_budget(github: FakeGitHub, run: FakeRun):
    """Two clients of one loop together stay below it, and a limit that one meets holds the other back."""
    limits = Limits(budget=LocalBudget(30))
    loop = asyncio.get_running_loop()
    async with (
        ArtifactsClient("token", base_url=github.base_url, limits=limits) as first,
        ArtifactsClient("token", base_url=github.base_url, limits=limits) as second,
    ):
        began = loop.time()
        for _ in range(15):
            await first.get_workflow_run(REPO, run.id)
            await second.get_workflow_run(REPO, run.id)
        assert loop.time() - began < 5
        await second.get_workflow_run(REPO, run.id)
        assert loop.time() - began == pytest.approx(60, abs=2)
        github.faults.secondary_limit(None, times=1, retry_after=50)
        met = asyncio.ensure_future(first.get_workflow_run(REPO, run.id))
        while not await limits.budget.paused():  # type: ignore[union-attr]
            await asyncio.sleep(0.001)
        began = loop.time()
        await second.get_workflow_run(REPO, run.id)
        assert loop.time() - began >= 49
        await met


async def test_points_that_another_client_has_in_flight(github: FakeGitHub, run: FakeRun):
    """Its call leaves without anybody telling this client, which looks for itself."""
    limits = Limits(budget=LocalBudget(1))
    async with (
        ArtifactsClient("token", base_url=github.base_url, limits=limits) as first,
        ArtifactsClient("token", base_url=github.base_url, limits=limits) as second,
    ):
        github.faults.slow_headers(None, where="api", seconds=5)
        calls = [asyncio.ensure_future(it.get_workflow_run(REPO, run.id)) for it in (first, second)]
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(200):
            await asyncio.gather(*calls)
        assert asyncio.get_running_loop().time() - began < 70
