"""The two hosts, from start to stop."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp
import pytest
import trustme

from gh_artifacts_async.testing import FakeGitHub, FakeRun
from gh_artifacts_async.testing.shutdown import sockets_closed
from tests.kits.probe import API_HEADERS, REPO, Probe


async def test_leaving_is_quick_and_clean(probe: Probe, github: FakeGitHub, run: FakeRun) -> None:
    """A fake that is left while it stalls ends these requests at once; leaving twice is no error."""
    artifact = github.add_artifact(run, "x", size=100_000)
    url = await probe.sign(artifact)
    github.faults.stall(at=5)
    github.faults.slow_headers(where="api", times=None)
    tasks = [asyncio.ensure_future(probe.get(url)), asyncio.ensure_future(probe.api())]
    while len(github.requests) < 3:
        await asyncio.sleep(0)
    begun = asyncio.get_running_loop().time()
    await github.aclose()
    await github.aclose()
    assert asyncio.get_running_loop().time() - begun < 2
    assert (await tasks[0]).error is not None
    with pytest.raises(aiohttp.ClientError):
        await tasks[1]


async def test_clients_may_leave(probe: Probe, github: FakeGitHub, run: FakeRun) -> None:
    """A client that goes away in the middle of a body, or waiting for one, is let go."""
    artifact = github.add_artifact(run, "x", size=5_000_000)
    url = await probe.sign(artifact)
    async with probe.session.get(url) as response:
        await response.content.readany()
    github.faults.slow_headers(seconds=5)
    with pytest.raises(TimeoutError):
        await probe.request("GET", url, timeout=aiohttp.ClientTimeout(total=1))
    await asyncio.sleep(10)
    assert (await probe.get(url)).status == 200


async def test_a_port_that_is_taken() -> None:
    """A fake that cannot have its ports leaves nothing behind."""
    async with FakeGitHub() as github:
        port = int(github.storage_url.rpartition(":")[2])
        with pytest.raises(OSError, match="Errno"):
            async with FakeGitHub(storage_port=port):
                pass


@pytest.mark.parametrize("github", ["ghes-3.8"], indirect=True)
async def test_an_appliance_lives_below_a_prefix(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """On Enterprise Server the API is below /api/v3 and nowhere else."""
    assert github.base_url.endswith("/api/v3")
    assert (await probe.api()).json["url"] == f"{github.base_url}/repos/{run.repo}"
    bare = github.base_url.removesuffix("/api/v3")
    assert (await probe.request("GET", f"{bare}/repos/{REPO}", API_HEADERS)).status == 404


async def test_tls() -> None:
    """Both hosts speak TLS when given a certificate; resets work there too."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    async with FakeGitHub(ssl_context=server) as github, Probe(github) as probe:
        artifact = github.add_artifact(github.add_run(REPO), "x", size=1000)
        assert github.base_url.startswith("https://")
        url = (await probe.api(f"/actions/artifacts/{artifact}/zip", ssl=client)).headers["Location"]
        assert url.startswith("https://")
        assert (await probe.request("GET", url, ssl=client)).body == github.content(artifact)
        github.faults.reset(at=500)
        assert (await probe.request("GET", url, ssl=client)).error is not None


async def test_leaving_over_tls() -> None:
    """A peer that never says goodbye, such as a proxy that is held up, keeps no socket of the fake open."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    async with FakeGitHub(ssl_context=server) as github:
        port = urlsplit(github.base_url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()
        (connection,) = github._runners[0].server.connections
        socket = connection.transport.get_extra_info("socket")
    assert socket.fileno() < 0
    writer.transport.abort()
    await sockets_closed([writer.transport])


async def test_ipv6() -> None:
    """A fake may listen at an IPv6 address."""
    try:
        async with FakeGitHub(host="::1") as github, Probe(github) as probe:
            github.add_run(REPO)
            assert (await probe.api()).status == 200
    except OSError:
        pytest.skip("no IPv6 here")


async def test_the_clock_can_be_set() -> None:
    """A fake lives at any time; what it makes is made then."""
    start = datetime(2026, 7, 9, 12, 0, tzinfo=UTC)
    async with FakeGitHub(now=start) as github, Probe(github) as probe:
        run = github.add_run(REPO)
        artifact = github.add_artifact(run, "x")
        got = (await probe.api(f"/actions/artifacts/{artifact}")).json
        assert (got["created_at"], got["expires_at"]) == ("2026-07-09T12:00:00Z", "2026-10-07T12:00:00Z")
        old = github.artifact(github.add_artifact(run, "x", expired=True, created_at="2026-07-01T00:00:00Z"))
        assert old.expires_at is not None
        assert old.expires_at < github.clock.now()


async def test_urls_need_a_start() -> None:
    """Outside its block the fake has no URL, and a second block in it is refused."""
    github = FakeGitHub()
    for name in ("base_url", "storage_url"):
        with pytest.raises(RuntimeError, match="use `async with FakeGitHub"):
            getattr(github, name)
    async with github:
        with pytest.raises(RuntimeError, match="this FakeGitHub is running already; make one for each block"):
            await github.__aenter__()
        assert github.base_url != github.storage_url
