"""Part files of earlier runs: found by artifact, taken by one process, swept, and read from the disk rarely."""

from __future__ import annotations

import asyncio
import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.transfer.disk import leftovers
from gh_artifacts_async.transfer.disk.leftovers import (
    CREATE,
    Leftovers,
    grab,
    new_token,
    remove,
    scan,
    size_of,
    state_paths,
    sweep,
)

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = ".docs.7."


def leave(folder: Path, token: str = "abcdef010", data: bytes = b"bytes") -> Path:
    """Write a part file and its state, as a process that has ended leaves them."""
    part = folder / f"{PREFIX}{token}.part"
    part.write_bytes(data)
    state_paths(part)[0].write_bytes(b'{"version": 1, "artifact_id": 7, "repository": ""}')
    return part


def names(folder: Path) -> set[str]:
    """Return what is in a folder."""
    return {path.name for path in folder.iterdir()}


# --- finding


def test_scan(tmp_path: Path) -> None:
    """Parts are found by artifact; a state without its part is removed, everything else is left alone."""
    first, second = leave(tmp_path), tmp_path / ".do.cs.8.ef0123456.part"
    second.write_bytes(b"")
    (tmp_path / ".docs.7.deaddead0.part.json").write_bytes(b'{"version": 1, "artifact_id": 7, "x": 1}')
    (tmp_path / ".docs.7.deaddead0.part.json.new").write_bytes(b"{")
    others = {
        "docs.zip",
        "x.part",
        ".hidden",
        ".x.json",
        ".x.part.json",
        ".y.part.json.new",
        ".art-1.1.notes.part",
        ".docs.zip.gh-artifacts.json",
    }
    for name in others:
        (tmp_path / name).write_bytes(b"")
    assert scan(tmp_path) == {PREFIX: [first], ".do.cs.8.": [second]}
    assert names(tmp_path) == others | {first.name, f"{first.name}.json", second.name}
    assert scan(tmp_path / "absent") == {}


def test_a_scan_that_only_looks(tmp_path: Path) -> None:
    """A dry run removes nothing."""
    (tmp_path / ".docs.7.deaddead0.part.json").write_bytes(b'{"version": 1, "artifact_id": 7, "x": 1}')
    assert scan(tmp_path, sweeps=False) == {}
    assert names(tmp_path) == {".docs.7.deaddead0.part.json"}


async def test_each_part_is_given_out_once(tmp_path: Path) -> None:
    """Two downloads of one client never get the same part file."""
    part = leave(tmp_path)
    known = Leftovers()
    assert known.of(tmp_path, ".other.9.") == []
    assert known.of(tmp_path, PREFIX) == [part]
    assert known.of(tmp_path, PREFIX) == []


async def test_a_folder_is_read_every_few_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of artifacts of one folder cost one scan, until it is older than five seconds."""
    scans: list[Path] = []
    monkeypatch.setattr(leftovers, "scan", lambda folder: (scans.append(folder), scan(folder))[1])
    known = Leftovers()
    for number in range(1000):
        assert known.of(tmp_path, f".docs.{number}.") == []
    assert scans == [tmp_path]
    part = leave(tmp_path)
    assert known.of(tmp_path, PREFIX) == []
    await asyncio.sleep(5.1)
    assert known.of(tmp_path, PREFIX) == [part]
    assert len(scans) == 2


async def test_a_part_of_this_client_is_known_without_a_scan(tmp_path: Path) -> None:
    """What a failed download has just left is found by the next one; a part that was removed is not."""
    known = Leftovers()
    part = leave(tmp_path)
    known.add(part, PREFIX)  # the folder was never read: its first scan finds the part
    assert known.of(tmp_path, PREFIX) == [part]
    known.add(part, PREFIX)
    known.add(tmp_path / f"{PREFIX}01234567890.part", PREFIX)
    assert known.of(tmp_path, PREFIX) == [part]


# --- taking


def test_grab(tmp_path: Path) -> None:
    """A part is renamed to a name of our own and comes back open, for reading and writing."""
    part, mine = leave(tmp_path), tmp_path / f"{PREFIX}0123456789.part"
    descriptor = grab(part, mine)
    assert descriptor is not None
    assert os.pread(descriptor, 99, 0) == b"bytes"
    assert os.pwrite(descriptor, b"B", 0) == 1
    os.close(descriptor)
    assert mine.read_bytes() == b"Bytes"
    assert not part.exists()


def test_a_part_that_is_locked_or_gone(tmp_path: Path) -> None:
    """What a living process holds stays under its name; what is gone is not there to be taken."""
    part, mine = leave(tmp_path), tmp_path / f"{PREFIX}0123456789.part"
    with part.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert grab(part, mine) is None
    assert part.exists()
    assert grab(tmp_path / f"{PREFIX}01234567890.part", mine) is None
    assert not mine.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link in a part's place is neither taken nor written through, nor is one where a part is created."""
    (tmp_path / "victim").write_bytes(b"mine")
    link, mine = tmp_path / f"{PREFIX}0123456789a.part", tmp_path / f"{PREFIX}0123456789.part"
    link.symlink_to(tmp_path / "victim")
    assert grab(link, mine) is None
    with pytest.raises(FileExistsError):
        os.open(link, CREATE)
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert names(tmp_path) == {"victim", link.name}


