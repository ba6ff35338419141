"""One artifact to one verified file: what is there already, where it goes, and the last step."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Generator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError, MissingTokenError, OutOfSpaceError
from gh_artifacts_async.events import Emitter, TransferFailed, TransferFinished, TransferVerified
from gh_artifacts_async.models import Artifact, ArtifactRef, Digest
from gh_artifacts_async.results import DownloadResult, ExtractedMember
from gh_artifacts_async.settings import ExtractPolicy, IfExists
from gh_artifacts_async.transfer.context import TransferContext
from gh_artifacts_async.transfer.disk import filesystem, partfile, verify
from gh_artifacts_async.transfer.disk.destination import Destination
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.fetch import Received, Transfer

if TYPE_CHECKING:
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.settings import StrPath
    from gh_artifacts_async.transfer.unzip.pipeline import Pipeline

_IF_EXISTS = ("error", "skip", "replace")
_SCAN_LASTS = 5.0  # seconds; a folder is not read again for every one of thousands of artifacts


@attrs.frozen(kw_only=True)
class Options:
    """How a download treats what is there, and the disk.

    Attributes:
        if_exists: what to do where the destination is taken.
        durable: fsync what is written, and its folder.
        extract: how to unpack a zip; None leaves it as it is.
    """

    if_exists: IfExists = "error"
    durable: bool = False
    extract: ExtractPolicy | None = None

    def __attrs_post_init__(self) -> None:
        """Check ``if_exists``.

        Raises:
            ConfigurationError: it is none of the three.
        """
        if self.if_exists not in _IF_EXISTS:
            msg = f"if_exists must be 'error', 'skip' or 'replace', not {self.if_exists!r}"
            raise ConfigurationError(msg)


class Leftovers:
    """The part files that earlier processes left, by folder; read at most every few seconds."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._folders: dict[Path, tuple[float, dict[str, list[Path]]]] = {}

    def of(self, folder: Path, prefix: str) -> list[Path]:
        """Return an artifact's part files, each of them only once."""
        now = asyncio.get_running_loop().time()
        known = self._folders.get(folder)
        if known is None or now - known[0] > _SCAN_LASTS:
            known = self._folders[folder] = (now, partfile.scan(folder))
        return known[1].pop(prefix, [])

    def add(self, part: partfile.PartFile) -> None:
        """Take note of a part that a transfer of this client has just left, if it has."""
        known = self._folders.get(part.path.parent)
        if known is not None and part.path.exists():
            known[1].setdefault(part.prefix, []).append(part.path)


def checked_directory(directory: StrPath, *, writes: bool = False) -> Path:
    """Return the directory as a path.

    Args:
        directory: the caller's.
        writes: it is certain that something will be written there.

    Raises:
        DestinationExistsError: it, or one above it, is a file.
        OSError: nothing may be written there.
    """
    if not isinstance(directory, str | os.PathLike) or "\0" in (text := str(os.fspath(directory))):
        msg = f"directory must be a path, not {directory!r}"
        raise ConfigurationError(msg)
    folder = Path(text)
    for place in (folder, *folder.parents):
        if place.is_dir():
            if writes:
                filesystem.check_writable(place)
            break
        if os.path.lexists(place) and not place.is_symlink():
            msg = f"{folder} is to be a folder, but {place} is a file"
            raise DestinationExistsError(msg, filename=str(place))
    return folder


def check_token(tools: TransferContext) -> None:
    """Make sure that there is a token.

    Raises:
        MissingTokenError: there is none, and GitHub gives an artifact's bytes only to who has one.
    """
    if not tools.github.has_token:
        msg = "downloading an artifact needs a token, also from a public repository; pass one, or set GITHUB_TOKEN"
        raise MissingTokenError(msg)


async def resolve(tools: TransferContext, artifact: object) -> Artifact:
    """Return the artifact itself; a reference costs one GET, since a download needs name, size and digest.

    Raises:
        ConfigurationError: it is neither.
        ArtifactsError: as :func:`~gh_artifacts_async.api.get_artifact`.
    """
    if isinstance(artifact, ArtifactRef):
        return await endpoints.get_artifact(tools.github, artifact.repository, artifact.id)
    if not isinstance(artifact, Artifact):
        msg = f"an Artifact or ArtifactRef is needed, not {type(artifact).__name__}"
        raise ConfigurationError(msg)
    if artifact.repository is None:
        msg = f"artifact {artifact.id} does not say its repository; take it from a listing, or use ArtifactRef"
        raise ConfigurationError(msg)
    return artifact


