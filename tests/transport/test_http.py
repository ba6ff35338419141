"""HttpTransport: what it owns and borrows, what goes with each request, and that each is sent once."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import ssl
import warnings

import aiohttp
import pytest

from gh_artifacts_async import api
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.errors import ConfigurationError, ConnectionFailedError
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.transport.connections import default_user_agent
from gh_artifacts_async.transport.http import HttpTransport
from tests.kits.api import REPO


async def test_an_owned_session_is_opened_late_and_closed(run, session):
    """No ClientSession before the first use; it carries no default headers, and serves storage too."""
    transport = session.transport
    assert transport._api is None
    await api.get_workflow_run(session, REPO, run.id)
    http = transport._api
    assert not http.headers
    assert not http.trust_env
    assert transport._bare is http
    await transport.aclose()
    assert http.closed
    await transport.aclose()


async def test_a_cancelled_close_closes_the_rest(github):
    """The bare session is closed first; a cancellation there still closes what owns the connections."""
    async with aiohttp.ClientSession() as borrowed:
        transport = HttpTransport(Timeouts(), session=borrowed)
        (await transport.open(Secret(github.base_url), {}, "h")).close()
        bare = transport._bare
        transport._borrowed, transport._api = None, aiohttp.ClientSession()
        owned = transport._api

        async def cancelled():
            raise asyncio.CancelledError

        bare.close, close = cancelled, bare.close
        with pytest.raises(asyncio.CancelledError):
            await transport.aclose()
        assert owned.closed
        await close()


@pytest.mark.parametrize(("borrow", "connect", "sock_connect"), [(False, 5.0, None), (True, None, 5.0)])
async def test_timeouts_bound_silence(borrow, connect, sock_connect):
    """Aiohttp limits connecting only; the wait for a place in a borrowed pool is not timed."""
    async with aiohttp.ClientSession() as borrowed:
        found = HttpTransport(Timeouts(connect=5.0, read=7.0), session=borrowed if borrow else None)._limits
    assert (found.total, found.sock_read) == (None, None)
    assert (found.connect, found.sock_connect) == (connect, sock_connect)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_what_ends_without_an_answer_is_sent_once(method):
    """Aiohttp would send an idempotent request again by itself when a pooled connection ends without an answer."""
    requests = 0

    async def serve(reader, writer):
        nonlocal requests
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                requests += 1
                if requests == 2:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        transport = HttpTransport(Timeouts())
        assert (await transport.send(method, url, {}, "h")).body == b"{}"
        with pytest.raises(ConnectionFailedError, match="closed without a response"):
            await transport.send(method, url, {}, "h")
        assert requests == 2
        await transport.aclose()


async def test_storage_is_asked_once_over_a_borrowed_connector():
    """The bare session is ours, whoever owns its connections."""
    requests = 0

    async def serve(reader, writer):
        nonlocal requests
        await reader.readuntil(b"\r\n\r\n")
        requests += 1
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, aiohttp.ClientSession() as borrowed:
        url = Secret(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        transport = HttpTransport(Timeouts(), session=borrowed)
        with pytest.raises(ConnectionFailedError):
            await transport.open(url, {}, "h")
        assert requests == 1
        await transport.aclose()


def test_the_user_agent_names_package_and_version():
    """GitHub asks for one; the version is that of the installed distribution."""
    assert default_user_agent() == f"gh-artifacts-async/{importlib.metadata.version('gh-artifacts-async')}"


@pytest.mark.parametrize(
    "settings",
    [
        {"ca_file": "x.pem"},
        {"ssl_context": ssl.create_default_context()},
        {"proxy": "http://p"},
        {"trust_env": True},
        {"proxy": "http://p", "trust_env": True},
    ],
)
async def test_network_settings_belong_to_an_owned_session(settings):
    """With a borrowed one they would do nothing."""
    async with aiohttp.ClientSession() as borrowed:
        with pytest.raises(ConfigurationError, match=" and |, ".join(settings)):
            GitHubSession(session=borrowed, **settings)
        GitHubSession(session=borrowed, allow_http=True)


async def test_a_borrowed_session_must_not_carry_auth():
    """It would go to storage, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # aiohttp wants to be rid of it
        made = aiohttp.ClientSession(auth=aiohttp.BasicAuth("u", "p"))
    async with made as borrowed:
        with pytest.raises(ConfigurationError, match="carries auth"):
            GitHubSession(session=borrowed)
