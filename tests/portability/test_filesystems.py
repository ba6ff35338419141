"""On NTFS and exFAT, mounted by FUSE: real file systems that fold names and lack what POSIX's have."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import DestinationExistsError, MergeConflictError, UnsafeMemberError
from gh_artifacts_async.transfer.disk.filesystem import folds_names
from tests.kits import mounts
from tests.kits.archives import Entry
from tests.kits.transfer import (
    RECEIVER_SIZE,
    REPO,
    WORKER_SIZE,
    add,
    client_for,
    fetch,
    fetch_all,
    fill,
    leave_part,
    listed,
    parts,
)
from tests.kits.zips import make, padded, several

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="mounted by Linux's FUSE"),
]


@pytest.fixture(params=mounts.KINDS, scope="module")
def mounted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A file system of each kind."""
    why = mounts.missing(request.param)
    if why is not None:
        pytest.skip(why)
    with mounts.mounted(request.param, tmp_path_factory.mktemp(request.param)) as folder:
        yield folder


@pytest.fixture
def folder(mounted: Path, request: pytest.FixtureRequest) -> Path:
    """A new folder in it."""
    made = mounted / f"t{abs(hash(request.node.name)):x}{time.monotonic_ns():x}"
    made.mkdir()
    return made


def lower(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its name in lower case, as NTFS-3G shows it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix().lower(): path.read_bytes() for path in found}


@pytest.mark.parametrize("size", [WORKER_SIZE, RECEIVER_SIZE])
async def test_download(github: FakeGitHub, client: ArtifactsClient, folder: Path, size: int) -> None:
    """A file comes, is continued, found, and replaced."""
    artifact_id = add(github, size=size)
    left = (await leave_part(github, artifact_id, folder, at=size // 2)).stat().st_size
    assert (await fetch(client, artifact_id, folder)).resumed_from == left
    assert (await fetch(client, artifact_id, folder, if_exists="skip")).skipped
    with pytest.raises(DestinationExistsError):
        await fetch(client, artifact_id, folder)
    (folder / "docs.zip").write_bytes(b"other")
    await fetch(client, artifact_id, folder, if_exists="replace")
    assert lower(folder) == {"docs.zip": github.content(artifact_id)}


async def test_two_clients_on_one_file(github: FakeGitHub, client: ArtifactsClient, folder: Path) -> None:
    """Even where both get the lock, the file is right, and nothing else is left."""
    artifact_id = add(github, size=RECEIVER_SIZE)
    async with client_for(github) as other:
        await asyncio.gather(*(fetch(it, artifact_id, folder, if_exists="skip") for it in (client, other)))
    assert lower(folder) == {"docs.zip": github.content(artifact_id)}


async def test_extract(github: FakeGitHub, client: ArtifactsClient, folder: Path) -> None:
    """Folders come, are found again, and are replaced."""
    for files in (several(), {"Folder/a.txt": b"a"}):
        artifact_id = add(github, archive=make(files))
        for skipped in (False, True):
            result = await fetch(client, artifact_id, folder, extract=True, if_exists="replace")
            assert result.skipped is skipped
            assert lower(folder / "docs") == {name.lower(): data for name, data in files.items()}
    assert {path.name for path in folder.iterdir()} == {"docs", ".docs.gh-artifacts.json"}


async def test_twins(github: FakeGitHub, client: ArtifactsClient, folder: Path) -> None:
    """Names that are one file here are refused: members', artifacts', and those of a merged folder."""
    assert folds_names(folder)
    assert folds_names(folder / "not" / "there")
    archive = padded([Entry("README", b"x"), Entry("readme", b"y")], 1000)
    with pytest.raises(UnsafeMemberError):
        await fetch(client, add(github, archive=archive), folder, extract=True)
    run = github.add_run(REPO)
    pair = [github.add_artifact(run, name, archive=make({name: b"x"})) for name in ("Build", "build")]
    artifacts = [artifact for artifact in await listed(client) if artifact.id in pair]
    for if_exists in ("error", "replace"):
        with pytest.raises(DestinationExistsError):
            await fetch_all(client, artifacts, folder, layout="name", if_exists=if_exists)
    with pytest.raises(MergeConflictError):
        await client.download_merged(artifacts, folder / "all")
    assert lower(folder) == {}


@pytest.mark.parametrize("extract", [False, True])
async def test_mirror(github: FakeGitHub, client: ArtifactsClient, folder: Path, *, extract: bool) -> None:
    """What somebody has changed stays, though the time of the change may be that of the download."""
    run = github.add_run(REPO)
    ids = [github.add_artifact(run, f"docs-{n}", archive=make({"a": bytes(9 + n)})) for n in range(4)]
    options: Any = {"extract": extract}
    assert len((await client.mirror(REPO, folder, **options)).fetched) == 4
    assert len((await client.mirror(REPO, folder, **options)).kept) == 4
    place = folder / f"docs-1-{ids[1]}" / "a" if extract else folder / f"docs-1-{ids[1]}.zip"
    before = place.stat()
    with place.open("r+b") as file:
        file.write(b"mine")
    if before.st_mtime_ns % 10_000_000 == 0:  # as if both were of one moment, which such a file system cannot tell
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    for it in ids[:2]:
        github.remove_artifact(it)
    report = await client.mirror(REPO, folder, prune=True, **options)
    assert [entry.id for entry in report.removed] == ids[:1]
    assert place.read_bytes().startswith(b"mine")
    assert parts(folder) == []


async def test_many(github: FakeGitHub, client: ArtifactsClient, folder: Path) -> None:
    """Side by side, and again."""
    ids = fill(github, 40)
    for expected in (False, True):
        outcomes = await fetch_all(client, await listed(client), folder, if_exists="skip")
        assert {outcome.unwrap().skipped for outcome in outcomes} == {expected}
    assert sorted(lower(folder).values()) == sorted(map(github.content, ids))
