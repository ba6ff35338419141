"""A budget that several processes share through a Redis server, with the extra ``shared`` (limits, redis)."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from gh_artifacts_async.budgets import numbers
from gh_artifacts_async.budgets.numbers import COPY_LASTS, LEAST_WAIT, WINDOW
from gh_artifacts_async.errors import BudgetUnavailableError, ConfigurationError
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import MUTATION_POINTS, Lease

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from types import TracebackType

    from limits import RateLimitItem
    from limits.aio.strategies import MovingWindowRateLimiter
    from redis.asyncio import Redis

T = TypeVar("T")

_TIMEOUT = 5.0  # seconds for Redis to answer

# Only a longer pause takes the place of a shorter one; the expiry runs on the server's clock.
_PAUSE = (
    "if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end"
)


class RedisBudget:
    """Points and pauses that all processes with the same ``key`` share through a Redis server (extra ``shared``).

    Times are those of the Redis server, so the processes may run on different machines. It belongs to one event loop,
    may be shared by several clients, and is closed by its owner: it is an async context manager.
    """

    def __init__(
        self, url: str, *, key: str, points_per_minute: int = 840, mutation_interval: float | None = 1.0
    ) -> None:
        """Keep the arguments; no connection is opened before the first request.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py takes it.
            key: what the processes of one token have in common, e.g. the bot's name; part of the names of Redis'
                keys, so never the token.
            points_per_minute: points of all processes together in a minute; at least 5, the price of a mutation.
            mutation_interval: seconds between two mutations of any of the processes; None for off.

        Raises:
            ConfigurationError: an argument is invalid, or the extra is not installed.
        """
        secret = Secret(url)  # it may hold a password, which the frames of an error must not show
        del url
        numbers.check(key, points_per_minute, mutation_interval)
        self._host = _checked_host(secret)
        self._key = key
        self._interval = mutation_interval
        self._redis, self._limiter, self._item = _connect(secret, points_per_minute)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._paused_until = 0.0
        self._asked_at = -math.inf

    def __repr__(self) -> str:
        """Return the host and the key; a password in the URL is not shown."""
        host = getattr(self, "_host", None)  # a traceback may show a budget whose constructor failed
        return "RedisBudget()" if host is None else f"RedisBudget({host!r}, key={self._key!r})"

    async def __aenter__(self) -> Self:
        """Return the budget itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections to Redis; a second call does nothing."""
        await self._redis.aclose()

    async def lease(self, points: int) -> Lease:
        """Grant points if the last minute of all processes leaves room for them.

        Raises:
            BudgetUnavailableError: Redis cannot be reached.
        """
        return await self._reached(self._lease(points))

    async def pause(self, seconds: float, kind: str) -> None:
        """Make all processes pause; a shorter pause does not shorten a longer one.

        Raises:
            BudgetUnavailableError: Redis cannot be reached.
        """
        loop = asyncio.get_running_loop()
        self._paused_until = max(self._paused_until, loop.time() + seconds)
        script: Any = self._redis  # redis-py's annotation of eval() allows for its synchronous client
        await self._reached(script.eval(_PAUSE, 1, self._name("pause"), kind, str(max(1, math.ceil(seconds * 1000)))))

    async def paused(self) -> float:
        """Return the seconds of pause left; what Redis says is asked at most every 0.2 seconds.

        Raises:
            BudgetUnavailableError: Redis cannot be reached.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at >= COPY_LASTS:
            asked_at = loop.time()
            left = await self._reached(self._redis.pttl(self._name("pause")))
            self._asked_at = asked_at
            self._paused_until = asked_at + max(0, left) / 1000
        return max(0.0, self._paused_until - loop.time())

    async def _lease(self, points: int) -> Lease:
        if points >= MUTATION_POINTS and self._interval:
            wait = await self._until_next_mutation(self._interval)
            if wait:
                return Lease(points=0, wait=wait)
        if await self._limiter.hit(self._item, self._key, cost=points):
            return Lease(points=points)
        free_at = (await self._limiter.get_window_stats(self._item, self._key)).reset_time
        return Lease(points=0, wait=max(LEAST_WAIT, free_at - await _server_time(self._redis)))

    async def _until_next_mutation(self, interval: float) -> float:
        """Take the next turn of all processes' mutations; if it is not due yet, return the seconds until then."""
        name = self._name("mutation")
        if await self._redis.set(name, "1", nx=True, px=max(1, math.ceil(interval * 1000))):
            return 0.0
        left: int = await self._redis.pttl(name)
        return max(LEAST_WAIT, left / 1000)

    def _name(self, what: str) -> str:
        return f"gh-artifacts:{self._key}:{what}"

    async def _reached(self, answer: Awaitable[T]) -> T:
        """Turn any failure of Redis into this package's error, without its text: the URL may hold a password.

        Raises:
            BudgetUnavailableError: Redis cannot be reached.
            ConfigurationError: it is used on another event loop than before.
        """
        from redis.exceptions import RedisError

        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            if asyncio.iscoroutine(answer):
                answer.close()
            msg = "the budget belongs to another event loop; create one RedisBudget for each loop"
            raise ConfigurationError(msg)
        try:
            return await answer
        except (RedisError, OSError) as error:
            failed = type(error).__name__
        msg = (
            f"the shared budget's Redis at {self._host} cannot be used ({failed}), and nothing is sent without it; "
            "check that it runs, and the URL"
        )
        raise BudgetUnavailableError(msg, host=self._host)


