"""Downloads one artifact to a verified file or folder: skip what is there, fetch, verify, put in place."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api.emitter import INFO, TRANSFER_LOG, Emitter
from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError
from gh_artifacts_async.models import Artifact, Digest, check_id
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.protocol.filenames import Destination
from gh_artifacts_async.protocol.validators import expected_sha256
from gh_artifacts_async.results import DownloadResult, ExtractedMember
from gh_artifacts_async.settings import ExtractPolicy, IfExists
from gh_artifacts_async.transfer.disk import filesystem
from gh_artifacts_async.transfer.disk.layouts import Claims
from gh_artifacts_async.transfer.disk.leftovers import EXTRACTIONS, part_prefix
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.short import WHOLE, Placed, ShortWay
from gh_artifacts_async.transfer.storage.context import TransferContext
from gh_artifacts_async.transfer.storage.targets import missing_token, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import ArtifactRef
    from gh_artifacts_async.settings import StrPath
    from gh_artifacts_async.transfer.disk.partfile import VerifiedPart
    from gh_artifacts_async.transfer.storage.begun import Begun
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
        if connections is not None:
            from gh_artifacts_async.transfer.storage.segment_plan import MOST  # of large artifacts only

            if check_id(connections, "connections") > MOST:
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
            self._emitter.failed(self._artifact, error)
            raise

    # --- what is there

    async def present(self) -> LocalCopy | None:
        """Return a local copy (``skip``); detect a taken name before any request.

        Raises:
            DestinationExistsError: the place of the zip, or of the folder, is taken by something else.
        """
        places = [self._destination.place(extract=self._options.extract is not None)]
        if self._options.if_exists != "error":
            places.append(self._destination.place("raw"))
        there = list(filter(os.path.lexists, places))  # less than a hop to a thread
        return await self._present_at(Path(places[0]), [*map(Path, there)]) if there else None

    async def _present_at(self, usual: Path, there: Sequence[Path]) -> LocalCopy | None:
        """Return the local copy among what is there."""
        replace = self._options.if_exists == "replace"
        if replace and self._options.extract is None and usual.is_dir() and not usual.is_symlink():  # noqa: ASYNC240
            raise self._in_the_way(usual)
        if self._options.if_exists != "error":
            for path in there:
                present = await self._local_copy(path)
                if present is not None:
                    return present
        if usual in there and not replace:
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
        skips = self._options.if_exists == "skip" and os.path.lexists(path)  # noqa: ASYNC240
        present = await self._local_copy(path) if skips else None
        if present is None:
            raise self._in_the_way(path)
        return present

    async def _local_copy(self, path: Path) -> LocalCopy | None:
        """Return what is at a path if it is the artifact."""
        if self._options.if_exists == "replace" and (self._options.differs or path.is_symlink()):  # noqa: ASYNC240
            return None  # of a link, the link itself is what is replaced
        if self._options.extract is not None and path == self._destination.folder_path and path.is_dir():  # noqa: ASYNC240
            from gh_artifacts_async.transfer.disk import records  # of what is there already

            members = await in_thread(lambda: records.read_folder_record(self._artifact, path))
            return None if members is None else LocalCopy(path=path, members=members)
        if self._emitter.active:
            self._emitter.checking(self._artifact)
        return LocalCopy(path=path) if await is_same(self._artifact, path) else None

    def _in_the_way(self, path: Path) -> DestinationExistsError:
        known = {"skip": " and is not this artifact", "replace": " and is a folder"}.get(self._options.if_exists, "")
        msg = f"{path} already exists{known}"
        return DestinationExistsError(msg, filename=str(path))

    # --- to a file or a folder

    async def _bring(self) -> DownloadResult:
        started = asyncio.get_running_loop().time()
        folder = self._destination.folder
        leftovers = self._context.leftovers.of(folder, part_prefix(self._artifact))
        short: Placed | Begun | None = None
        if self._artifact.size_in_bytes <= WHOLE and not leftovers and self._may_be_short():
            if self._claims is None or folder not in self._claims.folders:
                filesystem.make_folder(folder)
                if self._claims is not None:
                    self._claims.folders.add(folder)
            way = ShortWay(self._context, self._artifact, self._destination, self._claims, self._emitter)
            short = await way.fetch()
        found = (short.path, short, None) if isinstance(short, Placed) else await self._receive(leftovers, short)
        if isinstance(found, LocalCopy):
            return self._skipped(found)
        path, received, members = found
        self._emitter.counters.artifacts_done += 1
        if self._emitter.active or TRANSFER_LOG.isEnabledFor(INFO):
            self._emitter.finished(self._artifact, path, received.size)
        return DownloadResult(
            artifact=self._artifact,
            path=path,
            size=received.size,
            digest=self._artifact.digest if received.verified == "digest" else Digest("sha256", received.sha256),
            verified=received.verified,
            resumed_from=received.resumed_from,
            elapsed=asyncio.get_running_loop().time() - started,
            content_type=received.content_type,
            members=members,
            way=received.way,
        )

    def _may_be_short(self) -> bool:
        """Whether a small artifact may go the short way: to a file whose name is free, with a digest, without fsync."""
        options = self._options
        plain = options.extract is None and options.if_exists != "replace" and not options.durable
        return plain and expected_sha256(self._artifact) is not None and self._context.github.limits.fast_paths

    async def _receive(self, leftovers: list[Path], begun: Begun | None) -> LocalCopy | _Delivered:
        """Receive the artifact in a part file."""
        from gh_artifacts_async.transfer.disk.partfile import PartFile  # of the ordinary way alone
        from gh_artifacts_async.transfer.storage.fetch import fetch

        filesystem.make_folder(self._destination.folder)
        part = PartFile.for_artifact(self._artifact, self._destination.folder)
        left, unpack = True, self._options.extract is not None
        emitter, connections = self._emitter, self._options.connections
        about = (self._context, self._artifact, part, leftovers)
        fetching = partial(fetch, *about, emitter=emitter, begun=begun, connections=connections)
        try:
            found = await (self._to_folder(fetching) if unpack else self._to_file(fetching()))
            left = isinstance(found, LocalCopy)
        finally:
            if left:
                self._context.leftovers.add(part.path, part.prefix)
        return found

    async def _to_file(self, fetching: AbstractAsyncContextManager[Incoming]) -> LocalCopy | _Delivered:
        async with fetching as incoming:
            present = await self._present_after(incoming)
            if present is not None:
                return present
            return await self._put_in_place(await incoming.receive())

    async def _to_folder(
        self, fetching: Callable[..., AbstractAsyncContextManager[Incoming]]
    ) -> LocalCopy | _Delivered:
        """Extract a zip, starting while it arrives; a raw file is left as it is."""
        from gh_artifacts_async.transfer.unzip.pipeline import Pipeline  # imports archive, which few programs need

        unpacking = self._unpacking()
        pipeline = Pipeline(self._context, unpacking)
        incoming_of = fetching(follower=pipeline)
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
            from gh_artifacts_async.transfer.disk.commit import commit_with_record  # few write a record

            commit = partial(commit_with_record, self._artifact, path, received, replace=replace, durable=durable)
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
        from gh_artifacts_async.transfer.disk import records  # as above

        path = self._destination.folder_path
        return await in_thread(lambda: records.read_folder_record(self._artifact, path)) is not None

    def _sweep(self, *, whole: bool) -> None:
        """Remove what a process that was killed at the commit left of this artifact, see :meth:`Leftovers.sweep`."""
        from gh_artifacts_async.transfer.disk.partfile import PartFile  # as above

        part = PartFile.for_artifact(self._artifact, self._destination.folder)
        self._context.leftovers.sweep(part.path, part.prefix, whole=whole)

    def _skipped(self, present: LocalCopy) -> DownloadResult:
        self._sweep(whole=True)
        artifact, path = self._artifact, present.path
        size = artifact.size_in_bytes if path.is_dir() else path.stat().st_size
        self._emitter.counters.artifacts_skipped += 1
        self._emitter.finished(artifact, path, size, skipped=True)
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
    from gh_artifacts_async.transfer.disk import verify  # as above

    stopped = threading.Event()
    return await in_thread(lambda: verify.is_same(artifact, path, stopped), stopped.set)
