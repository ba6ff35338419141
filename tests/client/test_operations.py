"""The client's methods for GitHub's REST API."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
import pytest

from gh_artifacts_async import (
    ArtifactExpiredError,
    ArtifactRef,
    ArtifactsClient,
    ConfigurationError,
    Limits,
    NotFoundError,
    RepositoryName,
)
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.transfer import INLINE_SIZE, REPO, add, client_for, get

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@pytest.fixture
async def client(github: FakeGitHub) -> AsyncGenerator[ArtifactsClient]:
    """Run a client of the fake, without the second between two deletions."""
    async with client_for(github, limits=Limits(mutation_interval=None)) as its_client:
        yield its_client


async def test_list(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A listing yields each artifact once, the newest first, and knows name, limit and page size."""
    ids = [add(github, f"docs-{number % 2}") for number in range(7)]
    assert [it.id async for it in client.list_artifacts(REPO, per_page=3)] == ids[::-1]
    assert [it.id async for it in client.list_artifacts(RepositoryName("octo-org", "octo-docs"), limit=2)] == ids[:4:-1]
    assert [it.id async for it in client.list_artifacts(REPO, name="docs-1", per_page=1, concurrency=2)] == ids[1::2][
        ::-1
    ]
    assert all(it.repository == RepositoryName.parse(REPO) for it in [it async for it in client.list_artifacts(REPO)])


async def test_list_of_a_run(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A run's own artifacts, in either direction."""
    run = github.add_run(REPO)
    ids = [github.add_artifact(run, f"docs-{number}") for number in range(3)]
    add(github, "elsewhere")
    assert {it.id async for it in client.list_run_artifacts(REPO, run.id)} == set(ids)
    assert [it.id async for it in client.list_run_artifacts(REPO, run.id, direction="asc", per_page=2)] == ids
    assert [it.id async for it in client.list_run_artifacts(REPO, run.id, name="docs-1", limit=1, concurrency=2)] == [
        ids[1]
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.list_artifacts("no-slash"),
        lambda client: client.list_artifacts("a/b/c"),
        lambda client: client.list_artifacts(7),
        lambda client: client.list_artifacts(REPO, per_page=0),
        lambda client: client.list_artifacts(REPO, per_page=101),
        lambda client: client.list_artifacts(REPO, limit=-1),
        lambda client: client.list_artifacts(REPO, concurrency=0),
        lambda client: client.list_run_artifacts(REPO, 0),
        lambda client: client.list_run_artifacts(REPO, 1, direction="up"),
        lambda client: client.list_workflow_runs("no-slash"),
    ],
)
async def test_arguments_of_listings(github: FakeGitHub, client: ArtifactsClient, call: Any) -> None:
    """An argument out of its range is raised by the call itself, not by the first item."""
    with pytest.raises(ConfigurationError):
        call(client)
    assert not github.requests


async def test_get(github: FakeGitHub, client: ArtifactsClient) -> None:
    """One artifact by repository and id."""
    artifact_id = add(github)
    artifact = await client.get_artifact(REPO, artifact_id)
    assert (artifact.id, artifact.name, artifact.repository) == (artifact_id, "docs", RepositoryName.parse(REPO))
    with pytest.raises(NotFoundError):
        await client.get_artifact(REPO, 1)
    with pytest.raises(ConfigurationError):
        await client.get_artifact(REPO, "7")  # type: ignore[arg-type]


async def test_delete(github: FakeGitHub, client: ArtifactsClient) -> None:
    """An artifact is deleted by id, as itself or by reference; a missing one is an error, unless it may be missing."""
    ids = [add(github, f"docs-{number}", size=INLINE_SIZE) for number in range(3)]
    await client.delete_artifact(REPO, ids[0])
    await client.delete_artifact(await get(client, ids[1]))
    await client.delete_artifact(ArtifactRef(REPO, ids[2]))
    assert await client.count_artifacts(REPO) == 0
    with pytest.raises(NotFoundError):
        await client.delete_artifact(REPO, ids[0])
    await client.delete_artifact(REPO, ids[0], missing_ok=True)


async def test_download_url(github: FakeGitHub, client: ArtifactsClient) -> None:
    """The signed URL of an artifact, by id, as itself or by reference; it works without a token."""
    artifact_id = add(github, size=INLINE_SIZE)
    artifact = await get(client, artifact_id)
    urls = [
        await client.get_download_url(REPO, artifact_id),
        await client.get_download_url(artifact),
        await client.get_download_url(ArtifactRef(REPO, artifact_id)),
    ]
    async with aiohttp.ClientSession() as session:
        for signed in urls:
            async with session.get(aiohttp.client.URL(signed.url, encoded=True)) as response:
                assert await response.read() == github.content(artifact_id)
    github.expire_artifact(artifact_id)
    with pytest.raises(ArtifactExpiredError):
        await client.get_download_url(artifact)


