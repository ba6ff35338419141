"""HAProxy and Caddy as TLS reverse proxies, as before an Enterprise Server: they buffer, compress, cut and give up."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
import pytest
from yarl import URL

from gh_artifacts_async import (
    ArtifactsClient,
    ArtifactsError,
    NotFoundError,
    RetryPolicy,
    ServerError,
    StorageError,
)
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub, make_zip, random_zip
from tests.kits.api import QUICK, TOKEN, check_silent
from tests.kits.balancers import SHORT, Balancer, balancer
from tests.kits.interop import REPO
from tests.kits.transfer import INLINE_SIZE, ONE_TRY, RECEIVER_SIZE, add, fetch, fetch_all, fill, get, listed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.realtime]

NAMES = [pytest.param(name, marks=pytest.mark.counterpart(name)) for name in ("haproxy", "caddy")]
THRICE = RetryPolicy(attempts=3, wait_initial=0.01, wait_max=0.01)
OFTEN = attrs.evolve(THRICE, attempts=8)  # a busy machine may be late as well, and so refused


@pytest.fixture(scope="module", params=NAMES)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Balancer]:
    """Run one of them."""
    with balancer(request.param, tmp_path_factory.mktemp(request.param)) as it:
        yield it


@asynccontextmanager
async def github_behind(
    proxy: Balancer, mode: str, profile: str = "github.com", *, without: str = ""
) -> AsyncGenerator[FakeGitHub]:
    """Run a GitHub that says it is where the proxy is; one host may be missing behind that."""
    ports = {"api": proxy.backends["api"], "storage": proxy.backends["storage"]}
    if without:
        ports[without] = 0
    async with FakeGitHub(profile, port=ports["api"], storage_port=ports["storage"], byte_exact_urls=True) as github:
        github.advertise(api=proxy.url(mode, "api"), storage=proxy.url(mode, "storage"))
        yield github


def client_of(github: FakeGitHub, proxy: Balancer, **settings: Any) -> ArtifactsClient:
    """Return a client that trusts the proxy's authority."""
    settings = {"token": TOKEN, "limits": QUICK, **settings}
    return ArtifactsClient(base_url=github.base_url, ca_file=proxy.authority, **settings)


# --- what they let through


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("plain", "github.com"),
        ("closing", "github.com"),
        ("gzip", "github.com"),
        ("closing", "ghes-3.4"),
        ("gzip", "ghes-3.19"),
    ],
)
async def test_download(proxy: Balancer, tmp_path: Path, mode: str, profile: str):
    """The stored bytes arrive as they are, whatever is done to JSON; an Enterprise Server's API is below /api/v3."""
    async with github_behind(proxy, mode, profile) as github, client_of(github, proxy) as client:
        assert github.base_url.startswith(proxy.url(mode, "api"))
        number = add(github, size=RECEIVER_SIZE)
        (artifact,) = await listed(client)
        result = await client.download(artifact, tmp_path)
        assert result.verified == ("digest" if profile == "github.com" else "none")
        assert result.path.read_bytes() == github.content(number)
        assert not [record for record in github.requests_to("storage") if "Authorization" in record.headers]


async def test_what_is_compressed(proxy: Balancer):
    """What asks for gzip gets it, of zips too: the other tests do not pass because nothing is compressed."""
    trust = ssl.create_default_context(cafile=str(proxy.authority))
    async with github_behind(proxy, "gzip") as github, client_of(github, proxy) as client:
        number = add(github, size=RECEIVER_SIZE)
        signed = await client.get_download_url(await get(client, number))
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            for url in (f"{github.base_url}/repos/{REPO}/actions/artifacts", URL(signed.url, encoded=True)):
                for coding in ("gzip", "identity"):
                    async with session.get(url, headers={"Accept-Encoding": coding}, ssl=trust) as response:
                        assert response.status == 200
                        assert response.headers.get("Content-Encoding", "identity") == coding
                        await response.read()  # else TLS is still being ended when the session has been closed