def _checked_host(url: Secret) -> str:
    """Return what error messages may say of a Redis URL: host and port, or the socket's path.

    Raises:
        ConfigurationError: it is not a URL of Redis.
    """
    try:
        parts = urlsplit(url.reveal())
        host = parts.path if parts.scheme == "unix" else f"{parts.hostname or ''}:{parts.port or 6379}"
    except (ValueError, AttributeError, TypeError):
        parts, host = None, ""
    if parts is None or parts.scheme not in {"redis", "rediss", "unix"} or not host.strip("/").removeprefix(":6379"):
        msg = 'url must be that of a Redis server: "redis://HOST:PORT/DB", "rediss://…" or "unix:///PATH"'
        raise ConfigurationError(msg)
    return host


def _connect(url: Secret, points_per_minute: int) -> tuple[Redis, MovingWindowRateLimiter, RateLimitItem]:
    """Return a Redis client, and the library's moving window in it, on the server's clock.

    Raises:
        ConfigurationError: the extra is not installed, or redis-py refuses the URL.
    """
    try:
        from limits import RateLimitItemPerSecond
        from limits.aio.storage import RedisStorage
        from limits.aio.strategies import MovingWindowRateLimiter
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import ExponentialBackoff
    except ImportError:
        msg = 'RedisBudget needs the extra "shared": pip install "gh-artifacts-async[shared]"'
        raise ConfigurationError(msg) from None

    class ServerTimeStorage(RedisStorage):
        """limits' storage takes the time from the process; ours asks the server, which all processes share."""

        async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
            arguments = [await _server_time(redis), limit, expiry, amount]
            bridge: Any = self.bridge
            return bool(await bridge.lua_acquire_moving_window([bridge.prefixed_key(key)], arguments))

        async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
            now = await _server_time(redis)
            bridge: Any = self.bridge
            found = await bridge.lua_moving_window([bridge.prefixed_key(key)], [now - expiry, limit])
            return (float(found[0]), found[1]) if found else (now, 0)

    retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3)
    redis = Redis.from_url(url.reveal(), socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=retry)
    storage = ServerTimeStorage(
        "async+redis://localhost:6379",  # not used: the client's own pool is
        implementation="redispy",
        connection_pool=redis.connection_pool,  # type: ignore[arg-type]  # documented, but missing in its annotation
    )
    return (
        redis,
        MovingWindowRateLimiter(storage),
        RateLimitItemPerSecond(points_per_minute, WINDOW, namespace="gh-artifacts"),
    )


async def _server_time(redis: Redis) -> float:
    seconds, microseconds = await redis.time()
    return float(seconds) + float(microseconds) / 1e6
