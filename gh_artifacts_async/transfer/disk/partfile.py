"""The part file: the bytes of one artifact while it is transferred, in the destination's folder.

``.<name>.<artifact id>.<token>.part`` holds the bytes, ``….part.json`` beside it says what they belong to (no URL, no
secret). Each process writes under a token of its own. What another process left is claimed by renaming it, which only
one process can do; it is hashed again, so that the digest detects any change. A part is never truncated or restarted in
place: a fresh start is a new file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.protocol.filenames import Kind, safe_component
from gh_artifacts_async.protocol.validators import expected_sha256
from gh_artifacts_async.results import Verified, Way
from gh_artifacts_async.transfer.disk import filesystem
from gh_artifacts_async.transfer.disk.filesystem import lock, put_in_place, space_errors, sync_folder
from gh_artifacts_async.transfer.disk.leftovers import (
    CREATE,
    LONGEST_STEM,
    OPEN,
    SUFFIX,
    claim,
    new_token,
    remove,
    size_of,
    state_paths,
    sweep,
)
from gh_artifacts_async.transfer.disk.partstate import PartState, can_be_checked, dump, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gh_artifacts_async.models import Artifact

_CHECK_SPACE_FROM = 1024 * 1024  # for smaller parts the file system is not asked first
_CLOSED = -1
_BLOCK = 1024 * 1024
_NOTED_EVERY = 4 * 1024 * 1024


class PartFile:
    """A part file; its methods block, and must be called one at a time.

    Attributes:
        prefix: what the names of this artifact's part files begin with.
        path: of the part file.
        offset: bytes in it, all of them hashed.
        state: what they belong to.
    """

    def __init__(self, folder: Path, stem: str, state: PartState) -> None:
        """Plan a part file; :meth:`start` or :meth:`adopt` opens one."""
        self._folder = folder
        self.prefix: str = f".{stem}.{state.artifact_id}."
        self._expected = state
        self.state: PartState = state
        self.path: Path = folder / f"{self.prefix}{new_token()}{SUFFIX}"
        self.offset: int = 0
        self._descriptor = _CLOSED
        self._hash = hashlib.sha256(usedforsecurity=False)
        self._state_saved = False
        self._stopped = False
        self._written_ahead = False
        self._in_use: list[Path] = []  # removed too early for Windows: something still reads them

    @classmethod
    def for_artifact(cls, artifact: Artifact, folder: Path) -> PartFile:
        """Plan a part file for an artifact; nothing is created yet."""
        digest, where = expected_sha256(artifact), artifact.repository
        state = PartState(
            artifact_id=artifact.id,
            repository="" if where is None else f"{where.owner}/{where.name}",
            size_in_bytes=artifact.size_in_bytes,
            digest=None if digest is None else f"sha256:{digest}",
        )
        return cls(folder, safe_component(artifact.name)[:LONGEST_STEM], state)

    @property
    def hexdigest(self) -> str:
        """sha256 of the bytes so far, lower-case hex."""
        return self._hash.hexdigest()

    @property
    def is_open(self) -> bool:
        """Whether there is a file."""
        return self._descriptor != _CLOSED

    # --- beginning

    def start(self, size: int = 0, **facts: object) -> None:
        """Create an empty part; an earlier one of this object is removed.

        Args:
            size: expected bytes, so that a full disk is detected before they are fetched; 0 if unknown.
            facts: as :meth:`learn` takes them.

        Raises:
            OutOfSpaceError: the disk is full.
            OSError: the folder cannot be written to.
        """
        if self._descriptor != _CLOSED:
            self.discard()
        if size >= _CHECK_SPACE_FROM:
            free = filesystem.free_bytes(self._folder)
            if free is not None and free < size:
                raise filesystem.out_of_space(self.path, needed=size)
        self.path = self._folder / f"{self.prefix}{new_token()}{SUFFIX}"
        with space_errors(self.path):
            self._descriptor = os.open(self.path, CREATE, 0o666)
        lock(self._descriptor)
        self.state = attrs.evolve(self.state, **facts)  # type: ignore[arg-type]

    def adopt(self, candidates: Iterable[Path]) -> bool:
        """Continue with what an earlier process left of this artifact; False if nothing of it is usable.

        The longest usable part is adopted; the others are removed, unless a running process holds them.

        Args:
            candidates: part files of this artifact, as :class:`.leftovers.Leftovers` finds them.
        """
        taken = False
        for candidate in sorted(candidates, key=size_of, reverse=True):
            if self._stopped:
                break
            if taken:
                sweep(candidate, self.path)
            else:
                taken = self._adopt(candidate)
        return taken

    def stop(self) -> None:
        """Make :meth:`adopt`, running in another thread, return soon; what it found stays for a later run."""
        self._stopped = True

    def _adopt(self, candidate: Path) -> bool:
        claimed = claim(candidate, self.path)
        if claimed is None:
            return False
        self._descriptor, count = claimed
        beside, unfinished = state_paths(candidate)
        state = load(beside)
        with contextlib.suppress(OSError):
            beside.replace(state_paths(self.path)[0])  # not written again: the disk may be full
        remove(unfinished)
        self._state_saved = True
        size = 0 if count > 1 else os.fstat(self._descriptor).st_size  # with a second name it is a finished file
        if size and state is not None and state.frontier is not None:
            size, state = self._cut_to(min(size, max(0, state.frontier)), state)
        if state is not None and size > 0 and state.same_artifact(self._expected) and can_be_checked(state, size):
            self.state = state
            if self._rehash(size) and (state.digest is not None or state.hashed == (size, self.hexdigest)):
                return True
            if self._stopped:
                self._close()
                return False
        self.discard()
        return False

    def _cut_to(self, frontier: int, state: PartState) -> tuple[int, PartState]:
        """Cut off what a killed process wrote beyond holes; return what is left, and the state that says so."""
        os.ftruncate(self._descriptor, frontier)
        self.state = attrs.evolve(state, frontier=None)
        with contextlib.suppress(OSError):  # the old one is right too: it permits no more than this
            self.save_state()
        return frontier, self.state

    def _rehash(self, size: int) -> bool:
        """Hash the bytes on disk, and leave the position after them."""
        self._hash = hashlib.sha256(usedforsecurity=False)
        self.offset = 0
        self.hash_up_to(size)
        return self.offset == size

    def hash_up_to(self, end: int) -> None:
        """Hash the bytes on disk from ``offset`` up to ``end``, and leave the position after them."""
        descriptor = self._descriptor
        os.lseek(descriptor, self.offset, os.SEEK_SET)
        while (
            self.offset < end and not self._stopped and (block := os.read(descriptor, min(_BLOCK, end - self.offset)))
        ):
            self._hash.update(block)
            self.offset += len(block)

    # --- writing and reading

    def learn(self, **facts: object) -> None:
        """Record what storage says about the bytes (etag, total, content_type, disposition)."""
        self.state = attrs.evolve(self.state, **facts)  # type: ignore[arg-type]

    def save_state(self) -> None:
        """Write the state file, atomically, so that another process can resume."""
        path, temporary = state_paths(self.path)
        try:
            with space_errors(path):
                temporary.write_bytes(dump(self.state).encode())
                temporary.replace(path)
        except OSError:
            remove(temporary)
            raise
        self._state_saved = True

    def append(self, chunks: Iterable[bytes | memoryview]) -> None:
        """Append chunks, and hash what was written.

        Raises:
            FileNotFoundError: another process has claimed the part (on a file system whose locks do not hold), and it
                must not change under that process.
            OutOfSpaceError: the disk, a quota or a file-size limit is full; what fit stays.
            OSError: the system could not write.
        """
        for written in self._write(chunks):
            self._hash.update(written)
            self.offset += len(written)

    def _write(self, chunks: Iterable[bytes | memoryview]) -> Iterator[memoryview]:
        """Write chunks at the file's position, and yield what was written."""
        if self._state_saved and not os.path.lexists(self.path):  # a part without a state is never claimed
            raise FileNotFoundError(
                errno.ENOENT, "the part file was removed or claimed by another process", str(self.path)
            )
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                with space_errors(self.path, self._missing()):
                    written = os.write(self._descriptor, view)
                yield view[:written]
                view = view[written:]

    def write_ahead(self, position: int, chunks: Iterable[bytes | memoryview]) -> None:
        """Write chunks beyond ``offset``; they count once :meth:`hash_up_to` has come to them.

        Raises:
            OSError: as :meth:`append`.
        """
        if not self._written_ahead:
            self._written_ahead = True
            self.note_frontier(every=0)  # before there is a hole
        os.lseek(self._descriptor, position, os.SEEK_SET)
        try:
            for _ in self._write(chunks):
                pass
        finally:
            os.lseek(self._descriptor, self.offset, os.SEEK_SET)

    def note_frontier(self, every: int = _NOTED_EVERY) -> None:
        """Save ``offset`` for a later run, if there are bytes beyond it, and if it is not saved as nearly that."""
        noted = self.state.frontier
        if self._written_ahead and (noted is None or self.offset - noted >= every):
            self.learn(frontier=self.offset)
            self.save_state()

    def drop_ahead(self) -> None:
        """Remove what was written beyond ``offset``."""
        if self._written_ahead:
            os.ftruncate(self._descriptor, self.offset)
            self._written_ahead = False
            self.learn(frontier=None)
            self.save_state()

    def _missing(self) -> int | None:
        return None if self.state.total is None else self.state.total - self.offset

    def read(self, size: int, *, from_end: bool = False) -> bytes:
        """Return the first or last ``size`` bytes of the part."""
        descriptor = self._descriptor
        os.lseek(descriptor, max(0, self.offset - size) if from_end else 0, os.SEEK_SET)
        found = bytearray()
        while len(found) < min(size, self.offset) and (block := os.read(descriptor, size - len(found))):
            found += block
        os.lseek(descriptor, self.offset, os.SEEK_SET)
        return bytes(found)

    # --- ending

    def release(self, *, resumable: bool) -> None:
        """Close the part, if it is open; keep it if a later run can resume it, else remove it.

        Nothing may read it any more: Windows does not remove a file that is open.
        """
        self._in_use = [path for path in self._in_use if not remove(path)]
        if self._descriptor == _CLOSED:
            return
        keep = resumable and self.offset > 0 and self.state.etag is not None
        if not keep:
            self.discard()
            return
        self.learn(hashed=(self.offset, self.hexdigest))
        with contextlib.suppress(OSError):
            self.drop_ahead()
            self.save_state()
        if not self._state_saved:  # no later run could resume it
            self.discard()
            return
        self._close()

    def discard(self) -> None:
        """Close and remove the part, and reset to no bytes. Does nothing if there is no file."""
        if self._descriptor == _CLOSED:
            return
        self._close()
        self._written_ahead = False
        self.state = self._expected
        self.offset = 0
        self._hash = hashlib.sha256(usedforsecurity=False)
        paths = (self.path, state_paths(self.path)[0]) if self._state_saved else (self.path,)
        self._in_use += [path for path in paths if not remove(path)]
        self._state_saved = False

    def commit(self, destination: Path, *, replace: bool, durable: bool) -> None:
        """Rename the part to its final name; on an error it keeps its own.

        Args:
            destination: on the same file system.
            replace: replace an existing file.
            durable: fsync the file before, and the folder after.

        Raises:
            DestinationExistsError: the name is taken.
            FileNotFoundError: the part has been removed, or is not the file that was written.
            OSError: the rename or an fsync failed.
        """
        here = os.fstat(self._descriptor)
        there = self.path.lstat()
        if (here.st_ino, here.st_dev) != (there.st_ino, there.st_dev) or here.st_size != self.offset:
            raise FileNotFoundError(errno.ENOENT, "the part file was changed or removed", str(self.path))
        if durable:
            try:
                with space_errors(self.path):
                    os.fsync(self._descriptor)
            except OSError:
                self.discard()  # what reached the disk is unknown, and the page cache would hide it from a later run
                raise
        self._put_in_place(destination, replace=replace)
        if durable:
            sync_folder(destination.parent)
        self._close()
        if self._state_saved:
            state_paths(self.path)[0].unlink(missing_ok=True)

    def _put_in_place(self, destination: Path, *, replace: bool) -> None:
        closes = os.name == "nt"  # an open file cannot be renamed there
        if closes:
            self._close()
        try:
            with space_errors(destination):
                put_in_place(self.path, destination, replace=replace)
        except BaseException:
            if closes:
                with contextlib.suppress(OSError):  # it is still a part file, to be kept or removed as any other
                    self._descriptor = os.open(self.path, OPEN)
                    os.lseek(self._descriptor, self.offset, os.SEEK_SET)
            raise

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor != _CLOSED:
            os.close(descriptor)


@attrs.frozen(kw_only=True)
class VerifiedPart:
    """All bytes of an artifact, verified, still in their part file.

    Attributes:
        part: the part file, which exists for the length of the :func:`fetch` block.
        kind: zip or raw.
        verified: what the bytes were checked against.
        sha256: of the bytes, lower-case hex.
        size: bytes.
        resumed_from: bytes that an earlier run had left.
        content_type: as storage sent it.
        disposition: Content-Disposition as storage sent it.
        way: how the last body was received; None if there was none.
    """

    part: PartFile
    kind: Kind
    verified: Verified
    sha256: str
    size: int
    resumed_from: int
    content_type: str | None
    disposition: str | None
    way: Way | None = None
