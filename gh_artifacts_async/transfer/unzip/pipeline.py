"""Extract while downloading: members whose bytes are on disk already are inflated into the staging folder.

The central directory is fetched first, by an absolute range, and audited; then the whole archive, in one request.
Nothing is visible until the digest of the whole matches, and the directory that arrived is the one that was audited. An
archive that the policy rejects ends the download at that point. Any other failure here costs only the head start: the
archive is then extracted once it has arrived.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import FileReader, audit_headers
from gh_artifacts_async.errors import ArchiveError, ArtifactsError, CorruptArchiveError
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.range_reader import NoRangesError, RangeReader
from gh_artifacts_async.transfer.unzip.remote_directory import read_tail
from gh_artifacts_async.transfer.unzip.unpack import check_destination

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gh_artifacts_async.archive import Extraction, Member
    from gh_artifacts_async.results import ExtractedMember, SignedURL
    from gh_artifacts_async.transfer.disk.partfile import PartFile
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.unzip.remote_directory import Tail
    from gh_artifacts_async.transfer.unzip.unpack import Unpacking

FROM = 4 * 2**20
"""Archives of at least this many bytes are extracted while they arrive; for smaller ones it would not pay off."""

THREADS = 2
_ENOUGH = 2**20  # new bytes on disk for which the threads are woken at once
_PATIENCE = 0.1  # seconds after which they are woken for fewer, if a member has become whole


class Pipeline:
    """Extracts one archive while it is downloaded."""

    def __init__(self, context: TransferContext, unpacking: Unpacking) -> None:
        """Keep the arguments; nothing is fetched yet."""
        self._context = context
        self._unpacking = unpacking
        self._asked = False
        self._tail: Tail | None = None
        self._etag: str | None = None
        self._behind: _Behind | None = None
        self._task: asyncio.Task[Extraction | None] | None = None
        self._dropped: list[asyncio.Task[Extraction | None]] = []

    async def prepare(self, signed: SignedURL) -> None:
        """Fetch and audit the central directory, once, just before the archive itself is requested.

        Args:
            signed: the URL that it will be requested with.

        Raises:
            ArchiveError: the policy rejects the archive (a damaged one is rejected only after it arrived).
            DestinationExistsError: a file or a link is in the folder's place.
        """
        artifact = self._unpacking.artifact
        if self._asked or artifact.size_in_bytes < FROM:
            return
        self._asked = True
        ranged = RangeReader(self._context, artifact, attempts=1)
        ranged.use(signed)
        with suppress(NoRangesError, OSError):
            try:
                self._tail = await read_tail(ranged, artifact.size_in_bytes, self._unpacking.policy)
            except CorruptArchiveError:
                return
            except ArtifactsError as error:
                if isinstance(error, ArchiveError) and filenames.kind_by_type(ranged.content_type) == "zip":
                    raise
        self._etag = ranged.etag
        if filenames.kind_by_type(ranged.content_type) == "zip":
            check_destination(self._unpacking.destination)

    def begin(self, part: PartFile, total: int | None) -> None:
        """Start extracting a download whose body begins (again); what an earlier start extracted is discarded.

        Args:
            part: where the bytes go.
            total: their number; None if it is not known, or the bytes are not an archive.

        Raises:
            DestinationExistsError: a file or a link is in the folder's place.
        """
        self.drop()
        if total is not None:
            check_destination(self._unpacking.destination)
        tail = self._tail
        if tail is None or self._etag is None or (total, part.state.etag) != (tail.size, self._etag):
            return
        self._behind = _Behind(part, tail)
        self._task = asyncio.get_running_loop().create_task(self._run(self._behind), name="gh-artifacts-pipeline")

    def poke(self) -> None:
        """Signal that bytes have arrived."""
        if self._behind is not None:
            self._behind.more.set()

    def drop(self) -> None:
        """Discard the head start; the staging folder is removed once the threads no longer use it."""
        task, self._task, self._behind = self._task, None, None
        if task is not None:
            task.cancel()
            self._dropped.append(task)

    async def finish(self) -> list[ExtractedMember] | None:
        """Extract the rest of a verified archive and put the folder in place; None if the head start was lost.

        Raises:
            DestinationExistsError: the destination is taken.
            OutOfSpaceError: the disk is full.
            OSError: writing failed.
        """
        task, behind = self._task, self._behind
        if task is None or behind is None:
            return None
        behind.all_there = True
        behind.more.set()
        await asyncio.wait({task})  # if cancelled here, drop() still finds the task
        self._task = None
        extraction = task.result()
        if extraction is None:
            return None
        try:
            return await in_thread(lambda: self._unpacking.put_in_place(extraction))
        finally:
            await in_thread(extraction.abort)

    async def aclose(self) -> None:
        """Discard what is not finished, and wait until it is gone, even when cancelled meanwhile."""
        self.drop()
        cancelled: asyncio.CancelledError | None = None
        while self._dropped:
            try:
                await asyncio.wait(self._dropped)
                await _abort(self._dropped.pop())
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    # --- the task

    async def _run(self, behind: _Behind) -> Extraction | None:
        """Extract all members; None if that failed, and the staging folder has been removed."""
        extraction = self._unpacking.extraction(behind.tail.directory)
        done = False
        with suppress(ArtifactsError, OSError):
            try:
                await in_thread(extraction.__enter__)
                done = await behind.follow(extraction)
            finally:
                if not done:
                    await in_thread(extraction.abort)
        return extraction if done else None


class _Behind:
    """Follows a part file that grows.

    Attributes:
        tail: the audited directory.
        more: set when bytes have arrived.
        all_there: the archive is whole and verified.
    """

    def __init__(self, part: PartFile, tail: Tail) -> None:
        self.tail = tail
        self.more = asyncio.Event()
        self.all_there = False
        self._part = part
        self._path: Path = part.path

    async def follow(self, extraction: Extraction) -> bool:
        """Extract the members in the order in which they arrive; False if another archive has arrived."""
        directory = self.tail.directory
        waiting = deque(sorted(directory.members, key=attrgetter("span_end")))
        loop = asyncio.get_running_loop()
        looked_at, look_again = 0, 0.0
        with FileReader(self._path, size=self.tail.size) as reader:
            while waiting:
                there = self.tail.size if self.all_there else self._part.offset
                due = there - looked_at >= _ENOUGH or loop.time() >= look_again
                if not self.all_there and not (due and waiting[0].span_end <= there):
                    await self._wait()
                    continue
                await _unpack(extraction, reader, _arrived(waiting, there))
                looked_at, look_again = there, loop.time() + _PATIENCE
            while not self.all_there:
                await self._wait()
            if directory.skipped:
                await in_thread(lambda: audit_headers(reader, directory, directory.skipped))
            return await in_thread(lambda: self.tail.is_that_of(reader))

    async def _wait(self) -> None:
        """Wait for more bytes, but not long: what arrives is on disk a little later."""
        self.more.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self.more.wait()


async def _unpack(extraction: Extraction, reader: FileReader, ready: deque[Member]) -> None:
    """Distribute members over the threads; the first failure stops them all."""

    def work() -> None:
        try:
            extraction.extract_members(reader, _shared(ready))
        except BaseException:
            extraction.stop()
            raise

    loop = asyncio.get_running_loop()
    jobs = [loop.run_in_executor(None, work) for _ in range(min(THREADS, len(ready)))]
    cancelled: asyncio.CancelledError | None = None
    while at_work := [job for job in jobs if not job.done()]:
        try:
            await asyncio.wait(at_work)
        except asyncio.CancelledError as error:
            cancelled = error
            extraction.stop()
    failures = [failure for job in jobs if (failure := job.exception()) is not None]
    if cancelled is not None:
        raise cancelled
    if failures:  # a thread that was stopped raises CancelledError, which is not the cause
        raise next((failure for failure in failures if isinstance(failure, Exception)), failures[0])


async def _abort(task: asyncio.Task[Extraction | None]) -> None:
    """Remove what a dropped task has extracted."""
    extraction = None if task.cancelled() or task.exception() is not None else task.result()
    if extraction is not None:
        await in_thread(extraction.abort)


def _arrived(waiting: deque[Member], there: int) -> deque[Member]:
    """Remove and return the members whose bytes are all on disk."""
    ready: deque[Member] = deque()
    while waiting and waiting[0].span_end <= there:
        ready.append(waiting.popleft())
    return ready


def _shared(members: deque[Member]) -> Iterator[Member]:
    """Yield members until none are left; several threads share them."""
    while True:
        try:
            member = members.popleft()
        except IndexError:
            return
        yield member
