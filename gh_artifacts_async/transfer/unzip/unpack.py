"""A downloaded zip becomes a folder, and the record that tells later which artifact the folder is."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import stat
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from gh_artifacts_async.archive import Extraction, FileReader, audit_reader, extract_all
from gh_artifacts_async.errors import DestinationExistsError
from gh_artifacts_async.events import ExtractionProgress
from gh_artifacts_async.results import ExtractedMember
from gh_artifacts_async.transfer.disk.filesystem import space_errors, sync_folder
from gh_artifacts_async.transfer.disk.verify import record_path
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.throughput import EVENT_INTERVAL

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable
    from pathlib import Path

    from gh_artifacts_async.archive import ArchiveDirectory, Member, Reader
    from gh_artifacts_async.events import Emitter
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.settings import ExtractPolicy

_RECORD_VERSION = 1
_EXECUTABLE = 0o111
_LONGEST_RECORD = 256 * 2**20


class Unpacking:
    """How one artifact is to be unpacked, and the way from worker threads to the observer."""

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
        """Plan; nothing happens yet."""
        self.artifact = artifact
        self.destination = destination
        self.policy = policy
        self._emitter = emitter
        self._replace = replace
        self._durable = durable
        self._loop = asyncio.get_running_loop()
        self._next_event = 0.0

    def extraction(self, directory: ArchiveDirectory) -> Extraction:
        """Return an extraction into the destination, not begun."""
        return Extraction(
            directory,
            self.destination,
            if_exists="replace" if self._replace else "error",
            durable=self._durable,
            progress=self._progress(directory) if self._emitter else None,
        )

    def _progress(self, directory: ArchiveDirectory) -> Callable[[int, int], None]:
        """Make the function that the worker threads call; it lets at most ten events a second through."""
        total, members = directory.total_size, len(directory.members)

        def told(written: int, done: int) -> None:
            now = self._loop.time()
            if now >= self._next_event or done == members:
                self._next_event = now + EVENT_INTERVAL
                event = ExtractionProgress(
                    artifact=self.artifact, written=written, total=total, members_done=done, members=members
                )
                self._loop.call_soon_threadsafe(self._emitter.emit, event)

        return told

    async def whole(self, path: Path) -> list[ExtractedMember]:
        """Audit and unpack an archive that is whole and verified.

        Raises:
            ArchiveError: the archive is refused; nothing was written.
            DestinationExistsError: the destination is taken.
            OutOfSpaceError: the disk is full.
            OSError: the system refused.
        """
        with FileReader(path) as reader:
            directory = await in_thread(lambda: audit_reader(reader, self.policy))
            async with begun(self.extraction(directory)) as extraction:
                await fill(extraction, reader)
                return await in_thread(lambda: self.put_in_place(extraction))

    def put_in_place(self, extraction: Extraction) -> list[ExtractedMember]:
        """Let the folder appear, and its record with it: what could fail is done before. Blocks.

        Raises:
            DestinationExistsError: the destination is taken.
            OutOfSpaceError: the disk is full.
            OSError: the system refused; what was there is there again.
        """
        record = write_record(self.artifact, self.destination, extraction.selected, durable=self._durable)
        try:
            members = extraction.commit()
            with suppress(OSError):  # the folder is there, and right; without its record it only cannot be skipped
                record.replace(record_path(self.destination))
                if self._durable:
                    sync_folder(self.destination.parent)
        finally:
            record.unlink(missing_ok=True)
        return members


def check_destination(path: Path) -> None:
    """Find what no folder takes the place of, also where an older folder is replaced.

    Raises:
        DestinationExistsError: a file or a link is there.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        if not stat.S_ISDIR(path.lstat().st_mode):
            msg = f"{path} is to be a folder, but a file or a link is there; it was left as it is"
            raise DestinationExistsError(msg, filename=str(path))


@asynccontextmanager
async def begun(extraction: Extraction) -> AsyncGenerator[Extraction]:
    """Begin an extraction; leaving the block removes what was not put in place.

    Raises:
        ArchiveError: the destination cannot hold a name.
        DestinationExistsError: the destination is taken.
        OutOfSpaceError: the disk is full.
        OSError: the system refused.
    """
    try:
        await in_thread(extraction.__enter__)
        yield extraction
    finally:
        await in_thread(extraction.abort)


async def fill(extraction: Extraction, reader: Reader) -> None:
    """Unpack all members of an extraction that has begun.

    Raises:
        ArchiveError: a header or the data contradicts the directory.
        OutOfSpaceError: the disk is full.
        OSError: reading or writing failed.
    """
    await in_thread(lambda: extract_all(extraction, reader), extraction.stop)


# --- the record beside an unpacked folder ------------------------------------------------------------------------


def write_record(artifact: Artifact, folder: Path, members: Iterable[Member], *, durable: bool) -> Path:
    """Write down which artifact a folder will be; return the file, which still has another name. Blocks.

    Raises:
        OutOfSpaceError: the disk is full.
        OSError: the system refused.
    """
    record = {
        "version": _RECORD_VERSION,
        "id": artifact.id,
        "digest": None if artifact.digest is None else str(artifact.digest),
        "members": {member.name: member.size for member in members if not member.is_dir},
    }
    place = record_path(folder)
    temporary = place.with_name(f"{place.name}.{secrets.token_hex(4)}.new")
    try:
        with space_errors(place), temporary.open("x", encoding="utf-8") as file:
            file.write(json.dumps(record))
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def is_same_folder(artifact: Artifact, folder: Path) -> bool:
    """Whether a folder is the artifact, unpacked: by its record, and by its members' sizes. Blocks."""
    return members_of(artifact, folder) is not None


def members_of(artifact: Artifact, folder: Path) -> tuple[ExtractedMember, ...] | None:
    """Return the files of an unpacked artifact; None where the folder is not known to be it. Blocks."""
    try:
        with record_path(folder).open("rb") as file:
            record = json.loads(file.read(_LONGEST_RECORD))
        digest = None if artifact.digest is None else str(artifact.digest)
        known = (record["version"], record["id"], record["digest"]) == (_RECORD_VERSION, artifact.id, digest)
        if not known or not folder.is_dir():
            return None
        return tuple(_member(folder, name, size) for name, size in record["members"].items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _member(folder: Path, name: str, size: int) -> ExtractedMember:
    path = folder / name
    found = path.stat()
    if found.st_size != size:
        raise ValueError
    return ExtractedMember(name=name, size=size, path=path, executable=bool(found.st_mode & _EXECUTABLE))
