"""The manifest's format: what is written is read again, and nothing is trusted."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import Digest, RepositoryName
from gh_artifacts_async.automation.manifest import (
    JOURNAL,
    LOCK,
    MANIFEST,
    NEW_MANIFEST,
    Head,
    MirroredArtifact,
    dump_manifest,
    entry_document,
    load_manifest,
    read_entry,
    replay,
)
from gh_artifacts_async.protocol.filenames import safe_component, zip_filename

HEAD = Head(RepositoryName("octo-org", "octo-docs"), extract=False)
SHA = "ab" * 32
ENTRY = MirroredArtifact(
    id=7,
    name="docs",
    path=PurePosixPath("main/docs.zip"),
    size=3,
    sha256=SHA,
    digest=Digest("sha256", SHA),
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
    expires_at=datetime(2026, 4, 2, tzinfo=UTC),
    modified=1,
)

times = st.none() | st.datetimes(timezones=st.just(UTC))
hashes = st.none() | st.text("0123456789abcdef", min_size=64, max_size=64)
paths = st.lists(st.text(max_size=30).map(zip_filename), min_size=1, max_size=3).map(
    lambda parts: PurePosixPath(*parts)
)
entries = st.builds(
    MirroredArtifact,
    id=st.integers(1, 2**40),
    name=st.text(st.characters(codec="utf-8"), max_size=20),
    path=paths,
    size=st.integers(0, 2**40),
    sha256=hashes,
    digest=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda text: Digest("sha256", text)),
    created_at=times,
    expires_at=times,
    raw=st.booleans(),
    modified=st.none() | st.integers(),
    tree=hashes,
)


def line(document: object) -> bytes:
    """Return one line of a journal."""
    return json.dumps(document).encode() + b"\n"


def journal(*documents: object) -> bytes:
    """Return a journal's bytes."""
    return line(HEAD.document()) + b"".join(map(line, documents))


@given(st.lists(entries, max_size=5, unique_by=(lambda entry: entry.id, lambda entry: entry.path)))
def test_what_is_written_is_read(found: list[MirroredArtifact]) -> None:
    """Any manifest comes back as it was."""
    assert load_manifest(dump_manifest(HEAD, found)) == (HEAD, {entry.id: entry for entry in found})


@given(entries)
def test_entries_pickle(entry: MirroredArtifact) -> None:
    """An entry survives pickling, and its JSON."""
    assert pickle.loads(pickle.dumps(entry)) == entry  # noqa: S301 - our own
    assert read_entry(json.loads(json.dumps(entry_document(entry)))) == entry


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """What is no manifest is a ValueError, never another error."""
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        load_manifest(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["put", "drop", "id"]), inner),
    )
)
def test_any_json(document: object) -> None:
    """Nor is any JSON; as a line of a journal it changes nothing, unless it is one."""
    with pytest.raises(ValueError):  # noqa: PT011 - as above
        load_manifest(json.dumps(document).encode())
    found = {7: ENTRY}
    replay(journal(document), found)
    assert found in ({7: ENTRY}, {})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "./x",
        "a//b",
        "a\\..\\b",
        "c:x",
        "a\0",
        MANIFEST,
        JOURNAL,
        NEW_MANIFEST,
        LOCK,
    ],
)
def test_paths_that_lead_out(path: str) -> None:
    """A path that could lead out of the folder, or name the manifest, makes it malformed."""
    document = {**HEAD.document(), "artifacts": [{**entry_document(ENTRY), "path": path}]}
    with pytest.raises(ValueError, match=r"is not a path inside the folder|is the manifest itself"):
        load_manifest(json.dumps(document).encode())


