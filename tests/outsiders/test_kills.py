"""Row 8, the rest: kill -9 before each file-system call that puts a folder, a record or a durable file in place."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import itertools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import DestinationExistsError, OutOfSpaceError
from gh_artifacts_async.archive import Extraction, audit, extract, leftovers
from gh_artifacts_async.archive.leftovers import sweep_beside
from tests.kits.processes import ROOT, environment
from tests.kits.transfer import add, client_for, get
from tests.kits.zips import entries, make, tree

if TYPE_CHECKING:
    from gh_artifacts_async import ArtifactsClient
    from gh_artifacts_async.settings import IfExists
    from gh_artifacts_async.testing import FakeGitHub

FILES = {"a.txt": b"1", "d/b.bin": b"22"}
OLD = {"a.txt": b"0", "d/b.bin": b"00"}  # the same names and sizes: only a true record tells them apart
RECORD = ".docs.gh-artifacts.json"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")


async def _killed(base: Path, **plan: Any) -> int:
    """Let processes be killed before each call; return how many folders there are."""
    base.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.kits.kill_program", json.dumps({"base": str(base), **plan})),
        cwd=ROOT,
        env=environment(base),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return int(out)


def _zipped(path: Path, files: dict[str, bytes]) -> str:
    path.write_bytes(make(files))
    return str(path)


WAYS = [
    pytest.param(*way, marks=[pytest.mark.sample] if way == ("replace", True, True) else [])
    for way in itertools.product(["skip", "error", "replace"], [False, True], [False, True])
]

# --- an extracted folder


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize(("if_exists", "old", "durable"), WAYS)
async def test_row_08_killed_while_a_folder_is_put_in_place(
    github: FakeGitHub, tmp_path: Path, if_exists: IfExists, *, old: bool, durable: bool
) -> None:
    """After the next call there is a whole folder with its true record, old or new, and nothing of ours besides."""
    archive = _zipped(tmp_path / "new.zip", FILES)
    artifact_id = add(github, archive=Path(archive).read_bytes(), id=7)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
    before = _zipped(tmp_path / "old.zip", OLD) if old else ""
    facts = {"id": 7, "digest": str(artifact.digest), "size_in_bytes": artifact.size_in_bytes}
    count = await _killed(tmp_path / "base", kind="folder", zip=archive, old=before, durable=durable, **facts)
    assert count > 30
    for number in range(1, count + 1):
        folder = tmp_path / "base" / str(number)
        async with client_for(github) as client:
            raised = None
            try:
                await client.download(artifact, folder, extract=True, if_exists=if_exists)
            except DestinationExistsError as error:
                raised = error
        parts = {name for name in entries(folder) if ".part" in name}
        assert entries(folder) - parts == {"docs", RECORD}, number
        record = json.loads((folder / RECORD).read_text())
        assert tree(folder / "docs") == (FILES if record["id"] == 7 else OLD), number
        assert not parts or record["id"] == 1, number  # what can be resumed where the name is taken by something else
        if not old:
            assert (raised is None) or if_exists == "error", number
        if if_exists == "replace" or not old:
            assert record["id"] == 7


@pytest.mark.realtime
@pytest.mark.slow
async def test_row_08_killed_and_extracted_from_a_file(github: FakeGitHub, tmp_path: Path) -> None:
    """Extractions that know nothing of downloads clear away as well: from a local zip, and from a remote one."""
    archive, before = _zipped(tmp_path / "new.zip", FILES), _zipped(tmp_path / "old.zip", OLD)
    facts = {"id": 7, "digest": None, "size_in_bytes": 1}
    count = await _killed(tmp_path / "base", kind="folder", zip=archive, old=before, durable=False, **facts)
    artifact_id = add(github, archive=Path(archive).read_bytes(), id=7)
    async with client_for(github) as client, client.open_archive(await get(client, artifact_id)) as remote:
        for number in range(1, count + 1):
            folder = tmp_path / "base" / str(number)
            if number % 2:
                extract(archive, folder / "docs", if_exists="replace")
            else:
                await remote.extract(["a.txt"], folder / "other")
            assert tree(folder / "docs") in ((FILES,) if number % 2 else (FILES, OLD)), number
            left = {name for name in entries(folder) if ".gh-artifacts-" in name}
            assert not left, number


# --- a file with a record


@pytest.mark.realtime
@pytest.mark.slow
@pytest.mark.parametrize(("if_exists", "old", "durable"), WAYS)
async def test_row_08_killed_while_a_file_and_its_record_are_put_in_place(
    github: FakeGitHub, tmp_path: Path, if_exists: IfExists, *, old: bool, durable: bool
) -> None:
    """Without a digest there is a record, which is true after the next call, and nothing else of ours."""
    archive = _zipped(tmp_path / "new.zip", FILES)
    content = Path(archive).read_bytes()
    artifact_id = add(github, archive=content, id=7, digest=None, size_in_bytes=5)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
    before = _zipped(tmp_path / "old.zip", OLD) if old else ""
    facts = {"id": 7, "digest": None, "size_in_bytes": 5}
    count = await _killed(tmp_path / "base", kind="file", zip=archive, old=before, durable=durable, **facts)
    assert count > 8
    for number in range(1, count + 1):
        folder = tmp_path / "base" / str(number)
        async with client_for(github) as client:
            raised = None
            try:
                await client.download(artifact, folder, if_exists=if_exists)
            except DestinationExistsError as error:
                raised = error
        parts = {name for name in entries(folder) if ".part" in name}
        assert entries(folder) - parts == {"docs.zip", ".docs.zip.gh-artifacts.json"}, number
        record = json.loads((folder / ".docs.zip.gh-artifacts.json").read_text())
        found = (folder / "docs.zip").read_bytes()
        assert record["sha256"] == hashlib.sha256(found).hexdigest(), number
        assert found == (content if record["id"] == 7 else Path(before).read_bytes()), number
        assert not parts or record["id"] == 1, number
        if not old:
            assert (raised is None) or if_exists == "error", number
        if if_exists == "replace" or not old:
            assert record["id"] == 7


# --- what is not a leftover

HOLD = """
import sys
from gh_artifacts_async.archive import Extraction, FileReader, audit, extract_all
with FileReader(sys.argv[1]) as reader, Extraction(audit(sys.argv[1]), sys.argv[2], if_exists="replace") as extraction:
    print("begun", flush=True)
    sys.stdin.readline()
    extract_all(extraction, reader)
    extraction.commit()
