"""Never run: what a user's type checker must make of the public API. mypy and basedpyright read it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, assert_never, assert_type

from gh_artifacts_async import (
    AppInstallationToken,
    Artifact,
    ArtifactQuery,
    ArtifactRef,
    ArtifactRetention,
    ArtifactRun,
    ArtifactsClient,
    ArtifactWatch,
    BulkError,
    CleanupPlan,
    ClientOptions,
    Digest,
    DownloadResult,
    EnvironmentToken,
    Event,
    ExtractedMember,
    ExtractionProgress,
    ExtractPolicy,
    Failure,
    GitHubCLIToken,
    Job,
    Limits,
    ListingProgress,
    MemberContent,
    MergeResult,
    MirroredArtifact,
    MirrorReport,
    NotFoundError,
    ObjectStoreError,
    Outcome,
    Pacing,
    PermissionDeniedError,
    RateLimit,
    RateLimitError,
    RateLimitPause,
    RepositoryName,
    RequestAnswered,
    RequestRetried,
    RequestSent,
    RetentionPolicy,
    RetryPolicy,
    SignedURL,
    StaticToken,
    Statistics,
    StoragePolicy,
    StoredResult,
    Success,
    Timeouts,
    TokenSource,
    TransferBytes,
    TransferChecking,
    TransferDelivered,
    TransferEvent,
    TransferFailed,
    TransferFinished,
    TransferResumed,
    TransferSigning,
    TransferStarted,
    TransferURLRenewed,
    TransferVerified,
    WorkflowRun,
    raise_for_failures,
)
from gh_artifacts_async.api import GitHubSession, get_artifact, list_artifacts_for_repo
from gh_artifacts_async.testing import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiohttp
    from obstore.store import LocalStore, S3Store

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


def phrase(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912  one for each
    """Handle every event: a class that is missing here is an error at ``assert_never``."""
    match event:
        case ListingProgress(page=page):
            return f"page {page}"
        case RateLimitPause(seconds=seconds, kind=kind) | Pacing(seconds=seconds, reason=kind):
            return f"{kind}: {seconds}"
        case RequestSent(method=method, host=host, path=path):
            return f"{method} {host}{path}"
        case RequestAnswered(status=status, request_id=request_id, remaining=remaining, error=failure):
            assert_type(event.kind, Literal["api", "storage"])
            assert_type(event.duration, float)
            return f"{status} {request_id} {remaining} {failure}"
        case RequestRetried(what=what, reason=reason, wait=wait, attempt=attempt):
            return f"{what}: {reason} {wait:.1f} {attempt}"
        case TransferChecking(artifact=artifact) | TransferSigning(artifact=artifact):
            return artifact.name
        case TransferStarted(size=size) | TransferBytes(size=size):
            return str(size)
        case TransferResumed(reason=reason) | TransferURLRenewed(reason=reason):
            return reason
        case TransferVerified(verified=verified):
            return verified
        case ExtractionProgress(members_done=done, members=members):
            return f"{done}/{members}"
        case TransferFinished(path=path):
            return str(path)
        case TransferDelivered(key=key):
            assert_type(key, str | None)
            return str(key)
        case TransferFailed(error=error):
            return str(error)
        case _:
            assert_never(event)


def phrase_by_base(event: Event) -> str:
    """Handle every event, those of transfers by their base."""
    match event:
        case TransferEvent():
            return event.artifact.name
        case ListingProgress() | RateLimitPause() | Pacing() | RequestSent() | RequestAnswered() | RequestRetried():
            return ""
        case _:
            assert_never(event)


def sources() -> list[TokenSource]:
    """Every kind of source is a TokenSource."""
    app = AppInstallationToken(7, b"key", org="octo-org", permissions={"actions": "read"}, repositories=["octo-docs"])
    return [OwnToken(), StaticToken("t"), EnvironmentToken("GH_TOKEN"), GitHubCLIToken(None), app]


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
    assert_type(client.list_run_jobs(repo, 7, limit=3), AsyncGenerator[Job, None])
    assert_type(client.list_repositories("octo-org", limit=3), AsyncGenerator[RepositoryName, None])
    assert_type(await client.get_artifact_retention("o/r"), ArtifactRetention)
    await client.set_artifact_retention("o/r", 30)
    assert_type(client.rate_limit, RateLimit | None)
    assert_type(client.statistics, Statistics)
    assert_type(client.statistics.retries, Mapping[str, int])
    client.statistics.retries["api/ServerError"] = 0  # type: ignore[index]  # pyright: ignore[reportIndexIssue]


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


def by_ok(outcome: Outcome[DownloadResult]) -> Exception | Path:
    """``if outcome.ok`` narrows for mypy; pyright narrows by the truth of an attribute in no union, by design."""
    if outcome.ok:
        assert_type(outcome, Success[DownloadResult])  # pyright: ignore[reportAssertTypeFailure]
        return outcome.unwrap().path
    assert_type(outcome.error, Exception)  # pyright: ignore[reportAssertTypeFailure]
    return ValueError()


def by_identity(outcome: Outcome[DownloadResult]) -> Exception | Path:
    """``is True`` narrows for both."""
    if outcome.ok is True:
        assert_type(outcome, Success[DownloadResult])
        assert_type(outcome.error, None)
        return outcome.value.path
    assert_type(outcome, Failure)
    assert_type(outcome.value, None)
    return outcome.error


def by_value(outcome: Outcome[DownloadResult]) -> Exception | Path:
    """So does asking for the value, or for the error."""
    if outcome.error is None:
        assert_type(outcome, Success[DownloadResult])
    if outcome.value is not None:
        return outcome.value.path
    return outcome.error


def by_class(outcome: Outcome[DownloadResult]) -> Exception | Path:
    """``match`` is exhaustive with both classes; ``isinstance`` narrows too."""
    if isinstance(outcome, Failure):
        assert_type(outcome.artifact, Artifact | ArtifactRef)
    match outcome:
        case Success(value=result):
            return result.path
        case Failure(error=error):
            return error
        case _:
            assert_never(outcome)


async def waits(client: ArtifactsClient) -> None:
    """Waits and watches."""
    assert_type(await client.wait_for_artifact("o/r", "docs", timeout=60), Artifact)
    assert_type(await client.wait_for_artifacts("o/r", ["a", "b"], run_id=7, timeout=60), dict[str, Artifact])
    assert_type(await client.wait_for_run("o/r", 7, timeout=60, interval=5), WorkflowRun)
    async with client.watch("o/r", name="docs", since=datetime(2026, 1, 1, tzinfo=UTC)) as watch:
        assert_type(watch, ArtifactWatch)
        async for artifact in watch:
            assert_type(artifact, Artifact)
            assert_type(watch.cursor, str)
    await client.watch("o/r", since=watch.cursor, interval=30).aclose()
    await client.wait_for_run("o/r", 7)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def unwrapped(outcome: Outcome[DownloadResult], success: Success[DownloadResult]) -> None:
    """Unwrapping needs no narrowing; an outcome of a class is one of its base class."""
    assert_type(outcome.unwrap(), DownloadResult)
    assert_type(success.ok, Literal[True])
    wider: Outcome[object] = outcome
    raise_for_failures([wider, success])


def options(timeouts: Timeouts) -> list[ArtifactsClient]:
    """The constructor's arguments as a value."""
    given: ClientOptions = {"token": "t", "timeouts": timeouts}
    ArtifactsClient.from_env(tokn="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ArtifactsClient.from_env(timeouts=3.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return [ArtifactsClient(**given), ArtifactsClient.from_env(None, **given)]


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


async def selection(client: ArtifactsClient) -> None:
    """A question gives artifacts, or a plan."""
    query = ArtifactQuery(workflow="ci.yml", names=["a", "b*"], since=None, duplicates="all")
    assert_type(query.names, tuple[str, ...])
    found = client.find_artifacts("o/r", query)
    assert_type(found, AsyncGenerator[Artifact, None])
    plan = await client.explain("o/r", query)
    assert_type(plan.artifacts, tuple[Artifact, ...])
    assert_type([one.reason for one in plan.requests], list[str])
    for left in plan.left_out:
        assert_type(left.candidate, Artifact | WorkflowRun)


async def cleanups(client: ArtifactsClient, artifact: Artifact) -> None:
    """Plans, their application, and usage."""
    policy = RetentionPolicy(older_than=timedelta(days=30), names="wheel-*", protect_branches=["main"])
    assert_type(policy.names, tuple[str, ...])
    plan = await client.plan_cleanup("o/r", policy)
    assert_type(plan, CleanupPlan)
    assert_type([planned.reason for planned in plan.delete], list[str])
    assert_type(plan.bytes_freed, int)
    async with client.apply_cleanup(plan, max_age=None) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Outcome[None])
    client.apply_cleanup(CleanupPlan.of([artifact, ArtifactRef("o/r", 7)]), max_age=60)
    usage = await client.storage_usage(RepositoryName("o", "r"))
    assert_type([entry.label for entry in usage.by_name], list[str | None])
    assert_type(usage.bytes, int)


async def mirrors(client: ArtifactsClient, watch: Observer) -> None:
    """A mirror's report has typed entries and failures."""
    report = await client.mirror(
        RepositoryName("o", "r"),
        Path("backup"),
        query=ArtifactQuery(branch="main"),
        layout=lambda artifact: f"{artifact.id}",
        prune=True,
        verify=True,
        extract=ExtractPolicy(),
        link=False,
        durable=True,
        concurrency=2,
        observer=watch,
    )
    assert_type(report, MirrorReport)
    assert_type([entry.path for entry in report.fetched], list[PurePosixPath])
    assert_type([failure.error for failure in report.failed], list[Exception])
    assert_type(report.removed, tuple[MirroredArtifact, ...])
