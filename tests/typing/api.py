"""Never run: what a user's type checker must make of the public API. mypy and basedpyright read it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, assert_type

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    ArtifactRun,
    ArtifactsClient,
    BulkError,
    Digest,
    DownloadResult,
    EnvironmentToken,
    Event,
    Limits,
    NotFoundError,
    Outcome,
    PermissionDeniedError,
    RateLimit,
    RateLimitError,
    RepositoryName,
    RetryPolicy,
    SignedURL,
    StaticToken,
    StoragePolicy,
    Timeouts,
    TokenSource,
    TransferBytes,
    TransferFinished,
    WorkflowRun,
    raise_for_failures,
)
from gh_artifacts_async.api import GitHubSession, get_artifact, list_artifacts_for_repo
from gh_artifacts_async.testing import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiohttp

    from gh_artifacts_async import Observer


class OwnToken:
    """A token source of a user's own, by its shape alone."""

    async def token(self) -> str:
        """Return a token."""
        return "t"


def observer(event: Event) -> None:
    """Narrow by isinstance."""
    if isinstance(event, TransferBytes):
        assert_type(event.received, int)
        assert_type(event.size, int | None)
    elif isinstance(event, TransferFinished):
        assert_type(event.path, Path)


def sources() -> list[TokenSource]:
    """Every kind of source is a TokenSource."""
    return [OwnToken(), StaticToken("t"), EnvironmentToken("GH_TOKEN")]


def clients(session: aiohttp.ClientSession, watch: Observer) -> list[ArtifactsClient]:
    """Every argument of the constructor."""
    return [
        ArtifactsClient(),
        ArtifactsClient("t"),
        ArtifactsClient(OwnToken(), base_url="https://github.example.com/api/v3", ca_file="ca.pem", trust_env=True),
        ArtifactsClient("t", session=session, allow_http=True),
        ArtifactsClient(
            "t",
            timeouts=Timeouts(connect=None, read=10),
            retry=RetryPolicy(attempts=2, wait_initial=0, wait_max=1.5),
            limits=Limits(api_concurrency=4, max_pause=None),
            storage=StoragePolicy(allowed_hosts=("*.example.com",)),
            user_agent="me/1",
            observer=watch,
        ),
        ArtifactsClient.from_env(),
        ArtifactsClient.from_env({"GH_TOKEN": "t"}, observer=observer),
    ]


async def operations(client: ArtifactsClient, repo: RepositoryName) -> None:
    """GitHub's five operations, and their neighbours."""
    assert_type(client.list_artifacts("o/r"), AsyncGenerator[Artifact, None])
    assert_type(
        client.list_artifacts(repo, name="x", per_page=10, limit=3, concurrency=4), AsyncGenerator[Artifact, None]
    )
    assert_type(client.list_run_artifacts(repo, 7, direction="asc"), AsyncGenerator[Artifact, None])
    artifact = await client.get_artifact("o/r", 7)
    assert_type(artifact, Artifact)
    await client.delete_artifact("o/r", 7, missing_ok=True)
    await client.delete_artifact(artifact)
    await client.delete_artifact(ArtifactRef("o/r", 7))
    assert_type(await client.get_download_url("o/r", 7), SignedURL)
    assert_type(await client.get_download_url(artifact), SignedURL)
    assert_type(await client.count_artifacts(repo, name="x"), int)
    assert_type(client.list_workflow_runs(repo, branch="main", status="success"), AsyncGenerator[WorkflowRun, None])
    assert_type(await client.get_workflow_run(repo, 7), WorkflowRun)
    assert_type(client.rate_limit, RateLimit | None)


async def transfers(client: ArtifactsClient, artifact: Artifact, directory: Path) -> None:
    """One artifact, and many of them from each kind of iterable."""
    result = await client.download(artifact, directory, filename="x.zip", if_exists="skip", durable=True)
    assert_type(result, DownloadResult)
    assert_type(result.path, Path)
    assert_type(result.digest, Digest | None)
    assert_type(await client.verify(artifact, "x.zip"), bool)
    await client.download(ArtifactRef("o/r", 7, "x"), "folder", observer=observer)

    refs: Sequence[ArtifactRef] = [ArtifactRef(repo="o/r", id=7)]
    for many in (
        client.download_many([artifact], directory),
        client.download_many(refs, directory, concurrency=2, layout="{branch}/{name}"),
        client.download_many(client.list_artifacts("o/r"), directory, layout=lambda found: found.name),
    ):
        assert_type(many, AbstractAsyncContextManager[AsyncIterator[Outcome[DownloadResult]], bool | None])
        async with many as outcomes:
            async for outcome in outcomes:
                assert_type(outcome, Outcome[DownloadResult])
                assert_type(outcome.value, DownloadResult | None)
                assert_type(outcome.error, Exception | None)


def values(artifact: Artifact, url: SignedURL) -> None:
    """The fields of models."""
    assert_type(artifact.id, int)
    assert_type(artifact.created_at, datetime | None)
    assert_type(artifact.workflow_run, ArtifactRun | None)
    assert_type(artifact.run_id, int | None)
    assert_type(artifact.repository, RepositoryName | None)
    assert_type(url.url, str)
    assert_type(url.expires_at, datetime)
    assert_type(RepositoryName.parse("o/r"), RepositoryName)
    assert_type(Digest.parse("sha256:0"), Digest)


def failures(outcomes: list[Outcome[DownloadResult]]) -> None:
    """What errors carry."""
    try:
        raise_for_failures(outcomes)
    except BulkError as group:
        assert_type(group.exceptions, tuple[Exception | ExceptionGroup[Exception], ...])
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.reset_at, datetime | None)
    except PermissionDeniedError as error:
        assert_type(error.accepted_permissions, str | None)
    except NotFoundError as error:
        assert_type(error.status, int)
        assert_type(error.request_id, str | None)


async def low_level() -> None:
    """The endpoint coroutines."""
    async with GitHubSession("t", base_url="https://api.github.com") as session:
        page = await list_artifacts_for_repo(session, "o/r", per_page=10, page=2)
        assert_type(page.artifacts, tuple[Artifact, ...])
        assert_type(page.next_page, int | None)
        assert_type(await get_artifact(session, "o/r", 7), Artifact)


async def fake() -> None:
    """The test kit."""
    async with FakeGitHub() as github:
        run = github.add_run("o/r", workflow="ci.yml")
        assert_type(github.add_artifact(run, "x", files={"a": b""}), int)
        assert_type(github.base_url, str)
