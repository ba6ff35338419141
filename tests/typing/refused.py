"""Never run: what a user's type checker must refuse, on each line that is marked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from gh_artifacts_async import (
    Artifact,
    ArtifactQuery,
    ArtifactRef,
    ArtifactsClient,
    BulkError,
    Digest,
    DownloadResult,
    Event,
    ExtractPolicy,
    Failure,
    Limits,
    Outcome,
    RepositoryName,
    RetentionPolicy,
    RetryPolicy,
    StoragePolicy,
    Success,
    Timeouts,
    TransferBytes,
    raise_for_failures,
)
from gh_artifacts_async.api import GitHubSession, get_artifact, list_artifacts_for_repo
from gh_artifacts_async.archive import ArchiveDirectory, BytesReader, audit_reader, extract
from gh_artifacts_async.budgets import RedisBudget
from gh_artifacts_async.fleet import mirror_repositories
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub

if TYPE_CHECKING:
    from obstore.store import LocalStore


def constructors() -> None:
    """Names are checked, and what they take."""
    ArtifactsClient("t", "https://api.github.com")  # error
    ArtifactsClient(7)  # error
    ArtifactsClient("t", timeout=3.0)  # error
    ArtifactsClient("t", retry=3)  # error
    ArtifactsClient("t", observer=wrong_observer)  # error
    ArtifactsClient.from_env(timeouts=3.0)  # error
    # ty 0.0.108 does not look for a name that is not among the keys of an unpacked TypedDict.
    ArtifactsClient.from_env(tokn="t")  # error: mypy, pyright
    Timeouts(10.0)  # error
    Timeouts(connect="10 s")  # error
    RetryPolicy(attempts=2.5)  # error
    Limits(points=840)  # error
    StoragePolicy(allow_http="no")  # error
    ExtractPolicy(names="posix")  # error
    ArtifactQuery(duplicates="oldest")  # error
    RetentionPolicy(older_than="30d")  # error
    RetentionPolicy(timedelta(days=30))  # error
    Digest("sha256")  # error
    RepositoryName("o")  # error
    Artifact(id=7)  # error
    ArtifactRef("o/r")  # error


def wrong_observer(event: int) -> None:
    """Take something else than events."""
    del event


class NoToken:
    """No source of tokens: what it gives is bytes."""

    async def token(self) -> bytes:
        """Return bytes."""
        return b""


async def calls(client: ArtifactsClient, artifact: Artifact, artifacts: list[Artifact]) -> None:
    """So are the arguments of methods."""
    ArtifactsClient(NoToken())  # error
    await client.get_artifact("o/r", "7")  # error
    await client.get_artifact(7)  # error
    await client.delete_artifact("o/r")  # error
    await client.delete_artifact(artifact, 7)  # error
    await client.get_download_url(7)  # error
    client.list_artifacts("o/r", "name")  # error
    client.list_run_artifacts("o/r", 7, direction="up")  # error
    await client.download(artifact)  # error
    await client.download(7, "folder")  # error
    await client.download(artifact, "folder", "x.zip")  # error
    await client.download(artifact, "folder", if_exists="overwrite")  # error
    await client.download(artifact, b"folder")  # error
    await client.download(artifact, "folder", filename=7)  # error
    await client.download_merged(artifacts, "folder", conflicts="oldest")  # error
    client.download_many(artifact, "folder")  # error
    client.download_many(artifacts, "folder", layout=3)  # error
    client.download_many(artifacts, "folder", layout=lambda found: found.id)  # error
    client.read_members(artifacts, 7)  # error
    await client.wait_for_artifact("o/r", "docs")  # error
    await client.wait_for_run("o/r", 7)  # error
    client.find_artifacts("o/r", "docs")  # error
    client.watch("o/r", interval="60")  # error
    await client.plan_cleanup("o/r", timedelta(days=30))  # error
    client.rate_limit = None  # error
    client.statistics.retries["api/ServerError"] = 0  # error


async def results(client: ArtifactsClient, artifact: Artifact) -> None:
    """What comes back is what it is: frozen, and to be awaited or iterated in the right way."""
    artifact.name = "other"  # error
    artifact.size  # error  # noqa: B018
    result = client.download(artifact, "folder")
    result.path  # error  # noqa: B018
    for _ in client.list_artifacts("o/r"):  # error
        pass
    await client.list_artifacts("o/r")  # error
    async for _ in client.download_many([artifact], "folder"):  # error
        pass
    with client.open_stream(artifact) as _:  # error
        pass
    _path: str = (await result).path  # error
    _expires: float = artifact.expires_at.timestamp()  # error


async def stored(client: ArtifactsClient, artifact: Artifact, store: LocalStore) -> None:
    """A store is one of obstore's."""
    await client.store(artifact, store)  # error
    await client.store(artifact, store, 7)  # error
    await client.store(artifact, "s3://bucket", "key")  # error
    client.store_many([artifact], store, concurrency="2")  # error


def outcomes(outcome: Outcome[DownloadResult]) -> None:
    """An outcome is one of two, and says which before it gives anything."""
    outcome.value.path  # error  # noqa: B018
    raise outcome.error  # error


def not_all(outcome: Outcome[DownloadResult], event: Event) -> None:
    """A case that is missing is noticed."""
    match outcome:
        case Success():
            pass
        case _:
            assert_never(outcome)  # error
    if isinstance(event, TransferBytes):
        return
    assert_never(event)  # error


def groups(outcomes: list[Outcome[DownloadResult]], failure: Failure) -> None:
    """Only outcomes are looked through."""
    raise_for_failures(failure)  # error
    raise_for_failures([1, 2])  # error
    try:
        raise_for_failures(outcomes)
    except BulkError as error:
        error.status  # error  # noqa: B018


async def low_level(session: GitHubSession, client: ArtifactsClient, archive: ArchiveDirectory) -> None:
    """Coroutines take a session, and archives a reader."""
    await get_artifact(client, "o/r", 7)  # error
    await list_artifacts_for_repo(session, "o/r", 2)  # error
    audit_reader(b"PK")  # error
    archive[0]  # error
    extract("x.zip", "folder", if_exists="skip")  # error
    BytesReader("text")  # error


async def others(fake_github: FakeGitHub, proxy: ChaosProxy) -> None:
    """Budgets, the fleet and the test kit."""
    RedisBudget("redis://localhost")  # error
    await mirror_repositories("tcp://localhost", ["o/r"], "backup")  # error
    FakeGitHub(storage="http://localhost")  # error
    fake_github.faults.cut(where="nowhere")  # error
    fake_github.add_artifact("x")  # error
    fake_github.points = {}  # error
    proxy.cut(direction="left")  # error
