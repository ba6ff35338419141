"""Names and paths that Windows reads otherwise, see tests/kits/ports.py."""

from __future__ import annotations

import errno
import hashlib
import ntpath
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import (
    ArtifactRef,
    ConfigurationError,
    DestinationExistsError,
    OutOfSpaceError,
    RepositoryName,
    UnsafeMemberError,
)
from gh_artifacts_async.archive import extraction, folders
from gh_artifacts_async.automation import ledger, mirror_fetch, mirrored
from gh_artifacts_async.cli import demo, running
from gh_artifacts_async.protocol.filenames import folded
from gh_artifacts_async.transfer.disk import filesystem, leftovers, partfile
from gh_artifacts_async.transfer.disk.layouts import Claims
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.partstate import PartState
from tests.kits import ports
from tests.kits.archives import Entry
from tests.kits.transfer import add, everything, fetch
from tests.kits.zips import entries, padded, tree

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.testing import FakeGitHub

pytestmark = pytest.mark.once


def _artifact(number: int) -> ArtifactRef:
    return ArtifactRef(RepositoryName("octo-org", "octo-docs"), number)


HOSTILE = ["aux.c", "NUL", "a:b", "c:/evil", "notes.", "what?", "folder./x"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.usefixtures("windows")
async def test_members(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, name: str) -> None:
    """What Windows would store under another name, or take for a device, is refused though nobody asked for it."""
    with pytest.raises(UnsafeMemberError):
        await fetch(client, add(github, archive=padded([Entry(name, b"x")], 1000)), tmp_path, extract=True)
    assert entries(tmp_path) == set()


@pytest.mark.usefixtures("windows")
async def test_artifacts(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path) -> None:
    """An artifact, a branch and a raw file may have such names: they are changed."""
    for number, name in enumerate(["con", "a.", "b ", "x" * 250]):
        await fetch(client, add(github, name), tmp_path / str(number))
    await fetch(client, add(github, "log.txt", raw="nul.txt"), tmp_path / "raw")
    assert {name.lower() for name in everything(tmp_path)} >= {"0/_con.zip", "1/a_.zip", "raw/_nul.txt"}


@pytest.mark.parametrize("name", ["nul", "COM1.zip", "c:x", "end.", "what?"])
async def test_filename(client: ArtifactsClient, tmp_path: Path, windows: ports.Rules, name: str) -> None:
    """A file name that the caller chose, and that Windows cannot store, is told before anything is asked."""
    assert windows.system.windows
    with pytest.raises(ConfigurationError, match="Windows"):
        await client.download(_artifact(1), tmp_path, filename=name)


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.usefixtures("windows")
async def test_long_paths(github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, *, wrong: bool) -> None:
    """Members may lie deeper than 260 characters; they are written, and removed again if the archive is damaged."""
    deep = "/".join(["d" * 100] * 3)
    last = Entry("z", b"data", crc=5) if wrong else Entry("z", b"data")
    archive = padded([Entry(f"{deep}/x", b"x"), last], 1000)
    if wrong:
        with pytest.raises(Exception, match="z"):
            await fetch(client, add(github, archive=archive), tmp_path, extract=True)
        assert entries(tmp_path) == set()
        return
    result = await fetch(client, add(github, archive=archive), tmp_path, extract=True)
    assert result.members is not None
    (member,) = (member for member in result.members if member.name == f"{deep}/x")
    with pytest.raises(FileNotFoundError):  # so it is with a program that does not write the path the long way
        member.path.read_bytes()


@pytest.mark.parametrize(
    ("path", "full"),
    [
        ("C:\\a\\b", "\\\\?\\C:\\a\\b"),
        ("C:\\a\\..\\b\\.", "\\\\?\\C:\\b"),
        ("\\\\server\\share\\a", "\\\\?\\UNC\\server\\share\\a"),
        ("\\\\?\\C:\\a", "\\\\?\\C:\\a"),
        ("\\\\.\\pipe", "\\\\.\\pipe"),
    ],
)
def test_extended(monkeypatch: pytest.MonkeyPatch, path: str, full: str) -> None:
    """A path without a limit is absolute and normalised, and that of a share has a form of its own."""
    seen = ports.seen(ports.WINDOWS)["os"]
    seen.path = ntpath
    monkeypatch.setattr(folders, "os", seen)
    assert folders.extended(path) == full  # type: ignore[arg-type]


def test_a_part_that_is_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where opening cannot refuse to follow links, a link in a part's place is looked for, and left."""
    (tmp_path / "victim").write_bytes(b"mine")
    link = tmp_path / ".docs.7.0123456789a.part"
    link.symlink_to(tmp_path / "victim")
    ports.install(ports.WINDOWS, tmp_path, monkeypatch)
    assert leftovers.claim(link, tmp_path / ".docs.7.0123456789b.part") is None
    monkeypatch.undo()
    assert link.is_symlink()


def test_a_claimed_part_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many names a part has is asked before it is renamed: NTFS-3G counts the old one as long as it is open."""
    part, mine = tmp_path / ".docs.7.0123456789a.part", tmp_path / ".docs.7.0123456789b.part"
    part.write_bytes(b"bytes")
    real = os.fstat

    def fstat(descriptor: int) -> Any:
        found = list(real(descriptor))
        found[3] += mine.exists()
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", fstat)
    claimed = leftovers.claim(part, mine)
    assert claimed is not None
    os.close(claimed[0])
    assert claimed[1] == 1


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize(
    ("modified", "read_again"),
    [
        pytest.param(time.time_ns() // 10**9 * 10**9 + 1, False, id="exact"),
        pytest.param(time.time_ns() // 10**9 * 10**9 + 3600 * 10**9, True, id="coarse and new"),
        pytest.param(10**18, False, id="coarse and old"),
    ],
)
def test_times_that_are_coarse(tmp_path: Path, modified: int, *, read_again: bool, learned: bool) -> None:
    """On FAT a change within two seconds has the same time: there what a file holds is asked, not when it changed.

    Of a file that has not changed for long, such as one restored from a backup, the time is enough.
    """
    path = tmp_path / "docs.zip"
    path.write_bytes(b"ours")
    os.utime(path, ns=(modified, modified))
    hashes = mirrored.Hashes()
    ours = mirrored.hash_file(path)
    if learned:
        hashes.learn(path, ours)
    assert hashes.same(path, ours)
    path.write_bytes(b"mine")
    os.utime(path, ns=(modified, modified))
    assert hashes.same(path, ours) is not read_again


@pytest.mark.parametrize(("count", "resumes"), [(0, True), (1, True), (2, False)])
def test_a_part_on_a_file_system_that_counts_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, *, resumes: bool
) -> None:
    """Some of FUSE's give 0 for any file: a part there is resumed; only one with a second name is finished."""
    digest = f"sha256:{hashlib.sha256(b'bytes').hexdigest()}"
    state = PartState(artifact_id=7, repository="o/r", size_in_bytes=9, digest=digest)
    part = PartFile(tmp_path, "docs", state)
    part.start(etag='"e"')
    part.append([b"bytes"])
    part.release(resumable=True)
    real = leftovers.claim
    monkeypatch.setattr(partfile, "claim", lambda *paths: (real(*paths)[0], count))  # type: ignore[index]
    again = PartFile(tmp_path, "docs", state)
    assert again.adopt([part.path]) is resumes
    assert again.offset == 5 * resumes
    again.release(resumable=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folds", [True, False])
def test_a_place_by_another_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, folds: bool) -> None:
    """A mirror replaces what is the place by another spelling, but no other name of the same file (a hard link)."""
    place, other = tmp_path / "docs.zip", tmp_path / "Docs.zip"
    place.write_bytes(b"one content")
    if folds:
        ports.install(ports.MACOS, tmp_path, monkeypatch)
    else:
        other.hardlink_to(place)
    claims = mirror_fetch._OnePlace(Claims(), place)
    if folds:
        claims.take(other, _artifact(1))
    else:
        with pytest.raises(DestinationExistsError):
            claims.take(other, _artifact(1))


def test_claims_of_keys() -> None:
    """Keys of an object store differ in case wherever the program runs."""
    claims = Claims(are_files=False)
    one, other = (_artifact(number) for number in (1, 2))
    claims.take("Docs.zip", one)
    claims.take("docs.zip", other)
    with pytest.raises(DestinationExistsError):
        claims.take("docs.zip", one)


@pytest.mark.parametrize("apart", [True, False])
def test_claims_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, apart: bool) -> None:
    """Names that differ in case are two files if the folder says so; one artifact may have both."""
    folder = tmp_path / "in"
    folder.mkdir()
    if not apart:
        ports.install(ports.MACOS, tmp_path, monkeypatch)
    claims = Claims()
    one, other = (_artifact(number) for number in (1, 2))
    claims.take(folder / "Docs", one)
    claims.take(folder / "docs", one)
    if apart:
        claims.take(folder / "DOCS", other)
    else:
        for _ in range(2):
            with pytest.raises(DestinationExistsError):
                claims.take(folder / "DOCS", other)


