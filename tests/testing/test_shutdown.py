"""Closing servers and connections so that nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from gh_artifacts_async.testing import ChaosProxy, FakeGitHub
from gh_artifacts_async.testing.shutdown import (
    complete,
    end_connection,
    listening_socket,
    reset_connection,
    sockets_closed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

TURNS = range(21)
_DESCRIPTORS = Path("/proc/self/fd")

needs_proc = pytest.mark.skipif(not _DESCRIPTORS.exists(), reason="descriptors are counted in /proc")


def open_sockets() -> set[str]:
    """Return the sockets of this process."""
    found = set()
    for entry in _DESCRIPTORS.iterdir():
        with contextlib.suppress(OSError):
            found.add(str(entry.readlink()))
    return {target for target in found if target.startswith("socket:")}


@contextlib.asynccontextmanager
async def nothing_left(turns: int) -> AsyncGenerator[None]:
    """Fail if the block, so many turns long, leaves a socket or a task, and if the loop hears of an error meanwhile."""
    loop, errors = asyncio.get_running_loop(), []
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: errors.append(context))
    sockets, tasks = open_sockets(), asyncio.all_tasks()
    try:
        yield
    finally:
        loop.set_exception_handler(handler)
    assert open_sockets() <= sockets, f"after {turns} turns"
    assert asyncio.all_tasks() <= tasks, f"after {turns} turns"
    assert not errors, f"after {turns} turns"


async def turn(times: int) -> None:
    """Let the loop turn ``times`` times."""
    for _ in range(times):
        await asyncio.sleep(0)


REQUEST = b"GET /zen HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\n\r\n"


async def connect(url: str, request: bytes = REQUEST) -> asyncio.StreamWriter:
    """Connect to a server and send it a request."""
    host, _, port = url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    return writer


async def leave(writer: asyncio.StreamWriter) -> None:
    """Close the client's own side."""
    writer.transport.abort()
    await sockets_closed([writer.transport])


async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve a hundred kilobytes to whoever connects."""
    with contextlib.suppress(OSError, EOFError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(100_000))
        await writer.drain()
        await reader.read()
    writer.transport.abort()


@pytest.fixture
async def target() -> AsyncGenerator[tuple[str, int]]:
    """Where a server listens."""
    listener = listening_socket("127.0.0.1", 0)
    server = await asyncio.start_server(upstream, sock=listener)
    yield listener.getsockname()
    server.close()
    await turn(5)


@needs_proc
@pytest.mark.parametrize("how", ["reset", "cut", "refuse", "stall", "pass_by"])
async def test_a_proxy_left_some_turns_after_a_connection(target: tuple[str, int], how: str) -> None:
    """Whenever a proxy is left, it leaves no socket and no task: before, while and after it ends a connection."""
    for turns in TURNS:
        async with nothing_left(turns):
            async with ChaosProxy(target) as proxy:
                getattr(proxy, how)()
                writer = await connect(proxy.url)
                await turn(turns)
            await leave(writer)
            await turn(5)  # the server behind the proxy ends its own side


@needs_proc
async def test_a_proxy_left_some_turns_after_a_reset(target: tuple[str, int]) -> None:
    """A proxy that is left while the client sees a reset in the middle of a body leaves nothing."""
    for turns in TURNS:
        async with nothing_left(turns):
            async with ChaosProxy(target) as proxy:
                proxy.reset(after=50_000)
                writer = await connect(proxy.url)
                while not (proxy.connections and proxy.connections[0].down == 50_000):
                    await asyncio.sleep(0)
                await turn(turns)
            await leave(writer)
            await turn(5)


async def use_proxy(target: tuple[str, int]) -> None:
    """Enter a proxy, break a connection, stop and start listening, leave."""
    async with ChaosProxy(target) as proxy:
        proxy.reset(after=50_000)
        writer = await connect(proxy.url)
        try:
            await turn(8)
            await proxy.stop_listening()
            await proxy.listen()
            await turn(2)
        finally:
            writer.transport.abort()


async def use_fake() -> None:
    """Enter a fake, send it a request, leave while it answers."""
    async with FakeGitHub() as github:
        github.faults.slow_headers(where="api")
        writer = await connect(github.base_url)
        try:
            await turn(6)
        finally:
            writer.transport.abort()


@needs_proc
async def test_a_proxy_cancelled_at_each_turn(target: tuple[str, int]) -> None:
    """Wherever a cancel strikes while a proxy starts, works or ends, nothing is left."""
    for turns in range(60):
        async with nothing_left(turns):
            task = asyncio.ensure_future(use_proxy(target))
            await turn(turns)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await turn(6)


@needs_proc
async def test_a_proxy_cancelled_twice(target: tuple[str, int]) -> None:
    """A second cancel, while the first one is being obeyed, changes nothing."""
    for turns in range(60):
        async with nothing_left(turns):
            task = asyncio.ensure_future(use_proxy(target))
            await turn(turns)
            task.cancel()
            await turn(turns % 5)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await turn(6)


@needs_proc
async def test_a_fake_left_some_turns_after_a_connection() -> None:
    """Whenever a fake is left, it leaves no socket and no task."""
    for turns in TURNS:
        async with nothing_left(turns):
            async with FakeGitHub() as github:
                github.faults.slow_headers(where="api")
                writer = await connect(github.base_url)
                await turn(turns)
            await leave(writer)


@needs_proc
async def test_a_fake_left_during_a_tls_handshake() -> None:
    """A client that connects and never says a word of TLS does not outlive the fake."""
    for turns in TURNS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        async with nothing_left(turns):
            async with FakeGitHub(ssl_context=context) as github:
                writer = await connect(github.base_url.replace("https", "http"), b"")
                await turn(turns)
            await leave(writer)


async def test_a_tls_transport_that_was_closed_twice() -> None:
    """It has forgotten its socket, which is no error: it says goodbye and ends by itself."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with FakeGitHub(ssl_context=context) as github:
        port = int(github.storage_url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        socket = writer.transport.get_extra_info("socket")
        writer.transport.close()
        writer.transport.close()
        await sockets_closed([writer.transport])
        reset_connection(writer.transport)
        await end_connection(writer.transport, "rst")
        async with asyncio.timeout(5):
            while socket.fileno() >= 0:
                await asyncio.sleep(0.01)


@needs_proc
async def test_a_fake_cancelled_at_each_turn() -> None:
    """Wherever a cancel strikes while a fake starts, answers or ends, nothing is left."""
    for turns in range(40):
        async with nothing_left(turns):
            task = asyncio.ensure_future(use_fake())
            await turn(turns)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await turn(6)


async def test_work_that_must_be_completed() -> None:
    """A cancelled caller waits for the work, and is cancelled then; an error of the work is the caller's."""
    done = []

    async def work() -> None:
        await turn(3)
        done.append(True)

    task = asyncio.ensure_future(complete(work()))
    await turn(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [True]

    async def fail() -> None:
        raise ValueError("the work")

    with pytest.raises(ValueError, match="the work"):
        await complete(fail())


async def test_a_connection_ends_after_its_last_byte() -> None:
    """What was written arrives before the connection is ended, by FIN or by RST."""
    for how in ("fin", "rst"):
        received = bytearray()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionResetError):
                while data := await reader.read(1000):
                    received.extend(data)  # noqa: B023
            writer.transport.abort()

        listener = listening_socket("127.0.0.1", 0)
        server = await asyncio.start_server(take, sock=listener)
        _, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"x" * 10_000)
        await end_connection(writer.transport, how)  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        server.close()
        await leave(writer)
        if how == "fin":
            assert len(received) == 10_000
        assert received