@pytest.mark.parametrize("mode", ["plain", "closing", "gzip"])
async def test_listing(proxy: Balancer, mode: str):
    """A thousand artifacts, page by page and four pages at once; compressed on the way, or not."""
    async with github_behind(proxy, mode) as github, client_of(github, proxy, token=TOKEN * 100) as client:
        run = github.add_run(REPO)
        added = [github.add_artifact(run, f"docs-{number}", archive=b"") for number in range(1000)]
        assert [artifact.id async for artifact in client.list_artifacts(REPO)] == added[::-1]
        assert [artifact.id async for artifact in client.list_artifacts(REPO, concurrency=4)] == added[::-1]
        assert await client.count_artifacts(REPO) == 1000


@pytest.mark.parametrize(("mode", "count"), [("plain", 100), ("closing", 40)])
async def test_many_small_ones(proxy: Balancer, tmp_path: Path, mode: str, count: int):
    """All at once, by the short way where connections stay; some are deleted afterwards."""
    async with github_behind(proxy, mode) as github, client_of(github, proxy) as client:
        fill(github, count, INLINE_SIZE)
        artifacts = await listed(client)
        outcomes = await fetch_all(client, artifacts, tmp_path, concurrency=count)
        assert {outcome.unwrap().verified for outcome in outcomes} == {"digest"}
        assert len(outcomes) == count
        for outcome in outcomes:
            assert outcome.unwrap().path.read_bytes() == github.content(outcome.artifact.id)
        for artifact in artifacts[:20]:
            await client.delete_artifact(artifact)
        with pytest.raises(NotFoundError):
            await client.delete_artifact(artifacts[0])
        assert len(await listed(client)) == count - 20


@pytest.mark.parametrize("mode", ["plain", "closing", "gzip", "weak", "suffix"])
async def test_members(proxy: Balancer, mode: str):
    """One file out of an archive, by ranges, with and without a validator that holds."""
    files = {f"{number}.bin": random_zip(500_000, number) for number in range(4)}
    async with github_behind(proxy, mode) as github, client_of(github, proxy) as client:
        number = add(github, archive=make_zip(files))
        async with client.open_archive(await get(client, number)) as archive:
            assert await archive.read("2.bin") == files["2.bin"]
            assert archive.ranged
            assert archive.bytes_fetched < len(github.content(number)) / 2


@pytest.mark.parametrize("mode", ["plain", "gzip", "suffix"])
async def test_conditional_requests(proxy: Balancer, mode: str):
    """What waits asks by the ETag that the proxy leaves; where it leaves a wrong one, it is answered in full."""
    async with github_behind(proxy, mode) as github, client_of(github, proxy) as client:
        run = github.add_run(REPO)

        async def appear() -> None:
            while len(github.requests) < 4:
                await asyncio.sleep(0.01)
            github.add_artifact(run, "docs", size=1000)

        appearing = asyncio.create_task(appear())
        found = await client.wait_for_artifact(REPO, "docs", run_id=run.id, interval=0.05, timeout=30)
        await appearing
        assert found.name == "docs"
        assert [record for record in github.requests if "If-None-Match" in record.headers]


# --- what they cut


