"""The figures that a transfer has to hold: random cuts, memory, kills, two processes, a full disk."""

from __future__ import annotations

import asyncio
import errno
import json
import random
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import DigestMismatchError
from gh_artifacts_async.transfer.disk import leftovers
from tests.kits.transfer import (
    INLINE_SIZE,
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    add,
    fetch,
    get,
    longest_part,
    names,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub

ROOT = Path(__file__).parents[2]
MIB = 2**20
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


# --- random cuts ----------------------------------------------------------------------------------------------------


async def cut_at_random(
    github: FakeGitHub, client: ArtifactsClient, folder: Path, seed: int, sizes: list[int]
) -> float:
    """Download something that is cut up to six times, and return how often its bytes were sent."""
    dice = random.Random(seed)  # noqa: S311 - not a secret
    size = dice.choice(sizes)
    artifact_id = add(github, f"docs-{seed}", size=size, seed=seed % 5)
    cuts = dice.randint(1, 6)
    for at in sorted(dice.randrange(size) for _ in range(cuts)):
        dice.choice([github.faults.cut, github.faults.reset, github.faults.stall])(artifact_id, at=at)
    result = await fetch(client, artifact_id, folder)
    assert result.path.read_bytes() == github.content(artifact_id)
    result.path.unlink()
    github.faults.clear()
    return github.bytes_sent(artifact_id) / size


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(
    "count", [pytest.param(200, marks=pytest.mark.slow), pytest.param(15, marks=[pytest.mark.slow, pytest.mark.sample])]
)
async def test_random_cuts(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, count: int) -> None:
    """Of 200 downloads with up to six cuts each none is wrong, and no byte is sent more than 1.1 times."""
    worst = 0.0
    for seed in range(count):
        ratio = await cut_at_random(github, client, tmp_path, seed, [INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])
        assert ratio <= 1.10, f"seed {seed}"
        worst = max(worst, ratio)
    assert names(tmp_path) == set()


@pytest.mark.github_com("digest")
@pytest.mark.slow
async def test_random_damage(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Whatever single byte is wrong, for ever, no file appears."""
    dice = random.Random(7)  # noqa: S311 - not a secret
    for number in range(60):
        size = dice.choice([INLINE_SIZE, WORKER_SIZE, RECEIVER_SIZE])
        artifact_id = add(github, f"docs-{number}", size=size)
        github.faults.corrupt(artifact_id, at=dice.randrange(size), times=None)
        github.faults.cut(artifact_id, at=dice.randrange(size))
        with pytest.raises(DigestMismatchError):
            await fetch(client, artifact_id, tmp_path)
        assert names(tmp_path) == set()
        github.faults.clear()


# --- a process of its own -------------------------------------------------------------------------------------------


class Client:
    """A running client program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def answer(self) -> dict[str, Any]:
        """Wait for its end, and return what it printed."""
        out, _ = await self.process.communicate()
        assert self.process.returncode == 0
        found: dict[str, Any] = json.loads(out)
        return found

    async def kill(self) -> None:
        """Kill it as nothing can be caught."""
        self.process.kill()
        await self.process.communicate()


@asynccontextmanager
async def program(github: FakeGitHub, folder: Path, *ids: int, **options: Any) -> AsyncGenerator[Client]:
    """Run a client in a process of its own; it is ended with the block."""
    more = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.kits.transfer_program",
        github.base_url,
        REPO,
        str(folder),
        *map(str, ids),
        *more,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def until(ready: Callable[[], bool]) -> None:
    """Look again until it is so."""
    async with asyncio.timeout(30):
        while not ready():
            await asyncio.sleep(0.005)


@LINUX
@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.sample
async def test_memory(github: FakeGitHub, tmp_path: Path) -> None:
    """A download of 64 MiB takes less than 24 MiB of memory."""
    small, large = add(github, "small", size=INLINE_SIZE), add(github, "large", size=64 * MIB)
    async with program(github, tmp_path, large, warm_up=small) as client:
        answer = await client.answer()
    assert (tmp_path / "large.zip").stat().st_size == 64 * MIB
    assert answer["growth"] < 24 * MIB


@LINUX
@pytest.mark.realtime
@pytest.mark.slow
async def test_memory_of_many(github: FakeGitHub, tmp_path: Path) -> None:
    """Thirty-two transfers at once take less than 72 MiB together: the pool of 24, and what aiohttp reads ahead."""
    small = add(github, "small", size=INLINE_SIZE)
    ids = [add(github, f"docs-{number}", size=8 * MIB, seed=number % 2) for number in range(32)]
    async with program(github, tmp_path, *ids, warm_up=small) as client:
        answer = await client.answer()
    assert answer["ok"] == [True] * 32
    assert answer["growth"] < 72 * MIB


async def _killed(
    github: FakeGitHub, folder: Path, kills: int, seed: int, *, least: int = MIB, most: float = 1.10, **options: Any
) -> None:
    size = 32 * MIB
    artifact_id = add(github, size=size)
    github.faults.drip(artifact_id, chunk=128 * 1024, interval=0.005, times=None)
    dice = random.Random(seed)  # noqa: S311 - not a secret
    for at in sorted(dice.randrange(least, size - 2 * MIB) for _ in range(kills)):
        async with program(github, folder, artifact_id, **options) as client:
            await until(lambda at=at: longest_part(folder) >= at)  # type: ignore[misc]
            await asyncio.sleep(dice.random() * 0.02)
            await client.kill()
        assert len(parts(folder)) == 1
    async with program(github, folder, artifact_id, **options) as client:
        answer = await client.answer()
    assert answer["resumed_from"] > 0
    assert (folder / "docs.zip").read_bytes() == github.content(artifact_id)
    assert names(folder) == {"docs.zip"}
    assert github.bytes_sent(artifact_id) <= most * size


@pytest.mark.github_com("ranges")
@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize("kills", [pytest.param(1, marks=pytest.mark.sample), 6])
async def test_killed(github: FakeGitHub, tmp_path: Path, kills: int) -> None:
    """A client killed with -9 again and again resumes each time, and little is sent twice."""
    await _killed(github, tmp_path, kills, seed=kills)


@pytest.mark.github_com("ranges")
@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, 4])
async def test_killed_with_holes(github: FakeGitHub, tmp_path: Path, kills: int) -> None:
    """A client that is killed while it writes out of order resumes at the frontier, and takes no hole for bytes."""
    await _killed(github, tmp_path, kills, seed=kills, least=16 * MIB, most=1.0 + 0.9 * kills, connections=4)


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.sample
async def test_two_processes(github: FakeGitHub, tmp_path: Path) -> None:
    """Two processes on one destination: one file, right, and nothing besides it."""
    artifact_id = add(github, size=4 * MIB)
    github.faults.drip(artifact_id, chunk=64 * 1024, interval=0.01, times=None)
    async with (
        program(github, tmp_path, artifact_id, if_exists="skip") as first,
        program(github, tmp_path, artifact_id, if_exists="skip") as second,
    ):
        answers = [await first.answer(), await second.answer()]
    assert (tmp_path / "docs.zip").read_bytes() == github.content(artifact_id)
    assert names(tmp_path) == {"docs.zip"}
    assert any("path" in answer for answer in answers)
    assert {answer.get("error", "DestinationExistsError") for answer in answers} == {"DestinationExistsError"}


