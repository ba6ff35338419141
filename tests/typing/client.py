"""Never run: what a user's type checker must make of the client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, assert_type

from gh_artifacts_async import (
    Artifact,
    ArtifactQuery,
    ArtifactRef,
    ArtifactRetention,
    ArtifactsClient,
    ArtifactStream,
    ClientOptions,
    Digest,
    DownloadResult,
    ExtractedMember,
    ExtractPolicy,
    Job,
    Limits,
    Member,
    MemberContent,
    MergeResult,
    ObjectStoreError,
    Outcome,
    PlannedDownload,
    RateLimit,
    RemoteArchive,
    RepositoryName,
    RetryPolicy,
    SignedURL,
    Statistics,
    StoragePolicy,
    StoredResult,
    Timeouts,
    WorkflowRun,
)

if TYPE_CHECKING:
    import ssl

    import aiohttp
    from obstore.store import LocalStore, S3Store

    from gh_artifacts_async import Conflicts, Event, IfExists, Layout, Observer, TokenSource


def observer(event: Event) -> None:
    """Look at nothing."""
    del event


def clients(
    session: aiohttp.ClientSession, watch: Observer, source: TokenSource, trust: ssl.SSLContext
) -> list[ArtifactsClient]:
    """Every argument of the constructor."""
    return [
        ArtifactsClient(),
        ArtifactsClient("t"),
        ArtifactsClient(source, base_url="https://github.example.com/api/v3", ca_file="ca.pem", trust_env=True),
        ArtifactsClient("t", session=session, allow_http=True),
        ArtifactsClient("t", ssl_context=trust, proxy="http://proxy:3128", api_version="2022-11-28"),
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
    assert_type(client.list_run_jobs(repo, 7, limit=3), AsyncGenerator[Job, None])
    assert_type(client.list_repositories("octo-org", limit=3), AsyncGenerator[RepositoryName, None])
    assert_type(await client.get_artifact_retention("o/r"), ArtifactRetention)
    await client.set_artifact_retention("o/r", 30)
    assert_type(client.rate_limit, RateLimit | None)
    assert_type(client.statistics, Statistics)
    assert_type(client.statistics.retries, Mapping[str, int])


async def transfers(client: ArtifactsClient, artifact: Artifact, directory: Path) -> None:
    """One artifact, and many of them from each kind of iterable."""
    result = await client.download(artifact, directory, filename="x.zip", if_exists="skip", durable=True)
    assert_type(result, DownloadResult)
    assert_type(result.path, Path)
    assert_type(result.digest, Digest | None)
    assert_type(await client.verify(artifact, "x.zip"), bool)
    await client.download(ArtifactRef("o/r", 7, "x"), "folder", observer=observer)

    merged = await client.download_merged([artifact], directory, conflicts="newest", if_exists="skip", durable=True)
    assert_type(merged, MergeResult)
    assert_type(merged.members, tuple[ExtractedMember, ...])
    assert_type(merged.artifacts, tuple[Artifact, ...])
    await client.download_merged(client.list_artifacts("o/r"), "dist", policy=ExtractPolicy(), concurrency=2)

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


async def buckets(client: ArtifactsClient, artifact: Artifact, store: LocalStore | S3Store) -> None:
    """Artifacts go into any store of obstore's."""
    one = await client.store(artifact, store, "docs.zip", if_exists="replace")
    assert_type(one, StoredResult)
    assert_type((one.key, one.size, one.digest, one.skipped), tuple[str, int, Digest | None, bool])
    many = client.store_many(client.list_artifacts("o/r"), store, layout="{branch}/{name}", concurrency=2)
    assert_type(many, AbstractAsyncContextManager[AsyncIterator[Outcome[StoredResult]], bool | None])
    assert_type(ObjectStoreError().key, str | None)


def options(timeouts: Timeouts) -> list[ArtifactsClient]:
    """The constructor's arguments as a value."""
    given: ClientOptions = {"token": "t", "timeouts": timeouts}
    return [ArtifactsClient(**given), ArtifactsClient.from_env(None, **given)]