@pytest.mark.parametrize("where", ["before", "behind"])
@pytest.mark.parametrize("mode", ["plain", "closing", "gzip", "weak", "suffix"])
async def test_resume(proxy: Balancer, tmp_path: Path, mode: str, where: str):
    """Another client goes on where one stopped; without a validator that holds it begins anew, with the same result."""
    resumes = mode not in {"weak", "suffix"}
    async with (
        github_behind(proxy, mode) as github,
        ChaosProxy(proxy.url(mode, "storage")) as line,
    ):
        github.advertise(storage=line.url)
        number = add(github, size=RECEIVER_SIZE)
        if where == "before":
            line.cut(RECEIVER_SIZE // 2)
        else:
            github.faults.cut(number, at=RECEIVER_SIZE // 2)
        async with client_of(github, proxy, retry=ONE_TRY) as client:
            artifact = await get(client, number)
            with pytest.raises(ArtifactsError):
                await client.download(artifact, tmp_path)
        async with client_of(github, proxy) as client:
            result = await client.download(artifact, tmp_path)
        assert result.verified == "digest"
        assert (result.resumed_from > 0) is resumes
        assert result.path.read_bytes() == github.content(number)


@pytest.mark.parametrize("mode", ["closing", "suffix"])
async def test_cuts_within_one_download(proxy: Balancer, tmp_path: Path, mode: str):
    """Three times behind the proxy: one download, the right bytes."""
    async with github_behind(proxy, mode) as github, client_of(github, proxy, retry=THRICE) as client:
        number = add(github, size=RECEIVER_SIZE)
        for part in (1, 2, 3):
            github.faults.cut(number, at=part * RECEIVER_SIZE // 4)
        result = await fetch(client, number, tmp_path)
        assert result.verified == "digest"
        assert result.path.read_bytes() == github.content(number)
        assert len(github.requests_to("storage")) >= 4


async def test_impatience(proxy: Balancer, tmp_path: Path):
    """A proxy that ends a body that takes too long: each time it is resumed."""
    async with github_behind(proxy, "short") as github, client_of(github, proxy, retry=OFTEN) as client:
        number = add(github, size=RECEIVER_SIZE)
        for part in (1, 2):
            github.faults.stall(number, at=part * RECEIVER_SIZE // 3, seconds=2 * SHORT)
        result = await fetch(client, number, tmp_path)
        assert result.verified == "digest"
        assert result.path.read_bytes() == github.content(number)
        ranges = [record.headers.get("Range") for record in github.requests_to("storage")]
        assert ranges[0] is None
        assert None not in ranges[1:]
        assert len(ranges) >= 3


# --- what is not there


@pytest.mark.parametrize("host", ["api", "storage"])
async def test_nobody_behind(proxy: Balancer, tmp_path: Path, host: str):
    """A 502 or 503 of the proxy, with a page or without: tried again, then one clear error, and no secret in it."""
    async with (
        github_behind(proxy, "plain", without=host) as github,
        client_of(github, proxy, retry=THRICE) as client,
    ):
        number = add(github)
        with pytest.raises(ServerError if host == "api" else StorageError, match=r"50[23]") as caught:
            await fetch(client, number, tmp_path)
        check_silent(caught.value, "sig=")
        said = "the server failed; try again later" if host == "api" else "answered with"
        assert said in str(caught.value)
        assert "<" not in str(caught.value)


@pytest.mark.parametrize("host", ["api", "storage"])
async def test_a_backend_that_is_late(proxy: Balancer, tmp_path: Path, host: Any):
    """A 504 that passes is no failure."""
    async with github_behind(proxy, "short") as github, client_of(github, proxy, retry=OFTEN) as client:
        number = add(github)
        github.faults.slow_headers(times=2, seconds=2 * SHORT, where=host)
        assert (await fetch(client, number, tmp_path)).verified == "digest"
        assert len(github.requests_to(host)) >= 3


@pytest.mark.parametrize("stated", [f"Content-Length: {RECEIVER_SIZE}\r\n", ""], ids=["length", "no-length"])
async def test_http_1_0_behind(proxy: Balancer, tmp_path: Path, stated: str):
    """Storage that speaks HTTP/1.0, with and without a length."""
    content = random_zip(RECEIVER_SIZE)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.0 200 OK\r\nContent-Type: application/zip\r\n{stated}\r\n".encode() + content)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with github_behind(proxy, "plain", without="storage") as github, client_of(github, proxy) as client:
        number = add(github, archive=content)
        server = await asyncio.start_server(serve, "127.0.0.1", proxy.backends["storage"])
        result = await fetch(client, number, tmp_path)
        assert result.verified == "digest"
        server.close()
        await server.wait_closed()
