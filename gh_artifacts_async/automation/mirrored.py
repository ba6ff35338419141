"""The files of a mirror: are they what its manifest says, and a second name for one of them. All of it blocks.

A manifest is untrusted input: no symbolic link below the mirror's folder is followed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

import attrs

from gh_artifacts_async.automation.manifest import MirroredArtifact
from gh_artifacts_async.errors import DestinationExistsError
from gh_artifacts_async.models import Artifact
from gh_artifacts_async.results import ExtractedMember
from gh_artifacts_async.transfer.disk import filesystem, records
from gh_artifacts_async.transfer.disk.verify import hash_file

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence
    from pathlib import Path

    from gh_artifacts_async.results import DownloadResult
    from gh_artifacts_async.transfer.disk.partfile import PartFile

State = Literal["there", "changed", "missing"]

_BLOCK = 1024 * 1024
_COARSE = 10_000_000  # ns: FAT counts the time of a change in 2 s, HFS+ in 1 s, exFAT in 10 ms
_LONG_AGO = 60_000_000_000  # ns: more than any of them, though the clock may be that of a file server


@attrs.frozen
class Seen:
    """What a file is, as far as its metadata tell.

    Attributes:
        size: bytes.
        modified: nanoseconds.
        inode: device and number; files that share it share their content.
    """

    size: int
    modified: int
    inode: tuple[int, int]

    @property
    def is_exact(self) -> bool:
        """Whether the time tells one change from another shortly after it."""
        return self.modified % _COARSE != 0

    @property
    def will_differ(self) -> bool:
        """Whether a change from now on gets another time."""
        return self.is_exact or self.modified < time.time_ns() - _LONG_AGO


def look(path: Path) -> Seen | None:
    """Look at a file without following a link; None if it is no regular file.

    Raises:
        FileNotFoundError: there is nothing.
    """
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        return None
    return Seen(found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino))


def check_way(folder: Path, path: PurePosixPath | Path) -> None:
    """Check the folders between the mirror's folder and a path below it; those that do not exist are right.

    Raises:
        DestinationExistsError: one of them is a symbolic link, or no folder.
    """
    place = folder
    for part in path.parent.parts:
        place /= part
        try:
            mode = place.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(mode):
            what = "a symbolic link, which a mirror does not follow" if stat.S_ISLNK(mode) else "a file"
            msg = f"{place} is {what}"
            raise DestinationExistsError(msg, filename=str(place))


def state(folder: Path, entry: MirroredArtifact) -> State:
    """Compare an artifact's file, or folder, with the manifest, without reading it."""
    path = folder / entry.path
    try:
        check_way(folder, entry.path)
        if entry.tree is not None:
            return "there" if stat.S_ISDIR(path.lstat().st_mode) else "changed"
        seen = look(path)
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError:
        return "changed"
    return "there" if seen is not None and seen.size == entry.size else "changed"


class Hashes:
    """Whether files hold what they should, by their sha256; files that are hard links of each other are read once."""

    def __init__(self) -> None:
        """Start with none known."""
        self._known: dict[Seen, str] = {}

    def learn(self, path: Path, sha256: str) -> None:
        """Remember what was just written and verified."""
        with contextlib.suppress(OSError):
            seen = look(path)
            if seen is not None and seen.will_differ:
                self._known[seen] = sha256

    def same(self, path: Path, sha256: str, stopped: threading.Event | None = None) -> bool:
        """Whether a regular file has this sha256."""
        try:
            seen = look(path)
            if seen is None:
                return False
            found, lasts = self._known.get(seen), seen.will_differ
            if found is None:
                found = hash_file(path, stopped)
                if not found:  # stopped
                    return False
                if lasts:
                    self._known[seen] = found
        except OSError:
            return False
        return found == sha256


def is_intact(folder: Path, entry: MirroredArtifact, hashes: Hashes, stopped: threading.Event | None = None) -> bool:
    """Whether an artifact's file, or folder, has the content that was written."""
    if state(folder, entry) != "there":
        return False
    path = folder / entry.path
    if entry.tree is None:
        digest = entry.digest
        sha256 = digest.hex if digest is not None and digest.verifiable else entry.sha256
        return sha256 is not None and hashes.same(path, sha256, stopped)
    return tree_hash(path, members_of(folder, entry), stopped) == entry.tree


def members_of(folder: Path, entry: MirroredArtifact) -> Sequence[ExtractedMember]:
    """Return the files of an extracted folder: those that its record names, or all, if a killed run took that away."""
    path = folder / entry.path
    members = records.read_folder_record(_as_artifact(entry), path)
    return _files(path) if members is None else members


def _files(folder: Path) -> list[ExtractedMember]:
    """Return everything below a folder that is no folder, whoever put it there."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return [
        ExtractedMember(name=path.relative_to(folder).as_posix(), size=path.lstat().st_size, path=path)
        for path in found
    ]


def tree_hash(folder: Path, members: Sequence[ExtractedMember], stopped: threading.Event | None = None) -> str | None:
    """Return one sha256 over the names and contents of an extracted folder's files; None if one cannot be read."""
    whole = hashlib.sha256(usedforsecurity=False)
    try:
        for member in sorted(members, key=lambda member: member.name):
            check_way(folder, member.path.relative_to(folder))
            if look(member.path) is None:
                return None
            whole.update(f"{hash_file(member.path, stopped)} {member.name}\0".encode())
    except OSError:
        return None
    return whole.hexdigest()


