"""Requests single ranges of an artifact whose validator and size are known, beside the request that is under way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.errors import ArtifactsError, TransportError
from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.protocol.attempts import is_final
from gh_artifacts_async.protocol.validators import content_length
from gh_artifacts_async.transfer.storage.targets import sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transport.http import HttpStream

_LEAVE = 5.0
"""Seconds before a signed URL expires from which it is not used for another request; half its time if that is less."""


class RefusedError(Exception):
    """A range was not served as the first request was (never leaves this package); the message says why."""


class RangeSource:
    """Sends an artifact's range requests; one signed URL serves many of them until it expires."""

    def __init__(self, context: TransferContext, artifact: Artifact) -> None:
        """Keep the arguments; nothing is sent."""
        self._context = context
        self._artifact = artifact
        self._signed: SignedURL | None = None
        self._ends_at = 0.0
        self._signing = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    def use(self, signed: SignedURL) -> None:
        """Use a URL that was signed just now."""
        self._signed = signed
        self._ends_at = self._loop.time() + signed.lifetime - min(_LEAVE, signed.lifetime / 2)

    async def open(self, first: int, end: int, etag: str, total: int, waited: Callable[[float], None]) -> HttpStream:
        """Return a response whose body is the bytes from ``first`` up to ``end`` (exclusive); the caller closes it.

        Args:
            first: offset of the first byte.
            end: offset after the last one.
            etag: the validator that the bytes must have.
            total: bytes of the whole.
            waited: called with seconds of waiting for GitHub, for which storage is not responsible.

        Raises:
            RefusedError: storage did not serve the range, or GitHub signed no URL.
            TransportError: no response arrived.
        """
        try:
            signed = await self._url(waited)
            stream = await self._send(signed, first, end, etag)
            decision = ranges.decide_slice(first, etag, stream.response, now=utcnow)
            if isinstance(decision, ranges.SignAgain):
                stream.close()
                self._signed = None if self._signed is signed else self._signed  # another may have a new one already
                stream = await self._send(await self._url(waited), first, end, etag)
                decision = ranges.decide_slice(first, etag, stream.response, now=utcnow)
        except ArtifactsError as error:
            if isinstance(error, TransportError) and not is_final(error):
                raise
            refusal = RefusedError(str(error))
        else:
            if isinstance(decision, ranges.Stream) and _is_exact(decision, end - first, total, stream):
                return stream
            stream.close()
            refusal = RefusedError(f"storage answered a range with {stream.response.status}")
        raise refusal

    async def _send(self, signed: SignedURL, first: int, end: int, etag: str) -> HttpStream:
        return await self._context.storage.open(signed, ranges.slice_headers(first, end - 1, etag))

    async def _url(self, waited: Callable[[float], None]) -> SignedURL:
        """Return a signed URL that has not expired; of several that ask, one has it signed."""
        async with self._signing:
            if self._signed is None or self._loop.time() > self._ends_at:
                began = self._loop.time()
                self.use(await sign(self._context.github, self._artifact))
                waited(self._loop.time() - began)
            assert self._signed is not None  # noqa: S101 - use() has set it
            return self._signed


def _is_exact(body: ranges.Stream, size: int, total: int, stream: HttpStream) -> bool:
    """Whether a response's headers promise the range that was requested, all of it and nothing else."""
    stated = content_length(stream.response)
    return (body.length, body.total) == (size, total) and stated in {None, size}
