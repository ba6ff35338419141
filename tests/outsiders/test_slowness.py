"""Slowness and stubbornness: what a server must not make of a client's patience."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import aiohttp
import pytest

from gh_artifacts_async import (
    ArtifactsClient,
    ConnectionFailedError,
    RequestTimeoutError,
    RetryPolicy,
    SlowTransferError,
    StorageError,
    Timeouts,
)
from tests.kits.raw import REPO, KeepAliveServer, RawServer, answer, artifact, in_order, raw_github

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

SIZE = 20_000


async def test_row_03_one_byte_a_connection_is_no_progress(tmp_path: Path) -> None:
    """Each connection brings a byte more and breaks: given up after the attempts, not after 20,000 connections."""

    def piece(offset: int) -> bytes:
        head = answer("206 Partial Content", ETag='"a"', Content_Range=f"bytes {offset}-{SIZE - 1}/{SIZE}")
        head = head.replace(b"Content-Length: 0", f"Content-Length: {SIZE - offset}".encode())
        return head + b"x"

    whole = answer("200 OK", Content_Type="application/zip", ETag='"a"')
    first = whole.replace(b"Content-Length: 0", f"Content-Length: {SIZE}".encode()) + b"x"
    document = artifact(size_in_bytes=SIZE, digest=f"sha256:{'0' * 64}")
    async with (
        raw_github(document, first, *(piece(offset) for offset in range(1, 50))) as (url, storage),
        ArtifactsClient("token", base_url=url, retry=RetryPolicy(attempts=6, wait_initial=0)) as client,
    ):
        with pytest.raises(ConnectionFailedError):
            await client.download(await client.get_artifact(REPO, 7), tmp_path)
        assert len(storage.heads) == 6


PATIENCE = Timeouts(connect=5, read=5, min_rate=1024, min_rate_window=8)
ONCE = RetryPolicy(attempts=1)
CHUNKED = b"HTTP/1.1 %s\r\nContent-Type: application/zip\r\nTransfer-Encoding: chunked\r\n\r\n"
Drip = Callable[[asyncio.StreamWriter], Awaitable[None]]


def drip(before: bytes, again: bytes) -> Drip:
    """Return what sends some bytes at once, and then a few every second, for ever."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(before)
        while True:
            await writer.drain()
            await asyncio.sleep(1)
            writer.write(again)

    return send


DRIPS = {
    "header": drip(b"HTTP/1.1 200 OK\r\nX-Header: ", b"a"),
    "headers": drip(b"HTTP/1.1 200 OK\r\n", b"X-Header: a\r\n"),
    "interim responses": drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "chunk extension": drip(CHUNKED % b"200 OK" + b"1;", b"a"),
    "trailer": drip(CHUNKED % b"200 OK" + b"1\r\nP\r\n0\r\nX-Trailer: ", b"a"),
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n", b" "),
    "chunks": drip(CHUNKED % b"200 OK", b"1\r\n \r\n"),
    "empty gzip": drip(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 90000\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03",
        b"\x02\0\0\0\xff\xff",
    ),
    "error body": drip(b"HTTP/1.1 404 Not Found\r\nContent-Length: 20000\r\n\r\n", b" "),
}
BY_STORAGE = sorted(set(DRIPS) - {"empty gzip", "error body"})


