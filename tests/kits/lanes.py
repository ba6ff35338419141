"""What the tests of lanes share: a server that follows a script, over TLS or not, and a transport that asks it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import trustme

from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.transport.http import HttpTransport
from gh_artifacts_async.transport.lanes import WholeBody
from tests.kits.raw import KeepAliveServer, kept_alive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.transport.http import HttpStream
    from tests.kits.raw import Script

CA = trustme.CA()
CANARY = "sig=c4nary"


def server_context() -> ssl.SSLContext:
    """Return a server's context for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("127.0.0.1").configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    """Return a context that trusts that server."""
    context = ssl.create_default_context()
    CA.configure_trust(context)
    return context


def sends(*pieces: bytes, then: str = "") -> Script:
    """Return a script that writes these pieces, one in a turn, and then does something to the connection."""

    async def script(_: str, writer: asyncio.StreamWriter) -> None:
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            if then == "stall":
                await asyncio.sleep(10_000)
        except asyncio.CancelledError:  # at the end of the test: asyncio's streams would log it
            raise ConnectionResetError from None
        if then == "end":
            writer.close()
        elif then == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

    return script


def by_turns(*scripts: Script) -> Script:
    """Return a script that is the next of these for each request; the last one is repeated."""
    left = iter(scripts)
    last = scripts[-1]

    async def script(head: str, writer: asyncio.StreamWriter) -> None:
        await next(left, last)(head, writer)

    return script


def ok(body: bytes, **headers: str) -> bytes:
    """Return a 200."""
    return kept_alive("200 OK", body, **headers)


class Asker:
    """A transport and the server it asks.

    Attributes:
        lent: sizes of the buffers that were lent.
    """

    def __init__(self, transport: HttpTransport, server: KeepAliveServer) -> None:
        self.transport = transport
        self.server = server
        self.lent: list[int] = []
        self.spare = 0

    def lend(self, size: int) -> bytearray | None:
        self.lent.append(size)
        return bytearray(size + self.spare)

    def url(self, path: str = "/blob") -> Secret:
        """Return a signed URL of the server."""
        return Secret(f"{self.server.url}{path}?{CANARY}")

    async def get(self, url: Secret | None = None, **headers: str) -> WholeBody | HttpStream:
        """Ask for a small body."""
        given = {"Accept-Encoding": "identity", **headers}
        return await self.transport.open_small(url or self.url(), given, "storage", self.lend)

    async def whole(self, **headers: str) -> bytes:
        """Ask, and return a body that came over a lane."""
        found = await self.get(**headers)
        assert isinstance(found, WholeBody), found
        return bytes(found.body)

    async def stream(self) -> tuple[int, bytes]:
        """Ask, and read a body that came the ordinary way; return status and body."""
        found = await self.get()
        assert not isinstance(found, WholeBody)
        body = b""
        try:
            while chunk := await found.read_chunk():
                body += chunk
        finally:
            found.close()
        return found.response.status, body

    @property
    def lanes(self) -> Any:
        return self.transport._lanes


@asynccontextmanager
async def asking(
    script: Script, *, tls: bool = False, timeouts: Timeouts | None = None, **settings: Any
) -> AsyncGenerator[Asker]:
    """Run a server and a transport; at the end nothing of either may be left."""
    async with KeepAliveServer(script, server_context() if tls else None) as server:
        if tls:
            settings["ssl_context"] = client_context()
        transport = HttpTransport(timeouts or Timeouts(), **settings)
        try:
            yield Asker(transport, server)
        finally:
            with contextlib.suppress(Exception):
                assert transport._lanes is None or not transport._closed
            await transport.aclose()
