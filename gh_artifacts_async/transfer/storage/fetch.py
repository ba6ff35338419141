"""One artifact's bytes from storage into its part file: sign late, stream, resume, sign again, verify."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import (
    ArchiveError,
    ArtifactsError,
    DigestMismatchError,
    IncompleteDownloadError,
    OutOfSpaceError,
    SlowTransferError,
    TransportError,
)
from gh_artifacts_async.protocol import filenames
from gh_artifacts_async.transfer.disk.verify import verified_part
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.range_source import RangeSource
from gh_artifacts_async.transfer.storage.retrieval import Retrieval
from gh_artifacts_async.transfer.storage.setbacks import (
    Setback,
    tell_retry,
    too_long,
)
from gh_artifacts_async.transfer.storage.throughput import BodyReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.transfer.disk.partfile import PartFile, VerifiedPart
    from gh_artifacts_async.transfer.storage.begun import Begun
    from gh_artifacts_async.transfer.storage.context import Follower, TransferContext


@asynccontextmanager
async def fetch(
    context: TransferContext,
    artifact: Artifact,
    part: PartFile,
    leftovers: Sequence[Path],
    *,
    emitter: Emitter,
    follower: Follower | None = None,
    signed: SignedURL | None = None,
    begun: Begun | None = None,
    connections: int | None = None,
) -> AsyncGenerator[Incoming]:
    """Request an artifact from storage; the block is entered once the headers have arrived, before the body is read.

    If an earlier run left all bytes, storage is sent no request. The part file exists for the length of the block:
    unless it is committed, it is removed at the end, or kept for a later run if the network failed, the disk was full
    or the transfer was cancelled.

    Args:
        context: the client's.
        artifact: the artifact, resolved.
        part: where the bytes go.
        leftovers: part files of this artifact that earlier runs left.
        emitter: gets the transfer's events.
        follower: processes the bytes while they arrive.
        signed: a URL that has not expired, for the first request; None to have one signed.
        begun: the first request, if it has been sent already.
        connections: most connections to storage, from the start; None adds them where they help.

    Raises:
        ArtifactsError: the transfer failed.
        OSError: writing failed.
    """
    incoming = Incoming(context, artifact, part, emitter, follower, connections=connections)
    keep = False
    try:
        if leftovers:
            await incoming.adopt(leftovers)
        await incoming.begin(signed, begun)
        yield incoming
        keep = not incoming.complete  # the body was not read; what an earlier run left stays
    except (ArchiveError, DigestMismatchError):
        raise  # a later run would get the same content
    except (OutOfSpaceError, asyncio.CancelledError, KeyboardInterrupt):
        keep = True  # what has arrived is right; only space or time ran out
        raise
    except BaseException as error:
        disk_failed = isinstance(error, OSError) and not isinstance(error, ArtifactsError)
        keep = not incoming.complete and not disk_failed
        raise
    finally:
        incoming.close()
        part.release(resumable=keep)


class Incoming(Retrieval["PartFile"]):
    """An artifact that is being transferred from storage to a part file.

    Attributes:
        complete: all bytes are on disk and verified.
    """

    def __init__(
        self,
        context: TransferContext,
        artifact: Artifact,
        part: PartFile,
        emitter: Emitter,
        follower: Follower | None,
        *,
        connections: int | None = None,
    ) -> None:
        """Keep the arguments; nothing is sent yet."""
        super().__init__(context, artifact, part, emitter)
        self.complete: bool = False
        self._follower = follower
        self._source = source = RangeSource(context, artifact)
        progress = self._progress if emitter.active or follower is not None else None
        self._bodies = BodyReader(context, part, self._watch, progress, source=source, connections=connections)
        self._content_failures = 0

    @property
    def bytes_fetched(self) -> int:
        """Bytes that storage has sent in bodies."""
        return self._bodies.bytes_fetched

    # --- the bytes

    async def adopt(self, leftovers: Sequence[Path]) -> None:
        """Continue with what an earlier run left, if it is usable."""
        if self._emitter.active:
            self._emitter.checking(self._artifact)
        if not await in_thread(lambda: self.part.adopt(leftovers), self.part.stop):
            return
        self._ended = self._is_complete()
        self.content_type: str | None = self.part.state.content_type
        self.disposition: str | None = self.part.state.disposition
        self._resumed_from = self.part.offset
        self._watch.resume_from(self.part.offset)
        self._content_length = self.part.state.total

    async def receive(self) -> VerifiedPart:
        """Fetch until the bytes are right, or no further fetch would help.

        Raises:
            ArtifactsError: the transfer failed.
            OSError: writing failed.
        """
        wrong: DigestMismatchError | None = None
        while True:
            try:
                while not self._ended:
                    setback = await (self._ask() if self._stream is None else self._read())
                    if setback is not None:
                        await self._settle(setback)
            except ArtifactsError:
                if wrong is None:
                    raise
                break  # the second fetch failed too; that the first one brought wrong bytes matters more
            try:
                return self._verified()
            except IncompleteDownloadError as error:
                short = error.with_traceback(None)
            except DigestMismatchError as error:
                wrong = error.with_traceback(None)
                self._after_wrong_content(wrong)
                continue
            await self._after_short_content(short)
        raise wrong

    async def _read(self) -> Setback | None:
        """Write a body as it arrives."""
        body, stream = self._body, self._stream
        assert body is not None and stream is not None  # noqa: S101, PT018 - _ask() has set both
        expected = None if body.length is None else body.offset + body.length
        try:
            first = not self._streamed
            self._begin_body(body)
            if self._follower is not None and (body.offset == 0 or first):
                by_type = filenames.kind_by_type(self.content_type)
                self._follower.begin(self.part, body.total if by_type == "zip" else None)
            most = self._most if expected is None else expected
            if not await self._bodies.read(stream, body, most, split=not self._fresh):
                self.part.discard()
                raise too_long(self._artifact, stream.host, expected, self._most)
        except (TransportError, SlowTransferError) as error:
            return self._after_break(error)
        finally:
            self.close()
        if expected is not None and self.part.offset != expected:
            return self._too_short(expected)
        self._ended = True
        return None

    def _progress(self) -> None:
        """Signal the follower, and tell observers."""
        if self._follower is not None:
            self._follower.poke()
        self._tell_bytes(self._bodies.received)

    def _after_wrong_content(self, failure: DigestMismatchError) -> None:
        """Discard wrong bytes; they are fetched again once, and once more if an earlier run had left them.

        Raises:
            DigestMismatchError: it was not the first time.
        """
        from_earlier_run, self._resumed_from = self._resumed_from > 0, 0
        self._start_over()
        self._fresh = True  # the connection may have brought another request's response
        self._watch.resume_from(0)
        if not from_earlier_run:
            self._content_failures += 1
        if self._content_failures > 1:
            raise failure
        tell_retry(self._emitter, self._artifact, self._attempts, failure, 0.0)
        from gh_artifacts_async.events import TransferResumed

        self._emitter.emit(TransferResumed(artifact=self._artifact, offset=0, reason=str(failure)))

    def _verified(self) -> VerifiedPart:
        """Verify the bytes on disk."""
        if not self.part.offset and not self.part.is_open:
            self.part.start()  # an empty body: no chunk ever came
        found = verified_part(self._artifact, self.part, self._content_length, self._resumed_from, self._bodies.way)
        self.complete = True
        if self._emitter.active:
            from gh_artifacts_async.events import TransferVerified

            self._emitter.emit(TransferVerified(artifact=self._artifact, verified=found.verified))
        return found