def test_folding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is asked by the names in it, or above it; both spellings in it tell them apart."""
    folder = tmp_path / "in"
    folder.mkdir()
    assert not filesystem.folds_names(folder)
    for name in ("a", "A"):
        (folder / name).touch()
    assert not filesystem.folds_names(folder)
    with monkeypatch.context() as patch:
        patch.setattr(filesystem.os, "scandir", ports.refuse_access)
        assert not filesystem.folds_names(folder)
    (folder / "A").unlink()
    ports.install(ports.MACOS, tmp_path, monkeypatch)
    assert filesystem.folds_names(folder)
    assert filesystem.folds_names(folder / "not" / "there")
    assert folded("\u00c9") == folded("e\u0301")
    assert folded("\u1fb4") == folded("\u0391\u0301\u0345") == folded("\u03b1\u0345\u0301")


@pytest.mark.parametrize("first", ["stra\u00dfe", "\ufb01n", "\u0130x"])
def test_folding_asked_by_a_name_with_letters_that_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Only ASCII's letters are swapped: no file system takes two letters for a ligature, or all for a sharp s."""
    (tmp_path / first).touch()
    assert not filesystem.folds_names(tmp_path)
    there = {str(tmp_path / name) for name in (first, first.translate(str.maketrans("strinxaeu", "STRINXAEU")))}
    monkeypatch.setattr(filesystem.os.path, "lexists", lambda path: str(path) in there)
    assert filesystem.folds_names(tmp_path)


