"""An event loop whose clock jumps over waits: an hour of sleep takes a millisecond, sockets and threads stay real."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


_LONG = 1.0  # seconds; a shorter jump does no harm to bytes under way
_MOMENT = 0.05  # a little more than the 40 ms for which Linux delays an acknowledgement
_HANDED_OVER = 0.001  # for what was sent: a busy kernel brings it to its receiver a little later
_BUSY = 0.003  # a machine that takes this long for such a wait is a busy one
_PATIENCE = 4
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
        """Wait for bytes that the kernel holds; return what became ready.

        What is not sent may have to wait for an acknowledgement. What is sent has only to get to its receiver: that it
        is not acknowledged yet holds up nothing; only on a busy machine that is given more than one short wait.
        """
        for _ in range(_PATIENCE):
            under_way = [key.fd for key in self.get_map().values() if _in_send_queue(key.fd)]
            if not under_way:
                break
            unsent = any(_in_send_queue(descriptor, _SIOCOUTQNSD) for descriptor in under_way)
            began = time.monotonic()
            events = super().select(_MOMENT if unsent else _HANDED_OVER)
            if events or not (unsent or time.monotonic() - began > _BUSY):
                return events
        return []


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
