"""Members of a zip that stays remote: the directory from its tail, chosen members by their ranges.

Only absolute ranges are requested. If storage does not support ranges (old GitHub Enterprise Servers zip on the fly),
the whole archive is fetched once into a temporary file, verified, and read there.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import BytesReader, Extraction, check_local_header, read_member
from gh_artifacts_async.archive.leftovers import sweep_beside
from gh_artifacts_async.archive.readers import read_exactly
from gh_artifacts_async.archive.records import STORED
from gh_artifacts_async.errors import (
    ArchiveLimitError,
    ConfigurationError,
    MemberNotFoundError,
)
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.transfer.disk.filesystem import checked_directory
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.targets import missing_token, resolve
from gh_artifacts_async.transfer.unzip.remote_source import RemoteSource, coalesced
from gh_artifacts_async.transfer.unzip.unpack import begun, fill

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from gh_artifacts_async.archive import ArchiveDirectory, Member, Reader
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.results import ExtractedMember
    from gh_artifacts_async.settings import ExtractPolicy, StrPath
    from gh_artifacts_async.transfer.storage.context import TransferContext

READ_LIMIT = 16 * 2**20
"""Default limit of :meth:`RemoteArchive.read`, in uncompressed bytes."""

_NEAR = 64 * 1024
"""A range that begins so few bytes after its file does is fetched together with the file's local header."""