"""
"""Extracts an archive, and takes its time."""


@pytest.mark.realtime
async def test_row_08_a_living_process_keeps_its_staging_folder(github: FakeGitHub, tmp_path: Path) -> None:
    """Other extractions beside it leave it alone, and it ends well."""
    archive = _zipped(tmp_path / "new.zip", FILES)
    artifact_id = add(github, archive=Path(archive).read_bytes())
    into = tmp_path / "in"
    into.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, archive, str(into / "theirs")),
        cwd=ROOT,
        env=environment(into),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"begun\n"
    before = entries(into)
    async with client_for(github) as client:
        artifact = await get(client, artifact_id)
        await client.download(artifact, into, extract=True)
        async with client.open_archive(artifact) as remote:
            await remote.extract(["a.txt"], into / "chosen")
    extract(archive, into / "local")
    assert len(before) == 2
    assert before < entries(into)
    await process.communicate(b"\n")
    assert process.returncode == 0
    assert tree(into / "theirs") == FILES
    assert entries(into) == {"theirs", "docs", RECORD, "chosen", "local"}


@pytest.mark.parametrize("locks", [None, True])
def test_row_08_where_locks_do_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, locks: bool | None) -> None:
    """Without locks nothing is swept; where everyone gets them, who is robbed fails, and leaves no torn folder."""
    archive = _zipped(tmp_path / "new.zip", FILES)
    monkeypatch.setattr(leftovers, "_locked", lambda _: locks)
    with Extraction(audit(archive), tmp_path / "in" / "docs", members=()) as extraction:
        sweep_beside(tmp_path / "in" / "docs")
        if locks:
            with pytest.raises(FileNotFoundError):
                extraction.commit()
        else:
            extraction.commit()
    assert entries(tmp_path / "in") == (set() if locks else {"docs"})


TOKEN = "0123456789abcdef"
MARKER = f".gh-artifacts-{TOKEN}.json"
OURS = '{"version": 1, "destination": "docs"}'


@pytest.mark.parametrize(
    "files",
    [
        {f".gh-artifacts-unpacking-{TOKEN}/mine": "x"},
        {f".gh-artifacts-old-{TOKEN}/mine": "x", MARKER: '{"mine": true}'},
        {f".gh-artifacts-unpacking-{TOKEN}": "a file", MARKER: OURS},
        {".gh-artifacts-notes/mine": "x", ".gh-artifacts-notes.json": OURS, f".gh-artifacts-{TOKEN}.json.bak": OURS},
        {f".gh-artifacts-{TOKEN[:-1]}.json": OURS, f".gh-artifacts-unpacking-{TOKEN[:-1]}/mine": "x"},
        {".other.gh-artifacts.json.01234567.new": '{"mine": true}', ".other.gh-artifacts.json.0123456.new": ""},
        {".other.gh-artifacts.json": "", ".gh-artifacts.json": "", ".other.gh-artifacts.json.new": ""},
        {f".gh-artifacts-old-{TOKEN}/mine": "x", MARKER: '{"version": 1, "desti'},
        {f".gh-artifacts-old-{TOKEN}/mine": "x", MARKER: '{"version": 1, "destination": "../elsewhere"}'},
        {f".gh-artifacts-old-{TOKEN}/mine": "x", MARKER: '{"version": 1, "destination": ".."}'},
    ],
)
async def test_row_08_a_users_files_stay(
    github: FakeGitHub, client: ArtifactsClient, tmp_path: Path, files: dict[str, str]
) -> None:
    """Whatever does not match the whole pattern, or does not hold our state, is left alone by downloads."""
    artifact_id = add(github, archive=make(FILES))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    artifact = await get(client, artifact_id)
    await client.download(artifact, tmp_path, extract=True)
    await client.download(artifact, tmp_path, filename="docs.zip")
    await client.download(artifact, tmp_path, extract=True, if_exists="skip")
    assert {name: (tmp_path / name).read_text() for name in files} == files
    assert len(entries(tmp_path)) == 3 + len({name.partition("/")[0] for name in files})


def _left(folder: Path, *names: str) -> None:
    """Leave the marker and some folders of an extraction to ``docs`` whose process is gone."""
    (folder / MARKER).write_text(OURS)
    for name in names:
        place = folder / (name if name == "docs" else f".gh-artifacts-{name}-{TOKEN}")
        place.mkdir()
        (place / name).write_text(name)


SWEPT = [
    ((), {}),
    (("unpacking",), {}),
    (("doomed",), {}),
    (("docs", "unpacking"), {"docs/docs": b"docs"}),
    (("docs", "old"), {"docs/docs": b"docs"}),
    (("old", "unpacking"), {"docs/old": b"old"}),
    (("old",), {"docs/old": b"old"}),
]


@pytest.mark.parametrize(("left", "stays"), SWEPT)
def test_row_08_what_is_swept(tmp_path: Path, left: tuple[str, ...], stays: dict[str, bytes]) -> None:
    """The staging folder goes; the old folder comes back, unless the new one has its place."""
    _left(tmp_path, *left)
    sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == stays
    assert len(entries(tmp_path)) == len(stays)


@pytest.mark.realtime
@pytest.mark.parametrize(("left", "stays"), SWEPT)
async def test_row_08_killed_while_it_sweeps(tmp_path: Path, left: tuple[str, ...], stays: dict[str, bytes]) -> None:
    """The next call goes on where the killed one was."""
    (tmp_path / "left").mkdir()
    _left(tmp_path / "left", *left)
    facts = {"id": 1, "digest": None, "size_in_bytes": 1, "old": "", "durable": False}
    count = await _killed(tmp_path / "base", kind="sweep", zip=str(tmp_path / "left"), **facts)
    assert count > 3
    for number in range(1, count + 1):
        folder = tmp_path / "base" / str(number)
        sweep_beside(folder / "docs")
        assert tree(folder) == stays, number
        assert len(entries(folder)) == len(stays), number


def test_row_08_the_only_copy_is_never_lost(tmp_path: Path) -> None:
    """An old folder whose name someone else has taken meanwhile is kept, with all that tells where it belongs."""
    _left(tmp_path, "old", "unpacking", "docs")
    before = tree(tmp_path)
    for _ in range(2):
        sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("windows", [False, True])
def test_row_08_an_empty_folder_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, windows: bool) -> None:
    """A script may have made the destination again: the old folder is put back into its place."""
    monkeypatch.setattr(leftovers, "_WINDOWS", windows)
    _left(tmp_path, "old", "unpacking")
    (tmp_path / "docs").mkdir()
    sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == {"docs/old": b"old"}


def test_row_08_what_cannot_be_removed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker stays until everything else is gone."""
    _left(tmp_path, "unpacking")
    with monkeypatch.context() as patch:
        patch.setattr(leftovers.os, "rmdir", lambda _: (_ for _ in ()).throw(PermissionError("no")))
        sweep_beside(tmp_path / "docs")
    assert MARKER in entries(tmp_path)
    assert len(entries(tmp_path)) == 2
    sweep_beside(tmp_path / "docs")
    assert entries(tmp_path) == set()


