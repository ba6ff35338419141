"""Archives of any bytes, extracted on disk: all or nothing, nothing beside the folder, and what the reference reads."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from gh_artifacts_async.archive import extract
from gh_artifacts_async.errors import ArchiveError
from tests.fuzz.inputs import taken
from tests.fuzz.tally import note
from tests.fuzz.targets.zip_audit import LONGEST as LONGEST  # noqa: PLC0414 - this target's too
from tests.fuzz.targets.zip_audit import POLICIES
from tests.fuzz.targets.zip_audit import STRUCTURED as STRUCTURED  # noqa: PLC0414
from tests.fuzz.targets.zip_audit import WORDS as WORDS  # noqa: PLC0414
from tests.fuzz.targets.zip_audit import mutate as mutate  # noqa: PLC0414
from tests.fuzz.targets.zip_audit import seeds as seeds  # noqa: PLC0414
from tests.kits import reference_reader as reference

_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one
BASE = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
atexit.register(shutil.rmtree, BASE, ignore_errors=True)


def fuzz(data: bytes) -> None:
    """Extract an archive."""
    policy, zipped = taken(data, POLICIES)
    source, folder = BASE / "a.zip", BASE / "in" / "out"
    source.write_bytes(zipped)
    folder.parent.mkdir(exist_ok=True)
    try:
        members = extract(source, folder, policy, threads=1)
    except ArchiveError as error:
        note(f"refused: {error.rule}")
        assert sorted(os.listdir(BASE)) == ["a.zip", "in"]
        assert os.listdir(BASE / "in") == []
        return
    try:
        note("extracted")
        assert sorted(os.listdir(BASE)) == ["a.zip", "in"]
        assert os.listdir(BASE / "in") == ["out"]
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
