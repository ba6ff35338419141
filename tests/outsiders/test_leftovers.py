"""A user's files that look like ours, and what a process leaves that is killed at the commit."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import ArtifactRef, ConfigurationError, DestinationExistsError
from gh_artifacts_async.protocol.filenames import PART_NAME, safe_component
from gh_artifacts_async.transfer.disk.leftovers import scan
from gh_artifacts_async.transfer.disk.partfile import PartFile
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import INLINE_SIZE, REPO, WORKER_SIZE, add, client_for, fetch, get, names

if TYPE_CHECKING:
    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.settings import IfExists
    from gh_artifacts_async.testing import FakeGitHub

# --- row 7: a user's files

THEIRS = {
    ".x.part.json": b"{}",
    ".y.part.json.new": b"",
    ".art-1.1.notes.part": b"notes",
    ".docs.1.notes.part": b"notes",
    ".docs.1.abcdef.part": b"short token",
    ".docs.1.0123456789.part": b"with a state that is not ours",
    ".docs.1.0123456789.part.json": b'{"mine": true}',
    ".docs.1.00000000f.part.json": b'{"version": 1, "artifact_id": 2, "repository": ""}',
    ".docs.1.00000000f.part.json.new": b"[]",
    ".part": b"",
    ".part.json": b"",
    "x.part": b"",
}


@pytest.mark.parametrize("if_exists", ["error", "skip", "replace"])
async def test_row_7_a_users_files_stay(github: FakeGitHub, tmp_path: Path, if_exists: IfExists) -> None:
    """Nothing is removed or adopted that is not wholly ours, by any of three downloads."""
    artifact_id = add(github, id=1)
    for name, data in THEIRS.items():
        (tmp_path / name).write_bytes(data)
    for _ in range(3):
        async with client_for(github) as client:
            if if_exists == "error" and (tmp_path / "docs.zip").exists():
                with pytest.raises(DestinationExistsError):
                    await fetch(client, artifact_id, tmp_path)
            else:
                await fetch(client, artifact_id, tmp_path, if_exists=if_exists)
    assert {name: (tmp_path / name).read_bytes() for name in THEIRS} == THEIRS
    assert names(tmp_path) == {*THEIRS, "docs.zip"}


async def test_row_7_ours_still_go(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A part without a state, a state without a part, and the beginning of one."""
    artifact_id = add(github, id=1)
    state = b'{"version": 1, "artifact_id": 1, "repository": "octo-org/octo-docs"}'
    (tmp_path / ".docs.1.0123456789.part").write_bytes(b"x")
    (tmp_path / ".docs.1.0123456789-0123456780.part").write_bytes(b"x")
    (tmp_path / ".docs.1.00000000f.part.json").write_bytes(state)
    (tmp_path / ".docs.1.00000000e.part.json.new").write_bytes(state[:20])
    (tmp_path / ".docs.1.00000000d.part.json.new").write_bytes(b"")
    await fetch(client, artifact_id, tmp_path)
    assert names(tmp_path) == {"docs.zip"}


NAMES = [
    ".x.part.json",
    ".x.part",
    ".x.PART.json.new",
    ".docs.1.0123456789.part",
    ".docs.1.0123456789.part.json",
    ".docs.zip.gh-artifacts.json",
    ".docs.zip.gh-artifacts.json.01234567.new",
]


@pytest.mark.parametrize("name", NAMES)
async def test_row_7_an_artifact_named_like_ours(github: FakeGitHub, tmp_path: Path, name: str) -> None:
    """It is delivered under a safe name, and the next download leaves it where it is."""
    artifact_id = add(github, raw=(name, b'{"version": 1, "artifact_id": 1, '), name=name, id=1)
    async with client_for(github) as client:
        result = await fetch(client, artifact_id, tmp_path)
        assert result.path.name == f"_{name[1:]}"
    other = add(github)
    async with client_for(github) as client:
        await fetch(client, other, tmp_path)
    assert names(tmp_path) == {f"_{name[1:]}", "docs.zip"}


@pytest.mark.parametrize("name", [*NAMES, "." + "x" * 194 + ".partly", "." + "é" * 300 + ".part"])
def test_row_7_no_safe_name_is_ours(name: str) -> None:
    """Whatever is cut or replaced; a safe name is kept by a second call."""
    safe = safe_component(name)
    assert PART_NAME.fullmatch(safe) is None
    assert not safe.endswith((".part", ".part.json", ".part.json.new")) or not safe.startswith(".")
    assert safe_component(safe) == safe