def test_row_08_what_another_user_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that several users write to, each clears away what is theirs."""
    _left(tmp_path, "unpacking", "docs")
    before = tree(tmp_path)
    user = os.geteuid()
    monkeypatch.setattr(leftovers.os, "geteuid", lambda: user + 1)
    sweep_beside(tmp_path / "docs")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("windows", [False, True])
def test_row_08_a_marker_that_was_swept_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, windows: bool
) -> None:
    """Another process may see the empty file, and remove it, before it is locked: another one is made."""
    monkeypatch.setattr(leftovers, "_WINDOWS", windows)
    locked, answers = leftovers._locked, [False]

    def swept(descriptor: int) -> bool | None:
        for name in entries(tmp_path) if answers else ():
            (tmp_path / name).unlink()
        return answers.pop() if answers else locked(descriptor)

    monkeypatch.setattr(leftovers, "_locked", swept)
    marker = leftovers.Marker(tmp_path / "docs")
    (name,) = entries(tmp_path)
    assert (tmp_path / name).read_text() == OURS
    for _ in range(2):
        marker.remove()
    assert entries(tmp_path) == set()


def test_row_08_a_marker_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is removed, and so are the parents that were made for it."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    archive = _zipped(tmp_path / "new.zip", FILES)
    monkeypatch.setattr(leftovers.os, "write", full)
    with pytest.raises(OutOfSpaceError):
        extract(archive, tmp_path / "a" / "b" / "docs")
    assert entries(tmp_path) == {"new.zip"}


@pytest.mark.parametrize("what", ["folder", "link", "fifo"])
def test_row_08_a_marker_is_a_file(tmp_path: Path, what: str) -> None:
    """Anything else of that name is not ours."""
    _left(tmp_path, "unpacking")
    place = tmp_path / MARKER
    place.rename(tmp_path / "target")
    if what == "folder":
        place.mkdir()
    elif what == "link":
        place.symlink_to("target")
    else:
        os.mkfifo(place)
    before = entries(tmp_path)
    sweep_beside(tmp_path / "docs")
    assert entries(tmp_path) == before


def test_row_08_no_artifact_takes_these_names() -> None:
    """An artifact's name is changed, a caller's file name refused."""
    from gh_artifacts_async import ConfigurationError
    from gh_artifacts_async.protocol.filenames import check_filename, safe_component

    names = [MARKER, f".gh-artifacts-old-{TOKEN}", f".gh-artifacts-unpacking-{TOKEN}", f".gh-artifacts-doomed-{TOKEN}"]
    for name in [*names, ".docs.gh-artifacts.json", ".docs.gh-artifacts.json.01234567.new"]:
        assert safe_component(name) == f"_{name[1:]}"
        with pytest.raises(ConfigurationError, match="record"):
            check_filename(name)
