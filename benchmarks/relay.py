"""A link between the rivals and nginx: a rate for each connection, and a round trip.

``python relay.py rate=41943040 delay=0.025 8081:8080 8083:8082`` listens on 127.0.0.1 (8081, 8083), and connects to the
port after the colon for each connection that it accepts. ``rate`` is in bytes a second, 0 for no limit; ``delay`` is in
seconds and for one direction, so a round trip is twice as long. It ends when its standard input does.

What it does to a connection:

- Bytes towards the client pass at ``rate`` at most, whatever the requests on the connection are. (nginx's limit_rate
  starts again with each request, which favours clients that ask for many small ranges.) After a pause of the server or
  the client, up to 16 ms of the rate are made up for.
- All bytes arrive ``delay`` later than they were sent, in both directions; so does the end of a stream. Timers add 1 ms
  at most. Up to 1 MiB is in flight: 20 MB/s with 25 ms need 0.5 MB.
- The kernel completes a TCP handshake at once, so the round trip of the handshake is added afterwards: the first bytes
  of a client reach nginx one and a half round trips after the connection was accepted, or later.

What it does not do: slow start, loss, receive windows that are too small, a rate that connections share, a limit for
what clients send, delayed or failing handshakes. Acknowledgements come from this machine, at once.

One thread, one event loop; bytes move from socket to pipe to socket by splice(2) and are never copied. README.md says
how much it carries.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import struct
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

_QUANTUM = 0.008  # seconds of the rate that are taken at once
_SAVED = 0.016  # seconds of the rate that may be made up for: a timer is up to 1 ms late, a busy machine more
_PIPE = 2**20
_FLAGS = os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER that makes close() a reset


@dataclass(frozen=True)
class Shape:
    """What happens to the bytes of one direction.

    Attributes:
        rate: bytes a second; 0 for no limit.
        delay: seconds from when they come in to when they go out.
        opening: seconds after the connection's beginning before which none count as sent.
    """

    rate: float
    delay: float
    opening: float = 0.0


class _Line:
    """One direction of one connection: source socket, pipe, sink socket."""

    def __init__(self, source: socket.socket, sink: socket.socket, shape: Shape, owner: _Connection) -> None:
        self._loop = asyncio.get_running_loop()
        self._source, self._sink, self._shape, self._owner = source, sink, shape, owner
        self._out, self._in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.fcntl(self._in, fcntl.F_SETPIPE_SZ, _PIPE)
        self._most = min(_PIPE, max(16_384, int(shape.rate * _QUANTUM))) if shape.rate else _PIPE
        self._held: deque[tuple[float, int]] = deque()  # when it is due, bytes; 0 bytes are the end of the stream
        self._opened = self._loop.time() + shape.opening
        self._paid = 0.0  # until when the bytes that were taken use up the rate
        self._reading = self._full = self._writing = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._read()

    def _read(self) -> None:
        if not self._reading:
            self._reading = True
            self._loop.add_reader(self._source, self._take)

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._source)

    def _take(self) -> None:
        """Put what has come into the pipe."""
        try:
            count = os.splice(self._source.fileno(), self._in, self._most, flags=_FLAGS)
        except BlockingIOError:
            if self._held:  # the source has bytes, so it is the pipe that has no room
                self._full = True
                self._pause()
            return
        except OSError:
            self._owner.close(_RESET)
            return
        now = self._loop.time()
        self._held.append((max(now, self._opened) + self._shape.delay, count))
        if count == 0:
            self._pause()
        elif self._shape.rate:
            self._pay(now, count)
        if len(self._held) == 1:
            self._give()

    def _pay(self, now: float, count: int) -> None:
        """Read no more until the rate allows it."""
        self._paid = max(self._paid, now - _SAVED) + count / self._shape.rate
        if self._paid > now:
            self._pause()
            self._timers["read"] = self._loop.call_at(self._paid, self._read)

    def _give(self) -> None:
        """Send what is due."""
        now = self._loop.time()
        while self._held and self._held[0][0] <= now:
            due, count = self._held[0]
            if count == 0:
                self._end()
                return
            try:
                sent = os.splice(self._out, self._sink.fileno(), count, flags=_FLAGS)
            except BlockingIOError:
                self._await_sink()
                return
            except OSError:
                self._owner.close(_RESET)
                return
            if sent == count:
                self._held.popleft()
            else:
                self._held[0] = (due, count - sent)
            if self._full:
                self._full = False
                self._read()
        self._rest()

    def _end(self) -> None:
        """Pass the end of the stream on."""
        self._held.clear()
        self._rest()
        with suppress(OSError):
            self._sink.shutdown(socket.SHUT_WR)
        self._owner.ended()

    def _await_sink(self) -> None:
        if not self._writing:
            self._writing = True
            self._loop.add_writer(self._sink, self._give)

    def _rest(self) -> None:
        """Wait for the next bytes to be due."""
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sink)
        if self._held:
            self._timers["give"] = self._loop.call_at(self._held[0][0], self._give)

    def close(self) -> None:
        """Let go of everything but the sockets."""
        self._pause()
        self._held.clear()
        self._rest()
        for timer in self._timers.values():
            timer.cancel()
        os.close(self._out)
        os.close(self._in)


class _Connection:
    """Two lines, and their two sockets."""

    def __init__(self, client: socket.socket, server: socket.socket, rate: float, delay: float) -> None:
        self._sockets, self._open = (client, server), 2
        self._lines: tuple[_Line, ...] = ()
        for end in self._sockets:
            end.setblocking(False)  # noqa: FBT003 - positional only
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = (
            _Line(client, server, Shape(0, delay, opening=2 * delay), self),
            _Line(server, client, Shape(rate, delay), self),
        )

    def ended(self) -> None:
        """Note that one line is at its end."""
        self._open -= 1
        if not self._open:
            self.close()

    def close(self, linger: bytes | None = None) -> None:
        """Close everything."""
        for line in self._lines:
            line.close()
        for end in self._sockets:
            if linger is not None:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            end.close()


def accept(listener: socket.socket, target: int, rate: float, delay: float) -> None:
    """Take one connection and connect it with the target."""
    with suppress(BlockingIOError, ConnectionError):
        client, _ = listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", target), timeout=5)
        except OSError:
            client.close()
            return
        _Connection(client, server, rate, delay)


async def main() -> None:
    """Serve until standard input ends."""
    options = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    loop = asyncio.get_running_loop()
    listeners = []  # kept until the end
    for pair in (argument for argument in sys.argv[1:] if ":" in argument):
        port, target = map(int, pair.split(":"))
        listener = socket.create_server(("127.0.0.1", port), backlog=512)
        listener.setblocking(False)  # noqa: FBT003
        serve = partial(accept, listener, target, float(options["rate"]), float(options["delay"]))
        loop.add_reader(listener, serve)
        listeners.append(listener)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
