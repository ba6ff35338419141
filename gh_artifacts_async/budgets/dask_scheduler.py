"""What runs in a Dask scheduler for DaskBudget: the windows and the pauses, one of each for a key.

State that lived on a worker, as a Dask actor's does, would be lost with that worker.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import attrs
from distributed import SchedulerPlugin

from gh_artifacts_async.budgets.numbers import WINDOW
from gh_artifacts_async.protocol.throttling import Window
from gh_artifacts_async.settings import MUTATION_POINTS

if TYPE_CHECKING:
    from distributed import Scheduler

HANDLER = "gh_artifacts_budget"
"""The operation that the scheduler answers."""

Action = Literal["lease", "pause", "look"]


@attrs.define
class Shared:
    """What the clients of one key share; times are those of the scheduler's event loop.

    Attributes:
        numbers: points a minute, and seconds between two mutations (None for off).
        window: the points leased in the last minute.
        open_at: when the pause ends.
        next_mutation: when the next mutation may be sent.
        used_at: when points were last leased.
    """

    numbers: tuple[int, float | None]
    window: Window = attrs.field(init=False)
    open_at: float = 0.0
    next_mutation: float = 0.0
    used_at: float = 0.0

    def __attrs_post_init__(self) -> None:
        """Start with nothing spent."""
        self.window = Window(self.numbers[0], WINDOW)

    def lease(self, points: int, now: float) -> tuple[int, float]:
        """Return the points granted, and the seconds before it makes sense to ask again if there are none."""
        if self.open_at > now:
            return 0, self.open_at - now
        interval = self.numbers[1] if points >= MUTATION_POINTS else None
        if interval and self.next_mutation > now:
            return 0, self.next_mutation - now
        wait = self.window.reserve(points, now)
        if wait:
            return 0, wait
        self.window.settle(points, now)
        self.used_at = now
        if interval:
            self.next_mutation = now + interval
        return points, 0.0


class BudgetPlugin(SchedulerPlugin):
    """Answers what DaskBudget asks; the scheduler keeps one, however often it is registered."""

    name = "gh-artifacts-budget"
    idempotent = True

    def __init__(self) -> None:
        """Start with no keys."""
        self.shared: dict[str, Shared] = {}

    async def start(self, scheduler: Scheduler) -> None:
        """Add the operation to those that the scheduler answers."""
        handlers: dict[str, Any] = scheduler.handlers
        handlers[HANDLER] = self.answer

    def answer(
        self,
        *,
        action: Action,
        key: str,
        points_per_minute: int,
        mutation_interval: float | None,
        points: int = 0,
        seconds: float = 0.0,
    ) -> dict[str, Any]:
        """Answer one question.

        Args:
            action: ``"lease"`` takes points, ``"pause"`` makes all pause, ``"look"`` only asks for the pause.
            key: whose.
            points_per_minute: as the budget that asks has it.
            mutation_interval: the same.
            points: to lease.
            seconds: to pause; a shorter pause does not shorten a longer one.

        Returns:
            ``paused``: seconds of pause left; for a lease also ``points`` and ``wait``. Or only ``conflict``: the
            numbers of those who use the key, if they are others.
        """
        now = asyncio.get_running_loop().time()
        numbers = (points_per_minute, mutation_interval)
        shared = self.shared.get(key)
        if shared is None or (shared.numbers != numbers and max(shared.used_at + WINDOW, shared.open_at) < now):
            shared = self.shared[key] = Shared(numbers)
        if shared.numbers != numbers:
            return {"conflict": shared.numbers}
        if action == "pause":
            shared.open_at = max(shared.open_at, now + seconds)
        granted, wait = shared.lease(points, now) if action == "lease" else (0, 0.0)
        return {"paused": max(0.0, shared.open_at - now), "points": granted, "wait": wait}
