"""Ranges of one artifact's stored bytes, read without downloading the whole."""

from __future__ import annotations

import asyncio
import io
import os
import random
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.errors import (
    ArtifactsError,
    ConnectionFailedError,
    SlowTransferError,
    StorageError,
    TransportError,
)
from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.protocol.attempts import Attempts, Fault, GiveUp, RefusedURL, after, is_final
from gh_artifacts_async.protocol.validators import expected_sha256, strong_etag
from gh_artifacts_async.transfer.disk.filesystem import space_errors
from gh_artifacts_async.transfer.disk.writer import Lane, in_thread
from gh_artifacts_async.transfer.storage.setbacks import Setback, refusal
from gh_artifacts_async.transfer.storage.targets import sign
from gh_artifacts_async.transfer.storage.throughput import RateWatch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.protocol.responses import Response
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transport.http import HttpStream

Take = Callable[[bytes], Awaitable[None]]
"""Takes bytes as they arrive."""

_LEAVE = 5.0
"""Seconds before a signed URL expires from which it is not used for another request."""

_PARTIAL, _PRECONDITION = 206, 412
_CHANGED = "the stored bytes have changed (ETag or Last-Modified)"


class NoRangesError(Exception):
    """This storage does not support ranges (never leaves this package)."""


class ChangedError(StorageError):
    """What is stored is no longer what was opened; for others it is the error of storage that it is."""


class _NoRangesNowError(ArtifactsError):
    """A range was refused after others were served; becomes a NoRangesError when the attempts are used up."""