@given(st.text(max_size=40))
def test_every_path_of_ours_is_accepted(name: str) -> None:
    """What a layout makes of any name can be read again."""
    for path in (safe_component(name), zip_filename(name)):
        assert read_entry({**entry_document(ENTRY), "path": path}).path == PurePosixPath(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 0},
        {"id": True},
        {"id": "7"},
        {"name": None},
        {"size": -1},
        {"sha256": "AB" * 32},
        {"sha256": "ab"},
        {"digest": 5},
        {"created_at": "yesterday"},
        {"created_at": "2026-01-01T00:00:00"},
        {"created_at": "0001-01-01T00:00:00+14:00"},
        {"raw": None},
        {"modified": "1"},
        {"tree": 1},
    ],
)
def test_malformed_entries(changes: dict[str, Any]) -> None:
    """A field of another type or range makes an entry malformed."""
    with pytest.raises(ValueError):  # noqa: PT011 - the field says it
        read_entry({**entry_document(ENTRY), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "other"},
        {"version": 2},
        {"repository": "octo"},
        {"repository": None},
        {"extract": 1},
        {"artifacts": {}},
        {"artifacts": [1]},
        {"artifacts": [entry_document(ENTRY)] * 2},
        {"artifacts": [entry_document(ENTRY), {**entry_document(ENTRY), "id": 8}]},
    ],
)
def test_malformed_manifests(changes: dict[str, Any]) -> None:
    """Another format or version, a list that is none, and the same artifact or path twice are refused."""
    with pytest.raises(ValueError):  # noqa: PT011 - as above
        load_manifest(json.dumps({**HEAD.document(), "artifacts": [], **changes}).encode())


def test_deep_json() -> None:
    """JSON too deep to be read is malformed."""
    with pytest.raises(ValueError):  # noqa: PT011 - it has no text
        load_manifest(b"[" * 100_000)


def test_later_fields_are_ignored() -> None:
    """A manifest of a later version that only adds fields can be read."""
    document = {**HEAD.document(), "note": 1, "artifacts": [{**entry_document(ENTRY), "note": 1}]}
    assert load_manifest(json.dumps(document).encode()) == (HEAD, {7: ENTRY})


# --- the journal -----------------------------------------------------------------------------------------------------


def test_journal_is_applied_in_order() -> None:
    """Artifacts are put and dropped; one can take another's place in one line."""
    other = attrs.evolve(ENTRY, id=8)
    found: dict[int, MirroredArtifact] = {}
    data = journal({"put": entry_document(ENTRY)}, {"put": entry_document(other), "drop": 7}, {"drop": 9})
    assert replay(data, found) == HEAD
    assert found == {8: other}
    replay(data, found)
    assert found == {8: other}


@given(st.data())
def test_journal_cut_anywhere(data: st.DataObject) -> None:
    """However much of a journal was written, each whole line counts, and nothing else."""
    many = [attrs.evolve(ENTRY, id=number, path=PurePosixPath(f"{number}.zip")) for number in range(1, 5)]
    whole = journal(*({"put": entry_document(entry)} for entry in many))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    found: dict[int, MirroredArtifact] = {}
    head = replay(cut, found)
    lines = cut.count(b"\n")
    assert head == (HEAD if lines else None)
    assert list(found.values()) == many[: max(0, lines - 1)]


def test_damaged_line() -> None:
    """A line that cannot be read, or leads out of the folder, is left out."""
    bad = {**entry_document(ENTRY), "id": 9, "path": "../x"}
    data = journal({"put": bad}) + b"\0\0\0\n" + line({"put": entry_document(ENTRY)})
    found: dict[int, MirroredArtifact] = {}
    replay(data, found)
    assert found == {7: ENTRY}


def test_foreign_journal() -> None:
    """A journal that begins otherwise is not ours."""
    with pytest.raises(ValueError, match="another format"):
        replay(b"{}\n{}\n", {})


def test_deep_journal() -> None:
    """A journal whose head is too deep to be read is malformed; any other line of that kind is left out."""
    deep = b"[" * 100_000 + b"\n"
    with pytest.raises(ValueError):  # noqa: PT011 - it has no text
        replay(deep, {})
    found: dict[int, MirroredArtifact] = {}
    assert replay(journal() + deep + line({"put": entry_document(ENTRY)}), found) == HEAD
    assert found == {7: ENTRY}
