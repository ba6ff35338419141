"""One artifact to one verified file or folder: what is there already, fetch, verify, put in place."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError, OutOfSpaceError
from gh_artifacts_async.events import Emitter, TransferFailed, TransferFinished, TransferVerified
from gh_artifacts_async.models import Artifact, Digest
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.results import DownloadResult, ExtractedMember
from gh_artifacts_async.settings import ExtractPolicy, IfExists
from gh_artifacts_async.transfer.context import TransferContext
from gh_artifacts_async.transfer.disk import filesystem, records, verify
from gh_artifacts_async.transfer.disk.destination import Claims, Destination, single
from gh_artifacts_async.transfer.disk.partfile import PartFile
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.fetch import fetch
from gh_artifacts_async.transfer.storage.targets import check_token, resolve

if TYPE_CHECKING:
    from collections.abc import Generator

    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import ArtifactRef
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.settings import StrPath
    from gh_artifacts_async.transfer.storage.fetch import VerifiedPart
    from gh_artifacts_async.transfer.unzip.unpack import Unpacking

_IF_EXISTS = ("error", "skip", "replace")


def _policy(extract: bool | ExtractPolicy | None) -> ExtractPolicy | None:  # noqa: FBT001 - the public argument's type
    return ExtractPolicy() if extract is True else extract or None


@attrs.frozen(kw_only=True)
class Options:
    """How a download treats what is there, and the disk.

    Attributes:
        if_exists: what to do where the destination is taken.
        durable: fsync what is written, and its folder.
        extract: how to unpack a zip; False or None leaves it as it is, True is the default policy.
    """

    if_exists: IfExists = "error"
    durable: bool = False
    extract: ExtractPolicy | None = attrs.field(default=None, converter=_policy)

    def __attrs_post_init__(self) -> None:
        """Check ``if_exists``.

        Raises:
            ConfigurationError: it is none of the three.
        """
        if self.if_exists not in _IF_EXISTS:
            msg = f"if_exists must be 'error', 'skip' or 'replace', not {self.if_exists!r}"
            raise ConfigurationError(msg)


@attrs.frozen(kw_only=True)
class LocalCopy:
    """What is known to be the artifact already.

    Attributes:
        path: its file or folder.
        members: of the folder; None for a file.
    """

    path: Path
    members: tuple[ExtractedMember, ...] | None = None


async def download(
    context: TransferContext,
    artifact: Artifact | ArtifactRef,
    directory: StrPath,
    options: Options,
    *,
    filename: str | None,
    observer: Observer | None,
) -> DownloadResult:
    """Download one artifact, see :meth:`gh_artifacts_async.ArtifactsClient.download`."""
    context.github.check_usable()
    check_token(context.github)
    if filename is not None:
        filenames.check_filename(filename)
    folder = filesystem.checked_directory(directory, writes=options.if_exists != "skip")
    found = await resolve(context.github, artifact)
    emitter = context.github.emitter.also(observer)
    return await Download(context, found, single(found, folder, filename), options, emitter, Claims()).run()


@attrs.define
class Download:
    """One artifact on its way to its destination."""

    _context: TransferContext
    _artifact: Artifact
    _destination: Destination
    _options: Options
    _emitter: Emitter
    _claims: Claims

    async def run(self) -> DownloadResult:
        """Skip what is there; else fetch, verify, and put in place.

        Raises:
            ArtifactsError: it could not be done; the destination is as it was.
            OSError: the disk refused.
        """
        try:
            present = await self.present()
            return self._skipped(present) if present is not None else await self._bring()
        except BaseException as error:
            self._emitter.emit(TransferFailed(artifact=self._artifact, error=error))
            raise

    # --- what is there

    async def present(self) -> LocalCopy | None:
        """Return what is known to be the artifact (``skip``); find a taken name before any request.

        Raises:
            DestinationExistsError: the place of the zip, or of the folder, is taken by something else.
        """
        usual = self._path("zip", None)
        if self._options.if_exists == "replace":
            if self._options.extract is None and usual.is_dir() and not usual.is_symlink():
                raise self._in_the_way(usual)
            return None
        taken = os.path.lexists(usual)  # noqa: ASYNC240 - one system call, less than a hop to a thread
        if self._options.if_exists == "skip":
            raw = self._destination.raw_path(None)
            for path in (usual, raw) if taken else (raw,):
                present = await self._local_copy(path)
                if present is not None:
                    return present
        if taken:
            raise self._in_the_way(usual)
        return None

    async def _present_after(self, headers: tuple[str | None, str | None]) -> LocalCopy | None:
        """Look once more when storage's headers tell the final name, before a byte of the body is read.

        Raises:
            DestinationExistsError: it is taken by something else, or by another artifact of the collection.
        """
        kind = filenames.kind_by_type(headers[0])
        if kind is None:
            return None
        path = self._path(kind, headers[1])
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
        if self._options.extract is not None and path == self._destination.folder_path and path.is_dir():  # noqa: ASYNC240
            members = await in_thread(lambda: records.read_folder_record(self._artifact, path))
            return None if members is None else LocalCopy(path=path, members=members)
        return LocalCopy(path=path) if await is_same(self._artifact, path) else None

    def _path(self, kind: Kind, disposition: str | None) -> Path:
        """Return where what arrives goes: a folder for a zip that is unpacked, else a file."""
        unpacked = kind == "zip" and self._options.extract is not None
        return self._destination.folder_path if unpacked else self._destination.path(kind, disposition)

    def _in_the_way(self, path: Path) -> DestinationExistsError:
        known = {"skip": " and is not this artifact", "replace": " and is a folder"}.get(self._options.if_exists, "")
        msg = f"{path} already exists{known}"
        return DestinationExistsError(msg, filename=str(path))

    # --- the two ways

    async def _bring(self) -> DownloadResult:
        started = asyncio.get_running_loop().time()
        filesystem.make_folder(self._destination.folder)
        part = PartFile.for_artifact(self._artifact, self._destination.folder)
        try:
            found = await (self._to_file(part) if self._options.extract is None else self._to_folder(part))
        except BaseException:
            self._context.leftovers.add(part)
            raise
        if isinstance(found, LocalCopy):
            return self._skipped(found)
        path, received, members = found
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
        )

    async def _to_file(self, part: PartFile) -> LocalCopy | _Delivered:
        leftovers = self._context.leftovers.of(part)
        async with fetch(self._context, self._artifact, part, leftovers, emitter=self._emitter) as incoming:
            present = await self._present_after(incoming.headers)
            if present is not None:
                return present
            received = await incoming.receive()
        self._emitter.emit(TransferVerified(artifact=self._artifact, verified=received.verified))
        with self._part_of(received):
            return await self._put_in_place(received)

    async def _to_folder(self, part: PartFile) -> LocalCopy | _Delivered:
        """Unpack a zip, beginning while it arrives; a raw file is left as it is."""
        from gh_artifacts_async.transfer.unzip.pipeline import Pipeline  # with archive, which few programs enter

        unpacking = self._unpacking()
        async with AsyncExitStack() as stack:
            pipeline = Pipeline(self._context, unpacking)
            stack.push_async_callback(pipeline.aclose)
            leftovers = self._context.leftovers.of(part)
            async with fetch(
                self._context, self._artifact, part, leftovers, emitter=self._emitter, follower=pipeline
            ) as incoming:
                present = await self._present_after(incoming.headers)
                if present is not None:
                    return present
                received = await incoming.receive()
            self._emitter.emit(TransferVerified(artifact=self._artifact, verified=received.verified))
            stack.enter_context(self._part_of(received))
            stack.push_async_callback(pipeline.aclose)  # before the part goes
            if received.kind == "raw":
                return await self._put_in_place(received)
            path = self._path(received.kind, received.disposition)
            self._claims.take(path, self._artifact)
            if self._options.if_exists != "replace" and os.path.lexists(path):  # noqa: ASYNC240
                return await self._same_or_in_the_way(path)
            members = await pipeline.finish()
            if members is None:
                await pipeline.aclose()
                members = await unpacking.whole(received.part.path)
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

    @contextmanager
    def _part_of(self, received: VerifiedPart) -> Generator[None]:
        """Remove the part in the end; keep it where only time or space was lacking: a later run need not fetch it."""
        try:
            yield
        except (OutOfSpaceError, asyncio.CancelledError, KeyboardInterrupt):
            if not os.path.lexists(self._path(received.kind, received.disposition)):
                received.part.release(resumable=True)
            raise
        finally:
            received.part.discard()

    async def _put_in_place(self, received: VerifiedPart) -> LocalCopy | _Delivered:
        path = self._path(received.kind, received.disposition)
        self._claims.take(path, self._artifact)  # known only now, where the bytes told what they are
        replace = self._options.if_exists == "replace"
        try:
            if self._options.durable:
                await in_thread(lambda: received.part.commit(path, replace=replace, durable=True))
            else:
                received.part.commit(path, replace=replace, durable=False)
        except DestinationExistsError:
            if self._options.if_exists != "skip":
                raise
        else:
            with suppress(OSError):  # the file is right and in place; without its record it is only not known again
                _leave_record(self._artifact, path, received, replaced=replace)
            return path, received, None
        return await self._same_or_in_the_way(path)

    def _skipped(self, present: LocalCopy) -> DownloadResult:
        artifact, path = self._artifact, present.path
        size = artifact.size_in_bytes if path.is_dir() else path.stat().st_size
        self._emitter.emit(TransferFinished(artifact=artifact, path=path, size=size, skipped=True))
        expected = verify.expected_sha256(artifact)
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
"""The final path, what arrived there, and what was unpacked."""


async def is_same(artifact: Artifact, path: Path) -> bool:
    """Whether a file on disk is the artifact, see :func:`~gh_artifacts_async.transfer.disk.verify.is_same`."""
    stopped = threading.Event()
    return await in_thread(lambda: verify.is_same(artifact, path, stopped), stopped.set)


def _leave_record(artifact: Artifact, path: Path, received: VerifiedPart, *, replaced: bool) -> None:
    """Leave a record where nothing of GitHub's could later tell what the file is; drop that of a replaced file."""
    if replaced and received.verified != "none":
        records.remove_record(path)
    if received.verified == "none" and received.size != artifact.size_in_bytes:
        record = records.FileRecord(artifact_id=artifact.id, size=received.size, sha256=received.sha256)
        records.write_file_record(path, record)
