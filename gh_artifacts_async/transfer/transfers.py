"""Transfers: what the client hands its transfer calls on to.

It checks arguments before any request, and owns storage's session and the writer.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.models import check_id
from gh_artifacts_async.protocol.filenames import check_filename
from gh_artifacts_async.settings import ExtractPolicy
from gh_artifacts_async.transfer import bulk
from gh_artifacts_async.transfer.context import TransferContext
from gh_artifacts_async.transfer.disk import destination
from gh_artifacts_async.transfer.disk.writer import Writer
from gh_artifacts_async.transfer.download import (
    Downloader,
    Options,
    check_token,
    checked_directory,
    is_same,
    resolve,
)
from gh_artifacts_async.transfer.storage.targets import StorageSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.results import DownloadResult, Outcome
    from gh_artifacts_async.settings import IfExists, Layout, StoragePolicy, StrPath
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive


class Transfers:
    """The transfers of one client; see :class:`~gh_artifacts_async.ArtifactsClient` for what each call promises."""

    def __init__(self, github: GitHubSession, policy: StoragePolicy) -> None:
        """Make what is shared; no connection and no thread yet."""
        self._github = github
        self._tools = TransferContext(github, StorageSession(github, policy), Writer())
        self._downloader = Downloader(self._tools)

    async def aclose(self) -> None:
        """Close storage's session, before the API's session closes the connections both use, and end the thread."""
        await self._tools.storage.aclose()
        await self._tools.writer.aclose()

    async def download(
        self,
        artifact: Artifact | ArtifactRef,
        directory: StrPath,
        *,
        filename: str | None,
        extract: bool | ExtractPolicy,
        if_exists: IfExists,
        durable: bool,
        observer: Observer | None,
    ) -> DownloadResult:
        """Download one artifact."""
        self._github.check_usable()
        check_token(self._tools)
        options = Options(if_exists=if_exists, durable=durable, extract=_policy(extract))
        if filename is not None:
            check_filename(filename)
        folder = checked_directory(directory, writes=if_exists != "skip")
        found = await resolve(self._tools, artifact)
        place = destination.single(found, folder, filename)
        return await self._downloader.download(found, place, options, self._github.emitter.also(observer))

    def download_many(
        self,
        artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
        directory: StrPath,
        *,
        concurrency: int,
        extract: bool | ExtractPolicy,
        if_exists: IfExists,
        layout: Layout,
        durable: bool,
        observer: Observer | None,
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome[DownloadResult]]]:
        """Download many artifacts."""
        check_token(self._tools)
        check_id(concurrency, "concurrency")
        destination.check_layout(layout)
        options = Options(if_exists=if_exists, durable=durable, extract=_policy(extract))
        extracts = options.extract is not None
        folder = checked_directory(directory, writes=if_exists != "skip")
        return bulk.download_many(
            self._tools,
            self._downloader,
            artifacts,
            bulk.Collection(directory=folder, layout=layout, extracts=extracts),
            options=options,
            concurrency=concurrency,
            emitter=self._github.emitter.also(observer),
        )

    @asynccontextmanager
    async def open_archive(
        self, artifact: Artifact | ArtifactRef, policy: ExtractPolicy
    ) -> AsyncGenerator[RemoteArchive]:
        """Open an archive where it is."""
        self._github.check_usable()
        check_token(self._tools)
        found = await resolve(self._tools, artifact)
        from gh_artifacts_async.transfer.unzip import (
            remote_archive,  # with the archive room, which a plain download does not need
        )

        async with remote_archive.open_archive(self._tools, found, policy, self._github.emitter) as archive:
            yield archive

    async def verify(self, artifact: Artifact | ArtifactRef, path: StrPath) -> bool:
        """Compare a file on disk with an artifact."""
        found = await resolve(self._tools, artifact)
        return await is_same(found, Path(path))


def _policy(extract: bool | ExtractPolicy) -> ExtractPolicy | None:  # noqa: FBT001 - the public argument's own type
    if isinstance(extract, ExtractPolicy):
        return extract
    return ExtractPolicy() if extract else None
