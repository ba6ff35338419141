"""One artifact's bytes from storage into its part file: sign late, stream, resume, sign again, verify."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.errors import (
    ArchiveError,
    ArtifactsError,
    DigestMismatchError,
    IncompleteDownloadError,
    OutOfSpaceError,
    SlowTransferError,
    TransportError,
)
from gh_artifacts_async.protocol import filenames, ranges
from gh_artifacts_async.protocol.attempts import Attempts, Fault, is_final
from gh_artifacts_async.transfer.disk.verify import verified_part
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.range_source import RangeSource
from gh_artifacts_async.transfer.storage.setbacks import (
    SPARE,
    SPARE_WITHOUT_DIGEST,
    Setback,
    refusal,
    settle,
    tell_retry,
    too_long,
)
from gh_artifacts_async.transfer.storage.targets import sign
from gh_artifacts_async.transfer.storage.throughput import EVENT_INTERVAL, INLINE, BodyReader, RateWatch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.transfer.disk.partfile import PartFile, VerifiedPart
    from gh_artifacts_async.transfer.storage.begun import Begun, Replayed
    from gh_artifacts_async.transfer.storage.context import Follower, TransferContext
    from gh_artifacts_async.transport.http import HttpStream


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
        await incoming.begin(leftovers, signed, begun)
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


class Incoming:
    """An artifact that is being transferred from storage.

    Attributes:
        part: where the bytes go.
        content_type: of the response, or of the one that an earlier run got.
        disposition: its Content-Disposition.
        complete: all bytes are on disk and verified.
        requests: sent to storage, one after the other; those of further connections are not counted.
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
        self.part = part
        self.content_type: str | None = None
        self.disposition: str | None = None
        self.complete = False
        self.requests = 0
        self._context = context
        self._artifact = artifact
        self._emitter = emitter
        self._follower = follower
        self._signed: SignedURL | None = None
        self._begun: Begun | None = None
        self._watch = RateWatch(context.github.timeouts)
        self._source = RangeSource(context, artifact)
        progress = self._progress if emitter.active or follower is not None else None
        self._bodies = BodyReader(context, part, self._watch, progress, source=self._source, connections=connections)
        self._loop = asyncio.get_running_loop()
        self._next_event = 0.0
        self._attempts = Attempts()
        self._resumed_from = 0
        self._content_length: int | None = None
        self._content_failures = 0
        self._body: ranges.Stream | None = None
        self._stream: HttpStream | Replayed | None = None
        self._fresh = part.state.digest is None  # nothing else would show another artifact's bytes
        self._most = 2 * artifact.size_in_bytes + (SPARE_WITHOUT_DIGEST if self._fresh else SPARE)
        self._streamed = self._told = False
        self._ended = False

    @property
    def bytes_fetched(self) -> int:
        """Bytes that storage has sent in bodies."""
        return self._bodies.bytes_fetched

    # --- the bytes

    async def begin(
        self, leftovers: Sequence[Path], signed: SignedURL | None = None, begun: Begun | None = None
    ) -> None:
        """Send requests until storage streams a body; none if an earlier run left all bytes.

        Raises:
            ArtifactsError: the attempts are used up, or another would not help.
        """
        self._signed, self._begun = signed, begun
        self._told = begun is not None and begun.told
        if leftovers and self._emitter.active:
            self._emitter.checking(self._artifact)
        adopted = bool(leftovers) and await in_thread(lambda: self.part.adopt(leftovers), self.part.stop)
        if adopted:
            self._ended = self._is_complete()
            self.content_type, self.disposition = self.part.state.content_type, self.part.state.disposition
            self._resumed_from = self.part.offset
            self._watch.resume_from(self.part.offset)
            self._content_length = self.part.state.total
        while self._stream is None and not self._ended:
            setback = await self._ask()
            if setback is not None:
                await self._settle(setback)

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

    def close(self) -> None:
        """Close the response, if one is open."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    # --- one request

    async def _ask(self) -> Setback | None:
        """Sign a URL, send the request, and act on the response's status and headers."""
        begun, self._begun = self._begun, None
        signed = await self._sign() if begun is None else None
        state = self.part.state
        have = ranges.LocalState(
            offset=self.part.offset, total=state.total, etag=state.etag, verifiable=state.digest is not None
        )
        if not self._streamed:
            self._watch.start(self._loop.time())
        self.requests += 1
        try:
            stream: HttpStream | Replayed
            if begun is not None:
                stream = begun.stream()
            else:
                assert signed is not None  # noqa: S101 - it was signed just now
                stream = await self._context.storage.open(signed, ranges.request_headers(have), fresh=self._fresh)
        except TransportError as error:
            if is_final(error):
                raise
            return Setback(error=error.with_traceback(None), failure=Fault())
        self._stream, response = stream, stream.response
        decision = ranges.decide(have, response, now=utcnow)
        if not isinstance(decision, ranges.Stream):
            return self._without_body(decision, stream.host)
        if (decision.total or 0) > self._most:
            self.part.discard()
            raise too_long(self._artifact, stream.host, decision.total, self._most)
        self._body = decision
        if not decision.offset:
            self.content_type = response.headers.get("content-type")
            self.disposition = response.headers.get("content-disposition")
        return None

    async def _sign(self) -> SignedURL:
        asked, signed = self._loop.time(), self._signed
        if signed is None:
            if self._emitter.active:
                self._emitter.signing(self._artifact)
            signed = await sign(self._context.github, self._artifact, fresh=self._fresh)
        self._signed = None
        self._source.use(signed)
        self._watch.exclude(self._loop.time() - asked)  # waiting for GitHub does not make storage slow
        if self._follower is not None:
            await self._follower.prepare(signed)
        return signed

    def _without_body(
        self, decision: ranges.Done | ranges.Restart | ranges.SignAgain | ranges.RetryLater | ranges.Fail, host: str
    ) -> Setback | None:
        """Act on a response that brings no bytes."""
        self.close()
        if isinstance(decision, ranges.Done):
            self._ended = True
            return None
        if isinstance(decision, ranges.Restart):
            self._start_over()
        elif isinstance(decision, ranges.SignAgain):
            from gh_artifacts_async.events import TransferURLRenewed

            self._emitter.emit(TransferURLRenewed(artifact=self._artifact, reason=decision.reason))
        return refusal(decision, self._artifact, host)

    # --- one body

    async def _read(self) -> Setback | None:
        """Write a body as it arrives."""
        body, stream = self._body, self._stream
        assert body is not None and stream is not None  # noqa: S101, PT018 - _ask() has set both
        expected = None if body.length is None else body.offset + body.length
        try:
            self._begin_body(body)
            most = self._most if expected is None else expected
            if not await self._bodies.read(stream, body, most, split=not self._fresh):
                self.part.discard()
                raise too_long(self._artifact, stream.host, expected, self._most)
        except (TransportError, SlowTransferError) as error:
            if isinstance(error, TransportError) and is_final(error):
                raise
            self._ended = self._is_complete()  # then no byte is missing, however the connection ended
            return None if self._ended else Setback(error=error.with_traceback(None), failure=Fault())
        finally:
            self.close()
        if expected is not None and self.part.offset != expected:
            msg = f"artifact {self._artifact.id}: {self.part.offset} of {expected} bytes arrived"
            failure = IncompleteDownloadError(msg, expected=expected, received=self.part.offset)
            return Setback(error=failure, failure=Fault())
        self._ended = True
        return None

    def _begin_body(self, body: ranges.Stream) -> None:
        if body.offset == 0:
            self._resumed_from = 0
            self.part.start(
                body.length or 0,
                etag=body.etag,
                total=body.total,
                content_type=self.content_type,
                disposition=self.disposition,
            )
            if body.etag is not None and (body.total is None or body.total > INLINE):
                self.part.save_state()
        self._content_length = body.total
        first = not self._streamed
        if self._follower is not None and (body.offset == 0 or first):
            self._follower.begin(self.part, body.total if filenames.kind_by_type(self.content_type) == "zip" else None)
        self._streamed = True
        if first and self._emitter.active and not self._told:
            from gh_artifacts_async.events import TransferStarted

            self._emitter.emit(TransferStarted(artifact=self._artifact, size=body.total, offset=body.offset))

    def _progress(self) -> None:
        """Signal the follower; emit an event too, but at most ten times a second."""
        if self._follower is not None:
            self._follower.poke()
        if not self._emitter.active:
            return
        now = self._loop.time()
        if now >= self._next_event:
            self._next_event = now + EVENT_INTERVAL
            from gh_artifacts_async.events import TransferBytes

            event = TransferBytes(artifact=self._artifact, received=self._bodies.received, size=self.part.state.total)
            self._emitter.emit(event)

    # --- after one attempt

    async def _settle(self, setback: Setback) -> None:
        """Wait before the next attempt; progress resets the count, unless it was too slow.

        Raises:
            ArtifactsError: the attempts are used up.
        """
        now = self._loop.time()
        slow = self._watch.after(setback.error, now)
        gained = not slow and self._watch.has_gained(self.part.offset, self.part.state.total, now)
        self._attempts, waited = await settle(
            self._context.github, self._emitter, self._artifact, self._attempts, setback, gained=gained
        )
        if waited and isinstance(setback.failure, Fault) and setback.failure.wait is not None:
            self._watch.exclude(waited)
        if self._streamed:
            from gh_artifacts_async.events import TransferResumed

            offset = self.part.offset if self.part.state.etag is not None else 0
            self._emitter.emit(TransferResumed(artifact=self._artifact, offset=offset, reason=str(setback.error)))

    def _is_complete(self) -> bool:
        """Whether the part has all bytes, where their number is known: then storage is not asked again."""
        return 0 < self.part.offset == self.part.state.total

    def _start_over(self) -> None:
        """Discard the part: the next request is for the whole."""
        self.part.discard()
        self._ended = False

    async def _after_short_content(self, failure: IncompleteDownloadError) -> None:
        """Continue after a body whose clean end came too early.

        Raises:
            IncompleteDownloadError: the attempts are used up.
        """
        if self.part.state.etag is None:
            self.part.discard()
        self.part.learn(total=None)
        self._ended = False
        await self._settle(Setback(error=failure, failure=Fault()))

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
