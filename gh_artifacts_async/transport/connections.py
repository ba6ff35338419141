"""Opens aiohttp sessions of our own: no pool limit, no cookies, nothing inherited from other sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    import ssl

READ_BUFFER = 256 * 1024
"""Bytes that aiohttp may hold of one body before it stops reading; they are lost when the body breaks."""


def open_session(context: ssl.SSLContext | None, middleware: aiohttp.ClientMiddlewareType) -> aiohttp.ClientSession:
    """Open a session with a connection pool of its own.

    Args:
        context: for TLS; None for aiohttp's default.
        middleware: every request goes through it.
    """
    connector = aiohttp.TCPConnector(limit=0, ssl=True if context is None else context)  # the gate sets limits
    return _session(connector, middleware, owner=True)


def open_bare_session(
    connector: aiohttp.BaseConnector, middleware: aiohttp.ClientMiddlewareType
) -> aiohttp.ClientSession:
    """Open a session that uses another session's connection pool, and nothing else of it."""
    return _session(connector, middleware, owner=False)


def _session(
    connector: aiohttp.BaseConnector, middleware: aiohttp.ClientMiddlewareType, *, owner: bool
) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=owner,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(middleware,),
    )
