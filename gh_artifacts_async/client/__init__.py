"""ArtifactsClient: the class that users work with; each method delegates in a line or two."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self, Unpack, cast

from gh_artifacts_async.api.auth import EnvironmentToken, as_token_source, check_token
from gh_artifacts_async.api.checks import setting
from gh_artifacts_async.api.environment import read_environment
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.client.upkeep import Upkeep
from gh_artifacts_async.protocol.api_versions import DEFAULT as API_VERSION
from gh_artifacts_async.results import Secret
from gh_artifacts_async.settings import ExtractPolicy as ExtractPolicy
from gh_artifacts_async.settings import StoragePolicy

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

    import aiohttp

    from gh_artifacts_async.api.auth import TokenSource
    from gh_artifacts_async.client.options import ClientOptions
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.models import Artifact as Artifact
    from gh_artifacts_async.models import ArtifactRef as ArtifactRef
    from gh_artifacts_async.results import DownloadResult as DownloadResult
    from gh_artifacts_async.results import Outcome as Outcome
    from gh_artifacts_async.results import PlannedDownload as PlannedDownload
    from gh_artifacts_async.settings import IfExists as IfExists
    from gh_artifacts_async.settings import Layout as Layout
    from gh_artifacts_async.settings import Limits, RetryPolicy, StrPath, Timeouts
    from gh_artifacts_async.transfer.storage.context import TransferContext as TransferContext
    from gh_artifacts_async.transfer.unzip.remote_archive import RemoteArchive as RemoteArchive


def _hidden(proxy: str | Secret | None) -> Secret | None:
    return Secret(proxy) if isinstance(proxy, str) else proxy


class ArtifactsClient(Upkeep):
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
        super().__init__(github, setting("storage", storage, StoragePolicy))

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
            check_token(variables[found.token_names[0]], found.token_names[0])
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
