"""A budget in a Dask scheduler, which lives in real time: clusters in this process."""

from __future__ import annotations

import asyncio
import pickle
import sys
import time
from typing import Any

import pytest
from distributed import Client, LocalCluster

from gh_artifacts_async import ArtifactsClient, BudgetUnavailableError, ConfigurationError, Lease, Limits, RetryPolicy
from gh_artifacts_async.budgets import DaskBudget, dask_scheduler
from gh_artifacts_async.budgets.dask_scheduler import HANDLER, BudgetPlugin
from gh_artifacts_async.testing import FakeGitHub, FakeRun
from tests.kits.api import REPO, TOKEN
from tests.kits.dask import dask_cluster, scheduler_of, workers_of

realtime = pytest.mark.realtime


@pytest.fixture
async def cluster():
    """A client of a cluster with two workers."""
    async with dask_cluster() as client:
        yield client


async def leased(budget: DaskBudget, points: int) -> Lease:
    """Lease points; a task of a worker."""
    return await budget.lease(points)


async def pause_of(budget: DaskBudget) -> float:
    """Return the pause; a task of a worker."""
    return await budget.paused()


@realtime
async def test_workers_share_points(cluster: Client):
    """What one spends the other cannot, nor this process; who gets none is told when to ask again."""
    budget = DaskBudget(cluster, points_per_minute=10)
    first, second = list(await cluster.nthreads())
    assert await cluster.submit(leased, budget, 4, workers=[first], pure=False) == Lease(points=4)
    assert await cluster.submit(leased, budget, 4, workers=[second], pure=False) == Lease(points=4)
    refused = await cluster.submit(leased, budget, 4, workers=[first], pure=False)
    assert refused.points == 0
    assert 55 < refused.wait <= 62
    assert await budget.lease(2) == Lease(points=2)
    assert (await budget.lease(1)).points == 0
    assert await DaskBudget(cluster, key="other", points_per_minute=10).lease(4) == Lease(points=4)


@realtime
async def test_points_come_back(cluster: Client, monkeypatch: pytest.MonkeyPatch):
    """When the window has passed, and not before."""
    monkeypatch.setattr(dask_scheduler, "WINDOW", 0.3)
    budget = DaskBudget(cluster, points_per_minute=5, mutation_interval=None)
    began = time.monotonic()
    await budget.lease(5)
    granted = 0
    while not granted:
        lease = await budget.lease(1)
        granted = lease.points
        await asyncio.sleep(lease.wait)
    assert 0.28 < time.monotonic() - began < 3


@realtime
async def test_workers_share_pauses(cluster: Client):
    """Within half a second the others know; nothing is leased meanwhile, and max_pause is for the gate to judge."""
    budget = DaskBudget(cluster)
    here = budget.bound_to(workers_of(cluster)[0])
    assert await here.paused() == 0
    await cluster.submit(DaskBudget.pause, budget, 30, "secondary", pure=False)
    published = time.monotonic()
    while not await here.paused():
        await asyncio.sleep(0.01)
    assert time.monotonic() - published < 0.3
    assert await here.paused() == pytest.approx(30, abs=1)
    assert await cluster.submit(pause_of, budget, pure=False) == pytest.approx(30, abs=1)
    assert await here.lease(1) == Lease(points=0, wait=0.02)  # it asks again, and is told of the pause
    await budget.pause(1, "primary")
    assert await budget.paused() == pytest.approx(30, abs=1)


@realtime
async def test_a_lease_tells_of_a_pause(cluster: Client):
    """Who is refused points need not wait until the copy is old."""
    first, second = DaskBudget(cluster), DaskBudget(cluster)
    assert await first.paused() == 0
    await second.pause(30, "secondary")
    assert (await first.lease(4)).points == 0
    assert await first.paused() > 29


@realtime
async def test_the_scheduler_is_asked_for_pauses_only_now_and_then(cluster: Client):
    """A copy of 0.2 seconds answers in between."""
    budget = DaskBudget(cluster)
    began = time.monotonic()
    asked = 0
    await budget.paused()
    answer = scheduler_of(cluster).handlers[HANDLER]

    def counted(**question: object) -> object:
        nonlocal asked
        asked += 1
        return answer(**question)

    scheduler_of(cluster).handlers[HANDLER] = counted
    for _ in range(100):
        await budget.paused()
        await asyncio.sleep(0.003)
    assert 1 <= asked <= (time.monotonic() - began) / 0.2 + 1


@realtime
async def test_the_death_of_a_worker_loses_nothing(cluster: Client):
    """What it has spent is still counted."""
    budget = DaskBudget(cluster, points_per_minute=5)
    first, second = list(await cluster.nthreads())
    assert (await cluster.submit(leased, budget, 5, workers=[first], pure=False)).points == 5
    await cluster.retire_workers([first])
    assert (await cluster.submit(leased, budget, 5, workers=[second], pure=False)).points == 0


