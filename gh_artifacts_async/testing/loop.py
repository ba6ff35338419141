"""An event loop whose clock jumps over waits: an hour of sleep takes a millisecond, sockets and threads stay real."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import socket
import struct
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


_LONG = 1.0  # seconds; a shorter jump does no harm to bytes under way
_MOMENT = 0.05  # a little more than the 40 ms for which Linux delays an acknowledgement
_HANDED_OVER = 0.001  # for what was sent: a busy kernel brings it to its receiver a little later
_BUSY = 0.003  # a machine that takes this long for such a wait is a busy one
_CONNECTED = 0.01  # for the handshake of a connection
_PATIENCE = 4
_SYN_SENT = 2
_TCP_INFO = 216  # bytes of tcp_info, up to those numbers that are read
_SIOCOUTQNSD = 0x894B  # Linux: bytes of a TCP socket that were not sent yet


class _JumpSelector(selectors.DefaultSelector):
    """Waits for real where something real may happen; else moves the loop's clock on."""

    loop: JumpLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is and only a timer is awaited, jump to it."""
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is None or self.loop.thread_work:
            return super().select(timeout)
        events = self._bytes_under_way() if timeout >= _LONG else []
        if not events:
            self.loop.jump(timeout)
        return events

    def _bytes_under_way(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for bytes, and for connections, that the kernel holds; return what became ready.

        What is not sent may have to wait for an acknowledgement. What is sent has only to get to its receiver: that it
        is not acknowledged yet holds up nothing. A receiver on this loop is asked what it has; for any other, there is
        one short wait, and more of them on a busy machine only.
        """
        for _ in range(_PATIENCE):
            under_way = [key.fd for key in self.get_map().values() if _in_send_queue(key.fd)]
            wait = self._wait_for(under_way)
            if wait is None:
                break
            began = time.monotonic()
            events = super().select(wait)
            if events or not (wait >= _MOMENT or time.monotonic() - began > _BUSY):
                return events
        return super().select(0)  # it may have arrived while it was looked for

    def _wait_for(self, under_way: list[int]) -> float | None:
        """Return for how many seconds to wait for what is under way; None if there is nothing to wait for."""
        keys = self.get_map().values()
        if under_way:
            if any(_in_send_queue(descriptor, _SIOCOUTQNSD) for descriptor in under_way):
                return _MOMENT
            arrived = _has_arrived(under_way, [key.fd for key in keys])
            if not arrived:
                return _HANDED_OVER if arrived is None else _MOMENT
        connecting = any(key.events & selectors.EVENT_WRITE and _is_connecting(key.fd) for key in keys)
        return _CONNECTED if connecting else None


def _has_arrived(senders: list[int], all_of_loop: list[int]) -> bool | None:
    """Whether all that some sockets have sent is with its receivers; None if one of these is not on this loop."""
    ends = {end.name: end for end in map(_tcp, all_of_loop) if end is not None}
    for sender in map(_tcp, senders):
        receiver = None if sender is None else ends.get(sender.peer)
        if sender is None or receiver is None or receiver.peer != sender.name:
            return None
        if receiver.received < sender.sent:
            return False
    return True


class _TCP(NamedTuple):
    """One end of a TCP connection: its address, its peer's, and the bytes that the kernel has sent and received."""

    name: object
    peer: object
    sent: int
    received: int


def _tcp(descriptor: int) -> _TCP | None:
    """Return what the kernel knows of a connection (Linux 4.19); None if it is none."""
    info = _tcp_info(descriptor)
    if len(info) < _TCP_INFO:
        return None
    sock = socket.socket(fileno=descriptor)
    try:
        name, peer = sock.getsockname(), sock.getpeername()
    except OSError:
        return None
    finally:
        sock.detach()
    (received,), (sent, again) = struct.unpack_from("Q", info, 128), struct.unpack_from("QQ", info, 200)
    return _TCP(name, peer, sent - again, received)


def _is_connecting(descriptor: int) -> bool:
    """Whether a TCP socket waits for the other side to accept."""
    return _tcp_info(descriptor)[:1] == bytes([_SYN_SENT])