class Downloader:
    """Downloads single artifacts; what a client's downloads share."""

    def __init__(self, tools: TransferContext) -> None:
        """Keep the tools."""
        self._tools = tools
        self._leftovers = Leftovers()

    async def download(
        self,
        artifact: Artifact,
        place: Destination,
        options: Options,
        emitter: Emitter,
        claim: Callable[[Path], None] | None = None,
    ) -> DownloadResult:
        """Bring one artifact to its place.

        Args:
            artifact: what.
            place: where.
            options: what to do with what is there.
            emitter: is told what happens.
            claim: is asked once more when the final path is known; raises where another item of the same collection
                has it.

        Raises:
            ArtifactsError: it could not be done; the destination is as it was.
            OSError: the disk refused.
        """
        delivery = _Delivery(self._tools, self._leftovers, artifact, place, options, emitter, claim)
        try:
            return await delivery.run()
        except BaseException as error:
            emitter.emit(TransferFailed(artifact=artifact, error=error))
            raise


class _TakenError(Exception):
    """The final name is taken, as storage's headers show (never leaves this module)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path


@attrs.define
class _Delivery:
    """One artifact on its way to its place."""

    _tools: TransferContext
    _leftovers: Leftovers
    _artifact: Artifact
    _place: Destination
    _options: Options
    _emitter: Emitter
    _claim: Callable[[Path], None] | None
    _members: tuple[ExtractedMember, ...] | None = None

    async def run(self) -> DownloadResult:
        """Skip what is there; else fetch, verify, and put in place."""
        there = await self._there_already()
        if there is not None:
            return self._skip(there)
        try:
            return await self._bring()
        except _TakenError as taken:
            path = taken.path
        if self._options.if_exists == "skip" and await self._is_there(path):
            return self._skip(path)
        raise self._in_the_way(path)

    def _skip(self, path: Path) -> DownloadResult:
        size = self._artifact.size_in_bytes if path.is_dir() else path.stat().st_size
        self._emitter.emit(TransferFinished(artifact=self._artifact, path=path, size=size, skipped=True))
        return attrs.evolve(_skipped(self._artifact, path, size), members=self._members)

    async def _bring(self) -> DownloadResult:
        started = asyncio.get_running_loop().time()
        filesystem.make_folder(self._place.folder)
        if self._options.extract is None:
            result = await self._to_file()
        else:
            result = await self._to_folder(self._options.extract)
        self._emitter.emit(TransferFinished(artifact=self._artifact, path=result.path, size=result.size))
        return attrs.evolve(result, elapsed=asyncio.get_running_loop().time() - started)

    # --- before

    async def _there_already(self) -> Path | None:
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
            raw = self._place.raw_path(None)
            for path in (usual, raw) if taken else (raw,):
                if await self._is_there(path):
                    return path
        if taken:
            raise self._in_the_way(usual)
        return None

    async def _is_there(self, path: Path) -> bool:
        if not os.path.lexists(path):  # noqa: ASYNC240 - as above
            return False
        if self._options.extract is not None and path == self._place.folder_path and path.is_dir():  # noqa: ASYNC240
            from gh_artifacts_async.transfer.unzip import unpack  # as in _to_folder

            self._members = await in_thread(lambda: unpack.members_of(self._artifact, path))
            return self._members is not None
        return await is_same(self._artifact, path)

    def _path(self, kind: Kind, disposition: str | None) -> Path:
        """Return where what arrives goes: a folder for a zip that is unpacked, else a file."""
        unpacked = kind == "zip" and self._options.extract is not None
        return self._place.folder_path if unpacked else self._place.path(kind, disposition)

    def _check_place(self, kind: Kind, disposition: str | None) -> None:
        path = self._path(kind, disposition)
        if self._claim is not None:
            self._claim(path)
        if self._options.if_exists != "replace" and os.path.lexists(path):
            raise _TakenError(path)

    def _in_the_way(self, path: Path) -> DestinationExistsError:
        known = {"skip": " and is not this artifact", "replace": " and is a folder"}.get(self._options.if_exists, "")
        msg = f"{path} exists already{known}; it was left as it is (if_exists={self._options.if_exists!r})"
        return DestinationExistsError(msg, filename=str(path))

    # --- the two ways

    async def _receive(self, pipeline: Pipeline | None = None) -> Received:
        transfer = Transfer(
            self._tools, self._artifact, self._place.folder, self._emitter, self._check_place, pipeline=pipeline
        )
        try:
            received = await transfer.run(self._leftovers.of(self._place.folder, transfer.part.prefix))
        except BaseException:
            self._leftovers.add(transfer.part)
            raise
        self._emitter.emit(TransferVerified(artifact=self._artifact, verified=received.verified))
        return received

    async def _to_file(self) -> DownloadResult:
        received = await self._receive()
        with self._part_of(received):
            return await self._finish_file(received)

    @contextmanager
    def _part_of(self, received: Received) -> Generator[None]:
        """Remove the part in the end; where only time or room was wanting, keep it: a later run need not fetch it."""
        try:
            yield
        except (OutOfSpaceError, asyncio.CancelledError, KeyboardInterrupt):
            if not os.path.lexists(self._path(received.kind, received.disposition)):
                received.part.release(resumable=True)
                self._leftovers.add(received.part)
            raise
        finally:
            received.part.discard()

    async def _finish_file(self, received: Received) -> DownloadResult:
        path = self._path(received.kind, received.disposition)
        if self._claim is not None:
            self._claim(path)  # known only now, where the bytes told what they are
        replace = self._options.if_exists == "replace"
        try:
            if self._options.durable:
                await in_thread(lambda: received.part.commit(path, replace=replace, durable=True))
            else:
                received.part.commit(path, replace=replace, durable=False)
        except DestinationExistsError:
            if self._options.if_exists != "skip":
                raise
            raise _TakenError(path) from None
        with suppress(OSError):  # the file is right and in place; without its record it is only not known again
            _leave_record(self._artifact, path, received, replaced=replace)
        return _result(self._artifact, path, received)

    async def _to_folder(self, policy: ExtractPolicy) -> DownloadResult:
        """Unpack a zip, beginning while it arrives; a raw file is left as it is."""
        from gh_artifacts_async.transfer.unzip import (
            unpack,  # with the archive room, which a plain download does not need
        )
        from gh_artifacts_async.transfer.unzip.pipeline import Pipeline

        unpacking = unpack.Unpacking(
            self._artifact,
            self._place.folder_path,
            policy,
            self._emitter,
            replace=self._options.if_exists == "replace",
            durable=self._options.durable,
        )
        async with AsyncExitStack() as stack:
            pipeline = Pipeline(self._tools, unpacking)
            stack.push_async_callback(pipeline.aclose)
            received = await self._receive(pipeline)
            stack.enter_context(self._part_of(received))
            stack.push_async_callback(pipeline.aclose)  # before the part goes
            if received.kind == "raw":
                return await self._finish_file(received)
            self._check_place(received.kind, received.disposition)
            members = await pipeline.finish()
            if members is None:
                await pipeline.aclose()
                members = await unpacking.whole(received.part.path)
            return attrs.evolve(_result(self._artifact, unpacking.destination, received), members=tuple(members))


async def is_same(artifact: Artifact, path: Path) -> bool:
    """Whether a file on disk is the artifact, see :func:`~gh_artifacts_async.transfer.disk.verify.is_same`."""
    stopped = threading.Event()
    return await in_thread(lambda: verify.is_same(artifact, path, stopped), stopped.set)


def _leave_record(artifact: Artifact, path: Path, received: Received, *, replaced: bool) -> None:
    """Leave a record where nothing of GitHub's could later tell what the file is; drop that of a replaced file."""
    if replaced and received.verified != "none":
        verify.record_path(path).unlink(missing_ok=True)
    if received.verified == "none" and received.size != artifact.size_in_bytes:
        verify.write_record(artifact, path, received.size, received.sha256)


def _result(artifact: Artifact, path: Path, received: Received) -> DownloadResult:
    return DownloadResult(
        artifact=artifact,
        path=path,
        size=received.size,
        digest=Digest("sha256", received.sha256),
        verified=received.verified,
        resumed_from=received.resumed_from,
        content_type=received.content_type,
    )


def _skipped(artifact: Artifact, path: Path, size: int) -> DownloadResult:
    expected = verify.expected_sha256(artifact)
    return DownloadResult(
        artifact=artifact,
        path=path,
        size=size,
        digest=None if expected is None else Digest("sha256", expected),
        verified="digest" if expected else "size" if size == artifact.size_in_bytes else "none",
        skipped=True,
    )