class RemoteArchive:
    """An open archive that stays remote; its directory was audited when it was opened.

    Attributes:
        artifact: the archive's artifact.
        directory: the audited directory.
    """

    def __init__(self, artifact: Artifact, directory: ArchiveDirectory, source: RemoteSource) -> None:
        """Keep what :func:`open_archive` has read."""
        self.artifact = artifact
        self.directory = directory
        self._source = source
        self._begins: dict[str, int] = {}  # where the data of a file begins whose local header was checked
        self._checking = asyncio.Lock()

    def __repr__(self) -> str:
        """Return the artifact's name, the number of members and the bytes fetched."""
        return f"RemoteArchive({self.artifact.name!r}, {len(self.members)} members, {self.bytes_fetched} bytes fetched)"

    @property
    def members(self) -> Sequence[Member]:
        """Files and folders, in the order of the central directory."""
        return self.directory.members

    @property
    def ranged(self) -> bool:
        """Whether storage supports ranges; False means that the whole archive was fetched."""
        return self._source.whole is None

    @property
    def bytes_fetched(self) -> int:
        """Bytes that storage has sent for this archive."""
        return self._source.bytes_fetched

    @property
    def requests(self) -> int:
        """Requests sent to storage for this archive."""
        return self._source.requests

    async def read(self, name: str, *, max_bytes: int = READ_LIMIT) -> bytes:
        """Return one file's uncompressed bytes; local header, size and CRC are checked.

        Args:
            name: exactly as the archive has it.
            max_bytes: refuse a larger one.

        Raises:
            MemberNotFoundError: there is no file of that name.
            ArchiveLimitError: it has more than ``max_bytes``.
            ArchiveError: its data contradicts the directory.
            ArtifactsError: a request to GitHub or its storage failed.
        """
        member = find_file(self.directory, name)
        check_size(member, max_bytes)
        reader = await self._source.pieces((member,))
        return await in_thread(lambda: _whole(reader, member))

    async def read_range(self, name: str, start: int, end: int) -> bytes:
        """Return some bytes of a file that is stored without compression; no others of it are fetched.

        The file's local header is checked before the first range. A range that is the whole file is read and verified
        as by :meth:`read`; a part has no checksum of its own.

        Args:
            name: exactly as the archive has it.
            start: offset in the file of the first byte, 0 or more.
            end: offset after the last one; beyond the file's end, what there is.

        Raises:
            ConfigurationError: the file is compressed, or ``start`` is negative.
            MemberNotFoundError: there is no file of that name.
            ArchiveError: its local header contradicts the directory.
            ArtifactsError: a request to GitHub or its storage failed.
        """
        member = find_file(self.directory, name)
        if member.method != STORED:
            msg = f"{name!r} is compressed: its ranges cannot be read alone; read() returns the whole of it"
            raise ConfigurationError(msg)
        end = checked_range(start, end, member.size)
        if start >= end:
            return b""
        if (start, end) == (0, member.size):
            return await self.read(name, max_bytes=member.size)
        begin = self._begins.get(name)
        if begin is None:
            async with self._checking:
                begin = self._begins.get(name)
                if begin is None:
                    return await self._first_range(member, start, end)
        return await self._exactly(begin + start, begin + end, member)

    async def _first_range(self, member: Member, start: int, end: int) -> bytes:
        """Check a file's local header and return a range of the file, by one request if it begins near the header."""
        at = member.header_offset
        header = member.span_end - at - member.compressed_size  # its length, and that of a data descriptor
        together = start <= _NEAR
        data = await self._exactly(at, min(member.span_end, at + header + (end if together else 0)), member)
        begin = self._begins[member.name] = check_local_header(member, data)
        if together:
            return data[begin - at + start : begin - at + end]
        return await self._exactly(begin + start, begin + end, member)

    async def _exactly(self, start: int, end: int, member: Member) -> bytes:
        data = await self._source.slice(start, end)
        return read_exactly(BytesReader(data), 0, end - start, member.name)

    async def read_many(self, names: Iterable[str], *, max_bytes: int = READ_LIMIT) -> dict[str, bytes]:
        """Return the uncompressed bytes of several files; those that lie together are fetched by one request.

        Args:
            names: as for :meth:`extract`.
            max_bytes: refuse more, all of them together. If they do not fit with their compressed data, that goes
                through a temporary file.

        Returns:
            The bytes by name, in the order of the archive.

        Raises:
            MemberNotFoundError: there is no file of one of these names.
            ArchiveLimitError: they have more than ``max_bytes``.
            ArchiveError: a file's data contradicts the directory.
            ArtifactsError: a request to GitHub or its storage failed.
        """
        members = self._chosen(names)
        total = sum(member.size for member in members)
        if total > max_bytes:
            msg = f"these {len(members)} files have {total} bytes; raise max_bytes, or extract them to a folder"
            raise ArchiveLimitError(msg, rule="max_bytes", limit="max_bytes", value=total)
        async with AsyncExitStack() as stack:
            if total + sum(end - start for start, end in coalesced(members)) <= max_bytes:
                reader = await self._source.pieces(members)
            else:
                self._source.check_open()
                reader = await stack.enter_async_context(self._source.spans(members, Path(tempfile.gettempdir())))
            return await in_thread(lambda: {member.name: _whole(reader, member) for member in members})

    async def extract(self, names: Iterable[str], directory: StrPath) -> list[ExtractedMember]:
        """Extract chosen files into a new folder, which is put in place once all of them are right.

        Args:
            names: exactly as the archive has them; ``"folder/"`` means all below it.
            directory: must not exist, or be empty.

        Raises:
            MemberNotFoundError: there is no file of one of these names.
            DestinationExistsError: ``directory`` is taken.
            ArchiveError: a file's data contradicts the directory.
            OutOfSpaceError: the disk is full.
            ArtifactsError: a request to GitHub or its storage failed.
        """
        members = self._chosen(names)
        folder = checked_directory(directory)
        self._source.check_open()
        await in_thread(lambda: sweep_beside(folder.resolve()))
        async with begun(Extraction(self.directory, folder, members=members)) as extraction:
            async with self._source.spans(members, folder.resolve().parent) as reader:
                await fill(extraction, reader)
            return await in_thread(extraction.commit)

    def _chosen(self, names: Iterable[str]) -> tuple[Member, ...]:
        if isinstance(names, str):
            names = (names,)
        files = self.directory.files
        chosen: set[str] = set()
        for name in names:
            below = {file.name for file in files if file.name.startswith(name)} if name.endswith("/") else None
            chosen |= below or {find_file(self.directory, name).name}
        return tuple(file for file in files if file.name in chosen)


