"""One artifact to one verified file: what is there already, where it goes, and the last step."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.errors import ConfigurationError, DestinationExistsError
from gh_artifacts_async.events import TransferFailed, TransferFinished, TransferVerified
from gh_artifacts_async.models import Artifact, ArtifactRef, Digest
from gh_artifacts_async.results import DownloadResult
from gh_artifacts_async.transfer import files, naming, partfile, verify
from gh_artifacts_async.transfer.receive import Received, Tools, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.events import Emitter
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.settings import IfExists, StrPath
    from gh_artifacts_async.transfer.naming import Place

_IF_EXISTS = ("error", "skip", "replace")
_SCAN_LASTS = 5.0  # seconds; a folder is not read again for every one of thousands of artifacts


@attrs.frozen(kw_only=True)
class Options:
    """How a download treats what is there, and the disk."""

    if_exists: IfExists = "error"
    durable: bool = False

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


def checked_directory(directory: StrPath) -> Path:
    """Return the directory as a path.

    Raises:
        DestinationExistsError: it, or one above it, is a file.
    """
    folder = Path(os.fspath(directory))
    for place in (folder, *folder.parents):
        if place.is_dir():
            break
        if os.path.lexists(place) and not place.is_symlink():
            msg = f"{folder} is to be a folder, but {place} is a file"
            raise DestinationExistsError(msg, filename=str(place))
    return folder


def check_token(tools: Tools) -> None:
    """Make sure that there is a token.

    Raises:
        ConfigurationError: there is none, and GitHub gives an artifact's bytes only to who has one.
    """
    if not tools.github.has_token:
        msg = "downloading an artifact needs a token, also from a public repository; pass one, or set GITHUB_TOKEN"
        raise ConfigurationError(msg)


async def resolve(tools: Tools, artifact: Artifact | ArtifactRef) -> Artifact:
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

    def __init__(self, tools: Tools) -> None:
        """Keep the tools."""
        self._tools = tools
        self._leftovers = Leftovers()

    async def download(
        self,
        artifact: Artifact,
        place: Place,
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
        try:
            return await self._download(artifact, place, options, emitter, claim)
        except BaseException as error:
            emitter.emit(TransferFailed(artifact=artifact, error=error))
            raise

    async def _download(
        self,
        artifact: Artifact,
        place: Place,
        options: Options,
        emitter: Emitter,
        claim: Callable[[Path], None] | None,
    ) -> DownloadResult:
        started = asyncio.get_running_loop().time()
        there = await self._there_already(artifact, place, options)
        if there is not None:
            emitter.emit(TransferFinished(artifact=artifact, path=there, size=there.stat().st_size, skipped=True))
            return _skipped(artifact, there)
        files.make_folder(place.folder)

        def check_place(kind: Kind, disposition: str | None) -> None:
            path = place.path(kind, disposition)
            if claim is not None:
                claim(path)
            _check_free(path, options)

        transfer = Transfer(self._tools, artifact, place.folder, emitter, check_place)
        try:
            received = await transfer.run(self._leftovers.of(place.folder, transfer.part.prefix))
        except BaseException:
            self._leftovers.add(transfer.part)
            raise
        try:
            emitter.emit(TransferVerified(artifact=artifact, verified=received.verified))
            path = place.path(received.kind, received.disposition)
            check_place(received.kind, received.disposition)
            await _put_in_place(received, path, options)
        finally:
            received.part.discard()
        await _leave_record(artifact, path, received)
        emitter.emit(TransferFinished(artifact=artifact, path=path, size=received.size))
        elapsed = asyncio.get_running_loop().time() - started
        return DownloadResult(
            artifact=artifact,
            path=path,
            size=received.size,
            digest=Digest("sha256", received.sha256),
            verified=received.verified,
            resumed_from=received.resumed_from,
            elapsed=elapsed,
            content_type=received.content_type,
        )

    async def _there_already(self, artifact: Artifact, place: Place, options: Options) -> Path | None:
        """Return a file that is known to be the artifact (``skip``); find a taken name before any request.

        Raises:
            DestinationExistsError: the zip's place is taken by something else.
        """
        if options.if_exists == "replace":
            return None
        for path in (place.zip_path, place.raw_path(None)):
            if options.if_exists == "skip" and os.path.lexists(path):
                if await asyncio.to_thread(verify.is_same, artifact, path):
                    return path
        _check_free(place.zip_path, options)
        return None


def _check_free(path: Path, options: Options) -> None:
    if options.if_exists != "replace" and os.path.lexists(path):
        known = "" if options.if_exists == "error" else " and is not this artifact"
        msg = f"{path} exists already{known}; it was left as it is (if_exists={options.if_exists!r})"
        raise DestinationExistsError(msg, filename=str(path))


async def _put_in_place(received: Received, path: Path, options: Options) -> None:
    replace = options.if_exists == "replace"
    if options.durable:
        await asyncio.to_thread(received.part.commit, path, replace=replace, durable=True)
    else:
        received.part.commit(path, replace=replace, durable=False)


async def _leave_record(artifact: Artifact, path: Path, received: Received) -> None:
    """Leave a record where nothing of GitHub's could tell later that the file is the artifact; drop an older one."""
    if received.verified != "none":
        verify.record_path(path).unlink(missing_ok=True)
        return
    if received.size != artifact.size_in_bytes:
        verify.write_record(artifact, path, received.size, received.sha256)


def _skipped(artifact: Artifact, path: Path) -> DownloadResult:
    expected = verify.expected_sha256(artifact)
    return DownloadResult(
        artifact=artifact,
        path=path,
        size=path.stat().st_size,
        digest=None if expected is None else Digest("sha256", expected),
        verified="digest" if expected else "size" if path.stat().st_size == artifact.size_in_bytes else "none",
        skipped=True,
    )
