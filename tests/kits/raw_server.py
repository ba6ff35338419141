"""A GitHub and its storage made of bytes: they answer what a test writes, and share nothing with the fake."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

REPO = "octo-org/octo-docs"


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return an HTTP/1.1 response with its Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


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
    """Answers every request with the next of some byte strings; the last one is repeated.

    Attributes:
        requests: the request lines that came.
        hang_up_after: the connection is closed after this many requests altogether.
        hang_up_always: each connection is closed after one answer.
    """

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []
        self.url = ""
        self.hang_up_after: int | None = None
        self.hang_up_always = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head.decode("latin-1").partition("\r\n")[0])
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                await writer.drain()
                if self.hang_up_always or len(self.requests) == self.hang_up_after:
                    break
        writer.close()


@asynccontextmanager
async def raw_server(*answers: bytes) -> AsyncGenerator[RawServer]:
    """Run a server on loopback."""
    it = RawServer(answers)
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield it
    finally:
        server.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def raw_github(document: dict[str, Any], *answers: bytes) -> AsyncGenerator[tuple[str, RawServer]]:
    """Run an API that knows one artifact, and its storage; give the API's URL and the storage."""
    async with raw_server(*answers) as storage:
        get = response("200 OK", json.dumps(document).encode(), "Content-Type: application/json")
        location = response("302 Found", b"", f"Location: {storage.url}/blob?sig=x")
        async with raw_server(get, location) as api:
            yield api.url, storage
