"""A raw HTTP server: it sends fixed bytes, and shares no assumption of the fake; and a GitHub made of two of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from gh_artifacts_async.testing.certificates import server_context
from gh_artifacts_async.testing.shutdown import sockets_closed

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator
    from pathlib import Path

REPO = "octo-org/octo-docs"


def answer(status: str, body: str | bytes = b"", **headers: str) -> bytes:
    """Return a response that closes its connection; underscores in header names stand for hyphens."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "Connection: close"])
    return head.encode() + b"\r\n\r\n" + body


def in_order(*replies: bytes) -> Callable[[str], bytes]:
    """Return a reply that is the next of these for each request; the last one is repeated."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def artifact(number: int = 7, **values: Any) -> dict[str, Any]:
    """Return an artifact's document."""
    return {
        "id": number,
        "node_id": "MDg6",
        "name": "docs",
        "size_in_bytes": 115,
        "url": "https://api.github.com/x",
        "archive_download_url": "https://api.github.com/x/zip",
        "expired": False,
        "created_at": "2026-01-10T14:59:22Z",
        "expires_at": "2026-04-10T14:59:22Z",
        "updated_at": "2026-01-10T14:59:22Z",
        **values,
    }


class RawServer:
    """Answers each connection's first request with the bytes that ``reply`` returns for its head.

    Attributes:
        heads: the requests' heads, as they came.
        reply: the head of a request -> all bytes of the response.
    """

    def __init__(self, reply: Callable[[str], bytes] | bytes = b"") -> None:
        self.heads: list[str] = []
        self.reply = reply
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None] | None] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await asyncio.gather(*(task for task in self._tasks if task is not None), return_exceptions=True)
        await self._server.wait_closed()

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``."""
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://{self.host}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.heads.append(head)
                writer.write(self.reply if isinstance(self.reply, bytes) else self.reply(head))
                await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._tasks.discard(task)


Script = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
"""Gets a request's head and the connection, and writes whatever it likes."""


def kept_alive(status: str, body: str | bytes = b"", **headers: str) -> bytes:
    """Return a response that leaves its connection open."""
    return answer(status, body, **headers).replace(b"\r\nConnection: close", b"", 1)


class KeepAliveServer:
    """Answers any number of requests on each connection by a script.

    Attributes:
        heads: the requests' heads, as they came.
        connections: how many there were.
    """

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        self.connections = 0
        self._script = script
        self._context = context
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None] | None] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in self._tasks if task is not None), return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, or https."""
        assert self._server is not None
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    self.heads.append(head)
                    await self._script(head, writer)
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._tasks.discard(task)


@asynccontextmanager
async def raw_github(document: dict[str, Any], *answers: bytes) -> AsyncGenerator[tuple[str, RawServer]]:
    """Run an API that knows one artifact, and a storage with these answers; give the API's URL and the storage."""
    async with RawServer(in_order(*answers)) as storage:
        get = answer("200 OK", json.dumps(document), Content_Type="application/json")
        location = answer("302 Found", Location=f"{storage.url}/blob?sig=x")
        async with RawServer(in_order(get, location)) as api:
            yield api.url, storage


@asynccontextmanager
async def never_goodbye(response: bytes, ca_file: Path) -> AsyncGenerator[str]:
    """Run a server over TLS that answers each connection's first request, and reads nothing more: it never ends TLS.

    Its host is given; ``ca_file`` is written, for clients to trust.
    """
    writers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        writer.transport.pause_reading()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context("127.0.0.1", ca_file))
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await sockets_closed(writer.transport for writer in writers)
