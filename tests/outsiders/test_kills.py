"""Row 8, the rest: kill -9 before each file-system call that puts a folder, a record or a durable file in place."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gh_artifacts_async import DestinationExistsError
from gh_artifacts_async.archive import extract
from gh_artifacts_async.archive.leftovers import sweep_beside
from tests.kits.processes import ROOT, environment
from tests.kits.sampling import mostly_slow
from tests.kits.transfer import add, client_for, get
from tests.kits.zips import LEFT_MARKER, LEFT_STATE, LEFT_TOKEN, SWEPT, entries, leave_extraction, make, tree

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


WAYS = [  # each pair of values of any two: 6 of the 12 triples, since each takes seconds
    ("skip", False, False),
    ("skip", True, True),
    ("error", False, True),
    ("error", True, False),
    ("replace", False, False),
    ("replace", True, True),
]

# --- an extracted folder


@pytest.mark.github_com("digest")
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
@pytest.mark.parametrize(
    ("if_exists", "old", "durable"), [*WAYS[:-1], pytest.param(*WAYS[-1], marks=pytest.mark.sample)]
)
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


@pytest.mark.github_com("digest")
@pytest.mark.parametrize(
    "files",
    [
        {f".gh-artifacts-unpacking-{LEFT_TOKEN}/mine": "x"},
        {f".gh-artifacts-old-{LEFT_TOKEN}/mine": "x", LEFT_MARKER: '{"mine": true}'},
        {f".gh-artifacts-unpacking-{LEFT_TOKEN}": "a file", LEFT_MARKER: LEFT_STATE},
        {
            ".gh-artifacts-notes/mine": "x",
            ".gh-artifacts-notes.json": LEFT_STATE,
            f".gh-artifacts-{LEFT_TOKEN}.json.bak": LEFT_STATE,
        },
        {f".gh-artifacts-{LEFT_TOKEN[:-1]}.json": LEFT_STATE, f".gh-artifacts-unpacking-{LEFT_TOKEN[:-1]}/mine": "x"},
        {".other.gh-artifacts.json.01234567.new": '{"mine": true}', ".other.gh-artifacts.json.0123456.new": ""},
        {".other.gh-artifacts.json": "", ".gh-artifacts.json": "", ".other.gh-artifacts.json.new": ""},
        {f".gh-artifacts-old-{LEFT_TOKEN}/mine": "x", LEFT_MARKER: '{"version": 1, "desti'},
        {f".gh-artifacts-old-{LEFT_TOKEN}/mine": "x", LEFT_MARKER: '{"version": 1, "destination": "../elsewhere"}'},
        {f".gh-artifacts-old-{LEFT_TOKEN}/mine": "x", LEFT_MARKER: '{"version": 1, "destination": ".."}'},
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


@pytest.mark.realtime
@pytest.mark.parametrize(("left", "stays"), mostly_slow(SWEPT))
async def test_row_08_killed_while_it_sweeps(tmp_path: Path, left: tuple[str, ...], stays: dict[str, bytes]) -> None:
    """The next call goes on where the killed one was."""
    (tmp_path / "left").mkdir()
    leave_extraction(tmp_path / "left", *left)
    facts = {"id": 1, "digest": None, "size_in_bytes": 1, "old": "", "durable": False}
    count = await _killed(tmp_path / "base", kind="sweep", zip=str(tmp_path / "left"), **facts)
    assert count > 3
    for number in range(1, count + 1):
        folder = tmp_path / "base" / str(number)
        sweep_beside(folder / "docs")
        assert tree(folder) == stays, number
        assert len(entries(folder)) == len(stays), number


def test_row_08_no_artifact_takes_these_names() -> None:
    """An artifact's name is changed, a caller's file name refused."""
    from gh_artifacts_async import ConfigurationError
    from gh_artifacts_async.protocol.filenames import check_filename, safe_component

    names = [
        LEFT_MARKER,
        f".gh-artifacts-old-{LEFT_TOKEN}",
        f".gh-artifacts-unpacking-{LEFT_TOKEN}",
        f".gh-artifacts-doomed-{LEFT_TOKEN}",
    ]
    for name in [*names, ".docs.gh-artifacts.json", ".docs.gh-artifacts.json.01234567.new"]:
        assert safe_component(name) == f"_{name[1:]}"
        with pytest.raises(ConfigurationError, match="record"):
            check_filename(name)
