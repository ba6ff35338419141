from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from gh_artifacts_async.archive import (
    BytesReader,
    Extraction,
    FileReader,
    audit_reader,
    extract,
    extraction,
    folders,
    parse_tail,
)
from gh_artifacts_async.errors import OutOfSpaceError, UnsafeMemberError
from tests.kits.archives import FOLDER, Entry, build
from tests.kits.unpacking import MIXED, contents, mixed_zip, posix


def test_folders_with_packed_data_must_be_empty(refuse, unpack):
    """Some writers deflate the nothing of a folder; that nothing is checked."""
    nothing = b"\3\0"
    assert unpack(build(Entry("d/", attributes=FOLDER, method=8, packed=nothing))) == {"d/": b""}
    refuse(build(Entry("d/", attributes=FOLDER, method=8, packed=b"\x4b\4\0", crc=0, size=0)), "size", audited=False)


@pytest.mark.parametrize("form", ["event", "callable"])
def test_cancelling_leaves_nothing(form, mixed, tmp_path):
    """Asked between chunks; what was written goes."""
    event = threading.Event()
    seen = []

    def progress(done: int, _members: int) -> None:
        seen.append(done)
        if done > 300_000:
            event.set()

    with pytest.raises(CancelledError):
        extract(mixed, tmp_path / "out", progress=progress, cancel=event if form == "event" else event.is_set)
    assert seen[-1] < sum(map(len, MIXED.values()))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    with pytest.raises(CancelledError):
        extract(mixed, tmp_path / "out", cancel=lambda: True)
    folder = tmp_path / "in" / "d.zip"
    folder.write_bytes(build(Entry("d/", attributes=FOLDER)))
    answers = iter([False, False, True])
    with pytest.raises(CancelledError):
        extract(folder, tmp_path / "out", cancel=lambda: next(answers))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_is_an_error_of_its_own(number, mixed, tmp_path, monkeypatch):
    """The error is an OSError with the system's number, and knows how much was needed."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 1000:
            raise OSError(number, os.strerror(number))
        return write(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OutOfSpaceError) as caught:
            extract(mixed, tmp_path / "deeper" / "out")
    assert (caught.value.errno, caught.value.needed) == (number, sum(map(len, MIXED.values())))
    assert caught.value.free > 0
    assert caught.value.filename == str(tmp_path / "deeper" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    monkeypatch.setattr("shutil.disk_usage", lambda _: (_ for _ in ()).throw(OSError(5, "no")))
    assert extraction._free(tmp_path) is None


def test_other_write_failures_pass_through(mixed, tmp_path, monkeypatch):
    """EIO stays EIO."""

    def failing(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", failing)
        with pytest.raises(OSError, match="Input/output") as caught:
            extract(mixed, tmp_path / "out")
    assert type(caught.value) is OSError
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_short_writes_are_continued(mixed, tmp_path, monkeypatch):
    """The system may take less than it was given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:100_000])))
    extract(mixed, tmp_path / "out")
    assert contents(tmp_path / "out") == MIXED


@posix
def test_a_real_file_size_limit_leaves_nothing(mixed, tmp_path):
    """RLIMIT_FSIZE in a process of its own, as a batch system sets it."""
    code = (
        "import resource, sys\n"
        "from gh_artifacts_async.archive import extract\n"
        "from gh_artifacts_async.errors import OutOfSpaceError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    extract(sys.argv[1], sys.argv[2])\n"
        "except OutOfSpaceError as error:\n    print(error.errno)\n"
    )
    done = subprocess.run(  # noqa: S603 - a fixed program
        [sys.executable, "-c", code, str(mixed), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
        env={
            name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")
        },  # its file is cut too
    )
    assert done.stdout.strip() == str(errno.EFBIG)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


class _Folding:
    """A destination that takes names that differ in case for the same."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        opened, made, exists = os.open, os.mkdir, Path.exists

        def fold(path: object, dir_fd: int | None) -> object:
            return str(path).lower() if dir_fd is not None else path

        monkeypatch.setattr(
            os, "open", lambda p, f, m=0o777, *, dir_fd=None: opened(fold(p, dir_fd), f, m, dir_fd=dir_fd)
        )
        monkeypatch.setattr(os, "mkdir", lambda p, m=0o777, *, dir_fd=None: made(fold(p, dir_fd), m, dir_fd=dir_fd))
        self.probed = False

        def exists_folded(path: Path) -> bool:
            if ".gh-artifacts-unpacking" in path.parent.name:
                self.probed = True
                return exists(path) or exists(path.with_name(path.name.lower()))
            return exists(path)

        monkeypatch.setattr(Path, "exists", exists_folded)


@pytest.mark.skipif(not folders.HAS_DIR_FD, reason="needs dir_fd")
@pytest.mark.parametrize("names", [["a", "A"], ["d/x", "D/y"], ["q/A", "q/a", "z"], ["m", "M/x"], ["d/e/x", "d/E/x"]])
def test_twins_are_refused_where_the_destination_folds_them(names, tmp_path, monkeypatch):
    """Found by a probe, or by O_EXCL where the probe says nothing; never merged, never overwritten."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(*(Entry(name, name.encode()) for name in names)))
    extract(archive, tmp_path / "both")
    assert len(contents(tmp_path / "both")) == len(names)
    with monkeypatch.context() as patch:
        folding = _Folding(patch)
        with pytest.raises(UnsafeMemberError) as caught:
            extract(archive, tmp_path / "out")
    assert folding.probed
    assert caught.value.rule == "twin"
    with monkeypatch.context() as patch:
        _Folding(patch)
        patch.setattr(Extraction, "_probe_twins", lambda *_: None)
        with pytest.raises(UnsafeMemberError) as caught:
            extract(archive, tmp_path / "out")
    assert caught.value.rule == "twin"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "both"]


