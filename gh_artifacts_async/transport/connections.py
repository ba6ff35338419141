"""How sessions of our own connect: no pool limit, no cookies, and no request that aiohttp sends again by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from gh_artifacts_async.transport.failures import NotSentAgainError

if TYPE_CHECKING:
    import ssl

READ_BUFFER = 256 * 1024
"""Bytes that aiohttp may hold of one body before it stops reading; they are lost when the body breaks."""


def open_session(context: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """Open a session with a connection pool of its own.

    Args:
        context: for TLS; None for aiohttp's default.
    """
    connector = aiohttp.TCPConnector(limit=0, ssl=True if context is None else context)  # the gate and transfers bound
    return _session(connector, owner=True)


def open_bare_session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    """Open a session over somebody else's connection pool, without anything else of theirs."""
    return _session(connector, owner=False)


def _session(connector: aiohttp.BaseConnector, *, owner: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=owner,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(send_once,),
    )


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request once (an aiohttp middleware).

    aiohttp sends an idempotent request again by itself when a pooled connection ends without an answer. Retries have
    one rule (:mod:`gh_artifacts_async.protocol.attempts`), and every send counts, so that failure is renamed to one
    after which aiohttp does not.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # there was no connection at all: aiohttp does not try again either
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        renamed = NotSentAgainError(error)
    raise renamed
