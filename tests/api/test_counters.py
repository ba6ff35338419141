"""The numbers behind ``client.statistics``: what is counted when, and that a snapshot stays as it is."""

from __future__ import annotations

import asyncio
import logging
import pickle
from typing import TYPE_CHECKING

import attrs
import pytest

from gh_artifacts_async import ArtifactRef, Limits, Pacing, RateLimitError, ServerError, Statistics, StorageError
from gh_artifacts_async.api.auth import StaticToken
from gh_artifacts_async.api.counters import Counters
from tests.kits.api import Source
from tests.kits.transfer import (
    INLINE_SIZE,
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    Seen,
    add,
    client_for,
    fetch,
    fetch_all,
    fill,
    get,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub


def test_counters_and_statistics_have_the_same_numbers():
    """Each attribute of Statistics is counted, and starts from nothing."""
    assert sorted(Counters.__slots__) == sorted(attrs.fields_dict(Statistics))
    assert Counters().snapshot() == Statistics()


def test_a_snapshot_does_not_change():
    """It is a value: what is counted later is in the next one. It compares, hashes and travels."""
    counters = Counters()
    counters.retry("api", ServerError("x", status=500))
    counters.pause("primary", 10)
    before = counters.snapshot()
    counters.retry("api", ServerError("x", status=500))
    counters.retry("storage", TimeoutError())
    counters.pause("primary", 2.5)
    counters.bytes_fetched += 7
    assert before == Statistics(
        retries={"api/ServerError": 1}, pauses={"primary": 1}, paused_seconds={"primary": 10}, bytes_fetched=0
    )
    after = counters.snapshot()
    assert after.retries == {"api/ServerError": 2, "storage/TimeoutError": 1}
    assert (after.pauses, after.paused_seconds) == ({"primary": 2}, {"primary": 12.5})
    assert pickle.loads(pickle.dumps(after)) == after  # noqa: S301  our own bytes
    assert len({before, after, counters.snapshot()}) == 2
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        before.api_requests = 3  # type: ignore[misc]


@pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])
async def test_a_download(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, size: int) -> None:
    """Requests are as many as the server saw, bytes as many as it sent, whichever way they took."""
    assert client.statistics == Statistics()
    artifact = (await fetch(client, add(github, size=size), tmp_path)).artifact
    expected = Statistics(api_requests=2, storage_requests=1, bytes_fetched=size, artifacts_done=1)
    assert client.statistics == expected
    await client.download(artifact, tmp_path, if_exists="skip")
    assert client.statistics == attrs.evolve(expected, artifacts_skipped=1)
    assert len(github.requests_to("api")) == 2
    await client.aclose()
    assert client.statistics.artifacts_done == 1


