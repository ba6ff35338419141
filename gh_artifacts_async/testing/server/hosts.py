"""The two hosts of a fake GitHub, from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

from aiohttp import web

from gh_artifacts_async.testing.clock import Clock
from gh_artifacts_async.testing.data.profiles import profile as profile_named
from gh_artifacts_async.testing.data.scenario import Scenario
from gh_artifacts_async.testing.faults.script import Faults
from gh_artifacts_async.testing.server.api import Api, Matched
from gh_artifacts_async.testing.server.backend import Backend
from gh_artifacts_async.testing.server.journal import Journal, RequestRecord
from gh_artifacts_async.testing.server.rate_limits import RateLimits
from gh_artifacts_async.testing.server.rendering import Renderer
from gh_artifacts_async.testing.server.signing import Signer
from gh_artifacts_async.testing.server.storage import Storage
from gh_artifacts_async.testing.server.tokens import Tokens
from gh_artifacts_async.testing.server.wire import strip_absent
from gh_artifacts_async.testing.shutdown import (
    BACKLOG,
    complete,
    listening_socket,
    sockets_closed,
    stop_accepting,
)
from gh_artifacts_async.testing.thread import LoopThread

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Awaitable, Callable, Generator
    from datetime import datetime
    from types import TracebackType

    from gh_artifacts_async.testing.data.profiles import Host

_PIPELINES = "/_services/pipelines/"
_SHUTDOWN = 0.1


class Hosts:
    """The API's host and the storage host on loopback, for as long as its ``async with`` block.

    Attributes:
        faults: what should go wrong, one method per fault.
        clock: the fake's clock; ``clock.advance(seconds)`` sets it forward.
        scenario: the data itself, for what no method of ``FakeGitHub`` does.
    """

    def __init__(
        self,
        profile: str = "github.com",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        storage_port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        url_ttl: float | None = None,
        same_host_storage: bool = False,
        byte_exact_urls: bool = False,
        now: datetime | None = None,
    ) -> None:
        """Prepare a fake; it starts when its ``async with`` block is entered.

        Args:
            profile: ``"github.com"``, or ``"ghes-3.4"`` … ``"ghes-3.22"`` for a GitHub Enterprise Server.
            host: address to listen at.
            port: of the API; 0: a free one.
            storage_port: of the storage host; 0: a free one.
            ssl_context: serve TLS on both hosts.
            url_ttl: seconds that signed URLs live; None: 600, and 60 for the v3 form.
            same_host_storage: v3 URLs point to the API's own host (``/_services/pipelines/…``), as on an appliance.
            byte_exact_urls: refuse a signed URL that is not byte for byte as it was minted; else its query may be
                re-ordered or escaped differently, as with Azure.
            now: aware time at which its clock begins; None: now.

        Raises:
            ValueError: there is no such profile.
        """
        self.clock: Clock = Clock() if now is None else Clock(now)
        self.scenario: Scenario = Scenario(self.clock, profile_named(profile))
        self.faults: Faults = Faults(self.clock, known=self.scenario.artifacts.__contains__)
        self._journal = Journal()
        self._signer = Signer(self.clock, url_ttl, byte_exact=byte_exact_urls)
        self._tokens = Tokens(self.clock)
        self._limits = RateLimits(self.clock, enabled=self.scenario.profile.rate_limits)
        render = Renderer(self.scenario, "")
        self._backend = Backend(
            self.scenario, render, self._signer, self._tokens, self._limits, same_host=same_host_storage
        )
        self._api = Api(self._backend, self.faults, self._journal)
        self._storage = Storage(self.scenario, self._signer, self.faults, self._journal)
        self._host, self._tls = host, ssl_context
        self._ports = {"api": port, "storage": storage_port}
        self._thread: LoopThread | None = None
        self._runners: list[web.AppRunner] = []
        self._listeners: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._accepting: set[asyncio.Task[object]] = set()
        self._busy: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        """Start both hosts.

        Raises:
            OSError: a port is taken.
            RuntimeError: it is running already.
        """
        if self._runners:
            msg = f"this {type(self).__name__} is running already; make one for each block"
            raise RuntimeError(msg)
        self.clock.begin()
        try:
            origin = await self._start("api", self._handle_api)
            self._backend.storage_url = await self._start("storage", self._handle_storage)
        except BaseException:
            await self.aclose()
            raise
        self._backend.render.base_url = origin + self.scenario.profile.prefix
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop both hosts at once: requests in progress are cut off."""
        await self.aclose()

    def __enter__(self) -> Self:
        """Start both hosts in a thread of their own: for code that is not asyncio, and for other programs.

        Raises:
            OSError: a port is taken.
            RuntimeError: it is running already.
        """
        thread = LoopThread(self)
        thread.start()
        self._thread = thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop both hosts at once, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()

    async def aclose(self) -> None:
        """Stop both hosts at once; again is no error. A cancelled caller still leaves nothing open."""
        await complete(self._close())

    async def _close(self) -> None:
        runners, self._runners = self._runners, []
        listeners, self._listeners = self._listeners, []
        servers, self._servers = self._servers, []
        busy = list(self._busy)
        for task in busy:
            task.cancel()
        try:
            await stop_accepting(listeners)
        finally:
            for server in servers:
                server.close()
            for listener in listeners:
                listener.close()
        handshakes = list(self._accepting)
        for task in handshakes:
            task.cancel()
        await asyncio.gather(*busy, *handshakes, return_exceptions=True)
        transports = [transport for runner in runners for transport in _transports(runner)]
        for transport in transports:  # over TLS, one that is only closed waits until its peer says goodbye, too
            transport.abort()
        await sockets_closed(transports)
        for runner in runners:
            await runner.cleanup()

    async def _start(self, host: Host, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        """Start one host and return its origin."""
        application = web.Application()
        application.router.add_route("*", r"/{path:[\s\S]*}", handler)  # also what decodes to a line feed
        application.on_response_prepare.append(strip_absent)
        runner = web.AppRunner(
            application,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_SHUTDOWN,
        )
        self._runners.append(runner)
        listener = listening_socket(self._host, self._ports[host])
        self._listeners.append(listener)
        await runner.setup()
        await self._serve(listener, runner.server)
        address, self._ports[host] = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        return f"{'https' if self._tls else 'http'}://{shown}:{self._ports[host]}"

    async def _serve(self, listener: socket.socket, protocols: Callable[[], asyncio.BaseProtocol] | None) -> None:
        """Accept connections, and know those whose TLS handshake is under way, which aiohttp does not."""

        def accepted() -> asyncio.BaseProtocol:
            task = asyncio.current_task()
            if task is not None:  # Windows' proactor loop has no task for it
                self._accepting.add(task)
                task.add_done_callback(self._accepting.discard)
            if protocols is None:  # the runner is set up; its type does not say so
                raise ConnectionAbortedError
            return protocols()

        # Ours before anything is awaited: a cancel must not lose the server.
        server = await asyncio.get_running_loop().create_server(
            accepted, sock=listener, ssl=self._tls, backlog=BACKLOG, start_serving=False
        )
        self._servers.append(server)
        await server.start_serving()

    async def _handle_api(self, request: web.Request) -> web.StreamResponse:
        if request.raw_path.startswith(_PIPELINES):
            return await self._handle_storage(request)
        matched = self._api.match(request)
        with self._attending("api", request, matched) as number:
            return await self._api.handle(request, number, matched)

    async def _handle_storage(self, request: web.Request) -> web.StreamResponse:
        known = self._signer.check(request.raw_path).artifact_id
        matched = Matched(None, {} if known is None else {"artifact_id": str(known)})
        with self._attending("storage", request, matched) as number:
            return await self._storage.handle(request, number)

    @contextlib.contextmanager
    def _attending(self, host: Host, request: web.Request, matched: Matched) -> Generator[int]:
        """Record a request, and keep its task so that ``aclose`` can cancel it."""
        record = RequestRecord(
            number=self._journal.next_number(),
            host=host,
            method=request.method,
            path=request.path,
            raw_path=request.raw_path,
            query=request.query,
            headers=request.headers,
            time=self.clock.elapsed(),
            endpoint=matched.endpoint,
            artifact_id=matched.artifact_id,
        )
        self._journal.put(record)
        task = asyncio.current_task()
        if task is not None:
            self._busy.add(task)
        self._journal.enter(host)
        try:
            yield record.number
        finally:
            self._journal.leave(host)
            if task is not None:
                self._busy.discard(task)

    @property
    def base_url(self) -> str:
        """The base URL for an API client, without a trailing slash.

        Raises:
            RuntimeError: the fake was never started.
        """
        return self._started(self._backend.render.base_url)

    @property
    def storage_url(self) -> str:
        """Origin of the storage host.

        Raises:
            RuntimeError: the fake was never started.
        """
        return self._started(self._backend.storage_url)

    def _started(self, url: str) -> str:
        if not url:
            name = type(self).__name__
            msg = f"it has no URL before it is started: use `async with {name}() as github`"
            raise RuntimeError(msg)
        return url

    def advertise(self, *, api: str | None = None, storage: str | None = None) -> None:
        """Use other origins in Link headers, documents and signed URLs: those of proxies in front of the hosts.

        Args:
            api: origin of the API, e.g. ``http://127.0.0.1:4711``; None: unchanged.
            storage: origin of the storage host; None: unchanged.
        """
        if api is not None:
            self._backend.render.base_url = api + self.scenario.profile.prefix
        if storage is not None:
            self._backend.storage_url = storage


def _transports(runner: web.AppRunner) -> list[asyncio.Transport]:
    """Return those of a host's open connections."""
    connections = [] if runner.server is None else runner.server.connections
    return [connection.transport for connection in connections if connection.transport is not None]