def test_a_probe_that_fails_leaves_it_to_the_members(tmp_path, monkeypatch):
    """A name that cannot be made is refused when its turn comes, not by the probe."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(Entry("A", b"1"), Entry("a", b"2")))
    mkdir = Path.mkdir

    def failing(self: Path, *args: object, **kwargs: object) -> None:
        if self.name == "A":
            raise OSError(errno.EINVAL, "Invalid argument")
        mkdir(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", failing)
    extract(archive, tmp_path / "out")
    assert len(contents(tmp_path / "out")) == 2


@pytest.mark.parametrize("name", ["bad:name", "bad:folder/x"])
@pytest.mark.parametrize(
    "error",
    [OSError(errno.EINVAL, "Invalid argument"), UnicodeEncodeError("ascii", "\xe9", 0, 1, "ordinal not in range(128)")],
)
def test_a_name_the_file_system_does_not_take_is_refused(name, error, way, tmp_path, monkeypatch):
    """Vfat answers EINVAL to a colon; a locale without UTF-8 cannot even ask."""
    assert way
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(Entry("ok", b"1"), Entry(name, b"2")))
    whole = {"open": os.open, "mkdir": os.mkdir}

    def vfat(call: str):
        def run(path: object, *args: object, **kwargs: object) -> object:
            if "bad:" in str(path):
                raise error
            return whole[call](path, *args, **kwargs)

        return run

    with monkeypatch.context() as patch:
        for call in whole:
            patch.setattr(os, call, vfat(call))
        with pytest.raises(UnsafeMemberError, match="cannot store") as caught:
            extract(archive, tmp_path / "out")
    assert caught.value.rule == "destination"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_windows_takes_portable_names_only(tmp_path, monkeypatch):
    """There "native" means the same as "portable", and is checked before anything is created."""
    monkeypatch.setattr(extraction, "_WINDOWS", True)
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(Entry("d/aux.c", b"1")))
    with pytest.raises(UnsafeMemberError) as caught:
        extract(archive, tmp_path / "out")
    assert caught.value.rule == "device-name"
    archive.write_bytes(build(Entry("d/a.c", b"1")))
    extract(archive, tmp_path / "out")


@posix
def test_a_path_too_long_below_the_destination_is_refused(tmp_path):
    """PATH_MAX counts from the root of the file system."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(Entry("/".join(["n" * 200] * 20), b"1")))
    with pytest.raises(UnsafeMemberError, match="too long") as caught:
        extract(archive, tmp_path / ("o" * 100) / "out")
    assert caught.value.rule == "path-length"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_members_are_extracted_while_the_rest_arrives(tmp_path):
    """Only the tail was audited; each member is read when its own bytes are there."""
    data = mixed_zip()
    archive = parse_tail(data, len(data))
    part = tmp_path / "part"
    part.touch()
    with FileReader(part, size=len(data)) as reader, Extraction(archive, tmp_path / "out") as task:
        with pytest.raises(RuntimeError, match="0 of 5"):
            task.commit()
        for member in archive:
            with part.open("ab") as stream:
                stream.write(data[stream.tell() : member.span_end])
            thread = threading.Thread(target=task.extract_members, args=(reader, [member]))
            thread.start()
            thread.join()
        members = task.commit()
        task.abort()
    assert contents(tmp_path / "out") == MIXED
    assert [member.name for member in members] == list(MIXED)


def test_some_members_of_a_remote_archive(tmp_path):
    """Their compressed bytes come from anywhere; only their folders are created."""
    data = mixed_zip(**{"other/f": b"1"})
    archive = audit_reader(BytesReader(data))
    chosen = (archive["d/e/c.bin"], archive["a.txt"])
    with Extraction(archive, tmp_path / "out", members=chosen) as task:
        for member in chosen:
            begin = member.header_offset + 30 + len(member.name)
            packed = data[begin : begin + member.compressed_size]
            task.write_member(member, [packed[at : at + 999] for at in range(0, len(packed), 999)])
        members = task.commit()
    assert [member.name for member in members] == ["d/e/c.bin", "a.txt"]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "out",
        "out/a.txt",
        "out/d",
        "out/d/e",
        "out/d/e/c.bin",
    ]


def test_an_extraction_that_is_over_takes_nothing_more(tmp_path):
    """Neither after abort, nor before the beginning; stopping ends threads with CancelledError."""
    data = mixed_zip()
    archive = audit_reader(BytesReader(data))
    task = Extraction(archive, tmp_path / "out")
    with pytest.raises(RuntimeError, match="not started"):
        task.extract_members(BytesReader(data), archive.members)
    with task:
        task.stop()
        with pytest.raises(CancelledError):
            task.extract_members(BytesReader(data), archive.members)
    with pytest.raises(RuntimeError, match="has ended"):
        task.write_member(archive["a.txt"], [])
    assert list(tmp_path.iterdir()) == []


def test_contents_of_another_kind(tmp_path):
    """A caller can provide the members' bytes itself, and read members through without writing them."""
    data = build(Entry("a", b"1"), Entry("b", b"2"))
    directory = audit_reader(BytesReader(data))
    with Extraction(directory, tmp_path / "out") as it:
        it.extract_members(BytesReader(data), directory.members, lambda _, member: iter([member.name.encode(), b"!"]))
        it.read_through(iter([b"never", b"written"]))
        it.commit()
        it.stop()
        with pytest.raises(CancelledError):
            it.read_through(iter([b"x"]))
    assert contents(tmp_path / "out") == {"a": b"a!", "b": b"b!"}
