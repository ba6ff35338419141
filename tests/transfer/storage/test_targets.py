"""The way to storage: bare, by policy, and over TLS that is checked."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme

from gh_artifacts_async import (
    ArtifactRef,
    ArtifactsClient,
    CertificateError,
    ClientClosedError,
    ConnectionFailedError,
    RetryPolicy,
    SignedURL,
    StoragePolicy,
    UnexpectedResponseError,
    UnsafeRedirectError,
)
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.transfer import INLINE_SIZE, RECEIVER_SIZE, REPO, WORKER_SIZE, add, client_for, fetch, get, names

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.github_com("ranges")
async def test_only_what_storage_needs(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Storage gets no token, no cookie, no header of the API's; a user agent, and the URL byte for byte."""
    artifact_id = add(github)
    await fetch(client, artifact_id, tmp_path)
    (record,) = github.requests_to("storage")
    assert {name.lower() for name in record.headers} == {"host", "user-agent", "accept", "accept-encoding"}
    signed = await client.get_download_url(REPO, artifact_id)
    assert isinstance(signed, SignedURL)
    assert "%2F" in record.raw_path or "%3A" in record.raw_path


@pytest.mark.parametrize("same_host", [False, True])
async def test_same_host_gets_no_token_either(tmp_path: Path, *, same_host: bool) -> None:
    """On an appliance storage is the API's own host, and still gets no token."""
    async with FakeGitHub("ghes-3.8", same_host_storage=same_host) as github, client_for(github) as client:
        result = await fetch(client, add(github, files={"a.txt": "a" * 1000}), tmp_path)
        (record,) = github.requests_to("storage")
        assert ("/_services/pipelines/" in record.path) is same_host
        assert "Authorization" not in record.headers
        assert result.size > 0


@pytest.mark.parametrize("kind", ["azure", "azure-raw", "v3", "s3"])
async def test_every_form_of_url(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, kind: Any) -> None:
    """A signed URL of any form is sent back byte for byte, or its signature would not hold."""
    artifact_id = add(github, kind=kind, files={"a.txt": "a" * 1000}, digest=None)
    result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes()[:2] == b"PK"


POLICIES = [
    (StoragePolicy(allow_http=False), "is plain http"),
    (StoragePolicy(allowed_hosts=("storage.example",)), "allowed_hosts"),
    (StoragePolicy(allowed_hosts=()), "allowed_hosts"),
]


@pytest.mark.parametrize(("policy", "words"), POLICIES)
async def test_policy_refuses(github: FakeGitHub, tmp_path: Path, policy: StoragePolicy, words: str) -> None:
    """What the policy forbids is refused before anything is sent there."""
    artifact_id = add(github)
    async with client_for(github, storage=policy) as client:
        with pytest.raises(UnsafeRedirectError, match=words):
            await fetch(client, artifact_id, tmp_path)
    assert not github.requests_to("storage")
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    "policy", [StoragePolicy(allow_http=True), StoragePolicy(allowed_hosts=("127.0.0.1",)), StoragePolicy()]
)
async def test_policy_permits(github: FakeGitHub, tmp_path: Path, policy: StoragePolicy) -> None:
    """What it permits is fetched; plain http of itself only where the API's base is http."""
    async with client_for(github, storage=policy) as client:
        await fetch(client, add(github), tmp_path)


async def test_redirects_by_policy(github: FakeGitHub, tmp_path: Path) -> None:
    """A redirect of storage itself is followed as often as the policy says, under the same rules."""
    artifact_id = add(github)
    async with client_for(github, storage=StoragePolicy(max_redirects=2)) as client:
        target = await client.get_download_url(REPO, artifact_id)
        for status in (302, 307):
            github.faults.redirect(artifact_id, target.url, status=status)
        result = await fetch(client, artifact_id, tmp_path)
        assert result.path.read_bytes() == github.content(artifact_id)
        github.faults.redirect(artifact_id, target.url, times=3)
        with pytest.raises(UnsafeRedirectError, match="max_redirects is 2"):
            await client.download(result.artifact, tmp_path / "more")
        github.faults.clear()
        for location in ("http://127.0.0.2:1/x", "ftp://127.0.0.1/x", "http://u:p@127.0.0.1:1/x", "//u@127.0.0.1:1/"):
            strict = StoragePolicy(max_redirects=2, allowed_hosts=("127.0.0.1",))
            github.faults.redirect(artifact_id, location)
            async with client_for(github, storage=strict) as other:
                with pytest.raises(UnsafeRedirectError):
                    await other.download(result.artifact, tmp_path / "more")
        github.faults.redirect(artifact_id, "")
        with pytest.raises(UnexpectedResponseError):
            await client.download(result.artifact, tmp_path / "more")
    assert result.path.read_bytes() == github.content(artifact_id)


async def test_relative_redirect(github: FakeGitHub, tmp_path: Path) -> None:
    """A relative redirect of storage stays on its host."""
    artifact_id = add(github)
    async with client_for(github, storage=StoragePolicy(max_redirects=1)) as client:
        target = await client.get_download_url(REPO, artifact_id)
        github.faults.redirect(artifact_id, target.url.removeprefix(github.storage_url))
        result = await fetch(client, artifact_id, tmp_path)
    assert result.path.read_bytes() == github.content(artifact_id)


# --- TLS ------------------------------------------------------------------------------------------------------------


def _server(authority: trustme.CA, *hosts: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*hosts).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make an authority of one's own."""
    return trustme.CA()


