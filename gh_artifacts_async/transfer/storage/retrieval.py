"""The requests to storage for one artifact: sign late, ask, judge the answer, wait, ask again.

What becomes of the bytes is the business of those who build on this: :mod:`.fetch` writes them to a part file, and
:mod:`gh_artifacts_async.transfer.stream` hands them to a caller.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.errors import IncompleteDownloadError, TransportError
from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.protocol.attempts import Attempts, Fault, is_final
from gh_artifacts_async.transfer.storage.setbacks import (
    SPARE,
    SPARE_WITHOUT_DIGEST,
    Setback,
    refusal,
    settle,
    too_long,
)
from gh_artifacts_async.transfer.storage.targets import sign
from gh_artifacts_async.transfer.storage.throughput import EVENT_INTERVAL, INLINE, RateWatch

if TYPE_CHECKING:
    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.errors import SlowTransferError
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.transfer.disk.partstate import PartState
    from gh_artifacts_async.transfer.storage.begun import Begun, Replayed
    from gh_artifacts_async.transfer.storage.context import Follower, TransferContext
    from gh_artifacts_async.transfer.storage.range_source import RangeSource
    from gh_artifacts_async.transport.http import HttpStream


class Part(Protocol):
    """What has arrived of an artifact, as the requests for the rest need to know it."""

    state: PartState

    @property
    def offset(self) -> int:
        """Bytes that have arrived, all of them hashed."""
        ...

    def start(self, size: int = 0, **facts: object) -> None:
        """Begin with no bytes; the arguments are those of a part file."""
        ...

    def learn(self, **facts: object) -> None:
        """Record what storage says about the bytes."""
        ...

    def save_state(self) -> None:
        """Make it possible for another process to resume."""
        ...

    def discard(self) -> None:
        """Reset to no bytes."""
        ...


P = TypeVar("P", bound=Part)


class Retrieval(Generic[P]):
    """Requests an artifact until storage streams its bytes, and again when they break off.

    Attributes:
        part: what has arrived.
        content_type: of the response, or of the one that an earlier run got.
        disposition: its Content-Disposition.
        requests: sent to storage, one after the other; those of further connections are not counted.
    """

    def __init__(self, context: TransferContext, artifact: Artifact, part: P, emitter: Emitter) -> None:
        """Keep the arguments; nothing is sent yet."""
        self.part: P = part
        self.content_type: str | None = None
        self.disposition: str | None = None
        self.requests: int = 0
        self._context = context
        self._artifact = artifact
        self._emitter = emitter
        self._signed: SignedURL | None = None
        self._begun: Begun | None = None
        self._watch = RateWatch(context.github.timeouts)
        self._loop = asyncio.get_running_loop()
        self._next_event = 0.0
        self._attempts = Attempts()
        self._resumed_from = 0
        self._content_length: int | None = None
        self._body: ranges.Stream | None = None
        self._stream: HttpStream | Replayed | None = None
        self._source: RangeSource | None = None  # further connections, and the follower: they use the URL too
        self._follower: Follower | None = None
        self._fresh = part.state.digest is None  # nothing else would show another artifact's bytes
        self._most = 2 * artifact.size_in_bytes + (SPARE_WITHOUT_DIGEST if self._fresh else SPARE)
        self._streamed = self._told = False
        self._ended = False

    async def begin(self, signed: SignedURL | None = None, begun: Begun | None = None) -> None:
        """Send requests until storage streams a body; none if all bytes are there.

        Args:
            signed: a URL that has not expired, for the first request; None to have one signed.
            begun: the first request, if it has been sent already.

        Raises:
            ArtifactsError: the attempts are used up, or another would not help.
        """
        self._signed, self._begun = signed, begun
        self._told = begun is not None and begun.told
        while self._stream is None and not self._ended:
            setback = await self._ask()
            if setback is not None:
                await self._settle(setback)

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
        """Return a URL for the next request."""
        asked, signed = self._loop.time(), self._signed
        if signed is None:
            if self._emitter.active:
                self._emitter.signing(self._artifact)
            signed = await sign(self._context.github, self._artifact, fresh=self._fresh)
        self._signed = None
        if self._source is not None:
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

    def _begin_body(self, body: ranges.Stream) -> None:
        """Begin with a body, whose headers have been judged."""
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
        self._streamed = True
        if first and self._emitter.active and not self._told:
            from gh_artifacts_async.events import TransferStarted

            self._emitter.emit(TransferStarted(artifact=self._artifact, size=body.total, offset=body.offset))

    def _tell_bytes(self, received: int) -> None:
        """Tell observers of the bytes that have arrived, at most ten times a second."""
        now = self._loop.time()
        if self._emitter.active and now >= self._next_event:
            self._next_event = now + EVENT_INTERVAL
            from gh_artifacts_async.events import TransferBytes

            self._emitter.emit(TransferBytes(artifact=self._artifact, received=received, size=self.part.state.total))

    def _after_break(self, error: TransportError | SlowTransferError) -> Setback | None:
        """Return what a body that broke off means; None if no byte is missing.

        Raises:
            TransportError: no further attempt would help.
        """
        if isinstance(error, TransportError) and is_final(error):
            raise error
        self._ended = self._is_complete()  # then no byte is missing, however the connection ended
        return None if self._ended else Setback(error=error.with_traceback(None), failure=Fault())

    def _too_short(self, expected: int) -> Setback:
        """Return what a body means whose clean end came before the announced one."""
        msg = f"artifact {self._artifact.id}: {self.part.offset} of {expected} bytes arrived"
        failure = IncompleteDownloadError(msg, expected=expected, received=self.part.offset)
        return Setback(error=failure, failure=Fault())

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