async def test_subjects_that_are_none(client: ArtifactsClient, github: FakeGitHub) -> None:
    """A repository without id, an artifact with one, or one that does not know its repository: ConfigurationError."""
    artifact = await get(client, add(github))
    lost = attrs.evolve(artifact, repository=None)
    for given in ((REPO,), (artifact, 7), (lost,), (REPO, 0), (REPO, True)):
        with pytest.raises(ConfigurationError):
            await client.delete_artifact(*given)  # type: ignore[call-overload]
        with pytest.raises(ConfigurationError):
            await client.get_download_url(*given)  # type: ignore[call-overload]


async def test_count(github: FakeGitHub, client: ArtifactsClient) -> None:
    """The count takes one request."""
    for number in range(5):
        add(github, f"docs-{number % 2}")
    assert await client.count_artifacts(REPO) == 5
    assert await client.count_artifacts(REPO, name="docs-0") == 3
    assert len(github.requests) == 2


async def test_runs(github: FakeGitHub, client: ArtifactsClient) -> None:
    """Workflow runs, by any of GitHub's filters, and one by its id."""
    now = github.clock.now()
    runs = [
        github.add_run(
            REPO,
            workflow=f"ci-{n % 2}.yml",
            branch=f"b{n}",
            event="push",
            actor="octocat",
            created_at=now - timedelta(days=n),
        )
        for n in range(4)
    ]

    async def found(**filters: Any) -> set[int]:
        return {run.id async for run in client.list_workflow_runs(REPO, **filters)}

    assert await found() == {run.id for run in runs}
    assert await found(branch="b2") == {runs[2].id}
    assert await found(workflow="ci-1.yml") == {runs[1].id, runs[3].id}
    assert await found(workflow=runs[0].workflow_id, event="push", status="success", actor="octocat") == {
        runs[0].id,
        runs[2].id,
    }
    assert await found(head_sha=runs[3].head_sha) == {runs[3].id}
    assert await found(created=(now - timedelta(days=1, hours=1), None)) == {runs[0].id, runs[1].id}
    assert len(await found(limit=2)) == 2
    assert (await client.get_workflow_run(REPO, runs[1].id)).head_branch == "b1"
    with pytest.raises(NotFoundError):
        await client.get_workflow_run(REPO, 1)


async def test_rate_limit(github: FakeGitHub, client: ArtifactsClient) -> None:
    """The rate limit is that of the last response; None before it."""
    add(github)
    assert client.rate_limit is None
    github.set_rate_limit(limit=1000, remaining=500)
    await client.count_artifacts(REPO)
    assert client.rate_limit is not None
    assert (client.rate_limit.limit, client.rate_limit.remaining) == (1000, 499)
    assert client.rate_limit.reset_at is not None
    assert client.rate_limit.reset_at > datetime.now(UTC)


async def test_rate_limit_of_a_server_without() -> None:
    """A server that sends none has none."""
    async with FakeGitHub("ghes-3.8") as appliance, client_for(appliance) as client:
        add(appliance)
        await client.count_artifacts(REPO)
        assert client.rate_limit is None


async def test_runs_have_their_pull_requests(github: FakeGitHub, client: ArtifactsClient) -> None:
    """Both ways to get a run fill all fields."""
    run = github.add_run(REPO, pull_requests=[7], actor="mona", head_repository="fork-er/octo-docs")
    listed = [found async for found in client.list_workflow_runs(REPO)]
    for found in (*listed, await client.get_workflow_run(REPO, run.id)):
        assert (found.pull_requests, found.actor, str(found.head_repository)) == ((7,), "mona", "fork-er/octo-docs")
        assert found.is_fork


async def test_jobs_and_repositories(github: FakeGitHub, client: ArtifactsClient) -> None:
    """The jobs of a run, and the repositories of an owner."""
    run = github.add_run(REPO, jobs=("build", "test"))
    assert [job.name async for job in client.list_run_jobs(REPO, run.id)] == ["build", "test"]
    assert [job.name async for job in client.list_run_jobs(REPO, run.id, limit=1)] == ["build"]
    assert [str(name) async for name in client.list_repositories("octo-org")] == [REPO]


@pytest.mark.github_com("retention")
async def test_retention(github: FakeGitHub) -> None:
    """It is set, a mutation apart from the next, and read; new artifacts follow it."""
    run = github.add_run(REPO)
    async with client_for(github, limits=Limits(mutation_interval=5.0)) as client:
        started = asyncio.get_running_loop().time()
        await client.set_artifact_retention(REPO, 30)
        await client.set_artifact_retention(REPO, 20)
        assert asyncio.get_running_loop().time() - started >= 5
        assert (await client.get_artifact_retention(REPO)).days == 20
        artifact = await client.get_artifact(REPO, github.add_artifact(run, "docs"))
        assert artifact.expires_at is not None
        assert artifact.created_at is not None
        assert artifact.expires_at - artifact.created_at == timedelta(days=20)
        with pytest.raises(ConfigurationError, match="days"):
            await client.set_artifact_retention(REPO, 0)