def test_of_many_that_grab_one_wins(tmp_path: Path) -> None:
    """However many try at once, one gets the part."""
    for _ in range(20):
        part = leave(tmp_path)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda at, part=part: grab(part, part.with_name(f"{PREFIX}{at}.part")), range(8)))
        won = [descriptor for descriptor in found if descriptor is not None]
        for descriptor in won:
            os.close(descriptor)
        assert len(won) == 1


@pytest.mark.parametrize("held", [False, True])
def test_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, held: bool) -> None:
    """Where an open file cannot be renamed, the rename alone tells whether the part is held."""
    part, mine = leave(tmp_path), tmp_path / f"{PREFIX}0123456789.part"

    def refuse(*_: object) -> None:
        raise PermissionError(13, "used by another process")

    monkeypatch.setattr(leftovers.os, "name", "nt")
    if held:
        monkeypatch.setattr(type(part), "rename", refuse)
    descriptor = grab(part, mine)
    assert (descriptor is None) is held
    if descriptor is not None:
        os.close(descriptor)
    monkeypatch.undo()
    assert (part.exists(), mine.exists()) == (held, not held)


# --- removing


def test_sweep(tmp_path: Path) -> None:
    """A part goes with its state, also with one that was being written; one that is held stays."""
    part, mine = leave(tmp_path), tmp_path / f"{PREFIX}0123456789.part"
    state_paths(part)[1].write_bytes(b"{")
    with part.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        sweep(part, mine)
    assert len(names(tmp_path)) == 3
    sweep(part, mine)
    assert names(tmp_path) == set()
    sweep(part, mine)


def test_what_cannot_be_removed_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no error: a later run tries again."""
    part = leave(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "no")

    with monkeypatch.context() as patched:
        patched.setattr(type(part), "unlink", refuse)
        remove(part)
        sweep(part, tmp_path / f"{PREFIX}0123456789.part")
    assert len(scan(tmp_path, sweeps=False)[PREFIX]) == 1
    remove(tmp_path / "absent")


def test_size_of(tmp_path: Path) -> None:
    """A part that is gone has no bytes."""
    assert (size_of(leave(tmp_path)), size_of(tmp_path / "absent")) == (5, 0)


# --- names


def test_tokens_are_never_the_same() -> None:
    """Two part files of one process differ, and so do those of a fork."""
    tokens = [new_token() for _ in range(1000)]
    assert len(set(tokens)) == 1000
    assert not any("." in token for token in tokens)  # the dot ends the token in a part's name
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.write(sending, new_token().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(receiving, 99).decode()
    os.close(receiving)
    os.close(sending)
    assert theirs[:8] != tokens[0][:8]


def test_state_paths(tmp_path: Path) -> None:
    """A part's state stands beside it; it is written under another name first."""
    state, new = state_paths(tmp_path / ".docs.7.ab.part")
    assert (state.name, new.name) == (".docs.7.ab.part.json", ".docs.7.ab.part.json.new")
    assert state.parent == new.parent == tmp_path
