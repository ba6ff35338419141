"""What is read back from disk, a bucket or a cursor: damaged or forged, it is no error of its own, and no way out."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.archive.leftovers import sweep_beside
from gh_artifacts_async.automation.frontier import Frontier
from gh_artifacts_async.automation.manifest import JOURNAL, MANIFEST, dump_manifest, load_manifest, replay
from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import Artifact
from gh_artifacts_async.stores.objects import Found, _facts, _read_record
from gh_artifacts_async.transfer.disk import partstate
from gh_artifacts_async.transfer.disk.records import read_file_record, read_folder_record, read_merge_record
from tests.fuzz import scratch
from tests.fuzz.inputs import taken, text
from tests.fuzz.tally import note
from tests.fuzz.targets.decode import VALUES
from tests.fuzz.targets.decode import _changed as changed

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 4096
STRUCTURED = 0.8
ARTIFACT = Artifact(id=1, name="docs", size_in_bytes=3, url="", archive_download_url="", expired=False)

PART = {
    "version": 1,
    "artifact_id": 1,
    "repository": "o/r",
    "size_in_bytes": 3,
    "digest": None,
    "etag": '"a"',
    "total": 3,
    "content_type": None,
    "disposition": None,
    "hashed": [3, "ab"],
    "frontier": 2,
}
ENTRY = {
    "id": 1,
    "name": "docs",
    "path": "docs/docs.zip",
    "size": 3,
    "sha256": "0" * 64,
    "digest": "sha256:" + "0" * 64,
    "created_at": "2026-10-09T12:00:00+00:00",
    "expires_at": None,
    "raw": False,
    "modified": 1,
    "tree": None,
}
HEAD = {"format": "gh-artifacts-mirror", "version": 1, "host": "github.com", "repository": "o/r", "extract": False}
RECORD: dict[str, Any] = {"version": 1, "id": ARTIFACT.id, "inode": 1, "size": 3, "sha256": "ab"}
RECORD |= {
    "digest": None if ARTIFACT.digest is None else str(ARTIFACT.digest),
    "members": {"a.txt": 5, "../secret.txt": 3},
}
MERGE: dict[str, Any] = {
    "version": 1,
    "id": 0,
    "inode": 1,
    "artifacts": {"1": None},
    "conflicts": "error",
    "members": {"a.txt": 5},
}
FACTS = {"ArtifactId": "1", "Repository": "o/r", "Sha256": "AB", "e_tag": "x", "size": 3}
WORDS: tuple[bytes, ...] = (
    b"null",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b'"\\u0000"',
    b"../",
    b"/",
    b"{",
    b"[",
    b"\n",
)
WORDS += (b'{"put":', b'{"drop":1}', MANIFEST.encode(), JOURNAL.encode(), b'"destination":', b"1.", b"1" * 4301)
WORDS += (b"\\ud800", b"\xff", b"0x", b"[" * 1200)


def seeds() -> list[bytes]:
    """Return what each reader's writer has written."""
    frontier = Frontier(started=True)
    frontier.known.update({5: 1_790_000_000, 3: 1_790_000_005})
    journal = (
        b"\n".join(json.dumps(line).encode() for line in (HEAD, {"put": ENTRY}, {"drop": 1}, {"put": ENTRY})) + b"\n"
    )
    documents = [
        json.dumps(PART).encode(),
        json.dumps({**HEAD, "artifacts": [ENTRY]}).encode(),
        journal,
        frontier.cursor().encode(),
        json.dumps(RECORD).encode(),
        json.dumps(RECORD).encode(),
        json.dumps(MERGE).encode(),
        json.dumps({"destination": "out"}).encode(),
        json.dumps(FACTS).encode(),
    ]
    both = [bytes([number]) + data for number, data in enumerate(documents)]
    deep = [
        b'\7{"version": 1, "destination": ' + b"[" * 3000,
        b"\2" + b"[" * 3000 + b"\n\n",
        journal[:-1] + b"[" * 3000 + b"\n",
    ]
    return [
        *both,
        *deep,
        *(bytes([number]) + b"[" * 3000 for number in range(len(READERS))),
        b"\0null",
        b"\7{}",
        b"\1[]",
    ]


def fuzz(data: bytes) -> None:
    """Let one of the readers read."""
    reader, content = taken(data, READERS)
    note(f"{reader.__name__}{reader(content) or ''}")


def _base() -> Path:
    """Return a folder with a folder of an artifact in it, and a file beside that."""
    base = scratch.folder() / "state"
    if not base.exists():
        (base / "folder").mkdir(parents=True)
        (base / "folder" / "a.txt").write_bytes(b"12345")
        (base / "secret.txt").write_bytes(b"123")
    return base


