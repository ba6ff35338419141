"""Kills, loops that end, and two processes with one destination: peers that live in real time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async.transfer.disk import filesystem, leftovers
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.partstate import PartState
from tests.kits.processes import MIB, ROOT, carried_out, environment, needs, program, until
from tests.kits.transfer import RECEIVER_SIZE, REPO, add, fetch, leave_part, longest_part, names, parts

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub

STATE = PartState(artifact_id=7, repository=REPO, size_in_bytes=8, digest="sha256:" + "0" * 64, etag='"x"', total=8)


# --- 23: kill -9 ----------------------------------------------------------------------------------------------------


@pytest.mark.github_com("ranges")
async def test_row_23_killed_while_the_state_was_written(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A state that a killed process had only half written is of no use, and does not stay."""
    it = add(github)
    part = await leave_part(github, it, tmp_path, 300_000)
    unfinished = part.with_name(part.name + ".json.new")
    unfinished.write_bytes(b'{"vers')
    orphan = tmp_path / ".other.9.abcabc012.part.json.new"
    orphan.write_bytes(b"")
    result = await fetch(client, it, tmp_path)
    assert result.resumed_from > 0
    assert names(tmp_path) == {"docs.zip"}


# --- 26: a loop that ends -------------------------------------------------------------------------------------------

ENDS = """
import asyncio, sys, time
from pathlib import Path
from gh_artifacts_async import ArtifactRef, ArtifactsClient

async def main(base_url, folder, *ids):
    async with ArtifactsClient("token", base_url=base_url) as client:
        tasks = [asyncio.create_task(client.download(ArtifactRef("octo-org/octo-docs", int(it)), folder)) for it in ids]
        while len(list(Path(folder).glob(".*.part"))) < len(ids) - 1:  # the smallest one is in memory until the end
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        print(time.time(), flush=True)
        raise RuntimeError("the end")

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.github_com("ranges")
@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.sample
async def test_row_26_loop_that_ends(github: FakeGitHub, tmp_path: Path) -> None:
    """A program that ends under its transfers ends at once, without a warning, and leaves what can be gone on with."""
    ids = [add(github, f"docs-{size}", size=size) for size in (20_000, 600_000, RECEIVER_SIZE)]
    for it, size in zip(ids, (20_000, 600_000, RECEIVER_SIZE), strict=True):
        github.faults.stall(it, at=size * 3 // 4, times=1)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "dev", "-W", "error", "-c", ENDS, github.base_url, str(tmp_path), *map(str, ids)),
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert time.time() - float(out) < 1.5  # the interpreter's own end included
    said = err.decode()
    assert said.rstrip().endswith("RuntimeError: the end")
    for word in ("Warning", "never retrieved", "never awaited", "Unclosed", "unclosed", "destroyed"):
        assert word not in said, said
    assert len(parts(tmp_path)) == 3
    github.forget_requests()
    _, *done = await carried_out(github, tmp_path, ["know", *ids], *(["download", it] for it in ids))
    assert all(answer["resumed_from"] > 0 for answer in done)
    assert names(tmp_path) == {f"docs-{size}.zip" for size in (20_000, 600_000, RECEIVER_SIZE)}


# --- 29: the network goes away --------------------------------------------------------------------------------------


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize("what", ["back", "gone"])
def test_row_29_network_taken_away(tmp_path: Path, what: str) -> None:
    """A network that goes in the middle of a body and comes back is got over; one that stays away leaves a part."""
    needs("network in a user namespace", "unshare", "-Urn", "true")
    command = ["unshare", "-Urn", sys.executable, "-m", "tests.kits.network", str(tmp_path), what]
    run = subprocess.run(  # noqa: S603 - Python itself
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, check=True, timeout=30
    )
    import json

    answer: dict[str, Any] = json.loads(run.stdout)
    assert not answer["early"]
    if what == "back":
        assert answer["right"]
        assert answer["left"] == ["docs.zip"]
        assert answer["seconds"] < 2
    else:
        assert answer["error"] in {"ConnectionFailedError", "RequestTimeoutError"}
        assert [name.partition(".part")[2] for name in answer["left"]] == ["", ".json"]


# --- 32: two processes, one destination -----------------------------------------------------------------------------


@pytest.mark.github_com("ranges")
@pytest.mark.realtime
@pytest.mark.slow
async def test_row_32_lock_that_does_not_hold(github: FakeGitHub, tmp_path: Path) -> None:
    """Where locks are granted to everyone, a second process takes the first one's part away, and finishes it right."""
    it = add(github, size=8 * MIB)
    github.faults.drip(it, chunk=64 * 1024, interval=0.02, times=None)
    plan = [["no_lock"], ["know", it], ["download", it, {"if_exists": "replace"}]]
    async with program(github, tmp_path, *plan) as first:
        await until(lambda: longest_part(tmp_path) > MIB)
        async with program(github, tmp_path, *plan) as second:
            (*_, one), (*_, two) = await first.answers(), await second.answers()
    assert (one.get("error"), two.get("error")) == ("FileNotFoundError", None)
    assert two["resumed_from"] > 0
    assert (tmp_path / "docs.zip").read_bytes() == github.content(it)
    assert names(tmp_path) == {"docs.zip"}


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize("lock", [True, False])
@pytest.mark.parametrize("if_exists", ["replace", "skip"])
async def test_row_32_four_at_once(github: FakeGitHub, tmp_path: Path, if_exists: str, *, lock: bool) -> None:
    """Four processes at the same moment: at least one finishes, the file is right, and nothing is left besides it."""
    it = add(github, size=2 * MIB)
    github.faults.drip(it, chunk=64 * 1024, interval=0.005, times=None)
    plan = [*([] if lock else [["no_lock"]]), ["know", it], ["download", it, {"if_exists": if_exists}]]
    answers = [found[-1] for found in await asyncio.gather(*(carried_out(github, tmp_path, *plan) for _ in range(4)))]
    assert any("error" not in answer for answer in answers)
    permitted = {"DestinationExistsError"} | (set() if lock else {"FileNotFoundError"})
    assert {answer["error"] for answer in answers if "error" in answer} <= permitted
    assert (tmp_path / "docs.zip").read_bytes() == github.content(it)
    assert names(tmp_path) <= {"docs.zip"} | {part.name for part in parts(tmp_path)}
    if lock:
        assert names(tmp_path) == {"docs.zip"}


