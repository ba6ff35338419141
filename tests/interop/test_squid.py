"""squid as the forward proxy: what it sees, what it refuses, and downloads right through it."""

from __future__ import annotations

import asyncio
import ssl
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import aiohttp
import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    ArtifactsError,
    ProxyError,
    RetryPolicy,
    ServerError,
    StorageError,
    Timeouts,
    TransportError,
)
from gh_artifacts_async.testing import ChaosProxy, FakeGitHub, make_zip, random_zip
from tests.kits.api import QUICK, TOKEN, check_silent
from tests.kits.interop import REPO, environment, free_port
from tests.kits.processes import ROOT
from tests.kits.squid import PASSWORD, USER, Recorder, Squid, place, squid
from tests.kits.transfer import INLINE_SIZE, ONE_TRY, RECEIVER_SIZE, add, fetch, fetch_all, fill, get, listed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.counterpart("squid")]

SCHEMES = ["http", "https"]
WAYS = [(scheme, port) for scheme in SCHEMES for port in ("plain", "password", "tls")]
every_way = pytest.mark.parametrize(("scheme", "port"), WAYS)
three_ways = pytest.mark.parametrize(("scheme", "port"), [WAYS[0], WAYS[4], WAYS[5]])
THRICE = RetryPolicy(attempts=3, wait_initial=0.01, wait_max=0.01)


@pytest.fixture(scope="module")
def running() -> Generator[Squid]:
    """Run squid."""
    with squid() as it:
        yield it


@pytest.fixture
def proxy(running: Squid) -> Squid:
    """Return squid, with an empty log."""
    running.forget()
    return running


@asynccontextmanager
async def github_over(scheme: str, proxy: Squid, **settings: Any) -> AsyncGenerator[FakeGitHub]:
    """Run a GitHub over http or https."""
    context = None
    if scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(proxy.folder / "both.pem")
    async with FakeGitHub(ssl_context=context, byte_exact_urls=True, **settings) as github:
        yield github


def through(
    github: FakeGitHub,
    proxy: Squid,
    port: str,
    *,
    password: str | None = PASSWORD,
    at: int | None = None,
    **settings: Any,
) -> ArtifactsClient:
    """Return a client that goes through one port of squid, and trusts its authority; no test's frame holds the URL."""
    url = proxy.url(port, password=password or "", at=at)
    if password is None:
        scheme, _, rest = url.partition("//")
        url = f"{scheme}//{rest.rpartition('@')[2]}"
    settings = {"token": TOKEN, "ca_file": proxy.authority, "limits": QUICK, **settings}
    return ArtifactsClient(base_url=github.base_url, proxy=url, **settings)


def places(github: FakeGitHub) -> dict[str, str]:
    """Return the two hosts with their ports."""
    return {"api": urlsplit(github.base_url).netloc, "storage": urlsplit(github.storage_url).netloc}


async def asked(github: FakeGitHub, proxy: Squid, count: int = 1) -> list[str]:
    """Return what squid was asked about a GitHub."""
    return await proxy.asked(set(places(github).values()), count)


# --- what goes through


@every_way
async def test_download(proxy: Squid, tmp_path: Path, scheme: str, port: str):
    """To either host, with and without TLS to either side; where GitHub has TLS, squid is asked for tunnels only."""
    async with github_over(scheme, proxy) as github:
        number = add(github, size=RECEIVER_SIZE)
        async with through(github, proxy, port) as client:
            result = await fetch(client, number, tmp_path)
        assert result.verified == "digest"
        assert result.path.read_bytes() == github.content(number)
        assert not [record for record in github.requests_to("storage") if "Authorization" in record.headers]
        lines = await asked(github, proxy, 2 if scheme == "https" else 3)
        assert {line.split()[0] for line in lines} == {port}
        assert {line.split()[1] for line in lines} == {"CONNECT" if scheme == "https" else "GET"}
        assert {place(line) for line in lines} == set(places(github).values())


