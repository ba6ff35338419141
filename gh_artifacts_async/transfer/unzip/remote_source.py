"""The bytes of an artifact that stays remote: its tail, ranges of it, or the whole from storage without ranges."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from bisect import bisect_right
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import FileReader, audit_reader
from gh_artifacts_async.errors import ArchiveError, ClientClosedError
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.protocol.ranges import judge_content
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.fetch import fetch
from gh_artifacts_async.transfer.storage.range_reader import ChangedError, NoRangesError, RangeReader
from gh_artifacts_async.transfer.unzip.remote_directory import audit_tail, fetch_tail, not_a_zip

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence
    from contextlib import ExitStack

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.archive import ArchiveDirectory, Member, Reader
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.settings import ExtractPolicy
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.storage.fetch import Incoming

_MAGIC = 4  # bytes

_GAP = 64 * 1024
"""A gap of at most this many bytes between two members is fetched too: another request would cost more."""


class _Pieces:
    """Pieces of an archive, read by the archive's own offsets; no read goes beyond the piece that it begins in."""

    def __init__(self, pieces: Sequence[tuple[int, bytes]], size: int) -> None:
        self._starts = [start for start, _ in pieces]
        self._data = [data for _, data in pieces]
        self.size = size

    def read_at(self, offset: int, length: int, /) -> bytes:
        """Return a slice; empty if it begins before the first piece."""
        at = bisect_right(self._starts, offset) - 1
        if at < 0:
            return b""
        begin = offset - self._starts[at]
        return self._data[at][begin : begin + length]


class RemoteSource:
    """Where an artifact's bytes come from: ranges of the remote one, or the whole in a temporary file.

    Attributes:
        size: bytes of the whole; 0 before the first request.
        whole: the whole in a temporary file; None if storage supports ranges.
        content_type: as storage sends it; None if it sends none, and before the first request.
        disposition: storage's Content-Disposition, likewise.
    """

    def __init__(self, context: TransferContext, artifact: Artifact, emitter: Emitter, stack: ExitStack) -> None:
        """Keep the arguments; nothing is sent yet. ``stack`` closes what is opened."""
        self._context = context
        self._artifact = artifact
        self._emitter = emitter
        self._stack = stack
        self._ranged = RangeReader(context, artifact)
        self._fetches: list[Incoming] = []
        self._fetching = asyncio.Lock()
        self._open = True
        self._reached = False
        self._tail = b""
        self._kind: Kind | None = None
        self.size: int = 0
        self.whole: FileReader | None = None
        self.content_type: str | None = None
        self.disposition: str | None = None
        stack.callback(self._close)

    @property
    def bytes_fetched(self) -> int:
        """Bytes that storage has sent."""
        return sum(incoming.bytes_fetched for incoming in self._fetches) + self._ranged.bytes_fetched

    @property
    def requests(self) -> int:
        """Requests sent to storage."""
        return sum(incoming.requests for incoming in self._fetches) + self._ranged.requests

    @property
    def etag(self) -> str | None:
        """Storage's validator; None if it sends none, or does not support ranges."""
        return self._ranged.etag

    @property
    def _tail_at(self) -> int:
        return self.size - len(self._tail)

    async def kind(self) -> Kind:
        """Tell a zip from a single file, by what storage sends with it, else by its first bytes."""
        with suppress(NoRangesError):
            await self._fetch_tail()
            if not self.size:
                raise NoRangesError  # there was no range to send, so no header has said what it is
            by_headers = filenames.kind_by_type(self.content_type) or filenames.kind_by_name(self.disposition)
            return by_headers or filenames.kind_by_magic(await self._piece(0, min(_MAGIC, self.size)))
        await self._fetch_whole()
        return self._kind or "zip"

    async def directory(self, policy: ExtractPolicy) -> ArchiveDirectory:
        """Read and audit the directory: remotely, or from the whole if storage does not support ranges."""
        try:
            with suppress(NoRangesError):
                await self._fetch_tail()
                tail = await audit_tail(self._ranged, self._tail, self.size, policy)
                self._tail = tail.data
                return tail.directory
            whole = await self._fetch_whole()
            return await in_thread(lambda: audit_reader(whole, policy))
        except ArchiveError as error:
            raise not_a_zip(self.content_type, error) from None

    async def _fetch_tail(self) -> None:
        """Fetch the last bytes, once."""
        if self.whole is not None:
            raise NoRangesError
        if not self._reached:
            self._tail, self.size = await fetch_tail(self._ranged, self._artifact.size_in_bytes)
            self.content_type, self.disposition = self._ranged.content_type, self._ranged.disposition
            self._reached = True

    async def everything(self) -> bytes:
        """Return all bytes, verified."""
        self.check_open()
        whole = self.whole
        if whole is None:
            with suppress(NoRangesError):
                data = await self._ranged.read(0, self._tail_at, then=self._tail)
                await in_thread(lambda: self._judge(data))
                return data
            whole = await self._instead()
        return await in_thread(lambda: whole.read_at(0, whole.size))

    def _judge(self, data: bytes) -> None:
        """Check the bytes of a single file. Blocks."""
        judge_content(
            self._artifact,
            received=len(data),
            content_length=len(data),
            sha256=hashlib.sha256(data, usedforsecurity=False).hexdigest(),
            kind="raw",
            ends_as_zip=False,
        )

    async def slice(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` up to ``end`` (exclusive), as far as possible from the tail."""
        self.check_open()
        whole = self.whole
        if whole is None:
            with suppress(NoRangesError):
                return await self._piece(start, end)
            whole = await self._instead()
        return await in_thread(lambda: whole.read_at(start, end - start))

    async def pieces(self, members: Sequence[Member]) -> Reader:
        """Return a reader of the spans of some members, held in memory."""
        self.check_open()
        if self.whole is not None:
            return self.whole
        with suppress(NoRangesError):
            return _Pieces([(start, await self._piece(start, end)) for start, end in coalesced(members)], self.size)
        return await self._instead()

    async def _piece(self, start: int, end: int) -> bytes:
        """Return a range of the archive, as far as possible from its tail."""
        tail_at = self._tail_at
        if start >= tail_at:
            return self._tail[start - tail_at : end - tail_at]
        return await self._ranged.read(start, min(end, tail_at), then=self._tail[: max(0, end - tail_at)])

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
            return _Pieces([(self._tail_at, self._tail)], self.size)
        tail = (self._tail_at, self._tail) if pieces[-1][1] > self._tail_at else None
        with suppress(NoRangesError):
            descriptor = await stack.enter_async_context(self._ranged.scratch(missing, tail, folder))
            return FileReader(descriptor, size=self.size)
        return await self._instead()

    async def _instead(self) -> FileReader:
        """Fetch the whole from storage that served ranges before and no longer does."""
        whole = await self._fetch_whole()
        if whole.size != self.size:
            msg = f"artifact {self._artifact.id}: the stored archive has changed; open it again"
            raise ChangedError(msg)
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
                    self.content_type, self.disposition = received.content_type, received.disposition
                    self._kind = received.kind
                    part.commit(folder / "archive.zip", replace=True, durable=False)
                self.whole = self._stack.enter_context(FileReader(folder / "archive.zip"))
                self.size = self.size or self.whole.size
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
