"""``python -m benchmarks.soak``: transfers without a pause, with faults, for minutes; the exit code says how it went.

All is well if no result was wrong, none hung, nothing was left on disk, and the process has not grown. Transfers that
fail with an error of the package are counted, and are no fault.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
from gh_artifacts_async import ArtifactsClient, ArtifactsError, Limits, RetryPolicy, Timeouts

from benchmarks import report, tools
from benchmarks.soak.catalogue import ARTIFACTS, Entry
from benchmarks.soak.gauges import UNITS, Drift, Gauges, look
from benchmarks.soak.transfers import DEADLINE, Soak

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_MINUTES, _TRANSFERS = 10, 32
_EVERY = 5.0  # seconds between two samples
_SAMPLES = 24  # at least
_PROGRESS = 10.0  # seconds
_JUDGED = 4  # minutes, before which a process is still warming up: allocator, caches, a minute's points
_LONGEST_LINE = 16 * 2**20
_TIMEOUTS = Timeouts(connect=2, read=2, min_rate=1024, min_rate_window=3)
_RETRY = RetryPolicy(attempts=12, wait_initial=0.02, wait_max=0.3)
_LIMITS = Limits(api_concurrency=16, points_per_minute=None, max_pause=10)
_Criterion = tuple[str, str, bool]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="default %(default)s; fewer are not recorded")
    parser.add_argument("--transfers", type=int, default=_TRANSFERS, metavar="N", help="at once; default %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of artifacts and faults; default %(default)s")
    parser.add_argument("--no-surplus", action="store_true", help="leave the surplus answers out")
    parser.add_argument("--failures", action="store_true", help="print the error of every transfer that fails")
    options = parser.parse_args(argv)
    most = ARTIFACTS // 2
    if not 1 <= options.transfers <= most or options.minutes <= 0:
        parser.error(f"--transfers is from 1 to {most}, --minutes more than 0")
    return options


class _Servers:
    """The process with the servers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def said(self) -> dict[str, Any]:
        """Return the next line that it prints."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        line = await self._process.stdout.readline()
        if not line:
            sys.exit("the servers have ended")
        document: dict[str, Any] = json.loads(line)
        return document

    async def calm(self) -> dict[str, int]:
        """End all faults; return how often each happened."""
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(b"calm\n")
        return await self.said()


@asynccontextmanager
async def _servers(options: argparse.Namespace) -> AsyncIterator[_Servers]:
    command = [sys.executable, "-m", "benchmarks.soak.servers", "--seed", str(options.seed)]
    process = await asyncio.create_subprocess_exec(
        *command,
        *(["--no-surplus"] if options.no_surplus else []),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        cwd=tools.HERE.parent,
    )
    try:
        yield _Servers(process)
    finally:
        assert process.stdin is not None  # noqa: S101
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _tell(soak: Soak, began: float) -> None:
    """Print a line now and then."""
    while True:
        await asyncio.sleep(_PROGRESS)
        print(_progress(soak, time.monotonic() - began), flush=True)


def _progress(soak: Soak, seconds: float) -> str:
    tally, held = soak.tally, look()
    return (
        f"{seconds:5.0f} s  {tally.done.total():,} done, {tally.failed.total():,} failed, "
        f"{tally.cancelled:,} cancelled, {tally.bytes / 2**20:,.0f} MiB compared; {len(tally.wrong)} wrong, "
        f"{len(tally.hung)} hung, {len(tally.broken)} broken; "
        + ", ".join(f"{name} {held[name]:.0f}" for name in UNITS)
    )


async def _transfer(soak: Soak, options: argparse.Namespace, gauges: Gauges) -> None:
    """Let the transfers run for as long as they should."""
    loop = asyncio.get_running_loop()
    seconds = options.minutes * 60
    until = loop.time() + seconds
    beside = [asyncio.create_task(gauges.run(until)), asyncio.create_task(_tell(soak, time.monotonic()))]
    workers = [asyncio.create_task(soak.work(f"{options.seed} {n}", until)) for n in range(options.transfers)]
    try:
        done, pending = await asyncio.wait(workers, timeout=seconds + 2 * DEADLINE)
        for worker in done:
            worker.result()
        for worker in pending:
            soak.tally.tell(soak.tally.hung, f"hung, and not to be cancelled: {worker}")
    finally:
        for task in (*beside, *workers):
            task.cancel()
        await asyncio.wait(beside)


async def _settle(soak: Soak) -> tuple[list[str], str]:
    """Fetch everything without faults; return what is on disk besides, and what went wrong."""
    try:
        async with asyncio.timeout(DEADLINE):
            return await soak.settle(), ""
    except (ArtifactsError, TimeoutError) as error:
        return [], f"{type(error).__name__}: {error}"


async def _run(options: argparse.Namespace, folder: Path) -> tuple[list[_Criterion], dict[str, Any]]:
    gauges = Gauges(min(_EVERY, options.minutes * 60 / _SAMPLES))
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(_servers(options))
        ready = await servers.said()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        common = {"base_url": ready["api"], "timeouts": _TIMEOUTS, "retry": _RETRY}
        clients = [
            await stack.enter_async_context(ArtifactsClient("soak", **common, **its))
            for its in (
                {"limits": _LIMITS},
                {"limits": attrs.evolve(_LIMITS, fast_paths=False)},
                {"limits": _LIMITS, "session": session},
            )
        ]
        soak = Soak(
            clients[:-1],
            clients[-1],
            [Entry(**entry) for entry in ready["entries"]],
            folder / "out",
            tells=options.failures,
        )
        await _transfer(soak, options, gauges)
        faults = await servers.calm()
        left, failure = await _settle(soak)
    left += sorted(path.name for path in (folder / "tmp").iterdir())
    drifts = gauges.drifts()
    criteria = _criteria(soak, left, failure) + _flatness(drifts, options.minutes)
    for name in left:
        print(f"left: {name}")
    return criteria, {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "minutes": options.minutes,
        "transfers": options.transfers,
        "seed": options.seed,
        "machine": asdict(tools.machine()),
        "versions": tools.own_versions(),
        "criteria": [[name, figure, met] for name, figure, met in criteria],
        "done": dict(soak.tally.done.most_common()),
        "failed": dict(soak.tally.failed.most_common()),
        "ways": dict(soak.tally.ways.most_common()),
        "cancelled": soak.tally.cancelled,
        "bytes": soak.tally.bytes,
        "latest": gauges.latest,
        "faults": dict(sorted(faults.items())),
        "samples": gauges.samples,
    }


def _criteria(soak: Soak, left: list[str], failure: str) -> list[_Criterion]:
    tally = soak.tally
    counts = {
        "wrong results": len(tally.wrong),
        "transfers that hung": len(tally.hung),
        "exceptions of other classes": len(tally.broken),
        "files left on disk": len(left),
    }
    last = ("everything fetched in the end", failure or "yes", not failure)
    return [*((name, str(count), count == 0) for name, count in counts.items()), last]


def _flatness(drifts: dict[str, Drift | None], minutes: float) -> list[_Criterion]:
    found = []
    for name, drift in drifts.items():
        if drift is None:
            continue
        unit = f" {UNITS[name]}".rstrip()
        figure = f"{drift.before:.0f} to {drift.after:.0f}{unit}, at most {drift.peak:.0f}"
        early = minutes < _JUDGED
        note = " (too early to tell)" if early else ""
        found.append((f"{name}, second to last quarter", figure + note, drift.flat or early))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Soak, print, record; the exit code is 1 if anything is not well."""
    options = _arguments(argv)
    tools.WORK.mkdir(exist_ok=True)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="soak-", dir=tools.WORK) as folder:
        scratch = Path(folder, "tmp")
        scratch.mkdir()
        temporary, tempfile.tempdir = tempfile.tempdir, str(scratch)
        try:
            criteria, found = asyncio.run(_run(options, Path(folder)))
        finally:
            tempfile.tempdir = temporary
    found["load"] = (before, os.getloadavg()[0])
    print(report.soak_text(found))
    if options.minutes >= _MINUTES and options.transfers >= _TRANSFERS and not options.no_surplus:
        report.record_soak(found)
    return 0 if all(met for *_, met in criteria) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
