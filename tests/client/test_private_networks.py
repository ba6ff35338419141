"""An Enterprise Server in a company's network: its own certificate authority, proxies, and http only by choice."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import trustme

from gh_artifacts_async import (
    ArtifactsClient,
    ArtifactsError,
    CertificateError,
    ConfigurationError,
    StoragePolicy,
    UnsafeRedirectError,
)
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import TOKEN, check_silent
from tests.kits.proxy import Proxy
from tests.kits.transfer import RECEIVER_SIZE, REPO, WORKER_SIZE, add, client_for, fetch, get

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

GHES = "ghes-3.19"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make a company's authority."""
    return trustme.CA()


@pytest.fixture
def pem(authority: trustme.CA, tmp_path: Path) -> Path:
    """Write its certificate to a file."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def _server(authority: trustme.CA, storage: trustme.CA | None = None) -> ssl.SSLContext:
    """Return a context of both hosts; storage, if it has an authority of its own, is asked for as ``localhost``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if storage is None:
        return context
    second = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    storage.issue_cert("localhost").configure_cert(second)

    def choose(socket: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name == "localhost":  # an address is not sent as a server name
            socket.context = second

    context.sni_callback = choose  # type: ignore[assignment]  # typeshed wants a socket
    return context


@pytest.fixture
async def github(authority: trustme.CA) -> AsyncGenerator[FakeGitHub]:
    """Run an Enterprise Server, and its storage, over TLS."""
    async with FakeGitHub(GHES, ssl_context=_server(authority), byte_exact_urls=True) as fake:
        yield fake


@pytest.fixture
async def proxy() -> AsyncGenerator[Proxy]:
    """Run a forward proxy."""
    async with Proxy() as made:
        yield made


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Remove all proxies from the environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def _trust(way: str, pem: Path) -> dict[str, Any]:
    return {"ca_file": pem} if way == "ca_file" else {"ssl_context": ssl.create_default_context(cafile=str(pem))}


# --- certificates


@pytest.mark.parametrize("way", ["ca_file", "ssl_context"])
@pytest.mark.parametrize("kind", ["v3", "azure"])
async def test_one_authority(github: FakeGitHub, pem: Path, tmp_path: Path, way: str, kind: str) -> None:
    """Trusted for the API and for storage alike, whichever way and whatever storage it is."""
    number = add(github, size=RECEIVER_SIZE, kind=kind)
    github.faults.cut(number, at=RECEIVER_SIZE // 2)
    async with client_for(github, **_trust(way, pem)) as client:
        result = await fetch(client, number, tmp_path / "home")
    assert result.path.read_bytes() == github.content(number)
    assert {record.host for record in github.requests} == {"api", "storage"}
    assert not [record for record in github.requests_to("storage") if "Authorization" in record.headers]


@pytest.mark.parametrize("both", [False, True])
async def test_an_authority_for_each_host(authority: trustme.CA, tmp_path: Path, *, both: bool) -> None:
    """One file may hold several certificates; without storage's the error names the host and the setting."""
    other, pem = trustme.CA(), tmp_path / "ca.pem"
    pem.write_bytes(authority.cert_pem.bytes() + (other.cert_pem.bytes() if both else b""))
    async with FakeGitHub(GHES, ssl_context=_server(authority, other)) as github:
        port = urlsplit(github.storage_url).port
        github._backend.storage_url = f"https://localhost:{port}"
        number = add(github)
        async with client_for(github, ca_file=pem) as client:
            if both:
                assert (await fetch(client, number, tmp_path)).path.read_bytes() == github.content(number)
                return
            with pytest.raises(CertificateError, match=r"no secure connection to localhost.*pass ca_file") as caught:
                await fetch(client, number, tmp_path)
    check_silent(caught.value)
    assert not github.requests_to("storage")


async def test_an_authority_that_nobody_named(github: FakeGitHub) -> None:
    """The error says which setting would trust it, and nothing was sent."""
    async with client_for(github, token=TOKEN) as client:
        with pytest.raises(CertificateError, match="to trust an authority of your own, pass ca_file") as caught:
            await client.get_artifact(REPO, 7)
    check_silent(caught.value)
    assert not github.requests


async def test_a_borrowed_session_has_its_own(github: FakeGitHub, pem: Path, tmp_path: Path) -> None:
    """Its connector's trust holds for storage too."""
    number = add(github)
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(pem)))
    async with aiohttp.ClientSession(connector=connector) as session, client_for(github, session=session) as client:
        assert (await fetch(client, number, tmp_path)).path.read_bytes() == github.content(number)
        with pytest.raises(ConfigurationError, match="ca_file cannot be given with session="):
            ArtifactsClient(TOKEN, base_url=github.base_url, session=session, ca_file=pem)


