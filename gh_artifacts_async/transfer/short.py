"""The short way of a small artifact: its whole body in memory, checked there, and put in place at once.

Only what is plain goes this way to its end: a digest, a 200 with a known length, every byte, the right ones, a free
name. Anything else is handed to the ordinary way with the answer that there is, so that errors, retries and limits have
one home.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gh_artifacts_async.errors import SlowTransferError, TransportError
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.protocol.attempts import is_final
from gh_artifacts_async.protocol.validators import IDENTITY, content_length, expected_sha256, strong_etag
from gh_artifacts_async.transfer.disk.leftovers import new_part_name
from gh_artifacts_async.transfer.disk.whole import put_whole
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.begun import Begun, Replayed
from gh_artifacts_async.transfer.storage.targets import sign
from gh_artifacts_async.transfer.storage.throughput import EVENT_INTERVAL, INLINE, RateWatch
from gh_artifacts_async.transport.lane_protocol import Receipt
from gh_artifacts_async.transport.lanes import WholeBody

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.protocol.filenames import Destination
    from gh_artifacts_async.protocol.responses import Response
    from gh_artifacts_async.results import Verified, Way
    from gh_artifacts_async.transfer.disk.layouts import Claims
    from gh_artifacts_async.transfer.disk.partfile import PartFile
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transport.http import HttpStream

WHOLE = 2 * 1024 * 1024
"""Bodies of at most this many bytes are received whole before they are written."""

_SLOW = 0.05
"""Seconds after which what has come of a body is written to a part file too: little is lost with the process."""

_OK = 200


class Placed(NamedTuple):
    """An artifact that is in place.

    Attributes:
        path: of the file.
        size: bytes.
        sha256: of the bytes, lower-case hex.
        content_type: as storage sent it.
        way: how the body was received.
        verified: what the bytes were checked against.
        resumed_from: bytes that an earlier run had left.
    """

    path: Path
    size: int
    sha256: str
    content_type: str | None
    way: Way
    verified: Verified = "digest"
    resumed_from: int = 0


class ShortWay:
    """The short way of one artifact."""

    def __init__(
        self,
        context: TransferContext,
        artifact: Artifact,
        destination: Destination,
        claims: Claims | None,
        emitter: Emitter,
    ) -> None:
        """Keep the arguments; nothing is sent yet.

        Args:
            context: the client's.
            artifact: resolved; it has a sha256 digest.
            destination: its folder exists, and its usual name is free.
            claims: of the collection; None for a single artifact.
            emitter: gets the transfer's events.
        """
        self._context = context
        self._artifact = artifact
        self._destination = destination
        self._claims = claims
        self._emitter = emitter
        self._told: float | None = None  # when bytes were last told of
        self._buffer: bytearray | None = None
        self._received = 0  # bytes in it
        self._timer: asyncio.TimerHandle | None = None  # when a body is slow
        self._part: PartFile | None = None  # of a slow body
        self._cut = False

    async def fetch(self) -> Placed | Begun:
        """Fetch the artifact, and put it in place.

        Returns:
            What is in place; or the answer with which the ordinary way begins.

        Raises:
            DestinationExistsError: another artifact of the collection has the place.
            ArtifactsError: no URL could be signed, or it must not be used.
        """
        try:
            found = await self._receive()
            if isinstance(found, Begun):
                return found
            received, way = found
            if self._timer is not None:
                self._timer.cancel()
            placed = await self._place(received, way)
            if placed is None:
                return self._replayed(received.response, received.host, received.body)
        finally:
            self._end()
        emitter, artifact = self._emitter, self._artifact
        emitter.counters.bytes_fetched += placed.size
        if emitter.active:
            from gh_artifacts_async.events import TransferVerified

            self._tell(placed.size, placed.size)
            emitter.emit(TransferVerified(artifact=artifact, verified="digest"))
        return placed

    # --- receiving

    async def _receive(self) -> tuple[WholeBody, Way] | Begun:
        """Receive the whole body; or what the ordinary way begins with."""
        if self._emitter.active:
            self._emitter.signing(self._artifact)
        signed = await sign(self._context.github, self._artifact)
        receipt = Receipt(self._arrived, self._keep)
        try:
            answer = await self._context.storage.open(signed, IDENTITY, buffers=self._lend, receipt=receipt)
        except TransportError as error:
            if is_final(error):
                raise
            return Begun(error.with_traceback(None))
        if isinstance(answer, WholeBody):
            return answer, "lane"
        length = _plain_length(answer.response)
        buffer = None if length is None else self._lend(length)
        if length is None or buffer is None:
            return Begun(answer)
        body = memoryview(buffer)[:length]
        filled, failure = await self._fill(answer, body)
        if filled < length:
            return self._replayed(answer.response, answer.host, body[:filled], failure)
        return WholeBody(answer.response, answer.host, body, buffer), "whole"

    def _lend(self, size: int) -> bytearray | None:
        """Lend the one buffer of this artifact."""
        if self._buffer is None:
            self._buffer = self._context.writer.lend(size)
        return self._buffer if self._buffer is not None and size <= len(self._buffer) else None

    async def _fill(
        self, stream: HttpStream, body: memoryview
    ) -> tuple[int, TransportError | SlowTransferError | None]:
        """Fill a buffer with a body; return how many bytes have arrived, and how it broke."""
        loop, watch, filled = asyncio.get_running_loop(), RateWatch(self._context.github.timeouts), 0
        watch.start(loop.time())
        try:
            while filled < len(body) and (chunk := await stream.read_chunk()):
                body[filled : filled + len(chunk)] = chunk
                filled += len(chunk)
                self._arrived(stream.response.headers, filled, len(body))
                watch.count(len(chunk), loop.time(), stream.host)
        except (TransportError, SlowTransferError) as error:
            return filled, error.with_traceback(None)
        except asyncio.CancelledError:
            self._keep(stream.response.headers, body[:filled], len(body))
            raise
        finally:
            stream.close()
        return filled, None

    def _replayed(
        self, response: Response, host: str, body: memoryview, error: TransportError | SlowTransferError | None = None
    ) -> Begun:
        """Hand over what has arrived."""
        return Begun(Replayed(response, host, bytes(body), error), told=self._told is not None)

    def _tell(self, received: int, size: int) -> None:
        """Tell of the bytes that have arrived, at most ten times a second."""
        from gh_artifacts_async.events import TransferBytes, TransferStarted

        now = asyncio.get_running_loop().time()
        if self._told is None:
            self._emitter.emit(TransferStarted(artifact=self._artifact, size=size))
        if self._told is None or now >= self._told + EVENT_INTERVAL:
            self._told = now
            self._emitter.emit(TransferBytes(artifact=self._artifact, received=received, size=size))

    def _arrived(self, headers: Mapping[str, str], received: int, size: int) -> None:
        """Tell of bytes if somebody listens, and see to it that not too many are in memory alone for long."""
        self._received = received
        if self._part is not None:
            self._insure(headers, size)
        elif self._timer is None and size > INLINE and self._buffer is not None:
            self._timer = asyncio.get_running_loop().call_later(_SLOW, self._insure, headers, size)
        if self._emitter.active:
            self._tell(received, size)

    def _insure(self, headers: Mapping[str, str], size: int) -> None:
        """Write what has arrived of a slow body to a part file: a later run finds it there if this one is killed."""
        if self._buffer is not None:
            self._write(headers, memoryview(self._buffer)[: self._received], size)

    def _write(self, headers: Mapping[str, str], body: bytes | memoryview, size: int) -> None:
        """Write what is not yet in the part file; a disk that fails is a matter of the end."""
        etag, part = strong_etag(headers), self._part
        if etag is None:
            return
        if part is None:
            from gh_artifacts_async.transfer.disk.partfile import PartFile  # few bodies are slow

            part = self._part = PartFile.for_artifact(self._artifact, self._destination.folder)
        try:
            if not part.is_open:
                content_type, disposition = headers.get("content-type"), headers.get("content-disposition")
                part.start(etag=etag, total=size, content_type=content_type, disposition=disposition)
                part.save_state()
            part.append([body[part.offset :]])
        except OSError:
            part.discard()
            self._part = None

    def _keep(self, headers: Mapping[str, str], body: bytes | memoryview, size: int) -> None:
        """Leave what has arrived to a later run, as the ordinary way does."""
        if body:
            self._write(headers, body, size)
        self._cut = True

    def _end(self) -> None:
        """Let go of the buffer, and of the part file."""
        if self._timer is not None:
            self._timer.cancel()
        if self._buffer is not None:
            self._context.writer.take_back(self._buffer)
        part = self._part
        if part is not None:
            part.release(resumable=self._cut)
            self._context.leftovers.add(part.path, part.prefix)

    # --- to the disk

    async def _place(self, received: WholeBody, way: Way) -> Placed | None:
        """Check a body and put it in place; None if it is wrong, or could not be put there."""
        headers, body = received.response.headers, received.body
        content_type, disposition = headers.get("content-type"), headers.get("content-disposition")
        kind = (
            filenames.kind_by_type(content_type)
            or filenames.kind_by_name(disposition)
            or filenames.kind_by_magic(bytes(body[:4]))
        )
        place = self._destination.place(kind, disposition)
        if self._claims is not None:
            self._claims.take(place, self._artifact)
        sha256 = expected_sha256(self._artifact) or ""
        part = new_part_name(self._artifact, self._destination.folder)
        put = partial(put_whole, body, sha256, part, place)
        inline = len(body) <= INLINE
        if put() if inline else await in_thread(put, executor=self._context.writer.open_thread()):
            return Placed(self._destination.path(kind, disposition), len(body), sha256, content_type, way)
        return None


def _plain_length(response: Response) -> int | None:
    """Return the length of a body that suits the short way; None if it does not."""
    if response.status != _OK or "content-encoding" in response.headers:
        return None
    length = content_length(response)
    return length if length and length <= WHOLE else None
