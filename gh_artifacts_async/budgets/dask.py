"""A budget that the workers of a Dask cluster share through its scheduler, with the extra ``fleet`` (distributed)."""

from __future__ import annotations

import asyncio
import math
import pickle
from typing import TYPE_CHECKING, Any, Self

from gh_artifacts_async.budgets import numbers
from gh_artifacts_async.budgets.numbers import COPY_LASTS, LEAST_WAIT
from gh_artifacts_async.errors import BudgetUnavailableError, ConfigurationError
from gh_artifacts_async.settings import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from distributed import Client, Worker

    from gh_artifacts_async.budgets.dask_scheduler import Action

_TIMEOUT = 10.0  # seconds for the scheduler to answer; a busy one answers late
_ENDED = ("closing", "closed", "failed")
"""States of clients and workers that have no connection any more."""


class DaskBudget:
    """Points and pauses that all workers of a Dask cluster share, through its scheduler (extra ``fleet``).

    The state is in the scheduler, so no worker's death loses it; nothing but numbers is sent there. The scheduler
    needs gh-artifacts-async installed, as the workers do.

    It can be pickled: what arrives has the key and the numbers, and asks through the worker on which it is used. It
    may be used on any event loop, and need not be closed::

        budget = DaskBudget(cluster_client)
        futures = [cluster_client.submit(work, repo, Limits(budget=budget)) for repo in repositories]
    """

    def __init__(
        self,
        client: Client,
        *,
        key: str = "gh-artifacts",
        points_per_minute: int = 840,
        mutation_interval: float | None = 1.0,
    ) -> None:
        """Keep the arguments; the scheduler is asked when points are first needed.

        Args:
            client: of the cluster, asynchronous or not.
            key: what all who use one token have in common, e.g. the bot's name; the scheduler shows it, so never the
                token.
            points_per_minute: points of all together in a minute; at least 5, the price of a mutation.
            mutation_interval: seconds between two mutations of any of them; None for off.

        Raises:
            ConfigurationError: an argument is invalid, or the extra is not installed.
        """
        try:
            from distributed import Client
        except ImportError:
            msg = 'DaskBudget needs the extra "fleet": pip install "gh-artifacts-async[fleet]"'
            raise ConfigurationError(msg) from None
        given: object = client
        if not isinstance(given, Client):
            msg = f"client must be a distributed.Client, not {type(given).__name__}"
            raise ConfigurationError(msg)
        numbers.check(key, points_per_minute, mutation_interval)
        self._start(key, points_per_minute, mutation_interval, client)

    def _start(self, key: str, points: int, interval: float | None, node: Client | Worker | None) -> None:
        self._key, self._points, self._interval = key, points, interval
        self._node = node
        self._registered = False
        self._paused_until = 0.0
        self._asked_at = -math.inf

    def __repr__(self) -> str:
        """Return the key."""
        key = getattr(self, "_key", None)  # a traceback may show a budget whose constructor failed
        return "DaskBudget()" if key is None else f"DaskBudget(key={key!r})"

    def __reduce__(self) -> tuple[object, ...]:
        """Return the key and the numbers; what is unpickled belongs to the worker on which it is used."""
        return DaskBudget._made, (self._key, self._points, self._interval)

    def bound_to(self, node: Client | Worker) -> Self:
        """Return this budget as one that asks through a client or a worker; for code that runs outside a task.

        Args:
            node: of the cluster.
        """
        return self._made(self._key, self._points, self._interval, node)

    @classmethod
    def _made(cls, key: str, points: int, interval: float | None, node: Client | Worker | None = None) -> Self:
        """Return a budget without checking anything again; it needs no client."""
        budget = cls.__new__(cls)
        budget._start(key, points, interval, node)  # noqa: SLF001 - in place of __init__
        return budget

    async def lease(self, points: int) -> Lease:
        """Grant points if the last minute of all workers leaves room for them, and there is no pause.

        Raises:
            BudgetUnavailableError: the scheduler cannot be reached.
            ConfigurationError: others use the key with other numbers.
        """
        answer = await self._ask("lease", points=points)
        if answer["points"]:
            return Lease(points=points)
        wait = 0.0 if answer["paused"] else answer["wait"]  # who asks again is told of the pause by paused()
        return Lease(points=0, wait=max(LEAST_WAIT, wait))

    async def pause(self, seconds: float, kind: str) -> None:  # noqa: ARG002 - the protocol's signature
        """Make all workers pause; a shorter pause does not shorten a longer one.

        Raises:
            BudgetUnavailableError: the scheduler cannot be reached.
            ConfigurationError: others use the key with other numbers.
        """
        loop = asyncio.get_running_loop()
        self._paused_until = max(self._paused_until, loop.time() + seconds)
        await self._ask("pause", seconds=seconds)

    async def paused(self) -> float:
        """Return the seconds of pause left; the scheduler is asked at most every 0.2 seconds.

        Raises:
            BudgetUnavailableError: the scheduler cannot be reached.
            ConfigurationError: others use the key with other numbers.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at >= COPY_LASTS:
            await self._ask("look")
        return max(0.0, self._paused_until - loop.time())

    async def _ask(self, action: Action, *, points: int = 0, seconds: float = 0.0) -> dict[str, Any]:
        """Ask the scheduler; its answer says how long the pause is.

        Raises:
            BudgetUnavailableError: it does not answer.
            ConfigurationError: others use the key with other numbers.
        """
        node = self._node = self._node or _this_worker()
        asked_at = asyncio.get_running_loop().time()
        question = {"action": action, "key": self._key, "points": points, "seconds": seconds}
        numbers = {"points_per_minute": self._points, "mutation_interval": self._interval}
        try:
            async with asyncio.timeout(_TIMEOUT):
                if not self._registered:
                    await _on_loop_of(node, lambda: _register(node))
                    self._registered = True
                answer = await _on_loop_of(node, lambda: _call(node, {**question, **numbers}))
        except Exception as error:  # noqa: BLE001 - whatever it is: without an answer nothing is sent
            answer, failed = None, type(error).__name__
        else:
            failed = "it does not know DaskBudget: it was restarted, or has no gh-artifacts-async"
        if answer is None:
            host = getattr(node.scheduler, "address", None)
            msg = (
                f"the shared budget's Dask scheduler{f' at {host}' if host else ''} cannot be used ({failed}), and "
                "nothing is sent without it; check that it runs and has gh-artifacts-async, and create the DaskBudget "
                "again"
            )
            raise BudgetUnavailableError(msg, host=host)
        if "conflict" in answer:
            points_per_minute, interval = answer["conflict"]
            msg = (
                f"the key {self._key!r} is in use with points_per_minute={points_per_minute} and "
                f"mutation_interval={interval}; use the same numbers, or another key for another token"
            )
            raise ConfigurationError(msg)
        self._asked_at, self._paused_until = asked_at, asked_at + answer["paused"]
        return dict(answer)


def _this_worker() -> Worker:
    """Return the worker whose task is running.

    Raises:
        BudgetUnavailableError: there is none.
    """
    from distributed import get_worker

    try:
        return get_worker()
    except ValueError:
        msg = "a DaskBudget that was pickled can be used in a task of a Dask worker only; use bound_to() elsewhere"
    raise BudgetUnavailableError(msg)


async def _register(node: Any) -> None:  # noqa: ANN401 - a client or a worker; distributed has types for neither's rpc
    """Put the plugin into the scheduler, unless it is there."""
    from gh_artifacts_async.budgets.dask_scheduler import BudgetPlugin

    plugin = BudgetPlugin()
    await node.scheduler.register_scheduler_plugin(plugin=pickle.dumps(plugin), name=plugin.name, idempotent=True)


async def _call(node: Any, question: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
    from gh_artifacts_async.budgets.dask_scheduler import HANDLER

    return await getattr(node.scheduler, HANDLER)(**question)


async def _on_loop_of(node: Any, function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401
    """Run a coroutine on the event loop to which the node's connections belong, which may be another thread's.

    Raises:
        ConnectionError: the node is closed.
    """
    if str(node.status).removeprefix("Status.") in _ENDED:
        msg = "closed"
        raise ConnectionError(msg)
    loop: asyncio.AbstractEventLoop = node.loop.asyncio_loop  # of tornado's IOLoop
    if loop is asyncio.get_running_loop():
        return await function()
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(function(), loop))
