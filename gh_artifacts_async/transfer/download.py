"""Downloads one artifact to a verified file or folder: skip what is there, fetch, verify, put in place."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api.emitter import INFO, TRANSFER_LOG, Emitter
from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError
from gh_artifacts_async.events import TransferFailed, TransferFinished
from gh_artifacts_async.models import Artifact, Digest, check_id
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.protocol.filenames import Destination
from gh_artifacts_async.protocol.ranges import expected_sha256
from gh_artifacts_async.results import DownloadResult, ExtractedMember
from gh_artifacts_async.settings import ExtractPolicy, IfExists
from gh_artifacts_async.transfer.disk import filesystem, records, verify
from gh_artifacts_async.transfer.disk.layouts import Claims
from gh_artifacts_async.transfer.disk.leftovers import EXTRACTIONS
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.context import TransferContext
from gh_artifacts_async.transfer.storage.fetch import fetch
from gh_artifacts_async.transfer.storage.segment_plan import MOST
from gh_artifacts_async.transfer.storage.targets import missing_token, resolve

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import ArtifactRef
    from gh_artifacts_async.settings import StrPath
    from gh_artifacts_async.transfer.disk.partfile import VerifiedPart
    from gh_artifacts_async.transfer.storage.context import Follower
    from gh_artifacts_async.transfer.storage.fetch import Incoming
    from gh_artifacts_async.transfer.unzip.unpack import Unpacking

_IF_EXISTS = ("error", "skip", "replace")


@attrs.frozen(kw_only=True)
class DownloadOptions:
    """How a download treats an existing destination, and how it writes.

    Attributes:
        if_exists: what to do if the destination is taken.
        durable: fsync what is written, and its folder.
        extract: how to extract a zip; None leaves it zipped.
        differs: what ``"replace"`` replaces is known to be something else; it is not compared.
        connections: most connections to storage for the artifact, from the start; None adds them where they help.
    """

    if_exists: IfExists = "error"
    durable: bool = False
    extract: ExtractPolicy | None = None
    differs: bool = False
    connections: int | None = None

    @classmethod
    def checked(
        cls,
        if_exists: IfExists,
        extract: bool | ExtractPolicy,  # noqa: FBT001
        *,
        durable: bool,
        connections: int | None = None,
    ) -> DownloadOptions:
        """Check the public arguments; ``extract=True`` is the default policy.

        Raises:
            ConfigurationError: ``if_exists`` is none of the three, or ``connections`` is no number from 1 to 8.
        """
        if if_exists not in _IF_EXISTS:
            msg = f"if_exists must be 'error', 'skip' or 'replace', not {if_exists!r}"
            raise ConfigurationError(msg)
        if connections is not None and check_id(connections, "connections") > MOST:
            msg = f"connections must be at most {MOST}, or None, not {connections}"
            raise ConfigurationError(msg)
        return cls(
            if_exists=if_exists,
            durable=durable,
            extract=ExtractPolicy() if extract is True else extract or None,
            connections=connections,
        )


@attrs.frozen(kw_only=True)
class LocalCopy:
    """A file or folder that is known to be the artifact.

    Attributes:
        path: of the file or folder.
        members: of the folder; None for a file.
    """

    path: Path
    members: tuple[ExtractedMember, ...] | None = None


async def download(
    context: TransferContext,
    artifact: Artifact | ArtifactRef,
    directory: StrPath,
    options: DownloadOptions,
    *,
    filename: str | None,
    observer: Observer | None,
) -> DownloadResult:
    """Download one artifact, see :meth:`gh_artifacts_async.ArtifactsClient.download`."""
    context.github.transport.check_usable()
    if not context.github.has_token:
        raise missing_token(context.github.base)
    if filename is not None:
        filenames.check_filename(filename)
    folder = filesystem.checked_directory(directory, writes=options.if_exists != "skip")
    found = await resolve(context.github, artifact)
    emitter = context.github.emitter if observer is None else context.github.emitter.also(observer)
    destination = Destination(folder=folder, stem=filename or found.name, exact=filename is not None)
    return await Download(context, found, destination, options, emitter).run()


@attrs.define
class Download:
    """The download of one artifact."""

    _context: TransferContext
    _artifact: Artifact
    _destination: Destination
    _options: DownloadOptions
    _emitter: Emitter
    _claims: Claims | None = None

    async def run(self) -> DownloadResult:
        """Skip the artifact if it is there; else fetch, verify, and put it in place.

        Raises:
            ArtifactsError: the download failed; the destination is unchanged.
            OSError: writing failed.
        """
        try:
            if self._options.extract is not None:
                await self._clear_away()
            present = await self.present()
            return await self._bring() if present is None else self._skipped(present)
        except BaseException as error:
            if isinstance(error, DestinationExistsError):
                self._sweep(whole=await self._is_unpacked())
            self._emitter.counters.artifacts_failed += isinstance(error, Exception)  # to be cancelled is no failure
            self._emitter.emit(TransferFailed(artifact=self._artifact, error=error))
            raise

    # --- what is there

    async def present(self) -> LocalCopy | None:
        """Return a local copy (``skip``); detect a taken name before any request.

        Raises:
            DestinationExistsError: the place of the zip, or of the folder, is taken by something else.
        """
        usual = self._destination.path(extract=self._options.extract is not None)
        replace = self._options.if_exists == "replace"
        if replace and self._options.extract is None and usual.is_dir() and not usual.is_symlink():
            raise self._in_the_way(usual)
        taken = os.path.lexists(usual)  # noqa: ASYNC240 - one system call, less than a hop to a thread
        if self._options.if_exists != "error":
            raw = self._destination.raw_path(None)
            for path in (usual, raw) if taken else (raw,):
                present = await self._local_copy(path)
                if present is not None:
                    return present
        if taken and not replace:
            raise self._in_the_way(usual)
        return None

    async def _present_after(self, incoming: Incoming) -> LocalCopy | None:
        """Check again once storage's headers determine the final name, before a byte of the body is read.

        Raises:
            DestinationExistsError: it is taken by something else, or by another artifact of the collection.
        """
        kind = filenames.kind_by_type(incoming.content_type) or filenames.kind_by_name(incoming.disposition)
        if kind is None:
            return None
        path = self._destination.path(kind, incoming.disposition, extract=self._options.extract is not None)
        if self._claims is not None:
            self._claims.take(path, self._artifact)
        if self._options.if_exists == "replace" or not os.path.lexists(path):  # noqa: ASYNC240
            return None
        return await self._same_or_in_the_way(path)

    async def _same_or_in_the_way(self, path: Path) -> LocalCopy:
        present = await self._local_copy(path) if self._options.if_exists == "skip" else None
        if present is None:
            raise self._in_the_way(path)
        return present

    async def _local_copy(self, path: Path) -> LocalCopy | None:
        if not os.path.lexists(path):  # noqa: ASYNC240 - as above
            return None
        if self._options.if_exists == "replace" and (self._options.differs or path.is_symlink()):  # noqa: ASYNC240
            return None  # of a link, the link itself is what is replaced
        if self._options.extract is not None and path == self._destination.folder_path and path.is_dir():  # noqa: ASYNC240
            members = await in_thread(lambda: records.read_folder_record(self._artifact, path))
            return None if members is None else LocalCopy(path=path, members=members)
        return LocalCopy(path=path) if await is_same(self._artifact, path) else None

    def _in_the_way(self, path: Path) -> DestinationExistsError:
        known = {"skip": " and is not this artifact", "replace": " and is a folder"}.get(self._options.if_exists, "")
        msg = f"{path} already exists{known}"
        return DestinationExistsError(msg, filename=str(path))

    # --- to a file or a folder

    async def _bring(self) -> DownloadResult:
        started = asyncio.get_running_loop().time()
        filesystem.make_folder(self._destination.folder)
        part = PartFile.for_artifact(self._artifact, self._destination.folder)
        try:
            found = await (self._to_file(part) if self._options.extract is None else self._to_folder(part))
        except BaseException:
            self._context.leftovers.add(part.path, part.prefix)
            raise
        if isinstance(found, LocalCopy):
            self._context.leftovers.add(part.path, part.prefix)
            return self._skipped(found)
        path, received, members = found
        self._emitter.counters.artifacts_done += 1
        if self._emitter.active or TRANSFER_LOG.isEnabledFor(INFO):
            self._emitter.emit(TransferFinished(artifact=self._artifact, path=path, size=received.size))
        return DownloadResult(
            artifact=self._artifact,
            path=path,
            size=received.size,
            digest=Digest("sha256", received.sha256),
            verified=received.verified,
            resumed_from=received.resumed_from,
            elapsed=asyncio.get_running_loop().time() - started,
            content_type=received.content_type,
            members=members,
            way=received.way,
        )

    def _fetch(self, part: PartFile, follower: Follower | None = None) -> AbstractAsyncContextManager[Incoming]:
        return fetch(
            self._context,
            self._artifact,
            part,
            self._context.leftovers.of(self._destination.folder, part.prefix),
            emitter=self._emitter,
            follower=follower,
            connections=self._options.connections,
        )

    async def _to_file(self, part: PartFile) -> LocalCopy | _Delivered:
        async with self._fetch(part) as incoming:
            present = await self._present_after(incoming)
            if present is not None:
                return present
            return await self._put_in_place(await incoming.receive())

    async def _to_folder(self, part: PartFile) -> LocalCopy | _Delivered:
        """Extract a zip, starting while it arrives; a raw file is left as it is."""
        from gh_artifacts_async.transfer.unzip.pipeline import Pipeline  # imports archive, which few programs need

        unpacking = self._unpacking()
        pipeline = Pipeline(self._context, unpacking)
        incoming_of = self._fetch(part, pipeline)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(pipeline.aclose)
            incoming = await stack.enter_async_context(incoming_of)
            stack.push_async_callback(pipeline.aclose)  # before the part is removed
            present = await self._present_after(incoming)
            if present is not None:
                return present
            received = await incoming.receive()
            if received.kind == "raw":
                return await self._put_in_place(received)
            path = self._destination.folder_path
            if self._claims is not None:
                self._claims.take(path, self._artifact)
            if self._options.if_exists != "replace" and os.path.lexists(path):  # noqa: ASYNC240
                return await self._same_or_in_the_way(path)
            try:
                members = await pipeline.finish()
                if members is None:
                    await pipeline.aclose()
                    members = await unpacking.whole(received.part.path)
            finally:
                if unpacking.in_place:  # a later run has no use for the part, whatever happens now
                    try:
                        await pipeline.aclose()
                    finally:
                        received.part.discard()
            return path, received, tuple(members)

    def _unpacking(self) -> Unpacking:
        from gh_artifacts_async.transfer.unzip.unpack import Unpacking  # as above

        return Unpacking(
            self._artifact,
            self._destination.folder_path,
            self._options.extract or ExtractPolicy(),
            self._emitter,
            replace=self._options.if_exists == "replace",
            durable=self._options.durable,
        )

    async def _put_in_place(self, received: VerifiedPart) -> LocalCopy | _Delivered:
        path = self._destination.path(received.kind, received.disposition, extract=self._options.extract is not None)
        if self._claims is not None:
            self._claims.take(path, self._artifact)  # the kind may be known only now, from the bytes
        replace, durable = self._options.if_exists == "replace", self._options.durable
        if replace or received.verified == "none":
            commit = partial(_commit_with_record, self._artifact, path, received, replace=replace, durable=durable)
        else:
            commit = partial(received.part.commit, path, replace=replace, durable=durable)
        try:
            if durable:
                await in_thread(commit)
            else:
                commit()
        except DestinationExistsError:
            if self._options.if_exists != "skip":
                raise
        else:
            return path, received, None
        return await self._same_or_in_the_way(path)

    async def _clear_away(self) -> None:
        """Remove what killed processes have left of extractions into this folder; one that is replaced comes back."""
        left = self._context.leftovers.of(self._destination.folder, EXTRACTIONS)
        if left:
            from gh_artifacts_async.transfer.unzip.unpack import clear_away  # as above

            await in_thread(lambda: clear_away(left))

    async def _is_unpacked(self) -> bool:
        """Whether the folder in the way is this very artifact, so that no later run has a use for its part files."""
        if self._options.extract is None:
            return False
        path = self._destination.folder_path
        return await in_thread(lambda: records.read_folder_record(self._artifact, path)) is not None

    def _sweep(self, *, whole: bool) -> None:
        """Remove what a process that was killed at the commit left of this artifact, see :meth:`Leftovers.sweep`."""
        part = PartFile.for_artifact(self._artifact, self._destination.folder)
        self._context.leftovers.sweep(part.path, part.prefix, whole=whole)

    def _skipped(self, present: LocalCopy) -> DownloadResult:
        self._sweep(whole=True)
        artifact, path = self._artifact, present.path
        size = artifact.size_in_bytes if path.is_dir() else path.stat().st_size
        self._emitter.counters.artifacts_skipped += 1
        self._emitter.emit(TransferFinished(artifact=artifact, path=path, size=size, skipped=True))
        expected = expected_sha256(artifact)
        return DownloadResult(
            artifact=artifact,
            path=path,
            size=size,
            digest=None if expected is None else Digest("sha256", expected),
            verified="digest" if expected else "size" if size == artifact.size_in_bytes else "none",
            members=present.members,
            skipped=True,
        )


_Delivered = tuple[Path, "VerifiedPart", tuple[ExtractedMember, ...] | None]
"""The final path, what arrived there, and what was extracted."""


async def is_same(artifact: Artifact, path: Path) -> bool:
    """Whether a file on disk is the artifact, see :func:`~gh_artifacts_async.transfer.disk.verify.is_same`."""
    stopped = threading.Event()
    return await in_thread(lambda: verify.is_same(artifact, path, stopped), stopped.set)


def _commit_with_record(
    artifact: Artifact, path: Path, received: VerifiedPart, *, replace: bool, durable: bool
) -> None:
    """Put a file in place; it gets a record only if nothing from GitHub could later identify it. Blocks.

    Raises:
        DestinationExistsError: the name is taken.
        OSError: the file could not be put in place.
    """
    staged = None
    if received.verified == "none" and received.size != artifact.size_in_bytes:
        record = records.FileRecord(artifact_id=artifact.id, size=received.size, sha256=received.sha256)
        with suppress(OSError):  # the file is right without it; only a later run cannot recognize it
            staged = records.stage_file_record(path, record, received.part.path)
    try:
        with records.set_aside(path):
            received.part.commit(path, replace=replace, durable=durable)
        if staged is not None:
            with suppress(OSError):
                staged.put_in_place()
    finally:
        if staged is not None:
            staged.discard()
