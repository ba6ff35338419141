"""Many repositories mirrored by the workers of a Dask cluster in this process."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from gh_artifacts_async import (
    ArtifactQuery,
    ArtifactsClient,
    AuthenticationError,
    BudgetUnavailableError,
    ClientOptions,
    ConfigurationError,
    Limits,
    MissingTokenError,
    NotFoundError,
    RepositoryName,
)
from gh_artifacts_async.budgets import DaskBudget
from gh_artifacts_async.budgets.dask_scheduler import BudgetPlugin
from gh_artifacts_async.fleet import FleetReport, RepositoryReport, mirror_repositories
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import TOKEN
from tests.kits.dask import dask_cluster, scheduler_of, workers_of
from tests.kits.fleet import TOKEN_VARIABLE, contents, organization

pytestmark = pytest.mark.realtime


async def fleets(client: Client) -> list[str]:
    """Return what fleets have left on a cluster, plugins and tasks, once it has had time to forget them."""
    scheduler = scheduler_of(client)
    left = ["?"]
    for _ in range(100):
        if not left:
            break
        await asyncio.sleep(0.01)
        places = [scheduler.worker_plugins, scheduler.tasks, *(worker.plugins for worker in workers_of(client))]
        left = [str(name) for place in places for name in place if "gh-artifacts-mirror" in str(name)]
    return left


async def test_an_organization_into_a_folder(
    cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path
):
    """All that it has, each repository below OWNER/NAME; a second run fetches nothing; nothing is left behind."""
    made = organization(github, 5, 3)
    seen: list[RepositoryReport] = []
    async with ArtifactsClient(TOKEN, base_url=github.base_url) as client:
        report = await mirror_repositories(
            cluster, client.list_repositories("octo-org"), tmp_path, options=options, on_report=seen.append
        )
    assert contents(tmp_path) == made.files
    assert (report.fetched, report.kept, report.failed, report.unfinished) == (15, 0, 0, ())
    assert report.bytes_fetched == sum(map(len, made.files.values()))
    assert report.repositories == tuple(seen)
    assert {str(one.repository) for one in seen} == set(made.names)
    assert {one.worker for one in seen} <= set(await cluster.nthreads())
    again = await mirror_repositories(cluster, made.names, tmp_path, options=options)
    assert (again.fetched, again.kept, again.bytes_fetched) == (0, 15, 0)
    assert len(github.requests_to("storage")) == 15
    assert await fleets(cluster) == []


async def test_a_query_and_a_layout(cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """They hold for each repository; a function defined here is sent along; a repository named twice is done once."""
    organization(github, 2, 3)
    names = ["octo-org/repo-0", RepositoryName("octo-org", "repo-1"), "Octo-Org/Repo-0"]
    query = ArtifactQuery(names="part-1", conclusion=None, latest=False)
    report = await mirror_repositories(
        cluster, iter(names), tmp_path, query=query, layout=lambda artifact: f"only/{artifact.name}", options=options
    )
    assert report.fetched == 2
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.zip")} == {
        "octo-org/repo-0/only/part-1.zip",
        "octo-org/repo-1/only/part-1.zip",
    }


def test_a_client_that_is_not_asynchronous(tmp_path: Path):
    """The work is the same, and the client is as it was."""
    with (
        FakeGitHub() as fake,
        LocalCluster(n_workers=1, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        made = organization(fake, 2, 2)
        report = asyncio.run(mirror_repositories(client, made.names, tmp_path, options={"base_url": fake.base_url}))
        assert report.fetched == 4
        assert contents(tmp_path) == made.files
        assert client.submit(sum, (1, 2)).result() == 3


async def test_a_client_of_another_loop(cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """It is as good: a client of this loop's own is made."""
    made = organization(github, 2, 2)
    report = await asyncio.to_thread(
        lambda: asyncio.run(mirror_repositories(cluster, made.names, tmp_path, options=options))
    )
    assert report.fetched == 4
    assert await cluster.submit(sum, (1, 2)) == 3


