"""From an artifact to its storage: resolve it, sign its URL, send a bare request.

Bare means no token, no cookies, no default headers, and only the redirects that the policy permits.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, overload

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.api.emitter import DEBUG, TRANSFER_LOG
from gh_artifacts_async.api.environment import token_advice
from gh_artifacts_async.errors import ConfigurationError, MissingTokenError, TransportError, UnsafeRedirectError
from gh_artifacts_async.models import Artifact, ArtifactRef
from gh_artifacts_async.protocol.redirects import check_target, follow
from gh_artifacts_async.results import Secret
from gh_artifacts_async.transport.lanes import WholeBody

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.protocol.requests import BaseURL
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.settings import StoragePolicy
    from gh_artifacts_async.transport.http import HttpStream, HttpTransport
    from gh_artifacts_async.transport.lane_protocol import Receipt

_ERROR = 300
_REDIRECTS = (301, 302, 303, 307, 308)
_REQUEST_IDS = ("x-ms-request-id", "x-amz-request-id", "x-github-request-id")


def missing_token(base: BaseURL) -> MissingTokenError:
    """Return the error for a client without a token: GitHub serves an artifact's bytes only to those who have one."""
    advice = token_advice(base, os.environ)
    msg = f"downloading an artifact needs a token, even from a public repository; {advice}"
    return MissingTokenError(msg)


def check_artifacts(artifacts: object) -> None:
    """Check that an argument is a collection or an iterator.

    Raises:
        ConfigurationError: it is a single artifact, or something else.
    """
    if isinstance(artifacts, str | bytes) or not isinstance(artifacts, Iterable | AsyncIterable):
        msg = f"artifacts must be an iterable of artifacts, not one {type(artifacts).__name__}"
        raise ConfigurationError(msg)


async def resolve(github: GitHubSession, artifact: object) -> Artifact:
    """Return the artifact itself; a reference costs one GET, since a download needs name, size and digest.

    Raises:
        ConfigurationError: it is neither, or does not name its repository.
        ArtifactsError: as :func:`~gh_artifacts_async.api.get_artifact`.
    """
    if isinstance(artifact, ArtifactRef):
        return await endpoints.get_artifact(github, artifact.repository, artifact.id)
    if not isinstance(artifact, Artifact):
        msg = f"expected an Artifact or ArtifactRef, not {type(artifact).__name__}"
        raise ConfigurationError(msg)
    if artifact.repository is None:
        msg = f"artifact {artifact.id} does not name its repository; take it from a listing, or use ArtifactRef"
        raise ConfigurationError(msg)
    return artifact


async def sign(github: GitHubSession, artifact: Artifact, *, fresh: bool = False) -> SignedURL:
    """Ask for a signed URL of a resolved artifact's bytes.

    Args:
        github: to send with.
        artifact: resolved.
        fresh: over a new connection.

    Raises:
        ArtifactsError: as :func:`~gh_artifacts_async.api.get_download_url`.
    """
    repository = artifact.repository
    assert repository is not None  # noqa: S101 - resolve() has checked it
    return await endpoints.get_download_url(
        github, repository, artifact.id, known_expired=artifact.expired, fresh=fresh
    )


class StorageSession:
    """Sends a client's requests to storage hosts; shares the API session's connections and nothing else."""

    def __init__(self, transport: HttpTransport, policy: StoragePolicy, emitter: Emitter, *, api_is_http: bool) -> None:
        """Keep the arguments.

        Args:
            transport: sends the requests.
            policy: where signed URLs may lead.
            emitter: the client's.
            api_is_http: whether the API's own base URL is plain http.
        """
        self._transport = transport
        self._policy = policy
        self._emitter = emitter
        self._api_is_http = api_is_http

    @overload
    async def open(self, signed: SignedURL, headers: Mapping[str, str], *, fresh: bool = False) -> HttpStream: ...

    @overload
    async def open(
        self,
        signed: SignedURL,
        headers: Mapping[str, str],
        *,
        buffers: Callable[[int], bytearray | None],
        receipt: Receipt,
    ) -> WholeBody | HttpStream: ...

    async def open(
        self,
        signed: SignedURL,
        headers: Mapping[str, str],
        *,
        fresh: bool = False,
        buffers: Callable[[int], bytearray | None] | None = None,
        receipt: Receipt | None = None,
    ) -> WholeBody | HttpStream:
        """Send a GET and return storage's response, also an error (with its body); the caller closes it.

        Args:
            signed: where the bytes are.
            headers: no secrets among them.
            fresh: over a new connection.
            buffers: lends a buffer for a body that may be received whole; None for one that is read as it arrives.
            receipt: whom to tell of such a body before it is whole.

        Raises:
            UnsafeRedirectError: the policy forbids the target, or storage redirects more often than it allows.
            TransportError: no response arrived.
            ClientClosedError: after close.
        """
        check_target(signed, self._policy, api_is_http=self._api_is_http)
        emitter, loop = self._emitter, asyncio.get_running_loop()
        heard = emitter.active or TRANSFER_LOG.isEnabledFor(DEBUG)
        hops = 0
        while True:
            stream: WholeBody | HttpStream
            exact = Secret(signed.url)
            emitter.counters.storage_requests += 1
            if heard:
                emitter.sent("storage", "GET", signed.redacted)
            started = loop.time()
            try:
                if buffers is not None:
                    stream = await self._transport.open_small(exact, headers, signed.host, buffers, receipt=receipt)
                else:
                    stream = await self._transport.open(exact, headers, signed.host, fresh=fresh)
            except TransportError as error:
                if heard:
                    emitter.answered("storage", "GET", signed.redacted, loop.time() - started, error=error)
                raise
            status = stream.response.status
            if heard:
                self._answered(signed, stream, loop.time() - started)
            if status < _ERROR or isinstance(stream, WholeBody):
                return stream
            try:
                if status not in _REDIRECTS:
                    await stream.read_error()
                    return stream
                signed = self._next(signed, stream, hops)
            finally:
                stream.close()
            hops += 1

    def _answered(self, signed: SignedURL, stream: WholeBody | HttpStream, duration: float) -> None:
        """Tell of storage's response."""
        headers = stream.response.headers
        found = next((headers[name] for name in _REQUEST_IDS if name in headers), None)
        status = stream.response.status
        self._emitter.answered("storage", "GET", signed.redacted, duration, status=status, request_id=found)

    def _next(self, source: SignedURL, stream: HttpStream, hops: int) -> SignedURL:
        if hops >= self._policy.max_redirects:
            msg = (
                f"storage at {stream.host} answered with a redirect ({stream.response.status}), "
                f"and StoragePolicy.max_redirects is {self._policy.max_redirects}; it was not followed"
            )
            raise UnsafeRedirectError(msg)
        answered = stream.response.headers.get("date", "")  # no local holds all headers: the Location is a secret
        date = {"date": answered}
        location = Secret(stream.response.headers.get("location", ""))
        return follow(source, location, self._policy, api_is_http=self._api_is_http, headers=date)
