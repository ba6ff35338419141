"""Opens aiohttp sessions of our own, and hands out no connection that holds a response which nobody asked for.

A server, or a proxy on the way, that sends one response too many shifts all later ones on that connection by one: the
next request gets the surplus response, and the request after it gets the next one's.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import ssl
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

import aiohttp

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.transport.bounds import HeldError
from gh_artifacts_async.transport.failures import NotSentAgainError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from gh_artifacts_async.settings import StrPath
    from gh_artifacts_async.transport.bounds import Watch

    _Connector = aiohttp.BaseConnector
else:
    _Connector = object

_DISTRIBUTION = "gh-artifacts-async"
_VERSION = "0.2.0"  # importlib.metadata would take 20 ms to tell it
READ_BUFFER = 256 * 1024
"""Bytes that aiohttp may hold of one body before it stops reading; they are lost when the body breaks."""


def default_user_agent() -> str:
    """Return this package's name and version."""
    return f"{_DISTRIBUTION}/{_VERSION}"


def tls_context(ca_file: StrPath | None, ssl_context: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """Return the context to use; None for aiohttp's own.

    Raises:
        ConfigurationError: both are given, or the file holds no certificates.
    """
    if ca_file is None:
        return ssl_context
    if ssl_context is not None:
        msg = "give ca_file or ssl_context, not both"
        raise ConfigurationError(msg)
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
    else:
        return context
    msg = f"ca_file {ca_file!s} cannot be used: {reason}"
    raise ConfigurationError(msg)


def check_borrowed(session: object, settings: Mapping[str, object]) -> None:
    """Reject what cannot be combined with a borrowed ClientSession.

    Args:
        session: aiohttp's.
        settings: what only an owned session can have, by name; None if it was not given.

    Raises:
        ConfigurationError: such a setting was given, or the session carries ``auth``.
    """
    given = [name for name, value in settings.items() if value is not None]
    if given:
        msg = f"{', '.join(given)} cannot be given with session=: set them on the session you pass in"
        raise ConfigurationError(msg)
    if getattr(session, "auth", None) is not None:
        msg = "the borrowed session carries auth, which would go to storage too; pass the token to the client instead"
        raise ConfigurationError(msg)


class _QuietConnections(_Connector):
    """Hands out only connections on which nothing has arrived since the last response; the others are closed."""

    _watch: Watch
    _known: WeakSet[ResponseHandler]
    _transports: WeakSet[asyncio.Transport]

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        """Return a connection, as :meth:`aiohttp.BaseConnector.connect`.

        A new one may be readable: a TLS server sends session tickets. On a reused one a single turn of the event loop
        reads them, or the end of the connection, or what should not be there.
        """
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            assert protocol is not None  # noqa: S101 - it is connected
            new = protocol not in self._known
            if new:
                self._known.add(protocol)
                if connection.transport is not None:
                    with contextlib.suppress(TypeError):  # uvloop's for TLS cannot be referred to weakly
                        self._transports.add(connection.transport)
            if (
                new
                or not (protocol.should_close or is_readable(protocol.transport))
                or await _is_quiet(connection, protocol)
            ):
                break
        limit = self._watch.limits.get(asyncio.current_task())
        if new and limit is not None and limit.held is not None and limit.held():
            connection.release()
            raise HeldError
        read = self._watch.timeouts.read
        if limit is not None and read is not None:
            limit.deadline = asyncio.get_running_loop().time() + read  # from now on the server is waited for
        return connection


async def _is_quiet(connection: Connection, protocol: ResponseHandler) -> bool:
    """Let the event loop read what has arrived; close the connection unless that was nothing for a request."""
    quiet = False
    try:
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the loop reads sockets after it has run what was ready
        quiet = protocol.is_connected() and not protocol.should_close and not is_readable(protocol.transport)
    finally:
        if not quiet:
            connection.close()
    return quiet


class GuardedConnector(_QuietConnections, aiohttp.TCPConnector):
    """A pool of our own."""

    def __init__(self, watch: Watch, context: ssl.SSLContext | None, *, reuse: bool, proxied: bool = False) -> None:
        """Open an empty pool without a limit: the gate sets limits.

        Args:
            watch: its limits on waiting for headers begin once there is a connection.
            context: for TLS; None for aiohttp's default.
            reuse: whether a connection serves more than one request.
            proxied: whether there may be a proxy, which may refuse a tunnel.
        """
        super().__init__(limit=0, ssl=True if context is None else context, force_close=not reuse)
        self._watch = watch
        self._known, self._transports = WeakSet(), WeakSet()
        self._made: WeakSet[ResponseHandler] = WeakSet()
        make = getattr(self, "_factory", None) if proxied else None  # aiohttp has no public name for it
        if make is not None:
            self._factory = cast("Any", _remembering(make, self._made))

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close all connections, those too that aiohttp has closed, but that wait until a TLS peer says goodbye.

        aiohttp leaves such a one behind where a body is not read to its end, and, without ever having handed it out,
        where a proxy that is reached over TLS refuses a tunnel.
        """
        never_lent = [protocol.transport for protocol in self._made]
        for transport in [*self._transports, *never_lent]:
            if transport is not None and transport.is_closing():
                transport.abort()
        await super().close(abort_ssl=abort_ssl)
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # an aborted transport closes its socket in a turn or two of the loop


def _remembering(make: Callable[[], ResponseHandler], made: WeakSet[ResponseHandler]) -> Callable[[], ResponseHandler]:
    """Return what notes all that ``make`` makes; no connector is in it, which would then be freed by the gc only."""

    def remembered() -> ResponseHandler:
        protocol = make()
        made.add(protocol)
        return protocol

    return remembered


class _Shared:
    """Passes everything on to a connector that is not ours."""

    def __init__(self, connector: aiohttp.BaseConnector) -> None:
        self._connector = connector

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the connector has
        return getattr(self._connector, name)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        return await self._connector.connect(req, traces, timeout)


class SharedConnector(_QuietConnections, _Shared):
    """A borrowed session's pool; the pool itself is not altered."""

    def __init__(self, watch: Watch, connector: aiohttp.BaseConnector) -> None:
        """Use a connector without owning it."""
        _Shared.__init__(self, connector)
        self._watch = watch
        self._known, self._transports = WeakSet(), WeakSet()


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request once (an aiohttp middleware).

    aiohttp sends an idempotent request again by itself when a pooled connection ends without an answer. Retries have
    one rule (:mod:`gh_artifacts_async.protocol.attempts`), and every send counts, so that failure is replaced
    by one that aiohttp does not retry.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # there was no connection at all: aiohttp does not retry either
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        renamed = NotSentAgainError(error)
    raise renamed


def open_session(connector: GuardedConnector | SharedConnector) -> aiohttp.ClientSession:
    """Open a session without cookies that inherits nothing from other sessions.

    Args:
        connector: closed with the session if it is ours.
    """
    return aiohttp.ClientSession(
        connector=cast("aiohttp.BaseConnector", connector),
        connector_owner=isinstance(connector, GuardedConnector),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(send_once,),
    )


def is_full(connector: aiohttp.BaseConnector | None) -> bool:
    """Whether requests wait for a free connection of this pool."""
    return bool(getattr(connector, "_waiters", None))


def is_readable(transport: asyncio.BaseTransport | None) -> bool:
    """Whether the kernel holds bytes of a connection, or its end, that the event loop has not read yet."""
    socket = None if transport is None else transport.get_extra_info("socket")
    descriptor = -1 if socket is None else socket.fileno()
    if descriptor < 0:
        return False
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))