async def test_one_failure_does_not_stop_the_others(
    cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path
):
    """A repository that is not there has its error, and an artifact that cannot be fetched is one of its failures."""
    made = organization(github, 3, 2)
    github.remove_artifact(made.ids[0])
    github.faults.status(made.ids[1], 410, times=None, where="api")
    (tmp_path / "octo-org").mkdir()
    (tmp_path / "octo-org" / "repo-2").write_text("in the way")
    report = await mirror_repositories(cluster, [*made.names, "octo-org/none"], tmp_path, options=options)
    by_name = {str(one.repository): one for one in report.repositories}
    assert isinstance(by_name["octo-org/none"].error, NotFoundError)
    assert by_name["octo-org/none"].worker is not None
    assert by_name["octo-org/repo-0"].error is None
    assert len(by_name["octo-org/repo-0"].failed) == report.failed == 1
    assert by_name["octo-org/repo-1"].ok
    assert isinstance(by_name["octo-org/repo-2"].error, OSError)
    assert {str(one.repository) for one in report.unfinished} == {"octo-org/none", "octo-org/repo-2"}


@pytest.mark.parametrize(
    ("token", "error"), [("another token", AuthenticationError), ("", MissingTokenError)], ids=["rejected", "missing"]
)
async def test_a_token_that_is_of_no_use(
    cluster: Client,
    github: FakeGitHub,
    options: ClientOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    error: type[Exception],
):
    """It is so for all: what is left of a list has the same error, and hardly a request is sent."""
    monkeypatch.setenv(TOKEN_VARIABLE, token.replace(" ", "-"))
    monkeypatch.setattr("gh_artifacts_async.fleet.run._AHEAD", 4)
    github.tokens = [TOKEN]
    names = [f"octo-org/repo-{number}" for number in range(100)]
    report = await mirror_repositories(cluster, names, tmp_path, options=options)
    assert len(report.repositories) == 100
    assert {type(one.error) for one in report.repositories} == {error}
    assert len(github.requests) < 20
    assert await fleets(cluster) == []


