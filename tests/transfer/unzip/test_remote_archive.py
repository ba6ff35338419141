"""Archives that stay with their storage: listing, reading and unpacking members by ranges."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gh_artifacts_async import (
    ArchiveError,
    ArchiveLimitError,
    ArtifactExpiredError,
    ArtifactRef,
    ArtifactsClient,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    CorruptArchiveError,
    DestinationExistsError,
    DigestMismatchError,
    ExtractPolicy,
    MemberNotFoundError,
    OutOfSpaceError,
    StorageError,
    UnsafeMemberError,
)
from gh_artifacts_async.archive import TAIL
from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.transfer.storage import range_reader
from gh_artifacts_async.transfer.unzip.remote_archive import RemoteFile, open_contents
from tests.kits.archives import Entry, build
from tests.kits.remote import ARCHIVE, FILES, PLACES, opened
from tests.kits.transfer import ONE_TRY, REPO, add, client_for, get
from tests.kits.zips import HOSTILE, MIB, entries, make, noise, tree
from tests.transfer.test_cancel import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gh_artifacts_async.testing import Faults

    Script = Callable[[Faults, int], object]


# --- listing and reading


@pytest.mark.github_com("ranges")
async def test_members(github: FakeGitHub) -> None:
    """Opening costs one request, of the tail by an absolute range, and lists what zipfile lists."""
    artifact_id = add(github, archive=ARCHIVE)
    async with opened(github, artifact_id) as archive:
        with zipfile.ZipFile(io.BytesIO(ARCHIVE)) as other:
            assert [(member.name, member.size, member.crc32) for member in archive.members] == [
                (info.filename, info.file_size, info.CRC) for info in other.infolist()
            ]
        assert archive.ranged
        assert (archive.requests, archive.bytes_fetched) == (1, TAIL)
        assert repr(archive) == f"RemoteArchive('docs', 6 members, {TAIL} bytes fetched)"
        assert archive.artifact.id == artifact_id
    (request,) = github.requests_to("storage")
    assert request.headers["Range"] == f"bytes={len(ARCHIVE) - TAIL}-{len(ARCHIVE) - 1}"


@pytest.mark.github_com("ranges")
async def test_read(github: FakeGitHub) -> None:
    """Every file reads as it is, with one more request each, of the same identity; one in the tail needs none."""
    artifact_id = add(github, archive=ARCHIVE)
    async with opened(github, artifact_id) as archive:
        for number, (name, data) in enumerate(FILES.items(), 2):
            assert await archive.read(name) == data
            assert archive.requests == min(number, 6)
    first, *others = github.requests_to("storage")
    assert "If-Match" not in first.headers
    assert {request.headers["If-Match"] for request in others} == {github.artifact(artifact_id).etag}
    assert all(request.status == 206 for request in (first, *others))


@pytest.mark.github_com("ranges")
async def test_one_member_of_a_large_archive(github: FakeGitHub, client: ArtifactsClient) -> None:
    """Two requests, and no more bytes than the member, the directory and 67 KB."""
    wanted = noise(MIB, 1)
    artifact_id = add(github, archive=make({"a": noise(9 * MIB), "wanted": wanted, "z": noise(9 * MIB, 2)}))
    assert await client.read_member(ArtifactRef(REPO, artifact_id), "wanted") == wanted
    assert len(github.requests_to("storage", artifact_id)) == 2
    assert github.bytes_sent(artifact_id) <= MIB + 3 * 60 + 67_000


async def test_reads_at_once(github: FakeGitHub) -> None:
    """One open archive serves several tasks."""
    artifact_id = add(github, archive=ARCHIVE)
    async with opened(github, artifact_id) as archive:
        assert await asyncio.gather(*map(archive.read, FILES)) == list(FILES.values())


@pytest.mark.github_com("ranges")
async def test_small_archive(github: FakeGitHub, tmp_path: Path) -> None:
    """One that lies in the tail as a whole costs one request, whatever is done with it."""
    files = {"a": b"1" * 99, "d/b": noise(5000)}
    artifact_id = add(github, archive=make(files))
    async with opened(github, artifact_id) as archive:
        assert {name: await archive.read(name) for name in files} == files
        await archive.extract(files, tmp_path / "out")
        assert (archive.requests, archive.bytes_fetched) == (1, len(github.content(artifact_id)))
    assert tree(tmp_path / "out") == files


async def test_empty_archive(github: FakeGitHub, tmp_path: Path) -> None:
    """An archive of nothing has no members; nothing of it can be unpacked."""
    artifact_id = add(github, archive=make({}))
    async with opened(github, artifact_id) as archive:
        assert archive.members == ()
        assert await archive.extract([], tmp_path / "out") == []
        with pytest.raises(MemberNotFoundError):
            await archive.read("a")
    assert entries(tmp_path / "out") == set()


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(("name", "what"), [("no", "is not in"), ("D/one.bin", "is not in"), ("d/", "is a folder")])
async def test_no_such_file(github: FakeGitHub, name: str, what: str) -> None:
    """A name is taken exactly; a folder is no file. Nothing is asked for."""
    artifact_id = add(github, archive=make({"d/": b"", **FILES}))
    async with opened(github, artifact_id) as archive:
        with pytest.raises(MemberNotFoundError, match=what) as caught:
            await archive.read(name)
        assert caught.value.member == name
        assert isinstance(caught.value, KeyError)
        assert archive.requests == 1


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
async def test_max_bytes(github: FakeGitHub, client: ArtifactsClient, method: int) -> None:
    """A file that unpacks to more than is wanted is refused before it is fetched."""
    artifact = await get(client, add(github, archive=make({"zeros": bytes(200_000), "pad": noise(80_000)}, method)))
    with pytest.raises(ArchiveLimitError) as caught:
        await client.read_member(artifact, "zeros", max_bytes=199_999)
    assert (caught.value.limit, caught.value.value, caught.value.member) == ("max_bytes", 200_000, "zeros")
    assert len(github.requests_to("storage")) == 1
    assert await client.read_member(artifact, "zeros", max_bytes=200_000) == bytes(200_000)


async def test_stored_data_that_is_larger_than_it_says(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A file of little that takes much is refused too: its compressed bytes would be in memory."""
    liar = Entry("liar", b"", packed=noise(90_000), method=8, size=5)
    artifact = await get(client, add(github, archive=build(liar, Entry("pad", noise(80_000)))))
    with pytest.raises(ArchiveLimitError):
        await client.read_member(artifact, "liar", max_bytes=80_000)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
