"""The members of an archive and the folders they need; a million members in some hundred bytes each."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import attrs

from gh_artifacts_async.archive.names import relative_path


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
        data_offset: where its data begins; None until its local header was checked.
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
    data_offset: int | None = None

    @property
    def path(self) -> str:
        """The name as a relative path with slashes, without a leading ``./`` or a trailing slash."""
        return relative_path(self.name)

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
