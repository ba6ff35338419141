"""Unpack while it arrives: members whose bytes are on disk already are inflated into the staging folder.

The central directory is fetched first, by an absolute range, and audited; nothing is visible until the digest of the
whole agrees. Whatever goes wrong here costs only the head start: the archive is then unpacked when it is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import TAIL, FileReader, NeedMore, audit_headers, parse_tail
from gh_artifacts_async.errors import ArchiveError, ArtifactsError, CorruptArchiveError
from gh_artifacts_async.transfer.slices import NoRangesError, Slices
from gh_artifacts_async.transfer.writer import in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gh_artifacts_async.archive import ArchiveDirectory, Extraction, Member
    from gh_artifacts_async.results import ExtractedMember, SignedURL
    from gh_artifacts_async.transfer.partfile import PartFile
    from gh_artifacts_async.transfer.tools import Tools
    from gh_artifacts_async.transfer.unpack import Unpacking

FROM = 4 * 2**20
"""Archives from so many bytes on are unpacked while they arrive; smaller ones are there before it would pay."""

THREADS = 2
_ENOUGH = 2**20  # bytes that must be on disk, not yet looked at, before the threads are woken again


class Pipeline:
    """Unpacks one archive behind its own download."""

    def __init__(self, tools: Tools, unpacking: Unpacking) -> None:
        """Plan; :meth:`begin` starts it."""
        self._tools = tools
        self._unpacking = unpacking
        self._task: asyncio.Task[Extraction | None] | None = None
        self._dropped: list[asyncio.Task[Extraction | None]] = []
        self._part: PartFile | None = None
        self._total = 0
        self._more = asyncio.Event()
        self._all_there = False
        self.refused: ArchiveError | None = None

    def begin(self, part: PartFile, total: int, signed: SignedURL) -> None:
        """Start behind a download that has begun (again); what an earlier start has done is dropped."""
        self.drop()
        if total >= FROM and part.state.etag is not None:
            self._part, self._total, self._all_there = part, total, False
            self._task = asyncio.get_running_loop().create_task(self._run(signed), name="gh-artifacts-pipeline")

    def poke(self) -> None:
        """Take note that bytes have arrived."""
        self._more.set()

    def drop(self) -> None:
        """Give up the head start; the staging folder goes as soon as the threads have let go of it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            self._dropped.append(task)

    async def finish(self) -> list[ExtractedMember] | None:
        """Unpack the rest of a verified archive and put the folder in place; None where the head start was lost.

        Raises:
            DestinationExistsError: the destination is taken.
            OutOfSpaceError: the disk is full.
            OSError: the system refused.
        """
        task, self._task = self._task, None
        if task is None:
            return None
        self._all_there = True
        self._more.set()
        try:
            extraction = await task
        except asyncio.CancelledError:
            self._dropped.append(task)  # awaiting it has cancelled it, and aclose() waits for its end
            raise
        if extraction is None:
            return None
        try:
            return await in_thread(extraction.commit)
        finally:
            await in_thread(extraction.abort)

    async def aclose(self) -> None:
        """Give up what is not finished, and wait until nothing of it is left."""
        self.drop()
        while self._dropped:
            await asyncio.wait(self._dropped)
            self._dropped = [task for task in self._dropped if not task.done()]

    # --- the task

    async def _run(self, signed: SignedURL) -> Extraction | None:
        extraction: Extraction | None = None
        done = False
        try:
            directory = await self._directory(signed)
            extraction = self._unpacking.extraction(directory)
            await in_thread(extraction.__enter__)
            await self._follow(extraction, directory)
            done = True
        except (ArtifactsError, NoRangesError, OSError) as error:
            if isinstance(error, ArchiveError) and not isinstance(error, CorruptArchiveError) and extraction is None:
                self.refused = error.with_traceback(None)
            return None
        finally:
            if extraction is not None and not done:
                await in_thread(extraction.abort)
        return extraction

    async def _directory(self, signed: SignedURL) -> ArchiveDirectory:
        """Fetch the central directory and audit it."""
        assert self._part is not None  # noqa: S101 - begin() sets it
        slices = Slices(self._tools, self._unpacking.artifact)
        slices.use(signed, self._part.state.etag)
        start = max(0, self._total - TAIL)
        tail = await slices.read(start, self._total)
        policy = self._unpacking.policy
        while isinstance(found := parse_tail(tail, self._total, policy), NeedMore):
            tail, start = await slices.read(found.start, start) + tail, found.start
        return found

    async def _follow(self, extraction: Extraction, directory: ArchiveDirectory) -> None:
        """Unpack the members in the order in which they arrive."""
        assert self._part is not None  # noqa: S101 - begin() sets it
        waiting = deque(sorted(directory.members, key=attrgetter("span_end")))
        looked_at = 0
        with FileReader(self._part.path, size=self._total) as reader:
            while waiting:
                there = self._total if self._all_there else self._part.offset
                if there - looked_at < _ENOUGH and not self._all_there:
                    await self._wait()
                    continue
                looked_at = there
                await self._unpack(extraction, reader, _arrived(waiting, there))
            while not self._all_there:
                await self._wait()
            if directory.skipped:
                await in_thread(lambda: audit_headers(reader, directory))

    async def _wait(self) -> None:
        self._more.clear()
        await self._more.wait()

    async def _unpack(self, extraction: Extraction, reader: FileReader, ready: deque[Member]) -> None:
        """Share members out to the threads; the first failure stops them all."""

        def work() -> None:
            try:
                extraction.extract_members(reader, _shared(ready))
            except BaseException:
                extraction.stop()
                raise

        jobs = [in_thread(work, extraction.stop) for _ in range(min(THREADS, len(ready)))]
        for outcome in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome


def _arrived(waiting: deque[Member], there: int) -> deque[Member]:
    """Take the members whose bytes are all there."""
    ready: deque[Member] = deque()
    while waiting and waiting[0].span_end <= there:
        ready.append(waiting.popleft())
    return ready


def _shared(members: deque[Member]) -> Iterator[Member]:
    """Take members until there are none; several threads share them."""
    while True:
        try:
            member = members.popleft()
        except IndexError:
            return
        yield member