async def test_an_iterator_is_not_read_on_after_that(
    cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is closed, however much it would yield."""
    monkeypatch.setattr("gh_artifacts_async.fleet.run._AHEAD", 2)
    github.tokens = []
    read = 0
    closed = False

    async def names():
        nonlocal read, closed
        try:
            while True:
                read += 1
                yield f"octo-org/repo-{read}"
        finally:
            closed = True

    report = await mirror_repositories(cluster, names(), tmp_path, options=options)
    assert closed
    assert read - 1 <= len(report.repositories) < 20


async def test_an_iterator_that_fails(cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """Its error is raised when what it had yielded is done."""
    made = organization(github, 1, 2)
    for names, error in (
        (iter([*made.names, "no-name"]), ConfigurationError),
        (_failing(made.names[0]), NotFoundError),
    ):
        seen: list[RepositoryReport] = []
        with pytest.raises(error):
            await mirror_repositories(cluster, names, tmp_path, options=options, on_report=seen.append)
        assert [one.ok for one in seen] == [True]
    assert contents(tmp_path) == made.files
    assert await fleets(cluster) == []


async def _failing(name: str):
    yield name
    raise NotFoundError("no such owner", status=404)


async def test_cancelled(cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """The tasks on the workers end, their clients are closed, and the scheduler has nothing more to do."""
    organization(github, 6, 2)
    github.faults.slow_headers(None, where="storage", seconds=30, times=None)
    task = asyncio.create_task(
        mirror_repositories(cluster, [f"octo-org/repo-{n}" for n in range(6)], tmp_path, options=options)
    )
    while len(github.requests_to("storage")) < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    began = asyncio.get_running_loop().time()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() - began < 5
    assert await fleets(cluster) == []
    assert all(worker.state.executing_count == 0 for worker in workers_of(cluster))


@pytest.mark.slow
@pytest.mark.sample
async def test_workers_that_join_and_leave(cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path):
    """One that joins meanwhile takes part; what one that leaves had not done is done by others."""
    made = organization(github, 12, 2)
    github.faults.slow_headers(None, where="api", seconds=0.1, times=None)
    first = list(await cluster.nthreads())
    seen: list[RepositoryReport] = []
    task = asyncio.create_task(
        mirror_repositories(cluster, made.names, tmp_path, options=options, on_report=seen.append)
    )
    while not seen:
        await asyncio.sleep(0.01)
    cluster.cluster.scale(4)
    await cluster.wait_for_workers(4)
    await cluster.retire_workers(first)
    report = await task
    assert report.unfinished == ()
    assert contents(tmp_path) == made.files
    assert {one.worker for one in report.repositories} - set(first)


async def test_all_workers_share_one_budget(
    cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path
):
    """By default a DaskBudget with the numbers of the limits; the points of all workers are counted there."""
    made = organization(github, 4, 2)
    limits = Limits(points_per_minute=100, mutation_interval=None)
    await mirror_repositories(cluster, made.names, tmp_path, options={**options, "limits": limits})
    shared = scheduler_of(cluster).plugins[BudgetPlugin.name].shared["gh-artifacts"]
    assert shared.numbers == (100, None)
    asked = len(github.requests_to("api"))
    assert asked <= shared.window._used < 100
    with pytest.raises(ConfigurationError, match="points_per_minute=100"):
        await mirror_repositories(cluster, made.names, tmp_path, options=options)
    given = DaskBudget(cluster, key="bot", points_per_minute=200)
    off = Limits(points_per_minute=None)
    for arguments in ({"budget": given}, {"options": {**options, "limits": Limits(budget=given)}}):
        await mirror_repositories(cluster, made.names, tmp_path, **{"options": options, **arguments})
    assert scheduler_of(cluster).plugins[BudgetPlugin.name].shared["bot"].window._used > 0
    async with dask_cluster() as other:
        await mirror_repositories(other, made.names, tmp_path, options={**options, "limits": off})


async def test_a_scheduler_that_takes_no_plugin(
    cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path: Path
):
    """One that refuses to unpickle cannot keep a budget: that is the error, and nothing was sent to GitHub."""
    scheduler_of(cluster).blocked_handlers = ["register_scheduler_plugin"]
    with pytest.raises(BudgetUnavailableError, match="ValueError"):
        await mirror_repositories(cluster, ["octo-org/repo-0"], tmp_path, options=options)
    assert github.requests == []
    assert await fleets(cluster) == []


async def test_a_worker_in_plain_text_over_a_network(
    cluster: Client, options: ClientOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nothing is sent to anyone, and the error says what to do."""

    async def nthreads() -> dict[str, int]:
        return {"tcp://127.0.0.1:1": 1, "tcp://10.0.0.5:34567": 1}

    monkeypatch.setattr(cluster, "nthreads", nthreads)
    with pytest.raises(
        ConfigurationError, match=r"tcp://10\.0\.0\.5:34567 of the Dask cluster .* give the cluster TLS"
    ):
        await mirror_repositories(cluster, ["octo-org/repo-0"], tmp_path, options=options)
    assert scheduler_of(cluster).plugins.keys() & {BudgetPlugin.name} == set()
    assert await fleets(cluster) == []


async def test_nothing_to_do(cluster: Client, options: ClientOptions, tmp_path: Path):
    """An organization without repositories is mirrored at once."""
    assert await mirror_repositories(cluster, [], tmp_path, options=options) == FleetReport()
    assert threading.active_count() < 50


async def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match=r'pip install "gh-artifacts-async\[fleet\]"'):
        await mirror_repositories(None, [], tmp_path)