def test_folding_on_windows(windows: ports.Rules) -> None:
    """Windows folds case, and knows nothing of normalisation."""
    assert windows.system.windows
    assert folded("\u00c9") == "\u00e9" != folded("e\u0301")


@pytest.mark.usefixtures("windows")
def test_a_mirror_s_lock(tmp_path: Path) -> None:
    """Where no folder can be opened, a file is: one run at a time, and none is kept out by one that was killed."""
    (tmp_path / ledger.LOCK).touch()  # of a killed run
    first = ledger.Ledger(tmp_path, None, durable=False)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(ledger.PlanRefusedError):
            ledger.Ledger(tmp_path, None, durable=False)  # type: ignore[arg-type]
    first.close()
    assert entries(tmp_path) == set()


def test_a_folder_is_not_replaced(tmp_path: Path, windows: ports.Rules) -> None:
    """Windows refuses that as it refuses what nobody may write to: the one is told from the other."""
    assert windows.system.windows
    part, folder, file = tmp_path / "part", tmp_path / "folder", tmp_path / "file"
    part.touch()
    folder.mkdir()
    file.touch()
    with pytest.raises(DestinationExistsError):
        filesystem.put_in_place(part, folder, replace=True)
    with file.open("rb"), pytest.raises(PermissionError):
        filesystem.put_in_place(part, file, replace=True)
    filesystem.put_in_place(part, file, replace=True)


def test_errors_of_windows_without_a_number_of_posix(windows: ports.Rules) -> None:
    """A file system without hard links is EINVAL there: files are copied."""
    assert windows.system.windows
    assert errno.EINVAL in filesystem.NO_LINKS


@pytest.mark.usefixtures("windows")
async def test_full_disk_at_the_end(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that was closed for its rename, and could not be renamed, is continued by a later run."""
    artifact_id = add(github)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        with pytest.raises(OutOfSpaceError):
            await fetch(client, artifact_id, tmp_path)
    assert len(entries(tmp_path)) == 2
    result = await fetch(client, artifact_id, tmp_path)
    assert result.resumed_from == result.size
    assert tree(tmp_path) == {"docs.zip": github.content(artifact_id)}


def test_the_demo_on_another_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to the program is told whole where there is no relative one."""

    def no_way(_: str) -> str:
        msg = "path is on mount 'D:', start on mount 'C:'"
        raise ValueError(msg)

    monkeypatch.setattr(demo.shutil, "which", lambda _: None)
    monkeypatch.setattr(demo.sys, "argv", ["/opt/gh-artifacts.exe"])
    assert demo._program().endswith("opt/gh-artifacts.exe")
    monkeypatch.setattr(demo.os.path, "relpath", no_way)
    assert demo._program() == "/opt/gh-artifacts.exe"


def test_the_signals_that_there_are() -> None:
    """Those that end a program by agreement are heard, whichever the system has."""
    heard = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)}
    assert set(running._CODES) == heard


def test_what_is_worked_out_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's modules have the flags and answers of Windows while the test runs."""
    rules = ports.install(ports.WINDOWS, tmp_path, monkeypatch)
    assert not folders.HAS_DIR_FD
    assert extraction._WINDOWS
    assert not ledger.CAN_LOCK
    assert filesystem.os.name == "nt"
    with pytest.raises(AttributeError, match="on this system"):
        filesystem.os.geteuid()
    with pytest.raises(NotImplementedError):
        os.mkdir("x", dir_fd=3)
    with pytest.raises(OSError, match="1314"):
        (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        (tmp_path / "nul.txt").touch()
    assert set(rules.devices) == {str(tmp_path / "nul.txt")}
    assert tree(tmp_path) == {}
