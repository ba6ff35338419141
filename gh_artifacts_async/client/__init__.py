"""ArtifactsClient: the class that users work with; each method delegates in a line or two."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack, cast

from gh_artifacts_async.api.auth import EnvironmentToken, as_token_source, check_token
from gh_artifacts_async.api.checks import setting
from gh_artifacts_async.api.environment import read_environment
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.client.operations import Operations
from gh_artifacts_async.protocol.api_versions import DEFAULT as API_VERSION
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import ExtractPolicy, StoragePolicy

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    import aiohttp

    from gh_artifacts_async.api.auth import TokenSource
    from gh_artifacts_async.client.options import ClientOptions
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.results import DownloadResult, Outcome, PlannedDownload
    from gh_artifacts_async.settings import IfExists, Layout, Limits, RetryPolicy, StrPath, Timeouts
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive


def _hidden(proxy: str | Secret | None) -> Secret | None:
    return Secret(proxy) if isinstance(proxy, str) else proxy


class ArtifactsClient(Operations):
    """GitHub Actions artifacts: list, get, delete, download; an async context manager.

    Safe to share between the tasks of one event loop. Errors are those of :mod:`gh_artifacts_async.errors`.
    """

    def __init__(
        self,
        token: str | TokenSource | None = None,
        *,
        base_url: str = "https://api.github.com",
        session: aiohttp.ClientSession | None = None,
        allow_http: bool = False,
        ca_file: StrPath | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        storage: StoragePolicy | None = None,
        api_version: str = API_VERSION,
        user_agent: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Check the arguments; no connection is opened before the first request.

        Args:
            token: a token, a source of tokens, or None for anonymous access (GitHub then allows listings of public
                repositories, 60 requests an hour). Sent as ``Authorization: Bearer``, to the API's origin only.
            base_url: of the REST API, used exactly as given, less a trailing slash: ``https://HOST/api/v3`` for GitHub
                Enterprise Server. A bare host name is mapped to the URL of its REST API.
            session: an aiohttp.ClientSession to borrow; it is neither altered nor closed. Its own network settings
                apply, so ``ca_file``, ``ssl_context``, ``proxy`` and ``trust_env`` cannot be given with it.
            allow_http: allow a token to be sent over plain http to another machine.
            ca_file: certificates (PEM) to trust in addition to the system's.
            ssl_context: replaces the default one.
            proxy: URL of an http or https proxy.
            trust_env: take proxies from the environment (HTTPS_PROXY, NO_PROXY); netrc is never read.
            timeouts: limits on silence and slowness; default ``Timeouts()``.
            retry: how often a request that is safe to repeat is retried; default ``RetryPolicy()``.
            limits: rate and concurrency of API requests; default ``Limits()``.
            storage: where signed URLs may lead; default ``StoragePolicy()``.
            api_version: ``X-GitHub-Api-Version``
                (https://docs.github.com/en/rest/about-the-rest-api/api-versions).
            user_agent: default: this package's name and version.
            observer: called with every event of this client, requests, retries and pauses included.

        Raises:
            ConfigurationError: an argument is invalid, e.g. a token over http to another machine.
        """
        hidden, proxy = _hidden(proxy), None  # the frames of an error show no password
        try:
            source = as_token_source(token)
        finally:
            token = None  # nor a token
        github = GitHubSession(
            source,
            base_url=base_url,
            session=session,
            allow_http=allow_http,
            ca_file=ca_file,
            ssl_context=ssl_context,
            proxy=hidden,
            trust_env=trust_env,
            timeouts=timeouts,
            retry=retry,
            limits=limits,
            api_version=api_version,
            user_agent=user_agent,
            observer=observer,
        )
        super().__init__(github)
        self._storage_policy = setting("storage", storage, StoragePolicy)
        self._context: TransferContext | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Unpack[ClientOptions]) -> Self:
        """Return a client configured by environment variables, the ones that gh and GitHub's runners use.

        The base URL comes from GITHUB_API_URL or GH_HOST; the default is github.com. The token comes from GH_TOKEN,
        then GITHUB_TOKEN for github.com and ``*.ghe.com``; for any other host from GH_ENTERPRISE_TOKEN, then
        GITHUB_ENTERPRISE_TOKEN, then GITHUB_TOKEN if GITHUB_SERVER_URL or GITHUB_API_URL names that host. If none of
        them is set, the client has no token.

        Args:
            environ: replaces ``os.environ``.
            overrides: arguments of the constructor; they take precedence over the environment.

        Raises:
            ConfigurationError: as for the constructor.
        """
        if "proxy" in overrides:  # the frames of an error show no password
            overrides["proxy"] = cast("str | None", _hidden(overrides["proxy"]))
        variables = os.environ if environ is None else environ
        found = read_environment(variables, overrides.get("base_url"))
        options: ClientOptions = {"base_url": found.base_url}
        if found.token_names:
            check_token(variables[found.token_names[0]])
            options["token"] = EnvironmentToken(*found.token_names, environ=variables)
        options.update(overrides)
        return cls(**options)

    def __repr__(self) -> str:
        """Return the base URL, never the token."""
        github = getattr(self, "_github", None)  # a traceback may show a client whose constructor failed
        return "ArtifactsClient()" if github is None else f"ArtifactsClient(base_url={str(github.base)!r})"

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        self._github.check_usable()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the client."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close what the client owns; a borrowed session stays open. A second call does nothing."""
        async with AsyncExitStack() as stack:  # in reverse order, also when one of them is cancelled
            stack.push_async_callback(self._github.aclose)
            if self._context is not None:
                stack.push_async_callback(self._context.aclose)

    # --- transfer: imported by the first call, since many programs only list

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

        options = DownloadOptions.checked(if_exists, extract, durable=durable)
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