@pytest.mark.github_com("ranges")
async def test_bytes_of_attempts_that_failed(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What arrived before a cut is counted, and what is fetched after it; the retry by the error that caused it."""
    artifact_id = add(github, size=WORKER_SIZE)
    github.faults.cut(artifact_id, at=WORKER_SIZE // 2)
    github.faults.status(artifact_id, 502, where="api")
    await fetch(client, artifact_id, tmp_path)
    found = client.statistics
    assert found.retries == {"api/ServerError": 1, "storage/ConnectionFailedError": 1}
    assert found.bytes_fetched == WORKER_SIZE
    assert found.api_requests == len(github.requests_to("api"))
    assert found.storage_requests == len(github.requests_to("storage")) == 2


@pytest.mark.github_com("digest")
async def test_wrong_bytes_count_twice(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An artifact that was fetched a second time for its digest's sake is one retry."""
    artifact_id = add(github, size=WORKER_SIZE)
    github.faults.corrupt(artifact_id)
    await fetch(client, artifact_id, tmp_path)
    assert client.statistics.retries == {"storage/DigestMismatchError": 1}
    assert client.statistics.bytes_fetched == 2 * WORKER_SIZE


async def test_redirects_of_storage(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Each hop is a request."""
    artifact_id = add(github)
    signed = await client.get_download_url(REPO, artifact_id)
    github.faults.redirect(artifact_id, signed.url, where="storage")
    with pytest.raises(Exception, match="redirect"):
        await fetch(client, artifact_id, tmp_path)
    assert client.statistics.storage_requests == len(github.requests_to("storage"))
    assert client.statistics.artifacts_failed == 1


async def test_failed_and_cancelled(github: FakeGitHub, tmp_path: Path) -> None:
    """A failure is counted, whatever else succeeds; a download that is cancelled is none."""
    first, second, third = fill(github, 3)
    github.faults.status(first, 403, times=None, where="storage")
    github.faults.stall(third, at=10, times=None)
    async with client_for(github) as client:
        outcomes = await fetch_all(client, [ArtifactRef(REPO, first), ArtifactRef(REPO, second)], tmp_path)
        assert sorted(outcome.ok for outcome in outcomes) == [False, True]
        assert any(isinstance(outcome.error, StorageError) for outcome in outcomes)
        task = asyncio.create_task(client.download(ArtifactRef(REPO, third), tmp_path))
        while len(github.requests_to("storage")) < 3:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        found = client.statistics
    assert (found.artifacts_done, found.artifacts_failed, found.artifacts_skipped) == (1, 1, 0)


async def test_a_remote_archive(github: FakeGitHub, client: ArtifactsClient) -> None:
    """Ranges of an archive that stays remote count as any other bytes, and so do their retries."""
    artifact_id = add(github, files={"a.txt": b"a" * 1000})
    github.faults.status(artifact_id, 503, where="storage")
    async with client.open_archive(await get(client, artifact_id)) as archive:
        await archive.read("a.txt")
        assert client.statistics.bytes_fetched == archive.bytes_fetched > 0
        assert client.statistics.storage_requests == archive.requests
    assert client.statistics.retries == {"storage/StorageError": 1}


async def test_a_pause(github: FakeGitHub, tmp_path: Path) -> None:
    """A limit is counted by its kind, with the seconds; a pause that would be too long is none."""
    artifact_id = add(github)
    github.faults.secondary_limit(None, times=1, retry_after=90)
    github.faults.rate_limit(None, times=1, reset_in=3000)
    async with client_for(github) as client:
        with pytest.raises(RateLimitError):
            await fetch(client, artifact_id, tmp_path)
        found = client.statistics
    assert (found.pauses, found.paused_seconds) == ({"secondary": 1}, {"secondary": 90})


async def test_a_token_that_is_renewed(github: FakeGitHub) -> None:
    """The request that is sent again with another token is a retry."""
    artifact_id = add(github)
    github.tokens = {"new"}
    async with client_for(github, Source("old", "new")) as client:
        await get(client, artifact_id)
        assert client.statistics.retries == {"api/AuthenticationError": 1}
    async with client_for(github, StaticToken("new")) as client:
        await get(client, artifact_id)
        assert client.statistics == Statistics(api_requests=1)


async def test_pacing(github: FakeGitHub, caplog: pytest.LogCaptureFixture) -> None:
    """The time for which calls were held back is counted, told and logged; a pause is no pacing."""
    artifact_id, seen = add(github), Seen()
    github.faults.secondary_limit(None, times=1, retry_after=5)
    limits = Limits(points_per_minute=3)
    with caplog.at_level(logging.INFO, logger="gh_artifacts_async"):
        async with client_for(github, limits=limits, observer=seen) as client:
            for _ in range(4):
                await get(client, artifact_id)
    assert client.statistics.paced_seconds == pytest.approx(60, abs=7)
    assert client.statistics.paused_seconds == {"secondary": 5}
    held = [event.seconds for event in seen.of(Pacing)]
    assert held[0] == pytest.approx(55, abs=7)
    assert f"requests are held back for {held[0]:.1f} s: the points of this minute are spent" in caplog.text
    assert client.statistics.api_requests == len(github.requests) == 5