class RemoteFile:
    """An artifact that was uploaded as a single file, without zipping, and stays remote.

    Attributes:
        artifact: the artifact.
        name: the file's name, as a download has it: the one that storage sends, else the artifact's, made safe.
        size: its bytes.
        etag: storage's validator of them; None if there is none.
    """

    def __init__(self, artifact: Artifact, source: RemoteSource) -> None:
        """Keep what :func:`open_contents` has found out."""
        self.artifact = artifact
        self.name: str = filenames.raw_filename(artifact.name, source.disposition)
        self.size: int = source.size
        self.etag: str | None = source.etag
        self._source = source

    async def read(self, *, max_bytes: int = READ_LIMIT) -> bytes:
        """Return the bytes, verified like a download.

        Raises:
            ArchiveLimitError: there are more than ``max_bytes``.
            ArtifactsError: a request to GitHub or its storage failed, or the bytes are not the artifact's.
        """
        if self.size > max_bytes:
            msg = f"{self.name!r} has {self.size} bytes; raise max_bytes, or download it to a file"
            raise ArchiveLimitError(msg, member=self.name, rule="max_bytes", limit="max_bytes", value=self.size)
        return await self._source.everything()

    async def read_range(self, start: int, end: int) -> bytes:
        """Return some bytes; no others are fetched, and those of a part are not verified.

        Args:
            start: offset of the first byte, 0 or more.
            end: offset after the last one; beyond the file's end, what there is.

        Raises:
            ConfigurationError: ``start`` is negative.
            ArtifactsError: a request to GitHub or its storage failed, or the bytes of a whole are not the artifact's.
        """
        end = checked_range(start, end, self.size)
        if start >= end:
            return b""
        if (start, end) == (0, self.size):
            return await self.read(max_bytes=self.size)
        return await self._source.slice(start, end)


def checked_range(start: int, end: int, size: int) -> int:
    """Return the end of a range, at most the size of the file.

    Raises:
        ConfigurationError: the range begins before the file.
    """
    if start < 0:
        msg = f"start must be an offset of 0 or more, not {start!r}"
        raise ConfigurationError(msg)
    return min(end, size)


def find_file(directory: ArchiveDirectory, name: str) -> Member:
    """Return a file by its exact name.

    Raises:
        MemberNotFoundError: there is none.
    """
    member = directory.get(name)
    if member is None or member.is_dir:
        what = "is a folder" if member is not None else "is not in the archive"
        files = len(directory.files)
        msg = f"{name!r} {what}" + (f", which has {files:,} file{'' if files == 1 else 's'}" if member is None else "")
        raise MemberNotFoundError(msg, member=name, rule="missing")
    return member


def check_size(member: Member, max_bytes: int) -> None:
    """Check that a file may be read into memory.

    Raises:
        ArchiveLimitError: it has more than ``max_bytes``, or takes more in the archive.
    """
    largest = max(member.size, member.compressed_size)
    if largest > max_bytes:
        msg = f"{member.name!r} has {largest} bytes; raise max_bytes, or extract it to a file"
        raise ArchiveLimitError(msg, member=member.name, rule="max_bytes", limit="max_bytes", value=largest)


def _whole(reader: Reader, member: Member) -> bytes:
    """Return a member's bytes, which are in memory once. Blocks."""
    body = io.BytesIO()
    for block in read_member(reader, member):
        body.write(block)
    return body.getvalue()


@asynccontextmanager
async def open_archive(
    context: TransferContext, artifact: Artifact | ArtifactRef, policy: ExtractPolicy
) -> AsyncGenerator[RemoteArchive]:
    """Open an archive remotely, see :meth:`gh_artifacts_async.ArtifactsClient.open_archive`."""
    with ExitStack() as stack:
        found, source = await _source(context, artifact, stack)
        yield RemoteArchive(found, await source.directory(policy), source)


@asynccontextmanager
async def open_contents(
    context: TransferContext, artifact: Artifact | ArtifactRef, policy: ExtractPolicy
) -> AsyncGenerator[RemoteArchive | RemoteFile]:
    """Open an archive, or a file that was uploaded without zipping; storage's headers say which, as for a download.

    Raises:
        ArtifactsError: as for :func:`open_archive`.
    """
    with ExitStack() as stack:
        yield await opened_contents(context, artifact, policy, stack)


async def opened_contents(
    context: TransferContext, artifact: Artifact | ArtifactRef, policy: ExtractPolicy, stack: ExitStack
) -> RemoteArchive | RemoteFile:
    """Do the same; it stays open until ``stack`` closes it.

    Raises:
        ArtifactsError: as for :func:`open_archive`.
    """
    found, source = await _source(context, artifact, stack)
    if await source.kind() == "raw":
        return RemoteFile(found, source)
    return RemoteArchive(found, await source.directory(policy), source)


async def _source(
    context: TransferContext, artifact: Artifact | ArtifactRef, stack: ExitStack
) -> tuple[Artifact, RemoteSource]:
    context.github.check_usable()
    if not context.github.has_token:
        raise missing_token(context.github.base)
    found = await resolve(context.github, artifact)
    return found, RemoteSource(context, found, context.github.emitter, stack)