@pytest.mark.parametrize("size", [INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])
async def test_tls(authority: trustme.CA, tmp_path: Path, size: int) -> None:
    """Both hosts over TLS, with an authority of one's own; a cut is resumed there too."""
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    async with FakeGitHub(ssl_context=_server(authority, "127.0.0.1")) as github:
        artifact_id = add(github, size=size)
        github.faults.cut(artifact_id, at=size // 2)
        github.faults.reset(artifact_id, at=size * 3 // 4)
        assert github.storage_url.startswith("https:")
        async with client_for(github, ca_file=pem) as client:
            result = await fetch(client, artifact_id, tmp_path / "home")
        assert result.path.read_bytes() == github.content(artifact_id)
        assert names(tmp_path / "home") == {"docs.zip"}


async def test_unknown_authority(authority: trustme.CA, tmp_path: Path) -> None:
    """A certificate of nobody's is refused at once, and nothing is sent."""
    async with FakeGitHub(ssl_context=_server(authority, "127.0.0.1")) as github, client_for(github) as client:
        with pytest.raises(CertificateError):
            await client.download(ArtifactRef(REPO, 7), tmp_path)
        assert not github.requests


async def test_storage_with_another_certificate(authority: trustme.CA, tmp_path: Path) -> None:
    """Storage whose certificate is for another host is CertificateError at once: it is not tried again."""
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    async with (
        FakeGitHub(ssl_context=_server(authority, "127.0.0.1")) as github,
        FakeGitHub(ssl_context=_server(authority, "elsewhere.example")) as other,
        client_for(github, ca_file=pem) as client,
    ):
        artifact_id = add(github)
        artifact = await get(client, artifact_id)
        github.advertise(storage=other.storage_url)
        github.forget_requests()
        with pytest.raises(CertificateError, match=r"no secure connection to 127\.0\.0\.1"):
            await client.download(artifact, tmp_path / "home")
        assert len(github.requests) == 1
        assert not other.requests
    assert names(tmp_path / "home") == set()


async def test_never_downgraded(authority: trustme.CA, tmp_path: Path) -> None:
    """An API over https may not send to plain http, by its 302 or by a redirect of its storage."""
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    async with FakeGitHub(ssl_context=_server(authority, "127.0.0.1")) as github, FakeGitHub() as plain:
        artifact_id = add(github)
        github.faults.redirect(artifact_id, f"{plain.storage_url}/x?sig=y", where="api")
        async with client_for(github, ca_file=pem) as client:
            with pytest.raises(UnsafeRedirectError, match="plain http"):
                await fetch(client, artifact_id, tmp_path / "home")
        github.faults.redirect(artifact_id, f"{plain.storage_url}/x?sig=y")
        policy = StoragePolicy(max_redirects=3, allow_http=True)
        async with client_for(github, ca_file=pem, storage=policy) as client:
            with pytest.raises(UnsafeRedirectError, match="from https to http"):
                await fetch(client, artifact_id, tmp_path / "home")
        assert not plain.requests


async def test_plain_http_where_tls_was_expected(github: FakeGitHub, tmp_path: Path) -> None:
    """A server that speaks plain http is not spoken to in plain http."""
    url = github.base_url.replace("http:", "https:")
    async with ArtifactsClient("token", base_url=url, retry=RetryPolicy(attempts=2)) as client:
        with pytest.raises(ConnectionFailedError):
            await client.download(ArtifactRef(REPO, 7), tmp_path)
    assert not github.requests


# --- sessions -------------------------------------------------------------------------------------------------------


async def test_borrowed_session_that_is_closed(github: FakeGitHub, tmp_path: Path) -> None:
    """A borrowed session that was closed meanwhile is ClientClosedError."""
    artifact_id = add(github)
    async with (
        aiohttp.ClientSession() as session,
        ArtifactsClient("token", base_url=github.base_url, session=session) as client,
    ):
        artifact = await get(client, artifact_id)
        await client.download(artifact, tmp_path)
        await session.close()
        with pytest.raises(ClientClosedError):
            await client.download(artifact, tmp_path, if_exists="replace")


async def test_borrowed_session_lives_on(github: FakeGitHub, tmp_path: Path) -> None:
    """A borrowed session is as usable afterwards as before, and its connections are shared."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    async with aiohttp.ClientSession(raise_for_status=True, timeout=aiohttp.ClientTimeout(total=0.001)) as session:
        for folder in ("one", "two"):
            async with ArtifactsClient("token", base_url=github.base_url, session=session) as client:
                await fetch(client, artifact_id, tmp_path / folder)
        async with session.get(f"{github.base_url}/meta", timeout=aiohttp.ClientTimeout(total=20)) as response:
            assert response.status == 200


async def test_session_without_a_connector(github: FakeGitHub) -> None:
    """A session whose connector was taken away has none to share."""
    async with (
        aiohttp.ClientSession() as session,
        ArtifactsClient("token", base_url=github.base_url, session=session) as client,
    ):
        connector = session.connector
        session.detach()
        with pytest.raises(ClientClosedError):
            client._github.transport._share(session)
        assert connector is not None
        await connector.close()


async def test_response_shows_no_url(github: FakeGitHub, client: ArtifactsClient) -> None:
    """The repr of an answer is its status and host."""
    signed = await client.get_download_url(REPO, add(github))
    stream = await client._transfers().storage.open(signed, {})
    assert repr(stream) == f"HttpStream(200, '{signed.host}')"
    stream.close()


async def test_long_error(github: FakeGitHub, client: ArtifactsClient) -> None:
    """Of an error's body no more is read than is needed."""
    artifact_id = add(github)
    github.faults.status(artifact_id, 404, body=b"x" * 1_000_000)
    signed = await client.get_download_url(REPO, artifact_id)
    stream = await client._transfers().storage.open(signed, {})
    assert stream.response.body == b"x" * 65536
