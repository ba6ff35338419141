"""Runs rivals in turn, whole processes, and keeps what each round cost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks.launcher import SEPARATOR
from benchmarks.tools import child_environment, find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

Sample = dict[str, float]
_TIMED_OUT = 124
FAILED = "failed"
"""With this begins why a rival was left out that did not do its work."""


class RunError(Exception):
    """A rival ended badly, or what it left is not right."""


class SkipError(Exception):
    """A case cannot be measured here; the text says why."""


@dataclass(frozen=True)
class Rival:
    """One way of doing a case's work.

    Attributes:
        name: as the tables show it.
        command: program and arguments.
        needs: programs of the system that must be here.
        check: looks at what the first run left behind; raises RunError.
        start: its start-up alone: the same for next to nothing. What is left of its time is the figure "transfer".
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    check: Callable[[], None] | None = None
    start: tuple[str, ...] = ()


@dataclass
class Plan:
    """A case that is ready to be run.

    Attributes:
        rivals: in the order of a round.
        out: emptied before each run; None if nothing is written.
        subject: whose figures stand above the ratios.
        limit: seconds that one run may take.
        extra: figures of the case's own, taken after each run.
        settle: write dirty pages back before each run.
        skipped: rivals that are left out, and why.
        core: the one that the rivals run on; None for any.
    """

    rivals: Sequence[Rival]
    out: Path | None = None
    subject: str = "ours"
    limit: float = 60
    extra: Callable[[], Mapping[str, float]] | None = None
    settle: bool = False
    skipped: dict[str, str] = field(default_factory=dict)
    core: int | None = None


class Launcher:
    """The small process that starts everything that is measured; a context manager."""

    def __init__(self, folder: Path) -> None:
        """Keep outputs in ``folder``."""
        self._out, self._err = folder / "stdout", folder / "stderr"

    def __enter__(self) -> Self:
        """Start it."""
        self._out.parent.mkdir(parents=True, exist_ok=True)
        script = str(Path(__file__).with_name("launcher.py"))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it, and what it runs at this moment."""
        if kind is not None:
            self._process.send_signal(signal.SIGINT)
        self._process.communicate()

    def run(self, command: Sequence[str], limit: float, core: int | None = None) -> Sample:
        """Run one program under ``timeout``, on one core if need be.

        Raises:
            RunError: it failed, or took too long.
        """
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        guarded = [*pinned, "timeout", "-k", "5", f"{limit:g}", *command]
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(SEPARATOR.join([str(self._out), str(self._err), *guarded]) + "\n")
        self._process.stdin.flush()
        wall, cpu, peak, code = self._process.stdout.readline().split()
        if code != "0":
            raise RunError(self._complaint(int(code), limit))
        return {"wall": float(wall), "cpu": float(cpu), "peak": int(peak) / 1024} | self._own_figures()

    def _complaint(self, code: int, limit: float) -> str:
        if code == _TIMED_OUT:
            return f"took more than {limit:g} s"
        said = self._err.read_text("utf-8", errors="replace").strip()
        return f"ended with {code}: {said[-1500:]}"

    def _own_figures(self) -> Sample:
        """Return what the program printed about itself: a JSON object on its last line."""
        last = self._out.read_text("utf-8", errors="replace").strip().rpartition("\n")[2]
        if not last.startswith("{"):
            return {}
        try:
            return {key: float(value) for key, value in json.loads(last).items()}
        except ValueError:
            return {}


def available(plan: Plan) -> list[Rival]:
    """Return the rivals whose programs are here; note the others as skipped."""
    usable = []
    for rival in plan.rivals:
        missing = [tool for tool in rival.needs if find(tool) is None]
        if missing:
            plan.skipped[rival.name] = f"{', '.join(missing)} is not here"
        elif rival.name not in plan.skipped:
            usable.append(rival)
    return usable


def measure(launcher: Launcher, plan: Plan, rounds: int, *, warm_up: bool) -> dict[str, list[Sample]]:
    """Run every rival once a round, in turn: A B C A B C.

    What the first run of each leaves is checked, outside the measured time. A rival that fails is left out from then
    on, by name.
    """
    samples: dict[str, list[Sample]] = {}
    for number in range(-1 if warm_up else 0, rounds):
        for rival in available(plan):
            try:
                sample = _one_run(launcher, plan, rival, check=number == (-1 if warm_up else 0))
            except RunError as error:
                print(f"  {rival.name} {error}", flush=True)
                plan.skipped[rival.name] = f"{FAILED} ({str(error).partition(':')[0]})"  # no path of this machine
                samples.pop(rival.name, None)
                continue
            if number >= 0:
                samples.setdefault(rival.name, []).append(sample)
    return samples


def _one_run(launcher: Launcher, plan: Plan, rival: Rival, *, check: bool) -> Sample:
    _empty(plan.out)
    if plan.settle:
        os.sync()
    try:
        sample = launcher.run(rival.command, plan.limit, plan.core)
        if plan.extra is not None:
            sample |= plan.extra()
        if check and rival.check is not None:
            rival.check()
        if rival.start:
            _empty(plan.out)
            sample["start"] = launcher.run(rival.start, plan.limit, plan.core)["wall"]
            sample["transfer"] = sample["wall"] - sample["start"]
    finally:
        _empty(plan.out)
    return sample


def _empty(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
