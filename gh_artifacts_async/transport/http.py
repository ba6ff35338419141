"""HttpTransport: one request, one response, over an aiohttp session that is owned or borrowed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from gh_artifacts_async.errors import ArtifactsError, ClientClosedError, ConfigurationError, ConnectionFailedError
from gh_artifacts_async.protocol.responses import Response
from gh_artifacts_async.results import Secret
from gh_artifacts_async.transport.bounds import NO_HEADERS, HeldError, Limit, Watch, headers_of, read_body
from gh_artifacts_async.transport.connections import (
    READ_BUFFER,
    GuardedConnector,
    SharedConnector,
    check_borrowed,
    default_user_agent,
    is_full,
    open_session,
    tls_context,
)
from gh_artifacts_async.transport.failures import transport_error, without_traceback
from gh_artifacts_async.transport.lane_heads import split_url
from gh_artifacts_async.transport.lane_protocol import BUFFER, Call, Receipt, Whole
from gh_artifacts_async.transport.lanes import Lanes, WholeBody
from gh_artifacts_async.transport.proxies import Proxies
from gh_artifacts_async.transport.streams import HttpStream

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    from gh_artifacts_async.settings import StrPath, Timeouts

__all__ = ["HttpStream", "HttpTransport"]

_OK, _FOUND = 200, 302
_LONGEST_BODY = 2 * 1024 * 1024  # of a whole body
_MAYBE_OF_PROXY = (403, 407)


class HttpTransport:
    """Sends requests of one client; safe to share between the tasks of one event loop.

    Nothing here is a default of the session: headers, timeouts and proxies are set for each request.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        user_agent: str | None = None,
        session: aiohttp.ClientSession | None = None,
        ca_file: StrPath | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | Secret | None = None,
        trust_env: bool = False,
        max_answer_bytes: int | None = None,
        fast_paths: bool = True,
    ) -> None:
        """Check the arguments; no session or connection is opened before the first request.

        Args:
            timeouts: limits on silence and slowness, not on a whole transfer.
            user_agent: ``User-Agent`` of every request; None for this package's name and version.
            session: to borrow; it is neither altered nor closed.
            ca_file: certificates (PEM) to trust besides the system's.
            ssl_context: in place of aiohttp's default.
            proxy: an http(s) proxy's URL.
            trust_env: take proxies from the environment.
            max_answer_bytes: bytes of a response that is read whole; None for any number.
            fast_paths: receive small responses without aiohttp where that is possible, see :mod:`.lanes`.

        Raises:
            ConfigurationError: an argument is invalid.
        """
        if session is not None:
            own = {"ca_file": ca_file, "ssl_context": ssl_context, "proxy": proxy, "trust_env": trust_env or None}
            check_borrowed(session, own)
        self._user_agent = user_agent
        self._borrowed = session
        self._api = session
        self._bare: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None
        self._ssl = tls_context(ca_file, ssl_context)
        proxy = Secret(proxy) if isinstance(proxy, str) else proxy  # the frames of an error show no password
        self._proxies = Proxies(proxy, trust_env=trust_env) if session is None else Proxies.of_session(session)
        self._watch = Watch(timeouts)
        # On a borrowed connector idle lanes would starve its owner, and a proxy wants other requests.
        self._lanes = Lanes(self._watch) if fast_paths and session is None and self._proxies.none else None
        self._max_answer_bytes = max_answer_bytes
        # aiohttp limits connecting only. A borrowed pool has its own size, and waiting for a free connection does not
        # mean that the server is slow.
        connect, read = timeouts.connect, timeouts.read
        # Our connectors tell the watch when a request has its connection; a borrowed session's own connector does not.
        self._until_headers = None if session is None or read is None else (connect or 0.0) + read
        self._limits = (
            aiohttp.ClientTimeout(total=None, connect=connect)
            if session is None
            else aiohttp.ClientTimeout(total=None, sock_connect=connect)
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    # --- lifecycle

    def check_usable(self) -> None:
        """Check that the transport is open and on its own event loop.

        Raises:
            ClientClosedError: it is not.
        """
        loop = asyncio.get_running_loop()
        if self._closed:
            msg = "the client is closed; create a new one"
            raise ClientClosedError(msg)
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            msg = "the client belongs to another event loop; create one client per loop"
            raise ClientClosedError(msg)
        if self._borrowed is not None and self._borrowed.closed:
            msg = "the borrowed aiohttp session is closed"
            raise ClientClosedError(msg)

    async def aclose(self) -> None:
        """Close what is owned; a second call does nothing, and even a cancelled one closes everything."""
        self._closed = True
        self._watch.close()
        sessions = [self._api, self._bare, self._fresh]
        self._api = self._bare = self._fresh = None
        async with AsyncExitStack() as stack:  # last in, first out: those that share a pool, then its owner
            if self._lanes is not None:
                self._lanes.leave()
                stack.callback(self._lanes.forget)
            for session in sessions:
                if session is not None and session is not self._borrowed:
                    stack.push_async_callback(session.close)

    @property
    def user_agent(self) -> str:
        """``User-Agent``; GitHub rejects requests without one."""
        if self._user_agent is None:
            self._user_agent = default_user_agent()
        return self._user_agent

    def _open(self, *, fresh: bool) -> aiohttp.ClientSession:
        """Open a session of our own: for all requests, or for those that must have a new connection each."""
        proxied = not self._proxies.none
        session = open_session(GuardedConnector(self._watch, self._ssl, reuse=not fresh, proxied=proxied))
        if fresh:
            self._fresh = session
        else:
            self._api = self._bare = session
        return session

    def _share(self, borrowed: aiohttp.ClientSession) -> aiohttp.ClientSession:
        """Open the session for storage that has a borrowed session's connections, and nothing else of it."""
        if borrowed.connector is None:
            msg = "the borrowed aiohttp session is closed"
            raise ClientClosedError(msg)
        self._bare = open_session(SharedConnector(self._watch, borrowed.connector))
        return self._bare

    # --- sending

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        host: str,
        *,
        token: Secret | None = None,
        fresh: bool = False,
        body: bytes | None = None,
        held: Callable[[], bool] | None = None,
        short: bool = False,
    ) -> Response | None:
        """Send a request and read its response; redirects are not followed.

        Args:
            method: the HTTP method.
            url: percent-encoded.
            headers: no secrets among them.
            host: for messages.
            token: for ``Authorization: Bearer`` (RFC 6750 section 2.1); None for a request without it.
            fresh: over a connection that has served no other request; a borrowed session does not heed it.
            body: a JSON document; None for a request without a body.
            held: asked once a new connection is open: whether requests must not be sent any more; a borrowed session
                does not ask.
            short: a redirect is expected for this GET, so that it may take a lane.

        Returns:
            None if it was held back, and not sent.

        Raises:
            TransportError: no response arrived; aiohttp's exceptions never leave this frame.
            UnexpectedResponseError: the response is too long, or its coding was not requested.
            ClientClosedError: after close, or on another event loop.
        """
        failure: ArtifactsError | None = None
        self.check_usable()
        try:
            response = await self._exchange(method, url, headers, token, body, fresh=fresh, held=held, short=short)
            if response.status not in _MAYBE_OF_PROXY:
                return response
            failure = self._proxies.refusal(response, Secret(url), host)
            if failure is None:
                return response
        except HeldError:
            return None
        except ArtifactsError as error:  # of a body: its frames hold aiohttp's response
            failure = error.with_traceback(None)
        except BaseException as error:
            failure = transport_error(error, host, self._proxies.place(Secret(url))) or self._misuse(error, host)
            if failure is None:
                without_traceback(error)
                raise
        raise failure

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        token: Secret | None,
        content: bytes | None,
        *,
        fresh: bool,
        held: Callable[[], bool] | None,
        short: bool,
    ) -> Response:
        """Hold what must not be in a traceback, the token and aiohttp's response, as briefly as possible."""
        session = (self._fresh if fresh and self._borrowed is None else self._api) or self._open(fresh=fresh)
        given = {
            "User-Agent": self._user_agent or self.user_agent,
            "Accept-Encoding": "gzip",
            **headers,
            **({} if token is None else {"Authorization": f"Bearer {token.reveal()}"}),
            **({} if content is None else {"Content-Type": "application/json"}),
        }
        ask = partial(self._ask, session, method, url, given, content)
        lanes = self._lanes if short and method == "GET" and not fresh else None
        parts = None if lanes is None else split_url(url)
        if lanes is not None and parts is not None:
            return await self._exchange_over_lane(
                lanes, Call("api", *parts, given, session, ask, self._limits, _FOUND, BUFFER, held=held), url
            )
        queued = None if self._borrowed is None else partial(is_full, self._borrowed.connector)
        with Limit(self._watch, self._until_headers, NO_HEADERS, queued, held) as limit:
            async with await ask() as answer:
                body = await read_body(answer, limit, self._max_answer_bytes)
                return Response(status=answer.status, headers=headers_of(answer), body=body, url=url)

    async def _exchange_over_lane(self, lanes: Lanes, call: Call, url: str) -> Response:
        """Return a redirect that has arrived whole; any other response is read as it always is."""
        found = await lanes.get(call)
        if isinstance(found, Whole):
            return Response(status=_FOUND, headers=found.head.headers, body=bytes(found.body), url=url)
        try:
            with Limit(self._watch, None, NO_HEADERS) as limit:
                body = await read_body(found, limit, self._max_answer_bytes)
        finally:
            found.close()
        return Response(status=found.status, headers=headers_of(found), body=body, url=url)

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        *middlewares: aiohttp.ClientMiddlewareType,
    ) -> aiohttp.ClientResponse:
        """Let aiohttp send a request as it is, once, and return the response as it is."""
        return await session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=content,
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=False,  # digest and offsets are of the stored bytes; the API's are bounded: read_body()
            read_bufsize=READ_BUFFER,
            timeout=self._limits,
            proxy=None if self._proxies.none else self._proxies.of(url),
            middlewares=middlewares or None,
        )

    def _misuse(self, error: BaseException, host: str) -> ConfigurationError | None:
        """Explain why aiohttp would not send at all: a borrowed session that takes its credentials from netrc."""
        if not isinstance(error, ValueError) or self._borrowed is None or not self._borrowed.trust_env:
            return None
        return ConfigurationError(
            f"the borrowed session has trust_env=True, and netrc names {host}: its credentials would be sent in place "
            "of the token. Pass a session without trust_env"
        )

    async def open(self, url: Secret, headers: Mapping[str, str], host: str, *, fresh: bool = False) -> HttpStream:
        """Send a bare GET (no token, no cookies, no default headers) and return once the headers have arrived.

        Args:
            url: byte-exact.
            headers: no secrets among them.
            host: for messages.
            fresh: over a connection that has served no other request; a borrowed session does not heed it.

        Raises:
            TransportError: no response arrived; aiohttp's exceptions never leave this frame.
            ClientClosedError: after close, or on another event loop.
        """
        self.check_usable()
        stream = await self._opened(self._start(url, headers, host, fresh=fresh), url, host)
        assert isinstance(stream, HttpStream)  # noqa: S101 - only a lane returns anything else
        return stream

    async def open_small(
        self,
        url: Secret,
        headers: Mapping[str, str],
        host: str,
        buffers: Callable[[int], bytearray | None],
        *,
        receipt: Receipt | None = None,
    ) -> WholeBody | HttpStream:
        """Send a bare GET as :meth:`open` does, over a lane if possible, and return the whole body if that is short.

        A body that breaks after its head is a stream, too: it gives what has arrived, and then fails.

        Args:
            url: byte-exact.
            headers: no secrets among them.
            host: for messages.
            buffers: lends a buffer for a body of so many bytes; it may be longer. None if it has none: the body is
                then a stream. Called at most once; unless a WholeBody with that buffer is returned, nothing writes into
                it any more when this method returns or raises, and the caller gives it back.
            receipt: whom to tell of the body before it is whole, if a lane receives it.

        Raises:
            TransportError: no response arrived; aiohttp's exceptions never leave this frame.
            ClientClosedError: after close, or on another event loop.
        """
        self.check_usable()
        lanes = self._lanes
        if lanes is None or not lanes.able:
            return await self.open(url, headers, host)
        return await self._opened(
            self._start_small(lanes, url, headers, host, buffers=buffers, receipt=receipt), url, host
        )

    async def _opened(
        self, started: Awaitable[WholeBody | HttpStream], url: Secret, host: str
    ) -> WholeBody | HttpStream:
        """Wait for a response's headers; what fails is mapped, and an answer of a proxy is a failure."""
        failure: ArtifactsError | None = None
        try:
            found = await started
            if found.response.status not in _MAYBE_OF_PROXY or isinstance(found, WholeBody):
                return found
            failure = self._proxies.refusal(found.response, url, host)
            if failure is None:
                return found
            found.close()
        except BaseException as error:
            failure = transport_error(error, host, self._proxies.place(url))
            if failure is None and isinstance(error, AssertionError):  # aiohttp's
                failure = ConnectionFailedError(f"the connection to {host} was closed", host=host)
            if failure is None:
                without_traceback(error)
                raise
        raise failure

    async def _start(self, url: Secret, headers: Mapping[str, str], host: str, *, fresh: bool) -> HttpStream:
        """Hold the byte-exact URL as briefly as possible."""
        exact = url.reveal()
        session = self._fresh if fresh and self._borrowed is None else self._bare
        if session is None:
            session = self._open(fresh=fresh) if self._borrowed is None else self._share(self._borrowed)
        with Limit(self._watch, None, NO_HEADERS):
            given = {"User-Agent": self._user_agent or self.user_agent, **headers}
            answer = await self._ask(session, "GET", exact, given, None)
        return HttpStream(answer, host, self._watch)

    async def _start_small(
        self,
        lanes: Lanes,
        url: Secret,
        headers: Mapping[str, str],
        host: str,
        *,
        buffers: Callable[[int], bytearray | None],
        receipt: Receipt | None,
    ) -> WholeBody | HttpStream:
        """Hold the byte-exact URL as briefly as possible."""
        exact = url.reveal()
        parts = split_url(exact)
        if parts is None:
            return await self._start(url, headers, host, fresh=False)
        session = self._bare or self._open(fresh=False)
        given = {"User-Agent": self._user_agent or self.user_agent, **headers}
        ask = partial(self._ask, session, "GET", exact, given, None)
        call = Call("storage", *parts, given, session, ask, self._limits, _OK, _LONGEST_BODY, buffers, None, receipt)
        found = await lanes.get(call)
        if not isinstance(found, Whole):
            return HttpStream(found, host, self._watch)
        response = Response(status=_OK, headers=found.head.headers)
        return WholeBody(response, host, found.body, found.buffer)
