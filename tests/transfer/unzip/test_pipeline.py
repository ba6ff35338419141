"""Unpacking while it arrives: what is done early, what is never visible early, and what costs only the head start."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import os
import stat
import threading
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArchiveError,
    ArchiveLimitError,
    ArtifactExpiredError,
    ConnectionFailedError,
    CorruptArchiveError,
    DestinationExistsError,
    DigestMismatchError,
    ExtractPolicy,
    OutOfSpaceError,
    TransferBytes,
    TransferFailed,
    UnsafeMemberError,
)
from gh_artifacts_async.archive import TAIL, extraction
from gh_artifacts_async.transfer.unzip import pipeline
from tests.kits.archives import LINK, Entry, build
from tests.kits.profiles import verified
from tests.kits.transfer import ONE_TRY, Seen, add, client_for, fetch, get, leave_part, names, parts
from tests.kits.zips import HOSTILE, MIB, SEVERAL, SEVERAL_ZIP, entries, make, noise, padded, tree
from tests.transfer.test_cancel import sweep

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient, DownloadResult
    from gh_artifacts_async.testing import FakeGitHub, Faults

    Script = Callable[[Faults, int], object]

SIZE = len(SEVERAL_ZIP)
WHOLE = [None]


def ranges(github: FakeGitHub) -> list[str | None]:
    """Return the Range of every request to storage."""
    return [request.headers.get("Range") for request in github.requests_to("storage")]


def staged(folder: Path) -> dict[str, bytes]:
    """Return what is in the staging folder, if there is one."""
    found = list(folder.glob(".gh-artifacts-unpacking-*"))
    assert len(found) <= 1
    return tree(found[0]) if found else {}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small archives be unpacked while they arrive too."""
    monkeypatch.setattr(pipeline, "FROM", 1000)
    monkeypatch.setattr(pipeline, "_ENOUGH", 1000)


async def checked(github: FakeGitHub, client: ArtifactsClient, artifact_id: int, folder: Path) -> DownloadResult:
    """Download and unpack, and see that all is right and nothing else is there."""
    result = await fetch(client, artifact_id, folder, extract=True)
    assert not github.faults.pending
    assert tree(result.path) == SEVERAL
    assert entries(folder) == {"docs", ".docs.gh-artifacts.json"}
    return result


# --- the way it should go


