"""A TCP proxy that disrupts what passes through it, for faults below HTTP and in front of any server."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

import attrs

from gh_artifacts_async.testing.shutdown import (
    BACKLOG,
    complete,
    end_connection,
    listening_socket,
    reset_connection,
    sockets_closed,
    stop_accepting,
)

if TYPE_CHECKING:
    import socket
    from types import TracebackType

Direction = Literal["down", "up"]
"""``down``: from the server to the client; ``up``: the other way."""

_READ = 64 * 1024
_FARTHEST = 20  # bits: a random disruption happens within the first MiB
_STALL = 2.0  # seconds
_PORTS = {"http": 80, "https": 443}


@attrs.define(eq=False)
class Disruption:
    """What happens to a connection.

    Attributes:
        kind: ``cut`` (FIN), ``reset`` (RST), ``stall``, ``refuse`` (RST at once) or ``pass``: what the client sees.
        direction: whose bytes are counted, and slowed.
        after: bytes that pass before it happens.
        seconds: of a stall.
        chunk: bytes that pass at once; None: as they arrive.
        interval: seconds before each piece.
        left: how many more connections; None: no limit.
    """

    kind: Literal["cut", "reset", "stall", "refuse", "pass"]
    direction: Direction = "down"
    after: int = 0
    seconds: float = 0.0
    chunk: int | None = None
    interval: float = 0.0
    left: int | None = 1

    def cancel(self) -> None:
        """Cancel the fault."""
        self.left = 0


@attrs.define(eq=False)
class Connection:
    """One connection that was accepted.

    Attributes:
        disruption: what happens to it.
        up: bytes from the client to the server so far.
        down: bytes from the server to the client so far.
    """

    disruption: Disruption
    up: int = 0
    down: int = 0


class _EndedError(Exception):
    """A disruption ended the connection."""


class ChaosProxy:
    """A proxy on loopback for as long as its ``async with`` block; each connection gets one scripted disruption.

    Disruptions wait in line: each new connection takes the next one, those with ``times=None`` stay; none: it passes,
    or meets a random one after ``at_random``.

    Attributes:
        port: where it listens.
        connections: those accepted so far, in order.
        script: the disruptions in line.
    """

    def __init__(self, target: str | tuple[str, int], *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Prepare a proxy; it starts when its ``async with`` block is entered.

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
        self.port: int = port
        self.connections: list[Connection] = []
        self.script: list[Disruption] = []
        self._share, self._random = 0.0, random.Random(0)  # noqa: S311 - repeatable, not secret
        self._host = host
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        """The proxy's origin, e.g. ``http://127.0.0.1:4711``; the scheme is the target's."""
        return f"{self._scheme}://{self._host}:{self.port}"

    async def __aenter__(self) -> Self:
        """Start listening."""
        try:
            await self.listen()
        except BaseException:
            await complete(self._close())
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop listening and end all connections; a cancelled caller still leaves nothing open."""
        await complete(self._close())

    async def _close(self) -> None:
        await self._stop()
        serving = dict(self._serving)
        for task, client in serving.items():
            task.cancel()
            # Here, too: a task that is cancelled before its first step releases nothing.
            client.transport.abort()
        await asyncio.gather(*serving, return_exceptions=True)
        await sockets_closed(client.transport for client in serving.values())

    async def listen(self) -> None:
        """Listen (again, at the same port)."""
        if self._listener is not None:
            return
        # The socket and the server are ours before anything is awaited: a cancel between must not lose them.
        self._listener = listening_socket(self._host, self.port)
        self.port = self._listener.getsockname()[1]
        self._server = await asyncio.start_server(
            self._accept, sock=self._listener, backlog=BACKLOG, start_serving=False
        )
        await self._server.start_serving()

    async def stop_listening(self) -> None:
        """Let the kernel refuse new connections; existing ones continue."""
        await complete(self._stop())

    async def _stop(self) -> None:
        listener, self._listener = self._listener, None
        server, self._server = self._server, None
        if listener is None:
            return
        try:
            await stop_accepting([listener])
        finally:
            if server is not None:
                # Not wait_closed: since Python 3.12 that waits for the connections too.
                server.close()
            listener.close()

    # -- script ----------------------------------------------------------------------------------------------------

    def cut(self, after: int = 0, times: int | None = 1, *, direction: Direction = "down") -> Disruption:
        """Close the connection (FIN) after ``after`` bytes."""
        return self._add(Disruption("cut", direction, after, left=times))

    def reset(self, after: int = 0, times: int | None = 1, *, direction: Direction = "down") -> Disruption:
        """Reset the client's side (RST by SO_LINGER 0) after ``after`` bytes."""
        return self._add(Disruption("reset", direction, after, left=times))

    def stall(
        self, after: int = 0, times: int | None = 1, *, seconds: float = 3600.0, direction: Direction = "down"
    ) -> Disruption:
        """Pass nothing for ``seconds`` after ``after`` bytes, then continue."""
        return self._add(Disruption("stall", direction, after, seconds, left=times))

    def drip(
        self, times: int | None = 1, *, chunk: int = 1, interval: float = 0.2, direction: Direction = "down"
    ) -> Disruption:
        """Pass ``chunk`` bytes every ``interval`` seconds."""
        return self._add(Disruption("pass", direction, chunk=chunk, interval=interval, left=times))

    def delay(self, seconds: float, times: int | None = None, *, direction: Direction = "down") -> Disruption:
        """Hold each piece of up to 64 KiB for ``seconds``: a slow line, for all connections unless limited."""
        return self._add(Disruption("pass", direction, interval=seconds, left=times))

    def refuse(self, times: int | None = 1) -> Disruption:
        """Reset a connection once accepted; for a refusal by the kernel see ``stop_listening``."""
        return self._add(Disruption("refuse", left=times))

    def pass_by(self, times: int | None = 1) -> Disruption:
        """Let ``times`` connections pass untouched: a gap in the line."""
        return self._add(Disruption("pass", left=times))

    def at_random(self, share: float, *, seed: int = 0) -> None:
        """Disrupt connections for which nothing is scripted, at random: cut, reset, stalled for 2 seconds, or refused.

        Args:
            share: of the connections, from 0 (none, the default state) to 1 (each). It happens within the first MiB
                that the server sends, so that a connection which carries less may pass.
            seed: of the choices; the same seed, connection for connection, makes the same ones.

        Raises:
            ValueError: ``share`` is not between 0 and 1.
        """
        if not 0 <= share <= 1:
            msg = f"share={share} is not between 0 and 1"
            raise ValueError(msg)
        self._share, self._random = share, random.Random(seed)  # noqa: S311 - repeatable, not secret

    def _any(self) -> Disruption:
        if self._random.random() >= self._share:
            return Disruption("pass")
        kinds: tuple[Literal["cut", "reset", "stall", "refuse"], ...] = ("cut", "reset", "stall", "refuse")
        after = int(2 ** self._random.uniform(0, _FARTHEST))
        return Disruption(self._random.choice(kinds), after=after, seconds=_STALL)

    def _add(self, disruption: Disruption) -> Disruption:
        self.script.append(disruption)
        return disruption

    def _next(self) -> Disruption:
        for disruption in self.script:
            if disruption.left is None:
                return disruption
            if disruption.left > 0:
                disruption.left -= 1
                return disruption
        return self._any()

    # -- connections -----------------------------------------------------------------------------------------------

    def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Serve a connection in a task that is known from the start: a coroutine here would be known one turn later."""
        connection = Connection(self._next())
        self.connections.append(connection)
        task = asyncio.get_running_loop().create_task(self._serve(connection, reader, client))
        self._serving[task] = client
        task.add_done_callback(self._serving.pop)

    async def _serve(self, connection: Connection, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            # What fails on one connection is the end of that connection only.
            with contextlib.suppress(OSError, _EndedError):
                await self._relay(connection, reader, client)
            with contextlib.suppress(OSError):
                await _settle(client)
        finally:
            client.transport.abort()
            await sockets_closed([client.transport])

    async def _relay(self, connection: Connection, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if connection.disruption.kind == "refuse":
            reset_connection(client.transport)
            return
        up_reader, server = await asyncio.open_connection(*self._target)
        pumps = [
            asyncio.create_task(self._pump("up", connection, reader, server, client)),
            asyncio.create_task(self._pump("down", connection, up_reader, client, client)),
        ]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            server.transport.abort()
            await asyncio.gather(*pumps, return_exceptions=True)
            await sockets_closed([server.transport])

    async def _pump(
        self,
        direction: Direction,
        connection: Connection,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        """Pass bytes one way until they end, or until the disruption has happened."""
        disruption = connection.disruption
        mine = disruption.direction == direction
        await self._strike(connection, direction, client)
        while data := await source.read(self._allowance(connection, direction)):
            if mine and disruption.interval:
                await asyncio.sleep(disruption.interval)
            sink.write(data)
            await sink.drain()
            setattr(connection, direction, getattr(connection, direction) + len(data))
            await self._strike(connection, direction, client)
        if sink.can_write_eof():
            sink.write_eof()

    def _allowance(self, connection: Connection, direction: Direction) -> int:
        """Return how many bytes may pass at once: a disruption happens exactly at its byte."""
        disruption, passed = connection.disruption, getattr(connection, direction)
        if disruption.direction != direction:
            return _READ
        most = disruption.chunk or _READ
        return min(most, disruption.after - passed) if disruption.after > passed else most

    async def _strike(self, connection: Connection, direction: Direction, client: asyncio.StreamWriter) -> None:
        disruption = connection.disruption
        passed = getattr(connection, direction)
        if disruption.direction != direction or disruption.kind == "pass" or passed != disruption.after:
            return
        if disruption.kind == "stall":
            await asyncio.sleep(disruption.seconds)
            return
        await end_connection(client.transport, "rst" if disruption.kind == "reset" else "fin")
        raise _EndedError


async def _settle(client: asyncio.StreamWriter) -> None:
    """Close the client's side so that what was written still arrives."""
    if not client.transport.is_closing():
        await end_connection(client.transport, "fin")
    await client.wait_closed()
