"""Closing servers and connections so that nothing is left: no task, no transport, no descriptor.

Two rules hold here and for every caller: what can be released at once is released before the first await, and an await
that has to come to its end does so even if the caller is cancelled.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

BACKLOG = 1024
"""Connections that may wait to be accepted: a test may open hundreds at once."""

_POLL = 0.001
_POLLS = 200
_ACCEPT_TURNS = 3
_ABORT_TURNS = 10


async def complete(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end even if the caller is cancelled meanwhile; the cancellation takes effect afterwards."""
    task = asyncio.ensure_future(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as caught:
            cancellation = caught
    if cancellation is not None:
        raise cancellation
    task.result()


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens at ``host`` (an IPv4 or IPv6 address, or a name); port 0: a free one."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


async def stop_accepting(listeners: Iterable[socket.socket]) -> None:
    """Accept no more connections; those already accepted reach their protocols before this returns.

    To close a server while the loop is still setting up an accepted connection loses that connection's socket.
    """
    loop = asyncio.get_running_loop()
    for listener in listeners:
        with contextlib.suppress(NotImplementedError):  # Windows' proactor loop
            loop.remove_reader(listener.fileno())
    for _ in range(_ACCEPT_TURNS):
        await asyncio.sleep(0)


def reset_connection(transport: asyncio.WriteTransport) -> None:
    """End a connection with RST: SO_LINGER of 0 seconds drops what is unsent."""
    sock = _socket(transport)
    # A transport that has ended already has closed its socket.
    if sock is not None and sock.fileno() >= 0:
        # Windows' struct linger has two shorts, all others two ints.
        form = "hh" if sys.platform == "win32" else "ii"
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(form, 1, 0))
    transport.abort()


async def sockets_closed(transports: Iterable[asyncio.BaseTransport]) -> None:
    """Wait until aborted transports have closed their sockets, which takes them a turn or two of the loop.

    Not ``StreamWriter.wait_closed``: a cancel there cancels the future that all other waiters share.
    """
    for transport in transports:
        sock = _socket(transport)
        for _ in range(_ABORT_TURNS):
            if sock is None or sock.fileno() < 0:
                break
            await asyncio.sleep(0)


def _socket(transport: asyncio.BaseTransport) -> socket.socket | None:
    """Return a transport's socket; None of one that has forgotten it, as asyncio's for TLS does if closed twice."""
    with contextlib.suppress(AttributeError):
        found: socket.socket | None = transport.get_extra_info("socket")
        return found
    return None


async def end_connection(transport: asyncio.WriteTransport, how: Literal["fin", "rst"]) -> None:
    """Close a connection once the peer has what was written to it."""
    await flush(transport)
    if how == "rst":
        reset_connection(transport)
    else:
        transport.close()


async def flush(transport: asyncio.WriteTransport) -> None:
    """Wait until the peer's kernel has what was written, as long as the peer reads at all."""
    for _ in range(_POLLS):
        if transport.is_closing() or not transport.get_write_buffer_size() + _unsent(transport):
            return
        await asyncio.sleep(_POLL)


def _unsent(transport: asyncio.WriteTransport) -> int:
    """Return the bytes in the kernel's send queue, 0 where it cannot be asked (ioctl TIOCOUTQ: POSIX)."""
    sock = _socket(transport)
    try:
        import fcntl  # POSIX only
        import termios
    except ImportError:
        return 0
    if sock is None:
        return 0
    waiting = array.array("i", [0])
    with contextlib.suppress(OSError, ValueError):
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, waiting)
    return waiting[0]
