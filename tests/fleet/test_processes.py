"""Fleets of worker processes: one is killed at a random point, and all of them stay under one limit."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import pytest
import trustme
from distributed import Client, Security

from gh_artifacts_async import ConfigurationError
from gh_artifacts_async.budgets import dask_scheduler
from gh_artifacts_async.budgets.dask_scheduler import HANDLER
from gh_artifacts_async.fleet import FleetReport, RepositoryReport, connect, mirror_repositories
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.dask import dask_cluster, scheduler_of
from tests.kits.fleet import Unshared, bucket, contents, organization

pytestmark = [pytest.mark.realtime, pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(180)]

RUNS = int(os.environ.get("FLEET_RUNS", "2"))
"""How often a worker is killed; 20 by hand."""

MIB = 2**20
LARGE, LARGE_SIZE = 4, 18 * MIB  # stored in parts
PAUSE = 3
KNOWN_AFTER = 0.5  # seconds after a pause was published in which requests may still come
MINUTE = 8  # seconds, for the fake and for the budget: the test would take minutes otherwise


@contextmanager
def fake(*, minute: float = 60.0) -> Generator[FakeGitHub]:
    """A fake GitHub in a thread of its own, with GitHub's limits."""
    github = FakeGitHub()
    github._limits.minute = minute
    github.enforce_secondary_limits = True
    github.set_rate_limit(limit=100_000)
    with github:
        yield github


def published(client: Client, github: FakeGitHub) -> list[tuple[float, float]]:
    """Return a list that fills with pauses as the scheduler learns of them: when, by the fake, and how long."""
    pauses: list[tuple[float, float]] = []
    answer = scheduler_of(client).handlers[HANDLER]

    def noted(**question: Any) -> Any:
        if question["action"] == "pause":
            pauses.append((github.clock.elapsed(), question["seconds"]))
        return answer(**question)

    scheduler_of(client).handlers[HANDLER] = noted
    return pauses


async def kill_one(client: Client, github: FakeGitHub, chance: random.Random, after: int) -> None:
    """Kill one of the workers, as a machine that fails does, once storage has had so many requests."""
    processes = await client.run(os.getpid)
    while len(github.requests_to("storage")) < after:
        await asyncio.sleep(0.005)
    await asyncio.sleep(chance.random() * 0.1)
    os.kill(chance.choice(list(processes.values())), signal.SIGKILL)


@pytest.mark.parametrize("seed", range(RUNS))
async def test_a_worker_is_killed(seed: int):
    """Everything is in the bucket, hardly anything was fetched twice, no part is left, and a pause held for all."""
    chance = random.Random(seed)  # noqa: S311 - any points will do
    with fake() as github, bucket() as s3:
        made = organization(github, 40, 10, large=LARGE, size=LARGE_SIZE)
        async with dask_cluster(processes=True) as client:
            await mirror_repositories(client, [], s3.store())  # so that the scheduler has the budget
            pauses = published(client, github)
            killing = asyncio.create_task(kill_one(client, github, chance, chance.randrange(1, 380)))
            limiting = asyncio.create_task(_limit(github, chance.randrange(20, 300)))
            report = await mirror_repositories(
                client, made.names, s3.store(), options={"base_url": github.base_url}, concurrency=4
            )
            await asyncio.gather(killing, limiting)
        assert report.unfinished == ()
        assert report.failed == 0
        assert report.fetched + report.kept == 400
        assert s3.contents() == made.files
        assert s3.uploads() == []
        fetched = [github.bytes_sent(number) / len(github.content(number)) for number in made.ids]
        assert sum(fetched) / len(fetched) <= 1.1
        assert github.bytes_sent() <= 1.1 * sum(map(len, made.files.values())) + 2 * 4 * LARGE_SIZE
        _check_pauses(github, pauses)


async def test_an_upload_that_dies_with_its_worker():
    """Its parts are removed at the end, and the artifact is there."""
    with fake() as github, bucket() as s3:
        made = organization(github, 2, 1, large=1, size=2 * LARGE_SIZE)
        github.faults.stall(made.ids[0], at=20 * MIB, times=1, seconds=60)
        left: list[str] = []

        async def kill(client: Client) -> None:
            while not left:
                await asyncio.sleep(0.05)
                left.extend(await asyncio.to_thread(s3.uploads))
            processes = await client.run(os.getpid)
            (busy,) = [worker for worker, keys in (await client.processing()).items() if keys]
            os.kill(processes[busy], signal.SIGKILL)

        async with dask_cluster(processes=True) as client:
            killing = asyncio.create_task(kill(client))
            options: Any = {"base_url": github.base_url}
            report = await mirror_repositories(client, made.names[:1], s3.store(), options=options)
            await killing
        assert left
        assert (report.fetched, report.unfinished) == (1, ())
        assert s3.uploads() == []
        assert list(s3.contents()) == [path for path in made.files if "repo-0" in path]


