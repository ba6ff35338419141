from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from gh_artifacts_async.archive import (
    BytesReader,
    Extraction,
    FileReader,
    audit_reader,
    extract,
    extract_all,
    extraction,
    folders,
    parse_tail,
    staging,
)
from gh_artifacts_async.archive.parallel import plan_batches
from gh_artifacts_async.errors import ArchiveError, DestinationExistsError, OutOfSpaceError, UnsafeMemberError
from gh_artifacts_async.settings import ExtractPolicy
from tests.kits.archives import FILE, FOLDER, LINK, Entry, build

LARGE = bytes(range(256)) * 2000
MIXED = {"a.txt": b"alpha", "d/b.bin": LARGE, "d/e/c.bin": LARGE[1:], "d/e/empty": b"", "z.bin": LARGE[2:]}
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and links")


def _mixed(**more: bytes) -> bytes:
    return build(*(Entry(name, data, method=8, flags=8) for name, data in {**MIXED, **more}.items()))


def _contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Return a good archive in a folder of its own."""
    path = tmp_path / "in" / "mixed.zip"
    path.parent.mkdir()
    path.write_bytes(_mixed())
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return an archive whose last member has a wrong CRC."""
    path = tmp_path / "in" / "broken.zip"
    path.parent.mkdir(exist_ok=True)
    entries = [Entry(name, data, method=8) for name, data in MIXED.items()]
    path.write_bytes(build(*entries, Entry("zz.bin", LARGE, method=8, crc=1)))
    return path


@pytest.fixture(params=["descriptors", "paths"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make files relative to open folders, or by their paths as on Windows."""
    if request.param == "descriptors" and not folders.HAS_DIR_FD:
        pytest.skip("this platform has no dir_fd")
    monkeypatch.setattr(folders, "HAS_DIR_FD", request.param == "descriptors")
    return request.param


@pytest.fixture
def masked() -> object:
    """Return a function that sets the umask until the test ends."""
    with contextlib.ExitStack() as undo:

        def set_umask(mask: int) -> None:
            undo.callback(os.umask, os.umask(mask))

        yield set_umask


# --- what appears ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_folder_appears_whole(threads, way, mixed, tmp_path):
    """Every file with its bytes, missing parents made, and nothing beside it; files are told in the archive's order."""
    assert way
    out = tmp_path / "x" / "y" / "out"
    members = extract(mixed, out, threads=threads)
    assert _contents(out) == MIXED
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
    assert _contents(here) == MIXED


def test_an_empty_archive_makes_an_empty_folder(unpack):
    """It is legal, and so is what it makes."""
    assert unpack(build()) == {}


@posix
@pytest.mark.parametrize(
    ("umask", "file", "program"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0, 0o644, 0o755)]
)
def test_modes_are_plain(umask, file, program, way, tmp_path, masked):
    """0644 or 0755 less the umask, whatever the archive says: no setuid, nothing unreadable, usable folders."""
    assert way
    masked(umask)
    modes = {"plain": 0o100644, "none": 0o100000, "open": 0o100666, "setuid": 0o104755, "all": 0o100777, "x": 0o100001}
    entries = [Entry(name, b"x", attributes=mode << 16) for name, mode in modes.items()]
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(*entries, Entry("d/", attributes=0o040000 << 16 | 0x10), Entry("d/f", b"x")))
    members = extract(archive, tmp_path / "out")
    found = {member.name: stat.S_IMODE(member.path.stat().st_mode) for member in members}
    assert found == {
        "plain": file,
        "none": file,
        "open": file,
        "setuid": program,
        "all": program,
        "x": program,
        "d/f": file,
    }
    assert {member.name for member in members if member.executable} == {"setuid", "all", "x"}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == program
    assert stat.S_IMODE((tmp_path / "out" / "d").stat().st_mode) == program


