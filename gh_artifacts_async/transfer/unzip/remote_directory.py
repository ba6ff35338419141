"""The end of a remote zip: its central directory, fetched by ranges and audited."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.archive import TAIL, ArchiveDirectory, FileReader, NeedMore, audit_directory, parse_tail
from gh_artifacts_async.errors import ArchiveError, ArchiveLimitError, CorruptArchiveError, UnsupportedArchiveError
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.protocol.media_types import media_type
from gh_artifacts_async.transfer.disk.writer import in_thread

if TYPE_CHECKING:
    from gh_artifacts_async.archive import Reader
    from gh_artifacts_async.settings import ExtractPolicy
    from gh_artifacts_async.transfer.storage.range_reader import RangeReader

IN_MEMORY = 4 * 2**20
"""Bytes of a central directory up to which it is read in memory; a longer one goes through a temporary file."""

_MEMBER = 512  # bytes of a central directory that a member may take, on average
_LONGEST = 16 * 2**20  # ... and that a directory may have, however few members the policy allows
_BLOCK = 2**20


@attrs.frozen(eq=False)
class Tail:
    """The last bytes of an archive, and the directory in them.

    Attributes:
        directory: audited, without the local headers.
        data: the last bytes, which may hold members too.
        digest: sha256 of all that the audit read: from the directory's start to the archive's end.
    """

    directory: ArchiveDirectory
    data: bytes = attrs.field(repr=False)
    digest: bytes

    @property
    def size(self) -> int:
        """Length of the whole archive."""
        return self.directory.size

    @classmethod
    def of(cls, reader: Reader, directory: ArchiveDirectory) -> Tail:
        """Return the tail of an archive that is on disk, without its bytes. Blocks."""
        return cls(directory, b"", _digest(reader, directory.directory_offset, directory.size))

    def is_that_of(self, reader: Reader) -> bool:
        """Whether an archive has the same directory. Blocks."""
        return _digest(reader, self.directory.directory_offset, self.size) == self.digest


async def read_tail(ranged: RangeReader, size: int, policy: ExtractPolicy) -> Tail:
    """Fetch an archive's central directory by absolute ranges (a single one if it is short), and audit it.

    Args:
        ranged: of the archive.
        size: the archive's length according to GitHub; storage's takes precedence.
        policy: limits, names and links.

    Raises:
        NoRangesError: storage does not support ranges.
        UnsupportedArchiveError: it is not an archive, but a file that was uploaded without zipping.
        ArchiveError: the archive is rejected.
        ArtifactsError: a request to GitHub or its storage failed.
    """
    data, size = await fetch_tail(ranged, size)
    try:
        return await audit_tail(ranged, data, size, policy)
    except ArchiveError as error:
        raise not_a_zip(ranged.content_type, error) from None


async def fetch_tail(ranged: RangeReader, size: int) -> tuple[bytes, int]:
    """Fetch the last bytes of what is stored, whatever it is.

    Args:
        ranged: of the artifact.
        size: its length according to GitHub; storage's takes precedence.

    Returns:
        The bytes, and the length of the whole.

    Raises:
        NoRangesError: storage does not support ranges.
        ArtifactsError: a request to GitHub or its storage failed.
    """
    start = max(0, size - TAIL)
    data = await ranged.read(start, max(size, start + 1))
    if ranged.total is not None and ranged.total != size:  # old servers count the raw files
        size = ranged.total
        data = await ranged.read(max(0, size - TAIL), size)
    return data, size


async def audit_tail(ranged: RangeReader, data: bytes, size: int, policy: ExtractPolicy) -> Tail:
    """Audit the directory, and fetch more for as long as it begins before what was fetched.

    Args:
        ranged: of the archive.
        data: the archive's last bytes.
        size: the archive's length.
        policy: limits, names and links.

    Raises:
        NoRangesError: storage no longer supports ranges.
        ArchiveError: the archive is rejected.
        ArtifactsError: a request to GitHub or its storage failed.
    """
    while isinstance(found := await in_thread(partial(parse_tail, data, size, policy)), NeedMore):
        begins = size - len(data)
        _check_length(size - found.start, policy)
        if begins - found.start > IN_MEMORY:
            return await _audited_on_disk(ranged, found.start, data, size, policy)
        data = await ranged.read(found.start, begins) + data
    return Tail(found, data, hashlib.sha256(data[found.directory_offset - size :]).digest())


async def _audited_on_disk(ranged: RangeReader, start: int, data: bytes, size: int, policy: ExtractPolicy) -> Tail:
    """Audit a directory that is too long for memory."""
    begins = size - len(data)
    async with ranged.scratch([(start, begins)], (begins, data)) as descriptor:
        reader = FileReader(descriptor, size=size)
        directory = await in_thread(lambda: audit_directory(reader, policy))
        digest = await in_thread(lambda: _digest(reader, directory.directory_offset, size))
    return Tail(directory, data, digest)


def _check_length(length: int, policy: ExtractPolicy) -> None:
    """Limit what an end record can make us fetch.

    Raises:
        ArchiveLimitError: the directory is longer than that of any archive which the policy allows.
    """
    if policy.max_members is None:
        return
    allowed = max(_LONGEST, policy.max_members * _MEMBER)
    if length > allowed:
        msg = (
            f"the archive's central directory has {length} bytes, but max_members={policy.max_members} members take "
            f"at most {allowed}; raise ExtractPolicy.max_members if you trust it"
        )
        raise ArchiveLimitError(msg, limit="max_members", value=length)


def _digest(reader: Reader, start: int, end: int) -> bytes:
    digest = hashlib.sha256()
    while start < end and (block := reader.read_at(start, min(_BLOCK, end - start))):
        digest.update(block)
        start += len(block)
    return digest.digest()


def not_a_zip(content_type: str | None, error: ArchiveError) -> ArchiveError:
    """Return the error to raise: what storage does not call a zip is not one, rather than a damaged one."""
    if not isinstance(error, CorruptArchiveError) or filenames.kind_by_type(content_type) != "raw":
        return error
    kind = media_type(content_type)
    msg = f"this artifact is a single file ({kind}), not a zip; download it instead"
    return UnsupportedArchiveError(msg, member=error.member, rule=error.rule)
