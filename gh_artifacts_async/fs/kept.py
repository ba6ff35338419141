"""What is kept in memory for the next one who asks: bounded, and made once however many ask at the same time."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from gh_artifacts_async.api.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable

T = TypeVar("T")


class _Entry(Generic[T]):
    def __init__(self, value: T, weight: int, ends_at: float) -> None:
        self.value = value
        self.weight = weight
        self.ends_at = ends_at
        self.users = 0
        self.dropped = False


class _Made(Generic[T]):
    """What comes of making a value, and how many wait for it: until they have it, it is not closed."""

    def __init__(self) -> None:
        self.waiting = 0
        self.entry: _Entry[T] | None = None


class _Making(Generic[T]):
    """A value that is being made; the flight does not know it, so that a large value goes with its last user."""

    def __init__(self, work: Callable[[_Made[T]], Awaitable[None]]) -> None:
        made: _Made[T] = _Made()
        self.made = made
        self.flight: SingleFlight[None] = SingleFlight(lambda: work(made))


class Kept(Generic[T]):
    """Values by key; the least recently used are dropped once all together weigh too much.

    It belongs to one event loop.

    Attributes:
        weight: of what is kept now.
    """

    def __init__(
        self,
        limit: int,
        *,
        weigh: Callable[[T], int] = lambda _: 1,
        close: Callable[[T], object] = lambda _: None,
        lasts: float = math.inf,
    ) -> None:
        """Keep nothing yet.

        Args:
            limit: the most that all values may weigh; one that weighs more is not kept.
            weigh: returns a value's weight.
            close: called with a value that is no longer kept, once nobody uses it.
            lasts: seconds for which a value is kept.
        """
        self._limit = limit
        self._weigh = weigh
        self._close = close
        self._lasts = lasts
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._making: dict[Hashable, _Making[T]] = {}
        self.weight: int = 0

    def peek(self, key: Hashable) -> T | None:
        """Return a value that is kept, or None."""
        entry = self._fresh(key)
        return None if entry is None else entry.value

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value, in place of the one of that key."""
        self._put(key, value, users=0)

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return a value that needs no closing; ``make`` makes it if it is not kept."""
        async with self.use(key, make) as value:
            return value

    @asynccontextmanager
    async def use(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> AsyncGenerator[T]:
        """Provide a value, which is not closed before the block is left; ``make`` makes it if it is not kept."""
        entry = self._fresh(key)
        if entry is None:
            entry = await self._made(key, make)
        else:
            entry.users += 1
        try:
            yield entry.value
        finally:
            self._leave(entry)

    def forget(self, fits: Callable[[Hashable], bool] = lambda _: True) -> None:
        """Drop the values whose keys fit."""
        for key in [key for key in self._entries if fits(key)]:
            self._drop(key)

    def _fresh(self, key: Hashable) -> _Entry[T] | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.ends_at <= asyncio.get_running_loop().time():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    async def _made(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> _Entry[T]:
        """Return a new entry, which counts the caller as a user already."""

        async def work(made: _Made[T]) -> None:
            value = await make()
            made.entry = self._put(key, value, users=made.waiting)

        making = self._making.get(key)
        if making is None or making.made.entry is not None:
            making = self._making[key] = _Making(work)
        made = making.made
        made.waiting += 1
        try:
            await making.flight.wait()
        except BaseException:
            made.waiting -= 1
            if made.entry is not None:  # it was made, but this caller is cancelled
                self._leave(made.entry)
            raise
        finally:
            if not making.flight.running and self._making.get(key) is making:
                del self._making[key]
        assert made.entry is not None  # noqa: S101 - work() has set it
        return made.entry

    def _put(self, key: Hashable, value: T, *, users: int) -> _Entry[T]:
        self._drop(key)
        now = asyncio.get_running_loop().time()
        entry = _Entry(value, self._weigh(value), now + self._lasts)
        entry.users = users
        self._entries[key] = entry
        self.weight += entry.weight
        if entry.weight > self._limit:
            self._drop(key)
        while self.weight > self._limit:
            self._drop(next(iter(self._entries)))
        return entry

    def _leave(self, entry: _Entry[T]) -> None:
        entry.users -= 1
        self._close_unused(entry)

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.weight -= entry.weight
            entry.dropped = True
            self._close_unused(entry)

    def _close_unused(self, entry: _Entry[T]) -> None:
        if entry.dropped and not entry.users:
            self._close(entry.value)
