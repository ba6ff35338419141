"""Bare requests to the storage host: no token, no cookies, no default headers, only the redirects that are allowed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from gh_artifacts_async.api.session import transport_error, without_traceback
from gh_artifacts_async.errors import ClientClosedError, ConnectionFailedError, TransportError, UnsafeRedirectError
from gh_artifacts_async.protocol.redirects import check_target, follow
from gh_artifacts_async.protocol.responses import Response
from gh_artifacts_async.results import Secret
from gh_artifacts_async.transport.socket_receiver import take_over

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.settings import StoragePolicy
    from gh_artifacts_async.transfer.disk.writer import Lane, Writer
    from gh_artifacts_async.transport.socket_receiver import SocketReceiver

READ_BUFFER = 256 * 1024
"""Bytes aiohttp may hold of one body before it stops reading; they are lost when the body breaks, so not more."""

_LONGEST_ERROR_BODY = 64 * 1024
_ERROR = 300
_REDIRECTS = (301, 302, 303, 307, 308)


class StorageResponse:
    """One answer of storage; shows no URL in its repr.

    Attributes:
        answer: status and headers; the body of an error, cut at 64 KiB.
        host: for messages.
    """

    def __init__(self, response: aiohttp.ClientResponse, host: str) -> None:
        """Take over aiohttp's response."""

        def reveal() -> aiohttp.ClientResponse:  # a closure, where nobody looks who prints locals: its repr has the URL
            return response

        self._response = reveal
        self.host = host
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.answer = Response(status=response.status, headers=headers)

    def __repr__(self) -> str:
        """Return status and host only."""
        return f"StorageResponse({self.answer.status}, {self.host!r})"

    async def read_chunk(self) -> bytes:
        """Return what has arrived, as soon as anything has; empty at the end of the body.

        Raises:
            TransportError: the body broke, or was silent for too long.
        """
        failure: TransportError | None = None
        try:
            return await self._response().content.readany()
        except BaseException as error:
            failure = transport_error(error, self.host)
            if failure is None:
                without_traceback(error)
                raise
        raise failure

    def take_over(self, writer: Writer, lane: Lane, ring: Callable[[int], SocketReceiver]) -> SocketReceiver | None:
        """Take the body over, see :mod:`~gh_artifacts_async.transport.socket_receiver`; None where that cannot be."""
        return take_over(self._response(), writer, lane, ring)

    async def read_error(self) -> None:
        """Read an error's body into ``answer``; one that breaks is taken as far as it came."""
        body = bytearray()
        while len(body) < _LONGEST_ERROR_BODY:
            try:
                chunk = await self.read_chunk()
            except TransportError:
                break
            if not chunk:
                break
            body += chunk
        self.answer = Response(
            status=self.answer.status, headers=self.answer.headers, body=bytes(body[:_LONGEST_ERROR_BODY])
        )

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else end it."""
        self._response().close()


class StorageSession:
    """The client's way to storage hosts; shares the API session's connections, and nothing else of it."""

    def __init__(self, github: GitHubSession, policy: StoragePolicy) -> None:
        """Keep what is shared; the bare session is made on first use."""
        self._github = github
        self._policy = policy
        self._api_is_http = github.base.origin.scheme == "http"
        self._bare: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close the bare session; the connections belong to the API's session, which is closed after this one."""
        bare, self._bare = self._bare, None
        if bare is not None:
            await bare.close()

    @asynccontextmanager
    async def open(self, signed: SignedURL, headers: Mapping[str, str]) -> AsyncGenerator[StorageResponse]:
        """Send a GET; the block is entered with whatever storage answered, an error included.

        Raises:
            UnsafeRedirectError: the policy forbids the target, a redirect of storage itself, or one more of them.
            TransportError: no answer came.
            ClientClosedError: after close.
        """
        check_target(signed, self._policy, api_is_http=self._api_is_http)
        hops = 0
        while True:
            response = await self._get(signed, headers)
            try:
                if response.answer.status not in _REDIRECTS:
                    if response.answer.status >= _ERROR:
                        await response.read_error()
                    yield response
                    return
                signed = self._next(signed, response, hops)
                hops += 1
            finally:
                response.close()

    def _next(self, source: SignedURL, response: StorageResponse, hops: int) -> SignedURL:
        if hops >= self._policy.max_redirects:
            msg = (
                f"storage at {response.host} answered with a redirect ({response.answer.status}), "
                f"and StoragePolicy.max_redirects is {self._policy.max_redirects}; it was not followed"
            )
            raise UnsafeRedirectError(msg)
        location = Secret(response.answer.headers.get("location", ""))
        date = {name: value for name, value in response.answer.headers.items() if name == "date"}
        return follow(source, location, self._policy, api_is_http=self._api_is_http, headers=date)

    async def _get(self, signed: SignedURL, headers: Mapping[str, str]) -> StorageResponse:
        failure: TransportError | None = None
        self._github.check_usable()
        try:
            return await self._over_the_wire(signed, headers)
        except BaseException as error:
            failure = transport_error(error, signed.host)
            if failure is None and isinstance(error, AssertionError):  # aiohttp's own, when it is closed meanwhile
                failure = ConnectionFailedError(f"the connection to {signed.host} was closed", host=signed.host)
            if failure is None:
                without_traceback(error)
                raise
        raise failure

    async def _over_the_wire(self, signed: SignedURL, headers: Mapping[str, str]) -> StorageResponse:
        """Hold the byte-exact URL for as short as can be."""
        response = await self._session().get(
            URL(signed.url, encoded=True),
            headers={"User-Agent": self._github.user_agent, **headers},
            allow_redirects=False,
            timeout=self._github.client_timeout(),
            proxy=self._github.proxy_for(Secret(signed.url)),
        )
        return StorageResponse(response, signed.host)

    def _session(self) -> aiohttp.ClientSession:
        connector = self._github.http.connector
        if connector is None:
            msg = "the borrowed aiohttp session is closed"
            raise ClientClosedError(msg)
        if self._bare is None:
            self._bare = aiohttp.ClientSession(
                connector=connector,
                connector_owner=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                read_bufsize=READ_BUFFER,
            )
        return self._bare
