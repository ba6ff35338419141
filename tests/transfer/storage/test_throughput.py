"""The small clocks of one transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ConnectionFailedError, Limits, RequestTimeoutError, SlowTransferError, Timeouts
from gh_artifacts_async.transfer.storage.throughput import RateWatch
from tests.kits.transfer import (
    INLINE_SIZE,
    ONE_TRY,
    RECEIVER_SIZE,
    WORKER_SIZE,
    add,
    client_for,
    get,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import Artifact, ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub


def watch(**values: float | None) -> RateWatch:
    """Make a watch: 100 bytes a second over 10 seconds, unless told otherwise."""
    return RateWatch(Timeouts(**{"min_rate": 100, "min_rate_window": 10.0, **values}))  # type: ignore[arg-type]


def test_fast_enough() -> None:
    """Nothing happens at or above the rate, however the bytes are spread over the window."""
    it = watch()
    it.start(0.0)
    it.count(1000, 9.9, "host")
    it.count(0, 10.0, "host")
    it.count(1000, 20.0, "host")


def test_too_slow() -> None:
    """Below it, the first count after the window's end raises, and the next window is open."""
    it = watch()
    it.start(0.0)
    it.count(500, 5.0, "host")
    with pytest.raises(SlowTransferError, match=r"host sent 50 bytes/s over 10 s") as caught:
        it.count(1, 10.0, "host")
    assert (round(caught.value.rate, 1), caught.value.minimum) == (50.1, 100)
    it.count(1000, 20.0, "host")


def test_first_count_opens_a_window() -> None:
    """Without a start the first bytes are one."""
    it = watch()
    it.exclude(5.0)
    it.count(1, 100.0, "host")
    it.count(1, 109.0, "host")
    with pytest.raises(SlowTransferError):
        it.count(1, 110.0, "host")


def test_excused() -> None:
    """Time that was not storage's does not count."""
    it = watch()
    it.start(0.0)
    it.exclude(600.0)
    it.count(1, 605.0, "host")
    with pytest.raises(SlowTransferError):
        it.count(1, 610.0, "host")


def test_off() -> None:
    """Without a minimum nothing is too slow."""
    it = watch(min_rate=None)
    it.start(0.0)
    it.count(1, 1e9, "host")


def test_a_timeout_ends_the_window_by_its_kind() -> None:
    """A silence as long as the window, a little of it excluded, is not blamed on the next connection."""
    it = watch()
    it.start(0.0)
    it.exclude(0.025)
    assert it.after(RequestTimeoutError(), 10.0)
    it.count(50, 10.1, "host")


def test_slowness_that_the_transport_has_measured_ends_the_window_too() -> None:
    """The next connection is not blamed for it either."""
    it = watch()
    it.start(0.0)
    assert it.after(SlowTransferError(), 10.0)
    it.count(50, 10.1, "host")


async def read_all(client: ArtifactsClient, artifact: Artifact) -> None:
    """Read an artifact as a stream."""
    async with client.open_stream(artifact) as stream:
        async for _ in stream:
            pass


@pytest.mark.parametrize("way", ["plain", "no length", "no digest", "ordinary", "stream"])
@pytest.mark.parametrize("size", [1_000, INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])
async def test_slow_whichever_way(github: FakeGitHub, tmp_path: Path, way: str, size: int) -> None:
    """Bytes that trickle are a SlowTransferError, never a silence, whoever receives them."""
    it = add(github, size=size, **({"digest": None} if way == "no digest" else {}))
    github.faults.drip(it, times=None, chunk=10, interval=1.0, at=size // 2)
    if way == "no length":
        github.faults.no_length(it, times=None)
    limits = Limits(fast_paths=way != "ordinary")
    async with client_for(github, retry=ONE_TRY, limits=limits) as client:
        artifact = await get(client, it)
        with pytest.raises(
            SlowTransferError, match=r"sent \d+ bytes/s over \d+ s; Timeouts\.min_rate is 1024"
        ) as caught:
            await (read_all(client, artifact) if way == "stream" else client.download(artifact, tmp_path))
    assert caught.value.rate < caught.value.minimum == 1024


def test_a_break_leaves_a_window_open_that_is_not_over() -> None:
    """Reconnecting again and again does not make a slow transfer a fast one."""
    it = watch()
    it.start(0.0)
    it.count(50, 1.0, "host")
    assert not it.after(ConnectionFailedError(), 5.0)
    with pytest.raises(SlowTransferError):
        it.count(1, 10.0, "host")


def test_a_break_after_the_window_judges_it() -> None:
    """What was slow is called slow, and the next connection starts with a window of its own."""
    it = watch()
    it.start(0.0)
    it.count(50, 1.0, "host")
    assert it.after(ConnectionFailedError(), 10.0)
    it.count(1, 10.1, "host")
    assert it.after(SlowTransferError(), 10.2)


def test_without_a_minimum_no_try_was_slow() -> None:
    """Silence is then a timeout and nothing else."""
    it = watch(min_rate=None)
    it.start(0.0)
    assert not it.after(RequestTimeoutError(), 100.0)
    assert not watch().after(RequestTimeoutError(), 100.0)


@pytest.mark.parametrize(
    ("gained", "wanted", "seconds", "enough"),
    [
        (4095, None, 1.0, False),
        (4096, None, 1.0, True),
        (4096, 10**6, 60.0, False),
        (6000, 10**6, 60.0, True),
        (1999, 20_000, 60.0, False),
        (2000, 20_000, 60.0, True),
        (0, 5, 1.0, False),
        (1, 5, 1.0, True),
    ],
)
def test_progress(gained: int, wanted: int | None, seconds: float, *, enough: bool) -> None:
    """At least 4 KiB, and the minimum rate; but a tenth of what is wanted will always do."""
    it = watch()
    it.resume_from(100)
    it.start(10.0)
    assert it.has_gained(100 + gained, wanted, 10.0 + seconds) == enough
    assert not it.has_gained(100 + gained, wanted, 10.0 + seconds)
