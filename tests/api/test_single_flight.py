"""One piece of work for all who wait for it."""

from __future__ import annotations

import asyncio

import pytest

from gh_artifacts_async import NotFoundError
from gh_artifacts_async.api.single_flight import SingleFlight


class Work:
    """Work that takes a second; it counts how often it was begun and ended."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = self.ended = 0
        self.error = error

    async def __call__(self) -> int:
        """Do it."""
        self.begun += 1
        try:
            await asyncio.sleep(1)
        finally:
            self.ended += 1
        if self.error is not None:
            raise self.error
        return self.begun


async def test_all_join_in():
    """One run for all who come while it is under way, and another one for those who come later."""
    flight = SingleFlight(work := Work())
    assert not flight.running
    first = asyncio.ensure_future(flight.wait())
    await asyncio.sleep(0.5)
    assert flight.running
    assert await flight.wait() == await first == 1
    assert not flight.running
    assert await flight.wait() == 2
    assert work.ended == 2


async def test_an_error_for_each():
    """Each waiter gets an error of its own; nothing is said of an exception that was never retrieved."""
    flight = SingleFlight(Work(NotFoundError("x", status=404)))
    first, second = await asyncio.gather(flight.wait(), flight.wait(), return_exceptions=True)
    assert isinstance(first, NotFoundError)
    assert isinstance(second, NotFoundError)
    assert first is not second
    assert (str(first), first.status) == (str(second), second.status) == ("x", 404)


async def test_a_mistake_comes_out_as_it_is():
    """What is not one of this package's errors is not copied."""
    flight = SingleFlight(Work(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        await flight.wait()


async def test_who_is_cancelled_leaves_the_others_alone():
    """The work ends with the last of them, and not before."""
    flight = SingleFlight(work := Work())
    tasks = [asyncio.ensure_future(flight.wait()) for _ in range(3)]
    await asyncio.sleep(0.5)
    tasks[0].cancel()
    await asyncio.sleep(0)
    assert work.ended == 0
    assert await tasks[1] == 1
    assert tasks[0].cancelled()
    assert await tasks[2] == 1


async def test_the_last_one_cancels_the_work():
    """It has ended when the waiter ends; whoever comes at that moment starts it again."""
    flight = SingleFlight(work := Work())
    tasks = [asyncio.ensure_future(flight.wait()) for _ in range(2)]
    await asyncio.sleep(0.5)
    for task in tasks:
        task.cancel()
    late = asyncio.ensure_future(flight.wait())
    await asyncio.gather(*tasks, return_exceptions=True)
    assert work.ended == 1
    assert await late == 2


async def test_cancelled_as_the_work_ends():
    """A result that nobody takes is no matter."""
    flight = SingleFlight(Work())
    task = asyncio.ensure_future(flight.wait())
    await asyncio.sleep(0.5)
    assert flight._flight is not None
    flight._flight.task.add_done_callback(lambda _: task.cancel())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await flight.wait() == 2
