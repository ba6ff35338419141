"""The watch: one timer that ends what takes too long, and tells its own cancellation from the caller's."""

from __future__ import annotations

import asyncio
import math

import pytest

from gh_artifacts_async import Timeouts
from gh_artifacts_async.transport.bounds import Limit, OutOfTimeError, Watch

PATIENCE = Timeouts(connect=5, read=10, min_rate=100, min_rate_window=20)


def time():
    """Return the event loop's time."""
    return asyncio.get_running_loop().time()


async def held(watch, seconds, nap, queued=None):
    """Sleep under a limit, and return how long it took; negative if the limit ended it."""
    began = time()
    try:
        with Limit(watch, seconds, "it slept", queued):
            await asyncio.sleep(nap)
    except OutOfTimeError:
        return began - time()
    return time() - began


async def test_what_is_in_time_is_left_alone():
    """The value is returned, and the task was never cancelled."""
    assert await held(Watch(PATIENCE), 10, 9) == pytest.approx(9, abs=0.5)
    assert asyncio.current_task().cancelling() == 0


async def test_what_is_late_ends():
    """At its deadline, as a timeout."""
    began = time()
    with pytest.raises(OutOfTimeError, match="it slept"), Limit(Watch(PATIENCE), 10, "it slept"):
        await asyncio.sleep(1000)
    assert time() - began == pytest.approx(10, abs=0.5)
    assert asyncio.current_task().cancelling() == 0


async def test_one_timer_for_all():
    """Waits that begin at different times end at theirs."""
    watch = Watch(PATIENCE)

    async def later(delay):
        await asyncio.sleep(delay)
        return await held(watch, 10, 1000)

    took = await asyncio.gather(*(later(delay / 10) for delay in range(50)), held(watch, None, 100))
    assert took == [pytest.approx(-10, abs=0.5)] * 50 + [pytest.approx(100, abs=0.5)]
    assert not watch.limits


async def test_no_limits_no_timer():
    """With every timeout off, nothing is timed."""
    watch = Watch(Timeouts(connect=None, read=None, min_rate=None))
    assert await held(watch, None, 1000) == pytest.approx(1000, abs=1)
    assert watch.timer is None


async def test_the_callers_cancellation_is_the_callers():
    """It stays a CancelledError, alone or together with our own."""
    watch = Watch(PATIENCE)
    for delay in (1, 10):
        task = asyncio.create_task(held(watch, 10, 1000))
        asyncio.get_running_loop().call_later(delay, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
    assert not watch.limits


async def test_both_at_once():
    """A task that is cancelled from outside in the turn in which its time ends is cancelled."""
    watch = Watch(PATIENCE)
    task = asyncio.create_task(held(watch, 10, 1000))
    await asyncio.sleep(0)
    (limit,) = watch.limits.values()
    limit.deadline = 0.0
    task.cancel()
    watch._look()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_within_a_timeout_of_the_caller():
    """An outer timeout is the caller's, an inner one ours."""
    watch = Watch(PATIENCE)
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(3):
            await held(watch, 10, 1000)
    assert not isinstance(caught.value, OutOfTimeError)
    async with asyncio.timeout(30):
        assert await held(watch, 10, 1000) == pytest.approx(-10, abs=0.5)


async def test_another_failure_is_not_hidden():
    """What was raised in the same turn as the deadline passed is raised, and the task is not left cancelled."""
    watch = Watch(PATIENCE)

    async def fails():
        with Limit(watch, 10, "it slept") as limit:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                assert limit.expired
                raise KeyError from None

    with pytest.raises(KeyError):
        await fails()
    assert asyncio.current_task().cancelling() == 0


async def test_waiting_for_a_place_in_a_pool():
    """It is nobody's slowness: the time begins when no request waits there any more."""
    watch, began = Watch(PATIENCE), time()
    assert await held(watch, 10, 1000, lambda: time() - began < 25) == pytest.approx(-35, abs=1.5)


async def test_a_body_that_is_fast_enough():
    """Each piece moves the deadline; a window that brought enough is followed by the next."""
    with Limit(Watch(PATIENCE), 10, "x") as limit:
        limit.brought(0)
        for _ in range(30):
            await asyncio.sleep(5)
            limit.brought(600)
            assert limit.deadline == pytest.approx(time() + 10, abs=0.5)


async def bring(size, every):
    """Bring a body piece by piece, for ever."""
    with Limit(Watch(PATIENCE), 10, "x") as limit:
        limit.brought(0)
        while True:
            await asyncio.sleep(every)
            limit.brought(size)


async def test_a_body_that_is_too_slow():
    """Found by what comes after the end of a window."""
    with pytest.raises(OutOfTimeError, match="min_rate"):
        await bring(400, every=5)


async def test_what_decodes_to_nothing_moves_nothing():
    """A body of blocks without content is silent."""
    with pytest.raises(OutOfTimeError, match="silent"):
        await bring(0, every=1)


@pytest.mark.parametrize(
    ("timeouts", "deadline"),
    [
        (Timeouts(read=None, min_rate=100, min_rate_window=20), 20),
        (Timeouts(read=5, min_rate=None), 5),
        (Timeouts(read=None, min_rate=None), math.inf),
    ],
)
async def test_limits_that_are_off(timeouts, deadline):
    """A minimum rate alone limits silence too; without either there is no deadline."""
    with Limit(Watch(timeouts), None, "x") as limit:
        limit.brought(0)
        assert limit.deadline - time() == pytest.approx(deadline, abs=0.5)


async def test_close_stops_the_timer():
    """A watch that is closed leaves nothing on the loop."""
    watch = Watch(PATIENCE)
    await held(watch, 10, 1)
    assert watch.timer is not None
    watch.close()
    watch.close()
    assert watch.timer is None
