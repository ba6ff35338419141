"""A TCP proxy that harms what passes through it, for faults below HTTP and in front of any server."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

import attrs

from gh_artifacts_async.testing.server.wire import end_connection, reset_connection

if TYPE_CHECKING:
    from types import TracebackType

Direction = Literal["down", "up"]
"""``down``: from the server to the client; ``up``: the other way."""

_READ = 64 * 1024
_PORTS = {"http": 80, "https": 443}


@attrs.define(eq=False)
class Harm:
    """What happens to a connection.

    Attributes:
        kind: ``cut`` (FIN), ``reset`` (RST), ``stall``, ``refuse`` (RST at once) or ``pass``; what the client meets.
        direction: whose bytes are counted, and slowed.
        after: bytes that pass before it happens.
        seconds: of a stall.
        chunk: bytes that pass at once; None: as they come.
        interval: seconds before each piece.
        left: how many more connections; None for ever.
    """

    kind: Literal["cut", "reset", "stall", "refuse", "pass"]
    direction: Direction = "down"
    after: int = 0
    seconds: float = 0.0
    chunk: int | None = None
    interval: float = 0.0
    left: int | None = 1

    def cancel(self) -> None:
        """Let it happen no more."""
        self.left = 0


@attrs.define(eq=False)
class Connection:
    """One connection that came.

    Attributes:
        harm: what it met.
        up: bytes from the client to the server so far.
        down: bytes from the server to the client so far.
    """

    harm: Harm
    up: int = 0
    down: int = 0


class _EndedError(Exception):
    """The connection was ended on purpose."""


class ChaosProxy:
    """A proxy on loopback for as long as its ``async with`` block; each connection meets one scripted harm.

    Harms wait in line: each new connection takes the next one, those with ``times=None`` stay; none: it passes.

    Attributes:
        port: where it listens.
        connections: those that came, in order.
        script: the harms in line.
    """

    def __init__(self, target: str | tuple[str, int], *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Make a proxy that starts when it is entered.

        Args:
            target: the server: a URL such as ``github.base_url`` or ``github.storage_url``, or (host, port).
            host: address to listen at.
            port: 0: a free one.
        """
        if isinstance(target, str):
            parts = urlsplit(target)
            self._scheme = parts.scheme
            self._target = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
        else:
            self._scheme, self._target = "http", target
        self.port = port
        self.connections: list[Connection] = []
        self.script: list[Harm] = []
        self._host = host
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The proxy's origin, e.g. ``http://127.0.0.1:4711``; the scheme is the target's."""
        return f"{self._scheme}://{self._host}:{self.port}"

    async def __aenter__(self) -> Self:
        """Start listening."""
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening and end all connections."""
        await self.stop_listening()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def listen(self) -> None:
        """Listen (again, at the same port)."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, self._host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        """Let new connections be refused by the kernel; those that stand go on."""
        server, self._server = self._server, None
        if server is not None:
            # Not wait_closed: since Python 3.12 that waits for the connections too.
            server.close()

    # -- script ----------------------------------------------------------------------------------------------------

    def cut(self, after: int = 0, times: int | None = 1, *, direction: Direction = "down") -> Harm:
        """Close the connection (FIN) after ``after`` bytes."""
        return self._add(Harm("cut", direction, after, left=times))

    def reset(self, after: int = 0, times: int | None = 1, *, direction: Direction = "down") -> Harm:
        """Reset the client's side (RST by SO_LINGER 0) after ``after`` bytes."""
        return self._add(Harm("reset", direction, after, left=times))

    def stall(
        self, after: int = 0, times: int | None = 1, *, seconds: float = 3600.0, direction: Direction = "down"
    ) -> Harm:
        """Pass nothing for ``seconds`` after ``after`` bytes, then go on."""
        return self._add(Harm("stall", direction, after, seconds, left=times))

    def drip(
        self, times: int | None = 1, *, chunk: int = 1, interval: float = 0.2, direction: Direction = "down"
    ) -> Harm:
        """Pass ``chunk`` bytes every ``interval`` seconds."""
        return self._add(Harm("pass", direction, chunk=chunk, interval=interval, left=times))

    def delay(self, seconds: float, times: int | None = None, *, direction: Direction = "down") -> Harm:
        """Hold each piece of up to 64 KiB for ``seconds``: a slow line, for all connections unless told otherwise."""
        return self._add(Harm("pass", direction, interval=seconds, left=times))

    def refuse(self, times: int | None = 1) -> Harm:
        """Reset a connection as soon as it stands; for a refusal by the kernel see ``stop_listening``."""
        return self._add(Harm("refuse", left=times))

    def pass_by(self, times: int | None = 1) -> Harm:
        """Let ``times`` connections pass unharmed: a gap in the line."""
        return self._add(Harm("pass", left=times))

    def _add(self, harm: Harm) -> Harm:
        self.script.append(harm)
        return harm

    def _next_harm(self) -> Harm:
        for harm in self.script:
            if harm.left is None:
                return harm
            if harm.left > 0:
                harm.left -= 1
                return harm
        return Harm("pass")

    # -- connections -----------------------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # a coroutine always runs in a task; the type does not say so
            return
        self._tasks.add(task)
        connection = Connection(self._next_harm())
        self.connections.append(connection)
        try:
            # What fails on one connection is that connection's end, and cancelling ends it too.
            with contextlib.suppress(OSError, _EndedError, asyncio.CancelledError):
                await self._carry(connection, reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _carry(self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if connection.harm.kind == "refuse":
            reset_connection(writer.transport)
            return
        up_reader, up_writer = await asyncio.open_connection(*self._target)
        pumps = [
            asyncio.create_task(self._pump("up", connection, reader, up_writer, writer)),
            asyncio.create_task(self._pump("down", connection, up_reader, writer, writer)),
        ]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            up_writer.transport.abort()
            await self._settle(writer)

    async def _settle(self, writer: asyncio.StreamWriter) -> None:
        """Close the client's side so that what was written still arrives."""
        if not writer.transport.is_closing():
            await end_connection(writer.transport, "fin")
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _pump(
        self,
        direction: Direction,
        connection: Connection,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        """Pass bytes one way until their end, or until the harm is done."""
        harm = connection.harm
        mine = harm.direction == direction
        await self._strike(connection, direction, client)
        while data := await source.read(self._room(connection, direction)):
            if mine and harm.interval:
                await asyncio.sleep(harm.interval)
            sink.write(data)
            await sink.drain()
            setattr(connection, direction, getattr(connection, direction) + len(data))
            await self._strike(connection, direction, client)
        if sink.can_write_eof():
            sink.write_eof()

    def _room(self, connection: Connection, direction: Direction) -> int:
        """Return how many bytes may pass at once: a harm strikes exactly at its byte."""
        harm, passed = connection.harm, getattr(connection, direction)
        if harm.direction != direction:
            return _READ
        room = harm.chunk or _READ
        return min(room, harm.after - passed) if harm.after > passed else room

    async def _strike(self, connection: Connection, direction: Direction, client: asyncio.StreamWriter) -> None:
        harm = connection.harm
        if harm.direction != direction or harm.kind == "pass" or getattr(connection, direction) != harm.after:
            return
        if harm.kind == "stall":
            await asyncio.sleep(harm.seconds)
            return
        await end_connection(client.transport, "rst" if harm.kind == "reset" else "fin")
        raise _EndedError
