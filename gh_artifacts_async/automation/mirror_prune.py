"""Removes from a mirror what is gone, and nothing that is not what the mirror wrote. All of it blocks.

A folder is renamed before its files are removed: a run that is killed leaves a folder as it was, or one that the next
run removes.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
from typing import TYPE_CHECKING

from gh_artifacts_async.automation import mirrored
from gh_artifacts_async.transfer.disk import records

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from gh_artifacts_async.automation.manifest import MirroredArtifact
    from gh_artifacts_async.automation.mirrored import Hashes, State

_DOOMED = re.compile(r"\.gh-artifacts-mirror-removed-[0-9a-f]{16}", re.ASCII)


def remove(folder: Path, entry: MirroredArtifact, hashes: Hashes, stopped: threading.Event | None = None) -> State:
    """Remove an artifact's file, or the files of its folder, if they are what the mirror wrote.

    The record beside it goes too, and so do the folders above that are empty then. What somebody has added to a folder
    stays.

    Args:
        folder: the mirror's.
        entry: what is to be removed.
        hashes: what has been read in this run.
        stopped: set to end early; then nothing is removed.

    Returns:
        ``"there"`` if it was, and is removed; ``"changed"`` if it is something else now, and stays; or ``"missing"``.

    Raises:
        OSError: it could not be removed.
    """
    found = mirrored.state(folder, entry)
    if found == "missing":
        return found
    if found == "changed" or not mirrored.is_untouched(folder, entry, hashes, stopped):
        return "changed"
    path = folder / entry.path
    if entry.tree is None:
        _remove_record(path, entry.id)
        path.unlink()
    elif mirrored.is_only_ours(folder, entry, hashes, stopped):
        records.record_path(path).unlink(missing_ok=True)
        doomed = folder / f".gh-artifacts-mirror-removed-{secrets.token_hex(8)}"
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
    else:
        _remove_members(folder, entry)
    for parent in _folders(folder, path):
        with contextlib.suppress(OSError):  # something else is in it
            parent.rmdir()
    return "there"


def sweep(folder: Path) -> None:
    """Remove the folders that a killed run had renamed, and not yet removed."""
    for path in folder.iterdir():
        if _DOOMED.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _remove_record(path: Path, artifact_id: int) -> None:
    record = records.read_file_record(path)
    if record is not None and record.artifact_id == artifact_id:
        records.record_path(path).unlink(missing_ok=True)


def _remove_members(folder: Path, entry: MirroredArtifact) -> None:
    """Remove the files that were extracted, and the folders that are empty then."""
    path = folder / entry.path
    members = mirrored.members_of(folder, entry)
    for member in members:
        member.path.unlink()
    for parent in sorted({parent for member in members for parent in _folders(path, member.path)}, reverse=True):
        with contextlib.suppress(OSError):  # something else is in it
            parent.rmdir()
    records.record_path(path).unlink(missing_ok=True)


def _folders(top: Path, path: Path) -> Iterator[Path]:
    """Yield the folders between ``top`` and a path below it, the innermost first."""
    for parent in path.parents:
        if parent == top:
            break
        yield parent
