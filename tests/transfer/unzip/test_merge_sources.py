"""Where the bytes of a merge's artifacts are after the audit, and what the audit has cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async import CorruptArchiveError, DigestMismatchError, ExtractPolicy, MergeConflictError
from gh_artifacts_async.api import endpoints
from gh_artifacts_async.api.emitter import Emitter
from gh_artifacts_async.archive import TAIL
from gh_artifacts_async.settings import StoragePolicy
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.storage.context import TransferContext
from gh_artifacts_async.transfer.unzip.merge_sources import Auditor, Keep, Kept, Remote, of_artifact
from tests.archive.test_overlay import artifact
from tests.kits.transfer import REPO, add, parts
from tests.kits.zips import HOSTILE, entries, make, noise

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async import Artifact
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.testing import FakeGitHub
    from gh_artifacts_async.transfer.unzip.merge_sources import Source

BIG = 200_000


@pytest.fixture
async def auditor(session: GitHubSession, tmp_path: Path) -> AsyncGenerator[Auditor]:
    """An auditor that writes below the test's folder."""
    context = TransferContext(session, StoragePolicy())
    keep = Keep(tmp_path / "dist")
    yield Auditor(context, tmp_path, ExtractPolicy(), Emitter(), keep)
    keep.close()
    await context.aclose()


async def audited(auditor: Auditor, artifact_id: int) -> Source:
    """Audit an artifact as a listing gives it."""
    return await auditor.audit(await got(auditor, artifact_id))


async def got(auditor: Auditor, artifact_id: int) -> Artifact:
    """Return the artifact as a listing gives it."""
    return await endpoints.get_artifact(auditor._context.github, REPO, artifact_id)


@pytest.mark.github_com("ranges")
async def test_small(github: FakeGitHub, auditor: Auditor) -> None:
    """An archive that lies in its tail is kept."""
    data = make({"a": b"1"})
    source = await audited(auditor, add(github, archive=data))
    assert isinstance(source.where, Kept)
    assert auditor._keep.read(source.where) == data
    assert [member.name for member in source.layer.directory.members] == ["a"]
    assert auditor.bytes_fetched == len(data)
    assert source.artifact.name == "docs"


@pytest.mark.github_com("ranges")
async def test_large(github: FakeGitHub, auditor: Auditor, tmp_path: Path) -> None:
    """Of a large archive only the tail is read, and not kept; its URL can be used again."""
    it = add(github, archive=make({"a": noise(BIG)}))
    source = await audited(auditor, it)
    assert isinstance(source.where, Remote)
    assert source.where.tail is not None
    assert source.where.tail.data == b""
    assert source.where.ranged is not None
    assert source.where.ranged.unexpired_url() is not None
    assert auditor.bytes_fetched == TAIL
    github.clock.advance(3600)
    assert not entries(tmp_path)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", None])
async def test_raw(github: FakeGitHub, auditor: Auditor, content_type: str | None) -> None:
    """A single file is known by its type, its name or its first bytes, and is not audited."""
    filename = None if content_type is None else "auto"
    it = add(github, raw=("r.bin", noise(BIG)), content_type=content_type, filename=filename)
    source = await audited(auditor, it)
    assert source.layer.raw
    (member,) = source.layer.directory.members
    assert (member.name, member.size) == ("r.bin" if content_type else "docs", BIG)
    assert len(github.requests_to("storage")) == (1 if content_type else 2)


@pytest.mark.github_com("ranges")
async def test_zip_without_a_type(github: FakeGitHub, auditor: Auditor) -> None:
    """An archive that nothing but its first bytes tells is one."""
    it = add(github, archive=make({"a": noise(BIG)}), content_type=None, filename=None)
    assert not (await audited(auditor, it)).layer.raw


async def test_empty(github: FakeGitHub, auditor: Auditor, tmp_path: Path) -> None:
    """An empty file has no range; it is fetched the usual way."""
    source = await audited(auditor, add(github, raw=("empty.txt", b"")))
    assert source.layer.raw
    assert isinstance(source.where, Path)
    assert source.where.read_bytes() == b""
    auditor._keep.close()
    assert not entries(tmp_path)


