"""A merge that is cancelled or killed at any point: the folder is whole or absent, and the next call makes it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import ConnectionFailedError
from tests.kits.processes import ROOT, environment
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import ONE_TRY, REPO, add, client_for, listed
from tests.kits.zips import entries, make, noise, tree
from tests.transfer.test_cancel import sweep

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from gh_artifacts_async.testing import FakeGitHub

BIG = 200_000
FILES = {"big": noise(BIG), "d/small": b"1", "d/other": noise(BIG, 2), "raw.txt": b"raw"}
SETTLED = {"dist", ".dist.gh-artifacts.json"}


def fill(github: FakeGitHub) -> list[int]:
    """Add an artifact of each kind."""
    raw = add(github, "raw", raw=("raw.txt", b"raw"))
    zips = [{name: FILES[name], "LICENSE": b"all the same"} for name in ("big", "d/small", "d/other")]
    return [raw, *(add(github, f"zip-{number}", archive=make(files)) for number, files in enumerate(zips))]


EXPECTED = {**FILES, "LICENSE": b"all the same"}


def check(folder: Path) -> None:
    """Check that the folder is whole or absent, and that nothing else is visible."""
    assert {name for name in entries(folder) if name[0] != "."} <= {"dist"}
    if (folder / "dist").exists():
        assert tree(folder / "dist") == EXPECTED


@pytest.mark.parametrize("twice", mostly_slow([True, False]))
@pytest.mark.parametrize("ranges", mostly_slow([True, False]))
async def test_cancelled(github: FakeGitHub, tmp_path: Path, *, ranges: bool, twice: bool) -> None:
    """A cancellation comes out wherever it waits, and leaves no torn folder; the next call makes it."""
    fill(github)
    if not ranges:
        github.faults.ignore_range(times=None)
    async with client_for(github) as client:
        artifacts = await listed(client)

        async def make_one(number: int) -> Coroutine[Any, Any, Any]:
            return client.download_merged(
                artifacts, tmp_path / str(number) / "dist", conflicts="identical", concurrency=2
            )

        count = await sweep(make_one, lambda number: check(tmp_path / str(number)), twice=twice)
        assert count >= 10
        for number in range(1, count + 1):
            folder = tmp_path / str(number)
            await client.download_merged(artifacts, folder / "dist", conflicts="identical", if_exists="skip")
            check(folder)
            assert entries(folder) == SETTLED


@pytest.mark.github_com("ranges")
async def test_cancelled_by_a_failure(github: FakeGitHub, tmp_path: Path) -> None:
    """One artifact's failure ends the others; what had arrived of them is not fetched again."""
    ids = fill(github)
    github.faults.stall(ids[1], at=BIG // 2, times=None)
    github.faults.cut(ids[3], at=BIG // 2, times=None)
    async with client_for(github, retry=ONE_TRY) as client:
        artifacts = await listed(client)
        with pytest.raises(ConnectionFailedError):
            await client.download_merged(artifacts, tmp_path / "dist", conflicts="identical")
        check(tmp_path)
        github.faults.clear()
        result = await client.download_merged(artifacts, tmp_path / "dist", conflicts="identical")
    check(tmp_path)
    assert result.bytes_fetched < 2 * BIG  # two tails, and the missing halves
    assert entries(tmp_path) == SETTLED


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize(("how", "first"), [("new", 1), ("replace", 2), ("whole", 3)])
async def test_killed(github: FakeGitHub, tmp_path: Path, how: str, first: int) -> None:
    """Killed before any call of the file system, it leaves the old folder or the new one; the next call clears up."""
    fill(github)
    if how == "whole":
        github.faults.ignore_range(times=None)
    plan: dict[str, object] = {"base": str(tmp_path), "url": github.base_url, "repo": REPO, "replace": how == "replace"}
    plan |= {"first": first, "step": 3}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kits.merge_program", json.dumps(plan)),
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    numbers = json.loads(out)
    assert len(numbers) > 20
    async with client_for(github) as client:
        artifacts = await listed(client)
        for number in numbers:
            folder = tmp_path / str(number)
            if how == "replace" and not (folder / "dist" / "big").exists():
                assert not (folder / "dist").exists() or tree(folder / "dist") == {"old": b"old"}
            else:
                check(folder)
            way = "replace" if how == "replace" else "skip"
            await client.download_merged(artifacts, folder / "dist", conflicts="identical", if_exists=way)
            check(folder)
            assert entries(folder) == SETTLED