@contextlib.asynccontextmanager
async def client_of(url: str, *, borrow: bool) -> AsyncGenerator[ArtifactsClient]:
    """Open a client that tries once, with a session of its own or a borrowed one."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession()) if borrow else None
        yield await stack.enter_async_context(
            ArtifactsClient("token", base_url=url, session=session, timeouts=PATIENCE, retry=ONCE)
        )


@pytest.mark.parametrize("borrow", [False, True])
@pytest.mark.parametrize("kind", sorted(DRIPS))
async def test_row_02_a_slow_api(kind: str, *, borrow: bool) -> None:
    """Whatever comes byte by byte, the request ends: by Timeouts.read, or by the window of the minimum rate."""

    async def script(_head: str, writer: asyncio.StreamWriter) -> None:
        await DRIPS[kind](writer)

    began = asyncio.get_running_loop().time()
    async with KeepAliveServer(script) as server, client_of(server.url, borrow=borrow) as client:
        with pytest.raises(RequestTimeoutError, match=r"Timeouts\.(read|min_rate)"):
            await client.get_artifact(REPO, 7)
        took = asyncio.get_running_loop().time() - began
    # the connect timeout of a borrowed session's request cannot be told from its wait for the headers
    assert 4.9 < took < (PATIENCE.connect or 0) + (PATIENCE.read or 0) + 1 if borrow else took < 10


@pytest.mark.parametrize("borrow", [False, True])
@pytest.mark.parametrize("kind", BY_STORAGE)
async def test_row_02_slow_storage(kind: str, tmp_path: Path, *, borrow: bool) -> None:
    """The same from storage, whose connections are guarded for a borrowed session too."""

    async def script(_head: str, writer: asyncio.StreamWriter) -> None:
        await DRIPS[kind](writer)

    async with KeepAliveServer(script) as storage:
        location = answer("302 Found", Location=f"{storage.url}/blob?sig=x")
        document = json.dumps(artifact(size_in_bytes=SIZE, digest=f"sha256:{'0' * 64}"))
        get = answer("200 OK", document, Content_Type="application/json")
        async with RawServer(in_order(get, location)) as api, client_of(api.url, borrow=borrow) as client:
            found = await client.get_artifact(REPO, 7)
            began = asyncio.get_running_loop().time()
            with pytest.raises((RequestTimeoutError, SlowTransferError)):
                await client.download(found, tmp_path)
            assert asyncio.get_running_loop().time() - began < 11
    assert len(storage.heads) == 1


@pytest.mark.parametrize("borrow", [False, True])
async def test_row_02_a_slow_error_of_storage(tmp_path: Path, *, borrow: bool) -> None:
    """Its status counts after Timeouts.read; the body is read only for its code."""

    async def script(_head: str, writer: asyncio.StreamWriter) -> None:
        await drip(b"HTTP/1.1 404 Not Found\r\nContent-Length: 20000\r\n\r\n<", b"a")(writer)

    async with KeepAliveServer(script) as storage:
        location = answer("302 Found", Location=f"{storage.url}/blob?sig=x")
        get = answer("200 OK", json.dumps(artifact()), Content_Type="application/json")
        async with RawServer(in_order(get, location)) as api, client_of(api.url, borrow=borrow) as client:
            found = await client.get_artifact(REPO, 7)
            began = asyncio.get_running_loop().time()
            with pytest.raises(StorageError, match="404"):
                await client.download(found, tmp_path)
            assert asyncio.get_running_loop().time() - began < 6


async def test_row_02_slow_but_steady_is_fine() -> None:
    """A body that brings the minimum rate may take as long as it likes."""
    document = json.dumps(artifact(), indent=1).encode()
    padded = document + b" " * (100_000 - len(document))

    async def script(_head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        for start in range(0, len(padded), 2500):
            writer.write(padded[start : start + 2500])
            await asyncio.sleep(2)

    began = asyncio.get_running_loop().time()
    async with KeepAliveServer(script) as server, client_of(server.url, borrow=False) as client:
        assert (await client.get_artifact(REPO, 7)).id == 7
    assert asyncio.get_running_loop().time() - began > 70


async def test_row_02_waiting_for_a_borrowed_pool(tmp_path: Path) -> None:
    """A full pool of a borrowed session is not the server's slowness, however long it takes."""
    data = b"PK\5\6" + bytes(18)
    busy = 100.0

    async def script(head: str, writer: asyncio.StreamWriter) -> None:
        if head.startswith("GET /busy"):
            await asyncio.sleep(busy)
        document = json.dumps(artifact(size_in_bytes=len(data)))
        writer.write(
            answer("302 Found", Location=f"{server.url}/blob?sig=x")
            if "/zip " in head
            else answer("200 OK", data, Content_Type="application/zip")
            if "/blob" in head
            else answer("200 OK", document, Content_Type="application/json")
        )
        await writer.drain()
        writer.close()

    async with (
        KeepAliveServer(script) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
        ArtifactsClient("token", base_url=server.url, session=session, timeouts=PATIENCE, retry=ONCE) as client,
    ):

        async def occupied() -> asyncio.Task[aiohttp.ClientResponse]:
            task = asyncio.create_task(session._request("GET", f"{server.url}/busy"))
            while not server.heads or not server.heads[-1].startswith("GET /busy"):
                await asyncio.sleep(0)
            return task

        task = await occupied()
        began = asyncio.get_running_loop().time()
        found = await client.get_artifact(REPO, 7)
        (await task).close()
        task = await occupied()
        result = await client.download(found, tmp_path)
        (await task).close()
        assert result.size == len(data)
        assert asyncio.get_running_loop().time() - began > 2 * busy - 1