async def members(client: ArtifactsClient, artifacts: list[Artifact], repo: RepositoryName) -> None:
    """Members of many artifacts, and of the newest that fits."""
    for names in ("*.xml", ["a.txt", "b/*"], ("a",)):
        async with client.read_members(artifacts, names, concurrency=4, max_bytes=2**20) as outcomes:
            async for outcome in outcomes:
                assert_type(outcome, Outcome[MemberContent])
                if outcome.ok is True:
                    assert_type(outcome.value.data, bytes)
    client.read_members(client.list_run_artifacts(repo, 7), "*")
    content = await client.read_latest("o/r", ArtifactQuery(branch="main"), "a.json", max_bytes=2**20)
    assert_type(content, MemberContent)
    assert_type(content.artifact, Artifact)
    assert_type(content.name, str)
    assert_type(content.text("latin-1"), str)
    async with client.open_archive(artifacts[0]) as archive:
        assert_type(await archive.read_many(["a", "b/"], max_bytes=2**20), dict[str, bytes])


async def closing() -> None:
    """A client is a block, or is closed by hand."""
    async with ArtifactsClient("t") as client:
        assert_type(client, ArtifactsClient)
    await client.aclose()


async def listings(client: ArtifactsClient) -> None:
    """Listings are async generators, which a caller may close."""
    runs = client.list_workflow_runs(
        "o/r",
        workflow="ci.yml",
        event="push",
        head_sha="0" * 40,
        actor="octocat",
        created=(datetime(2026, 1, 1, tzinfo=UTC), None),
        limit=3,
    )
    assert_type([run async for run in runs], list[WorkflowRun])
    await runs.aclose()
    async for artifact in client.list_artifacts("o/r"):
        assert_type(artifact, Artifact)


async def streams(client: ArtifactsClient, artifact: Artifact | ArtifactRef) -> None:
    """Bytes without a file."""
    assert_type(client.open_stream(artifact), AbstractAsyncContextManager[ArtifactStream, bool | None])
    async with client.open_stream(artifact, observer=observer) as stream:
        assert_type(stream.artifact, Artifact)
        assert_type(stream.size, int | None)
        assert_type(stream.content_type, str | None)
        assert_type(stream.filename, str)
        assert_type(stream.kind, Literal["zip", "raw"])
        assert_type([chunk async for chunk in stream], list[bytes])
        assert_type(stream.sha256, str | None)
        assert_type(stream.received, int)
        assert_type(stream.verified, Literal["digest", "size", "none"] | None)


async def remote(client: ArtifactsClient, artifact: Artifact) -> None:
    """Members without the whole."""
    assert_type(await client.read_member(artifact, "a.txt", max_bytes=2**20), bytes)
    async with client.open_archive(artifact, policy=ExtractPolicy(max_depth=None)) as archive:
        assert_type(archive, RemoteArchive)
        assert_type(archive.members, Sequence[Member])
        assert_type(archive.members[0].name, str)
        assert_type(await archive.read("a.txt"), bytes)
        assert_type(await archive.read_range("a.txt", 0, 10), bytes)
        assert_type(await archive.extract(["a.txt"], "folder"), list[ExtractedMember])
        assert_type((archive.bytes_fetched, archive.requests, archive.ranged), tuple[int, int, bool])


async def planned(client: ArtifactsClient, artifacts: list[Artifact], layout: Layout, if_exists: IfExists) -> None:
    """What would be done, before it is."""
    plans = await client.plan_downloads(artifacts, "folder", layout=layout, extract=True, if_exists=if_exists)
    assert_type(plans, tuple[PlannedDownload, ...])
    assert_type(plans[0].path, Path)
    assert_type(plans[0].action, Literal["download", "resume", "skip", "conflict"])
    assert_type(plans[0].bytes, int)


async def in_one_folder(client: ArtifactsClient, artifacts: list[Artifact], conflicts: Conflicts) -> None:
    """A name for what may be given."""
    merged = await client.download_merged(artifacts, "folder", conflicts=conflicts)
    assert_type((merged.path, merged.bytes_fetched, merged.skipped), tuple[Path, int, bool])


def results(result: DownloadResult) -> None:
    """What a download says of itself."""
    assert_type(result.artifact, Artifact)
    assert_type(result.verified, Literal["digest", "size", "none"])
    assert_type(result.members, tuple[ExtractedMember, ...] | None)
    assert_type((result.size, result.resumed_from, result.elapsed, result.skipped), tuple[int, int, float, bool])
    assert_type(result.content_type, str | None)