@pytest.mark.parametrize("port", ["plain", "tls"])
async def test_what_squid_sees(proxy: Squid, tmp_path: Path, port: str):
    """Of a GitHub over TLS: host and port. Neither the token nor a signed URL is among the bytes that pass."""
    async with github_over("https", proxy) as github, Recorder(proxy.ports[port]) as line:
        numbers = fill(github, 3)
        async with through(github, proxy, port, at=line.port) as client:
            outcomes = await fetch_all(client, await listed(client), tmp_path)
            assert [outcome.unwrap().verified for outcome in outcomes] == ["digest"] * 3
            await client.delete_artifact(await get(client, numbers[0]))
        queries = [record.raw_path.partition("?")[2] for record in github.requests_to("storage")]
        logged = " ".join(await asked(github, proxy, 2))
    assert len(queries) == 3
    assert all("sig=" in query for query in queries)
    for secret in (TOKEN, REPO, "sig=", "Authorization: Bearer", *queries):
        assert secret.encode() not in line.seen
        assert secret not in logged
    assert (b"CONNECT 127.0.0.1:" in line.seen) is (port == "plain")


@every_way
async def test_resume(proxy: Squid, tmp_path: Path, scheme: str, port: str):
    """A line that is cut before squid: another client goes on where the first one stopped, in one range."""
    async with github_over(scheme, proxy) as github, ChaosProxy(("127.0.0.1", proxy.ports[port])) as line:
        number = add(github, size=RECEIVER_SIZE)
        async with through(github, proxy, port, at=line.port, retry=ONE_TRY) as client:
            artifact = await get(client, number)
            line.cut(RECEIVER_SIZE // 2)
            with pytest.raises(ArtifactsError, match=r"the connection to .* failed: it broke"):
                await client.download(artifact, tmp_path)
        async with through(github, proxy, port, at=line.port) as client:
            result = await client.download(artifact, tmp_path)
        assert result.verified == "digest"
        assert 0 < result.resumed_from <= RECEIVER_SIZE // 2
        assert result.path.read_bytes() == github.content(number)
        last = github.requests_to("storage")[-1]
        assert last.headers["Range"] == f"bytes={result.resumed_from}-"


@three_ways
async def test_cuts_within_one_download(proxy: Squid, tmp_path: Path, scheme: str, port: str):
    """Three cuts and a reset cost one download nothing but requests."""
    async with github_over(scheme, proxy) as github, ChaosProxy(("127.0.0.1", proxy.ports[port])) as line:
        number = add(github, size=RECEIVER_SIZE)
        async with through(github, proxy, port, at=line.port, retry=THRICE) as client:
            artifact = await get(client, number)
            for cut in (line.cut, line.reset, line.cut, line.cut):
                cut(RECEIVER_SIZE // 5)
            result = await client.download(artifact, tmp_path)
        assert result.verified == "digest"
        assert result.path.read_bytes() == github.content(number)
        ranges = [record.headers.get("Range") for record in github.requests_to("storage")]
        assert ranges[0] is None
        assert len(set(ranges)) == len(ranges) >= 4


@three_ways
async def test_members(proxy: Squid, scheme: str, port: str):
    """One file out of an archive, by ranges."""
    files = {f"{number}.bin": random_zip(500_000, number) for number in range(4)}
    async with github_over(scheme, proxy) as github:
        number = add(github, archive=make_zip(files))
        async with (
            through(github, proxy, port) as client,
            client.open_archive(await get(client, number)) as archive,
        ):
            assert await archive.read("2.bin") == files["2.bin"]
            assert archive.ranged
            assert archive.bytes_fetched < len(github.content(number)) / 2


@three_ways
async def test_many(proxy: Squid, tmp_path: Path, scheme: str, port: str):
    """Fifty downloads at once; connections are used again."""
    async with github_over(scheme, proxy) as github:
        fill(github, 50, INLINE_SIZE)
        async with through(github, proxy, port) as client:
            outcomes = await fetch_all(client, await listed(client), tmp_path, concurrency=16)
        assert {outcome.unwrap().verified for outcome in outcomes} == {"digest"}
        assert len(outcomes) == len(list(tmp_path.glob("*.zip"))) == 50
        lines = await asked(github, proxy, 2 if scheme == "https" else 101)
        assert (len(lines) < 50) is (scheme == "https")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("where", ["session", "environment"])
async def test_a_borrowed_session(
    proxy: Squid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, where: str
):
    """Storage goes through its proxy, too."""
    context = ssl.create_default_context(cafile=str(proxy.authority))
    own: dict[str, Any] = {"proxy": proxy.url("password")} if where == "session" else {"trust_env": True}
    if where == "environment":
        monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url("plain"))
    connector = aiohttp.TCPConnector(ssl=context)
    async with github_over(scheme, proxy) as github, aiohttp.ClientSession(connector=connector, **own) as session:
        number = add(github)
        async with ArtifactsClient(TOKEN, base_url=github.base_url, session=session) as client:
            assert (await fetch(client, number, tmp_path)).verified == "digest"
        await session.close()
        lines = await asked(github, proxy, 2 if scheme == "https" else 3)
        assert {place(line) for line in lines} == set(places(github).values())


@three_ways
async def test_cancelled(proxy: Squid, tmp_path: Path, scheme: str, port: str):
    """A download that is cancelled in its body leaves no connection to squid; what it has is resumed."""
    async with github_over(scheme, proxy) as github:
        number = add(github, size=RECEIVER_SIZE)
        github.faults.stall(number, at=RECEIVER_SIZE // 2)
        async with through(github, proxy, port) as client:
            artifact = await get(client, number)
            downloading = asyncio.create_task(client.download(artifact, tmp_path))
            while github.bytes_sent(number) < RECEIVER_SIZE // 2:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            downloading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await downloading
            result = await client.download(artifact, tmp_path)
        assert (result.verified, result.resumed_from > 0) == ("digest", True)


# --- what does not


@three_ways
async def test_a_squid_that_hangs(proxy: Squid, scheme: str, port: str):
    """Nothing comes: said so after Timeouts.connect, or after Timeouts.read where squid was only to hand on."""
    quick = Timeouts(connect=1.0, read=1.0)
    async with github_over(scheme, proxy) as github, ChaosProxy(("127.0.0.1", proxy.ports[port])) as line:
        line.stall(times=None)
        async with through(github, proxy, port, at=line.port, timeouts=quick, retry=ONE_TRY) as client:
            expected = "connecting took longer than Timeouts.connect" if scheme == "https" else "within Timeouts.read"
            with pytest.raises(TransportError, match=rf"the proxy 127\.0\.0\.1:{line.port}: .*{expected}") as caught:
                await get(client, 7)
            assert isinstance(caught.value, ProxyError) is (scheme == "https")
            check_silent(caught.value, PASSWORD, quote(PASSWORD, safe=""))


@pytest.mark.parametrize("password", [PASSWORD[:-1], None], ids=["wrong", "missing"])
@pytest.mark.parametrize(("scheme", "port"), [way for way in WAYS if way[1] != "plain"])
async def test_a_password(proxy: Squid, scheme: str, port: str, password: str | None):
    """A wrong password is asked for once; the error says where it goes, and shows none."""
    it, password = [password], None
    async with github_over(scheme, proxy) as github, through(github, proxy, port, password=it.pop()) as client:
        with pytest.raises(
            ProxyError, match=r"407, its user name or password is missing or wrong; .*://USER:"
        ) as caught:
            await get(client, 7)
        assert caught.value.status == 407
        check_silent(caught.value, PASSWORD[:-1], quote(PASSWORD[:-1], safe=""), USER, quote(USER))
        assert not github.requests
    assert len(await asked(github, proxy)) == 1


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_host_that_is_not_allowed(proxy: Squid, scheme: str):
    """Squid answers 403 with a page of its own: asked once, and GitHub is not blamed."""
    async with github_over(scheme, proxy) as github, through(github, proxy, "closed") as client:
        with pytest.raises(
            ProxyError, match=r"^the proxy 127\.0\.0\.1:\d+ refused .* 403, it does not allow this host"
        ):
            await get(client, 7)
        assert not github.requests
    assert len(await asked(github, proxy)) == 1


@pytest.mark.parametrize("host", ["api", "storage"])
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_host_that_squid_does_not_reach(proxy: Squid, tmp_path: Path, scheme: str, host: str):
    """Squid answers 503, which may pass: tried again, and said so."""
    async with github_over(scheme, proxy) as github:
        number = add(github)
        nowhere = f"{scheme}://127.0.0.1:{free_port()}"
        base_url = nowhere if host == "api" else github.base_url
        settings: dict[str, Any] = {"ca_file": proxy.authority, "proxy": proxy.url("plain"), "retry": THRICE}
        async with ArtifactsClient(TOKEN, base_url=base_url, **settings) as client:
            if host == "storage":
                github.advertise(storage=nowhere)
            expected = ProxyError if scheme == "https" else ServerError if host == "api" else StorageError
            with pytest.raises(expected, match="503") as caught:
                await fetch(client, number, tmp_path)
    if scheme == "https":
        assert str(caught.value).endswith("503, it could not reach this host")
    refused = [
        line
        for line in await proxy.asked({*places(github).values(), urlsplit(nowhere).netloc}, 3)
        if line.endswith(" 503")
    ]
    assert len(refused) == 3


@every_way
async def test_no_squid(proxy: Squid, scheme: str, port: str):
    """Nobody listens: the proxy is named, without its password."""
    async with (
        github_over(scheme, proxy) as github,
        through(github, proxy, port, at=free_port(), retry=ONE_TRY) as client,
    ):
        with pytest.raises(
            ProxyError, match=r"^no connection to the proxy 127\.0\.0\.1:\d+: it was refused$"
        ) as caught:
            await get(client, 7)
        check_silent(caught.value, PASSWORD, quote(PASSWORD, safe=""))


async def test_a_certificate_that_nobody_named(proxy: Squid):
    """Squid's own: the error names it and the setting."""
    async with (
        github_over("http", proxy) as github,
        through(github, proxy, "tls", ca_file=None) as client,
    ):
        with pytest.raises(ArtifactsError, match=r"no secure connection to .* the proxy .*, pass ca_file"):
            await get(client, 7)


# --- the environment


@pytest.mark.parametrize(
    ("variable", "no_proxy", "hosts"),
    [
        ("https_proxy", "", ["api", "storage"]),
        ("HTTP_PROXY", "{storage}", ["api"]),
        ("HTTP_PROXY", "{api}", ["storage"]),
        ("ALL_PROXY", "{storage}", ["api"]),
        ("HTTPS_PROXY", "other.example,10.0.0.0/8,127.0.0.1:1", ["api", "storage"]),
        ("HTTPS_PROXY", "127.0.0.1", []),
        ("HTTPS_PROXY", "x, .0.0.1", []),
        ("HTTPS_PROXY", "*.0.0.1", []),
        ("HTTPS_PROXY", "127.0.0.0/8", []),
        ("HTTPS_PROXY", "*", []),
    ],
)
async def test_the_environment(
    proxy: Squid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, no_proxy: str, hosts: list[str]
):
    """Its proxy, and what NO_PROXY leaves out: hosts, ports, suffixes, networks and all."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    async with github_over("http" if variable == "HTTP_PROXY" else "https", proxy) as github:
        there = places(github)
        monkeypatch.setenv(variable, proxy.url("password"))
        monkeypatch.setenv("NO_PROXY", no_proxy.format(**there))
        number = add(github)
        async with ArtifactsClient(TOKEN, base_url=github.base_url, ca_file=proxy.authority, trust_env=True) as client:
            assert (await fetch(client, number, tmp_path)).verified == "digest"
        lines = await asked(github, proxy, len(hosts))
    assert {place(line) for line in lines} == {there[name] for name in hosts}


async def command(github: FakeGitHub, folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run the command line in a process of its own; return its exit code and what it says about errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gh_artifacts_async", *arguments, "--api-url", github.base_url),
        cwd=folder,
        env={**environment(folder, GH_ENTERPRISE_TOKEN=TOKEN, PYTHONPATH=str(ROOT)), **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_the_command_line(proxy: Squid, tmp_path: Path):
    """HTTPS_PROXY is enough; a wrong password is one line that does not show it, and --verbose does not either."""
    async with github_over("https", proxy) as github:
        number = add(github, size=RECEIVER_SIZE)
        arguments = ["download", str(number), "-R", REPO, "--ca-file", str(proxy.authority)]
        code, said = await command(github, tmp_path, *arguments, HTTPS_PROXY=proxy.url("tls"))
        assert code == 0, said
        assert (tmp_path / "docs.zip").read_bytes() == github.content(number)
        assert len(await asked(github, proxy, 2)) == 2
        for more in ([], ["--verbose"]):
            wrong = proxy.url("password", password="wr0ng")
            code, said = await command(github, tmp_path, *arguments, *more, HTTPS_PROXY=wrong)
            assert code != 0
            assert "407, its user name or password is missing or wrong" in said
            assert "wr0ng" not in said
            assert TOKEN not in said
            assert more or len(said.strip().splitlines()) == 1, said
