"""What runs on a worker, on clusters in this process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client

from gh_artifacts_async import (
    ArtifactQuery,
    ArtifactsError,
    ClientOptions,
    ConfigurationError,
    Limits,
    PlanRefusedError,
    RepositoryName,
)
from gh_artifacts_async.budgets import DaskBudget
from gh_artifacts_async.fleet import mirror_repositories, orders, worker
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import TOKEN
from tests.kits.dask import workers_of
from tests.kits.fleet import contents, organization

REPO = RepositoryName("octo-org", "repo-0")
BUDGET = SimpleNamespace(lease=print, pause=print, paused=print)


def plugin(folder: Path, address: str = "inproc://here/1/1", **arguments: Any) -> worker.FleetPlugin:
    """Return a plugin as a worker has it."""
    given = {"query": None, "layout": "id", "concurrency": 2, "limits": Limits(), "budget": None, **arguments}
    made = worker.FleetPlugin("fleet", orders.Order(destination=str(folder), **given))
    made.setup(SimpleNamespace(address=address, scheduler=SimpleNamespace(address="inproc://here/1/0")))
    return made


async def test_one_client_for_all(github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """It is made by the first repository, and closed with the plugin."""
    organization(github, 2, 1)
    made = plugin(tmp_path, options=dict(options))
    assert made._client is None
    first = await made.mirror(REPO)
    client = made._client
    second = await made.mirror(RepositoryName("octo-org", "repo-1"))
    assert (first.fetched, second.fetched) == (1, 1)
    assert first.worker == "inproc://here/1/1"
    assert made._client is client
    await made.teardown(None)
    assert client._github.closed


async def test_the_end_of_the_plugin_ends_the_work(github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """Dask does not end coroutines that it no longer wants; who waits for one gets a report."""
    organization(github, 1, 2)
    github.faults.slow_headers(None, where="storage", seconds=3000, times=None)
    made = plugin(tmp_path, options=dict(options))
    waiting = asyncio.create_task(made.mirror(REPO))
    while not github.requests_to("storage"):
        await asyncio.sleep(0.001)
    await made.teardown(None)
    report = await waiting
    assert isinstance(report.error, ArtifactsError)
    assert "was ended" in str(report.error)


async def test_a_worker_that_closes(github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """It cancels the task itself, and the work ends with it."""
    organization(github, 1, 2)
    github.faults.slow_headers(None, where="storage", seconds=3000, times=None)
    made = plugin(tmp_path, options=dict(options))
    task = asyncio.create_task(made.mirror(REPO))
    while not github.requests_to("storage"):
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not made._tasks
    await made.teardown(None)


@pytest.mark.parametrize("address", ["tcp://10.0.0.5:1", "tcp://scheduler:1"])
async def test_a_worker_that_joined_over_a_network(github: FakeGitHub, tmp_path: Path, address: str):
    """It came after the check of all others, and does nothing."""
    made = plugin(tmp_path, address, options={"base_url": github.base_url})
    report = await made.mirror(REPO)
    assert isinstance(report.error, ConfigurationError)
    assert github.requests == []
    await made.teardown(None)


@pytest.mark.realtime
async def test_a_task_that_comes_after_the_end(cluster: Client, caplog: pytest.LogCaptureFixture):
    """The plugin was taken away before it began: that is its report, and no error in the log of the worker."""
    report = await cluster.submit(worker.mirror_repository, "a fleet", REPO, key="late", pure=False)
    assert isinstance(report.error, ArtifactsError)
    assert str(report.error) == "the fleet's work was ended"
    assert caplog.text == ""


async def test_a_folder_in_which_another_worker_is(github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """The scheduler may have given that worker up a moment before it ends; after a while it is an error."""
    organization(github, 1, 2)
    release = github.faults.slow_headers(None, where="storage", seconds=5, times=2)
    one, other = (plugin(tmp_path, options=dict(options)) for _ in range(2))
    first = asyncio.create_task(one.mirror(REPO))
    while not github.requests_to("storage"):
        await asyncio.sleep(0.001)
    second = await other.mirror(REPO)
    assert (second.error, second.kept) == (None, 2)
    assert (await first).fetched == 2
    assert release.left == 0
    run = github.add_run(str(REPO))
    github.add_artifact(run, "more")
    github.faults.slow_headers(None, where="storage", seconds=20, times=1)
    first = asyncio.create_task(one.mirror(REPO))
    while len(github.requests_to("storage")) < 3:
        await asyncio.sleep(0.001)
    assert isinstance((await other.mirror(REPO)).error, PlanRefusedError)
    assert (await first).fetched == 1
    await one.teardown(None)
    await other.teardown(None)


@pytest.mark.realtime
async def test_into_an_object_store(cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """Keys begin with OWNER/NAME; what has expired is left out, what fails is named, and nothing is stored twice."""
    stores = pytest.importorskip("obstore.store")
    made = organization(github, 2, 3)
    github.expire_artifact(made.ids[0])
    github.faults.status(made.ids[1], 410, times=1, where="api")
    store = stores.LocalStore(tmp_path / "bucket", mkdir=True)
    report = await mirror_repositories(cluster, made.names, store, options=options)
    assert (report.fetched, report.kept, report.failed, report.unfinished) == (4, 0, 1, ())
    again = await mirror_repositories(cluster, made.names, store, options=options)
    assert (again.fetched, again.kept, again.failed) == (1, 4, 0)
    assert again.bytes_fetched == len(github.content(made.ids[1]))
    wanted = {path: data for path, data in made.files.items() if str(made.ids[0]) not in path}
    found = contents(tmp_path / "bucket")
    assert {path: data for path, data in found.items() if not path.endswith(".gh-artifacts.json")} == wanted
    query = ArtifactQuery(names="part-2", conclusion=None, latest=False)
    other = stores.LocalStore(tmp_path / "other", mkdir=True)
    selected = await mirror_repositories(cluster, made.names, other, query=query, layout="name", options=options)
    assert selected.fetched == 2
    assert (tmp_path / "other" / "octo-org" / "repo-1" / "part-2.zip").exists()


@pytest.mark.realtime
async def test_the_budget_asks_through_its_worker(cluster: Client, github: FakeGitHub, tmp_path: Path):
    """A DaskBudget is bound to it; any other is used as it has arrived."""
    given = workers_of(cluster)[0]
    budget = DaskBudget(cluster)
    for order_budget in (budget, BUDGET):
        made = plugin(tmp_path, options={"base_url": github.base_url}, budget=order_budget)
        made.setup(given)
        client = made._made()
        used = client._github.limits.budget
        assert used is BUDGET if order_budget is BUDGET else used._node is given
        assert TOKEN not in repr(vars(made))
        await client.aclose()
