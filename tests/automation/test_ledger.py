"""The manifest on disk: folded in whatever happens, locked, and never lost."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path, PurePosixPath

import attrs
import pytest

from gh_artifacts_async import (
    ConfigurationError,
    DestinationExistsError,
    OutOfSpaceError,
    PlanRefusedError,
    RepositoryName,
)
from gh_artifacts_async.automation import ledger as module
from gh_artifacts_async.automation.ledger import Ledger
from gh_artifacts_async.automation.manifest import JOURNAL, MANIFEST, NEW_MANIFEST, Head, MirroredArtifact

HEAD = Head(RepositoryName("octo-org", "octo-docs"), extract=False, host="api.github.com")


def entry(number: int) -> MirroredArtifact:
    """Return an entry."""
    return MirroredArtifact(id=number, name="docs", path=PurePosixPath(f"docs-{number}.zip"), size=3)


def opened(folder: Path, head: Head = HEAD, *, durable: bool = False) -> Ledger:
    """Open and read a folder's ledger."""
    ledger = Ledger(folder, head, durable=durable)
    try:
        ledger.read()
    except BaseException:
        ledger.close()
        raise
    return ledger


def known(folder: Path) -> dict[int, MirroredArtifact]:
    """Return what a later run reads."""
    ledger = opened(folder)
    ledger.close()
    return ledger.entries


@pytest.mark.parametrize("durable", [True, False])
def test_recorded_and_read(tmp_path: Path, *, durable: bool) -> None:
    """What is put and dropped is in the manifest after the end, and the journal is gone."""
    ledger = opened(tmp_path, durable=durable)
    ledger.put(entry(1))
    ledger.put(entry(2))
    ledger.put(entry(3), instead_of=1)
    ledger.drop(2)
    ledger.drop(99)
    ledger.close()
    assert set(os.listdir(tmp_path)) == {MANIFEST}  # noqa: PTH208
    assert known(tmp_path) == {3: entry(3)}


def test_nothing_is_written_without_news(tmp_path: Path) -> None:
    """A run that ends early in an empty folder leaves nothing; one that ends well leaves a manifest."""
    opened(tmp_path).close()
    assert list(tmp_path.iterdir()) == []
    ledger = opened(tmp_path)
    ledger.fold()
    ledger.close()
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]


def test_journal_of_a_killed_run(tmp_path: Path) -> None:
    """A journal that was left is folded in at once, with a torn last line and a manifest half written."""
    first = opened(tmp_path)
    first.put(entry(1))
    first.fold()
    first.put(entry(2))
    data = (tmp_path / JOURNAL).read_bytes()
    first.close()
    (tmp_path / MANIFEST).write_bytes(data[:0] + _without_two(tmp_path))
    (tmp_path / JOURNAL).write_bytes(data + b'{"put": {"id"')
    (tmp_path / NEW_MANIFEST).write_bytes(b"{")
    second = opened(tmp_path)
    assert second.entries == {1: entry(1), 2: entry(2)}
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]
    second.close()


def _without_two(folder: Path) -> bytes:
    document = json.loads((folder / MANIFEST).read_text())
    document["artifacts"] = [one for one in document["artifacts"] if one["id"] != 2]
    return json.dumps(document).encode()


def test_journal_without_a_manifest(tmp_path: Path) -> None:
    """A first run that was killed has left a journal only."""
    ledger = opened(tmp_path)
    ledger.put(entry(1))
    data = (tmp_path / JOURNAL).read_bytes()
    ledger.close()
    (tmp_path / MANIFEST).unlink()
    (tmp_path / JOURNAL).write_bytes(data)
    assert known(tmp_path) == {1: entry(1)}


def test_empty_journal(tmp_path: Path) -> None:
    """A process that was killed before it had written a line leaves an empty journal, which is removed."""
    (tmp_path / JOURNAL).write_bytes(b"")
    assert known(tmp_path) == {}
    assert not (tmp_path / JOURNAL).exists()


