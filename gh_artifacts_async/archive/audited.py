"""The result of an audit: an archive's directory, or how much more of the archive is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.archive.member_table import MemberTable
from gh_artifacts_async.archive.members import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async.archive.members import Member


@attrs.frozen(eq=False)
class ArchiveDirectory:
    """The central directory of an archive that passed the audit.

    A member takes about 70 bytes of memory and the length of its name, a folder about 250 bytes.

    Attributes:
        size: bytes of the whole archive.
        directory_offset: where the central directory begins.
        members: files and folders, in the order of the central directory. A sequence that builds each member as it is
            accessed; keep the ones you need.
        skipped: symbolic links, skipped under ``symlinks="skip"``; a sequence like ``members``.
        folders: every folder that is created, parents first; the first is the destination.
        total_size: uncompressed bytes of all members.
        total_compressed_size: their bytes in the archive, without headers.
        twins: two names that are the same on a file system that ignores case or Unicode normalisation; None if there
            are none.
        comment: the archive's comment.
    """

    size: int
    directory_offset: int
    members: MemberTable
    skipped: MemberTable
    folders: tuple[Folder, ...]
    total_size: int
    total_compressed_size: int
    twins: tuple[str, str] | None = None
    comment: bytes = b""

    def __getitem__(self, name: str) -> Member:
        """Return a member by its exact name (KeyError if there is none)."""
        found = self.members.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        """Return whether there is a member of this exact name."""
        return isinstance(name, str) and self.members.find(name) is not None

    def __iter__(self) -> Iterator[Member]:
        """Iterate over the members."""
        return iter(self.members)

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    def get(self, name: str) -> Member | None:
        """Return a member by its exact name, or None."""
        return self.members.find(name)

    @property
    def files(self) -> MemberTable:
        """The members that are files."""
        return self.members.files()

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