@realtime
def test_on_any_event_loop():
    """Of a client that is not asynchronous, and in a task that runs a loop of its own in its thread."""

    def task(budget: DaskBudget) -> Lease:
        return asyncio.run(leased(budget, 4))

    with (
        LocalCluster(n_workers=1, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        budget = DaskBudget(client, points_per_minute=10)
        assert asyncio.run(budget.lease(4)) == Lease(points=4)
        assert asyncio.run(budget.lease(4)) == Lease(points=4)
        assert client.submit(task, budget).result().points == 0
        assert client.submit(task, DaskBudget(client, key="other")).result() == Lease(points=4)
    with pytest.raises(BudgetUnavailableError, match="ConnectionError"):
        asyncio.run(budget.lease(1))


@realtime
async def test_other_numbers_for_the_same_key(cluster: Client):
    """They are an error that names both."""
    await DaskBudget(cluster, points_per_minute=10).lease(1)
    other = DaskBudget(cluster, points_per_minute=20, mutation_interval=None)
    for ask in (other.lease(1), other.paused(), other.pause(1, "primary")):
        with pytest.raises(ConfigurationError, match=r"points_per_minute=10 and mutation_interval=1\.0; use the same"):
            await ask


@realtime
async def test_it_is_pickled_without_its_client(cluster: Client):
    """The key and the numbers arrive; outside a task there is no worker to ask through."""
    budget = DaskBudget(cluster, key="bot", points_per_minute=10)
    sent = pickle.dumps(budget)
    assert len(sent) < 200
    assert scheduler_of(cluster).address.encode() not in sent
    arrived = pickle.loads(sent)  # noqa: S301  ours
    assert repr(arrived) == repr(budget) == "DaskBudget(key='bot')"
    with pytest.raises(BudgetUnavailableError, match=r"in a task of a Dask worker only; use bound_to\(\)"):
        await arrived.lease(1)
    assert await arrived.bound_to(cluster).lease(1) == Lease(points=1)


@realtime
async def test_a_scheduler_that_has_forgotten(cluster: Client):
    """It was started again, say: an error that says what to do, and no request."""
    budget = DaskBudget(cluster)
    assert await budget.lease(1) == Lease(points=1)
    del scheduler_of(cluster).handlers[HANDLER]
    for ask in (budget.lease(1), budget.pause(1, "primary")):
        with pytest.raises(BudgetUnavailableError, match=r"it was restarted.*create the DaskBudget again") as caught:
            await ask
        assert caught.value.host == scheduler_of(cluster).address
        assert caught.value.__context__ is None


@realtime
async def test_a_scheduler_that_does_not_answer(cluster: Client, monkeypatch: pytest.MonkeyPatch):
    """The wait for it is bounded."""
    monkeypatch.setattr("gh_artifacts_async.budgets.dask._TIMEOUT", 0.1)
    budget = DaskBudget(cluster)
    await budget.lease(1)

    async def silent(**_: object) -> None:
        await asyncio.sleep(0.5)

    scheduler_of(cluster).handlers[HANDLER] = silent
    with pytest.raises(BudgetUnavailableError, match="TimeoutError"):
        await budget.lease(1)


@realtime
async def test_a_scheduler_that_is_gone(github: FakeGitHub, run: FakeRun):
    """One clear error, and nothing is sent without points."""
    async with dask_cluster() as cluster:
        budget = DaskBudget(cluster)
        client = ArtifactsClient(
            TOKEN, base_url=github.base_url, limits=Limits(budget=budget), retry=RetryPolicy(attempts=1)
        )
        await client.get_workflow_run(REPO, run.id)
    sent = len(github.requests)
    await asyncio.sleep(0.25)
    with pytest.raises(BudgetUnavailableError, match="nothing is sent without it"):
        await client.get_workflow_run(REPO, run.id)
    assert len(github.requests) == sent == 1
    await client.aclose()


@realtime
async def test_a_client_with_a_budget(cluster: Client, github: FakeGitHub, run: FakeRun):
    """GETs are leased together, each call is made, and neither key nor value has anything of the token."""
    budget = DaskBudget(cluster, points_per_minute=40, mutation_interval=None)
    questions: list[dict[str, Any]] = []
    async with ArtifactsClient(TOKEN, base_url=github.base_url, limits=Limits(budget=budget)) as client:
        await budget.paused()
        answer = scheduler_of(cluster).handlers[HANDLER]

        def noted(**question: object) -> object:
            questions.append(question)
            return answer(**question)

        scheduler_of(cluster).handlers[HANDLER] = noted
        async with asyncio.TaskGroup() as group:
            for _ in range(24):
                group.create_task(client.get_workflow_run(REPO, run.id))
    assert len(github.requests) == 24
    leases = [question["points"] for question in questions if question["action"] == "lease"]
    assert len(leases) < 20
    assert max(leases) == 4
    shared = scheduler_of(cluster).plugins[BudgetPlugin.name].shared
    assert TOKEN not in f"{questions} {shared}"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"key": ""}, "key must be"),
        ({"key": None}, "key must be"),
        ({"points_per_minute": 4}, "points_per_minute"),
        ({"points_per_minute": 8.5}, "points_per_minute"),
        ({"mutation_interval": -1}, "mutation_interval"),
        ({"mutation_interval": "1"}, "mutation_interval"),
        ({"client": "tcp://127.0.0.1:8786"}, "client must be a distributed.Client, not str"),
    ],
)
def test_invalid_arguments(arguments: dict[str, object], match: str):
    """Each is one clear error before anything is sent."""
    given = {"client": Client.__new__(Client), **arguments}
    with pytest.raises(ConfigurationError, match=match):
        DaskBudget(**given)
    assert repr(DaskBudget.__new__(DaskBudget)) == "DaskBudget()"


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match=r'pip install "gh-artifacts-async\[fleet\]"'):
        DaskBudget(object())
