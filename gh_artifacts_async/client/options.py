"""ClientOptions: the arguments of ArtifactsClient as a type, for programs that pass them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import ssl

    import aiohttp

    from gh_artifacts_async.api.auth import TokenSource
    from gh_artifacts_async.events import Observer
    from gh_artifacts_async.settings import Limits, RetryPolicy, StoragePolicy, StrPath, Timeouts


class ClientOptions(TypedDict, total=False):
    """The arguments of :class:`~gh_artifacts_async.ArtifactsClient`, each optional, with the same meaning."""

    token: str | TokenSource | None
    base_url: str
    session: aiohttp.ClientSession | None
    allow_http: bool
    ca_file: StrPath | None
    ssl_context: ssl.SSLContext | None
    proxy: str | None
    trust_env: bool
    timeouts: Timeouts | None
    retry: RetryPolicy | None
    limits: Limits | None
    storage: StoragePolicy | None
    api_version: str
    user_agent: str | None
    observer: Observer | None
