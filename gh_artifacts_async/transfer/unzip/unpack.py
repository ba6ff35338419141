"""Extracts a downloaded zip into a folder."""

from __future__ import annotations

import asyncio
import stat
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import Extraction, FileReader, audit_reader, extract_all
from gh_artifacts_async.archive.leftovers import sweep
from gh_artifacts_async.errors import DestinationExistsError
from gh_artifacts_async.events import ExtractionProgress
from gh_artifacts_async.protocol.filenames import MARKER_NAME
from gh_artifacts_async.transfer.disk.filesystem import sync_folder
from gh_artifacts_async.transfer.disk.records import set_aside, stage_folder_record, sweep_staged
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.throughput import EVENT_INTERVAL

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable
    from pathlib import Path

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.archive import ArchiveDirectory, Reader
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import ExtractedMember
    from gh_artifacts_async.settings import ExtractPolicy
    from gh_artifacts_async.transfer.disk.records import StagedRecord


class Unpacking:
    """How one artifact is extracted, and how the worker threads report progress to observers."""

    def __init__(
        self,
        artifact: Artifact,
        destination: Path,
        policy: ExtractPolicy,
        emitter: Emitter,
        *,
        replace: bool,
        durable: bool,
    ) -> None:
        """Keep the arguments; nothing is extracted yet."""
        self.artifact = artifact
        self.destination = destination
        self.policy = policy
        self._emitter = emitter
        self._replace = replace
        self._durable = durable
        self._loop = asyncio.get_running_loop()
        self._next_event = 0.0
        self.in_place: bool = False

    def extraction(self, directory: ArchiveDirectory) -> Extraction:
        """Return an extraction into the destination, not started yet."""
        return Extraction(
            directory,
            self.destination,
            if_exists="replace" if self._replace else "error",
            durable=self._durable,
            progress=self._progress(directory) if self._emitter.active else None,
        )

    def _progress(self, directory: ArchiveDirectory) -> Callable[[int, int], None]:
        """Return the function that the worker threads call; it emits at most ten events a second."""
        total, members = directory.total_size, len(directory.members)

        def report(written: int, done: int) -> None:
            now = self._loop.time()
            if now >= self._next_event or done == members:
                self._next_event = now + EVENT_INTERVAL
                event = ExtractionProgress(
                    artifact=self.artifact, written=written, total=total, members_done=done, members=members
                )
                self._loop.call_soon_threadsafe(self._emitter.emit, event)

        return report

    async def whole(self, path: Path) -> list[ExtractedMember]:
        """Audit and extract an archive that is whole and verified.

        Raises:
            ArchiveError: the archive is rejected; nothing was written.
            DestinationExistsError: the destination is taken.
            OutOfSpaceError: the disk is full.
            OSError: writing failed.
        """
        with FileReader(path) as reader:
            directory = await in_thread(lambda: audit_reader(reader, self.policy))
            async with begun(self.extraction(directory)) as extraction:
                await fill(extraction, reader)
                return await in_thread(lambda: self.put_in_place(extraction))

    def put_in_place(self, extraction: Extraction) -> list[ExtractedMember]:
        """Put the folder and its record in place; whatever can fail is done before that. Blocks.

        Raises:
            DestinationExistsError: the destination is taken.
            OutOfSpaceError: the disk is full.
            OSError: it failed; what was there before has been restored.
        """
        sizes = {member.name: member.size for member in extraction.selected if not member.is_dir}
        record = stage_folder_record(self.artifact, self.destination, sizes, extraction.staged, durable=self._durable)
        members = commit_with_record(extraction, self.destination, record, durable=self._durable)
        self.in_place = True
        return members


def commit_with_record(
    extraction: Extraction, destination: Path, record: StagedRecord, *, durable: bool
) -> list[ExtractedMember]:
    """Put a folder in place, and then its record. Blocks.

    Raises:
        DestinationExistsError: the destination is taken.
        OutOfSpaceError: the disk is full.
        OSError: it failed; what was there before has been restored.
    """
    try:
        with set_aside(destination):
            members = extraction.commit()
        with suppress(OSError):  # the folder is right; without its record it just cannot be skipped
            record.put_in_place()
            if durable:
                sync_folder(destination.parent)
    finally:
        record.discard()
    return members


def clear_away(left: Iterable[Path]) -> None:
    """Clear away what killed extractions have left: their markers with all that belongs to them, then records. Blocks.

    Args:
        left: as :func:`~gh_artifacts_async.transfer.disk.leftovers.scan` returns them.
    """
    for path in left:
        if MARKER_NAME.fullmatch(path.name):
            sweep(path)
        else:
            sweep_staged(path)


def check_destination(path: Path) -> None:
    """Check that a folder could be put there, also if an older folder is to be replaced.

    Raises:
        DestinationExistsError: a file or a link is there.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        if not stat.S_ISDIR(path.lstat().st_mode):
            msg = f"cannot create folder {path}: a file or a link is in the way; it was left unchanged"
            raise DestinationExistsError(msg, filename=str(path))


@asynccontextmanager
async def begun(extraction: Extraction) -> AsyncGenerator[Extraction]:
    """Start an extraction; leaving the block removes what was not put in place.

    Raises:
        ArchiveError: the destination cannot hold a name.
        DestinationExistsError: the destination is taken.
        OutOfSpaceError: the disk is full.
        OSError: writing failed.
    """
    try:
        await in_thread(extraction.__enter__)
        yield extraction
    finally:
        await in_thread(extraction.abort)


async def fill(extraction: Extraction, reader: Reader) -> None:
    """Extract all members of an extraction that has started.

    Raises:
        ArchiveError: a header or the data contradicts the directory.
        OutOfSpaceError: the disk is full.
        OSError: reading or writing failed.
    """
    await in_thread(lambda: extract_all(extraction, reader), extraction.stop)
