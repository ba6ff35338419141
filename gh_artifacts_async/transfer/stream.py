"""An artifact's bytes as they arrive, for a caller instead of a file.

What has been handed out cannot be taken back. So where the ordinary way begins again at the first byte (storage without
ranges, a changed validator), the bytes that the caller has are fetched again, compared by their digest, and not handed
out twice; where they differ, the stream ends with an error.
"""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

import attrs

from gh_artifacts_async.errors import (
    ArtifactsError,
    ClientClosedError,
    ConfigurationError,
    DigestMismatchError,
    IncompleteDownloadError,
    SlowTransferError,
    StorageError,
    TransportError,
)
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.protocol.attempts import Fault
from gh_artifacts_async.protocol.ranges import judge_content
from gh_artifacts_async.protocol.validators import expected_sha256
from gh_artifacts_async.transfer.disk.partstate import PartState
from gh_artifacts_async.transfer.storage.retrieval import Retrieval
from gh_artifacts_async.transfer.storage.setbacks import Setback, too_long
from gh_artifacts_async.transfer.storage.targets import missing_token, resolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.models import Artifact, ArtifactRef
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.results import Verified
    from gh_artifacts_async.transfer.storage.context import TransferContext

_MAGIC = 4  # bytes


class PassedOn:
    """What has arrived of an artifact and was handed on: numbers and digests, no bytes but the first and the last.

    Attributes:
        state: what storage says about the bytes.
        offset: bytes that have arrived, all of them hashed; after a new beginning, those that have come again.
        handed_on: bytes that the caller has.
        is_open: whether a body has begun.
        head: the first bytes.
        tail: the last bytes, as far back as a zip's end record can be; empty if GitHub has a digest.
    """

    def __init__(self, artifact: Artifact) -> None:
        """Begin with nothing."""
        digest, where = expected_sha256(artifact), artifact.repository
        self._expected = PartState(
            artifact_id=artifact.id,
            repository="" if where is None else f"{where.owner}/{where.name}",
            size_in_bytes=artifact.size_in_bytes,
            digest=None if digest is None else f"sha256:{digest}",
        )
        self.state: PartState = self._expected
        self.offset: int = 0
        self.handed_on: int = 0
        self.is_open: bool = False
        self.head: bytes = b""
        self.tail: bytes = b""
        self._hash = hashlib.sha256(usedforsecurity=False)
        self._before = ""  # sha256 of what the caller has

    @property
    def hexdigest(self) -> str:
        """sha256 of the bytes so far, lower-case hex."""
        return self._hash.hexdigest()

    def start(self, size: int = 0, **facts: object) -> None:  # noqa: ARG002 - no disk could be full
        """Begin with no bytes."""
        self.discard()
        self.is_open = True
        self.learn(**facts)

    def learn(self, **facts: object) -> None:
        """Record what storage says about the bytes."""
        self.state = attrs.evolve(self.state, **facts)  # type: ignore[arg-type]

    def save_state(self) -> None:
        """Do nothing: no other process can resume."""

    def discard(self) -> None:
        """Begin again; what the caller has is compared with what comes."""
        if self.handed_on == self.offset:
            self._before = self.hexdigest
        self.state = self._expected
        self.offset = 0
        self.is_open = False
        self.head = self.tail = b""
        self._hash = hashlib.sha256(usedforsecurity=False)

    def accept(self, chunk: bytes) -> bytes:
        """Count and hash a chunk; return what of it is new to the caller.

        Raises:
            StorageError: what has come again differs from what the caller has.
        """
        again = min(len(chunk), self.handed_on - self.offset)
        if again > 0:
            self._add(chunk[:again])
            if self.offset == self.handed_on and self.hexdigest != self._before:
                raise self.changed()
            chunk = chunk[again:]
        self._add(chunk)
        self.handed_on = max(self.handed_on, self.offset)
        return chunk

    def changed(self) -> StorageError:
        """Return the error for bytes that differ from those that the caller has."""
        msg = (
            f"artifact {self.state.artifact_id}: the stored bytes have changed after {self.handed_on} of them were "
            "passed on; open a new stream"
        )
        return StorageError(msg)

    def _add(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self.offset += len(chunk)
        if len(self.head) < _MAGIC:
            self.head += chunk[:_MAGIC]
        if self.state.digest is None:
            self.tail = (self.tail + chunk[-filenames.END_RECORD_REACH :])[-filenames.END_RECORD_REACH :]


class Passing(Retrieval[PassedOn]):
    """An artifact that is being transferred from storage to a caller, a chunk at a time.

    Attributes:
        verified: what the bytes were checked against; None before the end.
        left: the caller has left the block.
    """

    def __init__(self, context: TransferContext, artifact: Artifact, emitter: Emitter) -> None:
        """Keep the arguments; nothing is sent yet."""
        super().__init__(context, artifact, PassedOn(artifact), emitter)
        self.verified: Verified | None = None
        self.left = False
        self._chunk = b""
        self._in_body = False
        self._left_at: float | None = None
        self._refused: int | None = None  # the length of a body that was too short

    @property
    def size(self) -> int | None:
        """Bytes of the whole, as storage says, else as GitHub says of an artifact with a digest."""
        told = self._content_length
        if told is None and self._body is not None:
            told = self._body.total
        if told is None and self.part.state.digest is not None:
            return self._artifact.size_in_bytes
        return told

    @property
    def kind_by_headers(self) -> Kind | None:
        """Zip or raw, as far as storage's headers tell."""
        return filenames.kind_by_type(self.content_type) or filenames.kind_by_name(self.disposition)

    async def next_chunk(self) -> bytes:
        """Return what comes next; empty at the end, once the whole is verified.

        Raises:
            ArtifactsError: the transfer failed, or the bytes are wrong.
        """
        if self._left_at is not None:
            self._watch.exclude(self._loop.time() - self._left_at)  # the caller's time does not make storage slow
        try:
            while self.verified is None:
                while not self._ended:
                    setback = await (self._ask() if self._stream is None else self._read())
                    if setback is not None:
                        await self._settle(setback)
                    if self._chunk:
                        chunk, self._chunk = self._chunk, b""
                        return chunk
                await self._verify()
        except BaseException:
            self.close()  # what comes next, if anything, begins with a request for the rest
            raise
        finally:
            self._left_at = self._loop.time()
        return b""

    async def _ask(self) -> Setback | None:
        """Do the same; a body that is too short to be the artifact is not begun, unless storage insists."""
        setback = await super()._ask()
        body, size = self._body, self._artifact.size_in_bytes
        if setback is not None or self._stream is None or body is None or self.part.handed_on:
            return setback
        if self.part.state.digest is None or body.total is None or body.total >= size or body.total == self._refused:
            return None
        self._refused = body.total
        self.close()
        error = IncompleteDownloadError(expected=size, received=body.total)
        return Setback(error=error, failure=Fault())

    def close(self) -> None:
        """Close the response, if one is open."""
        super().close()
        self._in_body = False

    async def _read(self) -> Setback | None:
        """Read one chunk of a body."""
        body, stream = self._body, self._stream
        assert body is not None and stream is not None  # noqa: S101, PT018 - _ask() has set both
        expected = None if body.length is None else body.offset + body.length
        if not self._in_body:
            self._begin_body(body)
            self._in_body = True
        try:
            chunk = await stream.read_chunk()
            if chunk:
                self._count(stream.host, chunk, self._most if expected is None else expected)
        except (TransportError, SlowTransferError) as error:
            self.close()
            return self._after_break(error)
        if chunk:
            return None
        self.close()
        if expected is not None and self.part.offset != expected:
            return self._too_short(expected)
        self._ended = True
        return None

    def _count(self, host: str, chunk: bytes, most: int) -> None:
        """Take a chunk.

        Raises:
            UnexpectedResponseError: there are more bytes than there can be.
            SlowTransferError: they came too slowly.
            StorageError: they differ from those that the caller has.
        """
        self._context.github.emitter.counters.bytes_fetched += len(chunk)
        if self.part.offset + len(chunk) > most:
            raise too_long(self._artifact, host, most if self._body and self._body.length else None, self._most)
        self._chunk += self.part.accept(chunk)
        self._tell_bytes(self.part.handed_on)
        self._watch.count(len(chunk), self._loop.time(), host)

    async def _verify(self) -> None:
        """Verify the whole; a body that ended too early is continued.

        Raises:
            ArtifactsError: the bytes are not the artifact's, or the attempts are used up.
        """
        part = self.part
        if part.offset < part.handed_on:
            raise part.changed()
        kind = self.kind_by_headers or filenames.kind_by_magic(part.head)
        ends = kind == "zip" and filenames.ends_as_zip(part.tail)
        try:
            self.verified = judge_content(
                self._artifact,
                received=part.offset,
                content_length=self._content_length,
                sha256=part.hexdigest,
                kind=kind,
                ends_as_zip=ends,
            )
        except IncompleteDownloadError as error:
            short = error.with_traceback(None)
        except DigestMismatchError:
            if part.offset >= self._artifact.size_in_bytes:
                raise
            # A body whose own length was too small: of what may be the beginning, the rest is asked for.
            short = IncompleteDownloadError(expected=self._artifact.size_in_bytes, received=part.offset)
        else:
            if self._emitter.active:
                from gh_artifacts_async.events import TransferVerified

                self._emitter.emit(TransferVerified(artifact=self._artifact, verified=self.verified))
            return
        await self._after_short_content(short)


class ArtifactStream:
    """The bytes of one artifact, as they arrive: ``async for chunk in stream``.

    They are those that GitHub stores: of a zip, the zip. A connection that breaks is resumed, a signed URL that expires
    is signed again, and nothing is read ahead of the caller but what the connection buffers.

    Attributes:
        artifact: what is transferred.
        size: bytes of the whole; None if neither storage nor GitHub say.
        content_type: as storage sends it; None if it sends none.
        disposition: Content-Disposition as storage sends it; None if it sends none.
        kind: ``"zip"``, or ``"raw"`` for a file that was uploaded without zipping.
        filename: ``<artifact name>.zip``, or the name that storage gives a raw file; one safe path component.
    """

    def __init__(self, artifact: Artifact, passing: Passing, kind: Kind, first: bytes) -> None:
        """Keep what :func:`open_stream` has found out."""
        self.artifact = artifact
        self.size: int | None = passing.size
        self.content_type: str | None = passing.content_type
        self.disposition: str | None = passing.disposition
        self.kind: Kind = kind
        self.filename: str = filenames.zip_filename(artifact.name)
        if kind == "raw":
            self.filename = filenames.raw_filename(artifact.name, passing.disposition)
        self._passing = passing
        self._first = first
        self._busy = False
        self._failure: ArtifactsError | None = None

    def __repr__(self) -> str:
        """Return the artifact's name, and how much has been received."""
        return f"ArtifactStream({self.artifact.name!r}, {self.received} of {self.size} bytes received)"

    @property
    def received(self) -> int:
        """Bytes that have been received."""
        return self._passing.part.handed_on

    @property
    def verified(self) -> Verified | None:
        """What the bytes were checked against; None before the iteration has ended without an error."""
        return None if self._first else self._passing.verified

    @property
    def sha256(self) -> str | None:
        """Digest of the bytes, lower-case hex; None before the iteration has ended without an error."""
        return None if self.verified is None else self._passing.part.hexdigest

    def __aiter__(self) -> Self:
        """Return the stream itself: it can be read once."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk, of at least one byte.

        Raises:
            StopAsyncIteration: the end, and the bytes are verified.
            DigestMismatchError: the end, and the bytes do not match GitHub's digest.
            ArtifactsError: the transfer failed.
        """
        if self._passing.left:
            msg = "this stream is closed: its block has been left"
            raise ClientClosedError(msg)
        if self._failure is not None:
            raise self._failure
        if self._first:
            first, self._first = self._first, b""
            return first
        if self._busy:
            msg = "two tasks read one stream; let one of them read it"
            raise ConfigurationError(msg)
        self._busy = True
        try:
            chunk = await self._passing.next_chunk()
        except ArtifactsError as error:
            self._failure = error
            raise
        finally:
            self._busy = False
        if not chunk:
            raise StopAsyncIteration
        return chunk


@asynccontextmanager
async def open_stream(
    context: TransferContext, artifact: Artifact | ArtifactRef, *, emitter: Emitter | None = None, final: bool = True
) -> AsyncGenerator[ArtifactStream]:
    """Open an artifact's bytes, see :meth:`gh_artifacts_async.ArtifactsClient.open_stream`.

    Args:
        context: the client's.
        artifact: what to transfer; a reference is looked up.
        emitter: gets the transfer's events; None for the client's own.
        final: the stream is all there is to the transfer: its end is counted, and observers are told of it.
    """
    context.github.check_usable()
    if not context.github.has_token:
        raise missing_token(context.github.base)
    found = await resolve(context.github, artifact)
    emitter = emitter or context.github.emitter
    passing = Passing(context, found, emitter)
    try:
        await passing.begin()
        kind, first = passing.kind_by_headers, b""
        if kind is None:  # only the bytes can tell
            while len(first) < _MAGIC and (chunk := await passing.next_chunk()):
                first += chunk
            kind = filenames.kind_by_magic(first)
        yield ArtifactStream(found, passing, kind, first)
    except BaseException as error:
        if final:
            emitter.counters.artifacts_failed += isinstance(error, Exception)
            emitter.failed(found, error)
        raise
    else:
        if final:
            _tell_end(found, passing, emitter)
    finally:
        passing.left = True
        passing.close()


def _tell_end(artifact: Artifact, passing: Passing, emitter: Emitter) -> None:
    """Count a stream that was read to its end, and tell observers that it ended."""
    received = passing.part.handed_on
    if passing.verified is None:
        msg = f"artifact {artifact.id}: the stream was left after {received} bytes, before its end"
        emitter.failed(artifact, IncompleteDownloadError(msg, expected=passing.size, received=received))
        return
    emitter.counters.artifacts_done += 1
    emitter.delivered(artifact, received)
