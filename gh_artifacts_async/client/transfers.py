"""The client's methods that transfer an artifact's bytes: download, look into a zip, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.client.operations import Operations
from gh_artifacts_async.settings import ExtractPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.results import DownloadResult, MergeResult, Outcome, PlannedDownload
    from gh_artifacts_async.settings import Conflicts, IfExists, Layout, StoragePolicy, StrPath
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.stream import ArtifactStream
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive


class Transfers(Operations):
    """Downloads and remote reading; :mod:`gh_artifacts_async.transfer` is imported by the first call.

    Many programs only list.
    """

    def __init__(self, github: GitHubSession, policy: StoragePolicy) -> None:
        """Keep the session for GitHub's API, and the policy for storage."""
        super().__init__(github)
        self._storage_policy = policy
        self._context: TransferContext | None = None

    def _transfers(self) -> TransferContext:
        """Return what transfers share; the first one creates it."""
        from gh_artifacts_async.transfer.storage.context import TransferContext

        if self._context is None:
            self._context = TransferContext(self._github, self._storage_policy)
        return self._context

    async def download(
        self,
        artifact: Artifact | ArtifactRef,
        directory: StrPath,
        *,
        filename: str | None = None,
        extract: bool | ExtractPolicy = False,
        if_exists: IfExists = "error",
        connections: int | None = None,
        durable: bool = False,
        observer: Observer | None = None,
    ) -> DownloadResult:
        """Download one artifact to ``directory/<artifact name>.zip``, verified before it appears there.

        A raw artifact (uploaded with ``archive: false``) keeps the file name that storage sends, made safe. An
        interrupted download resumes where it stopped, also in a later call and in another process.

        Args:
            artifact: an Artifact, or an ArtifactRef, which costs one more GET.
            directory: created, with parents, if missing.
            filename: replaces ``<artifact name>.zip``; one safe path component.
            extract: extract a zip into ``directory/<artifact name>/``, under the given policy or the default one; a
                raw file is left as it is. The whole archive is checked before anything is written; the folder appears
                once everything is verified.
            if_exists: ``"error"``; ``"skip"`` if what is there is known to be the same artifact (anything else there
                is an error); ``"replace"``, which fetches nothing if it is the same.
            connections: most connections to storage at once, 1 to 8, opened from the start; 1 is never more than one.
                None begins with one and adds others, up to 8, only while each makes a large artifact arrive faster.
            durable: fsync the file and its folder.
            observer: called with the events of this download, in addition to the client's observer.

        Raises:
            ConfigurationError: there is no token, or an argument is invalid; no request was sent.
            DestinationExistsError: something else is at the destination.
            ArtifactExpiredError: the artifact has expired.
            DigestMismatchError: the bytes do not match GitHub's digest, and did not after a second download.
            OutOfSpaceError: the disk is full.
            ArchiveError: the archive was rejected (``extract``).
            ArtifactsError: GitHub or its storage answered with an error, or did not answer.
            OSError: a file operation failed.
        """
        from gh_artifacts_async.transfer.download import DownloadOptions, download

        options = DownloadOptions.checked(if_exists, extract, durable=durable, connections=connections)
        return await download(
            self._context or self._transfers(), artifact, directory, options, filename=filename, observer=observer
        )

    def download_many(
        self,
        artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
        directory: StrPath,
        *,
        concurrency: int = 8,
        extract: bool | ExtractPolicy = False,
        if_exists: IfExists = "skip",
        layout: Layout = "id",
        durable: bool = False,
        observer: Observer | None = None,
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome[DownloadResult]]]:
        """Download many artifacts, at most ``concurrency`` at once; yield an outcome for each as it completes.

        ::

            async with client.download_many(client.list_artifacts(repo), "artifacts") as outcomes:
                async for outcome in outcomes:
                    ...

        The failure of one artifact is its outcome and is never raised. Leaving the block cancels what is under way;
        no task, socket or incomplete file remains. The input may be endless: it is read only as transfers become free.
        An error raised by the input itself is raised here, after the outcomes of everything already started. A
        rejected token, a full disk and a rate limit beyond ``Limits.max_pause`` stop new work.

        Args:
            artifacts: Artifacts or ArtifactRefs, from any iterable or async iterable.
            directory: created, with parents, if missing.
            concurrency: transfers at once; API requests have their own bound in ``Limits``.
            extract: as for :meth:`download`.
            if_exists: as for :meth:`download`, but ``"skip"`` by default: running the same call again fetches only
                what is missing.
            layout: ``"id"`` (``<name>-<id>``), ``"name"``, a template such as ``"{branch}/{run_id}/{name}"``, or a
                callable from Artifact to a relative path.
            durable: fsync each file and its folder.
            observer: called with the events of these downloads, in addition to the client's observer.

        Raises:
            ConfigurationError: there is no token, or an argument is invalid; no request was sent.
            DestinationExistsError: two artifacts of a collection have the same destination; no download was started.
        """
        from gh_artifacts_async.transfer.bulk import download_many
        from gh_artifacts_async.transfer.download import DownloadOptions

        options = DownloadOptions.checked(if_exists, extract, durable=durable)
        return download_many(
            self._context or self._transfers(),
            artifacts,
            directory,
            options,
            concurrency=concurrency,
            layout=layout,
            observer=observer,
        )

    async def plan_downloads(
        self,
        artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
        directory: StrPath,
        *,
        layout: Layout = "id",
        extract: bool | ExtractPolicy = False,
        if_exists: IfExists = "skip",
    ) -> tuple[PlannedDownload, ...]:
        """Return what :meth:`download_many` would do with the same arguments: a dry run.

        Nothing is written, storage is not asked, and no token is needed for a public repository. Files that may be the
        same are read, to compare their digests.

        Args:
            artifacts: Artifacts or ArtifactRefs, from any finite iterable or async iterable; one that comes twice is
                planned once.
            directory: where they would go; it need not exist.
            layout: as for :meth:`download_many`. A template with a field of the workflow run costs one GET a run.
            extract: as for :meth:`download`.
            if_exists: as for :meth:`download_many`.

        Returns:
            A plan for each artifact, in the order of the input. Two artifacts that would be at one path are both a
            ``"conflict"``.

        Raises:
            ConfigurationError: an argument is invalid; no request was sent.
            DestinationExistsError: ``directory``, or one above it, is a file.
            ArtifactsError: GitHub refused the request, or did not answer (for a reference, or a layout by run).
        """
        from gh_artifacts_async.transfer.download import DownloadOptions
        from gh_artifacts_async.transfer.planning import plan_downloads

        options = DownloadOptions.checked(if_exists, extract, durable=False)
        return await plan_downloads(self._context or self._transfers(), artifacts, directory, options, layout=layout)

    def open_stream(
        self, artifact: Artifact | ArtifactRef, *, observer: Observer | None = None
    ) -> AbstractAsyncContextManager[ArtifactStream]:
        """Open an artifact's bytes as they arrive, for a program that passes them on instead of writing a file.

        ::

            async with client.open_stream(artifact) as stream:
                print(stream.filename, stream.size, stream.content_type)
                async for chunk in stream:
                    await response.write(chunk)

        The block is entered once storage has answered. The stream resumes and signs again as a download does, and ends
        with an error if the bytes are not the artifact's: **what was read is unverified until the iteration has
        ended**. Where storage has to be asked for the whole again, what was read already is fetched again, compared,
        and not repeated. While the caller does not read, nothing is fetched but what the connection buffers. Leaving
        the block closes the connection.

        Args:
            artifact: an Artifact, or an ArtifactRef, which costs one more GET.
            observer: called with the events of this transfer, in addition to the client's observer.

        Raises:
            ConfigurationError: there is no token; no request was sent.
            ArtifactExpiredError: the artifact has expired.
            DigestMismatchError: after the last chunk: the bytes do not match GitHub's digest.
            IncompleteDownloadError: after the last chunk: bytes are missing.
            ArtifactsError: GitHub or its storage answered with an error, or did not answer.
        """
        from gh_artifacts_async.transfer.stream import open_stream

        emitter = None if observer is None else self._github.emitter.also(observer)
        return open_stream(self._context or self._transfers(), artifact, emitter=emitter)

    def open_archive(
        self, artifact: Artifact | ArtifactRef, *, policy: ExtractPolicy | None = None
    ) -> AbstractAsyncContextManager[RemoteArchive]:
        """Open an artifact's zip remotely: list its members, read or extract some of them by range requests.

        ::

            async with client.open_archive(artifact) as archive:
                print([member.name for member in archive.members])
                log = await archive.read("log.txt")

        Opening fetches the end of the archive and checks its whole directory; each member costs one more request. If
        storage does not support ranges (old GitHub Enterprise Servers), the whole archive is downloaded once into a
        temporary file. ``archive.ranged``, ``.requests`` and ``.bytes_fetched`` say what happened.

        Args:
            artifact: an Artifact, or an ArtifactRef, which costs one more GET.
            policy: limits and rules of the check; default ``ExtractPolicy()``.

        Raises:
            ConfigurationError: there is no token.
            ArtifactExpiredError: the artifact has expired.
            ArchiveError: the archive was rejected.
            ArtifactsError: GitHub or its storage answered with an error, or did not answer.
        """
        from gh_artifacts_async.transfer.unzip import remote_archive

        return remote_archive.open_archive(self._context or self._transfers(), artifact, policy or ExtractPolicy())

    async def read_member(self, artifact: Artifact | ArtifactRef, name: str, *, max_bytes: int = 16 * 2**20) -> bytes:
        """Return one file from an artifact's zip, without downloading the zip.

        Args:
            artifact: an Artifact, or an ArtifactRef, which costs one more GET.
            name: the member's exact name.
            max_bytes: the largest uncompressed size to accept.

        Raises:
            MemberNotFoundError: the archive has no file of that name.
            ArchiveLimitError: its uncompressed size is more than ``max_bytes``.
            ArtifactsError: as for :meth:`open_archive`.
        """
        async with self.open_archive(artifact) as archive:
            return await archive.read(name, max_bytes=max_bytes)

    async def verify(self, artifact: Artifact | ArtifactRef, path: StrPath) -> bool:
        """Return whether a file on disk has the artifact's size and digest.

        Without a digest (GitHub Enterprise Server, old uploads), the file is compared by size, or with the record
        that a download wrote beside it.

        Args:
            artifact: an Artifact, or an ArtifactRef, which costs one GET.
            path: the file.

        Raises:
            ArtifactsError: an ArtifactRef could not be looked up.
        """
        from gh_artifacts_async.transfer.download import is_same
        from gh_artifacts_async.transfer.storage.targets import resolve

        return await is_same(await resolve(self._github, artifact), Path(path))

    async def download_merged(
        self,
        artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
        directory: StrPath,
        *,
        conflicts: Conflicts = "error",
        if_exists: IfExists = "error",
        policy: ExtractPolicy | None = None,
        concurrency: int = 8,
        durable: bool = False,
        observer: Observer | None = None,
    ) -> MergeResult:
        """Extract many artifacts into one folder, which appears as a whole or not at all.

        ::

            result = await client.download_merged(client.list_run_artifacts(repo, run_id), "dist")

        The directory of every archive is read and checked before anything is written and before the first archive is
        fetched, so two artifacts that cannot be merged cost a few kilobytes each. A file that was uploaded without
        zipping goes in under its own name. Folders are shared; a file of one artifact where another has a folder is
        always an error. If the call is interrupted, the next one resumes with what had arrived.

        Args:
            artifacts: Artifacts or ArtifactRefs, from any finite iterable or async iterable; one that comes twice is
                merged once.
            directory: the folder itself. Its parents are created; one that exists and is empty counts as absent.
            conflicts: what to do if two artifacts have a file at the same path: ``"error"``; ``"identical"``, which
                allows files of the same size and CRC, whose bytes are then compared; or ``"newest"``, which takes the
                file of the newest artifact, by creation time and id.
            if_exists: ``"error"``; ``"skip"`` if the folder is known to be a merge of the same artifacts (anything else
                there is an error); ``"replace"``, which fetches nothing if it is the same, and otherwise replaces the
                folder with all that is in it. The record ``.<folder>.gh-artifacts.json`` beside the folder tells.
            policy: limits and rules, for all archives together; default ``ExtractPolicy()``.
            concurrency: artifacts at once; API requests have their own bound in ``Limits``.
            durable: fsync everything before the folder appears.
            observer: called with the events of these transfers, in addition to the client's observer.

        Raises:
            ConfigurationError: there is no token, there are no artifacts, or an argument is invalid.
            DestinationExistsError: something else is at the destination.
            MergeConflictError: two artifacts have the same path; nothing was written.
            ArtifactExpiredError: an artifact has expired.
            ArchiveError: an archive was rejected; the message names its artifact.
            DigestMismatchError: the bytes of an artifact do not match GitHub's digest.
            OutOfSpaceError: the disk is full.
            ArtifactsError: GitHub or its storage answered with an error, or did not answer.
            OSError: a file operation failed.
        """
        from gh_artifacts_async.transfer.unzip.merge import MergeOptions, download_merged

        options = MergeOptions(
            conflicts=conflicts,
            if_exists=if_exists,
            policy=policy or ExtractPolicy(),
            concurrency=concurrency,
            durable=durable,
        )
        return await download_merged(self._transfers(), artifacts, directory, options, observer=observer)
