"""The result of an audit: the members of an archive, and the folders they need."""

from __future__ import annotations

import functools
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import attrs

from gh_artifacts_async.archive.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.frozen
class Member:
    """One audited member.

    Attributes:
        name: as stored in the archive; a folder's ends in a slash, except the official uploader's (see ``is_dir``).
        size: uncompressed bytes.
        compressed_size: bytes in the archive, without headers.
        crc32: of the uncompressed bytes.
        method: 0 stored, 8 deflate, 12 bzip2, 14 lzma.
        flags: the general purpose flags.
        is_dir: a folder. The official uploader writes a folder as an empty file ``d`` beside ``d/b.json``; it counts.
        executable: a file with an executable bit.
        mtime: modification time (aware, UTC); None if the archive's is invalid. MS-DOS times have no time zone and are
            taken as UTC; Info-ZIP's extended timestamp takes precedence.
        header_offset: where its local header begins, in bytes from the start of the archive.
        span_end: where the next record begins; all bytes from ``header_offset`` to here belong to this member.
        folder: index of its folder in :attr:`ArchiveDirectory.folders`; for a folder, its own index.
        raw_name: the name as stored in the headers, not decoded.
    """

    name: str
    size: int
    compressed_size: int
    crc32: int
    method: int
    flags: int
    is_dir: bool
    executable: bool
    mtime: datetime | None
    header_offset: int
    span_end: int
    folder: int
    raw_name: bytes

    @property
    def path(self) -> str:
        """The name as a relative path with slashes, without a leading ``./`` or a trailing slash."""
        return canonical(self.name).removesuffix("/")

    @property
    def base_name(self) -> str:
        """The last component."""
        return self.path.rpartition("/")[2]


class Folder(NamedTuple):
    """A folder that the members need.

    Attributes:
        parent: index of its parent; -1 for the first folder, the destination itself.
        name: the last component.
    """

    parent: int
    name: str


@attrs.frozen(eq=False)
class ArchiveDirectory:
    """The central directory of an archive that passed the audit.

    Attributes:
        size: bytes of the whole archive.
        directory_offset: where the central directory begins.
        members: files and folders, in the order of the central directory.
        skipped: symbolic links, skipped under ``symlinks="skip"``.
        folders: every folder that is created, parents first; the first is the destination.
        total_size: uncompressed bytes of all members.
        total_compressed_size: their bytes in the archive, without headers.
        twins: two names that are the same on a file system that ignores case or Unicode normalisation; None if there
            are none.
        comment: the archive's comment.
    """

    size: int
    directory_offset: int
    members: tuple[Member, ...]
    skipped: tuple[Member, ...]
    folders: tuple[Folder, ...]
    total_size: int
    total_compressed_size: int
    twins: tuple[str, str] | None = None
    comment: bytes = b""

    @functools.cached_property
    def _by_name(self) -> dict[str, Member]:
        return {member.name: member for member in self.members}

    def __getitem__(self, name: str) -> Member:
        """Return a member by its exact name (KeyError if there is none)."""
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        """Return whether there is a member of this exact name."""
        return name in self._by_name

    def __iter__(self) -> Iterator[Member]:
        """Iterate over the members."""
        return iter(self.members)

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    def get(self, name: str) -> Member | None:
        """Return a member by its exact name, or None."""
        return self._by_name.get(name)

    @property
    def files(self) -> tuple[Member, ...]:
        """The members that are files."""
        return tuple(member for member in self.members if not member.is_dir)

    def folder_path(self, index: int) -> str:
        """Return a folder's relative path with slashes; empty for the destination."""
        parts: list[str] = []
        while index > 0:
            parent, name = self.folders[index]
            parts.append(name)
            index = parent
        return "/".join(reversed(parts))


@attrs.frozen
class NeedMore:
    """The tail is too short: more of the archive is needed.

    Attributes:
        start: the offset in the archive at which the tail must begin, or before.
    """

    start: int
