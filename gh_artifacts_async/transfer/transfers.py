"""Transfers: what the client hands its transfer calls on to. It checks arguments before any request, and owns storage's
session and the writer.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from gh_artifacts_async.models import check_id
from gh_artifacts_async.transfer import bulk, naming, verify
from gh_artifacts_async.transfer.download import Downloader, Options, check_token, checked_directory, resolve
from gh_artifacts_async.transfer.receive import Tools
from gh_artifacts_async.transfer.storage import StorageSession
from gh_artifacts_async.transfer.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.results import DownloadResult, Outcome
    from gh_artifacts_async.settings import IfExists, Layout, StoragePolicy, StrPath


class Transfers:
    """The transfers of one client; see :class:`~gh_artifacts_async.ArtifactsClient` for what each call promises."""

    def __init__(self, github: GitHubSession, policy: StoragePolicy) -> None:
        """Make what is shared; no connection and no thread yet."""
        self._github = github
        self._tools = Tools(github, StorageSession(github, policy), Writer())
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
        if_exists: IfExists,
        durable: bool,
        observer: Observer | None,
    ) -> DownloadResult:
        """Download one artifact."""
        self._github.check_usable()
        check_token(self._tools)
        options = Options(if_exists=if_exists, durable=durable)
        if filename is not None:
            naming.check_filename(filename)
        folder = checked_directory(directory)
        found = await resolve(self._tools, artifact)
        place = naming.single(found, folder, filename)
        return await self._downloader.download(found, place, options, self._github.emitter.also(observer))

    def download_many(
        self,
        artifacts: Iterable[Artifact | ArtifactRef] | AsyncIterable[Artifact | ArtifactRef],
        directory: StrPath,
        *,
        concurrency: int,
        if_exists: IfExists,
        layout: Layout,
        durable: bool,
        observer: Observer | None,
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome[DownloadResult]]]:
        """Download many artifacts."""
        check_token(self._tools)
        check_id(concurrency, "concurrency")
        naming.check_layout(layout)
        return bulk.download_many(
            self._tools,
            self._downloader,
            artifacts,
            bulk.Collection(directory=checked_directory(directory), layout=layout),
            Options(if_exists=if_exists, durable=durable),
            concurrency,
            self._github.emitter.also(observer),
        )

    async def verify(self, artifact: Artifact | ArtifactRef, path: StrPath) -> bool:
        """Compare a file on disk with an artifact."""
        found = await resolve(self._tools, artifact)
        return await asyncio.to_thread(verify.is_same, found, Path(path))