@pytest.mark.github_com("ranges")
async def test_tail_first_then_the_whole(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """The directory by an absolute range, then one full GET, with one signed URL."""
    result = await checked(github, client, add(github, archive=SEVERAL_ZIP), tmp_path)
    assert ranges(github) == [f"bytes={SIZE - TAIL}-{SIZE - 1}", None]
    assert sum("zip" in request.path for request in github.requests_to("api")) == 1
    assert (result.verified, result.size, result.content_type) == (verified(), SIZE, "application/zip")
    assert result.members is not None
    assert [(member.name, member.size) for member in result.members] == [(it, len(SEVERAL[it])) for it in SEVERAL]


@asynccontextmanager
async def stalled(
    github: FakeGitHub, client: ArtifactsClient, artifact_id: int, folder: Path, at: int
) -> AsyncGenerator[asyncio.Task[DownloadResult]]:
    """Unpack an artifact whose bytes stop coming at one place; something is unpacked already.

    Where ranges are ignored, the request for the archive's end may be sent as much, and take the stall away.
    """
    github.faults.stall(artifact_id, at=at, seconds=29)
    task = asyncio.create_task(fetch(client, artifact_id, folder, extract=True))
    while not await asyncio.to_thread(_whole_ones, folder) or github.bytes_sent(artifact_id) < at + TAIL:
        assert not task.done(), task  # the thread lets others work
    yield task


def _whole_ones(folder: Path) -> set[str]:
    """Return the names of the files that are whole in a staging folder."""
    found = set()
    for staging in folder.glob(".gh-artifacts-unpacking-*"):
        for name, data in SEVERAL.items():
            with suppress(FileNotFoundError):
                if (staging / name).stat().st_size == len(data):
                    found.add(name)
    return found


@pytest.mark.github_com("ranges")
async def test_members_are_unpacked_while_the_rest_is_still_to_come(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """What has arrived stands in a staging folder that nobody else may enter; the destination is not there."""
    artifact_id = add(github, archive=SEVERAL_ZIP)
    async with stalled(github, client, artifact_id, tmp_path, SIZE * 2 // 3) as task:
        first = set(list(SEVERAL)[:6])
        while not first <= await asyncio.to_thread(_whole_ones, tmp_path):
            pass
        ready = staged(tmp_path)
        assert {name: SEVERAL[name] for name in first}.items() <= ready.items()
        assert len(ready) <= 8
        (folder,) = tmp_path.glob(".gh-artifacts-unpacking-*")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert not (tmp_path / "docs").exists()
        assert not (tmp_path / ".docs.gh-artifacts.json").exists()
        await task
    assert tree(tmp_path / "docs") == SEVERAL
    assert ranges(github)[1:] == WHOLE


async def test_small_archives_are_one_request(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Below 4 MiB there is nothing to gain."""
    files = {"a": noise(MIB), "b": noise(2 * MIB)}
    result = await fetch(client, add(github, archive=make(files)), tmp_path, extract=True)
    assert tree(result.path) == files
    assert ranges(github) == WHOLE


async def test_folders_and_links(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Empty folders are made, links are left out where the policy says so, and executables stay such."""
    content = padded([Entry("d/"), Entry("e/f/"), Entry("e/run", b"#!", attributes=0o100755 << 16),
                      Entry("link", b"/etc", attributes=LINK)])  # fmt: skip
    policy = ExtractPolicy(symlinks="skip")
    result = await fetch(client, add(github, archive=content), tmp_path, extract=policy)
    assert set(tree(result.path)) == {"large.bin", "e/run"}
    assert (result.path / "d").is_dir()
    assert (result.path / "e" / "f").is_dir()
    assert result.members is not None
    assert [member.executable for member in result.members] == [False, True]
    assert os.access(result.path / "e" / "run", os.X_OK)


@pytest.mark.github_com("ranges")
async def test_goes_on_behind_an_earlier_part(github: FakeGitHub, tmp_path: Path) -> None:
    """What another run has left is unpacked behind, too, and only the rest is fetched."""
    artifact_id = add(github, archive=SEVERAL_ZIP)
    await leave_part(github, artifact_id, tmp_path, SIZE // 2)
    github.forget_requests()
    async with client_for(github) as client:
        result = await checked(github, client, artifact_id, tmp_path)
    assert result.resumed_from > SIZE // 3
    assert ranges(github) == [f"bytes={SIZE - TAIL}-{SIZE - 1}", f"bytes={result.resumed_from}-"]


# --- what breaks on the way, and is mended

MENDED: dict[str, tuple[Script, int]] = {
    # with how many requests for the directory and for the archive there are
    "cut": (lambda faults, it: faults.cut(it, at=SIZE // 2), 3),
    "cut three times": (lambda faults, it: [faults.cut(it, at=SIZE * part // 4) for part in (1, 2, 3)], 5),
    "reset": (lambda faults, it: faults.reset(it, at=SIZE // 3), 3),
    "stall": (lambda faults, it: faults.stall(it, at=SIZE // 2), 3),
    "restart by 200": (
        lambda faults, it: [faults.pass_by(it), faults.cut(it, at=SIZE // 2), faults.ignore_range(it)],
        3,
    ),
    "restart by 412": (
        lambda faults, it: [faults.pass_by(it), faults.cut(it, at=SIZE // 2), faults.change_etag(it)],
        4,
    ),
    "restart by another place": (
        lambda faults, it: [faults.pass_by(it), faults.cut(it, at=SIZE // 2), faults.wrong_content_range(it)],
        4,
    ),
    "changed after the directory": (lambda faults, it: [faults.pass_by(it), faults.change_etag(it)], 2),
    "a byte turned over once": (lambda faults, it: faults.corrupt(it, at=SIZE // 2), 3),
    "expired after the directory": (lambda faults, it: [faults.pass_by(it), faults.expire_url(it)], 3),
    "503 after the directory": (lambda faults, it: [faults.pass_by(it), faults.status(it, 503, times=2)], 4),
    "no length": (lambda faults, it: [faults.pass_by(it), faults.no_length(it)], 2),
    "octet-stream": (lambda faults, it: faults.headers(it, {"Content-Type": "application/octet-stream"}, None), 2),
    "another type at the restart": (
        lambda faults, it: [
            faults.pass_by(it),
            faults.corrupt(it, at=SIZE // 2),
            faults.headers(it, {"Content-Type": "application/octet-stream"}),
        ],
        3,
    ),
    "no ETag": (lambda faults, it: faults.headers(it, {"ETag": None}, None), 2),
    "directory: whole": (lambda faults, it: faults.ignore_range(it), 2),
    "directory: 503": (lambda faults, it: faults.status(it, 503, headers={"Retry-After": "600"}), 2),
    "directory: 404": (lambda faults, it: faults.status(it, 404), 2),
    "directory: expired": (lambda faults, it: faults.expire_url(it), 3),
    "directory: another place": (lambda faults, it: faults.wrong_content_range(it), 2),
    "directory: 416": (lambda faults, it: faults.status(it, 416), 2),
    "directory: cut": (lambda faults, it: faults.cut(it, at=SIZE - 100), 2),
    "directory: stall": (lambda faults, it: faults.stall(it, at=SIZE - 100), 2),
    "directory: silence": (lambda faults, it: faults.slow_headers(it), 2),
    "directory: a byte turned over": (lambda faults, it: faults.corrupt(it, at=SIZE - 20), 2),
    "directory: another size": (lambda faults, it: faults.corrupt(it, at=SEVERAL_ZIP.rindex(b"PK\1\2") + 25), 2),
    "directory: executable": (lambda faults, it: faults.corrupt(it, at=SEVERAL_ZIP.rindex(b"PK\1\2") + 40), 2),
}


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("fault", MENDED)
async def test_mended(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, fault: str) -> None:
    """Whatever happens to directory or body, the folder is right, nothing waits long, and nothing is left."""
    artifact_id = add(github, archive=SEVERAL_ZIP)
    script, requests = MENDED[fault]
    script(github.faults, artifact_id)
    began = asyncio.get_running_loop().time()
    result = await checked(github, client, artifact_id, tmp_path)
    assert asyncio.get_running_loop().time() - began < 60
    assert len(ranges(github)) == requests
    assert result.members is not None
    assert not any(member.executable for member in result.members)


@pytest.mark.parametrize("named", [5, TAIL, SIZE // 2, SIZE - 1, SIZE + 1, 3 * SIZE])
async def test_size_in_bytes_is_wrong(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, named: int) -> None:
    """Storage knows how long the archive is."""
    await checked(github, client, add(github, archive=SEVERAL_ZIP, size_in_bytes=named, digest=None), tmp_path)


# --- what is refused, and when


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(("limit", "value"), [("max_total_bytes", SIZE // 2), ("max_members", 3)])
async def test_limits_are_early(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, limit: str, value: int
) -> None:
    """An archive over a limit is refused before the archive is asked for, and leaves nothing, not even a part."""
    seen = Seen()
    with pytest.raises(ArchiveError) as caught:
        await fetch(
            client,
            add(github, archive=SEVERAL_ZIP),
            tmp_path,
            extract=ExtractPolicy(**{limit: value}),
            observer=seen,
        )
    assert isinstance(caught.value, ArchiveLimitError)
    assert caught.value.limit == limit
    assert github.bytes_sent() == TAIL
    assert not any(tmp_path.iterdir())
    assert [event.error for event in seen.of(TransferFailed)] == [caught.value]


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(
    "entries_", [[Entry("../evil", b"x")], [Entry("a", b"/etc", attributes=LINK)], [Entry("a", b"x" * 20, flags=1)]]
)
async def test_hostile_names_are_early(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, entries_: list[Entry]
) -> None:
    """So is one with a hostile member, at its very end too."""
    with pytest.raises(ArchiveError):
        await fetch(client, add(github, archive=padded(entries_)), tmp_path, extract=True)
    assert github.bytes_sent() == TAIL
    assert not any(tmp_path.iterdir())


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize(
    "content",
    [
        padded([Entry("a", b"x" * 100, crc=7)]),
        padded([Entry("a", b"x", local={"name": b"b"})]),
        padded([Entry("a", b"x" * 100, method=8, size=10)]),
        padded([Entry("a", b"x" * 100, method=8, packed=noise(90))]),
        build(Entry("bad", noise(3 * MIB), crc=1), Entry("good", noise(3 * MIB))),
        build(Entry("large", noise(6 * MIB)), prefix=b"MZ"),
        padded([Entry("a", b"x"), Entry("link", b"x", attributes=LINK, local={"crc": 5})]),
        noise(6 * MIB),
    ],
    ids=["crc", "local name", "size", "deflate", "first of two", "prefix", "link", "noise"],
)
async def test_damaged(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, content: bytes) -> None:
    """A damaged archive is judged when it is there and verified: CorruptArchiveError, and nothing is left."""
    with pytest.raises(CorruptArchiveError):
        await fetch(client, add(github, archive=content), tmp_path, extract=ExtractPolicy(symlinks="skip"))
    assert not any(tmp_path.iterdir())


async def test_first_of_two_threads(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Members that are damaged among others that are at work are told as such."""
    members = [Entry(f"{number}", noise(2 * MIB), crc=5 if number % 2 else None) for number in range(4)]
    with pytest.raises(CorruptArchiveError, match="CRC"):
        await fetch(client, add(github, archive=build(*members)), tmp_path, extract=True)
    assert not any(tmp_path.iterdir())


class _Struggling:
    """An extraction whose first thread works until it is stopped, while its second one fails."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._calls = iter((True, False))

    def extract_members(self, _reader: object, _members: object) -> None:
        if next(self._calls):
            self._stopped.wait(20)
            raise concurrent.futures.CancelledError
        raise CorruptArchiveError(rule="crc")

    def stop(self) -> None:
        self._stopped.set()


async def test_the_failure_is_told_and_not_that_others_were_stopped() -> None:
    """The thread that is only told to stop does not make the download look cancelled."""
    with pytest.raises(CorruptArchiveError):
        await pipeline._unpack(_Struggling(), None, deque[Any]([None, None]))


@pytest.mark.parametrize("rule", HOSTILE)
async def test_hostile(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, rule: str, at_once: None) -> None:
    """Every hostile archive is refused, whenever that is found, with nothing on disk."""
    del at_once
    content = HOSTILE[rule]
    if rule != "gap":
        content = build(Entry("pad", noise(9000)), *_members(rule))
    with pytest.raises(ArchiveError):
        await fetch(client, add(github, archive=content), tmp_path, extract=True)
    assert not any(tmp_path.iterdir())


def _members(rule: str) -> list[Entry]:
    return {
        "traversal": [Entry("../evil", b"x")],
        "absolute": [Entry("/etc/evil", b"x")],
        "duplicate": [Entry("a", b"x"), Entry("a", b"y")],
        "link": [Entry("a", b"/etc/passwd", attributes=LINK)],
        "file-as-folder": [Entry("a", b"x"), Entry("a/b", b"y")],
        "crc": [Entry("a", b"x" * 100, crc=7)],
        "local-name": [Entry("a", b"x", local={"name": b"b"})],
        "size": [Entry("a", b"x" * 100, method=8, size=10)],
        "encrypted": [Entry("a", b"x" * 20, flags=1)],
    }[rule]


@pytest.mark.github_com("digest")
async def test_digest_decides(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Bytes that are not GitHub's never become a folder, at no moment, though every member of them is right."""
    artifact_id = add(github, archive=SEVERAL_ZIP, digest=f"sha256:{'0' * 64}")
    seen = Seen()

    def watch(event: object) -> None:
        seen(event)  # type: ignore[arg-type]
        assert not (tmp_path / "docs").exists()

    with pytest.raises(DigestMismatchError):
        await fetch(client, artifact_id, tmp_path, extract=True, observer=watch)
    assert seen.of(TransferBytes)
    assert not any(tmp_path.iterdir())


@pytest.mark.github_com("ranges")
async def test_damage_for_ever(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A byte that is wrong each time is a digest mismatch, not a damaged archive."""
    artifact_id = add(github, archive=SEVERAL_ZIP)
    github.faults.corrupt(artifact_id, at=SIZE // 2, times=None)
    with pytest.raises(DigestMismatchError):
        await fetch(client, artifact_id, tmp_path, extract=True)
    assert not any(tmp_path.iterdir())


@pytest.mark.github_com("ranges")
async def test_network_failure_keeps_the_part(github: FakeGitHub, tmp_path: Path) -> None:
    """The network's failure leaves a part and no staging folder; the next call resumes there."""
    artifact_id = add(github, archive=SEVERAL_ZIP)
    cut = github.faults.cut(artifact_id, at=SIZE // 2, times=None)
    async with client_for(github, retry=ONE_TRY) as client:
        with pytest.raises(ConnectionFailedError):
            await fetch(client, artifact_id, tmp_path, extract=True)
        assert len(parts(tmp_path)) == 1
        assert {name.rpartition(".")[2] for name in names(tmp_path)} == {"part", "json"}
        github.faults.clear()
        cut.cancel()
        result = await checked(github, client, artifact_id, tmp_path)
        assert result.resumed_from > 0


async def test_what_signing_says_counts(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An expired artifact is told at once: signing is not tried for the directory and again for the whole."""
    with pytest.raises(ArtifactExpiredError):
        await fetch(client, add(github, archive=SEVERAL_ZIP, expired=True), tmp_path, extract=True)
    assert sum("zip" in request.path for request in github.requests_to("api")) <= 1


@pytest.mark.github_com("ranges")
async def test_taken_meanwhile(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """A folder that appears while ours is on its way is left as it is."""
    artifact_id = add(github, archive=SEVERAL_ZIP)
    async with stalled(github, client, artifact_id, tmp_path, SIZE // 2) as task:
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs" / "mine").write_text("mine")
        with pytest.raises(DestinationExistsError):
            await task
    assert tree(tmp_path) == {"docs/mine": b"mine"}


async def test_names_that_the_destination_cannot_hold(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path
) -> None:
    """A path that is too long here is refused; nothing is left."""
    deep = "/".join(["d" * 200] * 20)
    with pytest.raises(UnsafeMemberError):
        await fetch(client, add(github, archive=padded([Entry(deep, b"x")])), tmp_path, extract=True)
    assert not any(tmp_path.iterdir())


@pytest.mark.github_com("ranges")
async def test_part_that_is_taken_away(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """Who removes our part file under us gets an error at most, never a wrong folder."""
    artifact_id = add(github, archive=SEVERAL_ZIP)
    async with stalled(github, client, artifact_id, tmp_path, SIZE // 2) as task:
        for path in (*parts(tmp_path), *tmp_path.glob(".gh-artifacts-unpacking-*/*/*")):
            path.unlink()
        result = (await asyncio.gather(task, return_exceptions=True))[0]
    if isinstance(result, BaseException):
        assert not (tmp_path / "docs").exists()
    assert not list(tmp_path.glob(".gh-artifacts-unpacking-*"))


@pytest.mark.github_com("ranges")
@pytest.mark.parametrize("times", [1, None])
async def test_full_disk(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int | None
) -> None:
    """A disk that is full once costs the head start; one that stays full is OutOfSpaceError, and leaves the part."""
    real = os.write
    failed: list[bytes] = []

    def full(descriptor: int, data: bytes) -> int:
        if times is None or len(failed) < times:
            failed.append(data)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    artifact_id = add(github, archive=SEVERAL_ZIP)
    monkeypatch.setattr(extraction, "os", _OsWith(full))
    if times is not None:
        await checked(github, client, artifact_id, tmp_path)
        return
    with pytest.raises(OutOfSpaceError) as caught:
        await fetch(client, artifact_id, tmp_path, extract=True)
    assert caught.value.errno == errno.ENOSPC
    assert all(".part" in name for name in entries(tmp_path))


class _OsWith:
    """The module ``os`` with another ``write``, for one module alone."""

    def __init__(self, write: Callable[[int, bytes], int]) -> None:
        self.write = write

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


# --- cancellation


@pytest.mark.slow
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("fault", ["none", pytest.param("restart", marks=pytest.mark.sample), "damage", "no ranges"])
async def test_cancelled(github: FakeGitHub, tmp_path: Path, fault: str, at_once: None, *, twice: bool) -> None:
    """Cancelled wherever it or its pipeline waits: no task, no thread, no staging folder; whole or absent."""
    del at_once
    files = {f"d/{number}": noise(120_000, number) for number in range(4)}
    content = make(files)
    artifact_id = add(github, archive=content)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)

        async def make_work(number: int) -> Coroutine[Any, Any, Any]:
            github.faults.clear()
            if fault == "restart":
                github.faults.pass_by(artifact_id)
                github.faults.cut(artifact_id, at=300_000)
                github.faults.ignore_range(artifact_id)
            if fault == "damage":
                github.faults.corrupt(artifact_id, at=100_000)
            if fault == "no ranges":
                github.faults.ignore_range(artifact_id, times=None)
            return client.download(artifact, tmp_path / str(number), extract=True)

        def check(number: int) -> None:
            folder = tmp_path / str(number)
            assert not {it for it in entries(folder) if "unpacking" in it or it.endswith(".new")}
            if (folder / "docs").exists():
                assert tree(folder / "docs") == files
                assert (folder / ".docs.gh-artifacts.json").exists()
            else:
                assert all(".part" in it for it in entries(folder))

        count = await sweep(make_work, check, twice=twice)
        assert count >= 10
        github.faults.clear()
        for number in range(1, count + 1):
            result = await client.download(artifact, tmp_path / str(number), extract=True, if_exists="skip")
            assert tree(result.path) == files
            assert entries(tmp_path / str(number)) == {"docs", ".docs.gh-artifacts.json"}


@pytest.mark.github_com("ranges")
async def test_finished_and_then_dropped(github: FakeGitHub, tmp_path: Path) -> None:
    """What the pipeline has finished goes too, where it is closed before anybody has asked for it."""
    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.transfer.unzip.unpack import Unpacking

    async with client_for(github) as client:
        artifact = await get(client, add(github, archive=SEVERAL_ZIP))
        unpacking = Unpacking(artifact, tmp_path / "docs", ExtractPolicy(), Emitter(), replace=False, durable=False)
        line = pipeline.Pipeline(client._transfers(), unpacking)

        async def finished() -> Any:
            made = unpacking.extraction(tail.directory)
            made.__enter__()
            return made

        await line.prepare(await client.get_download_url(artifact))
        tail = line._tail
        assert tail is not None
        line._task = asyncio.create_task(finished())
        await asyncio.wait({line._task})
        assert staged(tmp_path) == {}
        assert len(entries(tmp_path)) == 2  # with its marker
        await line.aclose()
        assert await line.finish() is None
    assert not any(tmp_path.iterdir())