@posix
def test_folders_are_usable_under_any_umask(way, mixed, tmp_path, masked):
    """Even where the umask takes the owner's own permissions away."""
    assert way
    masked(0o377)
    extract(mixed, tmp_path / "out")
    masked(0o022)
    assert stat.S_IMODE((tmp_path / "out" / "d" / "e").stat().st_mode) & 0o700 == 0o700
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) & 0o700 == 0o700


@posix
def test_an_empty_folder_is_filled_and_keeps_its_mode(mixed, tmp_path):
    """Whoever made it private wants it so."""
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    extract(mixed, out)
    assert _contents(out) == MIXED
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_times_are_kept_where_they_make_sense(way, tmp_path):
    """The archive's time, unless it is none or lies in the future."""
    assert way
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(Entry("good", b"x"), Entry("none", b"x", date=0), Entry("future", b"x", date=0xFF9F)))
    began = time.time()
    extract(archive, tmp_path / "out")
    assert (tmp_path / "out" / "good").stat().st_mtime == 1_704_067_200
    for name in ("none", "future"):
        assert abs((tmp_path / "out" / name).stat().st_mtime - began) < 100


def test_durable_syncs_files_and_folders(way, mixed, tmp_path, monkeypatch):
    """Every file, every folder, and the folder that holds the new one."""
    assert way
    synced = []
    whole = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(os.fstat(descriptor).st_ino), whole(descriptor)))
    out = tmp_path / "out"
    extract(mixed, out, durable=True)
    expected = [out, out.parent, *out.rglob("*")]
    if os.name == "nt":
        expected = [path for path in expected if path.is_file()]
    assert sorted(synced) == sorted(path.stat().st_ino for path in expected)


@pytest.mark.slow
def test_deep_trees_are_made_and_removed(way, tmp_path):
    """More folders than may be open at once, in turns; and no recursion however deep."""
    assert way
    names = ["/".join([f"r{root}", *"abcdefghij" * 9, f"{leaf}"]) for leaf in range(3) for root in range(20)]
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(*(Entry(name, name.encode()) for name in names)))
    extract(archive, tmp_path / "out")
    assert _contents(tmp_path / "out") == {name: name.encode() for name in names}
    deep = "/".join(["d"] * 1500)
    archive.write_bytes(build(Entry(deep, b"x"), Entry("bad", b"x", crc=0)))
    with pytest.raises(ArchiveError):
        extract(archive, tmp_path / "deep", ExtractPolicy(max_depth=None))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out"]
    staging.remove_tree(tmp_path / "out")


# --- what is there already ---------------------------------------------------------------------------------------


def test_a_full_folder_is_left_alone(mixed, tmp_path):
    """There is no merging; nothing is written, and the message says what to do."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_bytes(b"1")
    with pytest.raises(DestinationExistsError, match="not empty") as caught:
        extract(mixed, out)
    assert caught.value.filename == str(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert _contents(out) == {"mine": b"1"}


def test_a_full_folder_may_be_replaced(mixed, tmp_path):
    """The old folder goes only when the new one is whole, and nothing of it stays."""
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "mine").write_bytes(b"1")
    extract(mixed, out, if_exists="replace")
    assert _contents(out) == MIXED
    extract(mixed, out, if_exists="replace")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    extract(mixed, tmp_path / "new", if_exists="replace")
    assert _contents(tmp_path / "new") == MIXED


@posix
@pytest.mark.parametrize("if_exists", ["error", "replace"])
def test_files_and_links_are_never_replaced(if_exists, mixed, tmp_path):
    """Only a folder takes a folder's place."""
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("file", "link", "dangling"):
        with pytest.raises(DestinationExistsError, match="left as it is"):
            extract(mixed, tmp_path / name, if_exists=if_exists)
    with pytest.raises(NotADirectoryError):
        extract(mixed, tmp_path / "file" / "out", if_exists=if_exists)
    assert len(list(tmp_path.iterdir())) == 5


