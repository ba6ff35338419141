"""What is removed of a mirror, and what stays."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import attrs
import pytest

from gh_artifacts_async.automation import mirror_prune, mirrored
from gh_artifacts_async.automation.mirrored import Hashes
from gh_artifacts_async.transfer.disk import records
from tests.kits.mirrors import ARTIFACT, SHA, STOPPED, put, put_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_removed_with_empty_folders(tmp_path: Path) -> None:
    """A file goes with the folders that are empty then, and no further."""
    first, second = put(tmp_path, "a/b/docs.zip"), put(tmp_path, "a/other.zip")
    assert mirror_prune.remove(tmp_path, first, Hashes()) == "there"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "other.zip"]
    assert mirror_prune.remove(tmp_path, second, Hashes()) == "there"
    assert mirror_prune.remove(tmp_path, second, Hashes()) == "missing"
    assert tmp_path.is_dir()


def test_record_is_removed_if_it_is_of_the_artifact(tmp_path: Path) -> None:
    """The record beside a file goes with it, if it is about this artifact."""
    for number, left in ((ARTIFACT.id, False), (8, True)):
        entry = put(tmp_path, "docs.zip")
        path = tmp_path / entry.path
        record = records.FileRecord(artifact_id=number, size=7, sha256=SHA)
        records.stage_file_record(path, record, path).put_in_place()
        assert mirror_prune.remove(tmp_path, entry, Hashes()) == "there"
        assert records.record_path(path).exists() == left


def test_touched_and_changed(tmp_path: Path) -> None:
    """A time of its own does not matter if the content is right; other content stays."""
    entry = put(tmp_path)
    path = tmp_path / entry.path
    os.utime(path, ns=(1, 1))
    assert mirrored.is_untouched(tmp_path, entry, Hashes())
    path.write_bytes(b"CONTENT")
    os.utime(path, ns=(1, 1))
    assert mirror_prune.remove(tmp_path, entry, Hashes()) == "changed"
    assert path.exists()
    path.write_bytes(b"longer content")
    assert mirror_prune.remove(tmp_path, entry, Hashes()) == "changed"


def test_folder_is_removed(tmp_path: Path) -> None:
    """A folder's own files and folders go, with its record."""
    entry = put_folder(tmp_path)
    assert mirror_prune.remove(tmp_path, entry, Hashes()) == "there"
    assert list(tmp_path.iterdir()) == []


def test_what_was_added_to_a_folder_stays(tmp_path: Path) -> None:
    """What somebody added to a folder stays, with what leads to it."""
    entry = put_folder(tmp_path)
    (tmp_path / "docs" / "sub" / "mine.txt").write_text("mine")
    assert mirror_prune.remove(tmp_path, entry, Hashes()) == "there"
    assert {path.name for path in tmp_path.rglob("*")} == {"docs", "sub", "mine.txt"}


def test_folder_without_its_record_is_removed(tmp_path: Path) -> None:
    """A killed run may have taken the record away; the folder still goes."""
    entry = put_folder(tmp_path, recorded=False)
    assert mirror_prune.remove(tmp_path, entry, Hashes()) == "there"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ["../../mine.txt", "/mine.txt"])
def test_a_record_that_leads_out_of_the_folder(tmp_path: Path, way: str) -> None:
    """A forged record beside a forged manifest names no file outside: nothing there is removed."""
    mirror, mine = tmp_path / "mirror", tmp_path / "mine.txt"
    name = way if way.startswith(".") else f"{tmp_path}{way}"
    mine.write_bytes(b"mine")
    entry = put_folder(mirror)
    place = records.record_path(mirror / entry.path)
    place.write_text(json.dumps({**json.loads(place.read_text()), "members": {name: 4}}))
    whole = hashlib.sha256(f"{hashlib.sha256(b'mine').hexdigest()} {name}\0".encode()).hexdigest()
    assert mirror_prune.remove(mirror, attrs.evolve(entry, tree=whole), Hashes()) == "changed"
    assert mine.read_bytes() == b"mine"


def test_removal_that_is_stopped(tmp_path: Path) -> None:
    """A removal that is stopped while it reads removes nothing."""
    entry = put_folder(tmp_path)
    assert mirror_prune.remove(tmp_path, entry, Hashes(), STOPPED) == "changed"
    assert mirrored.is_only_ours(tmp_path, entry, Hashes())


def test_sweep(tmp_path: Path) -> None:
    """Folders that a killed run has renamed go; a link or a file of such a name, and anything else, stays."""
    for name in ("0" * 16, "1" * 16, "x"):
        (tmp_path / f".gh-artifacts-mirror-removed-{name}").mkdir()
    (tmp_path / f".gh-artifacts-mirror-removed-{'0' * 16}" / "a.txt").write_text("a")
    (tmp_path / f".gh-artifacts-mirror-removed-{'2' * 16}").write_text("a")
    (tmp_path / f".gh-artifacts-mirror-removed-{'3' * 16}").symlink_to(tmp_path)
    mirror_prune.sweep(tmp_path)
    left = {path.name.removeprefix(".gh-artifacts-mirror-removed-") for path in tmp_path.iterdir()}
    assert left == {"x", "2" * 16, "3" * 16}
