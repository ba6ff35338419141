"""Members of a zip that stays remote: the directory from its tail, chosen members by their ranges.

Only absolute ranges are requested. If storage does not support ranges (old GitHub Enterprise Servers zip on the fly),
the whole archive is fetched once into a temporary file, verified, and read there.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import BytesReader, Extraction, FileReader, audit_reader, read_member
from gh_artifacts_async.archive.leftovers import sweep_beside
from gh_artifacts_async.errors import (
    ArchiveError,
    ArchiveLimitError,
    ClientClosedError,
    MemberNotFoundError,
    StorageError,
)
from gh_artifacts_async.transfer.disk.filesystem import checked_directory
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.fetch import fetch
from gh_artifacts_async.transfer.storage.range_reader import NoRangesError, RangeReader
from gh_artifacts_async.transfer.storage.targets import missing_token, resolve
from gh_artifacts_async.transfer.unzip.remote_directory import not_a_zip, read_tail
from gh_artifacts_async.transfer.unzip.unpack import begun, fill

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.archive import ArchiveDirectory, Member, Reader
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.results import ExtractedMember
    from gh_artifacts_async.settings import ExtractPolicy, StrPath
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.storage.fetch import Incoming

READ_LIMIT = 16 * 2**20
"""Default limit of :meth:`RemoteArchive.read`, in uncompressed bytes."""

_GAP = 64 * 1024
"""A gap of at most this many bytes between two members is fetched too: another request would cost more."""


class _Shifted:
    """A piece of an archive, read by the archive's own offsets."""

    def __init__(self, data: bytes, start: int, size: int) -> None:
        self._reader = BytesReader(data)
        self._start = start
        self.size = size

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return a slice; empty if it begins before the piece."""
        return self._reader.read_at(offset - self._start, length) if offset >= self._start else b""


class RemoteArchive:
    """An open archive that stays remote; its directory was audited when it was opened.

    Attributes:
        artifact: the archive's artifact.
        directory: the audited directory.
    """

    def __init__(self, artifact: Artifact, directory: ArchiveDirectory, source: _Source) -> None:
        """Keep what :func:`open_archive` has read."""
        self.artifact = artifact
        self.directory = directory
        self._source = source

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
        member = self._file(name)
        largest = max(member.size, member.compressed_size)
        if largest > max_bytes:
            msg = f"{member.name!r} has {largest} bytes; raise max_bytes, or extract it to a file"
            raise ArchiveLimitError(msg, member=member.name, rule="max_bytes", limit="max_bytes", value=largest)
        reader = await self._source.piece(member)
        return await in_thread(lambda: b"".join(read_member(reader, member)))

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

    def _file(self, name: str) -> Member:
        member = self.directory.get(name)
        if member is None or member.is_dir:
            what = "is a folder" if member is not None else "is not in the archive"
            msg = f"{name!r} {what}; it has {len(self.directory.files)} files"
            raise MemberNotFoundError(msg, member=name, rule="missing")
        return member

    def _chosen(self, names: Iterable[str]) -> tuple[Member, ...]:
        if isinstance(names, str):
            names = (names,)
        files = self.directory.files
        chosen: set[str] = set()
        for name in names:
            below = {file.name for file in files if file.name.startswith(name)} if name.endswith("/") else None
            chosen |= below or {self._file(name).name}
        return tuple(file for file in files if file.name in chosen)


class _Source:
    """Where an archive's bytes come from: ranges of the remote one, or the whole in a temporary file."""

    def __init__(self, context: TransferContext, artifact: Artifact, emitter: Emitter, stack: ExitStack) -> None:
        self._context = context
        self._artifact = artifact
        self._emitter = emitter
        self._stack = stack
        self._ranged = RangeReader(context, artifact)
        self._fetches: list[Incoming] = []
        self._fetching = asyncio.Lock()
        self._open = True
        self._size = 0
        self._tail = b""
        self.whole: FileReader | None = None
        self.content_type: str | None = None
        stack.callback(self._close)

    @property
    def bytes_fetched(self) -> int:
        return sum(incoming.bytes_fetched for incoming in self._fetches) + self._ranged.bytes_fetched

    @property
    def requests(self) -> int:
        return sum(incoming.requests for incoming in self._fetches) + self._ranged.requests

    @property
    def _tail_at(self) -> int:
        return self._size - len(self._tail)

    async def directory(self, policy: ExtractPolicy) -> ArchiveDirectory:
        """Read and audit the directory: remotely, or from the whole if storage does not support ranges."""
        with suppress(NoRangesError):
            tail = await read_tail(self._ranged, self._artifact.size_in_bytes, policy)
            self._size, self._tail = tail.size, tail.data
            return tail.directory
        whole = await self._fetch_whole()
        try:
            return await in_thread(lambda: audit_reader(whole, policy))
        except ArchiveError as error:
            raise not_a_zip(self.content_type, error) from None

    async def piece(self, member: Member) -> Reader:
        """Return a reader of one member's span."""
        self.check_open()
        start, end = member.header_offset, member.span_end
        if self.whole is not None:
            return self.whole
        if start >= self._tail_at:
            return _Shifted(self._tail, self._tail_at, self._size)
        with suppress(NoRangesError):
            data = await self._ranged.read(start, min(end, self._tail_at))
            return _Shifted(data + self._tail[: max(0, end - self._tail_at)], start, self._size)
        return await self._instead()

    @asynccontextmanager
    async def spans(self, members: tuple[Member, ...], folder: Path) -> AsyncGenerator[Reader]:
        """Provide a reader of the spans of some members: a sparse temporary file, whatever their size.

        Args:
            members: whose spans.
            folder: the file is created here, on the file system that the members are extracted to.
        """
        async with AsyncExitStack() as stack:
            yield await self._gathered(members, folder, stack)

    async def _gathered(self, members: tuple[Member, ...], folder: Path, stack: AsyncExitStack) -> Reader:
        if self.whole is not None:
            return self.whole
        pieces = coalesced(members)
        missing = [(start, min(end, self._tail_at)) for start, end in pieces if start < self._tail_at]
        if not missing:
            return _Shifted(self._tail, self._tail_at, self._size)
        tail = (self._tail_at, self._tail) if pieces[-1][1] > self._tail_at else None
        with suppress(NoRangesError):
            descriptor = await stack.enter_async_context(self._ranged.scratch(missing, tail, folder))
            return FileReader(descriptor, size=self._size)
        return await self._instead()

    async def _instead(self) -> FileReader:
        """Fetch the whole from storage that served ranges before and no longer does."""
        whole = await self._fetch_whole()
        if whole.size != self._size:
            msg = f"artifact {self._artifact.id}: the stored archive has changed; open it again"
            raise StorageError(msg)
        return whole

    async def _fetch_whole(self) -> FileReader:
        """Fetch and verify the whole archive, once, into a temporary file."""
        async with self._fetching:
            if self.whole is None:
                folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="gh-artifacts-")))
                part = PartFile.for_artifact(self._artifact, folder)
                async with fetch(self._context, self._artifact, part, (), emitter=self._emitter) as incoming:
                    self._fetches.append(incoming)
                    received = await incoming.receive()
                    self.content_type = received.content_type
                    part.commit(folder / "archive.zip", replace=True, durable=False)
                self.whole = self._stack.enter_context(FileReader(folder / "archive.zip"))
            return self.whole

    def check_open(self) -> None:
        """Check that the block has not been left.

        Raises:
            ClientClosedError: it has.
        """
        if not self._open:
            msg = "this archive is closed: its block has been left"
            raise ClientClosedError(msg)

    def _close(self) -> None:
        self._open = False


def coalesced(members: Iterable[Member]) -> list[tuple[int, int]]:
    """Return the ranges that hold these members, those with a small gap between them as one."""
    found: list[tuple[int, int]] = []
    for member in sorted(members, key=lambda member: member.header_offset):
        if found and member.header_offset - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], max(found[-1][1], member.span_end))
        else:
            found.append((member.header_offset, member.span_end))
    return found


@asynccontextmanager
async def open_archive(
    context: TransferContext, artifact: Artifact | ArtifactRef, policy: ExtractPolicy
) -> AsyncGenerator[RemoteArchive]:
    """Open an archive remotely, see :meth:`gh_artifacts_async.ArtifactsClient.open_archive`."""
    context.github.check_usable()
    if not context.github.has_token:
        raise missing_token(context.github.base)
    found = await resolve(context.github, artifact)
    with ExitStack() as stack:
        source = _Source(context, found, context.github.emitter, stack)
        yield RemoteArchive(found, await source.directory(policy), source)
