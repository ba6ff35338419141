"""What an audit gives back: the members of an archive, and the folders they need."""

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
        name: as the archive has it; a folder's ends in a slash, but for the official uploader's (see ``is_dir``).
        size: unpacked bytes.
        compressed_size: bytes in the archive, headers apart.
        crc32: of the unpacked bytes.
        method: 0 stored, 8 deflate, 12 bzip2, 14 lzma.
        flags: the general purpose flags.
        is_dir: a folder. The official uploader writes a folder as an empty file ``d`` beside ``d/b.json``; that is one.
        executable: a file with an executable bit.
        mtime: time of modification (aware, UTC); None where the archive's makes no sense. MS-DOS times have no zone
            and are taken for UTC; Info-ZIP's extended timestamp, where there is one, goes first.
        header_offset: where its local header begins.
        span_end: where the next record begins; from ``header_offset`` to here all bytes are this member's.
        folder: index of its folder in :attr:`ArchiveDirectory.folders`; of a folder, its own index.
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

    @property
    def path(self) -> str:
        """The name as a relative path with slashes, none at the end, and no ``./`` before it."""
        return canonical(self.name).removesuffix("/")

    @property
    def base_name(self) -> str:
        """The last component."""
        return self.path.rpartition("/")[2]


class Folder(NamedTuple):
    """One folder that the members need.

    Attributes:
        parent: index of its parent; -1 for the first, which is the destination itself.
        name: the last component.
    """

    parent: int
    name: str


@attrs.frozen(eq=False)
class ArchiveDirectory:
    """A whole zip directory that broke no rule.

    Attributes:
        size: bytes of the archive.
        directory_offset: where the central directory begins.
        members: files and folders, in the order of the central directory.
        skipped: symbolic links that ``symlinks="skip"`` leaves out.
        folders: every folder that is made, parents first; the first is the destination.
        total_size: unpacked bytes of all members.
        total_compressed_size: their bytes in the archive, headers apart.
        twins: two names that are one on a file system that folds case or normalisation; None if there are none.
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
        """Whether there is a member of this exact name."""
        return name in self._by_name

    def __iter__(self) -> Iterator[Member]:
        """Go through the members."""
        return iter(self.members)

    def __len__(self) -> int:
        """Count the members."""
        return len(self.members)

    def get(self, name: str) -> Member | None:
        """Return a member by its exact name, or None."""
        return self._by_name.get(name)

    @property
    def files(self) -> tuple[Member, ...]:
        """The members that are files."""
        return tuple(member for member in self.members if not member.is_dir)

    def folder_path(self, index: int) -> str:
        """Return a folder's relative path with slashes; the destination's is empty."""
        parts: list[str] = []
        while index > 0:
            parent, name = self.folders[index]
            parts.append(name)
            index = parent
        return "/".join(reversed(parts))


@attrs.frozen
class NeedMore:
    """The tail is too short to judge the archive by.

    Attributes:
        start: the tail must begin here (an offset in the archive) or earlier.
    """

    start: int
