from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gh_artifacts_async.archive import (
    BytesReader,
    audit_reader,
    extract,
)
from gh_artifacts_async.archive.parallel import plan_batches
from gh_artifacts_async.errors import ArchiveError
from tests.kits.archives import Entry, build
from tests.kits.unpacking import LARGE, MIXED, contents


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_folder_appears_whole(threads, way, mixed, tmp_path):
    """Every file with its bytes, missing parents created, nothing beside it; files are returned in archive order."""
    assert way
    out = tmp_path / "x" / "y" / "out"
    members = extract(mixed, out, threads=threads)
    assert contents(out) == MIXED
    assert [(member.name, member.size, member.path) for member in members] == [
        (name, len(data), out / name) for name, data in MIXED.items()
    ]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_relative_destination_stays_relative(mixed, tmp_path, monkeypatch):
    """Paths are given back as the caller's path is; the current folder itself may be the destination."""
    monkeypatch.chdir(tmp_path)
    assert extract(mixed, "out")[0].path == Path("out/a.txt")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    extract(mixed, ".")
    assert contents(here) == MIXED


def test_an_empty_archive_makes_an_empty_folder(unpack):
    """It is legal, and so is what it makes."""
    assert unpack(build()) == {}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("if_exists", ["error", "replace"])
def test_nothing_is_left_of_a_broken_archive(threads, if_exists, broken, tmp_path):
    """Neither the folder, nor its parents, nor the staging folder; what was there before is there still."""
    with pytest.raises(ArchiveError) as caught:
        extract(broken, tmp_path / "x" / "y" / "out", threads=threads, if_exists=if_exists)
    assert (caught.value.rule, caught.value.member) == ("crc", "zz.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    if if_exists == "replace":
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").write_bytes(b"1")
        with pytest.raises(ArchiveError):
            extract(broken, tmp_path / "out", threads=threads, if_exists=if_exists)
        assert contents(tmp_path) == {"in/broken.zip": broken.read_bytes(), "out/mine": b"1"}


def test_progress_counts_up_to_all(mixed, tmp_path):
    """Bytes and members, never backwards, from whatever thread."""
    seen = []
    extract(mixed, tmp_path / "out", progress=lambda done, members: seen.append((done, members)))
    assert seen == sorted(seen)
    assert seen[-1] == (sum(map(len, MIXED.values())), len(MIXED))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_keyboard_interrupt_leaves_nothing(threads, mixed, tmp_path):
    """In whichever thread it is seen first, it is what comes out."""

    def progress(_done: int, members: int) -> None:
        if members == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(mixed, tmp_path / "out", threads=threads, progress=progress)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_interrupt_while_waiting_for_helpers_stops_them(mixed, tmp_path, monkeypatch):
    """The thread that waits is the one that gets Ctrl-C."""
    join = threading.Thread.join
    interrupted = []

    def once(self: threading.Thread, timeout: float | None = None) -> None:
        if not interrupted:
            interrupted.append(self.name)
            raise KeyboardInterrupt
        join(self, timeout)

    monkeypatch.setattr(threading.Thread, "join", once)
    with pytest.raises(KeyboardInterrupt):
        extract(mixed, tmp_path / "out", threads=2)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_thread_that_cannot_start_leaves_nothing(tmp_path, monkeypatch):
    """Those that did start are waited for."""
    start = threading.Thread.start
    started = []

    def second_fails(self: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", second_fails)
    many = tmp_path / "many.zip"
    many.write_bytes(build(*(Entry(f"{n}", LARGE * 10, method=8) for n in range(4))))
    with pytest.raises(RuntimeError, match="new thread"):
        extract(many, tmp_path / "out", threads=3)
    assert [path.name for path in tmp_path.iterdir()] == ["many.zip"]
    assert not started[0].is_alive()


def test_batches_share_members_out():
    """Small ones all in one batch, for one thread; large ones in batches, the very largest first."""
    sizes = [10, 5 * 2**20, 20, 9 * 2**20, 2**20, 2**20, 2**20, 2**20]
    entries = [Entry(f"{n}", b"", method=8, packed=b"\3\0", size=size) for n, size in enumerate(sizes)]
    archive = audit_reader(BytesReader(build(*entries)))
    small, large = plan_batches(archive.members)
    assert [list(batch) for batch in small] == [[0, 2]]
    assert [list(batch) for batch in large] == [[3], [1], [4, 5, 6], [7]]
    assert plan_batches(tuple(archive.members)) == (small, large)
    assert [list(queue) for queue in plan_batches([])] == [[], []]
