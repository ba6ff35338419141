"""How a fleet hands out repositories, and what it makes of a cluster that fails."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import CancelledError as FutureCancelled
from types import SimpleNamespace
from typing import Any

import distributed
import pytest
from distributed import Client
from distributed.comm.core import CommClosedError

from gh_artifacts_async import (
    ClientOptions,
    ConfigurationError,
    ConnectionFailedError,
    ObjectStoreUnavailableError,
    OutOfSpaceError,
    RepositoryName,
)
from gh_artifacts_async.fleet import RepositoryReport, mirror_repositories, run
from gh_artifacts_async.fleet.worker import FleetPlugin
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.dask import dask_cluster, scheduler_of
from tests.kits.fleet import organization


class Cluster:
    """A client of a cluster whose scheduler has lost workers, and that runs tasks as the test says."""

    def __init__(self, events: list[Any], result: Any = None) -> None:
        self.events, self.result = events, result
        self.tasks: list[tuple[Any, ...]] = []
        self.scheduler = SimpleNamespace(address="inproc://here/1/0")

    async def get_events(self, topic: str) -> list[Any]:
        assert topic == "all"
        return self.events

    async def submit(self, *arguments: Any, key: object, pure: bool) -> Any:
        assert (key, pure) == (("fleet", "abort uploads"), False)
        self.tasks.append(arguments)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def lost(*keys: Any) -> tuple[float, dict[str, Any]]:
    """Return what the scheduler notes when a worker is lost."""
    return 1.0, {"action": "remove-worker", "processing-tasks": dict.fromkeys(keys, 0.1)}


EVENTS = [
    (0.5, "a text"),
    (0.7, {"action": "add-worker"}),
    lost(("fleet", "octo-org/b"), ("another fleet", "octo-org/c"), "sum-123"),
    lost(("fleet", "octo-org/a"), ("fleet", "octo-org/b")),
]


async def test_parts_are_removed_for_those_whose_worker_was_lost():
    """Of this fleet, each once; by a worker, since the workers have the credentials."""
    cluster = Cluster(EVENTS)
    await run._Run(cluster, "fleet", None, in_s3=True).abort_uploads()
    assert cluster.tasks == [
        (run.abort_uploads, "fleet", [RepositoryName("octo-org", "a"), RepositoryName("octo-org", "b")])
    ]


@pytest.mark.parametrize(("events", "in_s3"), [(EVENTS, False), (EVENTS[:2], True)])
async def test_there_are_no_parts(events: list[Any], *, in_s3: bool):
    """No worker was lost, or the destination is not in S3: nothing is asked for."""
    cluster = Cluster(events)
    await run._Run(cluster, "fleet", None, in_s3=in_s3).abort_uploads()
    assert cluster.tasks == []


async def test_parts_that_cannot_be_removed(caplog: pytest.LogCaptureFixture):
    """The mirror is what it should be all the same, and the log says what may be left."""
    with caplog.at_level(logging.WARNING, "gh_artifacts_async"):
        cluster = Cluster(EVENTS, ConnectionFailedError("no botocore", host=None))
        await run._Run(cluster, "fleet", None, in_s3=True).abort_uploads()
    assert "parts of uploads that were killed may be left in S3: no botocore" in caplog.text


@pytest.mark.realtime
async def test_a_task_that_others_cancel(cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path):
    """Who restarts the cluster takes its tasks away: that is the error of the repositories that were not done."""
    made = organization(github, 3, 1)
    github.faults.slow_headers(None, where="storage", seconds=30, times=None)
    task = asyncio.create_task(mirror_repositories(cluster, made.names, tmp_path, options=options))
    while len(github.requests_to("storage")) < 3:
        await asyncio.sleep(0.01)
    scheduler = scheduler_of(cluster)
    keys = [key for key in scheduler.tasks if "gh-artifacts-mirror" in str(key)]
    told = {} if distributed.__version__ < "2025.2" else {"reason": "test", "msg": "by hand"}
    scheduler.stimulus_cancel(keys, client=cluster.id, force=True, **told)
    report = await task
    assert {type(one.error) for one in report.repositories} == {ConnectionFailedError}
    assert "run the mirror again" in str(report.repositories[0].error)


@pytest.mark.realtime
async def test_a_worker_that_cannot_be_told_of_the_end(
    cluster: Client,
    github: FakeGitHub,
    options: ClientOptions,
    tmp_path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """It died meanwhile, say: the report is what was done, and the log has a line."""
    made = organization(github, 1, 1)
    end = cluster.unregister_worker_plugin

    async def failing(name: str) -> None:
        await end(name)
        raise OSError("gone")

    monkeypatch.setattr(cluster, "unregister_worker_plugin", failing)
    with caplog.at_level(logging.WARNING, "gh_artifacts_async"):
        report = await mirror_repositories(cluster, made.names, tmp_path, options=options)
    assert report.fetched == 1
    assert "could not be told that the fleet has ended: OSError" in caplog.text


@pytest.mark.realtime
async def test_who_is_told_of_reports_and_raises(
    cluster: Client, github: FakeGitHub, options: ClientOptions, tmp_path, caplog: pytest.LogCaptureFixture
):
    """It is logged, not obeyed, as an observer is."""
    made = organization(github, 4, 1)

    def broken(report: RepositoryReport) -> None:
        raise RuntimeError(str(report.repository))

    report = await mirror_repositories(cluster, made.names, tmp_path, options=options, on_report=broken)
    assert report.fetched == 4
    assert caplog.text.count("an observer failed on the report of octo-org/repo-") == 4


@pytest.mark.parametrize(
    ("failed", "error", "says"),
    [
        (
            Exception("ModuleNotFoundError(\"No module named 'ours'\")"),
            ConfigurationError,
            r'do the work \(ModuleNotFoundError\("No module named \'ours\'"\)\); install gh-artifacts-async, and',
        ),
        (AttributeError("no layout"), ConfigurationError, r"cannot do the work \(AttributeError: no layout\)"),
        (Exception("GenericError('secret')"), ConfigurationError, r"cannot do the work \(GenericError\); install"),
        (ValueError("secret"), ConfigurationError, r"cannot do the work \(ValueError\); install"),
        (CommClosedError("closed"), ConnectionFailedError, "no Dask scheduler at inproc://here/1/0: closed"),
    ],
)
async def test_workers_that_cannot_take_the_plugin(failed: Exception, error: type[Exception], says: str):
    """What they lack is named; anything else that a class says when it is unpickled may be a secret."""

    async def register_plugin(_plugin: Any, **_name: str) -> None:
        raise failed

    scheduler = SimpleNamespace(address="inproc://here/1/0")
    cluster: Any = SimpleNamespace(register_plugin=register_plugin, scheduler=scheduler)
    plugin: Any = SimpleNamespace(name="fleet")
    with pytest.raises(error, match=says) as caught:
        await run._register(cluster, plugin)
    assert "secret" not in str(caught.value)


@pytest.mark.realtime
@pytest.mark.parametrize("error", [OutOfSpaceError(filename="/srv"), ObjectStoreUnavailableError(key="a")])
async def test_a_destination_that_fails_stops_all(
    cluster: Client, tmp_path, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    """All workers write into one destination: what is left has the same error."""
    monkeypatch.setattr(run, "_AHEAD", 2)
    begun: list[RepositoryName] = []

    async def mirror(_plugin: FleetPlugin, repository: RepositoryName) -> RepositoryReport:
        begun.append(repository)
        return RepositoryReport(repository=repository, error=error)

    monkeypatch.setattr(FleetPlugin, "mirror", mirror)
    report = await mirror_repositories(cluster, [f"octo-org/repo-{number}" for number in range(50)], tmp_path)
    assert {type(one.error) for one in report.repositories} == {type(error)}
    assert len(report.repositories) == 50
    assert len(begun) < 20


@pytest.mark.realtime
async def test_a_cluster_without_workers(github: FakeGitHub, tmp_path, caplog: pytest.LogCaptureFixture):
    """It is waited for, as clusters that adapt to what there is to do need it; the log says so."""
    organization(github, 1, 1)
    async with dask_cluster(workers=0) as client:
        caplog.set_level(logging.WARNING, "gh_artifacts_async")  # the cluster has silenced what handles logs
        mirroring = asyncio.create_task(
            mirror_repositories(client, ["octo-org/repo-0"], tmp_path, options={"base_url": github.base_url})
        )
        while not scheduler_of(client).tasks:
            await asyncio.sleep(0.01)
        assert "the Dask cluster has no workers; waiting for one to join" in caplog.text
        client.cluster.scale(1)
        assert (await mirroring).fetched == 1


@pytest.mark.parametrize("error", [CommClosedError("in <TCP>: closed"), FutureCancelled()])
async def test_a_report_that_does_not_arrive(error: BaseException):
    """The scheduler was lost on the way: the error says what to do, whatever Dask says."""

    async def future() -> RepositoryReport:
        raise error

    report = await run._Run(Cluster([]), "fleet", None, in_s3=False)._report(future(), RepositoryName("octo-org", "a"))
    assert isinstance(report.error, ConnectionFailedError)
    assert "run the mirror again to go on" in str(report.error)