# --- proxies


async def test_a_proxy_for_both(github: FakeGitHub, proxy: Proxy, pem: Path, tmp_path: Path) -> None:
    """``proxy=`` is for the API and for storage; it sees neither paths nor the token, since it is all TLS."""
    number = add(github, size=WORKER_SIZE)
    async with client_for(github, token=TOKEN, ca_file=pem, proxy=proxy.url) as client:
        result = await fetch(client, number, tmp_path / "home")
    assert result.path.read_bytes() == github.content(number)
    places = {urlsplit(url).netloc for url in (github.base_url, github.storage_url)}
    assert {head.split(" ")[1] for head in proxy.heads} == places
    assert {head.split(" ")[0] for head in proxy.heads} == {"CONNECT"}
    assert TOKEN not in "".join(proxy.heads)


@pytest.mark.parametrize("direct", ["api", "storage"])
async def test_a_proxy_for_one_host(
    github: FakeGitHub, proxy: Proxy, pem: Path, tmp_path: Path, environ: pytest.MonkeyPatch, direct: str
) -> None:
    """NO_PROXY names the host and port that is reached directly; the other goes through HTTPS_PROXY."""
    places = {"api": urlsplit(github.base_url).netloc, "storage": urlsplit(github.storage_url).netloc}
    environ.setenv("https_proxy", proxy.url)
    environ.setenv("no_proxy", places.pop(direct))
    number = add(github, size=WORKER_SIZE)
    async with client_for(github, ca_file=pem, trust_env=True) as client:
        result = await fetch(client, number, tmp_path / "home")
    assert result.path.read_bytes() == github.content(number)
    assert {head.split(" ")[1] for head in proxy.heads} == set(places.values())


async def test_no_proxy_of_the_environment_by_itself(
    github: FakeGitHub, proxy: Proxy, pem: Path, environ: pytest.MonkeyPatch
) -> None:
    """Only ``trust_env=True`` reads the environment."""
    environ.setenv("https_proxy", proxy.url)
    number = add(github)
    async with client_for(github, ca_file=pem) as client:
        await get(client, number)
    assert not proxy.heads


# --- http


@pytest.mark.parametrize("host", ["ghe.example", "10.0.0.7", "[fd00::7]:8080"])
async def test_http_only_by_choice(host: str) -> None:
    """A token over http to another machine is refused before anything is sent, and the setting is named."""
    base_url = f"http://{host}/api/v3"
    with pytest.raises(ConfigurationError, match=r"unencrypted to http://.*use https, or pass allow_http=True"):
        ArtifactsClient(TOKEN, base_url=base_url)
    for client in (ArtifactsClient(base_url=base_url), ArtifactsClient(TOKEN, base_url=base_url, allow_http=True)):
        async with client:
            assert not client._github.base.is_hosted


async def test_storage_over_http_only_by_choice(github: FakeGitHub, pem: Path, tmp_path: Path) -> None:
    """An https API may lead to http storage only with ``StoragePolicy(allow_http=True)``, which the error names."""
    async with FakeGitHub(GHES) as plain:
        github._backend.storage_url = plain.storage_url
        number = add(github)
        async with client_for(github, ca_file=pem) as client:
            with pytest.raises(UnsafeRedirectError, match=r"pass StoragePolicy\(allow_http=True\) to allow it"):
                await fetch(client, number, tmp_path)
        assert not plain.requests
        async with client_for(github, ca_file=pem, storage=StoragePolicy(allow_http=True)) as client:
            with pytest.raises(ArtifactsError, match="storage"):  # that other storage does not know the artifact
                await fetch(client, number, tmp_path)
        assert plain.requests_to("storage")