async def test_row_7_a_filename_of_ours(client: ArtifactsClient, tmp_path: Path) -> None:
    """A caller cannot choose it either."""
    with pytest.raises(ConfigurationError, match="part file"):
        await client.download(ArtifactRef(REPO, 1), tmp_path, filename=".docs.1.0123456789.part.json")


# --- row 8: kill -9 at the commit

COMMIT = """
import os, signal, sys
from pathlib import Path
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.partstate import PartState
folder, stem, number, size, digest, final, kind, kill_at, saved, replace, durable = sys.argv[1:]
data = sys.stdin.buffer.read()
part = PartFile(Path(folder), stem, PartState(
    artifact_id=int(number), repository="octo-org/octo-docs", size_in_bytes=int(size), digest=digest))
part.start(len(data), etag='"x"', total=len(data), content_type=kind,
    disposition=f'attachment; filename="{Path(final).name}"')
if int(saved):
    part.save_state()
part.append([data])
calls = 0
def hook(event, arguments):
    global calls
    if event in ("os.link", "os.rename", "os.remove", "open"):
        calls += 1
        if calls == int(kill_at):
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
fsync = os.fsync
def counted(descriptor):
    hook("open", ())
    fsync(descriptor)
os.fsync = counted
part.commit(Path(final), replace=bool(int(replace)), durable=bool(int(durable)))
calls = -1_000_000  # what the interpreter opens at its end is not the commit's
"""
"""Commits a part as a download does, and is killed before one of its calls of the file system."""


async def _killed(*arguments: object, data: bytes) -> bool:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", COMMIT, *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    await process.communicate(data)
    assert process.returncode in {0, -signal.SIGKILL}
    return process.returncode != 0


COMMITS = [  # each pair of values of any two, since each takes seconds
    ("skip", False, False, False),
    ("skip", True, False, False),
    ("skip", True, True, False),
    ("skip", False, False, True),
    ("error", True, False, False),
    ("error", False, True, False),
    ("error", True, False, True),
    ("replace", False, False, False),
    ("replace", True, True, False),
    ("replace", False, False, True),
]


@pytest.mark.github_com("digest")
@pytest.mark.realtime
@pytest.mark.parametrize(("if_exists", "saved", "raw", "durable"), mostly_slow(COMMITS))
async def test_row_8_killed_at_the_commit(
    github: FakeGitHub, tmp_path: Path, if_exists: IfExists, *, saved: bool, raw: bool, durable: bool
) -> None:
    """Killed before each call of the commit: after the next call nothing is left besides the file, which is right."""
    size = WORKER_SIZE if saved else INLINE_SIZE
    artifact_id = add(github, raw=("notes.bin", bytes(size))) if raw else add(github, size=size)
    name, data = "notes.bin" if raw else "docs.zip", github.content(artifact_id)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    kill_at, killed = 0, True
    while killed:
        kill_at += 1
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        facts = (folder, artifact.name, artifact_id, artifact.size_in_bytes, digest, folder / name)
        kind = "application/octet-stream" if raw else "application/zip"
        options = (kill_at, int(saved), int(if_exists == "replace"), int(durable))
        killed = await _killed(*facts, kind, *options, data=data)
        there = (folder / name).exists()
        async with client_for(github) as client:
            if there and if_exists == "error":
                with pytest.raises(DestinationExistsError):
                    await client.download(artifact, folder)
            else:
                await client.download(artifact, folder, if_exists=if_exists, durable=durable)
        assert names(folder) == {name}, kill_at
        assert (folder / name).read_bytes() == data
    assert kill_at == 1 + saved + (2 if if_exists != "replace" else 1) + (3 if durable else 0)


async def test_row_8_a_finished_file_is_not_adopted(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A part that is in place already is never the start of another file, which would change together with it."""
    artifact = await get(client, add(github))
    part = PartFile.for_artifact(artifact, tmp_path)
    data = github.content(artifact.id)
    part.start(len(data), etag='"x"', total=len(data), content_type="application/zip")
    part.append([data])
    part.release(resumable=True)
    os.link(part.path, tmp_path / "docs.zip")
    planned = await client.plan_downloads([artifact], tmp_path / "other")
    assert planned[0].action == "download"
    result = await client.download(artifact, tmp_path, filename="other.zip")
    assert result.resumed_from == 0
    assert result.path.stat().st_nlink == 1
    assert names(tmp_path) == {"docs.zip", "other.zip"}
    assert scan(tmp_path) == {}