def _tcp_info(descriptor: int) -> bytes:
    """Return Linux' ``struct tcp_info``; empty for what is no TCP socket."""
    if sys.platform != "linux":
        return b""
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        return b""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO)
    except OSError:
        return b""
    finally:
        sock.detach()


def _in_send_queue(descriptor: int, which: int | None = None) -> int:
    """Bytes that a socket has not sent, or whose arrival was not acknowledged yet (Linux); 0 for anything else.

    Args:
        descriptor: the socket's.
        which: the request for the number; None for SIOCOUTQ, which counts both.
    """
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    answer = bytearray(4)
    try:
        fcntl.ioctl(descriptor, termios.TIOCOUTQ if which is None else which, answer)
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)


class _Counted(Executor):
    """An executor that tells the loop when a piece of work has ended, or can no longer start."""

    def __init__(self, executor: Executor, ended: Callable[[Future[Any]], None]) -> None:
        self._executor = executor
        self._ended = ended

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 - as the base
        """Run ``fn`` in a thread."""
        future = self._executor.submit(fn, *args, **kwargs)
        future.add_done_callback(self._ended)
        return future


class JumpLoop(asyncio.SelectorEventLoop):
    """An event loop for tests that jumps over waits: an hour of sleep takes a millisecond.

    Where nothing can happen but that a timer comes due, its clock moves on to that timer at once. A ``FakeGitHub`` on
    the loop and an ``ArtifactsClient`` both live by that clock: retries, rate limits, stalls and timeouts pass at once,
    in their order and with their durations as ``loop.time()`` shows them. Bytes under way and threads are waited for in
    real time. With a peer that the loop cannot see, in another process or thread, a timeout comes too early.

    Use it as ``asyncio.Runner(loop_factory=JumpLoop)``, or for a whole suite with pytest-asyncio's hook
    ``pytest_asyncio_loop_factories``.
    """

    # time() == time.monotonic() + jumped: real time flows, and jumps add to it.
    #
    # A piece of thread work is outstanding, and no jump is made, from run_in_executor on until both of its futures have
    # told this loop: the thread's (its function has ended, or was cancelled before it began) and asyncio's (its done
    # callbacks run). After a cancel asyncio's future is done at once, while the function may still run.

    def __init__(self) -> None:
        """Start at the real monotonic time."""
        self._offset = 0.0
        self._threads = 0
        self._default: Executor | None = None
        selector = _JumpSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Return the real monotonic time and all jumps."""
        return time.monotonic() + self._offset

    def jump(self, seconds: float) -> None:
        """Move the clock on."""
        self._offset += seconds

    @property
    def jumped(self) -> float:
        """Seconds that were jumped over so far."""
        return self._offset

    @property
    def thread_work(self) -> int:
        """How many ends of thread work the loop has still to hear of; 0 if there is none under way."""
        return self._threads

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]
        """Remember the executor that ``None`` stands for."""
        super().set_default_executor(executor)
        self._default = executor

    def run_in_executor(  # type: ignore[override]
        self,
        executor: Executor | None,
        func: Callable[..., Any],
        *args: Any,  # noqa: ANN401 - as the base
    ) -> asyncio.Future[Any]:
        """Run ``func`` in a thread, and count it as under way."""
        chosen = executor or self._default
        if chosen is None:
            chosen = ThreadPoolExecutor(thread_name_prefix="asyncio")
            self.set_default_executor(chosen)
        future = super().run_in_executor(_Counted(chosen, self._thread_ended), func, *args)
        self._threads += 2
        future.add_done_callback(self._one_less)
        return future

    def _thread_ended(self, _future: Future[Any]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed already: nobody waits any more
            self.call_soon_threadsafe(self._one_less)

    def _one_less(self, _future: asyncio.Future[Any] | None = None) -> None:
        self._threads -= 1

    async def shutdown_default_executor(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Python 3.12 has one
        """Wait for the threads in real time."""
        self._threads += 1
        try:
            await super().shutdown_default_executor(*args, **kwargs)
        finally:
            self._threads -= 1
