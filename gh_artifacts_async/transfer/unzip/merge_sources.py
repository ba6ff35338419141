"""The artifacts of a merge, each audited before the first body is requested, and where its bytes are until then.

Mostly they stay with storage: an archive's directory is read from its tail. A small archive lies in its tail as a whole
and is kept. What storage cannot serve by ranges is fetched once, as a whole.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.archive import BytesReader, FileReader, audit_reader
from gh_artifacts_async.archive.leftovers import Marker, remove_tree
from gh_artifacts_async.archive.overlay import Layer, named, single_file
from gh_artifacts_async.errors import (
    ArchiveError,
    DigestMismatchError,
    IncompleteDownloadError,
    MergeConflictError,
    UnexpectedResponseError,
)
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.protocol.ranges import judge_content
from gh_artifacts_async.transfer.disk.filesystem import make_folder, space_errors
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.partstate import resumable
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.fetch import fetch
from gh_artifacts_async.transfer.storage.range_reader import NoRangesError, RangeReader
from gh_artifacts_async.transfer.unzip.remote_directory import Tail, audit_tail, fetch_tail

if TYPE_CHECKING:
    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.archive import ArchiveDirectory, Reader
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.settings import ExtractPolicy
    from gh_artifacts_async.transfer.storage.context import TransferContext

IN_MEMORY = 16 * 2**20
"""Bytes of small archives that are kept in memory; beyond that, all of them are in an unnamed temporary file."""

_MAGIC = 4
_WRONG = (DigestMismatchError, IncompleteDownloadError, UnexpectedResponseError)


@attrs.frozen(eq=False)
class Kept:
    """Bytes of an archive that was read as a whole with its tail."""

    offset: int
    length: int


@attrs.frozen(eq=False)
class Remote:
    """An archive whose body has not been requested, or is in a part file of an earlier run.

    Attributes:
        tail: to recognize the archive by; None for a single file.
        ranged: has the URL that was signed for the tail; None if nothing was requested.
    """

    tail: Tail | None
    ranged: RangeReader | None


@attrs.frozen(eq=False)
class Source:
    """An audited artifact.

    Attributes:
        layer: what it brings.
        where: its bytes are: kept, in a file, or with storage.
    """

    layer: Layer
    where: Kept | Path | Remote

    @property
    def artifact(self) -> Artifact:
        """The artifact."""
        return self.layer.owner


class Keep:
    """Holds what was fetched before the merged folder was planned; closing removes it.

    Small archives are in memory or an unnamed file, whole ones in a folder beside the destination, which the next run
    removes if this process is killed.
    """

    def __init__(self, destination: Path) -> None:
        """Hold nothing yet, and create nothing."""
        self._destination = destination
        self._small = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="gh-artifacts-")  # noqa: SIM115 - close()
        self._end = 0
        self._marker: Marker | None = None
        self._made: list[Path] = []

    def add(self, data: bytes) -> Kept:
        """Keep a small archive.

        Raises:
            OutOfSpaceError: the temporary folder's disk is full.
        """
        kept = Kept(self._end, len(data))
        with space_errors(self._destination):
            self._small.seek(kept.offset)
            self._small.write(data)
        self._end += len(data)
        return kept

    def read(self, kept: Kept) -> bytes:
        """Return a small archive."""
        self._small.seek(kept.offset)
        return self._small.read(kept.length)

    def make_folder(self, folder: Path) -> None:
        """Create a folder and its parents, which are removed at the end if nothing was put there.

        Raises:
            DestinationExistsError: a file is in the way.
            OutOfSpaceError: the disk is full.
            OSError: it is not writable.
        """
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        make_folder(folder)
        self._made += missing

    def place(self, artifact: Artifact) -> Path:
        """Return a path for a whole archive; the folder is created by the first call.

        Raises:
            OSError: it cannot be created.
        """
        if self._marker is None:
            self._marker = Marker(self._destination)
            self._marker.unpacking.mkdir(mode=0o700)
        return self._marker.unpacking / str(artifact.id)

    def close(self) -> None:
        """Remove everything. Blocks."""
        self._small.close()
        if self._marker is not None:
            remove_tree(self._marker.unpacking)
            self._marker.remove()
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()


class Auditor:
    """Audits one artifact after another.

    Attributes:
        bytes_fetched: bytes of bodies received from storage.
    """

    def __init__(
        self, context: TransferContext, folder: Path, policy: ExtractPolicy, emitter: Emitter, keep: Keep
    ) -> None:
        """Keep the arguments; nothing is sent yet.

        Args:
            context: the client's.
            folder: that of part files.
            policy: limits and rules.
            emitter: gets the events of transfers.
            keep: for what arrives as a whole.
        """
        self._context = context
        self._folder = folder
        self._policy = policy
        self._emitter = emitter
        self._keep = keep
        self._without_ranges: set[str] = set()
        self.bytes_fetched: int = 0

    async def audit(self, artifact: Artifact) -> Source:
        """Audit an artifact with as few bytes as storage allows.

        Raises:
            ArchiveError: it was rejected; the message names the artifact.
            ArtifactsError: a request failed.
            OSError: writing failed.
        """
        rejected: ArchiveError | None = None
        try:
            ranged = RangeReader(self._context, artifact)
            found = await self._from_disk(artifact) or await self._from_tail(artifact, ranged)
            return found or await self._from_whole(artifact, ranged)
        except ArchiveError as error:
            rejected = of_artifact(artifact, error)
        raise rejected

    # --- what an earlier run has left

    async def _from_disk(self, artifact: Artifact) -> Source | None:
        """Audit the part file of an earlier run, if it has all bytes; no request is sent."""
        part = PartFile.for_artifact(artifact, self._folder)
        left = self._context.leftovers.of(self._folder, part.prefix)
        if not left:
            return None
        try:
            if await in_thread(lambda: all(resumable(path, part.state) != 0 for path in left)):
                return None
            async with fetch(self._context, artifact, part, left, emitter=self._emitter) as incoming:
                try:
                    received = await incoming.receive()
                finally:
                    self.bytes_fetched += incoming.bytes_fetched
                with FileReader(part.path) as reader:
                    layer = await self._layer(artifact, reader, received.kind, received.disposition)
                    tail = None if layer.raw else await in_thread(lambda: Tail.of(reader, layer.directory))
                part.release(resumable=True)
            return Source(layer, Remote(tail, None))
        finally:
            for path in (*left, part.path):
                self._context.leftovers.add(path, part.prefix)

    # --- ranges

    async def _from_tail(self, artifact: Artifact, ranged: RangeReader) -> Source | None:
        """Audit by the last bytes; None if storage does not serve them, or they are not right."""
        signed = await ranged.url()
        if signed.host in self._without_ranges:
            return None
        try:
            data, size = await fetch_tail(ranged, artifact.size_in_bytes)
            if len(data) == size:
                return await self._small(artifact, ranged, data)
            kind = filenames.kind_by_type(ranged.content_type) or filenames.kind_by_name(ranged.disposition)
            if kind is None:
                kind = filenames.kind_by_magic(await ranged.read(0, _MAGIC))
            if kind == "raw":
                return Source(self._raw(artifact, size, ranged.disposition), Remote(None, ranged))
            tail = await audit_tail(ranged, data, size, self._policy)
        except NoRangesError:
            self._without_ranges.add(signed.host)  # for the others: each such answer is a body that nobody reads
            return None
        finally:
            self.bytes_fetched += ranged.bytes_fetched
        return Source(Layer(artifact, tail.directory), Remote(attrs.evolve(tail, data=b""), ranged))

    async def _small(self, artifact: Artifact, ranged: RangeReader, data: bytes) -> Source | None:
        """Keep an artifact that has arrived as a whole, if its bytes are right; else it is fetched the usual way."""
        if not data:
            return None  # no header has said what it is
        by_headers = filenames.kind_by_type(ranged.content_type) or filenames.kind_by_name(ranged.disposition)
        kind = by_headers or filenames.kind_by_magic(data)
        try:
            judge_content(
                artifact,
                received=len(data),
                content_length=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                kind=kind,
                ends_as_zip=filenames.ends_as_zip(data),
            )
        except _WRONG:
            return None
        layer = await self._layer(artifact, BytesReader(data), kind, ranged.disposition)
        return Source(layer, self._keep.add(data))

    # --- the whole

    async def _from_whole(self, artifact: Artifact, ranged: RangeReader) -> Source:
        """Fetch the whole, once, and audit it."""
        signed = ranged.unexpired_url()
        self._keep.make_folder(self._folder)
        part = PartFile.for_artifact(artifact, self._folder)
        left = self._context.leftovers.of(self._folder, part.prefix)
        try:
            async with fetch(self._context, artifact, part, left, emitter=self._emitter, signed=signed) as incoming:
                try:
                    received = await incoming.receive()
                finally:
                    self.bytes_fetched += incoming.bytes_fetched
                path = self._keep.place(artifact)
                part.commit(path, replace=False, durable=False)
        finally:
            self._context.leftovers.add(part.path, part.prefix)
        with FileReader(path) as reader:
            return Source(await self._layer(artifact, reader, received.kind, received.disposition), path)

    # --- all

    async def _layer(self, artifact: Artifact, reader: Reader, kind: Kind, disposition: str | None) -> Layer:
        """Audit bytes that are all there."""
        if kind == "raw":
            return self._raw(artifact, reader.size, disposition)
        return Layer(artifact, await in_thread(lambda: audit_reader(reader, self._policy)))

    def _raw(self, artifact: Artifact, size: int, disposition: str | None) -> Layer:
        directory: ArchiveDirectory = single_file(
            filenames.raw_filename(artifact.name, disposition), size, self._policy
        )
        return Layer(artifact, directory, raw=True)


def of_artifact(artifact: Artifact, error: ArchiveError) -> ArchiveError:
    """Return an error that names the artifact whose archive was rejected; one that names two stays as it is."""
    if isinstance(error, MergeConflictError):
        return error
    rebuild, (kind, message, fields) = error.__reduce__()
    renamed: ArchiveError = rebuild(kind, f"artifact {named(artifact)}: {message}", fields)
    return renamed