def test_row_32_wrong_bytes_of_a_robbed_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has lost its part to another writes no more: bytes of its own would spoil what the other has checked."""
    monkeypatch.setattr(leftovers, "lock", lambda _: True)
    first, second = PartFile(tmp_path, "docs", STATE), PartFile(tmp_path, "docs", STATE)
    first.start()
    first.learn(etag='"x"', total=8)
    first.save_state()
    first.append([b"1234"])
    (mine,) = leftovers.scan(tmp_path)[first.prefix]
    assert second.adopt([mine])
    second.append([b"5678"])
    with pytest.raises(FileNotFoundError, match="removed or claimed by another process"):
        first.append([b"XXXX"])
    first.release(resumable=False)
    second.commit(tmp_path / "docs.zip", replace=False, durable=False)
    assert (tmp_path / "docs.zip").read_bytes() == b"12345678"
    assert names(tmp_path) == {"docs.zip"}


def test_row_32_a_living_process_keeps_its_part(tmp_path: Path) -> None:
    """Where locks hold, nobody takes a part that is being written."""
    if not hasattr(filesystem, "lock") or sys.platform == "win32":
        pytest.skip("there an open file cannot be renamed, which does the same")
    first, second = PartFile(tmp_path, "docs", STATE), PartFile(tmp_path, "docs", STATE)
    first.start()
    first.learn(etag='"x"', total=8)
    first.save_state()
    assert not second.adopt(leftovers.scan(tmp_path)[first.prefix])
    first.release(resumable=False)
    assert names(tmp_path) == set()