async def test_like_zipfile(data: st.DataObject) -> None:
    """Any files, any of them, in any order: what is read and unpacked remotely is what zipfile reads."""
    sizes = data.draw(st.lists(st.integers(0, 90_000), min_size=1, max_size=7))
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    content = make(
        {f"{'d/' * (at % 3)}{at}": noise(size, at)[: size // 2] * 2 for at, size in enumerate(sizes)}, method
    )
    with zipfile.ZipFile(io.BytesIO(content)) as other:
        expected = {name: other.read(name) for name in other.namelist()}
    chosen = data.draw(st.lists(st.sampled_from(sorted(expected)), unique=True))
    with tempfile.TemporaryDirectory() as folder:
        async with FakeGitHub() as github, opened(github, add(github, archive=content)) as archive:
            for name in chosen:
                assert await archive.read(name) == expected[name]
            found = await archive.extract(chosen, Path(folder) / "out")
        assert tree(Path(folder) / "out") == {name: expected[name] for name in chosen}
        assert {member.name: member.size for member in found} == {name: len(expected[name]) for name in chosen}


@pytest.mark.github_com("ranges")
async def test_read_many(github: FakeGitHub) -> None:
    """Several files are read at once, by name and in the archive's order; those that lie together by one request."""
    artifact_id = add(github, archive=ARCHIVE)
    async with opened(github, artifact_id) as archive:
        found = await archive.read_many(["last.txt", "d/", "report.txt"])
        assert list(found.items()) == [(name, FILES[name]) for name in FILES if name in found]
        assert set(found) == {"report.txt", "d/one.bin", "d/deep/two.bin", "last.txt"}
        assert archive.requests == 2
        assert await archive.read_many("e/three.bin") == {"e/three.bin": FILES["e/three.bin"]}
        assert await archive.read_many([]) == {}
        assert archive.requests == 3


async def test_read_many_within_a_limit(github: FakeGitHub, temporary: Path) -> None:
    """More than the limit, all together, is refused; what fits without its compressed bytes uses a temporary file."""
    artifact_id = add(github, archive=ARCHIVE)
    async with opened(github, artifact_id) as archive:
        with pytest.raises(ArchiveLimitError, match="these 2 files have 240000 bytes") as caught:
            await archive.read_many(["d/"], max_bytes=239_999)
        assert (caught.value.limit, caught.value.value) == ("max_bytes", 240_000)
        assert await archive.read_many(["d/"], max_bytes=240_000) == {
            name: FILES[name] for name in FILES if "d/" in name
        }
        with pytest.raises(MemberNotFoundError):
            await archive.read_many(["d/one.bin", "no"])
    assert not any(temporary.iterdir())
    with pytest.raises(ClientClosedError):
        await archive.read_many(["d/"], max_bytes=240_000)


# --- unpacking


async def test_extract(github: FakeGitHub, tmp_path: Path, temporary: Path) -> None:
    """Chosen files appear in a new folder, in the archive's order; neighbours are fetched together."""
    artifact_id = add(github, archive=ARCHIVE)
    async with opened(github, artifact_id) as archive:
        found = await archive.extract(["last.txt", "d/"], tmp_path / "new" / "out")
        assert archive.requests == 2  # the tail, and both files of d in one
        assert [member.name for member in found] == ["d/one.bin", "d/deep/two.bin", "last.txt"]
        assert all(member.path.read_bytes() == FILES[member.name] for member in found)
    assert tree(tmp_path / "new" / "out") == {member.name: FILES[member.name] for member in found}
    assert entries(tmp_path / "new") == {"out"}
    assert not any(temporary.iterdir())


@pytest.mark.github_com("ranges")
async def test_gaps(github: FakeGitHub, tmp_path: Path) -> None:
    """A small gap between two files is fetched along; around a large one there are two requests."""
    files = {"a": noise(70_000), "small": noise(60_000), "b": noise(70_000), "large": noise(99_000), "c": noise(80_000)}
    artifact_id = add(github, archive=make({**files, "pad": noise(80_000)}))
    async with opened(github, artifact_id) as archive:
        await archive.extract(["a", "b", "c"], tmp_path / "out")
        assert archive.requests == 3
        assert archive.bytes_fetched < TAIL + 4 * 70_000 + 10_000 + 500
    assert tree(tmp_path / "out") == {name: files[name] for name in "abc"}


async def test_extract_across_the_tail(github: FakeGitHub, tmp_path: Path) -> None:
    """What of a file lies in the tail is not fetched again."""
    files = {"a": noise(200_000, 1), "across": noise(90_000, 2), "in": noise(9000, 3)}
    artifact_id = add(github, archive=make(files))
    async with opened(github, artifact_id) as archive:
        assert await archive.read("across") == files["across"]
        await archive.extract(files, tmp_path / "out")
        assert archive.bytes_fetched < len(github.content(artifact_id)) + 90_000 - (TAIL - 10_000) + 500
    assert tree(tmp_path / "out") == files


async def test_one_name(github: FakeGitHub, tmp_path: Path) -> None:
    """A single name is one name, not its letters."""
    async with opened(github, add(github, archive=ARCHIVE)) as archive:
        assert [member.name for member in await archive.extract("far.bin", tmp_path / "out")] == ["far.bin"]


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("names", [["no"], ["d"], ["no/"], ["last.txt", "D/"]])
async def test_extract_of_what_is_not_there(github: FakeGitHub, tmp_path: Path, names: list[str]) -> None:
    """One wrong name and nothing is fetched or made."""
    async with opened(github, add(github, archive=ARCHIVE)) as archive:
        with pytest.raises(MemberNotFoundError):
            await archive.extract(names, tmp_path / "out")
        assert archive.requests == 1
    assert not any(tmp_path.iterdir())


@pytest.mark.github_com("ranges")
async def test_extract_to_a_taken_place(github: FakeGitHub, tmp_path: Path) -> None:
    """A folder that is not empty, and a file, stay as they are, and nothing is fetched; an empty folder is taken."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    async with opened(github, add(github, archive=ARCHIVE)) as archive:
        for place in ("full", "file", "file/below"):
            with pytest.raises(DestinationExistsError):
                await archive.extract(["far.bin"], tmp_path / place)
        assert archive.requests == 1
        await archive.extract(["far.bin"], tmp_path / "empty")
    assert set(tree(tmp_path)) == {"full/mine", "file", "empty/far.bin"}


async def test_extract_here(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder itself can be the place."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    async with opened(github, add(github, archive=ARCHIVE)) as archive:
        await archive.extract(["far.bin"], ".")
    assert set(tree(tmp_path)) == {"here/far.bin"}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("writes", ["temporary", "files"])
async def test_extract_on_a_full_disk(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: str
) -> None:
    """A full disk is OutOfSpaceError, wherever it is met, and leaves nothing."""
    real, calls = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if sum(calls) > (0 if writes == "temporary" else 150_000 + 99_000):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    async with opened(github, add(github, archive=ARCHIVE)) as archive:
        monkeypatch.setattr(range_reader.os, "write", full)
        with pytest.raises(OutOfSpaceError):
            await archive.extract(["d/one.bin"], tmp_path / "new" / "out")
        monkeypatch.undo()
    assert not any(tmp_path.iterdir())


# --- archives that are not what they should be


@pytest.mark.parametrize("rule", HOSTILE)
async def test_hostile(github: FakeGitHub, tmp_path: Path, rule: str) -> None:
    """A hostile archive is refused when it is opened or, where only local bytes lie, when they are read."""
    artifact_id = add(github, archive=HOSTILE[rule])
    with pytest.raises(ArchiveError) as caught:
        async with opened(github, artifact_id) as archive:
            await archive.extract([member.name for member in archive.members], tmp_path / "out")
    assert caught.value.rule.startswith(rule) or rule == "encrypted"
    assert not any(tmp_path.iterdir())


async def test_policy(github: FakeGitHub) -> None:
    """The policy counts here as for a download."""
    artifact_id = add(github, archive=make({"a": b"1", "b": b"2"}))
    with pytest.raises(ArchiveLimitError):
        async with opened(github, artifact_id, policy=ExtractPolicy(max_members=1)):
            pytest.fail("it is not open")
    twins = add(github, archive=make({"a": b"1", "A": b"2"}))
    async with opened(github, twins) as archive:
        assert await archive.read("A") == b"2"
    with pytest.raises(UnsafeMemberError):
        async with opened(github, twins, policy=ExtractPolicy(names="portable")):
            pytest.fail("it is not open")


async def test_expired_artifact(github: FakeGitHub) -> None:
    """Its bytes are gone."""
    with pytest.raises(ArtifactExpiredError):
        async with opened(github, add(github, archive=ARCHIVE, expired=True)):
            pytest.fail("it is not open")


async def test_no_token(github: FakeGitHub) -> None:
    """Bytes need a token: an error before any request of them."""
    artifact_id = add(github, archive=ARCHIVE)
    async with client_for(github, token=None) as client:
        with pytest.raises(ConfigurationError):
            await client.read_member(ArtifactRef(REPO, artifact_id), "far.bin")
    assert not github.requests


# --- faults

AT_ONE_MEMBER: dict[str, Script] = {
    "cut": lambda faults, it: faults.cut(it, at=PLACES["d/one.bin"] + 500),
    "reset": lambda faults, it: faults.reset(it, at=PLACES["d/one.bin"] + 500),
    "stall": lambda faults, it: faults.stall(it, at=PLACES["d/one.bin"] + 500),
    "expired": lambda faults, it: [faults.pass_by(it), faults.expire_url(it)],
    "503": lambda faults, it: [faults.pass_by(it), faults.status(it, 503, times=3)],
    "another place": lambda faults, it: [faults.pass_by(it), faults.wrong_content_range(it)],
    "cut in the tail": lambda faults, it: faults.cut(it, at=len(ARCHIVE) - 99),
    "expired at once": lambda faults, it: faults.expire_url(it),
    "503 at once": lambda faults, it: faults.status(it, 503, times=3),
    "another place at once": lambda faults, it: faults.wrong_content_range(it),
    "whole once, later": lambda faults, it: [faults.pass_by(it), faults.ignore_range(it)],
}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("fault", AT_ONE_MEMBER)
async def test_mended(github: FakeGitHub, tmp_path: Path, fault: str) -> None:
    """What another try mends costs more requests and nothing else."""
    artifact_id = add(github, archive=ARCHIVE)
    AT_ONE_MEMBER[fault](github.faults, artifact_id)
    async with opened(github, artifact_id) as archive:
        assert await archive.read("d/one.bin") == FILES["d/one.bin"]
        assert not github.faults.pending
        assert archive.ranged
        assert archive.requests == len(github.requests_to("storage"))
        await archive.extract(["d/one.bin"], tmp_path / "out")
    assert tree(tmp_path / "out") == {"d/one.bin": FILES["d/one.bin"]}


LOST: dict[str, tuple[Script, type[Exception]]] = {
    "changed": (lambda faults, it: [faults.pass_by(it), faults.change_etag(it)], StorageError),
    "other bytes": (lambda faults, it: [faults.pass_by(it), faults.change_etag(it, 500_000)], StorageError),
    "cut for ever": (
        lambda faults, it: faults.cut(it, at=PLACES["d/one.bin"] + 500, times=None),
        ConnectionFailedError,
    ),
    "damaged data": (lambda faults, it: faults.corrupt(it, at=PLACES["d/one.bin"] + 500), CorruptArchiveError),
    "damaged local header": (lambda faults, it: faults.corrupt(it, at=PLACES["d/one.bin"] + 32), CorruptArchiveError),
    "damaged descriptor": (lambda faults, it: faults.corrupt(it, at=PLACES["d/one.bin"] + 16), CorruptArchiveError),
    "damaged name in the directory": (
        lambda faults, it: faults.corrupt(it, at=ARCHIVE.rindex(b"d/one.bin") + 3),
        ArchiveError,
    ),
    "damaged end": (lambda faults, it: faults.corrupt(it, at=len(ARCHIVE) - 20), CorruptArchiveError),
    "404": (lambda faults, it: [faults.pass_by(it), faults.status(it, 404)], StorageError),
}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("extracts", [False, True])
async def test_lost(github: FakeGitHub, tmp_path: Path, temporary: Path, fault: str, *, extracts: bool) -> None:
    """What no try mends is an error, and nothing is left of it on disk."""
    script, kind = LOST[fault]
    artifact_id = add(github, archive=ARCHIVE)
    script(github.faults, artifact_id)
    with pytest.raises(kind):
        async with opened(github, artifact_id) as archive:
            await (archive.extract(["d/one.bin"], tmp_path / "out") if extracts else archive.read("d/one.bin"))
    assert entries(tmp_path) == {"temporary"}
    assert not any(temporary.iterdir())


# --- storage without ranges


@pytest.mark.parametrize("how", ["v3", "ignored", "nonsense", "no total"])
async def test_whole_instead(tmp_path: Path, temporary: Path, how: str) -> None:
    """Where ranges are not honoured, the whole is fetched once into a temporary file, and the counters say so."""
    async with FakeGitHub(profile="ghes-3.8" if how == "v3" else "github.com") as github:
        artifact_id = add(github, **({"files": FILES} if how == "v3" else {"archive": ARCHIVE}))
        if how == "ignored":
            github.faults.ignore_range(artifact_id, times=None)
        if how == "nonsense":
            github.faults.wrong_content_range(artifact_id, times=None)
        if how == "no total":
            github.faults.status(artifact_id, 416)
        async with opened(github, artifact_id) as archive:
            assert not archive.ranged
            assert {name: await archive.read(name) for name in FILES} == FILES
            await archive.extract(["d/"], tmp_path / "out")
            assert archive.requests == len(github.requests_to("storage"))
            assert archive.bytes_fetched == archive.directory.size
            assert len(entries(temporary)) == 1
        assert set(tree(tmp_path / "out")) == {"d/one.bin", "d/deep/two.bin"}
        assert not any(temporary.iterdir())


@pytest.mark.github_com("ranges")
async def test_whole_instead_counts_what_was_sent_twice(github: FakeGitHub) -> None:
    """A whole that had to be fetched twice is counted twice."""
    artifact_id = add(github, archive=ARCHIVE)
    github.faults.ignore_range(artifact_id, times=None)
    github.faults.pass_by(artifact_id)
    github.faults.corrupt(artifact_id)
    async with opened(github, artifact_id) as archive:
        assert archive.requests == 3
        assert archive.bytes_fetched == 2 * len(ARCHIVE)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("extracts", [False, True])
async def test_ranges_that_end(github: FakeGitHub, tmp_path: Path, temporary: Path, *, extracts: bool) -> None:
    """Storage that gives ranges at first and later none is asked for the whole then, once for all that wait for it."""
    artifact_id = add(github, archive=ARCHIVE)
    github.faults.pass_by(artifact_id)
    github.faults.ignore_range(artifact_id, times=1 if extracts else 2)
    async with opened(github, artifact_id, retry=ONE_TRY) as archive:
        if extracts:
            await archive.extract(["d/"], tmp_path / "out")
            assert set(tree(tmp_path / "out")) == {"d/one.bin", "d/deep/two.bin"}
        else:
            found = await asyncio.gather(archive.read("d/one.bin"), archive.read("far.bin"))
            assert tuple(found) == (FILES["d/one.bin"], FILES["far.bin"])
        assert not archive.ranged
        assert sum("Range" not in request.headers for request in github.requests_to("storage")) == 1
        assert await archive.read("report.txt") == FILES["report.txt"]
        assert archive.bytes_fetched == TAIL + len(ARCHIVE)
    assert not any(temporary.iterdir())


@pytest.mark.github_com("ranges")
async def test_ranges_that_end_and_other_bytes(github: FakeGitHub, temporary: Path) -> None:
    """What comes instead must be what was listed."""
    artifact_id = add(github, archive=ARCHIVE, digest=None)
    github.faults.pass_by(artifact_id)
    github.faults.ignore_range(artifact_id, times=6)
    github.faults.change_etag(artifact_id, make({"other": b"1"}))
    async with opened(github, artifact_id) as archive:
        with pytest.raises(StorageError, match="has changed"):
            await archive.read("d/one.bin")
    assert not any(temporary.iterdir())


@pytest.mark.github_com("ranges")
async def test_whole_that_is_wrong(github: FakeGitHub, temporary: Path) -> None:
    """The whole is verified by its digest before anything of it is used."""
    artifact_id = add(github, archive=ARCHIVE)
    github.faults.ignore_range(artifact_id, times=None)
    github.faults.corrupt(artifact_id, times=None)
    with pytest.raises(DigestMismatchError):
        async with opened(github, artifact_id):
            pytest.fail("it is not open")
    assert not any(temporary.iterdir())


# --- afterwards


@pytest.mark.parametrize("ranged", [True, False])
async def test_closed(github: FakeGitHub, tmp_path: Path, *, ranged: bool) -> None:
    """Outside of its block an archive can still be looked at, but no bytes come from it any more."""
    artifact_id = add(github, archive=ARCHIVE)
    if not ranged:
        github.faults.ignore_range(artifact_id, times=None)
    async with opened(github, artifact_id) as archive:
        pass
    assert len(archive.members) == 6
    for use in (archive.read("last.txt"), archive.extract(["last.txt"], tmp_path / "out")):
        with pytest.raises(ClientClosedError):
            await use
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("ranged", [True, False])
async def test_cancelled(github: FakeGitHub, tmp_path: Path, temporary: Path, *, ranged: bool, twice: bool) -> None:
    """Cancelled wherever it waits, it leaves no task, no thread at work, no staging folder and no file."""
    artifact_id = add(github, archive=ARCHIVE)
    async with client_for(github, retry=ONE_TRY) as client:
        artifact = await get(client, artifact_id)

        async def work(folder: Path) -> None:
            async with client.open_archive(artifact) as archive:
                assert await archive.read("far.bin") == FILES["far.bin"]
                await archive.extract(["d/", "report.txt"], folder / "out")

        async def make(number: int) -> Coroutine[Any, Any, Any]:
            github.faults.clear()
            if not ranged:
                github.faults.ignore_range(artifact_id, times=None)
            return work(tmp_path / str(number))

        def check(number: int) -> None:
            assert not any(temporary.iterdir())
            folder = tmp_path / str(number)
            assert entries(folder) <= {"out"}
            if folder.exists():
                assert len(tree(folder / "out")) == 3

        assert await sweep(make, check, twice=twice) >= 10


# --- ranges of files that are stored without compression

STORED = {"first.bin": noise(300_000, 1), "second.bin": noise(200_000, 2), "small.txt": b"all is well\n", "empty": b""}


def described(files: dict[str, bytes]) -> bytes:
    """Return an archive of stored files as a writer makes it that cannot seek: with data descriptors."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:  # type: ignore[call-overload]  # it has no mode, as a pipe has none
        for name, data in files.items():
            archive.writestr(name, data)
    return bytes(pipe.data)


@pytest.mark.parametrize("archive", [make(STORED), described(STORED)], ids=["plain", "descriptors"])
async def test_read_range(github: FakeGitHub, archive: bytes) -> None:
    """A range of a stored file is what the file has there, as far as it goes."""
    artifact_id = add(github, archive=archive)
    async with opened(github, artifact_id) as remote:
        for name, data in STORED.items():
            size = len(data)
            for start, end in [(0, 10), (5, 6), (0, size), (size - 3, size), (size // 2, size + 99), (size, size + 1)]:
                assert await remote.read_range(name, max(0, start), end) == data[max(0, start) : end], (name, start)
        assert await remote.read_range("first.bin", 9, 9) == b""
        assert await remote.read_range("first.bin", 9, 3) == b""


@pytest.mark.github_com("ranges")
async def test_requests_of_ranges(github: FakeGitHub) -> None:
    """A file's first range costs one request more only if it is far from its header; later ones cost one each."""
    artifact_id = add(github, archive=make(STORED))
    async with opened(github, artifact_id) as archive:
        before = archive.bytes_fetched
        assert await archive.read_range("first.bin", 100, 200) == STORED["first.bin"][100:200]
        assert archive.requests == 2
        assert archive.bytes_fetched - before == 30 + len("first.bin") + 200
        assert await archive.read_range("first.bin", 250_000, 250_010) == STORED["first.bin"][250_000:250_010]
        assert archive.requests == 3
        assert await archive.read_range("second.bin", 100_000, 100_010) == STORED["second.bin"][100_000:100_010]
        assert archive.requests == 5
        assert await archive.read_range("small.txt", 4, 6) == b"is"  # in the tail
        assert archive.requests == 5


@pytest.mark.github_com("ranges")
async def test_ranges_at_once(github: FakeGitHub) -> None:
    """Ranges of one file that are read at once check its header once."""
    artifact_id = add(github, archive=make(STORED))
    async with opened(github, artifact_id) as archive:
        starts = range(70_000, 110_000, 10_000)
        found = await asyncio.gather(*(archive.read_range("first.bin", at, at + 10) for at in starts))
        assert found == [STORED["first.bin"][at : at + 10] for at in starts]
        assert archive.requests == 1 + 1 + len(starts)


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(
    ("start", "name", "fault"),
    [(0, "first.bin", "name"), (100_000, "first.bin", "name"), (0, "first.bin", "crc"), (7, "second.bin", "whole")],
)
async def test_a_range_of_a_damaged_file(github: FakeGitHub, start: int, name: str, fault: str) -> None:
    """A local header that contradicts the directory is an error before any byte; the whole is checked by its CRC."""
    data = bytearray(make(STORED))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as whole:
        at = whole.getinfo(name).header_offset
    data[at + {"name": 30, "crc": 14, "whole": 30 + len(name) + 150_000}[fault]] ^= 1
    artifact_id = add(github, archive=bytes(data))
    async with opened(github, artifact_id) as archive:
        if fault == "whole":
            assert await archive.read_range(name, start, 100) == STORED[name][start:100]
            start = 0
        with pytest.raises(CorruptArchiveError):
            await archive.read_range(name, start, start + 10 if fault != "whole" else 10**6)


async def test_ranges_that_cannot_be_read(github: FakeGitHub) -> None:
    """Of a compressed file, a folder, a name that is not there, and from before the start."""
    artifact_id = add(github, archive=ARCHIVE)
    async with opened(github, artifact_id) as archive:
        with pytest.raises(ConfigurationError, match=r"'report\.txt' is compressed: its ranges"):
            await archive.read_range("report.txt", 0, 10)
        with pytest.raises(MemberNotFoundError):
            await archive.read_range("nowhere", 0, 10)
    artifact_id = add(github, archive=make(STORED))
    async with opened(github, artifact_id) as archive:
        with pytest.raises(ConfigurationError, match="start must be an offset of 0 or more, not -1"):
            await archive.read_range("first.bin", -1, 10)


@pytest.mark.parametrize("how", ["ignored", "ended"])
async def test_ranges_from_storage_without_ranges(github: FakeGitHub, how: str) -> None:
    """Where storage does not serve ranges, or no longer does, they are those of the whole, fetched once."""
    artifact_id = add(github, archive=make(STORED))
    if how == "ignored":
        github.faults.ignore_range(artifact_id, times=None)
    async with opened(github, artifact_id, retry=ONE_TRY) as archive:
        if how == "ended":
            github.faults.ignore_range(artifact_id, times=None)
        assert await archive.read_range("first.bin", 100_000, 100_010) == STORED["first.bin"][100_000:100_010]
        assert await archive.read_range("second.bin", 0, 10) == STORED["second.bin"][:10]
        assert not archive.ranged


@pytest.mark.github_com("ranges")
async def test_ranges_of_a_single_file(github: FakeGitHub, client: ArtifactsClient) -> None:
    """A file that was uploaded without zipping is read by ranges, too; as a whole, it is verified."""
    data = noise(200_000, 3)
    artifact_id = add(github, raw=("data.bin", data))
    async with open_contents(client._transfers(), await get(client, artifact_id), ExtractPolicy()) as file:
        assert isinstance(file, RemoteFile)
        for start, end in [(0, 10), (150_000, 150_010), (199_000, 300_000), (9, 3), (0, 300_000)]:
            assert await file.read_range(start, end) == data[start:end]
        with pytest.raises(ConfigurationError, match="start must be"):
            await file.read_range(-1, 3)
    github.faults.corrupt(artifact_id, at=5, times=None)
    async with open_contents(client._transfers(), await get(client, artifact_id), ExtractPolicy()) as file:
        assert isinstance(file, RemoteFile)
        with pytest.raises(DigestMismatchError):
            await file.read_range(0, 200_000)
