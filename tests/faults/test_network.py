"""Names, connections, slow lines, limits and clocks: what happens outside a body, on the jumping clock."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import aiohttp.abc
import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    ConnectionFailedError,
    DestinationExistsError,
    PrimaryRateLimitError,
    RateLimitError,
    RateLimitPause,
    RequestTimeoutError,
    RetryPolicy,
    SlowTransferError,
    StorageError,
    Timeouts,
    TransferResumed,
    TransferURLRenewed,
)
from gh_artifacts_async.api import session as api_session
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub
from gh_artifacts_async.transfer.disk import writer
from gh_artifacts_async.transfer.storage import retrieval
from tests.kits.processes import MIB
from tests.kits.profiles import verified
from tests.kits.transfer import (
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    Seen,
    add,
    client_for,
    fetch,
    get,
    leave_part,
    names,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


# --- 3, 4, 5: silence and slowness ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [118, 20_000, WORKER_SIZE])
@pytest.mark.parametrize("fault", ["stall", "slow_headers", "status"])
async def test_row_03_05_the_time_before_counts_once(github: FakeGitHub, tmp_path: Path, fault: str, size: int) -> None:
    """After a silence, or a wait that storage asked for, the first bytes of the next connection are not too slow."""
    it = add(github, size=size)
    github.faults.no_length(it, times=None)
    seen = Seen()
    async with client_for(github, observer=seen) as client:
        if fault == "stall":
            github.faults.stall(it, at=size // 2)
        else:
            github.faults.cut(it, at=size // 2)
            more: Any = {"code": 503, "headers": {"Retry-After": "100"}} if fault == "status" else {}
            getattr(github.faults, fault)(it, **more)
        github.faults.drip(it, chunk=50, interval=0.005, at=size - 50)
        await fetch(client, it, tmp_path)
    requests = github.requests_to("storage")
    assert len(requests) == (2 if fault == "stall" else 3)
    assert len(seen.of(TransferResumed)) == len(requests) - 1
    assert (tmp_path / "docs.zip").read_bytes() == github.content(it)


@pytest.mark.github_com("ranges")
async def test_row_04_a_few_bytes_from_each_connection(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """Connections that each bring a few bytes and then fall silent do not count as progress: they come to an end."""
    it = add(github)
    for at in range(10, 1000, 10):
        github.faults.stall(it, at=at)
    began = asyncio.get_running_loop().time()
    with pytest.raises((RequestTimeoutError, SlowTransferError)):
        await fetch(client, it, tmp_path)
    assert asyncio.get_running_loop().time() - began < 6 * 30 + 60
    assert len(github.requests_to("storage")) == 6
    assert len(parts(tmp_path)) == 1


# --- 6, 7: limits ---------------------------------------------------------------------------------------------------


def in_five_seconds(github: FakeGitHub) -> str:
    """Return that time as GitHub would write it."""
    return format_datetime((github.clock.now() + timedelta(seconds=5)).replace(microsecond=0), usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [("2", 2, 3), (in_five_seconds, 4, 6), (None, 60, 62), ("-5", 60, 62), ("soon", 60, 62)],
    ids=["seconds", "date", "absent", "negative", "nonsense"],
)
async def test_row_06_429_of_the_api(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, retry_after: Any, least: float, most: float
) -> None:
    """A 429 is waited out for as long as it says, a minute where it says nothing that makes sense."""
    it = add(github)
    artifact = await get(client, it)
    asked = retry_after(github) if callable(retry_after) else retry_after
    github.faults.secondary_limit(it, retry_after=asked, status=429, endpoint="download-artifact")
    began = asyncio.get_running_loop().time()
    result = await client.download(artifact, tmp_path)
    assert least <= asyncio.get_running_loop().time() - began <= most
    assert result.verified == verified()
    assert names(tmp_path) == {"docs.zip"}


async def test_row_06_429_without_end(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A wait beyond all patience is the error at once, which says when to come back; nothing is on the disk."""
    it = add(github)
    artifact = await get(client, it)
    github.faults.secondary_limit(it, retry_after=10**9, status=429, endpoint="download-artifact")
    began = asyncio.get_running_loop().time()
    with pytest.raises(RateLimitError) as caught:
        await client.download(artifact, tmp_path)
    assert asyncio.get_running_loop().time() - began < 2
    assert caught.value.retry_after == 10**9
    assert names(tmp_path) == set()


