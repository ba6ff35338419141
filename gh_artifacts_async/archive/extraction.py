"""Extract an audited archive into a folder, member by member, in any threads and any order."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self

import attrs

from gh_artifacts_async.archive import rules
from gh_artifacts_async.archive.audited import ArchiveDirectory
from gh_artifacts_async.archive.contents import read_member
from gh_artifacts_async.archive.folders import open_folders
from gh_artifacts_async.archive.inflate import inflate_member
from gh_artifacts_async.archive.member_table import MemberTable
from gh_artifacts_async.archive.members import Member
from gh_artifacts_async.archive.names import MAX_PATH, check_portable, relative_path
from gh_artifacts_async.archive.rules import refusal
from gh_artifacts_async.archive.staging import Staging, sync_folder
from gh_artifacts_async.errors import OutOfSpaceError
from gh_artifacts_async.results import ExtractedMember

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from types import TracebackType

    from gh_artifacts_async.archive.folders import Folders
    from gh_artifacts_async.archive.readers import Reader


class EventLike(Protocol):
    """The part of ``threading.Event`` that is used."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


Progress = Callable[[int, int], object]
"""Called with the bytes and the members written so far, from the thread that wrote them, one call at a time."""

Cancel = Callable[[], bool] | EventLike
"""Checked between chunks; true means stop."""

Contents = Callable[["Reader", Member], "Iterator[bytes]"]
"""Returns the uncompressed bytes of a member of an archive."""

_WINDOWS: Final = os.name == "nt"
_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
# The errors of file systems for a name they cannot store: vfat EINVAL, APFS EILSEQ, eCryptfs ENAMETOOLONG
_BAD_NAME: Final = frozenset({errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG})
_FUTURE: Final = timedelta(days=2)  # MS-DOS times have no zone: they may be 14 hours ahead
_FILE_MODE: Final = 0o644
_EXECUTABLE_MODE: Final = 0o755


def _is_set(cancel: Cancel | None) -> Callable[[], bool]:
    """Return a callable for an event, a callable or None."""
    if cancel is None:
        return lambda: False
    return cancel if callable(cancel) else cancel.is_set


def absolute_path(directory: Path) -> Path:
    """Make a path absolute; ``.`` and ``x/..`` must be resolved to get a name of their own."""
    return directory.resolve() if directory.name in {"", ".."} else directory.absolute()