@pytest.mark.github_com("ranges")
@pytest.mark.realtime
@pytest.mark.slow
async def test_two_processes_after_a_third_was_killed(github: FakeGitHub, tmp_path: Path) -> None:
    """Two processes that find one part: one resumes it, and neither spoils the other's."""
    artifact_id = add(github, size=8 * MIB)
    github.faults.drip(artifact_id, chunk=64 * 1024, interval=0.01, times=None)
    async with program(github, tmp_path, artifact_id) as client:
        await until(lambda: longest_part(tmp_path) > 2 * MIB)
        await client.kill()
    async with (
        program(github, tmp_path, artifact_id, if_exists="replace") as first,
        program(github, tmp_path, artifact_id, if_exists="replace") as second,
    ):
        answers = [await first.answer(), await second.answer()]
    assert sorted(answer["resumed_from"] > 0 for answer in answers) == [False, True]
    assert (tmp_path / "docs.zip").read_bytes() == github.content(artifact_id)
    assert names(tmp_path) == {"docs.zip"}


@pytest.mark.github_com("ranges")
@LINUX
@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.sample
async def test_file_size_limit(github: FakeGitHub, tmp_path: Path) -> None:
    """A limit on the size of files is OutOfSpaceError with EFBIG; what fitted is there for the next run."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    async with program(github, tmp_path, artifact_id, largest_file=MIB) as client:
        answer = await client.answer()
    assert (answer["error"], answer["errno"]) == ("OutOfSpaceError", errno.EFBIG)
    (part,) = parts(tmp_path)
    assert part.stat().st_size == MIB
    async with program(github, tmp_path, artifact_id) as client:
        assert (await client.answer())["resumed_from"] == MIB
    assert (tmp_path / "docs.zip").read_bytes() == github.content(artifact_id)


@pytest.mark.github_com("ranges")
async def test_expiry_costs_nothing(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A URL that ends in mid-body costs no more than 1.05 times the bytes."""
    size = 10 * MIB
    artifact_id = add(github, size=size)
    artifact = await get(client, artifact_id)
    for part in range(1, 5):
        github.faults.reset(artifact_id, at=size * part // 5)
        github.faults.expire_url(artifact_id)
    await client.download(artifact, tmp_path)
    assert github.bytes_sent(artifact_id) <= 1.05 * size
    assert leftovers.scan(tmp_path) == {}
