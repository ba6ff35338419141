"""The proxy that harms connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from gh_artifacts_async.testing import ChaosProxy, FakeGitHub, FakeRun

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.kits.probe import Probe

SIZE = 200_000


@pytest.fixture
def artifact(github: FakeGitHub, run: FakeRun) -> int:
    """An artifact."""
    return github.add_artifact(run, "Rails", size=SIZE)


@pytest.fixture
async def proxy(github: FakeGitHub) -> AsyncGenerator[ChaosProxy]:
    """A proxy before the storage host, to which signed URLs lead."""
    async with ChaosProxy(github.storage_url) as chaos:
        github.advertise(storage=chaos.url)
        yield chaos


async def test_what_passes_is_unharmed(github: FakeGitHub, probe: Probe, proxy: ChaosProxy, artifact: int) -> None:
    """Without a script everything passes, and is counted."""
    got = await probe.fetch(artifact)
    assert got.body == github.content(artifact)
    assert proxy.connections[0].down > SIZE
    assert proxy.connections[0].up > 100


async def test_both_hosts_can_be_behind_proxies(github: FakeGitHub, probe: Probe, run: FakeRun) -> None:
    """The fake advertises the proxies' origins in place of its own."""
    for number in range(2):
        github.add_artifact(run, str(number))
    async with ChaosProxy(("127.0.0.1", int(github.base_url.rpartition(":")[2]))) as proxy:
        github.advertise(api=proxy.url)
        assert github.base_url == proxy.url
        got = await probe.api("/actions/artifacts?per_page=1")
        assert got.headers["Link"].startswith(f"<{proxy.url}/repositories/")


@pytest.mark.parametrize("how", ["cut", "reset"])
async def test_cut_and_reset(github: FakeGitHub, probe: Probe, proxy: ChaosProxy, artifact: int, how: str) -> None:
    """The connection ends after exactly so many bytes, once."""
    getattr(proxy, how)(after=50_000)
    got = await probe.fetch(artifact)
    assert isinstance(got.error, aiohttp.ClientPayloadError)
    assert proxy.connections[0].down == 50_000
    assert github.content(artifact).startswith(got.body)
    assert (await probe.fetch(artifact)).error is None


async def test_at_once(probe: Probe, proxy: ChaosProxy, artifact: int) -> None:
    """A connection is refused as it stands, or ends before the first byte either way."""
    proxy.refuse()
    proxy.cut()
    proxy.cut(after=10, direction="up")
    for _ in range(3):
        with pytest.raises(aiohttp.ClientConnectionError):
            await probe.fetch(artifact)
    assert (await probe.fetch(artifact)).status == 200


async def test_stall(probe: Probe, proxy: ChaosProxy, artifact: int) -> None:
    """A connection stands still for a while."""
    proxy.stall(after=5000, seconds=100)
    begun = asyncio.get_running_loop().time()
    assert len((await probe.fetch(artifact)).body) == SIZE
    assert 100 <= asyncio.get_running_loop().time() - begun < 110


async def test_drip_and_delay(probe: Probe, proxy: ChaosProxy, artifact: int) -> None:
    """A connection is slow, in small pieces or in large ones; a gap in the script is unharmed."""
    loop = asyncio.get_running_loop()
    proxy.pass_by()
    proxy.drip(chunk=10_000, interval=1.0)
    slow = proxy.delay(3.0)
    seconds = []
    for _ in range(3):
        begun = loop.time()
        assert len((await probe.fetch(artifact)).body) == SIZE
        seconds.append(loop.time() - begun)
    assert seconds[0] < 1
    assert 20 <= seconds[1] < 25
    assert seconds[2] >= 9
    slow.cancel()
    begun = loop.time()
    await probe.fetch(artifact)
    assert loop.time() - begun < 1


async def test_not_listening(probe: Probe, proxy: ChaosProxy, artifact: int) -> None:
    """While it does not listen, connections are refused; then it listens again where it was."""
    port = proxy.port
    await proxy.stop_listening()
    with pytest.raises(aiohttp.ClientConnectorError):
        await probe.fetch(artifact)
    await proxy.listen()
    await proxy.listen()
    assert proxy.port == port
    assert (await probe.fetch(artifact)).status == 200


async def test_a_server_that_is_gone(probe: Probe, proxy: ChaosProxy, github: FakeGitHub, artifact: int) -> None:
    """Without a server behind it, the proxy drops connections."""
    url = await probe.sign(artifact)
    await github.aclose()
    with pytest.raises(aiohttp.ClientConnectionError):
        await probe.get(url)
    assert len(proxy.connections) == 1


async def test_leaving_ends_what_is_under_way(github: FakeGitHub, probe: Probe, artifact: int) -> None:
    """The proxy leaves no connection behind, stalled ones neither."""
    async with ChaosProxy(github.storage_url) as proxy:
        github.advertise(storage=proxy.url)
        proxy.stall(after=5000, times=None)
        fetch = asyncio.ensure_future(probe.fetch(artifact))
        while not (proxy.connections and proxy.connections[0].down == 5000):
            await asyncio.sleep(0)
    got = await fetch
    assert got.error is not None


async def test_a_client_that_leaves(github: FakeGitHub, probe: Probe, proxy: ChaosProxy, artifact: int) -> None:
    """A client that goes away in the middle does no harm."""
    proxy.delay(1.0)
    async with probe.session.get(await probe.sign(artifact)) as response:
        assert await response.content.readany()
    proxy.script.clear()
    assert (await probe.fetch(artifact)).body == github.content(artifact)


def test_urls_and_addresses() -> None:
    """A target is a URL or an address; the proxy's own URL has the target's scheme."""
    assert ChaosProxy("https://github.example").url == "https://127.0.0.1:0"
    assert ChaosProxy(("127.0.0.1", 5)).url == "http://127.0.0.1:0"


async def test_at_random(proxy: ChaosProxy) -> None:
    """A share of the connections is disrupted in one of four ways; the same seed does the same; 0 ends it."""
    proxy.at_random(0.5, seed=7)
    first = [proxy._next() for _ in range(200)]
    kinds = [it.kind for it in first]
    assert 70 < len(kinds) - kinds.count("pass") < 130
    assert set(kinds) == {"cut", "reset", "stall", "refuse", "pass"}
    assert all(0 < it.after <= 2**20 for it in first if it.kind != "pass")
    proxy.at_random(0.5, seed=7)
    assert [proxy._next().kind for _ in range(200)] == kinds
    scripted = proxy.cut(5)
    assert proxy._next() is scripted
    proxy.at_random(0)
    assert {proxy._next().kind for _ in range(20)} == {"pass"}
    for share in (-0.1, 1.1):
        with pytest.raises(ValueError, match="is not between 0 and 1"):
            proxy.at_random(share)