def describe(folder: Path, artifact: Artifact, result: DownloadResult, zip_path: Path) -> MirroredArtifact:
    """Return the manifest's entry for what a download has put in place.

    Args:
        folder: the mirror's.
        artifact: which one.
        result: of its download.
        zip_path: where its zip would be.
    """
    sha256 = result.digest.hex if result.digest is not None else None
    if result.members is None:
        return file_entry(folder, artifact, result.path, sha256, raw=result.path != zip_path)
    return attrs.evolve(
        _entry(folder, artifact, result.path, result.size, sha256), tree=tree_hash(result.path, result.members)
    )


def file_entry(folder: Path, artifact: Artifact, path: Path, sha256: str | None, *, raw: bool) -> MirroredArtifact:
    """Return the manifest's entry for a file; it is hashed if its sha256 is not known."""
    found = path.lstat()
    entry = _entry(folder, artifact, path, found.st_size, sha256 or hash_file(path))
    return attrs.evolve(entry, raw=raw, modified=found.st_mtime_ns)


def _entry(folder: Path, artifact: Artifact, path: Path, size: int, sha256: str | None) -> MirroredArtifact:
    return MirroredArtifact(
        id=artifact.id,
        name=artifact.name,
        path=PurePosixPath(path.relative_to(folder).as_posix()),
        size=size,
        sha256=sha256,
        digest=artifact.digest,
        created_at=artifact.created_at,
        expires_at=artifact.expires_at,
    )


def _as_artifact(entry: MirroredArtifact) -> Artifact:
    """Return as much of the artifact as a folder's record is compared with."""
    return Artifact(
        id=entry.id,
        name=entry.name,
        size_in_bytes=entry.size,
        url="",
        archive_download_url="",
        expired=False,
        digest=entry.digest,
    )


# --- ours ---------------------------------------------------------------------------------------------------------


def is_untouched(folder: Path, entry: MirroredArtifact, hashes: Hashes, stopped: threading.Event | None = None) -> bool:
    """Whether something is what the mirror wrote: same size and time of modification, or else the same content."""
    if entry.tree is None and state(folder, entry) == "there":
        with contextlib.suppress(OSError):
            seen = look(folder / entry.path)
            if seen is not None and seen.modified == entry.modified and seen.is_exact:
                return True
    return is_intact(folder, entry, hashes, stopped)


def is_only_ours(folder: Path, entry: MirroredArtifact, hashes: Hashes, stopped: threading.Event | None = None) -> bool:
    """Whether something is what the mirror wrote, and nothing else is in a folder: it may be replaced as a whole."""
    if not is_untouched(folder, entry, hashes, stopped):
        return False
    if entry.tree is None:
        return True
    ours = {member.path for member in members_of(folder, entry)}
    return all(found.path in ours for found in _files(folder / entry.path))


# --- twins -----------------------------------------------------------------------------------------------------------


def put_twin(
    source: Path,
    destination: Path,
    part: PartFile,
    sha256: str,
    *,
    link: bool,
    replace: bool,
    durable: bool,
    stopped: threading.Event,
) -> bool:
    """Put a file in place that has another's content: as a hard link, or as a copy where there are no links.

    Args:
        source: the other file, which has just been verified.
        destination: the new file's path.
        part: a plan for its part file, in the same folder.
        sha256: of the content.
        link: link rather than copy.
        replace: replace what is at ``destination``.
        durable: fsync what is written, and its folder.
        stopped: set to end a copy early.

    Returns:
        False if the copy was stopped, or the other file has just been changed; nothing is in place.

    Raises:
        DestinationExistsError: something is at ``destination``.
        OutOfSpaceError: the disk is full.
        OSError: writing failed.
    """
    filesystem.make_folder(destination.parent)
    if link and _linked(source, destination, part.path, replace=replace):
        if durable:
            filesystem.sync_folder(destination.parent)
        return True
    return _copied(source, destination, part, sha256, replace=replace, durable=durable, stopped=stopped)


def _linked(source: Path, destination: Path, temporary: Path, *, replace: bool) -> bool:
    try:
        with filesystem.space_errors(destination):
            if not replace:
                os.link(source, destination, follow_symlinks=False)
                return True
            os.link(source, temporary, follow_symlinks=False)
            temporary.replace(destination)
            temporary.unlink(missing_ok=True)  # POSIX: renaming a link over another of the same file does nothing
    except FileExistsError:
        msg = f"{destination} already exists and is not this artifact"
        raise DestinationExistsError(msg, filename=str(destination)) from None
    except OSError as error:
        if error.errno not in filesystem.NO_LINKS:
            raise
        return False
    return True


def _copied(
    source: Path,
    destination: Path,
    part: PartFile,
    sha256: str,
    *,
    replace: bool,
    durable: bool,
    stopped: threading.Event,
) -> bool:
    try:
        with source.open("rb", buffering=0) as file:
            part.start(os.fstat(file.fileno()).st_size)
            while not stopped.is_set() and (block := file.read(_BLOCK)):
                part.append([block])
        if part.hexdigest != sha256:
            return False
        part.commit(destination, replace=replace, durable=durable)
    finally:
        part.discard()
    return True
