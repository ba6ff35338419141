"""A downloaded zip becomes a folder; the record beside it; what takes the destination's place at which moment."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArchiveError,
    CorruptArchiveError,
    DestinationExistsError,
    ExtractionProgress,
    ExtractPolicy,
)
from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.archive import audit
from gh_artifacts_async.transfer.disk.records import read_folder_record
from gh_artifacts_async.transfer.unzip import unpack
from gh_artifacts_async.transfer.unzip.unpack import Unpacking, begun, check_destination
from tests.kits.archives import Entry, build
from tests.kits.transfer import Seen, add, get
from tests.kits.zips import HOSTILE, entries, make, noise, tree

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import Artifact, ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub

FILES = {"a.txt": b"1", "d/b.bin": noise(5000), "d/e/c": b""}
ARCHIVE = make(FILES)


@pytest.fixture
async def artifact(github: FakeGitHub, client: ArtifactsClient) -> Artifact:
    """Give any artifact."""
    return await get(client, add(github, archive=make(FILES)))


def unpacking(artifact: Artifact, folder: Path, **options: Any) -> Unpacking:
    """Plan to unpack to ``docs``."""
    policy, seen = options.pop("policy", ExtractPolicy()), options.pop("seen", None)
    values = {"replace": False, "durable": False, **options}
    return Unpacking(artifact, folder / "docs", policy, Emitter(seen), **values)


async def unpacked(artifact: Artifact, folder: Path, content: bytes = ARCHIVE, **options: Any) -> list[Any]:
    """Unpack an archive that is whole."""
    folder.mkdir(exist_ok=True)
    archive = folder.parent / f"{folder.name}.zip"
    archive.write_bytes(content)
    return await unpacking(artifact, folder, **options).whole(archive)


@pytest.mark.github_com("digest")
async def test_whole(artifact: Artifact, tmp_path: Path) -> None:
    """The folder holds the files, and its record which artifact it is; nothing else is there."""
    members = await unpacked(artifact, tmp_path / "in")
    assert tree(tmp_path / "in" / "docs") == FILES
    assert entries(tmp_path / "in") == {"docs", ".docs.gh-artifacts.json"}
    assert {member.name: member.path.read_bytes() for member in members} == FILES
    assert json.loads((tmp_path / "in" / ".docs.gh-artifacts.json").read_text()) == {
        "version": 1,
        "id": artifact.id,
        "inode": (tmp_path / "in" / "docs").stat().st_ino,
        "digest": str(artifact.digest),
        "members": {"a.txt": 1, "d/b.bin": 5000, "d/e/c": 0},
    }
    assert read_folder_record(artifact, tmp_path / "in" / "docs")


@pytest.mark.parametrize("rule", HOSTILE)
async def test_hostile(artifact: Artifact, tmp_path: Path, rule: str) -> None:
    """A hostile archive leaves nothing."""
    with pytest.raises(ArchiveError) as caught:
        await unpacked(artifact, tmp_path / "in", HOSTILE[rule])
    assert caught.value.rule.startswith(rule) or rule == "encrypted"
    assert entries(tmp_path / "in") == set()


async def test_destination_in_the_way(artifact: Artifact, tmp_path: Path) -> None:
    """A folder with something in it is never merged into; with replace, the new one takes its place as a whole."""
    (tmp_path / "in" / "docs").mkdir(parents=True)
    (tmp_path / "in" / "docs" / "old").write_text("old")
    with pytest.raises(DestinationExistsError):
        await unpacked(artifact, tmp_path / "in")
    assert tree(tmp_path / "in") == {"docs/old": b"old"}
    await unpacked(artifact, tmp_path / "in", replace=True)
    assert tree(tmp_path / "in" / "docs") == FILES
    assert entries(tmp_path / "in") == {"docs", ".docs.gh-artifacts.json"}


async def test_failed_replacement(artifact: Artifact, tmp_path: Path) -> None:
    """A replacement that fails leaves the old folder and its record as they were."""
    await unpacked(artifact, tmp_path / "in")
    before = tree(tmp_path / "in")
    with pytest.raises(CorruptArchiveError):
        await unpacked(artifact, tmp_path / "in", build(Entry("b", b"x" * 99, crc=1)), replace=True)
    assert tree(tmp_path / "in") == before


@pytest.mark.parametrize("what", ["file", "link", "folder", "nothing", "below a file"])
def test_check_destination(tmp_path: Path, what: str) -> None:
    """Only a folder's place can be taken by a folder."""
    place = tmp_path / "docs"
    if what == "folder":
        place.mkdir()
    if what in {"file", "below a file"}:
        place.write_text("mine")
    if what == "link":
        place.symlink_to(tmp_path)
    if what in {"file", "link"}:
        with pytest.raises(DestinationExistsError):
            check_destination(place)
        return
    check_destination(place / "below" if what == "below a file" else place)


