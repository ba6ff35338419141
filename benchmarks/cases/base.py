"""What the cases are built of."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks import data, goals
from benchmarks.runner import Plan, Rival, SkipError
from benchmarks.server import Nginx, Storage
from benchmarks.tools import HERE, WORK, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.cases.checks import Check
    from benchmarks.data import Dataset

    Options = Mapping[str, object]

SCRIPTS = HERE / "rivals"
GIB = 2**30
MIB = 2**20
_TWO = 2


@dataclass(frozen=True)
class Sizes:
    """How big everything is.

    Attributes:
        big: bytes of the one big blob.
        flat: bytes of a smaller and a bigger one, between which memory must not grow.
        slow: bytes of the blobs on a link that limits each connection.
        far: bytes of the blob at the end of a long link.
        small: how many small artifacts; 20 KB each.
        medium: how many middling ones; 1 MB each.
        least: how many of 2 KB each; and an eighth of them.
        paced: how many small ones for a client with its default limits.
        far_small: how many small ones at the end of a long link.
        pages: pages of the listing, 100 artifacts each.
        slow_pages: pages of the listing that comes late.
        mixed: members, unpacked bytes and packed bytes of the zip that is unpacked.
        remote: members, 1 MiB each, of the zip that stays remote.
        run: how many zips a run has; and members, unpacked bytes and packed bytes of each.
        rows: pages of the listing that is shown as a table.
    """

    big: int = GIB
    flat: tuple[int, int] = (100_000_000, 4 * GIB)
    slow: tuple[int, int] = (256 * MIB, GIB)
    far: int = 60_000_000
    small: int = 2000
    medium: int = 500
    least: int = 16_000
    paced: tuple[int, int] = (300, 800)
    far_small: int = 200
    pages: int = 100
    slow_pages: int = 100
    mixed: tuple[int, int, int] = (3260, 482_000_000, 287_000_000)
    remote: int = 1020
    run: tuple[int, int, int, int] = (50, 40, 10_000_000, 6_480_000)
    rows: int = 30


FULL = Sizes()
QUICK = Sizes(
    big=128 * MIB,
    flat=(32 * MIB, 256 * MIB),
    slow=(64 * MIB, 128 * MIB),
    far=20_000_000,
    small=200,
    medium=50,
    least=1600,
    paced=(100, 200),
    far_small=100,
    pages=30,
    slow_pages=10,
    mixed=(500, 50_000_000, 30_000_000),
    remote=50,
    run=(10, 40, 10_000_000, 6_480_000),
    rows=30,
)
TINY = Sizes(
    big=4 * MIB,
    flat=(MIB, 8 * MIB),
    slow=(8 * MIB, 16 * MIB),
    far=2_000_000,
    small=20,
    medium=10,
    least=160,
    paced=(20, 30),
    far_small=20,
    pages=3,
    slow_pages=3,
    mixed=(60, 4_000_000, 2_400_000),
    remote=4,
    run=(3, 10, 1_000_000, 650_000),
    rows=2,
)


@dataclass(frozen=True)
class Bench:
    """What the cases build on.

    Attributes:
        sizes: how big everything is.
        datasets: where data comes from.
        memory: a folder in memory for what is downloaded, where there is one.
        rivals: the Python of the rivals' venv; None if there is none.
        lean: leave out the rivals that no goal names.
        cores: the core of the servers, and that of the rivals; None for any.
    """

    sizes: Sizes
    datasets: data.Datasets
    memory: Path
    rivals: str | None
    lean: bool
    cores: tuple[int, int] | None = None

    @property
    def disk(self) -> Path:
        """A folder on disk for what is downloaded."""
        return WORK / "out"

    def ours(
        self, name: str, script: str, options: Options, check: Check | None = None, *, start: Options | None = None
    ) -> Rival:
        """Return a script of ours, run by this interpreter; ``start`` is what differs for its start-up alone."""
        return _rival(name, sys.executable, script, options, check, start)

    def theirs(
        self, name: str, script: str, options: Options, check: Check | None = None, *, start: Options | None = None
    ) -> Rival:
        """Return a rival's script, run by the rivals' own interpreter."""
        return _rival(name, self.rivals or "no-venv", script, options, check, start)

    def plan(self, case: str, plan: Plan, *keep: str) -> Plan:
        """Leave out what cannot run, and in a lean run what no goal names, nor ``keep``."""
        named = {plan.subject, *keep}
        for goal in goals.GOALS:
            if goal.case == case:
                named |= {goal.subject, goal.rival or plan.subject}
        if self.lean:
            plan.rivals = [rival for rival in plan.rivals if rival.name in named]
        if self.rivals is None:
            plan.skipped |= {r.name: "no venv for the rivals" for r in plan.rivals if r.command[0] == "no-venv"}
        plan.core = None if self.cores is None else self.cores[1]
        return plan


def _rival(  # noqa: PLR0917 - two callers, just above
    name: str, python: str, script: str, options: Options, check: Check | None, start: Options | None
) -> Rival:
    command = (python, *_script(script, options))
    return Rival(name, command, (), check, () if start is None else (python, *_script(script, {**options, **start})))


def _script(script: str, options: Options) -> list[str]:
    return [str(SCRIPTS / script), *(f"{key}={value}" for key, value in options.items() if value is not None)]


def shell(name: str, line: str, needs: tuple[str, ...], check: Check | None = None, *, start: str = "") -> Rival:
    """Return a line for a shell; ``start`` is the line of its start-up alone."""
    return Rival(name, ("sh", "-c", line), needs, check, ("sh", "-c", start) if start else ())


@dataclass(frozen=True)
class Case:
    """One benchmark.

    Attributes:
        key: "G1".
        title: what is measured.
        build: prepares it; the block's end stops its servers.
        tools: programs that it cannot do without, or whose rivals would be missed.
        disk: bytes that it may need, data and downloads together.
        warm_up: run each rival once before the rounds that count.
        more_rounds: a factor: short runs need more of them.
        quick: part of the quick cut.
    """

    key: str
    title: str
    build: Callable[[Bench], AbstractContextManager[Plan]]
    tools: tuple[str, ...]
    disk: Callable[[Sizes], int]
    warm_up: bool = True
    more_rounds: int = 1
    quick: bool = True


def require(*tools: str) -> None:
    """Skip the case if a program is missing.

    Raises:
        SkipError: it is.
    """
    missing = [tool for tool in tools if find(tool) is None]
    if missing:
        msg = f"{', '.join(missing)} is not here"
        raise SkipError(msg)


@contextmanager
def nginx(bench: Bench, dataset: Dataset, storage: Storage | None = None, *, name: str = "nginx") -> Iterator[Nginx]:
    """Serve a data set; ``name`` is that of its folder, for a case with several servers."""
    require("nginx")
    data.warm(dataset)
    storage = storage or Storage()
    if bench.cores is not None:
        require("taskset")
        storage = replace(storage, core=bench.cores[0])
    with Nginx(find("nginx") or "nginx", WORK / name, dataset, storage) as server:
        yield server


def on_one_core(case: Case) -> Case:
    """Return a case once more: all of a rival on one core, nginx on another; only rivals that a goal names."""

    @contextmanager
    def build(bench: Bench) -> Iterator[Plan]:
        usable = sorted(os.sched_getaffinity(0))
        if len(usable) < _TWO:
            msg = "there is no second core"
            raise SkipError(msg)
        with case.build(replace(bench, lean=True, cores=(usable[0], usable[1]))) as plan:
            yield plan

    key = next(key for key, base in goals.ONE_CORE.items() if base == case.key)
    return replace(case, key=key, title=f"as {case.key}, each rival on one core", build=build, quick=False)