class RangeReader:
    """Reads ranges of one artifact's stored bytes; one signed URL serves many requests until it expires.

    Attributes:
        total: bytes of the whole; None before the first response.
        etag: of the first response; later ones must have the same.
        content_type: of the last response with bytes; None if storage sends none.
        disposition: its Content-Disposition.
        requests: sent to storage.
        bytes_fetched: of all bodies together.
    """

    def __init__(self, context: TransferContext, artifact: Artifact, *, attempts: int | None = None) -> None:
        """Keep the arguments; nothing is sent yet.

        Args:
            context: the client's.
            artifact: whose bytes.
            attempts: how many without progress; None for what the client's RetryPolicy says.
        """
        self._context = context
        self._artifact = artifact
        self._fresh = expected_sha256(artifact) is None  # nothing else would show another artifact's bytes
        self._signed: SignedURL | None = None
        self._ends_at = 0.0
        self._conditional = True
        self._marks: tuple[str | None, str | None] = (None, None)
        policy = context.github.retry
        self._policy = policy if attempts is None else attrs.evolve(policy, attempts=attempts)
        self._max_pause = context.github.limits.max_pause
        self.total: int | None = None
        self.etag: str | None = None
        self.content_type: str | None = None
        self.disposition: str | None = None
        self.requests: int = 0
        self.bytes_fetched = 0

    def use(self, signed: SignedURL) -> None:
        """Use a URL that was signed just now."""
        self._signed = signed
        self._ends_at = asyncio.get_running_loop().time() + signed.lifetime - _LEAVE

    def unexpired_url(self) -> SignedURL | None:
        """Return the URL of the last request while it can be used for another; else None."""
        return self._signed if asyncio.get_running_loop().time() <= self._ends_at else None

    # --- ranges

    async def read(self, start: int, end: int, *, then: bytes = b"") -> bytes:
        """Return the bytes from ``start`` up to ``end`` (exclusive), fewer if the whole ends before.

        Args:
            start: offset of the first byte.
            end: offset after the last one.
            then: known bytes that follow; they are appended without a copy of the others.

        Raises:
            NoRangesError: storage does not support ranges.
            ArtifactsError: a request failed.
        """
        body = io.BytesIO()

        async def take(chunk: bytes) -> None:
            body.write(chunk)

        await self.copy(start, end, take)
        body.write(then)
        return body.getvalue()

    @asynccontextmanager
    async def scratch(
        self, pieces: Iterable[tuple[int, int]], known: tuple[int, bytes] | None = None, folder: Path | None = None
    ) -> AsyncGenerator[int]:
        """Provide the descriptor of an unnamed temporary file with some ranges at their offsets and holes elsewhere.

        Args:
            pieces: start and end (exclusive) of each slice.
            known: offset and bytes of a slice that is known already.
            folder: on whose file system the file is created; None for the system's temporary folder.

        Raises:
            NoRangesError: storage does not support ranges.
            OutOfSpaceError: the disk is full.
            ArtifactsError: a request failed.
        """
        place = Path(tempfile.gettempdir()) if folder is None else folder
        with tempfile.TemporaryFile(prefix="gh-artifacts-", dir=place) as file:
            write = partial(_write_all, file.fileno(), place)
            for start, end in pieces:
                os.lseek(file.fileno(), start, os.SEEK_SET)
                lane = Lane(self._context.writer, write)
                try:
                    await self.copy(start, end, lane.put)
                    await lane.flush()
                finally:
                    await lane.stop()
            if known is not None:
                os.lseek(file.fileno(), known[0], os.SEEK_SET)
                await in_thread(lambda: write(known[1:]))
            yield file.fileno()

    async def copy(self, start: int, end: int, take: Take) -> None:
        """Pass the bytes from ``start`` up to ``end`` (exclusive) to ``take`` as they arrive, in order, each once.

        Raises:
            NoRangesError: storage does not support ranges.
            ArtifactsError: a request failed.
        """
        attempts, at, emitter = Attempts(), start, self._context.github.emitter
        watch = RateWatch(self._context.github.timeouts)
        watch.resume_from(start)
        watch.start(asyncio.get_running_loop().time())

        async def arrived(chunk: bytes) -> None:
            nonlocal at
            at += len(chunk)
            self.bytes_fetched += len(chunk)
            emitter.counters.bytes_fetched += len(chunk)
            await take(chunk)

        while at < end and (self.total is None or at < self.total):
            setback = await self._once(at, end, arrived)
            if setback is None:
                continue
            self._signed = None
            slow = isinstance(setback.error, SlowTransferError)
            gained = not slow and watch.has_gained(at, end - start, asyncio.get_running_loop().time())
            draw = random.random()  # noqa: S311 - spreads retries, keeps no secret
            attempts, decision = after(
                self._policy, self._max_pause, attempts, setback.failure, gained=gained, draw=draw
            )
            if isinstance(decision, GiveUp):
                raise NoRangesError if isinstance(setback.error, _NoRangesNowError) else setback.error
            what = f"artifact {self._artifact.id}"
            emitter.retried("storage", what, setback.error, decision.seconds, attempts.failed)
            await asyncio.sleep(decision.seconds)

    # --- one request

    async def _once(self, start: int, end: int, take: Take) -> Setback | None:
        """Send one request and read its body, if there is one to be read."""
        signed = await self.url()
        self.requests += 1
        etag = self.etag if self._conditional else None
        headers = ranges.slice_headers(start, end - 1, etag)
        try:
            stream = await self._context.storage.open(signed, headers, fresh=self._fresh)
            try:
                body = self._decide(start, stream, conditional=etag is not None)
                if body is None or isinstance(body, Setback):
                    return body
                self._learn(start, body, stream)
                await self._take(stream, min(body.length or 0, end - start), take)
            finally:
                stream.close()
        except (TransportError, SlowTransferError) as error:
            if isinstance(error, TransportError) and is_final(error):
                raise
            return Setback(error=error.with_traceback(None), failure=Fault())
        return None

    async def url(self) -> SignedURL:
        """Return a signed URL that has not expired, the same one for as long as it is valid."""
        known = self.unexpired_url()
        if known is not None:
            return known
        signed = await sign(self._context.github, self._artifact, fresh=self._fresh)
        self.use(signed)
        return signed

    def _decide(self, start: int, stream: HttpStream, *, conditional: bool) -> ranges.Stream | Setback | None:
        """Return what to read; None to ask again, without If-Match.

        A proxy that alters ETags, as some do that compress, makes every If-Match fail. So what a 412 means is seen from
        the ETag of an answer that is not conditional: unless it is the same again, the bytes have changed.
        """
        response = stream.response
        decision = ranges.decide_slice(start, self.etag, response, now=utcnow)
        if response.status == _PRECONDITION and conditional:
            self._conditional = False  # of all requests that follow; others may be under way with theirs
            return None
        if response.status == _PARTIAL and isinstance(decision, ranges.Stream) and not conditional:
            decision = decision if self._is_same(response) else ranges.Restart(reason=_CHANGED)
        match decision:
            case ranges.Stream():
                return decision
            case ranges.Whole() if self.total is None:
                raise NoRangesError
            case ranges.Whole() | ranges.Fail(status=206):  # it served ranges before, or may yet serve a right one
                msg = "storage did not serve the range that was requested"
                return Setback(error=_NoRangesNowError(msg), failure=RefusedURL())
            case ranges.Restart(reason=reason):
                msg = f"artifact {self._artifact.id} at {stream.host}: {reason}; open the archive again"
                raise ChangedError(msg, status=response.status)
            case _:
                return refusal(decision, self._artifact, stream.host)

    def _is_same(self, response: Response) -> bool:
        """Whether an answer that no If-Match vouches for is of the bytes that others were of.

        Without a strong ETag, a weak one or a date that differs tells that they have changed; that neither differs
        proves nothing, but there is no more to go by.
        """
        if self.etag is not None:
            return strong_etag(response.headers) == self.etag
        pairs = zip(self._marks, _marks(response), strict=True)
        return all(known is None or found is None or known == found for known, found in pairs)

    def _learn(self, start: int, body: ranges.Stream, stream: HttpStream) -> None:
        """Keep total and ETag of the first response; later ones must agree.

        Raises:
            NoRangesError: it does not state the total.
            StorageError: it contradicts itself, or an earlier one.
        """
        status = stream.response.status
        if body.total is None:  # a 416 without the total
            raise NoRangesError
        if not body.length and body.total > start:
            msg = f"artifact {self._artifact.id} at {stream.host}: storage rejected a range within the artifact"
            raise StorageError(msg, status=status)
        if self.total not in {None, body.total}:
            what = f"artifact {self._artifact.id} at {stream.host}"
            msg = f"{what}: storage now has {body.total} bytes instead of {self.total}; open the archive again"
            raise ChangedError(msg, status=status)
        self.total, self.etag = body.total, body.etag
        if status == _PARTIAL:
            self._marks = _marks(stream.response)
            self.content_type = stream.response.headers.get("content-type")
            self.disposition = stream.response.headers.get("content-disposition")

    async def _take(self, stream: HttpStream, length: int, take: Take) -> None:
        """Read a body of a known length."""
        watch = RateWatch(self._context.github.timeouts)
        loop = asyncio.get_running_loop()
        watch.start(loop.time())
        while length and (chunk := await stream.read_chunk()):
            piece = chunk[:length]
            length -= len(piece)
            before = loop.time()
            await take(piece)
            watch.exclude(loop.time() - before)
            watch.count(len(piece), loop.time(), stream.host)
        if length:
            msg = f"the connection to {stream.host} ended {length:,} bytes before the end of the range"
            raise ConnectionFailedError(msg, host=stream.host)


def _marks(response: Response) -> tuple[str | None, str | None]:
    """Return the ETag without its mark of weakness, and the date of the last change; None for what is not said."""
    etag = response.headers.get("etag")
    return None if etag is None else etag.removeprefix("W/"), response.headers.get("last-modified")


def _write_all(descriptor: int, folder: Path, chunks: Iterable[bytes | memoryview]) -> None:
    with space_errors(folder / "temporary file"):
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