async def test_begun_and_not_finished(artifact: Artifact, tmp_path: Path) -> None:
    """Whatever happens in the block, the staging folder is gone after it, and so are the parents that were made."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(make(FILES))
    plan = Unpacking(artifact, tmp_path / "x" / "y" / "docs", ExtractPolicy(), Emitter(), replace=False, durable=False)

    async def fail() -> None:
        async with begun(plan.extraction(audit(archive))):
            assert len(entries(tmp_path / "x" / "y")) == 2  # with its marker
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert entries(tmp_path) == {"a.zip"}


# --- events


async def test_progress(artifact: Artifact, tmp_path: Path) -> None:
    """Progress is told from nothing to all; the last event says that all is there."""
    seen = Seen()
    await unpacked(artifact, tmp_path / "in", seen=seen)
    events = seen.of(ExtractionProgress)
    assert events[-1] == ExtractionProgress(artifact=artifact, written=5001, total=5001, members_done=3, members=3)
    assert [event.members_done for event in events] == sorted(event.members_done for event in events)


async def test_progress_is_told_at_most_ten_times_a_second(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many members there are, the observer hears of them every tenth of a second, and of the last one."""
    seen = Seen()
    plan = unpacking(artifact, tmp_path, seen=seen)
    now = [0.0]
    monkeypatch.setattr(plan, "_loop", _Clock(now))
    (tmp_path / "a.zip").write_bytes(make({str(number): b"" for number in range(1000)}))
    told = plan._progress(audit(tmp_path / "a.zip"))
    for number in range(1000):
        told(0, number + 1)
        now[0] += 0.01
    assert 90 <= len(seen) <= 102
    assert seen[-1].members_done == 1000


class _Clock:
    """A loop as far as progress needs one."""

    def __init__(self, now: list[float]) -> None:
        self._now = now

    def time(self) -> float:
        return self._now[0]

    def call_soon_threadsafe(self, call: Any, *args: Any) -> None:
        call(*args)


# --- the record


async def test_record_that_cannot_get_its_name(artifact: Artifact, tmp_path: Path) -> None:
    """A folder that is in place is a success, though it cannot be skipped later."""
    (tmp_path / "in" / ".docs.gh-artifacts.json").mkdir(parents=True)
    await unpacked(artifact, tmp_path / "in")
    assert tree(tmp_path / "in") == {f"docs/{name}": data for name, data in FILES.items()}
    assert not read_folder_record(artifact, tmp_path / "in" / "docs")


async def test_folder_that_cannot_get_its_name(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the rename fails, neither folder nor record is left."""

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(unpack.Extraction, "commit", fail)
    with pytest.raises(PermissionError):
        await unpacked(artifact, tmp_path / "in")
    assert entries(tmp_path / "in") == set()


async def test_durable(artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file, every folder, the record and the folder they are in are synced."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))  # noqa: PTH115, PTH119
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    await unpacked(artifact, tmp_path / "in", durable=True)
    assert {"a.txt", "b.bin", "c", "d", "e", "in"} <= set(synced)
    assert any(name.startswith(".docs.gh-artifacts.json") for name in synced)
    assert synced[-1] == "in"
    synced.clear()
    await unpacked(artifact, tmp_path / "other")
    assert synced == []
