"""What a process holds, sampled while it works: memory, descriptors, threads, tasks, and how late its loop runs."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 2**20
_TICK = 0.02  # seconds
_FEWEST = 8  # samples that have quarters
_TOLERANCE = 0.1
_SLACK = 8
UNITS = {"memory": "MiB", "blocks": "thousand", "descriptors": "", "threads": "", "tasks": ""}


@dataclass(frozen=True)
class Drift:
    """How a figure moved.

    Attributes:
        before: its median in the second quarter of the time.
        after: its median in the last quarter.
        peak: its highest value.
    """

    before: float
    after: float
    peak: float

    @property
    def flat(self) -> bool:
        """Whether it has not grown by more than a tenth, or 8 of its units where that is more."""
        return self.after <= self.before + max(_TOLERANCE * self.before, _SLACK)


def drift(values: list[float]) -> Drift | None:
    """Compare the last quarter of some samples with the second; None if there are too few."""
    if len(values) < _FEWEST:
        return None
    quarter = len(values) // 4
    return Drift(median(values[quarter : 2 * quarter]), median(values[-quarter:]), max(values))


@dataclass
class Gauges:
    """Samples of this process.

    Attributes:
        interval: seconds between two of them.
        samples: figure -> its values.
        latest: the longest delay of the event loop, in seconds.
    """

    interval: float
    samples: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in UNITS})
    latest: float = 0.0

    async def run(self, until: float) -> None:
        """Sample until the loop's time is ``until``: what ends after that is no longer the usual work."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await asyncio.gather(self._sample(), self._listen())

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(self.interval)
            for name, value in look().items():
                self.samples[name].append(value)

    async def _listen(self) -> None:
        while True:
            due = time.monotonic() + _TICK
            await asyncio.sleep(_TICK)
            self.latest = max(self.latest, time.monotonic() - due)

    def drifts(self) -> dict[str, Drift | None]:
        """Return how each figure moved."""
        return {name: drift(values) for name, values in self.samples.items()}


def look() -> dict[str, float]:
    """Return what this process holds now (Linux)."""
    if _TRIM is not None:
        _TRIM(0)  # pages that are free already are the C library's choice
    resident = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return {
        "memory": resident * _PAGE / _MIB,
        "blocks": sys.getallocatedblocks() / 1000,  # those of Python's own allocator: what leaks shows here first
        "descriptors": sum(1 for _ in os.scandir("/proc/self/fd")),
        "threads": sum(1 for _ in os.scandir("/proc/self/task")),
        "tasks": len(asyncio.all_tasks()),
    }
