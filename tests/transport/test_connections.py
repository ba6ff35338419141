"""How sessions of our own connect: a pool without a limit, no cookies, and nothing of a session that is borrowed."""

from __future__ import annotations

import gc
import ssl
import weakref

import aiohttp
import aiohttp.web
import pytest
import trustme

from gh_artifacts_async import ConfigurationError, Timeouts
from gh_artifacts_async.transport.bounds import Watch
from gh_artifacts_async.transport.connections import (
    GuardedConnector,
    SharedConnector,
    open_session,
    send_once,
    tls_context,
)
from tests.kits.raw import never_goodbye


def own(context=None, *, reuse=True):
    """Open a session with a pool of its own."""
    return open_session(GuardedConnector(Watch(Timeouts()), context, reuse=reuse))


def bare_of(session):
    """Open a session with another one's pool."""
    return open_session(SharedConnector(Watch(Timeouts()), session.connector))


async def test_a_session_of_our_own():
    """It owns its pool, which the gate and the number of transfers bound, and adds nothing to a request."""
    async with own() as session:
        assert session.connector_owner
        assert (session.connector.limit, session.connector.limit_per_host) == (0, 0)
        assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
        assert not session.headers
        assert not session.trust_env
    assert session.connector is None


async def test_a_pool_that_is_not_needed_any_more_is_freed_at_once():
    """It is in no cycle, so that a program that forgets to close it hears of it where it happens."""
    connector = GuardedConnector(Watch(Timeouts()), None, reuse=True, proxied=True)
    freed = weakref.ref(connector)
    await connector.close()
    gc.disable()
    try:
        del connector
        assert freed() is None
    finally:
        gc.enable()


async def test_a_body_over_tls_that_is_left_leaves_no_socket(tmp_path):
    """Its server never says goodbye: the connection is closed with the pool all the same."""
    authority = tmp_path / "ca.pem"
    async with never_goodbye(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nfew", authority) as host:
        async with own(ssl.create_default_context(cafile=authority)) as session:
            answer = await session.get(f"https://{host}/")
            socket = answer.connection.transport.get_extra_info("socket")
            answer.close()
            assert socket.fileno() >= 0
        assert socket.fileno() < 0


async def test_an_aiohttp_that_has_no_such_factory(monkeypatch):
    """A pool does without what aiohttp does not promise to have."""
    begin = aiohttp.TCPConnector.__init__

    def without(self, **settings):
        begin(self, **settings)
        del self._factory

    monkeypatch.setattr(aiohttp.TCPConnector, "__init__", without)
    connector = GuardedConnector(Watch(Timeouts()), None, reuse=True, proxied=True)
    await connector.close()
    assert connector.closed


async def test_the_tls_context():
    """The given context is the pool's; without one it is aiohttp's default, which checks certificates."""
    context = ssl.create_default_context()
    async with own(context) as session:
        assert session.connector._ssl is context
    async with own() as session:
        assert session.connector._ssl is True


def test_tls(tmp_path):
    """A file of certificates is trusted besides the system's; it and a context of one's own exclude each other."""
    assert tls_context(None, None) is None
    context = ssl.create_default_context()
    assert tls_context(None, context) is context
    pem = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(pem))
    made = tls_context(pem, None)
    assert made is not None
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname
    with pytest.raises(ConfigurationError, match="not both"):
        tls_context(pem, context)


def test_a_ca_file_that_is_none(tmp_path):
    """Missing, or without a certificate."""
    with pytest.raises(ConfigurationError, match="No such file"):
        tls_context(tmp_path / "absent.pem", None)
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        tls_context(tmp_path / "empty.pem", None)


async def test_a_bare_session_leaves_the_pool_to_its_owner(github):
    """It uses the borrowed connections, closes none of them, and takes neither headers nor cookies of the owner."""
    async with aiohttp.ClientSession(headers={"X-Theirs": "1"}, cookies={"theirs": "1"}) as theirs:
        async with bare_of(theirs) as bare:
            assert not bare.connector_owner
            async with bare.get(github.base_url) as answer:
                await answer.read()
        assert not theirs.connector.closed
    assert theirs.closed
    (request,) = github.requests
    assert "X-Theirs" not in request.headers
    assert "Cookie" not in request.headers


@pytest.mark.parametrize("bare", [False, True])
async def test_cookies_are_not_kept(bare):
    """What one host sets is not sent again, not even to that host."""
    seen = []

    async def answer(request):
        seen.append(request.headers.get("Cookie"))
        return aiohttp.web.Response(headers={"Set-Cookie": "session=1; Path=/"})

    app = aiohttp.web.Application()
    app.router.add_get("/", answer)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    async with aiohttp.ClientSession() as theirs:
        opened = bare_of(theirs) if bare else own()
        async with opened as session:
            for _ in range(2):
                async with session.get(f"http://{host}:{port}/") as found:
                    await found.read()
    await runner.cleanup()
    assert seen == [None, None]


@pytest.mark.parametrize("bare", [False, True])
async def test_every_request_passes_the_middleware(bare):
    """Both kinds of session send through it, so that each request is sent once."""
    async with aiohttp.ClientSession() as theirs, bare_of(theirs) if bare else own() as session:
        assert session._middlewares == (send_once,)
