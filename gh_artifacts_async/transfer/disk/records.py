"""The small JSON records beside results: which artifact a file or a folder is.

``.<name>.gh-artifacts.json`` is beside ``<name>``. A file has one only if nothing from GitHub could later identify it
(no digest, and a length that is not ``size_in_bytes``); an extracted folder always has one. It holds no URL and no
secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.results import ExtractedMember
from gh_artifacts_async.transfer.disk.filesystem import space_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gh_artifacts_async.models import Artifact

_VERSION = 1
_EXECUTABLE = 0o111
_LONGEST_FILE_RECORD = 64 * 1024
_LONGEST_FOLDER_RECORD = 256 * 2**20


def record_path(path: Path) -> Path:
    """Return the path of a file's or folder's record."""
    return path.with_name(f".{path.name}.gh-artifacts.json")


# --- files -----------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class FileRecord:
    """What arrived when a file was downloaded.

    Attributes:
        artifact_id: GitHub's number.
        size: bytes.
        sha256: of them, lower-case hex.
    """

    artifact_id: int
    size: int
    sha256: str


def write_file_record(path: Path, record: FileRecord) -> None:
    """Record which artifact a file is. Blocks.

    Raises:
        OutOfSpaceError: the disk is full.
        OSError: writing failed.
    """
    fields = {"id": record.artifact_id, "size": record.size, "sha256": record.sha256}
    staged = _stage(path, fields, durable=False)
    try:
        staged.replace(record_path(path))
    finally:
        staged.unlink(missing_ok=True)


def read_file_record(path: Path) -> FileRecord | None:
    """Return a file's record; None if there is no readable one. Blocks."""
    try:
        found = _read(path, _LONGEST_FILE_RECORD)
        return FileRecord(artifact_id=found["id"], size=found["size"], sha256=found["sha256"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def remove_record(path: Path) -> None:
    """Remove the record of a file that has been replaced, if there is one. Blocks."""
    record_path(path).unlink(missing_ok=True)


# --- folders ---------------------------------------------------------------------------------------------------------


def stage_folder_record(artifact: Artifact, folder: Path, members: Mapping[str, int], *, durable: bool) -> Path:
    """Write the record of a folder that is about to be put in place, to a temporary path; return that path. Blocks.

    Args:
        artifact: what the folder will be.
        folder: its final path.
        members: its files' sizes by name.
        durable: fsync the record.

    Raises:
        OutOfSpaceError: the disk is full.
        OSError: writing failed.
    """
    fields = {"id": artifact.id, "digest": _digest(artifact), "members": dict(members)}
    return _stage(folder, fields, durable=durable)


def read_folder_record(artifact: Artifact, folder: Path) -> tuple[ExtractedMember, ...] | None:
    """Return the files of an extracted artifact; None if the folder is not known to be that artifact. Blocks."""
    try:
        found = _read(folder, _LONGEST_FOLDER_RECORD)
        if (found["id"], found["digest"]) != (artifact.id, _digest(artifact)) or not folder.is_dir():
            return None
        return tuple(_member(folder, name, size) for name, size in found["members"].items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _digest(artifact: Artifact) -> str | None:
    return None if artifact.digest is None else str(artifact.digest)


def _member(folder: Path, name: str, size: int) -> ExtractedMember:
    path = folder / name
    found = path.stat()
    if found.st_size != size:
        raise ValueError
    return ExtractedMember(name=name, size=size, path=path, executable=bool(found.st_mode & _EXECUTABLE))


# --- both ------------------------------------------------------------------------------------------------------------


def _stage(path: Path, fields: Mapping[str, object], *, durable: bool) -> Path:
    """Write a whole record to a temporary path beside the final one."""
    place = record_path(path)
    staged = place.with_name(f"{place.name}.{secrets.token_hex(4)}.new")
    try:
        with space_errors(place), staged.open("x", encoding="utf-8") as file:
            file.write(json.dumps({"version": _VERSION, **fields}))
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise
    return staged


def _read(path: Path, longest: int) -> dict[str, Any]:
    """Read a record.

    Raises:
        OSError: there is none.
        ValueError: it is of another version, or not JSON.
    """
    with record_path(path).open("rb") as file:
        found: dict[str, Any] = json.loads(file.read(longest))
    if found["version"] != _VERSION:
        raise ValueError
    return found