@pytest.mark.parametrize("retry_after", [None, 90])
async def test_row_07_secondary_limit(github: FakeGitHub, tmp_path: Path, retry_after: int | None) -> None:
    """A 403 of a secondary limit is no lack of permission: all transfers wait a minute, or as long as it says, once."""
    ids = [add(github, f"docs-{number}", size=20_000) for number in range(8)]
    seen = Seen()
    async with client_for(github, observer=seen) as client:
        artifacts = [await get(client, it) for it in ids]
        github.faults.secondary_limit(None, retry_after=retry_after, endpoint="download-artifact", times=4)
        began = asyncio.get_running_loop().time()
        async with client.download_many(artifacts, tmp_path) as outcomes:
            assert all([outcome.ok async for outcome in outcomes])
    wait = retry_after or 60
    assert wait <= asyncio.get_running_loop().time() - began <= wait + 3
    assert len(seen.of(RateLimitPause)) == 1
    assert names(tmp_path) == {f"docs-{number}-{it}.zip" for number, it in enumerate(ids)}


@pytest.mark.parametrize("skew", [0, 3600, -3600])
async def test_row_07_31_primary_limit_and_a_wrong_clock(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skew: float
) -> None:
    """Nothing remains until the reset: the wait is counted on the server's clock, however wrong ours is."""
    it = add(github)
    artifact = await get(client, it)
    wrong_clock(monkeypatch, skew)
    github.faults.rate_limit(it, reset_in=300, times=None, endpoint="download-artifact")
    began = asyncio.get_running_loop().time()
    result = await client.download(artifact, tmp_path)
    assert 298 <= asyncio.get_running_loop().time() - began <= 304
    assert result.path.read_bytes() == github.content(it)


