"""``python -m benchmarks``: measure, print, record."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from benchmarks import report, tools
from benchmarks.cases import CASES, FULL, QUICK, TINY, Bench, Case
from benchmarks.data import Datasets
from benchmarks.goals import goals_of
from benchmarks.report import Result
from benchmarks.runner import FAILED, Launcher, SkipError, measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.cases import Sizes

_LEAST_ROUNDS = 7  # fewer are not worth recording
_QUICK_ROUNDS = 5
_ROOM = 2 * 2**30  # that stays free on the disk
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="which ones, e.g. G1 G3 or 'G5*'; default all")
    parser.add_argument("--list", action="store_true", help="list the cases and their goals")
    parser.add_argument("--rounds", type=int, help=f"default {_LEAST_ROUNDS}; fewer are printed but not recorded")
    parser.add_argument(
        "--quick", action="store_true", help="a cut of four minutes; compared with the recorded figures"
    )
    parser.add_argument("--record", action="store_true", help="with --quick: keep its figures, on a new machine say")
    parser.add_argument("--tiny", action="store_true", help="as small as possible: does everything run?")
    parser.add_argument("--table", action="store_true", help="measure nothing; write RESULTS.md from what is recorded")
    parser.add_argument("--no-install", action="store_true", help="install no program that is missing")
    return parser.parse_args(argv)


def _chosen(patterns: list[str], *, quick: bool) -> list[Case]:
    if not patterns:
        return [case for case in CASES if case.quick or not quick]
    chosen = [case for case in CASES if any(fnmatchcase(case.key, pattern.upper()) for pattern in patterns)]
    unknown = [pattern for pattern in patterns if not any(fnmatchcase(c.key, pattern.upper()) for c in CASES)]
    if unknown:
        sys.exit(f"no such case: {', '.join(unknown)}; there are {' '.join(case.key for case in CASES)}")
    return chosen


def _list_cases() -> None:
    for case in CASES:
        print(f"{case.key:4} {case.title}")
        for goal in goals_of(case.key):
            print(f"       {goal}{'' if goal.accept else ' (besides)'}")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the working folder: two runs at once would measure each other."""
    with (tools.WORK / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("another run is at work in this checkout")
        yield


@contextmanager
def _memory_folder() -> Iterator[Path]:
    """Yield a folder in memory for downloads, on disk where there is no such thing.

    Its name is that of the checkout, so that what a run that was killed left there goes with the next one.
    """
    usable = _SHARED_MEMORY.is_dir() and os.access(_SHARED_MEMORY, os.W_OK)
    checkout = hashlib.sha256(str(tools.WORK).encode()).hexdigest()[:12]
    folder = (_SHARED_MEMORY if usable else tools.WORK) / f"gh-artifacts-bench-{checkout}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder / "out"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_space(case: Case, bench: Bench) -> None:
    """Skip a case for which there is no room.

    Raises:
        SkipError: there is none.
    """
    needed = case.disk(bench.sizes)
    if shutil.disk_usage(tools.WORK).free < needed + _ROOM:
        msg = f"needs {needed / 2**30:.1f} GiB of disk, and {_ROOM >> 30} GiB have to stay free"
        raise SkipError(msg)
    bench.memory.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(bench.memory).free < needed:
        msg = f"needs {needed / 2**30:.1f} GiB of memory for files"
        raise SkipError(msg)


def _run_case(case: Case, bench: Bench, launcher: Launcher, rounds: int) -> Result | None:
    """Measure one case; None if it cannot be measured here."""
    print(f"\n{case.key}: {case.title}", flush=True)
    try:
        _check_space(case, bench)
        with case.build(bench) as plan:
            before, count = os.getloadavg()[0], rounds * (1 if bench.lean else case.more_rounds)
            samples = measure(launcher, plan, count, warm_up=case.warm_up and not bench.lean)
    except SkipError as reason:
        print(f"  skipped: {reason}")
        return None
    for name, why in plan.skipped.items():
        print(f"  left out: {name}: {why}")
    if not samples:
        return None
    return Result(
        key=case.key,
        title=case.title,
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        subject=plan.subject,
        rounds=count,
        load=(before, os.getloadavg()[0]),
        machine=asdict(tools.machine()),
        versions={},
        sizes=asdict(bench.sizes),
        samples=samples,
        skipped=plan.skipped,
    )


def _print(result: Result, *, goals: bool) -> None:
    print(report.text_table(report.rows(result)))
    table = report.goal_rows(result) if goals else []
    if table[1:]:  # some cases have no goals
        print(report.text_table(table))
    sys.stdout.flush()


def _measured(cases: list[Case], sizes: Sizes, rounds: int) -> dict[str, Result]:
    """Measure the cases one after the other, and print each as it is done."""
    results: dict[str, Result] = {}
    with _memory_folder() as memory, Launcher(tools.LOG) as launcher:
        rivals = tools.rivals_python()
        versions = tools.versions(rivals)
        bench = Bench(sizes, Datasets(tools.WORK / "data"), memory, rivals, lean=sizes is QUICK)
        for case in cases:
            result = _run_case(case, bench, launcher, rounds)
            if result is not None:
                results[case.key] = Result(**result.__dict__ | {"versions": versions})
                _print(results[case.key], goals=sizes is FULL)
    return results


def _record(results: dict[str, Result], cases: list[Case]) -> None:
    """Record full figures, and those of a quick cut beside them, with which later quick cuts are compared."""
    record = report.load_record()
    record["full"] |= results
    report.save_record(record)
    report.write_results(record["full"], report.load_soak())
    print("\nthe quick cut, to compare later ones with")
    record["quick"] |= _measured([case for case in cases if case.quick], QUICK, _QUICK_ROUNDS)
    report.save_record(record)


def _compare(results: dict[str, Result]) -> None:
    """Print a quick cut beside the recorded one; beside the full figures where no quick one is recorded."""
    record = report.load_record()
    print("\nbeside the recorded figures")
    for key, result in results.items():
        quick, full = record["quick"].get(key), record["full"].get(key)
        source = "a quick cut too" if quick else "full sizes, so compare with care" if full else "nothing is recorded"
        print(f"{key} ({source})")
        print(report.text_table(report.comparison(result, quick or full)))


def _stop(_signal: int, _frame: object) -> NoReturn:
    sys.exit(143)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; the exit code is 1 if something could not do its work, whatever the figures."""
    options = _arguments(argv)
    cases = _chosen(options.cases, quick=options.quick)
    if options.list:
        _list_cases()
        return 0
    if options.table:
        report.write_results(report.load_record()["full"], report.load_soak())
        return 0
    signal.signal(signal.SIGTERM, _stop)
    tools.WORK.mkdir(exist_ok=True)
    with _alone():
        try:
            return _run(options, cases)
        except KeyboardInterrupt:
            return 130


def _run(options: argparse.Namespace, cases: list[Case]) -> int:
    if not options.no_install:
        tools.install({tool for case in cases for tool in case.tools})
    began = time.monotonic()
    sizes, usual = (TINY, 1) if options.tiny else (QUICK, _QUICK_ROUNDS) if options.quick else (FULL, _LEAST_ROUNDS)
    rounds = options.rounds or usual
    results = _measured(cases, sizes, rounds)
    if sizes is QUICK:
        _compare(results)
        if options.record:
            record = report.load_record()
            record["quick"] |= results
            report.save_record(record)
    elif sizes is FULL and rounds >= _LEAST_ROUNDS:
        _record(results, cases)
    print(f"\ntook {time.monotonic() - began:.0f} s")
    failed = [why for result in results.values() for why in result.skipped.values() if why.startswith(FAILED)]
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
