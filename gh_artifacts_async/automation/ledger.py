"""A mirror's manifest and journal on disk, and the lock on its folder.

Writing the manifest again for every artifact would take quadratic time, so a run appends what it does to a journal
beside it, a line each, and folds that into the manifest at its end, or at the next run's start.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import TYPE_CHECKING, Any

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
    replay,
)
from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError, PlanRefusedError
from gh_artifacts_async.transfer.disk.filesystem import lock, space_errors, sync_folder
from gh_artifacts_async.transfer.disk.leftovers import CREATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAN_LOCK = os.name != "nt"
"""Whether a folder can be opened, and so be locked; else a file in it is."""

_CLOSED = -1
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _FLAGS
_CREATE_JOURNAL = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | _FLAGS


class Ledger:
    """The manifest and the journal of a folder, locked for one process. All methods block.

    Attributes:
        entries: by id, as of now.
    """

    def __init__(self, folder: Path, head: Head, *, durable: bool) -> None:
        """Lock the folder, as long as this process lives; :meth:`read` comes next, :meth:`close` last.

        Raises:
            PlanRefusedError: another mirror works in this folder.
        """
        self.entries: dict[int, MirroredArtifact] = {}
        self._folder = folder
        self._head = head
        self._durable = durable
        self._manifest = folder / MANIFEST
        self._path = folder / JOURNAL
        self._journal = _CLOSED
        self._lock = _CLOSED
        self._is_there = False
        if not (self._lock_folder() if CAN_LOCK else self._make_lock()):
            self._unlock()
            msg = f"another mirror is at work in {folder}; run again when it has ended"
            raise PlanRefusedError(msg)

    def _lock_folder(self) -> bool:
        self._lock = os.open(self._folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
        return lock(self._lock)

    def _make_lock(self) -> bool:
        """Make a file, and keep it open: Windows removes none that is open, and closes all of a process that ends."""
        try:
            (self._folder / LOCK).unlink(missing_ok=True)  # of a killed run
            self._lock = os.open(self._folder / LOCK, CREATE, 0o666)
        except (FileExistsError, PermissionError):
            return False
        return True

    def read(self) -> None:
        """Read the manifest, and fold in the journal that a killed process left.

        Raises:
            DestinationExistsError: something in the manifest's place is not one, or is malformed; it was left as it is.
            ConfigurationError: it is of another repository or server, or of a mirror with another ``extract``.
            OSError: reading or writing failed.
        """
        for head in self._read():
            self._check(head)
        if os.path.lexists(self._path):
            self.fold()

    def _read(self) -> Iterator[Head]:
        data = _contents(self._manifest)
        self._is_there = data is not None
        try:
            if data is not None:
                head, self.entries = load_manifest(data)
                yield head
        except ValueError as error:
            raise _malformed(self._manifest, error) from None
        data = _contents(self._path)
        try:
            found = None if data is None else replay(data, self.entries)
        except ValueError as error:
            raise _malformed(self._path, error) from None
        if found is not None:
            yield found

    def _check(self, head: Head) -> None:
        if str(head.repository).lower() != str(self._head.repository).lower():
            msg = f"{self._folder} is a mirror of {head.repository}; use another folder for {self._head.repository}"
            raise ConfigurationError(msg)
        host = self._head.host
        if None not in {head.host, host} and head.host != host:
            msg = f"{self._folder} is a mirror of {head.repository} at {head.host}; use another folder for {host}"
            raise ConfigurationError(msg)
        if head.extract != self._head.extract:
            holds, use = ("extracted artifacts", "extract=True") if head.extract else ("archives", "extract=False")
            msg = f"{self._folder} is a mirror of {holds}; use {use}, or another folder"
            raise ConfigurationError(msg)

    def put(self, entry: MirroredArtifact, *, instead_of: int | None = None) -> None:
        """Record an artifact that is in place.

        Args:
            entry: about it.
            instead_of: id of the artifact that was there before, which is forgotten.

        Raises:
            OutOfSpaceError: the disk is full.
            OSError: writing failed.
        """
        document: dict[str, Any] = {"put": entry_document(entry)}
        if instead_of is not None:
            document["drop"] = instead_of
        self._append(document)
        self.entries.pop(instead_of or 0, None)
        self.entries[entry.id] = entry

    def drop(self, artifact_id: int) -> None:
        """Forget an artifact that is no longer in place.

        Raises:
            OutOfSpaceError: the disk is full.
            OSError: writing failed.
        """
        self._append({"drop": artifact_id})
        self.entries.pop(artifact_id, None)

    def _append(self, document: dict[str, Any]) -> None:
        with space_errors(self._path):
            line = b""
            if self._journal == _CLOSED:
                self._path.unlink(missing_ok=True)
                self._journal = os.open(self._path, _CREATE_JOURNAL, 0o666)
                line = json.dumps(self._head.document()).encode() + b"\n"
            _write(self._journal, line + json.dumps(document).encode() + b"\n")

    def fold(self) -> None:
        """Bring the manifest up to date, and remove the journal; does nothing if there is nothing new.

        Raises:
            OutOfSpaceError: the disk is full; the journal stays.
            OSError: writing failed; the journal stays.
        """
        if self._is_there and not os.path.lexists(self._path):
            return
        new = self._folder / NEW_MANIFEST
        with space_errors(self._manifest):
            new.unlink(missing_ok=True)
            descriptor = os.open(new, CREATE, 0o666)
            try:
                _write(descriptor, dump_manifest(self._head, self.entries.values()))
                os.fsync(descriptor)  # once a run; a manifest that a power cut has emptied would stop every later one
            finally:
                os.close(descriptor)
            new.replace(self._manifest)
        if self._durable:
            sync_folder(self._folder)
        self._is_there = True
        self._close_journal()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Fold in what was recorded, and unlock the folder; an error leaves the journal for the next run."""
        try:
            if self._journal != _CLOSED:
                with contextlib.suppress(OSError):
                    self.fold()
        finally:
            self._close_journal()
            self._unlock()

    def _close_journal(self) -> None:
        descriptor, self._journal = self._journal, _CLOSED
        if descriptor != _CLOSED:
            os.close(descriptor)

    def _unlock(self) -> None:
        descriptor, self._lock = self._lock, _CLOSED
        if descriptor != _CLOSED:
            os.close(descriptor)
            if not CAN_LOCK:
                with contextlib.suppress(OSError):
                    (self._folder / LOCK).unlink()


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _contents(path: Path) -> bytes | None:
    """Return what a file of ours holds; None if there is none.

    Raises:
        DestinationExistsError: it is not a regular file.
        OSError: it cannot be read.
    """
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except OSError:
        if path.is_symlink():
            raise _malformed(path, "it is a symbolic link") from None
        if path.is_dir():  # Windows opens none
            raise _malformed(path, "it is not a file") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _malformed(path, "it is not a file")
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        return file.read()


def _malformed(path: Path, why: object) -> DestinationExistsError:
    msg = (
        f"{path} cannot be read as a mirror's manifest: {why}; nothing was changed; move it away, or use another folder"
    )
    return DestinationExistsError(msg, filename=str(path))