async def _limit(github: FakeGitHub, after: int) -> None:
    """Refuse one request, once there have been so many."""
    while len(github.requests_to("api")) < after:
        await asyncio.sleep(0.005)
    github.faults.secondary_limit(None, times=1, retry_after=PAUSE)


def _check_pauses(github: FakeGitHub, pauses: list[tuple[float, float]]) -> None:
    """Check that there was a pause, and that no process sent a request in it."""
    assert pauses
    requests = github.requests_to("api")
    assert [request.status for request in requests].count(403) >= 1
    for at, seconds in pauses:
        late = [request.time - at for request in requests if at + KNOWN_AFTER < request.time < at + seconds - 0.1]
        assert late == []


async def _mirrored(github: FakeGitHub, folder: Path, **arguments: Any) -> FleetReport:
    """Mirror an organization of 1,600 artifacts with two worker processes."""
    made = organization(github, 40, 40)
    async with dask_cluster(processes=True) as client:
        report = await mirror_repositories(
            client, made.names, folder, options={"base_url": github.base_url}, **arguments
        )
    assert report.failed == 0
    assert report.unfinished == ()
    assert contents(folder) == made.files
    return report


async def test_workers_that_share_a_budget_are_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """However fast they are: 840 points in any minute, of both together."""
    monkeypatch.setattr(dask_scheduler, "WINDOW", MINUTE + 2)
    with fake(minute=MINUTE) as github:
        await _mirrored(github, tmp_path)
        assert len(github.requests_to("api")) >= 1600
        assert [request.status for request in github.requests_to("api")].count(403) == 0


async def test_workers_that_do_not_are(tmp_path: Path):
    """Each stays below the limit by itself, and both together do not."""
    with fake(minute=MINUTE) as github:
        await _mirrored(github, tmp_path, budget=Unshared())
        assert [request.status for request in github.requests_to("api")].count(403) > 0


async def test_over_tls(tmp_path: Path):
    """Scheduler, workers and clients have certificates; who has none is told so before anything is sent."""
    authority, certificate = trustme.CA(), str(tmp_path / "certificate.pem")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    roles = {
        f"tls_{role}_{what}": certificate for role in ("client", "scheduler", "worker") for what in ("cert", "key")
    }
    security = Security(tls_ca_file=str(tmp_path / "ca.pem"), require_encryption=True, **roles)
    client_side = {
        "distributed.comm.tls.ca-file": str(tmp_path / "ca.pem"),
        "distributed.comm.tls.client.cert": certificate,
        "distributed.comm.tls.client.key": certificate,
    }
    with fake() as github:
        made = organization(github, 3, 2)
        options: Any = {"base_url": github.base_url}
        async with dask_cluster(processes=True, security=security, protocol="tls", host="127.0.0.1") as client:
            first = await mirror_repositories(client, made.names, tmp_path / "mirror", options=options)
            address = client.scheduler.address
            with pytest.raises(ConfigurationError, match="needs TLS certificates"):
                async with connect(address):
                    pass
            with dask.config.set(client_side):
                async with connect(address) as another:
                    second = await mirror_repositories(another, made.names, tmp_path / "mirror", options=options)
    assert address.startswith("tls://")
    assert {str(one.worker)[:6] for one in first.repositories} == {"tls://"}
    assert (first.fetched, second.fetched, second.kept) == (6, 0, 6)
    assert contents(tmp_path / "mirror") == made.files


async def test_a_repository_that_kills_its_workers(tmp_path: Path):
    """After some of them it is given up, and that is its report; the others are done."""

    def layout(artifact: Any) -> str:
        if str(artifact.repository) == "octo-org/repo-1":
            os.kill(os.getpid(), signal.SIGKILL)
        return f"{artifact.name}"

    seen: list[RepositoryReport] = []
    with fake() as github:
        made = organization(github, 3, 2)
        async with dask_cluster(processes=True, workers=2) as client:
            report = await mirror_repositories(
                client,
                made.names,
                tmp_path,
                layout=layout,
                options={"base_url": github.base_url},
                on_report=seen.append,
            )
    (given_up,) = report.unfinished
    assert str(given_up.repository) == "octo-org/repo-1"
    assert type(given_up.error).__name__ == "KilledWorker"
    assert {str(one.repository) for one in report.repositories if one.ok} == {"octo-org/repo-0", "octo-org/repo-2"}