def test_the_old_folder_comes_back_when_the_new_one_cannot(mixed, tmp_path, monkeypatch):
    """Between the two renames anything may go wrong, a keyboard interrupt too."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_bytes(b"1")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if ".gh-artifacts-unpacking-" in self.name:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(KeyboardInterrupt):
        extract(mixed, out, if_exists="replace")
    assert _contents(out) == {"mine": b"1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


@posix
@pytest.mark.parametrize("thing", ["file", "folder"])
def test_what_comes_into_the_way_meanwhile_stays(thing, mixed, tmp_path):
    """The destination was free at the start, and is taken at the end."""
    out = tmp_path / "out"
    with FileReader(mixed) as reader, Extraction(audit_reader(reader), out) as task:
        extract_all(task, reader)
        if thing == "file":
            out.write_bytes(b"1")
        else:
            out.mkdir()
            (out / "mine").write_bytes(b"1")
        with pytest.raises(DestinationExistsError):
            task.commit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert out.read_bytes() == b"1" if thing == "file" else _contents(out) == {"mine": b"1"}


def test_other_failures_of_the_rename_pass_through(mixed, tmp_path, monkeypatch):
    """A permission that went away is no destination that is taken."""

    def failing(_self: Path, _target: Path) -> None:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(PermissionError):
        extract(mixed, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


# --- what goes wrong ---------------------------------------------------------------------------------------------


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
        assert _contents(tmp_path) == {"in/broken.zip": broken.read_bytes(), "out/mine": b"1"}


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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_is_told_from_other_failures(number, mixed, tmp_path, monkeypatch):
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


@pytest.mark.skipif(not folders.HAS_DIR_FD, reason="needs dir_fd")
@pytest.mark.parametrize("call", ["open", "mkdir"])
def test_other_failures_of_making_pass_through(call, mixed, tmp_path, monkeypatch):
    """Neither about the name nor about space: the system's own error, and nothing left."""
    whole = getattr(os, call)

    def failing(path: object, *args: object, dir_fd: int | None = None) -> object:
        if str(path) in {"e", "a.txt"}:
            raise PermissionError(errno.EACCES, "denied")
        return whole(path, *args, **({} if dir_fd is None else {"dir_fd": dir_fd}))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        with pytest.raises(PermissionError):
            extract(mixed, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_short_writes_are_continued(mixed, tmp_path, monkeypatch):
    """The system may take less than it was given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:100_000])))
    extract(mixed, tmp_path / "out")
    assert _contents(tmp_path / "out") == MIXED


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


def test_a_staging_folder_that_cannot_be_made_leaves_nothing(mixed, tmp_path, monkeypatch):
    """The parents that were made for it go, too."""

    def failing(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(staging.Staging, "_probe_mode", failing)
        with pytest.raises(OutOfSpaceError):
            extract(mixed, tmp_path / "x" / "y" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@posix
def test_removing_follows_no_link_and_goes_on_after_failures(tmp_path, monkeypatch):
    """What cannot be removed is left, and everything else goes."""
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "file").write_bytes(b"1")
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "stuck").write_bytes(b"1")
    (tree / "link").symlink_to(keep)
    unlink = os.unlink

    def failing(path: str) -> None:
        if path.endswith("stuck"):
            raise PermissionError(errno.EACCES, "denied")
        unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", failing)
        staging.remove_tree(tree)
    assert [path.name for path in tree.rglob("*")] == ["sub", "stuck"]
    assert _contents(keep) == {"file": b"1"}


# --- what the destination cannot hold ----------------------------------------------------------------------------


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
    assert len(_contents(tmp_path / "both")) == len(names)
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
    assert len(_contents(tmp_path / "out")) == 2


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
        with pytest.raises(UnsafeMemberError, match="cannot hold") as caught:
            extract(archive, tmp_path / "out")
    assert caught.value.rule == "destination"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_windows_takes_portable_names_only(tmp_path, monkeypatch):
    """There "native" means the same as "portable", and is told before anything is made."""
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


@posix
def test_windows_steps_are_taken_there(mixed, tmp_path, monkeypatch):
    """An empty folder is removed before the rename, a busy one waited for, and no folder is synced."""
    monkeypatch.setattr(staging, "_WINDOWS", True)
    monkeypatch.setattr(staging, "_SCANNER_PATIENCE", (0.0, 0.0))
    rename, held = Path.rename, []

    def busy(self: Path, target: Path) -> Path:
        if len(held) < 1:
            held.append(self)
            raise PermissionError(errno.EACCES, "used by another process")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", busy)
    out = tmp_path / "out"
    out.mkdir()
    extract(mixed, out, durable=True)
    assert _contents(out) == MIXED
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(PermissionError(errno.EACCES, "held")))
    (tmp_path / "held").mkdir()
    with pytest.raises(PermissionError):
        extract(mixed, tmp_path / "held")
    assert list((tmp_path / "held").iterdir()) == []


@posix
def test_links_in_an_archive_never_lead_out(tmp_path):
    """Left out, and what is named like them is made as a plain folder."""
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = tmp_path / "a.zip"
    archive.write_bytes(build(Entry("l", str(outside).encode(), attributes=LINK), Entry("l/f", b"1", attributes=FILE)))
    extract(archive, tmp_path / "out", ExtractPolicy(symlinks="skip"))
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "out" / "l").is_symlink()


@pytest.mark.skipif(not folders.HAS_DIR_FD, reason="needs dir_fd")
def test_a_link_slipped_into_the_staging_folder_is_not_followed(tmp_path):
    """Every folder is opened without following links, and every file must be new."""
    outside = tmp_path / "outside"
    outside.mkdir()
    data = build(Entry("d/f", b"1"), Entry("g", b"2"))
    archive = audit_reader(BytesReader(data))
    with Extraction(archive, tmp_path / "out") as task:
        inside = next(tmp_path.glob(".gh-artifacts-unpacking-*"))
        (inside / "d").rmdir()
        (inside / "d").symlink_to(outside)
        with pytest.raises(OSError, match=r"Not a directory|symbolic"):
            task.extract_members(BytesReader(data), [archive["d/f"]])
        (inside / "g").symlink_to(outside / "g")
        with pytest.raises(UnsafeMemberError):
            task.extract_members(BytesReader(data), [archive["g"]])
    assert list(outside.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]


# --- step by step ------------------------------------------------------------------------------------------------


def test_members_are_extracted_while_the_rest_arrives(tmp_path):
    """Only the tail was audited; each member is read when its own bytes are there."""
    data = _mixed()
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
    assert _contents(tmp_path / "out") == MIXED
    assert [member.name for member in members] == list(MIXED)


def test_some_members_of_a_remote_archive(tmp_path):
    """Their compressed bytes come from anywhere; only their folders are made."""
    data = _mixed(**{"other/f": b"1"})
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
    data = _mixed()
    archive = audit_reader(BytesReader(data))
    task = Extraction(archive, tmp_path / "out")
    with pytest.raises(RuntimeError, match="not begun"):
        task.extract_members(BytesReader(data), archive.members)
    with task:
        task.stop()
        with pytest.raises(CancelledError):
            task.extract_members(BytesReader(data), archive.members)
    with pytest.raises(RuntimeError, match="over"):
        task.write_member(archive["a.txt"], [])
    assert list(tmp_path.iterdir()) == []


def test_batches_share_members_out():
    """Small ones all in one batch, for one thread; large ones in batches, the very largest first."""
    sizes = [10, 5 * 2**20, 20, 9 * 2**20, 2**20, 2**20, 2**20, 2**20]
    entries = [Entry(f"{n}", b"", method=8, packed=b"\3\0", size=size) for n, size in enumerate(sizes)]
    archive = audit_reader(BytesReader(build(*entries)))
    small, large = plan_batches(archive.members)
    assert [[member.name for member in batch] for batch in small] == [["0", "2"]]
    assert [[member.name for member in batch] for batch in large] == [["3"], ["1"], ["4", "5", "6"], ["7"]]
    assert [list(queue) for queue in plan_batches([])] == [[], []]
