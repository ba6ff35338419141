"""Windows' event loop on other systems: asyncio's own proactor code, over a proactor that is made of a selector.

On Windows ``asyncio.run`` uses ``asyncio.ProactorEventLoop``: ``asyncio.proactor_events``, which every system has, over
I/O completion ports (``asyncio.windows_events.IocpProactor``), which only Windows has. :class:`ProactorLoop` is the
first over :class:`SelectorProactor` instead, so transports, servers, pauses, buffered protocols and TLS run the code
that they run on Windows, and what a proactor loop refuses (``add_reader``, ``add_signal_handler``) is refused.

What it does not model: IOCP writes received bytes into the loop's buffer as they come, also while nobody polls; here
they stay in the kernel until the loop polls. Errors have this system's numbers. There are no pipes and no child
processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
from asyncio import proactor_events
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class SelectorProactor:
    """Starts operations, and completes them when the loop polls; as many as ``asyncio.proactor_events`` asks for."""

    def __init__(self) -> None:
        """Start with no operation."""
        self._selector = selectors.DefaultSelector()
        self._pending: dict[tuple[int, int], tuple[asyncio.Future[Any], Callable[[], Any]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def set_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep the loop, whose futures stand for operations."""
        self._loop = loop

    def recv(self, conn: socket.socket, nbytes: int, flags: int = 0) -> asyncio.Future[bytes]:
        """Receive up to so many bytes."""
        return self._start(conn, _READ, lambda: conn.recv(nbytes, flags))

    def recv_into(self, conn: socket.socket, buf: bytearray, flags: int = 0) -> asyncio.Future[int]:
        """Receive into a buffer."""
        return self._start(conn, _READ, lambda: conn.recv_into(buf, 0, flags))

    def send(self, conn: socket.socket, buf: bytes, flags: int = 0) -> asyncio.Future[int]:
        """Send all of a buffer: an overlapped WSASend completes when it is all sent."""
        left = memoryview(buf)

        def step() -> int:
            nonlocal left
            left = left[conn.send(left, flags) :]
            if left:
                raise BlockingIOError
            return len(buf)

        return self._start(conn, _WRITE, step)

    def accept(self, listener: socket.socket) -> asyncio.Future[tuple[socket.socket, Any]]:
        """Accept a connection."""

        def step() -> tuple[socket.socket, Any]:
            conn, address = listener.accept()
            conn.settimeout(0)
            return conn, address

        return self._start(listener, _READ, step)

    def connect(self, conn: socket.socket, address: Any) -> asyncio.Future[None]:
        """Connect."""
        import errno
        import socket

        begun = conn.connect_ex(address)
        if begun not in {0, errno.EINPROGRESS}:
            raise OSError(begun, f"connect to {address} failed")

        def step() -> None:
            number = conn.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, f"connect to {address} failed")

        return self._start(conn, _WRITE, step)

    def _start(self, sock: socket.socket, event: int, step: Callable[[], Any]) -> asyncio.Future[Any]:
        assert self._loop is not None
        future = self._loop.create_future()
        key = sock.fileno(), event
        assert key not in self._pending, "two operations of one kind on one socket"
        self._pending[key] = future, step
        self._watch(key[0])
        future.add_done_callback(lambda done: self._forget(key, done))
        return future

    def _forget(self, key: tuple[int, int], future: asyncio.Future[Any]) -> None:
        """End the watch of an operation that was cancelled."""
        if self._pending.get(key, (None,))[0] is future:
            del self._pending[key]
            self._watch(key[0])

    def _watch(self, descriptor: int) -> None:
        events = sum(event for event in (_READ, _WRITE) if (descriptor, event) in self._pending)
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(descriptor)
        if events:
            self._selector.register(descriptor, events)

    def select(self, timeout: float | None = None) -> list[Any]:
        """Complete what can be completed; the results are in the futures."""
        for key, ready in self._selector.select(timeout):
            for event in (_READ, _WRITE):
                if ready & event and (key.fd, event) in self._pending:
                    self._complete((key.fd, event))
        return []

    def _complete(self, key: tuple[int, int]) -> None:
        future, step = self._pending[key]
        try:
            result = step()
        except BlockingIOError:
            return
        except OSError as error:
            result = error
        del self._pending[key]
        self._watch(key[0])
        if future.done():
            return
        if isinstance(result, OSError):
            future.set_exception(result)
        else:
            future.set_result(result)

    def _stop_serving(self, sock: socket.socket) -> None:
        """End a listener's operations, before its descriptor is closed, and perhaps given to another socket."""
        self._pending.pop((sock.fileno(), _READ), None)
        self._watch(sock.fileno())

    def close(self) -> None:
        """Close the selector."""
        self._selector.close()


class _SocketTransport(proactor_events._ProactorSocketTransport):
    """Windows shuts a connection down that the peer has reset; other systems refuse that, and it would stay open."""

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        it: Any = self  # asyncio's own, which has no types
        sock, server = it._sock, it._server
        try:
            super()._call_connection_lost(exc)
        except OSError:
            sock.close()
            it._sock, it._server, it._called_connection_lost = None, None, True
            if server is not None:
                server._detach()


proactor_events._ProactorSocketTransport = _SocketTransport


class ProactorLoop(proactor_events.BaseProactorEventLoop):
    """What ``asyncio.ProactorEventLoop`` is on Windows, but for pipes and child processes."""

    def __init__(self) -> None:
        """Make it of a selector."""
        super().__init__(SelectorProactor())

    def run_forever(self) -> None:
        """Run, as :meth:`asyncio.ProactorEventLoop.run_forever` does: awake to calls from other threads."""
        try:
            self.call_soon(self._loop_self_reading)
            super().run_forever()
        finally:
            it: Any = self
            if it._self_reading_future is not None:
                it._self_reading_future.cancel()
                it._self_reading_future = None
