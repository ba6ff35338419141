"""Four processes on one token: with a shared budget hardly any request is refused, without one many are."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.api import REPO
from tests.kits.processes import ROOT
from tests.kits.redisserver import redis_server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.alone, pytest.mark.timeout(240)]

PROCESSES = 4
DOWNLOADS = 2000
MINUTE = 8  # seconds, for the fake and for the processes: the test would take four minutes otherwise
PAUSE = 3
IN_FLIGHT = 0.25  # seconds in which what was sent before the answer came may still arrive


async def _run(github: FakeGitHub, budget_url: str, directory: Path) -> None:
    """Download everything with four processes."""
    program = str(ROOT / "tests" / "kits" / "budget_program.py")
    started = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, program, github.base_url, budget_url, str(MINUTE), str(number), str(PROCESSES)),
            str(directory),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for number in range(PROCESSES)
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in started))
    assert all(process.returncode == 0 for process in started), outputs
    assert sum(int(out) for out, _ in outputs) == len(list(directory.iterdir()))


def _fake() -> FakeGitHub:
    github = FakeGitHub()
    github._limits.minute = MINUTE
    github.enforce_secondary_limits = True
    github.set_rate_limit(limit=100_000)
    return github


def _fill(github: FakeGitHub, count: int) -> None:
    run = github.add_run(REPO)
    for number in range(count):
        github.add_artifact(run, f"part-{number}", files={"a.txt": b"%d" % number})


async def test_one_budget(tmp_path: Path):
    """At most 1 % is refused, and a pause that one process meets holds all of them back."""
    async with _fake() as github:
        _fill(github, DOWNLOADS)
        refusing = asyncio.get_running_loop().call_later(
            5, lambda: github.faults.secondary_limit(None, times=1, retry_after=PAUSE)
        )
        with redis_server() as url:
            await _run(github, url, tmp_path)
        refusing.cancel()
        requests = github.requests_to("api")
    assert len(list(tmp_path.iterdir())) == DOWNLOADS
    refused = [request for request in requests if request.status == 403]
    assert 1 <= len(refused) <= len(requests) * 0.01
    sent: dict[str, list[float]] = defaultdict(list)
    for request in requests:
        sent[request.headers["User-Agent"]].append(request.time)
    assert len(sent) == PROCESSES
    for met in refused:
        for process, times in sent.items():
            known = met.time + IN_FLIGHT + (0 if process == met.headers["User-Agent"] else 0.5)
            pause = PAUSE if met is refused[0] else MINUTE
            assert not [moment for moment in times if known < moment < met.time + pause - 0.1], process


async def test_without_one(tmp_path: Path):
    """The same processes, each with a budget of its own, are refused more than that."""
    async with _fake() as github:
        _fill(github, DOWNLOADS)
        await _run(github, "", tmp_path)
        requests = github.requests_to("api")
    assert len([request for request in requests if request.status == 403]) > len(requests) * 0.01