@pytest.mark.parametrize("name", [MANIFEST, JOURNAL])
@pytest.mark.parametrize("data", [b"not ours\n", b"{}\n", b'{"format": "gh-artifacts-mirror", "version": 2}\n'])
def test_foreign_files(tmp_path: Path, name: str, data: bytes) -> None:
    """A file that is not ours, or of another version, is one clear error, and stays byte for byte."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DestinationExistsError, match="nothing was changed; move it away") as caught:
        opened(tmp_path)
    assert caught.value.filename == str(tmp_path / name)
    assert (tmp_path / name).read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", [MANIFEST, JOURNAL])
@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file(tmp_path: Path, name: str, kind: str) -> None:
    """A link, a folder or a pipe in the manifest's place is not read through."""
    path = tmp_path / name
    if kind == "link":
        (tmp_path / "other").write_bytes(b"{}")
        path.symlink_to(tmp_path / "other")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(DestinationExistsError, match=r"symbolic link|not a file"):
        opened(tmp_path)


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest that the system does not let us read is the system's error."""
    (tmp_path / MANIFEST).write_bytes(b"")

    def refuse(path: Path, *_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    ledger = Ledger(tmp_path, HEAD, durable=False)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(PermissionError):
            ledger.read()
    ledger.close()


@pytest.mark.parametrize("known", ["neither", "the folder's", "ours"])
def test_a_host_that_is_not_known(tmp_path: Path, known: str) -> None:
    """A manifest without the server's host, as earlier versions wrote it, is of the server that is asked."""
    nobody = attrs.evolve(HEAD, host=None)
    for head in {"neither": (nobody, nobody), "the folder's": (HEAD, nobody), "ours": (nobody, HEAD)}[known]:
        ledger = Ledger(tmp_path, head, durable=False)
        ledger.read()
        ledger.put(entry(1))
        ledger.close()


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (Head(RepositoryName("octo-org", "other"), extract=False), "is a mirror of octo-org/octo-docs; use another"),
        (attrs.evolve(HEAD, host="ghes.example"), "is a mirror of octo-org/octo-docs at api.github.com; use another"),
        (attrs.evolve(HEAD, extract=True), "is a mirror of archives; use extract=False"),
    ],
)
@pytest.mark.parametrize("where", [MANIFEST, JOURNAL])
def test_mirror_of_something_else(tmp_path: Path, head: Head, says: str, where: str) -> None:
    """A folder that mirrors something else is refused, and nothing is lost."""
    ledger = opened(tmp_path)
    ledger.put(entry(1))
    data = (tmp_path / JOURNAL).read_bytes()
    ledger.close()
    if where == JOURNAL:
        (tmp_path / MANIFEST).unlink()
        (tmp_path / JOURNAL).write_bytes(data)
    with pytest.raises(ConfigurationError, match=says):
        opened(tmp_path, head)
    assert known(tmp_path) == {1: entry(1)}


def test_mirror_of_folders(tmp_path: Path) -> None:
    """The other way round, the error says what it holds too."""
    ledger = opened(tmp_path, attrs.evolve(HEAD, extract=True))
    ledger.fold()
    ledger.close()
    with pytest.raises(ConfigurationError, match="is a mirror of extracted artifacts; use extract=True"):
        opened(tmp_path)


def test_locked(tmp_path: Path) -> None:
    """A second process is refused until the first has ended."""
    first = opened(tmp_path)
    with pytest.raises(PlanRefusedError, match="another mirror is at work"):
        Ledger(tmp_path, HEAD, durable=False)
    first.close()
    opened(tmp_path).close()


def test_folder_behind_a_link(tmp_path: Path) -> None:
    """The mirror's own folder may be a symbolic link; the lock is that of what it leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    first = opened(tmp_path / "link")
    with pytest.raises(PlanRefusedError):
        Ledger(tmp_path / "real", HEAD, durable=False)
    first.close()


def test_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a folder cannot be opened, as on Windows, there is no lock, and all else works."""
    monkeypatch.setattr(module, "CAN_LOCK", False)
    first = opened(tmp_path)
    first.put(entry(1))
    first.close()
    assert known(tmp_path) == {1: entry(1)}


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full is told as such; what was recorded before stays for the next run."""
    ledger = opened(tmp_path)
    ledger.put(entry(1))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OutOfSpaceError):
            ledger.put(entry(2))
        with pytest.raises(OutOfSpaceError):
            ledger.fold()
        ledger.close()
    assert known(tmp_path) == {1: entry(1)}


def test_short_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that writes a few bytes at a time gets them all."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
    ledger = opened(tmp_path)
    ledger.put(entry(1))
    ledger.close()
    assert known(tmp_path) == {1: entry(1)}


def test_five_thousand_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written grows with the number of artifacts, not with its square."""
    written = 0
    real = os.write

    def counted(descriptor: int, data: memoryview) -> int:
        nonlocal written
        written += len(data)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", counted)
    ledger = opened(tmp_path)
    for number in range(1, 5001):
        ledger.put(entry(number))
    ledger.close()
    assert len(known(tmp_path)) == 5000
    assert written < 2.5 * (tmp_path / MANIFEST).stat().st_size
