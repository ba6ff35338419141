"""The small JSON records beside results: which artifact a file or a folder is.

``.<name>.gh-artifacts.json`` is beside ``<name>``. A file has one only if nothing from GitHub could later identify it
(no digest, and a length that is not ``size_in_bytes``); an extracted folder always has one. It holds no URL and no
secret.

A record is written before its result is put in place, as ``.<name>.gh-artifacts.json.<hex>.new``, and holds the inode
of what it is about: if the process is killed in between, a later one can tell whether the record is true.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from gh_artifacts_async.protocol.filenames import RECORD_NAME
from gh_artifacts_async.results import ExtractedMember
from gh_artifacts_async.transfer.disk.filesystem import lock, space_errors

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from gh_artifacts_async.models import Artifact

_VERSION = 1
_EXECUTABLE = 0o111
_LONGEST_FILE_RECORD = 64 * 1024
_LONGEST_FOLDER_RECORD = 256 * 2**20
_HEAD = b'{"version": 1, "id": '
_FACTS = re.compile(rb'\{"version": 1, "id": [0-9]+, "inode": (?P<inode>[0-9]+), ')
_HEAD_SIZE = 100  # bytes, enough for the inode
_TAIL_SIZE = 2
_ENDS = (b'"}', b"}}")
_CLOSED = -1
_OPEN = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


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


def stage_file_record(path: Path, record: FileRecord, source: Path) -> StagedRecord:
    """Write the record of a file that is about to be put in place. Blocks.

    Args:
        path: its final path.
        record: which artifact it is.
        source: where it is now.

    Raises:
        OutOfSpaceError: the disk is full.
        OSError: writing failed.
    """
    fields = {"size": record.size, "sha256": record.sha256}
    return StagedRecord(path, record.artifact_id, source, fields, durable=False)


def read_file_record(path: Path) -> FileRecord | None:
    """Return a file's record; None if there is no readable one. Blocks."""
    try:
        found = _read(path, _LONGEST_FILE_RECORD)
        return FileRecord(artifact_id=found["id"], size=found["size"], sha256=found["sha256"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


# --- folders ---------------------------------------------------------------------------------------------------------


def stage_folder_record(
    artifact: Artifact, folder: Path, members: Mapping[str, int], source: Path, *, durable: bool
) -> StagedRecord:
    """Write the record of a folder that is about to be put in place. Blocks.

    Args:
        artifact: what the folder will be.
        folder: its final path.
        members: its files' sizes by name.
        source: where it is now.
        durable: fsync the record.

    Raises:
        OutOfSpaceError: the disk is full.
        OSError: writing failed.
    """
    fields = {"digest": _digest(artifact), "members": dict(members)}
    return StagedRecord(folder, artifact.id, source, fields, durable=durable)


def read_folder_record(artifact: Artifact, folder: Path) -> tuple[ExtractedMember, ...] | None:
    """Return the files of an extracted artifact; None if the folder is not known to be that artifact. Blocks."""
    try:
        found = _read(folder, _LONGEST_FOLDER_RECORD)
        if (found["id"], found["digest"]) != (artifact.id, _digest(artifact)) or not folder.is_dir():
            return None
        return tuple(_member(folder, name, size) for name, size in found["members"].items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


@attrs.frozen(kw_only=True)
class MergeRecord:
    """What a merged folder was made of.

    Attributes:
        artifacts: the artifacts' ids, each with its digest.
        conflicts: the strictest way of merging that leads to this folder.
        members: sizes by name.
    """

    artifacts: Mapping[str, str | None]
    conflicts: str
    members: Mapping[str, int]

    @classmethod
    def of(cls, artifacts: Iterable[Artifact], conflicts: str, members: Mapping[str, int]) -> MergeRecord:
        """Describe a merged folder."""
        return cls(artifacts={str(it.id): _digest(it) for it in artifacts}, conflicts=conflicts, members=members)

    def is_of(self, artifacts: Iterable[Artifact]) -> bool:
        """Whether it is about exactly these artifacts."""
        return self.artifacts == {str(it.id): _digest(it) for it in artifacts}

    def files(self, folder: Path) -> tuple[ExtractedMember, ...] | None:
        """Return the folder's files; None if one of them is gone, or has another size. Blocks."""
        try:
            return tuple(_member(folder, name, size) for name, size in self.members.items())
        except (OSError, ValueError):
            return None


def stage_merge_record(folder: Path, record: MergeRecord, source: Path, *, durable: bool) -> StagedRecord:
    """Write the record of a merged folder that is about to be put in place; its id is 0. Blocks.

    Args:
        folder: its final path.
        record: what it was made of.
        source: where it is now.
        durable: fsync the record.

    Raises:
        OutOfSpaceError: the disk is full.
        OSError: writing failed.
    """
    fields = {
        "artifacts": dict(record.artifacts),
        "conflicts": record.conflicts,
        "members": dict(record.members),
    }
    return StagedRecord(folder, 0, source, fields, durable=durable)


def read_merge_record(folder: Path) -> MergeRecord | None:
    """Return a merged folder's record; None if there is no readable one, or no folder. Blocks."""
    try:
        found = _read(folder, _LONGEST_FOLDER_RECORD)
        if found["id"] != 0 or not folder.is_dir():
            return None
        record = MergeRecord(
            artifacts=dict(found["artifacts"]), conflicts=found["conflicts"], members=dict(found["members"])
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return record


def _digest(artifact: Artifact) -> str | None:
    return None if artifact.digest is None else str(artifact.digest)


def _member(folder: Path, name: str, size: int) -> ExtractedMember:
    """Return a member that is there.

    A record may have been forged, as all of a folder that was copied from elsewhere: its names are untrusted input.

    Raises:
        OSError: it is not there.
        ValueError: it has another size, or its name leads out of the folder.
    """
    path = folder / name
    if ".." in path.relative_to(folder).parts:  # relative_to() raises ValueError for an absolute name
        raise ValueError
    found = path.stat()
    if found.st_size != size:
        raise ValueError
    return ExtractedMember(name=name, size=size, path=path, executable=bool(found.st_mode & _EXECUTABLE))


# --- both ------------------------------------------------------------------------------------------------------------


class StagedRecord:
    """A whole record under a temporary name, locked until it is put in place or discarded."""

    def __init__(
        self, path: Path, artifact_id: int, source: Path, fields: Mapping[str, object], *, durable: bool
    ) -> None:
        """Write it, see :func:`stage_file_record` and :func:`stage_folder_record`."""
        self._place = record_path(path)
        document = {"version": _VERSION, "id": artifact_id, "inode": source.stat().st_ino, **fields}
        with space_errors(self._place):
            self._staged, self._descriptor = _created(self._place)
            try:
                with open(self._descriptor, "wb", closefd=False) as file:
                    file.write(json.dumps(document).encode())
                if durable:
                    os.fsync(self._descriptor)
            except BaseException:
                self.discard()
                raise

    def put_in_place(self) -> None:
        """Rename it to its final name.

        Raises:
            OSError: that failed.
        """
        if os.name == "nt":  # an open file cannot be renamed there
            self._close()
        self._staged.replace(self._place)
        self._close()

    def discard(self) -> None:
        """Remove it, unless it was put in place."""
        self._close()
        with contextlib.suppress(OSError):
            self._staged.unlink()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor != _CLOSED:
            os.close(descriptor)


@contextlib.contextmanager
def set_aside(path: Path) -> Generator[None]:
    """Remove the record of a result that is replaced in the block, or put it back if the block fails.

    It is out of the way before the result changes: a record is never beside something else than what it is about, even
    if the process is killed.
    """
    place, aside = record_path(path), None
    with contextlib.suppress(OSError):  # there is none, or its name would be too long
        if stat.S_ISREG(place.lstat().st_mode):
            aside = place.rename(_temporary(place))
    try:
        yield
    except BaseException:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.rename(place)
        raise
    if aside is not None:
        with contextlib.suppress(OSError):
            aside.unlink()


def sweep_staged(staged: Path) -> None:
    """Put the record of a killed process in place if its result is there, else remove it; a user's file stays. Blocks.

    Args:
        staged: a path whose name matches ``RECORD_NAME``, with its ending.
    """
    try:
        descriptor = os.open(staged, _OPEN)
    except OSError:
        return
    try:
        head = os.read(descriptor, _HEAD_SIZE)
        ours = lock(descriptor) and (head.startswith(_HEAD) or _HEAD.startswith(head))
    except OSError:
        ours = False
    finally:
        os.close(descriptor)
    if not ours:
        return
    place = record_path(_result(staged))
    with contextlib.suppress(OSError):
        if is_true(staged) and not os.path.lexists(place):
            staged.rename(place)
        else:
            staged.unlink()


def is_true(staged: Path) -> bool:
    """Whether a staged record is whole, and what it is about is in place. Blocks."""
    try:
        with staged.open("rb") as file:
            head = file.read(_HEAD_SIZE)
            file.seek(-_TAIL_SIZE, os.SEEK_END)
            tail = file.read()
        facts = _FACTS.match(head)
        inode = _result(staged).lstat().st_ino
    except OSError:
        return False
    return facts is not None and tail in _ENDS and int(facts["inode"]) == inode != 0


def _created(place: Path) -> tuple[Path, int]:
    """Create and lock an empty file; one that another process saw, and swept, before it was locked is given up."""
    while True:
        staged = _temporary(place)
        descriptor = os.open(staged, _OPEN | os.O_CREAT | os.O_EXCL, 0o666)
        if lock(descriptor) and os.path.lexists(staged):
            return staged, descriptor
        os.close(descriptor)


def _temporary(place: Path) -> Path:
    return place.with_name(f"{place.name}.{secrets.token_hex(4)}.new")


def _result(record: Path) -> Path:
    """Return the path of what a record is about."""
    match = RECORD_NAME.fullmatch(record.name)
    return record.with_name(match["name"] if match else record.name)


def _read(path: Path, longest: int) -> dict[str, Any]:
    """Read a record; one that a killed process has not put in place counts, if it is true.

    Raises:
        OSError: there is none.
        ValueError: it is of another version, or not JSON.
    """
    place = record_path(path)
    with (place if place.exists() else _left_staged(place) or place).open("rb") as file:
        found: dict[str, Any] = json.loads(file.read(longest))
    if found["version"] != _VERSION:
        raise ValueError
    return found


def _left_staged(place: Path) -> Path | None:
    with os.scandir(place.parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(place.name)]
    found = [place.with_name(name) for name in names if (match := RECORD_NAME.fullmatch(name)) and match["staged"]]
    return next(filter(is_true, found), None)
