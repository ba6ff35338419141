"""Archives of any bytes, extracted on disk: all or nothing, nothing beside the folder, and what the reference reads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gh_artifacts_async.archive import extract
from gh_artifacts_async.errors import ArchiveError
from tests.fuzz import scratch
from tests.fuzz.inputs import taken
from tests.fuzz.tally import note
from tests.fuzz.targets import zip_audit
from tests.fuzz.targets.zip_audit import POLICIES
from tests.kits import reference_reader as reference

LONGEST, STRUCTURED, WORDS = zip_audit.LONGEST, zip_audit.STRUCTURED, zip_audit.WORDS
seeds, mutate = zip_audit.seeds, zip_audit.mutate


def fuzz(data: bytes) -> None:
    """Extract an archive."""
    policy, zipped = taken(data, POLICIES)
    base = scratch.folder() / "extract"
    source, folder = base / "a.zip", base / "in" / "out"
    folder.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(zipped)
    try:
        members = extract(source, folder, policy, threads=1)
    except ArchiveError as error:
        note(f"refused: {error.rule}")
        assert sorted(os.listdir(base)) == ["a.zip", "in"]
        assert os.listdir(base / "in") == []
        return
    try:
        note("extracted")
        assert sorted(os.listdir(base)) == ["a.zip", "in"]
        assert os.listdir(base / "in") == ["out"]
        assert source.read_bytes() == zipped
        files, folders = _found(folder)
        assert {member.name.removeprefix("./"): member.size for member in members} == {
            name: len(content) for name, (content, _) in files.items()
        }
        skip = policy.symlinks == "skip"
        assert (files, folders) == reference.tree(reference.central_view(zipped, skip_links=skip), skip_links=skip)
    finally:
        shutil.rmtree(folder)


def _found(out: Path) -> tuple[dict[str, tuple[bytes, bool]], set[str]]:
    files: dict[str, tuple[bytes, bool]] = {}
    folders: set[str] = set()
    for path in out.rglob("*"):
        assert not path.is_symlink()
        name = path.relative_to(out).as_posix()
        if path.is_dir():
            folders.add(name)
        else:
            assert path.is_file()
            files[name] = path.read_bytes(), bool(path.stat().st_mode & 0o100)
    return files, folders
