"""Downloads that are unpacked: where they go, what is there already, what is left of a failure; one and many."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArchiveError,
    ArchiveLimitError,
    ArtifactRef,
    ArtifactsClient,
    ConfigurationError,
    ConnectionFailedError,
    DestinationExistsError,
    ExtractionProgress,
    ExtractPolicy,
    OutOfSpaceError,
    TransferFinished,
    TransferVerified,
    UnsafeMemberError,
)
from gh_artifacts_async.archive import extraction
from gh_artifacts_async.testing import FakeGitHub
from tests.kits.transfer import ONE_TRY, REPO, Seen, add, client_for, fetch, get, names
from tests.kits.zips import HOSTILE, MIB, SEVERAL, SEVERAL_ZIP, entries, make, noise, tree
from tests.transfer.test_cancel import sweep

if TYPE_CHECKING:
    from collections.abc import Coroutine

FILES = {"a.txt": b"1\n", "d/b.bin": noise(5000), "d/e/c": b""}
ARCHIVE = make({"empty/": b"", **FILES})
RECORD = ".docs.gh-artifacts.json"
ROOT = Path(__file__).parents[2]


# --- where it goes


@pytest.mark.github_com("digest")
async def test_result(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A zip becomes a folder of the artifact's name; the result says what is in it."""
    artifact = await get(client, add(github, archive=ARCHIVE))
    seen = Seen()
    result = await client.download(artifact, tmp_path / "new" / "in", extract=True, observer=seen)
    assert result.path == tmp_path / "new" / "in" / "docs"
    assert tree(result.path) == FILES
    assert (result.path / "empty").is_dir()
    assert result.members is not None
    assert {member.name: (member.size, member.path) for member in result.members} == {
        name: (len(data), result.path / name) for name, data in FILES.items()
    }
    assert (result.size, result.digest, result.verified) == (len(ARCHIVE), artifact.digest, "digest")
    assert (result.skipped, result.artifact) == (False, artifact)
    assert entries(tmp_path / "new" / "in") == {"docs", RECORD}
    assert [type(event) for event in seen][-1] is TransferFinished
    assert seen.of(TransferFinished)[0].path == result.path
    assert seen.of(TransferVerified)