def _read_part(content: bytes) -> str:
    path = _base() / ".x.1.012345678.part.json"
    path.write_bytes(content)
    found = partstate.load(path)
    if found is None:
        return ""
    assert isinstance(found.etag, str)
    assert found.total is None or isinstance(found.total, int)
    found.same_artifact(found)
    for size in (0, 3, 10):
        assert partstate.can_be_checked(found, size) in {True, False}
    path.write_text(partstate.dump(found))
    assert partstate.load(path) == found
    return ": accepted"


def _read_manifest(content: bytes) -> str:
    try:
        head, entries = load_manifest(content)
    except ValueError:
        return ""
    for number, entry in entries.items():
        assert number == entry.id > 0
        assert entry.size >= 0
        _stays_inside(str(entry.path))
    assert load_manifest(dump_manifest(head, entries.values())) == (head, entries)
    return ": accepted"


def _stays_inside(path: str) -> None:
    assert os.path.normpath(os.path.join("/base", path)) == f"/base/{path}"  # noqa: PTH118 - a pure rule
    assert not set(path) & set('\0\\:*?"<>|')
    assert path.rpartition("/")[2] not in {MANIFEST, JOURNAL}


def _read_journal(content: bytes) -> str:
    entries: dict[int, Any] = {}
    try:
        head = replay(content, entries)
    except ValueError:
        assert not entries
        return ""
    for entry in entries.values():
        _stays_inside(str(entry.path))
    again = dict(entries)
    assert replay(content, again) == head
    assert again == entries  # twice does no harm
    return ": accepted" if head is not None else ""


def _read_cursor(content: bytes) -> str:
    try:
        found = Frontier.parse(text(content))
    except ConfigurationError as error:
        assert len(str(error)) < 500
        return ""
    assert len(found.known) <= 1000
    assert Frontier.parse(found.cursor()) == found
    return ": accepted"


def _placed(content: bytes, name: str) -> None:
    (_base() / f".{name}.gh-artifacts.json").write_bytes(content)


def _read_file_record(content: bytes) -> str:
    _placed(content, "file")
    return "" if read_file_record(_base() / "file") is None else ": accepted"


def _read_folder_record(content: bytes) -> str:
    _placed(content, "folder")
    return _all_inside(read_folder_record(ARTIFACT, _base() / "folder"))


def _read_merge_record(content: bytes) -> str:
    _placed(content, "folder")
    found = read_merge_record(_base() / "folder")
    if found is None:
        return ""
    found.is_of([ARTIFACT])
    return _all_inside(found.files(_base() / "folder"))


def _all_inside(members: Any) -> str:
    if members is None:
        return ""
    for member in members:
        assert Path(os.path.normpath(member.path)).is_relative_to(_base() / "folder")
        assert member.path.exists()
    return ": accepted"


def _read_marker(content: bytes) -> str:
    """Sweep beside a folder where a marker says this, and an old folder of it is left."""
    beside = _base() / "beside"
    shutil.rmtree(beside, ignore_errors=True)
    (beside / "in").mkdir(parents=True)
    (beside / "keep.txt").write_bytes(b"keep")
    (beside / "in" / ".gh-artifacts-0123456789abcdef.json").write_bytes(content)
    (beside / "in" / ".gh-artifacts-old-0123456789abcdef").mkdir()
    sweep_beside(beside / "in" / "other")
    assert (beside / "keep.txt").read_bytes() == b"keep"
    assert sorted(os.listdir(beside)) == ["in", "keep.txt"]
    return f": {len(os.listdir(beside / 'in'))} left"


def _read_facts(content: bytes) -> str:
    found = _read_record(content, Found(key="k", size=3, e_tag="x", facts=None))
    lines = content.split(b"\n")
    _facts({"ArtifactID": text(lines[0]), "repository": "o/r", "sha256": text(lines[-1])})
    return "" if found is None else ": accepted"


READERS: list[Callable[[bytes], str]] = [
    *(
        _read_part,
        _read_manifest,
        _read_journal,
        _read_cursor,
        _read_file_record,
        _read_folder_record,
        _read_merge_record,
    ),
    *(_read_marker, _read_facts),
]


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change values in the documents, a line each."""
    head, lines = data[:1] or b"\0", data[1:].split(b"\n")
    at = rng.randrange(len(lines))
    try:
        document = json.loads(lines[at])
    except (ValueError, RecursionError):
        document = rng.choice(VALUES)
    lines[at] = json.dumps(changed(rng, json.loads(json.dumps(document)))).encode()
    return head + b"\n".join(lines)