async def test_row_07_limit_beyond_patience(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Nothing remains for longer than the patience: PrimaryRateLimitError at once, with the time to come back."""
    it = add(github)
    artifact = await get(client, it)
    github.faults.rate_limit(it, reset_in=3000, endpoint="download-artifact")
    with pytest.raises(PrimaryRateLimitError) as caught:
        await client.download(artifact, tmp_path)
    assert caught.value.retry_after == pytest.approx(3000, abs=2)
    assert names(tmp_path) == set()


def wrong_clock(monkeypatch: pytest.MonkeyPatch, skew: float) -> None:
    """Let this machine's wall clock be wrong."""
    real = time.time
    for module in (api_session, retrieval):
        monkeypatch.setattr(module, "utcnow", lambda: datetime.now(UTC) + timedelta(seconds=skew))
    monkeypatch.setattr(time, "time", lambda: real() + skew)


@pytest.mark.parametrize("skew", [3600, -3600])
async def test_row_31_clock_that_jumps(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skew: float
) -> None:
    """A wall clock that jumps in the middle of a body changes no limit, no wait and no life of a signed URL."""
    it = add(github)
    github.faults.stall(it, at=WORKER_SIZE // 2)
    seen = Seen()
    async with client_for(github, observer=seen) as client:
        artifact = await get(client, it)
        loop = asyncio.get_running_loop()
        began = loop.time()
        loop.call_later(10, wrong_clock, monkeypatch, skew)
        result = await client.download(artifact, tmp_path)
        assert 30 <= loop.time() - began <= 32
        assert 30 <= result.elapsed <= 32
    assert not seen.of(TransferURLRenewed)
    assert result.path.read_bytes() == github.content(it)


# --- 8, 9: signed URLs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [20_000, RECEIVER_SIZE])
async def test_row_08_urls_that_live_a_second(tmp_path: Path, size: int) -> None:
    """A URL that has expired before storage is asked is signed anew; storage never sees the token."""
    async with FakeGitHub(url_ttl=1) as github, client_for(github) as client:
        it = add(github, size=size)
        artifact = await get(client, it)
        github.faults.slow_headers(it, where="api", seconds=5)  # the answer with the URL is on its way that long
        result = await client.download(artifact, tmp_path)
        assert result.path.read_bytes() == github.content(it)
        assert [record.status for record in github.requests_to("storage")] == [403, 200]
        assert not [record for record in github.requests_to("storage") if "Authorization" in record.headers]


# --- 11: a range beyond the end -------------------------------------------------------------------------------------


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("beyond", [1, 100_000])
async def test_row_11_part_that_is_too_long(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, beyond: int
) -> None:
    """A part longer than the whole, of which nobody knew the length, is found out by 416 and begun anew."""
    it = add(github)
    github.faults.no_length(it, framing="chunked")
    part = await leave_part(github, it, tmp_path, WORKER_SIZE // 2)
    part.write_bytes(github.content(it) + b"x" * beyond)
    github.forget_requests()
    result = await fetch(client, it, tmp_path)
    assert [record.status for record in github.requests_to("storage")][:1] == [416]
    assert result.resumed_from == 0
    assert result.path.read_bytes() == github.content(it)
    assert names(tmp_path) == {"docs.zip"}


# --- 13: a wrong 206 for ever ---------------------------------------------------------------------------------------


async def test_row_13_wrong_range_for_ever(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A 206 of another place is never written; after the tries it is an error, and an older file stays."""
    it = add(github)
    (tmp_path / "docs.zip").write_bytes(b"older")
    github.faults.cut(it, at=WORKER_SIZE // 2, times=None)
    github.faults.wrong_content_range(it, f"bytes 7-{WORKER_SIZE - 1}/{WORKER_SIZE}", times=None)
    with pytest.raises((StorageError, ConnectionFailedError)):
        await fetch(client, it, tmp_path, if_exists="replace")
    assert (tmp_path / "docs.zip").read_bytes() == b"older"


@pytest.mark.github_com("ranges")
async def test_row_13_chunked_206(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A 206 that comes in chunks is unchunked, although its length is known from Content-Range."""
    it = add(github, size=RECEIVER_SIZE, digest=None)
    github.faults.no_length(it, times=None)
    github.faults.cut(it, at=1000)
    result = await fetch(client, it, tmp_path)
    assert [record.status for record in github.requests_to("storage")] == [200, 206]
    assert result.path.read_bytes() == github.content(it)


# --- 27: names ------------------------------------------------------------------------------------------------------


class Resolver(aiohttp.abc.AbstractResolver):
    """A resolver that fails so often."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[Any]:
        if host == "storage.example" and self.failures:
            self.failures -= 1
            raise OSError(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def named(github: FakeGitHub, failures: int) -> AsyncGenerator[ArtifactsClient]:
    """Run a client that finds storage by its name."""
    github.advertise(storage=github.storage_url.replace("127.0.0.1", "storage.example"))
    connector = aiohttp.TCPConnector(resolver=Resolver(failures), use_dns_cache=False)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        client_for(github, session=session) as client,
    ):
        yield client


async def test_row_27_name_that_flaps(github: FakeGitHub, tmp_path: Path) -> None:
    """A name that is not found for a while is tried again."""
    it = add(github)
    async with named(github, failures=4) as client:
        result = await fetch(client, it, tmp_path)
    assert result.path.read_bytes() == github.content(it)


@pytest.mark.github_com("ranges")
async def test_row_27_name_that_is_gone(github: FakeGitHub, tmp_path: Path) -> None:
    """A name that is never found is an error that says the host and no more; what had come is kept."""
    it = add(github)
    before = (await leave_part(github, it, tmp_path, WORKER_SIZE // 2)).stat().st_size
    async with named(github, failures=10**6) as client:
        with pytest.raises(ConnectionFailedError, match=r"storage\.example") as caught:
            await fetch(client, it, tmp_path)
    assert str(caught.value.host).startswith("storage.example")
    assert "sig" not in str(caught.value)
    (kept,) = parts(tmp_path)
    assert kept.stat().st_size == before


# --- 29, 30: connections --------------------------------------------------------------------------------------------


@asynccontextmanager
async def behind(github: FakeGitHub) -> AsyncGenerator[ChaosProxy]:
    """Put a proxy in front of storage."""
    async with ChaosProxy(github.storage_url) as proxy:
        github.advertise(storage=proxy.url)
        yield proxy


async def test_row_29_refused_for_a_while(github: FakeGitHub, tmp_path: Path) -> None:
    """A server that does not listen for some seconds in the middle of a body is waited for."""
    it = add(github, size=RECEIVER_SIZE)
    patient = RetryPolicy(attempts=12)  # with full jitter, the waits of six are now and then shorter than 3 s in all
    async with behind(github) as proxy, client_for(github, retry=patient) as client:
        artifact = await get(client, it)
        proxy.reset(after=RECEIVER_SIZE // 2)
        task = asyncio.create_task(client.download(artifact, tmp_path))
        while not proxy.connections:
            await asyncio.sleep(0)
        await proxy.stop_listening()
        await asyncio.sleep(3)
        await proxy.listen()
        result = await task
    assert result.path.read_bytes() == github.content(it)
    assert names(tmp_path) == {"docs.zip"}


@pytest.mark.github_com("ranges")
async def test_row_29_refused_for_ever(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A server that is gone is an error after the tries, and what had come is kept."""
    it = add(github, size=RECEIVER_SIZE)
    artifact = await get(client, it)
    async with behind(github) as proxy:
        proxy.cut(after=RECEIVER_SIZE // 2)
        proxy.refuse(times=2)
        task = asyncio.create_task(client.download(artifact, tmp_path))
        while not proxy.connections:
            await asyncio.sleep(0)
        await proxy.stop_listening()
        with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1"):
            await task
        assert len(parts(tmp_path)) == 1
        await proxy.listen()
        proxy.script.clear()
        assert (await client.download(artifact, tmp_path)).resumed_from > 0
    assert names(tmp_path) == {"docs.zip"}


@pytest.mark.parametrize("size", [200_000, RECEIVER_SIZE])
async def test_row_30_slow_line(github: FakeGitHub, tmp_path: Path, size: int) -> None:
    """A line of 8 Mbit/s is no stall and no slowness: the bytes come once, and few wait in memory."""
    it = add(github, size=size)
    async with behind(github) as proxy, client_for(github, timeouts=Timeouts(read=1.0)) as client:
        proxy.delay(0.0655)
        artifact = await get(client, it)
        began = asyncio.get_running_loop().time()
        await client.download(artifact, tmp_path)
        took = asyncio.get_running_loop().time() - began
        held = client._transfers().writer  # type: ignore[attr-defined]
        assert held.waiting == held._lent == 0
        assert sum(map(len, held._spare)) <= 2 * MIB < writer.POOL
    assert size / 2**20 * 0.9 <= took <= size / 2**20 * 3 + 1
    assert github.bytes_sent(it) == size
    assert (tmp_path / "docs.zip").read_bytes() == github.content(it)


# --- 21: names that are taken ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["file", "folder", "link", "dead link"])
async def test_row_21_destination_is_taken(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, what: str
) -> None:
    """A name that is taken, by whatever, is an error before any request, and stays as it is."""
    artifact = await get(client, add(github))
    github.forget_requests()
    place, other = tmp_path / "docs.zip", tmp_path / "other"
    if what == "folder":
        place.mkdir()
    elif what == "file":
        place.write_bytes(b"theirs")
    else:
        place.symlink_to(other)
        if what == "link":
            other.write_bytes(b"theirs")
    with pytest.raises(DestinationExistsError):
        await client.download(artifact, tmp_path)
    assert not github.requests
    assert place.is_dir() == (what == "folder")
    assert place.is_symlink() == ("link" in what)
    assert other.exists() == (what == "link")


# --- 34, 35: elsewhere ----------------------------------------------------------------------------------------------


async def test_row_34_no_request_to_elsewhere(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Storage that sends elsewhere, to itself in a circle too, is not followed: nothing arrives there."""
    from gh_artifacts_async import UnsafeRedirectError

    it = add(github)
    artifact = await get(client, it)
    async with FakeGitHub() as other:
        elsewhere = other.storage_url.replace("127.0.0.1", "localhost")
        for location in (f"{elsewhere}/x?sig=y", f"{github.storage_url}/again?sig=y", "//localhost/x", "/again"):
            github.forget_requests()
            github.faults.redirect(it, location)
            with pytest.raises(UnsafeRedirectError) as caught:
                await client.download(artifact, tmp_path)
            assert "sig=" not in str(caught.value)
            assert len(github.requests_to("storage")) == 1
        assert not other.requests
    assert names(tmp_path) == set()


async def test_row_35_token_only_to_the_api(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A next page at another host is not asked for: that host sees no request, so no token."""
    from gh_artifacts_async import UnexpectedResponseError

    for number in range(5):
        add(github, f"docs-{number}", size=1000)
    async with FakeGitHub() as other:
        github.faults.next_link(f"{other.base_url}/repositories/1/actions/artifacts?page=2", times=None)
        with pytest.raises(UnexpectedResponseError):
            [artifact async for artifact in client.list_artifacts(REPO, per_page=2)]
        assert not other.requests
