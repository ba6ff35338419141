"""Certificates: never retried, never ignored."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from gh_artifacts_async import api, errors
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.settings import RetryPolicy
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import QUICK, REPO, TOKEN, check_silent

CA = trustme.CA()
POLICY = RetryPolicy(attempts=3, wait_initial=0.1)


@pytest.fixture
def pem(tmp_path):
    """The file of the authority that signs the fake's certificates."""
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    return path


def _server(*names, authority=CA, **validity):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **validity).configure_cert(context)
    return context


async def _tries(session):
    """Count how often a session goes over the wire, and return that list with the error it ends with."""
    sent: list[object] = []
    exchange = session.transport._exchange

    async def counting(*arguments, **options):
        sent.append(arguments)
        return await exchange(*arguments, **options)

    session.transport._exchange = counting
    with pytest.raises(errors.ArtifactsError) as caught:
        await api.get_artifact(session, REPO, 1)
    return len(sent), caught.value


@pytest.mark.parametrize("by", ["ca_file", "ssl_context"])
async def test_an_authority_of_ones_own(pem, by):
    """A company's certificate is trusted by its file, or by a context."""
    trust = {"ca_file": pem} if by == "ca_file" else {"ssl_context": ssl.create_default_context(cafile=pem)}
    async with FakeGitHub(ssl_context=_server("127.0.0.1")) as github:
        run = github.add_run(REPO)
        async with GitHubSession(TOKEN, base_url=github.base_url, limits=QUICK, **trust) as session:
            assert session.base.origin.scheme == "https"
            assert (await api.get_workflow_run(session, REPO, run.id)).id == run.id


@pytest.mark.parametrize(
    ("server", "trusted", "said"),
    [
        (lambda: _server("127.0.0.1"), False, "unable to get local issuer certificate|self-signed"),
        (lambda: _server("127.0.0.1", authority=trustme.CA()), True, "certificate"),
        (lambda: _server("other.example"), True, "IP address mismatch|not valid for"),
        (
            lambda: _server(
                "127.0.0.1",
                not_before=datetime.now(UTC) - timedelta(days=9),
                not_after=datetime.now(UTC) - timedelta(days=1),
            ),
            True,
            "expired",
        ),
    ],
    ids=["unknown", "other authority", "other host", "expired"],
)
async def test_a_certificate_that_is_not_accepted(pem, server, trusted, said):
    """One try, no request, and the reason in words."""
    async with FakeGitHub(ssl_context=server()) as github:
        settings = {"ca_file": pem} if trusted else {}
        async with GitHubSession(TOKEN, base_url=github.base_url, retry=POLICY, **settings) as session:
            tries, error = await _tries(session)
        assert not github.requests
    assert tries == 1
    assert isinstance(error, errors.CertificateError)
    assert any(words.lower() in str(error).lower() for words in said.split("|"))
    check_silent(error)


async def test_http_on_a_port_of_https(github):
    """Not taken for a failure of the network, and TLS is never dropped."""
    async with GitHubSession(TOKEN, base_url=github.base_url.replace("http:", "https:"), retry=POLICY) as session:
        tries, error = await _tries(session)
    assert tries == 1
    assert isinstance(error, errors.CertificateError)
    assert not github.requests
    check_silent(error)


async def test_a_handshake_that_is_cut_off():
    """A server that goes away is the network's fault: tried again."""
    connections = []

    async def hang_up(reader, writer):
        connections.append(await reader.read(10))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with GitHubSession(TOKEN, base_url=f"https://127.0.0.1:{port}", retry=POLICY) as session:
            tries, error = await _tries(session)
    assert tries == 3
    assert len(connections) >= 3
    assert type(error) is errors.ConnectionFailedError
    check_silent(error)