@pytest.mark.github_com("digest")
async def test_wrong_digest(github: FakeGitHub, auditor: Auditor, tmp_path: Path) -> None:
    """A small archive whose digest is another is fetched the usual way, and then refused."""
    it = add(github, archive=make({"a": b"1"}), digest="sha256:" + "0" * 64)
    with pytest.raises(DigestMismatchError):
        await audited(auditor, it)
    assert not parts(tmp_path)


@pytest.mark.github_com("ranges")
async def test_left_by_an_earlier_run(github: FakeGitHub, auditor: Auditor, tmp_path: Path) -> None:
    """What an earlier run has left whole is audited on the disk, without a request; it stays for the extraction."""
    data = make({"a": noise(BIG)})
    whole, half = add(github, "whole", archive=data), add(github, "half", archive=data)
    for it, at in ((whole, len(data)), (half, len(data) // 2)):
        await _leave(github, auditor, it, at)
    assert len(parts(tmp_path)) == 2
    github.forget_requests()
    source = await audited(auditor, whole)
    assert isinstance(source.where, Remote)
    assert source.where.ranged is None
    assert not github.requests_to("storage")
    assert auditor.bytes_fetched == 0
    await audited(auditor, half)
    assert len(github.requests_to("storage", half)) == 1
    assert len(parts(tmp_path)) == 2


async def _leave(github: FakeGitHub, auditor: Auditor, artifact_id: int, size: int) -> None:
    """Leave a part file of so many bytes, as a process does whose connection fails."""
    artifact, data = await got(auditor, artifact_id), github.content(artifact_id)
    part = PartFile.for_artifact(artifact, auditor._folder)
    part.start(etag=github.artifact(artifact_id).etag, total=len(data), content_type="application/zip")
    part.append([data[:size]])
    part.release(resumable=True)


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("ranges", [True, False])
async def test_hostile(github: FakeGitHub, auditor: Auditor, kind: str, *, ranges: bool) -> None:
    """A refused archive names its artifact, however it was read."""
    if not ranges:
        github.faults.ignore_range(times=None)
    if kind in {"crc", "size"}:
        return  # seen only when its data is read
    with pytest.raises(Exception, match=r'^artifact "docs" \(\d+\): ') as caught:
        await audited(auditor, add(github, archive=HOSTILE[kind]))
    assert getattr(caught.value, "rule", "")


def test_of_artifact() -> None:
    """The error keeps its class and its fields; a conflict, which names two artifacts, stays as it is."""
    error = of_artifact(artifact(7), CorruptArchiveError("it is damaged", member="m", rule="crc"))
    assert isinstance(error, CorruptArchiveError)
    assert (str(error), error.member, error.rule) == ('artifact "art-7" (7): it is damaged', "m", "crc")
    clash = MergeConflictError(path="p")
    assert of_artifact(artifact(7), clash) is clash


async def test_parents_that_are_not_used(tmp_path: Path) -> None:
    """Folders that were created for whole archives go again, unless something is in them."""
    keep = Keep(tmp_path / "a" / "b" / "dist")
    keep.make_folder(tmp_path / "a" / "b")
    keep.make_folder(tmp_path / "a" / "b")
    keep.place(artifact(1)).write_bytes(b"x")
    (tmp_path / "a" / "mine").touch()
    keep.close()
    assert entries(tmp_path / "a") == {"mine"}


async def test_keep(tmp_path: Path) -> None:
    """The folder for whole archives is beside the destination, and gone with the end; nothing kept, nothing created."""
    keep = Keep(tmp_path / "dist")
    keep.close()
    assert not entries(tmp_path)
    keep = Keep(tmp_path / "dist")
    places = [keep.add(b"one"), keep.add(b""), keep.add(b"three")]
    assert [keep.read(place) for place in places] == [b"one", b"", b"three"]
    keep.place(artifact(1)).write_bytes(b"x")
    assert keep.place(artifact(2)).parent == keep.place(artifact(1)).parent
    assert len(entries(tmp_path)) == 2
    keep.close()
    assert not entries(tmp_path)