@attrs.define(eq=False)
class Extraction:
    """The extraction of one archive into a folder.

    A context manager: entering checks the destination and creates a staging folder beside it, with all subfolders;
    leaving without :meth:`commit` removes it. In between, :meth:`extract_members` and :meth:`write_member` may be
    called from any number of threads, once for each member; all of them must have returned (:meth:`stop` makes them
    end early) before :meth:`commit` or :meth:`abort`.

    If only the directory was audited (:func:`~gh_artifacts_async.archive.audit_directory`,
    :func:`~gh_artifacts_async.archive.parse_tail`), each member's local header is checked when it is extracted;
    :func:`~gh_artifacts_async.archive.audit_headers` checks them all.

    Attributes:
        archive: the audited directory.
        directory: the destination.
        members: extract only these; None for all.
        if_exists: ``"error"`` rejects a destination that is not empty, ``"replace"`` swaps it for the new folder.
        durable: sync files and folders to the disk before the destination appears.
        progress: called with what was written.
        cancel: checked between chunks; true means stop.
    """

    archive: ArchiveDirectory
    directory: Path = attrs.field(converter=Path)
    members: tuple[Member, ...] | None = attrs.field(default=None, kw_only=True)
    if_exists: Literal["error", "replace"] = attrs.field(default="error", kw_only=True)
    durable: bool = attrs.field(default=False, kw_only=True)
    progress: Progress | None = attrs.field(default=None, kw_only=True)
    cancel: Callable[[], bool] = attrs.field(default=None, converter=_is_set, kw_only=True)
    _staging: Staging | None = attrs.field(default=None, init=False)
    _stopped: threading.Event = attrs.field(factory=threading.Event, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _latest: datetime = attrs.field(factory=lambda: datetime.now(UTC) + _FUTURE, init=False)
    _bytes: int = attrs.field(default=0, init=False)
    _members: int = attrs.field(default=0, init=False)

    @property
    def selected(self) -> Sequence[Member]:
        """The members that are extracted."""
        return self.archive.members if self.members is None else self.members

    @property
    def staged(self) -> Path:
        """The folder that :meth:`commit` will rename to the destination.

        Raises:
            RuntimeError: the extraction has not started or has ended.
        """
        if self._staging is None:
            msg = "the extraction has not started or has ended"
            raise RuntimeError(msg)
        return self._staging.path

    def __enter__(self) -> Self:
        """Create the staging folder and the folders in it.

        Raises:
            DestinationExistsError: the destination exists; nothing was created.
            UnsafeMemberError: the destination's file system cannot store a name, or takes two names for the same file.
            OutOfSpaceError: the disk is full.
            OSError: the folder cannot be created.
        """
        destination = absolute_path(self.directory)
        self._check_names(destination)
        with self._watch_space():
            self._staging = Staging(destination, self.if_exists)
            try:
                self._probe_twins(self._staging.path)
                self._make_folders(self._staging)
            except BaseException:
                self.abort()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the staging folder, unless it was committed."""
        self.abort()

    def extract_members(self, reader: Reader, members: Iterable[Member], contents: Contents = read_member) -> None:
        """Extract some members into the staging folder.

        Args:
            reader: the archive; only these members' spans are read.
            members: each of them once, in any order.
            contents: returns a member's uncompressed bytes, and checks them.

        Raises:
            ArchiveError: a header or the data contradicts the directory.
            OutOfSpaceError: the disk is full.
            OSError: reading or writing failed.
            concurrent.futures.CancelledError: ``cancel`` was true, or :meth:`stop` was called.
        """
        with self._watch_space(), self._open() as folders:
            for member in members:
                self._write(folders, member, contents(reader, member))

    def read_through(self, chunks: Iterable[bytes]) -> None:
        """Read a member's bytes without writing them, so that they are checked.

        Raises:
            concurrent.futures.CancelledError: ``cancel`` was true, or :meth:`stop` was called.
        """
        for _ in chunks:
            self._check_stopped()

    def write_member(self, member: Member, chunks: Iterable[bytes]) -> None:
        """Extract one member, whose local header was checked, from its compressed bytes.

        Raises:
            ArchiveError: the data contradicts the directory.
            OutOfSpaceError: the disk is full.
            OSError: writing failed.
            concurrent.futures.CancelledError: ``cancel`` was true, or :meth:`stop` was called.
        """
        with self._watch_space(), self._open() as folders:
            self._write(folders, member, inflate_member(member, chunks))

    def stop(self) -> None:
        """Make every extracting thread end soon, with CancelledError."""
        self._stopped.set()

    def commit(self) -> list[ExtractedMember]:
        """Rename the staging folder to the destination.

        Returns:
            The files (not the folders), in archive order.

        Raises:
            DestinationExistsError: the destination was created by someone else in the meantime.
            OSError: the rename failed; what was there before was restored.
            RuntimeError: some members were not extracted.
        """
        if self._staging is None or self._members != len(self.selected):
            msg = f"{self._members} of {len(self.selected)} members were extracted"
            raise RuntimeError(msg)
        with self._watch_space():
            if self.durable:
                for index in range(len(self.archive.folders)):
                    sync_folder(self._staging.path / self.archive.folder_path(index))
            self._staging.put_in_place(durable=self.durable)
        self._staging = None
        return [
            ExtractedMember(name=name, size=size, path=self.directory / relative_path(name), executable=executable)
            for name, size, executable in self._summaries()
        ]

    def _summaries(self) -> Iterator[tuple[str, int, bool]]:
        """Return name, size and executable bit of the selected files."""
        selected = self.selected
        if isinstance(selected, MemberTable):
            return selected.summaries()
        return ((member.name, member.size, member.executable) for member in selected if not member.is_dir)

    def abort(self) -> None:
        """Remove the staging folder and its contents; does nothing after :meth:`commit` or when called again."""
        staging, self._staging = self._staging, None
        if staging is not None:
            staging.remove()

    def _check_names(self, destination: Path) -> None:
        """Reject names that this platform cannot store, before anything is created."""
        selected = self.selected
        stored = selected.names() if isinstance(selected, MemberTable) else (member.name for member in selected)
        names = map(relative_path, stored)
        if _WINDOWS:
            for name in names:
                check_portable(name)
            return
        longest = MAX_PATH - len(os.fsencode(destination)) - len("/.gh-artifacts-unpacking-0123456789abcdef/")
        for name in names:
            if len(name) * 4 > longest and len(name.encode()) > longest:
                raise refusal(rules.PATH_LENGTH, f"its path below {destination} is too long", name)

    def _probe_twins(self, staging: Path) -> None:
        """Test whether the destination tells the archive's first twins apart; O_EXCL catches what this misses."""
        if self.archive.twins is None or self.members is not None:
            return
        first, second = self.archive.twins
        one, other = next(pair for pair in zip(first.split("/"), second.split("/"), strict=False) if pair[0] != pair[1])
        probe = staging / one
        try:
            probe.mkdir()
        except OSError:
            return  # the member itself will fail with a better error
        same = (staging / other).exists()
        probe.rmdir()
        if same:
            raise _twin(second)

    def _make_folders(self, staging: Staging) -> None:
        needed = self._needed_folders()
        with self._open() as folders:
            for index in range(1, len(self.archive.folders)):
                if needed is not None and index not in needed:
                    continue
                self._check_stopped()
                try:
                    folders.make(index, staging.folder_mode)
                except (OSError, UnicodeEncodeError) as error:
                    _raise_bad_name(error, self.archive.folder_path(index))
                    raise

    def _needed_folders(self) -> set[int] | None:
        """Return the folders that the selected members need; None for all."""
        if self.members is None:
            return None
        needed: set[int] = set()
        for member in self.members:
            index = member.folder
            while index > 0 and index not in needed:
                needed.add(index)
                index = self.archive.folders[index].parent
        return needed

    @contextlib.contextmanager
    def _open(self) -> Generator[Folders]:
        folders = open_folders(self.staged, self.archive.folders)
        try:
            yield folders
        finally:
            folders.close()

    def _write(self, folders: Folders, member: Member, chunks: Iterator[bytes]) -> None:
        """Write one file, or check that a folder really has no data."""
        self._check_stopped()
        if member.is_dir:
            for _ in chunks:
                self._check_stopped()
            self._count(0, 1)
            return
        name = member.base_name
        try:
            descriptor = folders.create(member.folder, name, _EXECUTABLE_MODE if member.executable else _FILE_MODE)
        except (OSError, UnicodeEncodeError) as error:
            _raise_bad_name(error, member.name)
            raise
        try:
            for chunk in chunks:
                _write_all(descriptor, chunk)
                self._count(len(chunk), 0)
                self._check_stopped()
        except BaseException:
            os.close(descriptor)
            raise
        mtime = member.mtime if member.mtime is not None and member.mtime < self._latest else None
        folders.finish(descriptor, member.folder, name, mtime, sync=self.durable)
        self._count(0, 1)

    def _count(self, length: int, members: int) -> None:
        with self._lock:
            self._bytes += length
            self._members += members
            if self.progress is not None:
                self.progress(self._bytes, self._members)

    def _check_stopped(self) -> None:
        if self._stopped.is_set() or self.cancel():
            from concurrent.futures import CancelledError

            msg = "the extraction was cancelled"
            raise CancelledError(msg)

    @contextlib.contextmanager
    def _watch_space(self) -> Generator[None]:
        """Turn a full disk, quota or file-size limit into OutOfSpaceError."""
        try:
            yield
        except OSError as error:
            if error.errno not in _FULL or isinstance(error, OutOfSpaceError):
                raise
            free = _free(self.directory)
            text = f"no space left to unpack {self.archive.total_size} bytes to {self.directory}"
            raise OutOfSpaceError(
                text,
                filename=str(self.directory),
                errno=error.errno or errno.ENOSPC,
                needed=sum(member.size for member in self.selected),
                free=free,
            ) from error


def _write_all(descriptor: int, data: bytes) -> None:
    """Write everything; a single call may write less, at a file-size limit or a signal."""
    done = os.write(descriptor, data) if data else 0
    while done < len(data):
        done += os.write(descriptor, memoryview(data)[done:])


def _raise_bad_name(error: OSError | UnicodeEncodeError, name: str) -> None:
    """Raise the rule that a file system's error stands for, if the error is about the name."""
    if isinstance(error, FileExistsError):
        raise _twin(name) from error
    if isinstance(error, UnicodeEncodeError) or error.errno in _BAD_NAME:
        raise refusal(rules.DESTINATION, f"the destination cannot store this name ({error})", name) from error


def _twin(name: str) -> Exception:
    return refusal(rules.TWIN, "at the destination it is the same file as another member", name)


def _free(directory: Path) -> int | None:
    """Return the free bytes of the file system for ``directory``; None if unknown."""
    import shutil

    for folder in (directory, *directory.absolute().parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(folder).free
    return None
