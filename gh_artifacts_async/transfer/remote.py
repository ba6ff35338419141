"""Members of a zip that stays remote: the directory from its tail, chosen members by their ranges.

Only absolute ranges are asked for. Where storage gives none (old GitHub Enterprise Servers zip on the fly), the whole
archive is fetched once, verified, into a temporary file, and read there.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import (
    TAIL,
    ArchiveDirectory,
    BytesReader,
    Extraction,
    FileReader,
    Member,
    NeedMore,
    audit_reader,
    parse_tail,
    read_member,
)
from gh_artifacts_async.errors import ArchiveLimitError, MemberNotFoundError
from gh_artifacts_async.transfer.download import checked_directory
from gh_artifacts_async.transfer.receive import Transfer
from gh_artifacts_async.transfer.slices import NoRangesError, Slices
from gh_artifacts_async.transfer.unpack import unpacked
from gh_artifacts_async.transfer.writer import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from gh_artifacts_async.archive import Reader
    from gh_artifacts_async.events import Emitter
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import ExtractedMember
    from gh_artifacts_async.settings import ExtractPolicy, StrPath
    from gh_artifacts_async.transfer.tools import Tools

READ_LIMIT = 16 * 2**20
"""Unpacked bytes that :meth:`RemoteArchive.read` returns at most, unless it is told otherwise."""

_GAP = 64 * 1024
"""Bytes between two members that are fetched along rather than asked around: less than a request costs."""


class _Shifted:
    """A piece of an archive that stands at some place in it."""

    def __init__(self, data: bytes, start: int, size: int) -> None:
        self._reader = BytesReader(data)
        self._start = start
        self.size = size

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return a slice; nothing where it begins before the piece."""
        return self._reader.read_at(offset - self._start, length) if offset >= self._start else b""


class RemoteArchive:
    """An open archive that stays remote; its directory was audited when it was opened.

    Attributes:
        artifact: which one.
        directory: the audited directory.
    """

    def __init__(self, artifact: Artifact, directory: ArchiveDirectory, source: _Source) -> None:
        """Take over what :func:`open_archive` has read."""
        self.artifact = artifact
        self.directory = directory
        self._source = source

    def __repr__(self) -> str:
        """Return what it is and what it has cost."""
        return f"RemoteArchive({self.artifact.name!r}, {len(self.members)} members, {self.bytes_fetched} bytes fetched)"

    @property
    def members(self) -> tuple[Member, ...]:
        """Files and folders, in the order of the central directory."""
        return self.directory.members

    @property
    def ranged(self) -> bool:
        """Whether storage gives ranges; False means that the whole archive was fetched."""
        return self._source.whole is None

    @property
    def bytes_fetched(self) -> int:
        """Bytes that storage has sent for this archive."""
        return self._source.bytes_fetched

    @property
    def requests(self) -> int:
        """Requests that storage was sent for this archive."""
        return self._source.requests

    async def read(self, name: str, *, max_bytes: int = READ_LIMIT) -> bytes:
        """Return one file's unpacked bytes; local header, size and CRC are checked.

        Args:
            name: exactly as the archive has it.
            max_bytes: refuse a larger one.

        Raises:
            MemberNotFoundError: there is no file of that name.
            ArchiveLimitError: it unpacks to more than ``max_bytes``.
            ArchiveError: its data contradicts the directory.
            ArtifactsError: GitHub or its storage said no, or did not answer.
        """
        member = self._file(name)
        largest = max(member.size, member.compressed_size)
        if largest > max_bytes:
            msg = f"{member.name!r} has {largest} bytes; raise max_bytes, or extract it to a file"
            raise ArchiveLimitError(msg, member=member.name, rule="max_bytes", limit="max_bytes", value=largest)
        reader = await self._source.piece(member)
        return await in_thread(lambda: b"".join(read_member(reader, member)))

    async def extract(self, names: Iterable[str], directory: StrPath) -> list[ExtractedMember]:
        """Unpack chosen files into a new folder, which appears when all of them are right.

        Args:
            names: exactly as the archive has them; ``"folder/"`` means all below it.
            directory: must not exist, or be empty.

        Raises:
            MemberNotFoundError: there is no file of one of these names.
            DestinationExistsError: ``directory`` is taken.
            ArchiveError: a file's data contradicts the directory.
            OutOfSpaceError: the disk is full.
            ArtifactsError: GitHub or its storage said no, or did not answer.
        """
        members = self._chosen(names)
        folder = checked_directory(directory)
        async with self._source.spans(members) as reader:
            return await unpacked(Extraction(self.directory, folder, members=members), reader)

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
        chosen: dict[str, Member] = {}
        for name in names:
            below = [file for file in self.directory.files if name.endswith("/") and file.name.startswith(name)]
            chosen |= {file.name: file for file in below or [self._file(name)]}
        return tuple(member for member in self.members if member.name in chosen)


