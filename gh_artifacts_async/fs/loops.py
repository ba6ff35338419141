"""What an instance has on one event loop: a client, and what it keeps; made on first use, closed with the loop."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import threading
import weakref
from concurrent.futures import TimeoutError as StillOpenError
from typing import TYPE_CHECKING

from gh_artifacts_async.client import ArtifactsClient
from gh_artifacts_async.fs.kept import Kept
from gh_artifacts_async.fs.opened import Opened
from gh_artifacts_async.models import Artifact, ArtifactRef, RepositoryName

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Hashable

    from gh_artifacts_async.fs.opened import Info
    from gh_artifacts_async.transfer.storage.context import TransferContext

RESOLVED_FOR = 60.0
"""Seconds for which it is remembered which artifact ``latest/NAME`` or ``runs/RUN/NAME`` is, and what it is like."""

OPEN_BYTES = 64 * 2**20
"""The most memory that open artifacts take together: 64 KiB each, and 200 bytes for each of their files."""

_REMEMBERED = 10_000  # artifacts and answers
_PATIENCE = 5.0  # seconds for a client to close when the program ends

Key = tuple[RepositoryName, int]


class FileSystemClient(ArtifactsClient):
    """A client that lends what its transfers share."""

    def transfers(self) -> TransferContext:
        """Return it; the first call creates it."""
        return self._context or self._transfers()


class LoopState:
    """A client of one event loop, and what is kept there.

    Attributes:
        client: the client.
        anonymous: it has no token.
        open: open artifacts, by repository and id.
        contents: whole files, by repository, id and path.
        resolved: which artifact a path is, and other short-lived answers, by the path.
        known: artifacts that a listing or a request has shown, by repository and id.
        listings: those that are under way, by path; fsspec's own cache keeps them.
    """

    def __init__(self, client: FileSystemClient, *, anonymous: bool, cache_bytes: int) -> None:
        """Keep the client; :meth:`start` ties it to the loop."""
        self.client = client
        self.anonymous = anonymous
        self.open: Kept[Opened] = Kept(OPEN_BYTES, weigh=lambda it: it.weight, close=Opened.close)
        self.contents: Kept[bytes] = Kept(cache_bytes, weigh=len)
        self.resolved: Kept[object] = Kept(_REMEMBERED, lasts=RESOLVED_FOR)
        self.known: Kept[Artifact] = Kept(_REMEMBERED, lasts=RESOLVED_FOR)
        self.listings: Kept[list[Info]] = Kept(_REMEMBERED, lasts=0.0)
        self._keeper = self._until_the_loop_ends()

    async def start(self) -> None:
        """Be closed by the loop before it ends: it then closes all asynchronous generators that have begun."""
        await anext(self._keeper)

    async def _until_the_loop_ends(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            self.forget()
            await self.client.aclose()

    async def aclose(self) -> None:
        """Close everything; a second call does nothing."""
        with contextlib.suppress(RuntimeError):  # another one closes it now
            await self._keeper.aclose()

    def forget(self) -> None:
        """Drop all that is kept."""
        for kept in (self.open, self.contents, self.resolved, self.known):
            kept.forget()

    def let_go(self, repo: RepositoryName, number: int) -> None:
        """Forget what is open of an artifact: the next who asks opens it again."""
        self.open.forget((repo, number).__eq__)
        self.contents.forget(lambda key: isinstance(key, tuple) and key[:2] == (repo, number))

    def remember(self, artifact: Artifact) -> None:
        """Keep what a listing says of an artifact: opening it then takes a request less."""
        if artifact.repository is not None:
            self.known.put((artifact.repository, artifact.id), artifact)

    async def artifact(self, repo: RepositoryName, number: int) -> Artifact:
        """Return an artifact, by a request only if it is not known."""
        return await self.known.get((repo, number), lambda: self.client.get_artifact(repo, number))

    def opened(self, repo: RepositoryName, number: int) -> contextlib.AbstractAsyncContextManager[Opened]:
        """Provide an open artifact, which is opened once however many ask."""
        return self.open.use((repo, number), lambda: self._opened(repo, number))

    async def _opened(self, repo: RepositoryName, number: int) -> Opened:
        artifact = self.known.peek((repo, number)) or ArtifactRef(repo, number)
        opened = await Opened.open(self.client.transfers(), artifact)
        self.remember(opened.artifact)
        return opened


class LoopStates:
    """The states of one file system, by loop; several threads may ask at once."""

    def __init__(self, make: Callable[[], LoopState], is_stale: Callable[[LoopState], bool]) -> None:
        """Keep how a state is made, and when it is made anew."""
        self._make = make
        self._is_stale = is_stale
        self._states: dict[asyncio.AbstractEventLoop, LoopState] = {}
        self._lock = threading.Lock()
        self._pid = os.getpid()
        _close_at_exit().add(self)
        weakref.finalize(self, _let_go, self._states, self._pid).atexit = False

    async def current(self) -> LoopState:
        """Return the state of the running loop.

        Raises:
            RuntimeError: this is another process than the one that made the file system, by a fork.
        """
        if self._pid != os.getpid():
            msg = "a file system is not fork-safe; make a new instance in the new process"
            raise RuntimeError(msg)
        loop = asyncio.get_running_loop()
        old = self._states.get(loop)
        if old is not None and not self._is_stale(old):
            return old
        with self._lock:
            for ended in [other for other in self._states if other.is_closed()]:
                del self._states[ended]
            state = self._states[loop] = self._make()
        await state.start()  # it does not wait for anything: nobody else of this loop comes in between
        if old is not None:
            await old.aclose()
        return state

    def forget(self, fits: Callable[[Hashable], bool] | None = None) -> None:
        """Let every loop drop what it keeps; only answers whose paths fit, if ``fits`` is given."""
        for loop, state in self._items():
            work = state.forget if fits is None else functools.partial(state.resolved.forget, fits)
            if _is_here(loop) or not loop.is_running():
                work()
            else:
                loop.call_soon_threadsafe(work)

    async def aclose(self) -> None:
        """Close what the running loop has."""
        with self._lock:
            state = self._states.pop(asyncio.get_running_loop(), None)
        if state is not None:
            await state.aclose()

    def close(self, *, patience: float = _PATIENCE) -> None:
        """Close what all loops have, and wait for those of other threads."""
        if self._pid != os.getpid():
            return
        waiting = []
        for loop, state in self._items():
            with self._lock:
                self._states.pop(loop, None)
            if _is_here(loop):
                task = loop.create_task(state.aclose())
                _closing.add(task)
                task.add_done_callback(_closing.discard)
            elif loop.is_running():
                waiting.append(asyncio.run_coroutine_threadsafe(state.aclose(), loop))
            elif not _runs_a_loop():
                loop.run_until_complete(state.aclose())
        for future in waiting:
            with contextlib.suppress(StillOpenError):
                future.result(patience)

    def _items(self) -> list[tuple[asyncio.AbstractEventLoop, LoopState]]:
        with self._lock:
            return [(loop, state) for loop, state in self._states.items() if not loop.is_closed()]


_closing: set[asyncio.Task[None]] = set()
_abandoned: list[object] = []


def _let_go(states: dict[asyncio.AbstractEventLoop, LoopState], pid: int) -> None:
    """Close the states of a file system that is no longer used, without waiting for it.

    After a fork they belong to the parent: closing, or collecting, the copies of its connections would disturb them.
    """
    if pid != os.getpid():
        _abandoned.append(dict(states))
        return
    for loop, state in states.items():
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(state.aclose(), loop)


def _is_here(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a loop runs in this thread."""
    return asyncio._get_running_loop() is loop


def _runs_a_loop() -> bool:
    """Whether any loop runs in this thread."""
    return asyncio._get_running_loop() is not None


@functools.cache
def _close_at_exit() -> weakref.WeakSet[LoopStates]:
    """Return the set of what is closed before the program ends."""
    living: weakref.WeakSet[LoopStates] = weakref.WeakSet()

    def close() -> None:
        for states in list(living):
            states.close()

    atexit.register(close)
    return living
