"""Bytes of one artifact by their place in it, while it stays with its storage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from gh_artifacts_async.api.backoff import jitter
from gh_artifacts_async.api.session import utcnow
from gh_artifacts_async.errors import (
    ArtifactsError,
    ConnectionFailedError,
    SignedURLExpiredError,
    SlowTransferError,
    StorageError,
    TransportError,
)
from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.transfer.pace import RateWatch
from gh_artifacts_async.transfer.tools import sign

if TYPE_CHECKING:
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.transfer.storage import StorageResponse
    from gh_artifacts_async.transfer.tools import Tools

Take = Callable[[bytes], Awaitable[None]]
"""Takes bytes as they arrive."""

_LEAVE = 5.0
"""Seconds before its stated end from which a kept URL is not used for another request."""


class NoRangesError(Exception):
    """This storage gives the whole or nothing (never leaves this package)."""


class _TryAgainError(Exception):
    def __init__(self, error: ArtifactsError, *, wait: float | None = None, at_once: bool = False) -> None:
        super().__init__()
        self.error = error
        self.wait = wait
        self.at_once = at_once


class Slices:
    """Reads slices of one artifact's stored bytes; one signed URL serves many requests until it ends.

    Attributes:
        total: bytes of the whole; None before the first answer.
        etag: of the first answer; every later one must have it.
        requests: how many storage was sent.
        bytes_fetched: of bodies, by storage.
    """

    def __init__(self, tools: Tools, artifact: Artifact) -> None:
        """Plan; nothing happens yet."""
        self._tools = tools
        self._artifact = artifact
        self._signed: SignedURL | None = None
        self._ends_at = 0.0
        self._policy = tools.github.retry
        self.total: int | None = None
        self.etag: str | None = None
        self.requests = 0
        self.bytes_fetched = 0

    def use(self, signed: SignedURL, etag: str | None) -> None:
        """Use a URL that was signed just now, for bytes that are known by their ETag."""
        self._signed, self.etag = signed, etag
        self._ends_at = asyncio.get_running_loop().time() + signed.lifetime - _LEAVE

    async def read(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``, fewer where the whole ends before.

        Raises:
            NoRangesError: storage has no ranges.
            ArtifactsError: it could not be done.
        """
        body = bytearray()

        async def take(chunk: bytes) -> None:
            body.extend(chunk)

        await self.copy(start, end, take)
        return bytes(body)

    async def copy(self, start: int, end: int, take: Take) -> None:
        """Hand the bytes from ``start`` to before ``end`` over as they arrive, in order, each once.

        Raises:
            NoRangesError: storage has no ranges.
            ArtifactsError: it could not be done.
        """
        failures, at = 0, start
        while at < end and (self.total is None or at < self.total):
            before = at

            async def took(chunk: bytes) -> None:
                nonlocal at
                at += len(chunk)
                self.bytes_fetched += len(chunk)
                await take(chunk)

            try:
                await self._once(at, end, took)
                continue
            except _TryAgainError as trouble:
                again = trouble
            failures = 1 if at > before and not isinstance(again.error, SlowTransferError) else failures + 1
            await self._back_off(again, failures)

    async def _back_off(self, again: _TryAgainError, failures: int) -> None:
        """Wait before the next try.

        Raises:
            ArtifactsError: the tries are used up.
        """
        self._signed = None
        longest = self._tools.github.limits.max_pause
        too_long = again.wait is not None and longest is not None and again.wait > longest
        if failures >= self._policy.attempts or too_long:
            raise again.error
        if again.wait is not None:
            await asyncio.sleep(again.wait)
        elif not (again.at_once and failures == 1):
            await asyncio.sleep(jitter(self._policy, failures))

    async def _once(self, start: int, end: int, take: Take) -> None:
        """Send one request, and take what it brings."""
        signed = await self._url()
        self.requests += 1
        failure: ArtifactsError | None = None
        try:
            async with self._tools.storage.open(signed, ranges.slice_headers(start, end - 1, self.etag)) as response:
                body = self._judge(start, response)
                self.total, self.etag = body.total, body.etag
                await self._take(response, min(body.length or 0, end - start), take)
        except (TransportError, SlowTransferError) as error:
            failure = error.with_traceback(None)
        if failure is not None:
            raise _TryAgainError(failure)

    async def _url(self) -> SignedURL:
        """Return a signed URL that has not ended; the same one for as long as it lasts."""
        loop = asyncio.get_running_loop()
        if self._signed is None or loop.time() > self._ends_at:
            self._signed = await sign(self._tools, self._artifact)
            self._ends_at = loop.time() + self._signed.lifetime - _LEAVE
        return self._signed

    def _judge(self, start: int, response: StorageResponse) -> ranges.Stream:
        decision = ranges.decide_slice(start, self.etag, response.answer, now=utcnow())
        what = f"artifact {self._artifact.id} at {response.host}"
        match decision:
            case ranges.Stream():
                return decision
            case ranges.Whole():
                raise NoRangesError
            case ranges.Restart(reason=reason):
                msg = f"{what}: {reason}; open it again"
                raise StorageError(msg, status=response.answer.status)
            case ranges.Resign(reason=reason, status=status, code=code, expired=expired):
                error: ArtifactsError = StorageError(f"{what}: {reason}", status=status, code=code)
                if expired:
                    error = SignedURLExpiredError(f"{what}: {reason}, also after fresh ones were asked for")
                raise _TryAgainError(error, at_once=True)
            case ranges.Again(status=status, code=code, wait=wait):
                msg = f"{what}: storage answered with {status}"
                raise _TryAgainError(StorageError(msg, status=status, code=code), wait=wait)
            case ranges.Fail(status=status, code=code, reason=reason):
                msg = f"{what}: storage answered with {status}: {reason}"
                raise StorageError(msg, status=status, code=code)

    async def _take(self, response: StorageResponse, length: int, take: Take) -> None:
        """Read a body of a known length."""
        watch = RateWatch(self._tools.github.timeouts)
        loop = asyncio.get_running_loop()
        watch.start(loop.time())
        while length and (chunk := await response.read_chunk()):
            piece = chunk[:length]
            length -= len(piece)
            before = loop.time()
            await take(piece)
            watch.excuse(loop.time() - before)
            watch.count(len(piece), loop.time(), response.host)
        if length:
            msg = f"the connection to {response.host} ended {length} bytes before the range was whole"
            raise ConnectionFailedError(msg, host=response.host)
