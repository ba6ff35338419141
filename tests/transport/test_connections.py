"""How sessions of our own connect: a pool without a limit, no cookies, and nothing of a session that is borrowed."""

from __future__ import annotations

import ssl

import aiohttp
import aiohttp.web
import pytest

from gh_artifacts_async.transport.connections import open_bare_session, open_session


async def passing(request, handler):
    """Send a request as it is (an aiohttp middleware)."""
    return await handler(request)


async def test_a_session_of_our_own():
    """It owns its pool, which the gate and the number of transfers bound, and adds nothing to a request."""
    async with open_session(None, passing) as session:
        assert session.connector_owner
        assert (session.connector.limit, session.connector.limit_per_host) == (0, 0)
        assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
        assert not session.headers
        assert not session.trust_env
    assert session.connector is None


async def test_the_tls_context():
    """The given context is the pool's; without one it is aiohttp's default, which checks certificates."""
    context = ssl.create_default_context()
    async with open_session(context, passing) as session:
        assert session.connector._ssl is context
    async with open_session(None, passing) as session:
        assert session.connector._ssl is True


async def test_a_bare_session_leaves_the_pool_to_its_owner(github):
    """It uses the borrowed connections, closes none of them, and takes neither headers nor cookies of the owner."""
    async with aiohttp.ClientSession(headers={"X-Theirs": "1"}, cookies={"theirs": "1"}) as theirs:
        async with open_bare_session(theirs.connector, passing) as bare:
            assert bare.connector is theirs.connector
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
        opened = open_bare_session(theirs.connector, passing) if bare else open_session(None, passing)
        async with opened as session:
            for _ in range(2):
                async with session.get(f"http://{host}:{port}/") as found:
                    await found.read()
    await runner.cleanup()
    assert seen == [None, None]


@pytest.mark.parametrize("bare", [False, True])
async def test_every_request_passes_the_middleware(github, bare):
    """Both kinds of session send through it, so that each request is sent once."""
    passed = []

    async def counting(request, handler):
        passed.append(request.method)
        return await handler(request)

    async with aiohttp.ClientSession() as theirs:
        opened = open_bare_session(theirs.connector, counting) if bare else open_session(None, counting)
        async with opened as session:
            for method in ("GET", "DELETE"):
                async with session.request(method, github.base_url) as answer:
                    await answer.read()
    assert passed == ["GET", "DELETE"]