class _Source:
    """Where an archive's bytes come from: slices of the remote one, or the whole in a temporary file."""

    def __init__(self, tools: Tools, artifact: Artifact, slices: Slices, emitter: Emitter) -> None:
        self._tools = tools
        self._artifact = artifact
        self._slices = slices
        self._emitter = emitter
        self._tail = b""
        self._tail_at = 0
        self.size = artifact.size_in_bytes
        self.whole: FileReader | None = None
        self._whole_bytes = 0

    @property
    def bytes_fetched(self) -> int:
        return self._slices.bytes_fetched + self._whole_bytes

    @property
    def requests(self) -> int:
        return self._slices.requests + (self.whole is not None)

    async def directory(self, policy: ExtractPolicy) -> ArchiveDirectory:
        """Read the tail, and more of it where the directory is longer.

        Raises:
            NoRangesError: storage has no ranges.
        """
        await self._fetch_tail(max(0, self.size - TAIL))
        if self._slices.total is not None and self._slices.total != self.size:
            self.size = self._slices.total  # old servers count the raw files
            await self._fetch_tail(max(0, self.size - TAIL), anew=True)
        while isinstance(found := await asyncio.to_thread(parse_tail, self._tail, self.size, policy), NeedMore):
            await self._fetch_tail(found.start)
        return found

    async def _fetch_tail(self, start: int, *, anew: bool = False) -> None:
        fresh = anew or not self._tail
        end = self.size if fresh else self._tail_at
        piece = await self._slices.read(start, max(end, start + 1))
        self._tail = piece if fresh else piece + self._tail
        self._tail_at = start

    async def piece(self, member: Member) -> Reader:
        """Return a reader that has one member's span."""
        if self.whole is not None:
            return self.whole
        if member.header_offset >= self._tail_at:
            return _Shifted(self._tail, self._tail_at, self.size)
        data = await self._slices.read(member.header_offset, member.span_end)
        return _Shifted(data, member.header_offset, self.size)

    @asynccontextmanager
    async def spans(self, members: tuple[Member, ...]) -> AsyncGenerator[Reader]:
        """Give a reader that has the spans of some members: a sparse temporary file, whatever their size."""
        if self.whole is not None:
            yield self.whole
            return
        with tempfile.TemporaryFile(prefix="gh-artifacts-") as file:
            descriptor = file.fileno()
            for start, end in coalesced(members):
                os.lseek(descriptor, start, os.SEEK_SET)
                lane = self._tools.writer.lane(partial(_write_all, descriptor))
                try:
                    await self._slices.copy(start, end, lane.put)
                    await lane.flush()
                finally:
                    await lane.stop()
            yield FileReader(descriptor, size=self.size)

    async def fetch_whole(self, folder: Path, policy: ExtractPolicy) -> ArchiveDirectory:
        """Fetch and verify the whole archive, and audit it there."""
        transfer = Transfer(self._tools, self._artifact, folder, self._emitter, lambda _kind, _disposition: None)
        received = await transfer.run(())
        self._whole_bytes = received.size
        path = folder / "archive.zip"
        received.part.commit(path, replace=True, durable=False)
        self.whole = FileReader(path)
        whole = self.whole
        return await in_thread(lambda: audit_reader(whole, policy))

    def close(self) -> None:
        if self.whole is not None:
            self.whole.close()


def _write_all(descriptor: int, chunks: Iterable[bytes | memoryview]) -> None:
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            view = view[os.write(descriptor, view) :]


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
    tools: Tools, artifact: Artifact, policy: ExtractPolicy, emitter: Emitter
) -> AsyncGenerator[RemoteArchive]:
    """Open an archive where it is; see :meth:`gh_artifacts_async.ArtifactsClient.open_archive`."""
    source = _Source(tools, artifact, Slices(tools, artifact), emitter)
    directory: ArchiveDirectory | None = None
    with ExitStack() as stack:
        stack.callback(source.close)
        with suppress(NoRangesError):
            directory = await source.directory(policy)
        if directory is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gh-artifacts-"))
            stack.callback(source.close)  # before the folder goes
            directory = await source.fetch_whole(Path(folder), policy)
        yield RemoteArchive(artifact, directory, source)
