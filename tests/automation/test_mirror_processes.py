"""Mirrors in processes of their own: killed at any point, and two at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.automation.manifest import JOURNAL, MANIFEST
from tests.kits.mirror_program import contents
from tests.kits.processes import ROOT, carried_out, environment, program, until
from tests.kits.transfer import REPO, add, everything

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = [pytest.mark.realtime, pytest.mark.slow]


def _fill(github: FakeGitHub) -> tuple[dict[str, int], int]:
    """Add large and small artifacts, and twins; return each one's file and id, and the bytes there are to fetch."""
    run = github.add_run(REPO)
    sizes = [1_000_000 + 1000 * number for number in range(16)] + [20_000 + 100 * number for number in range(60)]
    added = {}
    for number, size in enumerate(sizes):
        it = github.add_artifact(run, f"docs-{number}", size=size, seed=number)
        added[f"docs-{number}-{it}.zip"] = it
    for number in range(24):
        it = github.add_artifact(run, f"twin-{number}", size=sizes[number], seed=number)
        added[f"twin-{number}-{it}.zip"] = it
    return added, sum(sizes)


@pytest.mark.github_com("ranges")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("kills", [2, 50])
async def test_killed_at_random_points(github: FakeGitHub, tmp_path: Path, kills: int) -> None:
    """A mirror that is killed again and again ends equal to the listing, each byte fetched at most 1.1 times."""
    added, size = _fill(github)
    github.faults.drip(chunk=4096, interval=0.008, times=None)
    chance = random.Random(kills)  # noqa: S311 - any points will do
    order = ["mirror", {"concurrency": 4}]
    killed = 0
    for _ in range(kills):
        before = len(github.requests)
        async with program(github, tmp_path, order) as mirror:
            await until(lambda before=before: len(github.requests) > before)  # type: ignore[misc]
            await asyncio.sleep(chance.random() * 0.25)
            if mirror.process.returncode is None:
                await mirror.kill()
        killed += mirror.process.returncode != 0
    assert killed > kills * 3 / 4  # the work was not done long before the last
    github.faults.clear()
    (report,) = await carried_out(github, tmp_path, order)
    assert report["failed"] == 0
    assert report["fetched"] + report["kept"] == len(added)
    assert everything(tmp_path) == {*added, MANIFEST}
    for name, it in added.items():
        assert (tmp_path / name).read_bytes() == github.content(it)
    assert len({(tmp_path / name).stat().st_ino for name in added}) == 76
    assert sum(record.bytes_sent for record in github.requests_to("storage")) <= 1.1 * size
    github.forget_requests()
    (again,) = await carried_out(github, tmp_path, order)
    assert again["kept"] == len(added)
    assert github.requests_to("storage") == []


@pytest.mark.sample
async def test_killed_before_anything_was_recorded(github: FakeGitHub, tmp_path: Path) -> None:
    """What a killed process has put in place and could not record is recognized, and is not fetched again."""
    ids = [add(github, f"docs-{number}", size=20_000, seed=number) for number in range(3)]
    github.faults.stall(ids[0], at=10_000, times=None)  # the last one that is listed
    async with program(github, tmp_path, ["mirror"]) as mirror:
        await until(lambda: len(list(tmp_path.glob("docs-*.zip"))) == 2 and github.bytes_sent(ids[0]) >= 10_000)
        await until((tmp_path / JOURNAL).exists)
        await mirror.kill()
    (tmp_path / JOURNAL).unlink()
    github.faults.clear()
    github.forget_requests()
    (report,) = await carried_out(github, tmp_path, ["mirror"])
    assert (report["kept"], report["fetched"]) == (2, 1)
    assert {record.artifact_id for record in github.requests_to("storage")} == {ids[0]}
    assert everything(tmp_path) == {MANIFEST, *(f"docs-{number}-{it}.zip" for number, it in enumerate(ids))}


async def test_two_processes(github: FakeGitHub, tmp_path: Path) -> None:
    """The second process is refused while the first lives; a killed one holds nothing."""
    it = add(github, size=20_000)
    github.faults.stall(it, at=10_000, times=1)
    async with program(github, tmp_path, ["mirror"]) as first:
        await until(lambda: github.bytes_sent(it) >= 10_000)
        (refused,) = await carried_out(github, tmp_path, ["mirror"])
        assert refused["error"] == "PlanRefusedError"
        await first.kill()
    (report,) = await carried_out(github, tmp_path, ["mirror"])
    assert report["fetched"] == 1


@pytest.mark.github_com("digest")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("extract", [False, True])
async def test_killed_before_each_call_of_the_file_system(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, extract: bool
) -> None:
    """Wherever a run is killed that fetches, links, replaces and removes, the next one ends right; no file is lost."""
    run = github.add_run(REPO)
    olds = {
        name: github.add_artifact(run, name, files={"a.txt": name * 20, "sub/b.txt": "b"})
        for name in ("replaced", "pruned", "kept")
    }
    options = {"layout": "name", "prune": True, "extract": extract}
    await client.mirror(REPO, tmp_path / "before", **options)  # type: ignore[arg-type]
    (tmp_path / "before" / "mine.txt").write_text("mine")
    for name in ("replaced", "pruned"):
        github.remove_artifact(olds[name])
    news = {name: github.add_artifact(run, name, files={"c.txt": "c" * 300}) for name in ("replaced", "new", "twin")}
    there = {**news, "kept": olds["kept"]}
    expected = {"mine.txt": hashlib.sha256(b"mine").hexdigest()}
    for name, it in there.items():
        if extract:
            continue
        expected[f"{name}.zip"] = hashlib.sha256(github.content(it)).hexdigest()
    if extract:
        await client.mirror(REPO, tmp_path / "model", layout="name", extract=True)
        expected |= contents(tmp_path / "model")
        records = [name for name in expected if name.endswith(".gh-artifacts.json")]
        assert len(records) == 4
    plan = {"base_url": github.base_url, "base": str(tmp_path), "options": options, "expected": expected}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kits.mirror_program", json.dumps(plan)),
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert int(out) > 25
