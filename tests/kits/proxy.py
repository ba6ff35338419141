"""A forward proxy on loopback that remembers what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit


class Proxy:
    """A forward proxy on loopback: absolute-form requests and CONNECT, one request a connection."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.refuse = b""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._forward(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _dial(self, method, parts):
        del method
        return await asyncio.open_connection(parts.hostname, parts.port)

    async def _forward(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        if self.refuse:
            writer.write(self.refuse)
            return
        method, target, rest = head.split(" ", 2)
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        far_reader, far_writer = await self._dial(method, parts)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            lines = [line for line in rest.split("\r\n") if not line.lower().startswith("proxy-")]
            start = f"{method} {target.partition(parts.netloc)[2]} "
            far_writer.write((start + "\r\n".join(lines)).encode())
        try:
            async with asyncio.TaskGroup() as group:
                back = group.create_task(_pipe(far_reader, writer))
                there = group.create_task(_pipe(reader, far_writer))
                back.add_done_callback(lambda _: there.cancel())
                there.add_done_callback(lambda _: far_writer.close())
        finally:
            far_writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await far_writer.wait_closed()


async def _pipe(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