async def test_raw_stays_as_it_is(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A file that was uploaded as it is is left as it is, small or large; nothing is unpacked and nothing recorded."""
    for name, data in (("log.txt", b"all is well"), ("image.iso", noise(5 * MIB))):
        result = await fetch(client, add(github, name, raw=(name, data)), tmp_path, extract=True)
        assert result.path == tmp_path / name
        assert result.path.read_bytes() == data
        assert result.members is None
    assert names(tmp_path) == {"log.txt", "image.iso"}


async def test_raw_zip_stays_as_it_is(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A raw file that happens to have an archive's form is a raw file; its members are no matter of ours."""
    content = make({"../evil": b"x", "pad": noise(5 * MIB)})
    result = await fetch(client, add(github, raw=("book.epub", content)), tmp_path, extract=True)
    assert result.path.read_bytes() == content
    assert names(tmp_path) == {"book.epub"}


@pytest.mark.parametrize(("name", "folder"), [("a.zip", "a.zip"), ("..", "_"), ("a/b", "a_b"), ("x" * 300, None)])
async def test_names(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, name: str, folder: str | None
) -> None:
    """An artifact's name is made a safe folder's name, and never obeyed."""
    result = await fetch(client, add(github, name, archive=ARCHIVE), tmp_path / "in", extract=True)
    assert tree(result.path) == FILES
    assert result.path.parent == tmp_path / "in"
    assert folder is None or result.path.name.startswith(folder)
    assert entries(tmp_path) == {"in"}


async def test_filename(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A name that the caller gives is the folder's."""
    result = await fetch(client, add(github, archive=ARCHIVE), tmp_path, extract=True, filename="mine")
    assert result.path == tmp_path / "mine"
    assert entries(tmp_path) == {"mine", ".mine.gh-artifacts.json"}


async def test_empty_archive(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An archive of nothing is an empty folder."""
    result = await fetch(client, add(github, archive=make({})), tmp_path, extract=True)
    assert result.members == ()
    assert entries(result.path) == set()
    again = await fetch(client, result.artifact.id, tmp_path, extract=True, if_exists="skip")
    assert again.skipped


@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_old_enterprise_server(tmp_path: Path, *, large: bool) -> None:
    """Without ranges, digest, length and ETag an archive is unpacked when it is there, and is known again later."""
    files = SEVERAL if large else FILES
    async with FakeGitHub(profile="ghes-3.8") as github, client_for(github) as client:
        artifact_id = add(github, files=files)
        result = await fetch(client, artifact_id, tmp_path, extract=True)
        assert tree(result.path) == files
        assert result.verified == "none"
        github.forget_requests()
        again = await fetch(client, artifact_id, tmp_path, extract=True, if_exists="skip")
        assert again.skipped
        assert not github.requests_to("storage")


async def test_without_content_type(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Where storage does not say what it is, the first bytes do."""
    result = await fetch(client, add(github, archive=ARCHIVE, content_type=None), tmp_path, extract=True)
    assert tree(result.path) == FILES


async def test_ref(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A reference does as well."""
    result = await client.download(ArtifactRef(REPO, add(github, archive=ARCHIVE)), tmp_path, extract=ExtractPolicy())
    assert tree(result.path) == FILES


# --- what is there already


@pytest.mark.parametrize("what", ["folder", "empty folder", "file", "link", "dangling link"])
@pytest.mark.parametrize("if_exists", ["error", "skip"])
async def test_taken(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, what: str, if_exists: str) -> None:
    """Whatever is there is left as it is, and nothing is asked of storage."""
    place, artifact_id = tmp_path / "docs", add(github, archive=ARCHIVE)
    (tmp_path / "other").mkdir()
    if what.endswith("folder"):
        place.mkdir()
    if what == "folder":
        (place / "mine").write_text("mine")
    if what == "file":
        place.write_text("mine")
    if what == "link":
        place.symlink_to(tmp_path / "other")
    if what == "dangling link":
        place.symlink_to(tmp_path / "nowhere")
    before = tree(tmp_path)
    with pytest.raises(DestinationExistsError):
        await fetch(client, artifact_id, tmp_path, extract=True, if_exists=if_exists)
    assert tree(tmp_path) == before
    assert entries(tmp_path) == {"docs", "other"}
    assert not github.requests_to("storage")


@pytest.mark.github_com("digest")
async def test_skip(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """What is known to be the same is not fetched again; what was changed since is an error, and left as it is."""
    artifact_id = add(github, archive=ARCHIVE)
    first = await fetch(client, artifact_id, tmp_path, extract=True, if_exists="skip")
    assert not first.skipped
    github.forget_requests()
    again = await fetch(client, artifact_id, tmp_path, extract=True, if_exists="skip")
    assert (again.skipped, again.path, again.size, again.verified) == (True, first.path, len(ARCHIVE), "digest")
    assert not github.requests_to("storage")
    (first.path / "a.txt").write_text("mine, and longer")
    with pytest.raises(DestinationExistsError):
        await fetch(client, artifact_id, tmp_path, extract=True, if_exists="skip")
    assert (first.path / "a.txt").read_text() == "mine, and longer"


@pytest.mark.parametrize("content", [b"all is well", ARCHIVE], ids=["text", "zip"])
async def test_skip_raw(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, content: bytes) -> None:
    """A raw file is skipped too, also one that happens to have an archive's form."""
    artifact_id = add(github, "book.epub", raw=("book.epub", content))
    await fetch(client, artifact_id, tmp_path, extract=True)
    again = await fetch(client, artifact_id, tmp_path, extract=True, if_exists="skip")
    assert again.skipped
    assert tree(tmp_path) == {"book.epub": content}


async def test_skip_after_another_artifact(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The folder of an older artifact of the same name is no reason to skip the new one."""
    await fetch(client, add(github, archive=ARCHIVE), tmp_path, extract=True)
    with pytest.raises(DestinationExistsError):
        await fetch(client, add(github, archive=make(FILES)), tmp_path, extract=True, if_exists="skip")


async def test_replace(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The new folder takes the old one's place as a whole, and its record says what it is."""
    old, new = add(github, archive=SEVERAL_ZIP), add(github, archive=ARCHIVE)
    for artifact_id, files in ((old, SEVERAL), (new, FILES), (old, SEVERAL)):
        result = await fetch(client, artifact_id, tmp_path, extract=True, if_exists="replace")
        assert tree(result.path) == files
        assert entries(tmp_path) == {"docs", RECORD}
        assert (await fetch(client, artifact_id, tmp_path, extract=True, if_exists="skip")).skipped


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("what", ["file", "link"])
@pytest.mark.parametrize("size", [1000, 60 * MIB], ids=["small", "large"])
@pytest.mark.parametrize("tail", [True, False])
async def test_replace_is_of_folders_alone(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, what: str, size: int, *, tail: bool
) -> None:
    """A file or a link is never replaced by a folder: an error as soon as it is known that a zip comes."""
    place = tmp_path / "in" / "docs"
    place.parent.mkdir()
    if what == "file":
        place.write_text("mine")
    else:
        (tmp_path / "other").mkdir()
        place.symlink_to(tmp_path / "other")
    artifact_id = add(github, size=size)
    if not tail:
        github.faults.ignore_range(artifact_id, times=None)
    with pytest.raises(DestinationExistsError):
        await fetch(client, artifact_id, tmp_path / "in", extract=True, if_exists="replace")
    assert entries(place.parent) == {"docs"}
    assert github.bytes_sent() < 30 * MIB


@pytest.mark.github_com("digest")
async def test_replace_a_raw_file(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A raw file takes a file's place."""
    (tmp_path / "docs").write_text("old")
    await fetch(client, add(github, raw=("docs", b"new")), tmp_path, extract=True, if_exists="replace")
    assert tree(tmp_path) == {"docs": b"new"}


@pytest.mark.parametrize("failure", ["damaged", "cut", "limit"])
async def test_failed_replacement(github: FakeGitHub, tmp_path: Path, failure: str) -> None:
    """Whatever goes wrong, the folder that was there is there, with its record."""
    old = add(github, archive=ARCHIVE)
    new = add(github, archive=HOSTILE["crc"] if failure == "damaged" else SEVERAL_ZIP)
    async with client_for(github, retry=ONE_TRY) as client:
        await fetch(client, old, tmp_path, extract=True)
        before = {name: data for name, data in tree(tmp_path).items() if ".part" not in name}
        if failure == "cut":
            github.faults.cut(new, at=5 * MIB, times=None)
        policy = ExtractPolicy(max_members=2) if failure == "limit" else ExtractPolicy()
        with pytest.raises((ArchiveError, ConnectionFailedError)):
            await fetch(client, new, tmp_path, extract=policy, if_exists="replace")
    assert {name: data for name, data in tree(tmp_path).items() if ".part" not in name} == before
    assert {it for it in entries(tmp_path) if ".part" not in it} == {"docs", RECORD}


# --- what is refused


@pytest.mark.parametrize("rule", HOSTILE)
async def test_hostile(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, rule: str) -> None:
    """A hostile archive is refused whole; neither folder, record nor part is left."""
    with pytest.raises(ArchiveError) as caught:
        await fetch(client, add(github, archive=HOSTILE[rule]), tmp_path / "in", extract=True)
    assert caught.value.rule.startswith(rule) or rule == "encrypted"
    assert not list(tmp_path.rglob("*.part*"))
    assert entries(tmp_path / "in") == set()


@pytest.mark.parametrize(
    ("limit", "value"),
    [("max_total_bytes", 5000), ("max_members", 3), ("max_depth", 1)],
    ids=["bytes", "members", "depth"],
)
async def test_limits(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, limit: str, value: int) -> None:
    """Every limit counts, and None lifts it."""
    artifact_id = add(github, archive=ARCHIVE)
    with pytest.raises(ArchiveError) as caught:
        await fetch(client, artifact_id, tmp_path, extract=ExtractPolicy(**{limit: value}))
    assert getattr(caught.value, "limit", limit) == limit
    assert not any(tmp_path.iterdir())
    await fetch(client, artifact_id, tmp_path, extract=ExtractPolicy(**{limit: None}))


async def test_ratio(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A bomb is told by its directory: nothing is unpacked."""
    from tests.kits.archives import Entry, build

    bomb = build(Entry("zeros", b"", packed=b"\0" * 5000, method=8, size=200 * MIB, crc=0))
    with pytest.raises(ArchiveLimitError) as caught:
        await fetch(client, add(github, archive=bomb), tmp_path, extract=True)
    assert caught.value.limit == "max_ratio"
    assert not any(tmp_path.iterdir())


async def test_twins(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Names that differ by case alone are both kept where the file system holds both; portable refuses them."""
    files = {"README": b"1", "readme": b"2", "D/x": b"3", "d/x": b"4"}
    artifact_id = add(github, archive=make(files))
    with pytest.raises(UnsafeMemberError):
        await fetch(client, artifact_id, tmp_path, extract=ExtractPolicy(names="portable"))
    assert not any(tmp_path.iterdir())
    (tmp_path / "probe").touch()
    if (tmp_path / "PROBE").exists():
        pytest.skip("this file system folds case")
    result = await fetch(client, artifact_id, tmp_path, extract=True)
    assert tree(result.path) == files


async def test_if_exists_is_one_of_three(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """There is no merge, and no other word either."""
    with pytest.raises(ConfigurationError):
        await fetch(client, add(github, archive=ARCHIVE), tmp_path, extract=True, if_exists="merge")
    assert not github.requests_to("storage")


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("content", [ARCHIVE, SEVERAL_ZIP], ids=["small", "large"])
async def test_full_disk(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """A disk that is full for what is unpacked is OutOfSpaceError; nothing stays but the part, for the next run."""

    def full(_descriptor: int, _data: bytes) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    artifact_id = add(github, archive=content)
    monkeypatch.setattr(extraction, "_write_all", full)
    with pytest.raises(OutOfSpaceError) as caught:
        await fetch(client, artifact_id, tmp_path, extract=True)
    assert caught.value.errno == errno.EDQUOT
    assert all(".part" in name for name in entries(tmp_path))
    monkeypatch.undo()
    github.forget_requests()
    result = await fetch(client, artifact_id, tmp_path, extract=True)
    assert not github.requests_to("storage")
    assert entries(tmp_path) == {"docs", RECORD}
    assert (result.resumed_from, len(result.members or ())) == (len(content), 3 if content is ARCHIVE else len(SEVERAL))


# --- events


@pytest.mark.parametrize("content", [ARCHIVE, SEVERAL_ZIP], ids=["small", "large"])
async def test_events(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, content: bytes) -> None:
    """Progress comes at most ten times a second, ends with all, and before the end of the transfer is told."""
    seen = Seen()
    loop = asyncio.get_running_loop()
    times: list[float] = []

    def watch(event: Any) -> None:
        seen(event)
        if isinstance(event, ExtractionProgress):
            times.append(loop.time())
            assert asyncio.current_task() is None or loop.is_running()

    result = await fetch(client, add(github, archive=content), tmp_path, extract=True, observer=watch)
    events = seen.of(ExtractionProgress)
    assert result.members is not None
    assert events[-1].members_done == events[-1].members >= len(result.members)
    assert events[-1].written == events[-1].total == sum(member.size for member in result.members)
    assert len(times) <= 2 + (times[-1] - times[0]) * 10
    assert isinstance(seen[-1], TransferFinished)


async def test_observer_that_raises(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An observer that fails is logged, and the folder is right."""

    def fail(_: object) -> None:
        raise LookupError

    result = await fetch(client, add(github, archive=SEVERAL_ZIP), tmp_path, extract=True, observer=fail)
    assert tree(result.path) == SEVERAL


# --- many


async def test_many(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Zips, raw files and refused archives side by side; the second run fetches what is missing, and nothing else."""
    ids = [add(github, f"docs-{number}", archive=SEVERAL_ZIP) for number in range(3)]
    ids += [add(github, f"small-{number}", archive=ARCHIVE) for number in range(5)]
    ids.append(add(github, "log.txt", raw=("log.txt", b"all is well")))
    bad = add(github, "bad", archive=HOSTILE["traversal"])
    artifacts = [await get(client, it) for it in (*ids, bad)]
    for skipped in (False, True):
        github.forget_requests()
        async with client.download_many(artifacts, tmp_path, extract=True, layout="name", concurrency=4) as outcomes:
            found = {outcome.artifact.id: outcome async for outcome in outcomes}
        assert {it for it, outcome in found.items() if not outcome.ok} == {bad}
        assert isinstance(found[bad].error, UnsafeMemberError)
        assert all(outcome.value.skipped is skipped for it, outcome in found.items() if it != bad)
        assert {it.artifact_id for it in github.requests_to("storage")} == ({bad} if skipped else {*ids, bad})
    for number in range(3):
        assert tree(tmp_path / f"docs-{number}") == SEVERAL
    assert {it for it in entries(tmp_path) if not it.startswith(".")} == {
        *(f"docs-{number}" for number in range(3)),
        *(f"small-{number}" for number in range(5)),
        "log.txt",
    }
    assert not [it for it in entries(tmp_path) if "unpacking" in it or ".part" in it]


async def test_many_of_one_name(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Two artifacts of one name would be one folder: an error before anything is fetched, unless each has a place."""
    ids = [add(github, archive=make({str(number): b"x"})) for number in range(2)]
    artifacts = [await get(client, it) for it in ids]
    with pytest.raises(DestinationExistsError):
        async with client.download_many(artifacts, tmp_path, extract=True, layout="name") as outcomes:
            pytest.fail(repr(outcomes))
    assert not github.requests_to("storage")
    async with client.download_many(artifacts, tmp_path, extract=True) as outcomes:
        assert [outcome.ok async for outcome in outcomes] == [True, True]
    assert {it for it in entries(tmp_path) if not it.startswith(".")} == {f"docs-{it}" for it in ids}


async def test_many_from_an_iterator(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """From an iterator, the second of one place is a failed outcome; a raw file in a folder's place is one, too."""
    ids = [add(github, archive=ARCHIVE), add(github, archive=make({"other": b"x"})), add(github, raw=("docs", b"raw"))]
    refs = (ArtifactRef(REPO, it) for it in ids)
    async with client.download_many(refs, tmp_path, extract=True, layout="name", concurrency=1) as outcomes:
        found = [outcome async for outcome in outcomes]
    assert [outcome.ok for outcome in found] == [True, False, False]
    assert all(isinstance(outcome.error, DestinationExistsError) for outcome in found[1:])
    assert tree(tmp_path / "docs") == FILES


async def test_many_on_a_full_disk(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk stops new work: what is left of a collection gets that error, and nothing is left but parts."""

    def full(_descriptor: int, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(extraction, "_write_all", full)
    artifacts = [await get(client, add(github, f"docs-{number}", archive=ARCHIVE)) for number in range(9)]
    async with client.download_many(artifacts, tmp_path, extract=True, concurrency=2) as outcomes:
        errors = [outcome.error async for outcome in outcomes]
    assert len(errors) == 9
    assert all(isinstance(error, OutOfSpaceError) for error in errors)
    assert len({it.artifact_id for it in github.requests_to("storage")}) <= 3
    assert all(".part" in name for name in entries(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("twice", [pytest.param(False, marks=pytest.mark.sample), True])
async def test_many_cancelled(github: FakeGitHub, tmp_path: Path, *, twice: bool) -> None:
    """Cancelled wherever it or one of its tasks waits, every folder is whole or absent, and nothing else is left."""
    ids = [add(github, f"docs-{number}", archive=ARCHIVE) for number in range(3)]
    async with client_for(github) as client:
        artifacts = [await get(client, it) for it in ids]

        async def work(folder: Path) -> None:
            async with client.download_many(artifacts, folder, extract=True, concurrency=2) as outcomes:
                async for outcome in outcomes:
                    if outcome.error is not None:
                        raise outcome.error

        async def make_work(number: int) -> Coroutine[Any, Any, Any]:
            return work(tmp_path / str(number))

        def check(number: int) -> None:
            folder = tmp_path / str(number)
            for name in entries(folder):
                assert "unpacking" not in name
                assert not name.endswith(".new")
                if name.startswith("docs"):
                    assert tree(folder / name) == FILES
                    assert (folder / f".{name}.gh-artifacts.json").exists()

        assert await sweep(make_work, check, twice=twice) >= 15


# --- memory

PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from gh_artifacts_async import ArtifactRef, ArtifactsClient, ExtractPolicy

def memory(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

async def main(base_url, repo, folder, how, warm, *ids):
    async with ArtifactsClient("token", base_url=base_url) as client:
        await client.download(ArtifactRef(repo, int(warm)), Path(folder, "warm"), extract=True)
        Path("/proc/self/clear_refs").write_text("5")
        before = memory("VmRSS")
        policy = ExtractPolicy(max_ratio=None)
        if how == "remote":
            async with client.open_archive(ArtifactRef(repo, int(ids[0]))) as archive:
                await archive.extract([member.name for member in archive.members], Path(folder, "out"))
        elif how == "download":
            await client.download(ArtifactRef(repo, int(ids[0])), folder, extract=policy)
        else:
            refs = [ArtifactRef(repo, int(it)) for it in ids]
            async with client.download_many(refs, folder, extract=policy) as outcomes:
                assert all([outcome.ok async for outcome in outcomes])
        print(json.dumps({"growth": memory("VmHWM") - before, "peak": memory("VmHWM")}))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.realtime
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("how", ["download", "remote", "many"])
async def test_memory(github: FakeGitHub, tmp_path: Path, how: str) -> None:
    """Unpacking takes no more than 64 MB, however large the archives and their members are, and however many."""
    import zipfile

    zeros = make({f"{number}": bytes(60 * MIB) for number in range(3)}, zipfile.ZIP_DEFLATED)
    size = 200 * MIB if how != "many" else 40 * MIB
    ids = [add(github, f"docs-{number}", size=size) for number in range(1 if how != "many" else 6)]
    if how == "many":
        ids.append(add(github, "zeros", archive=zeros))
    warm = add(github, "warm", archive=SEVERAL_ZIP)
    command = [sys.executable, "-c", PROGRAM, github.base_url, REPO, str(tmp_path), how, str(warm), *map(str, ids)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    output, _ = await process.communicate()
    assert process.returncode == 0
    found = json.loads(output)
    assert found["growth"] <= 64 * MIB, found
