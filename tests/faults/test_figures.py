"""The figures of the whole matrix: a thousand random cuts, thirty-two transfers at once, kills at random bytes."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import RetryPolicy
from gh_artifacts_async.transport.connections import READ_BUFFER
from tests.kits.transfer import add, client_for, get, names

if TYPE_CHECKING:
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.slow

SIZES = (118, 5_000, 70_000, 300_000, 700_000, 1_300_000)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(
    ("first", "count"),
    [pytest.param(0, 20, marks=pytest.mark.sample), (20, 260), (280, 240), (520, 240), (760, 240)],
)
async def test_row_01_02_03_thousand_random_cuts(github: FakeGitHub, tmp_path: Path, first: int, count: int) -> None:
    """Of a thousand downloads with up to six random cuts each, by every way, none is wrong; little is sent twice."""
    sent = due = 0
    ids = {
        (size, chunked): add(github, f"docs-{size}-{chunked}", size=size, seed=size % 7)
        for size in SIZES
        for chunked in (False, True)
    }
    async with client_for(github, retry=RetryPolicy(wait_initial=0)) as client:
        artifacts = {key: await get(client, it) for key, it in ids.items()}
        for seed in range(first, first + count):
            dice = random.Random(seed)  # noqa: S311 - not a secret
            key = (dice.choice(SIZES), dice.random() < 0.3)
            size, it = key[0], ids[key]
            github.faults.clear()
            if key[1]:
                github.faults.no_length(it, times=None)
            cuts = sorted(dice.randrange(size) for _ in range(dice.randint(1, 6 if size > 500_000 else 5)))
            for number, at in enumerate(cuts):  # six silences in a row, with few bytes between, are given up as slow
                kinds = [github.faults.cut, github.faults.reset, github.faults.stall]
                dice.choice(kinds[: 3 if number < 4 else 2])(it, at=at)
            before = github.bytes_sent(it)
            result = await client.download(artifacts[key], tmp_path)
            assert result.path.read_bytes() == github.content(it), f"seed {seed}"
            result.path.unlink()
            once = github.bytes_sent(it) - before
            # one more than the cuts: the fake may count the end of the download before this one late
            assert once <= size + (len(cuts) + 1) * min(size, READ_BUFFER), f"seed {seed}"
            sent, due = sent + once, due + size
    assert sent <= 1.10 * due
    assert not [name for name in names(tmp_path) if ".part" in name]


def _open() -> set[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except OSError:
            continue
    return found


@pytest.mark.github_com("digest")
@pytest.mark.sample
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks /proc")
async def test_row_25_thirty_two_at_once(github: FakeGitHub, tmp_path: Path) -> None:
    """Thirty-two at once, each of them cut: afterwards no descriptor, no task and no part is left."""
    sizes = (20_000, 600_000, 1_500_000, 3_000_000)
    ids = [add(github, f"docs-{number}", size=sizes[number % 4], seed=number % 3) for number in range(32)]
    for number, it in enumerate(ids):
        fault: Any = (github.faults.cut, github.faults.reset, github.faults.stall)[number % 3]
        fault(it, at=sizes[number % 4] // 2)
    tasks, descriptors = asyncio.all_tasks(), _open()
    async with client_for(github) as client:
        artifacts = [await get(client, it) for it in ids]
        async with client.download_many(artifacts, tmp_path, concurrency=32) as outcomes:
            assert all([outcome.ok async for outcome in outcomes])
        assert not [name for name in _open() - descriptors if str(tmp_path) in name]
    await asyncio.sleep(0.1)
    assert {task for task in asyncio.all_tasks() - tasks if "aiohttp" not in repr(task)} == set()
    for _ in range(1000):  # the fake's own ends of the connections
        if not _open() - descriptors:
            break
        await asyncio.sleep(0.001)
    assert _open() - descriptors == set()
    assert names(tmp_path) == {f"docs-{number}-{it}.zip" for number, it in enumerate(ids)}
    assert len(os.listdir(tmp_path)) == 32  # noqa: PTH208
    for number, it in enumerate(ids):
        assert (tmp_path / f"docs-{number}-{it}.zip").read_bytes() == github.content(it)
