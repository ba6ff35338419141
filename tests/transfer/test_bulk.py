"""Many artifacts: bounded, an outcome each, and nothing left however the block is left."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    ArtifactRun,
    ArtifactsClient,
    AuthenticationError,
    BulkError,
    ConfigurationError,
    ConnectionFailedError,
    DestinationExistsError,
    NotFoundError,
    OutOfSpaceError,
    PrimaryRateLimitError,
    RepositoryName,
    StorageError,
    TransferBytes,
    TransferFinished,
    raise_for_failures,
)
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transfer import bulk
from gh_artifacts_async.transfer.disk import partfile
from tests.kits.transfer import (
    INLINE_SIZE,
    ONE_TRY,
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    Seen,
    add,
    client_for,
    fetch_all,
    fill,
    get,
    listed,
    names,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path


def bulk_tasks() -> list[asyncio.Task[Any]]:
    """Return the tasks of bulk calls that are alive."""
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("gh-artifacts")]


def threads() -> list[str]:
    """Return the writers' threads."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("gh-artifacts")]


async def test_all(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Every item comes out once, as what was passed in, with its file."""
    ids = fill(github, 30)
    artifacts = [*await listed(client)][:20] + [ArtifactRef(REPO, it) for it in ids[20:]]
    outcomes = await fetch_all(client, artifacts, tmp_path)
    assert {outcome.artifact for outcome in outcomes} == set(artifacts)
    assert all(outcome.ok and outcome.error is None for outcome in outcomes)
    for outcome in outcomes:
        assert outcome.value is not None
        assert outcome.value.path.read_bytes() == github.content(outcome.artifact.id)
    assert names(tmp_path) == {f"docs-{number}-{it}.zip" for number, it in enumerate(ids)}
    raise_for_failures(outcomes)
    assert not bulk_tasks()


@pytest.mark.parametrize("concurrency", [1, 3, 8])
async def test_concurrency(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, concurrency: int) -> None:
    """As many transfers as asked for are under way at once, and no more."""
    fill(github, 16)
    github.faults.slow_headers(times=None, seconds=5)
    await fetch_all(client, await listed(client), tmp_path, concurrency=concurrency)
    assert github.max_storage_concurrency == concurrency


async def test_more_at_once_than_there_are(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """No more tasks are started than there are artifacts, whatever is allowed."""
    ids = fill(github, 2)
    raise_for_failures(await fetch_all(client, await listed(client), tmp_path, concurrency=10**30))
    assert len(names(tmp_path)) == len(ids)


async def test_signed_late(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A URL is signed when its transfer begins: none gets old in a queue."""
    fill(github, 12)
    github.faults.slow_headers(times=None, seconds=20)
    await fetch_all(client, await listed(client), tmp_path, concurrency=2)
    for record in github.requests_to("storage"):
        signed = max(
            it.time
            for it in github.requests_to("api", record.artifact_id)
            if it.endpoint == "actions/download-artifact" and it.number < record.number
        )
        assert record.time - signed < 5


async def test_one_failure(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """One item's failure is its outcome; the others are not touched."""
    ids = fill(github, 5)
    github.faults.status(ids[2], 404)
    outcomes = await fetch_all(client, [*await listed(client), ArtifactRef(REPO, 1)], tmp_path)
    failed = {outcome.artifact.id: outcome.error for outcome in outcomes if not outcome.ok}
    assert set(failed) == {ids[2], 1}
    assert isinstance(failed[ids[2]], StorageError)
    assert isinstance(failed[1], NotFoundError)
    with pytest.raises(BulkError, match="2 of 6"):
        raise_for_failures(outcomes)


async def test_not_an_artifact_in_between(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Something else among the items is a failed outcome too."""
    fill(github, 1)
    outcomes = await fetch_all(client, [*await listed(client), "docs"], tmp_path)  # type: ignore[list-item]
    assert sorted(outcome.ok for outcome in outcomes) == [False, True]


@pytest.mark.parametrize("empty", [[], (), iter(()), set()])
async def test_nothing(client: ArtifactsClient, tmp_path: Path, empty: Any) -> None:
    """An empty input has no outcomes."""
    assert await fetch_all(client, empty, tmp_path) == []


async def test_iterated_again(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The outcomes are one stream; a second loop continues it, and finds its end."""
    fill(github, 3)
    async with client.download_many(await listed(client), tmp_path) as outcomes:
        seen = [await anext(outcomes)]
        seen += [outcome async for outcome in outcomes]
        seen += [outcome async for outcome in outcomes]
    assert len(seen) == 3


# --- leaving the block ----------------------------------------------------------------------------------------------


class LeaveError(Exception):
    """Is raised by a test in a block."""


async def _break(client: ArtifactsClient, artifacts: Any, folder: Path) -> None:
    async with client.download_many(artifacts, folder, concurrency=4) as outcomes:
        async for _ in outcomes:
            break


async def _raise(client: ArtifactsClient, artifacts: Any, folder: Path) -> None:
    async def fail() -> None:
        async with client.download_many(artifacts, folder, concurrency=4) as outcomes:
            async for _ in outcomes:
                raise LeaveError

    with pytest.raises(LeaveError):
        await fail()


async def _never_iterate(client: ArtifactsClient, artifacts: Any, folder: Path) -> None:
    async with client.download_many(artifacts, folder, concurrency=4):
        await asyncio.sleep(1)


async def _cancel(client: ArtifactsClient, artifacts: Any, folder: Path) -> None:
    task = asyncio.ensure_future(fetch_all(client, artifacts, folder, concurrency=4))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _time_out(client: ArtifactsClient, artifacts: Any, folder: Path) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await fetch_all(client, artifacts, folder, concurrency=4)


@pytest.mark.parametrize("leave", [_break, _raise, _never_iterate, _cancel, _time_out])
@pytest.mark.parametrize("lazily", [False, True])
async def test_leaving(github: FakeGitHub, tmp_path: Path, leave: Any, *, lazily: bool) -> None:
    """However a block is left, no task, no socket and no torn file stays, and the rest can be fetched later."""
    ids = fill(github, 3) + [add(github, f"long-{number}", size=RECEIVER_SIZE) for number in range(6)]
    for it in ids[3:]:
        github.faults.stall(it, at=RECEIVER_SIZE // 2)
    closed: list[bool] = []
    async with client_for(github) as client:
        artifacts = await listed(client)

        async def one_by_one() -> AsyncGenerator[Artifact]:
            try:
                for artifact in artifacts:
                    yield artifact
            finally:
                closed.append(True)

        await leave(client, one_by_one() if lazily else artifacts, tmp_path)
        assert closed == [True] * lazily
        assert not bulk_tasks()
        for _ in range(1000):
            if not github._journal.storage_concurrency:
                break
            await asyncio.sleep(0)
        assert not github._journal.storage_concurrency
        for name in names(tmp_path):
            if ".part" not in name:
                assert (tmp_path / name).stat().st_size in {INLINE_SIZE, RECEIVER_SIZE}
        github.faults.clear()
        outcomes = await fetch_all(client, artifacts, tmp_path)
        assert all(outcome.ok for outcome in outcomes)
        assert len(names(tmp_path)) == 9
    assert not threads()


# --- an input without end -------------------------------------------------------------------------------------------


async def test_endless_input(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An endless input is read only as fast as it is worked off; the number of tasks is flat."""
    fill(github, 1)
    (artifact,) = await listed(client)
    taken, most = 0, 0

    async def endless() -> AsyncGenerator[Artifact]:
        nonlocal taken, most
        while True:
            taken += 1
            most = max(most, len(bulk_tasks()))
            yield artifact

    async with client.download_many(endless(), tmp_path, concurrency=4) as outcomes:
        count = 0
        async for outcome in outcomes:
            assert outcome.ok or isinstance(outcome.error, DestinationExistsError)
            count += 1
            assert taken <= count + 2 * 4 + 1
            if count == 200:
                break
    assert most <= 5


async def test_nobody_takes_the_outcomes(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """While nobody takes the outcomes, no more is fetched than has its place in the queue."""
    fill(github, 40)
    artifacts = await listed(client)
    async with client.download_many(iter(artifacts), tmp_path, concurrency=4) as outcomes:
        await asyncio.sleep(60)
        assert len(github.requests_to("storage")) <= 8
        assert len([outcome async for outcome in outcomes]) == 40


async def test_error_of_the_input(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An error of the input is raised after everything that was started has come out."""
    fill(github, 6)
    artifacts = await listed(client)

    async def failing() -> AsyncGenerator[Artifact]:
        for artifact in artifacts[:5]:
            yield artifact
        raise LeaveError

    def failing_too() -> Iterator[Artifact]:
        yield from artifacts[:5]
        raise LeaveError

    async def collect(given: Any, seen: list[Any]) -> None:
        async with client.download_many(given, tmp_path / str(id(given)), concurrency=2) as outcomes:
            async for outcome in outcomes:
                seen.append(outcome)  # noqa: PERF401 - what came before the error counts

    for given in (failing(), failing_too()):
        seen: list[Any] = []
        with pytest.raises(LeaveError):
            await collect(given, seen)
        assert len(seen) == 5
        assert all(outcome.ok for outcome in seen)


async def test_error_when_the_input_is_closed(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An error of the input's own clean-up is an error of the input."""
    ids = fill(github, 6)
    github.faults.status(ids[0], 401, where="api", endpoint="download-artifact")
    artifacts = await listed(client)

    async def failing() -> AsyncGenerator[Artifact]:
        try:
            for artifact in artifacts:
                yield artifact
        finally:
            raise LeaveError

    with pytest.raises(LeaveError):
        await fetch_all(client, failing(), tmp_path, concurrency=1)


async def test_listing_as_input(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The usual input is a listing; its errors come out as those of any input."""
    fill(github, 7)
    outcomes = await fetch_all(client, client.list_artifacts(REPO, per_page=3), tmp_path)
    assert len(outcomes) == 7
    with pytest.raises(NotFoundError):
        await fetch_all(client, client.list_artifacts("octo-org/absent"), tmp_path)


# --- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{"layout": "{nonsense}"}, {"concurrency": 0}, {"concurrency": "8"}, {"if_exists": "maybe"}, {"layout": 7}],
)
async def test_arguments(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, options: Any) -> None:
    """Arguments that cannot be right are a ConfigurationError before any request."""
    fill(github, 1)
    artifacts = await listed(client)
    github.forget_requests()
    with pytest.raises(ConfigurationError):
        await fetch_all(client, artifacts, tmp_path, **options)
    for wrong in (artifacts[0], ArtifactRef(REPO, 7), "docs", b"docs", None):
        with pytest.raises(ConfigurationError, match="iterable of artifacts"):
            await fetch_all(client, wrong, tmp_path)
    assert not github.requests


async def test_no_token(github: FakeGitHub, tmp_path: Path) -> None:
    """Without a token nothing is begun."""
    async with client_for(github, None) as client:
        with pytest.raises(ConfigurationError, match="needs a token"):
            client.download_many([], tmp_path)


async def test_directory_is_a_file(client: ArtifactsClient, tmp_path: Path) -> None:
    """A file in the directory's place is an error of the call itself."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DestinationExistsError):
        client.download_many([], tmp_path / "file")


# --- failures that everyone would meet ------------------------------------------------------------------------------


def _stop_by_token(github: FakeGitHub, it: int, _: pytest.MonkeyPatch) -> type[Exception]:
    github.faults.status(it, 401, times=None, where="api", endpoint="download-artifact")
    return AuthenticationError


def _stop_by_limit(github: FakeGitHub, it: int, _: pytest.MonkeyPatch) -> type[Exception]:
    github.faults.rate_limit(it, times=None, reset_in=3000, endpoint="download-artifact")
    return PrimaryRateLimitError


def _stop_by_disk(_: FakeGitHub, it: int, monkeypatch: pytest.MonkeyPatch) -> type[Exception]:
    real = os.open

    def full(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if f".{it}." in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, flags, *more, **named)

    monkeypatch.setattr(partfile.os, "open", full)
    return OutOfSpaceError


STOPS = pytest.mark.parametrize("stop", [_stop_by_token, _stop_by_limit, _stop_by_disk])


@STOPS
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_stops_a_collection(
    github: FakeGitHub,
    client: ArtifactsClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: Any,
    concurrency: int,
) -> None:
    """Of a collection all that is left gets the error as its outcome, without a request."""
    ids = fill(github, 20)
    artifacts = await listed(client)
    github.forget_requests()
    error = stop(github, ids[4], monkeypatch)
    outcomes = await fetch_all(client, artifacts, tmp_path, concurrency=concurrency)
    assert len(outcomes) == 20
    failed = [outcome for outcome in outcomes if not outcome.ok]
    assert {type(outcome.error) for outcome in failed} == {error}
    assert 20 - 4 - concurrency <= len(failed) <= 20 - 4 + concurrency
    asked = {record.artifact_id for record in github.requests}
    assert not asked & set(ids[5 + concurrency :])


@STOPS
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_stops_an_iterator(
    github: FakeGitHub,
    client: ArtifactsClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: Any,
    concurrency: int,
) -> None:
    """An iterator is not read further, and an async generator is closed; what was taken from it comes out."""
    ids = fill(github, 20)
    artifacts = await listed(client)
    error = stop(github, ids[4], monkeypatch)
    taken: list[int] = []
    closed: list[bool] = []

    async def one_by_one() -> AsyncGenerator[Artifact]:
        try:
            for artifact in artifacts:
                taken.append(artifact.id)
                await asyncio.sleep(1)
                yield artifact
        finally:
            closed.append(True)

    async with client.download_many(one_by_one(), tmp_path, concurrency=concurrency) as outcomes:
        seen = [outcome async for outcome in outcomes]
        assert closed == [True]
    assert sorted(outcome.artifact.id for outcome in seen) == sorted(taken)
    assert ids[:5] == taken[:5]
    assert len(taken) <= 5 + 1
    assert {type(outcome.error) for outcome in seen if not outcome.ok} == {error}


# --- again ----------------------------------------------------------------------------------------------------------


@pytest.mark.github_com("ranges")
async def test_rerun(github: FakeGitHub, tmp_path: Path) -> None:
    """The same call again fetches only what is missing, and resumes where it broke."""
    ids = fill(github, 6, WORKER_SIZE)
    cut = github.faults.cut(ids[3], at=WORKER_SIZE // 2, times=None)
    async with client_for(github, retry=ONE_TRY) as client:
        artifacts = await listed(client)
        outcomes = await fetch_all(client, artifacts, tmp_path)
        assert [type(outcome.error) for outcome in outcomes if not outcome.ok] == [ConnectionFailedError]
        cut.cancel()
        github.forget_requests()
        outcomes = await fetch_all(client, artifacts, tmp_path)
        assert sum(outcome.value.skipped for outcome in outcomes if outcome.value) == 5
        assert {record.artifact_id for record in github.requests} == {ids[3]}
        (fetched,) = [outcome.value for outcome in outcomes if outcome.value and not outcome.value.skipped]
        assert fetched.resumed_from > 0
        assert fetched.path.read_bytes() == github.content(ids[3])


async def test_same_artifact_twice(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An artifact that is given several times is fetched once; the others wait for it and are skipped."""
    fill(github, 1, WORKER_SIZE)
    (artifact,) = await listed(client)
    outcomes = await fetch_all(client, [artifact, artifact, artifact], tmp_path)
    assert sorted(outcome.unwrap().skipped for outcome in outcomes) == [False, True, True]
    assert len(github.requests_to("storage")) == 1
    (name,) = names(tmp_path)
    assert (tmp_path / name).read_bytes() == github.content(artifact.id)


async def test_pause_is_shared(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A rate limit that one meets is waited for once, by all."""
    ids = fill(github, 12)
    artifacts = await listed(client)
    github.faults.secondary_limit(ids[0], retry_after=100, endpoint="download-artifact")
    began = asyncio.get_running_loop().time()
    outcomes = await fetch_all(client, artifacts, tmp_path)
    assert all(outcome.ok for outcome in outcomes)
    assert 100 <= asyncio.get_running_loop().time() - began < 130


async def test_observers(github: FakeGitHub, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The call's observer and the client's are called with every event; one that raises is only logged."""
    fill(github, 4, WORKER_SIZE)
    seen = Seen()

    def failing(_: object) -> None:
        raise LeaveError

    async with client_for(github, observer=failing) as client:
        outcomes = await fetch_all(client, await listed(client), tmp_path, observer=seen)
    assert all(outcome.ok for outcome in outcomes)
    assert len(seen.of(TransferFinished)) == 4
    assert seen.of(TransferBytes)
    assert "an observer failed" in caplog.text


async def test_artifact_without_repository(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An artifact that does not know its repository is a failed outcome."""
    it = attrs.evolve(await get(client, fill(github, 1)[0]), repository=None)
    (outcome,) = await fetch_all(client, iter([it]), tmp_path)
    assert isinstance(outcome.error, ConfigurationError)


# --- the attempt of an artifact


@pytest.mark.parametrize(
    ("run", "earlier", "created", "attempt"),
    [
        ({"run_attempt": 3, "run_started_at": "2026-07-09T14:00:00Z"}, "2026-07-09T13:00:00Z", 13, 2),
        ({"run_attempt": 3, "run_started_at": "2026-07-09T14:00:00Z"}, None, 13, None),
        ({"run_attempt": 3, "run_started_at": "2026-07-09T14:00:00Z"}, None, 14, 3),
        ({"run_attempt": 3, "run_started_at": "2026-07-09T14:00:00Z"}, None, None, None),
        ({"run_attempt": 3}, None, 13, None),
        ({"run_attempt": 1}, None, None, 1),
        ({}, None, 13, None),
    ],
)
async def test_an_attempt_that_the_server_does_not_tell(
    mocked: Any, public: Any, run: dict[str, Any], earlier: str | None, created: int | None, attempt: int | None
) -> None:
    """Without the times that it takes, the attempt is unknown, which is no error."""
    url = f"https://api.github.com/repos/{REPO}/actions/runs/9"
    mocked.get(f"{url}?exclude_pull_requests=true", payload={"id": 9, **run})
    asked = {"id": 9, "run_attempt": 2, "run_started_at": earlier}
    mocked.get(f"{url}/attempts/2?exclude_pull_requests=true", payload=asked)
    artifact = Artifact(
        id=7,
        name="docs",
        size_in_bytes=1,
        url="u",
        archive_download_url="d",
        expired=False,
        created_at=None if created is None else datetime(2026, 7, 9, created, 5, tzinfo=UTC),
        workflow_run=ArtifactRun(id=9),
        repository=RepositoryName.parse(REPO),
    )
    found = await bulk.Runs(public, "{attempt}/{name}").of(artifact)
    assert found is not None
    assert found.run_attempt == attempt
