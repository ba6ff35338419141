"""One artifact's bytes into its part file: sign late, stream, verify; sign again and resume when something breaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.api.backoff import jitter
from gh_artifacts_async.api.clock import utcnow
from gh_artifacts_async.errors import (
    ArchiveError,
    ArtifactsError,
    CertificateError,
    DigestMismatchError,
    DownloadError,
    IncompleteDownloadError,
    SignedURLExpiredError,
    SlowTransferError,
    StorageError,
    TransportError,
)
from gh_artifacts_async.events import TransferBytes, TransferResumed, TransferStarted, TransferURLRenewed
from gh_artifacts_async.protocol import filenames, ranges
from gh_artifacts_async.protocol.filenames import Kind
from gh_artifacts_async.results import Verified
from gh_artifacts_async.transfer.context import TransferContext, sign
from gh_artifacts_async.transfer.disk import filesystem, verify
from gh_artifacts_async.transfer.disk.partfile import PartFile, PartState
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.bodies import INLINE, BodyReader
from gh_artifacts_async.transfer.storage.throughput import EVENT_INTERVAL, RateWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gh_artifacts_async.events import Emitter
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import SignedURL
    from gh_artifacts_async.transfer.storage.targets import StorageResponse
    from gh_artifacts_async.transfer.unzip.pipeline import Pipeline

_SHOW_SPACE_FROM = 1024 * 1024  # smaller bodies are not worth asking the file system first


@attrs.frozen(kw_only=True)
class Received:
    """Bytes that are whole and verified, still in their part file."""

    part: PartFile
    kind: Kind
    verified: Verified
    sha256: str
    size: int
    resumed_from: int
    content_type: str | None
    disposition: str | None


class _TryAgainError(Exception):
    """Inside this room only: a try has failed in a way that another try may mend."""

    def __init__(self, error: ArtifactsError, *, at_once: bool = False, wait: float | None = None) -> None:
        super().__init__()
        self.error = error
        self.at_once = at_once
        self.wait = wait


class Transfer:
    """The state of one artifact's way into its part file.

    Attributes:
        part: where the bytes go.
        requests: how many storage was sent.
    """

    def __init__(
        self,
        tools: TransferContext,
        artifact: Artifact,
        folder: Path,
        emitter: Emitter,
        check_place: Callable[[Kind, str | None], None],
        *,
        pipeline: Pipeline | None = None,
    ) -> None:
        """Plan a transfer; nothing happens yet.

        Args:
            tools: the client's.
            artifact: what.
            folder: where its part file goes.
            emitter: is told what happens.
            check_place: is asked, as soon as storage's headers are there, whether the final name is free; raises
                DestinationExistsError if it is not.
            pipeline: unpacks the archive while it arrives.
        """
        self._pipeline = pipeline
        self._tools = tools
        self._artifact = artifact
        self._emitter = emitter
        self._check_place = check_place
        digest = verify.expected_sha256(artifact)
        state = PartState(
            artifact_id=artifact.id,
            repository=str(artifact.repository),
            size_in_bytes=artifact.size_in_bytes,
            digest=None if digest is None else f"sha256:{digest}",
        )
        self.part = PartFile(folder, filenames.safe_component(artifact.name)[:100], state)
        self._policy = tools.github.retry
        self._watch = RateWatch(tools.github.timeouts)
        self._failures = 0
        self._furthest = 0
        self._content_failures = 0
        self._resumed_from = 0
        self._content_length: int | None = None
        self._streamed = False
        self._whole = False
        self._next_event = 0.0
        self._body = BodyReader(tools, self.part, self._watch, self._progress)
        self.requests = 0

    @property
    def bytes_fetched(self) -> int:
        """Bytes that storage has sent in bodies."""
        return self._body.bytes_fetched

    # --- the whole

    async def run(self, leftovers: Sequence[Path]) -> Received:
        """Fetch and verify; the part file is the caller's from then on.

        Raises:
            ArtifactsError: it could not be done. After a failure of the network (and after a cancellation) the part
                stays for a later run; after one of the content it is removed.
            OSError: the disk refused.
        """
        resumable = True
        try:
            return await self._fetch_and_verify(leftovers)
        except (ArchiveError, DigestMismatchError):
            resumable = False  # whatever comes later, the content stays what it is
            raise
        except OSError as error:
            resumable = isinstance(error, ArtifactsError)
            raise
        finally:
            await self._let_go(resumable=resumable)

    async def _fetch_and_verify(self, leftovers: Sequence[Path]) -> Received:
        """Fetch until the bytes are right, or no further fetch would help."""
        if leftovers:
            await in_thread(lambda: self.part.adopt(leftovers), self.part.stop)
        if self.part.is_open:
            self._resumed_from = self._furthest = self.part.offset
            self._content_length = self.part.state.total
        wrong: DigestMismatchError | None = None
        while True:
            try:
                await self._fetch()
            except ArtifactsError:
                if wrong is None:
                    raise
                break  # the second fetch failed; that the first one brought wrong bytes is the graver news
            try:
                return await self._verified()
            except IncompleteDownloadError as error:
                short = error.with_traceback(None)
            except DigestMismatchError as error:
                wrong = error.with_traceback(None)
                self._after_wrong_content(wrong)
                continue
            await self._after_short_content(short)
        raise wrong

    async def _let_go(self, *, resumable: bool) -> None:
        if not self._whole and self.part.is_open:
            self.part.release(resumable=resumable)

    async def _fetch(self) -> None:
        """Get all bytes, over as many connections as it takes."""
        while not self._has_all:
            again: _TryAgainError | None = None
            try:
                await self._once()
            except _TryAgainError as trouble:
                again = trouble
            if again is None:
                break
            await self._back_off(again)

    @property
    def _has_all(self) -> bool:
        """Whether every byte is on disk already: then storage is not asked (it has no range to give)."""
        return self.part.is_open and self.part.state.total == self.part.offset

    async def _once(self) -> None:
        """Sign, ask storage, and do what its answer calls for."""
        signed = await self._sign()
        if self._pipeline is not None:
            await self._pipeline.prepare(signed)
        have = ranges.LocalState(offset=self.part.offset, total=self.part.state.total, etag=self.part.state.etag)
        self._watch_started()
        self.requests += 1
        try:
            async with self._tools.storage.open(signed, ranges.request_headers(have)) as response:
                decision = ranges.decide(have, response.answer, now=utcnow())
                match decision:
                    case ranges.Stream():
                        await self._stream(decision, response)
                    case ranges.Done():
                        pass
                    case ranges.Restart(reason=reason):
                        self._restart(reason)
                    case ranges.SignAgain():
                        self._refused(decision, response.host)
                    case ranges.RetryLater() | ranges.Fail():
                        self._failed(decision, response.host)
        except CertificateError:
            raise
        except (TransportError, SlowTransferError) as error:
            failure: ArtifactsError = error.with_traceback(None)
        else:
            return
        raise _TryAgainError(failure)

    async def _sign(self) -> SignedURL:
        """Ask for a signed URL just before it is used; the wait for it is not storage's slowness."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        signed = await sign(self._tools, self._artifact)
        self._watch.exclude(loop.time() - asked)
        return signed

    def _watch_started(self) -> None:
        if not self._streamed:
            self._watch.start(asyncio.get_running_loop().time())

    # --- one answer

    def _restart(self, reason: str) -> None:
        self.part.discard()
        raise _TryAgainError(StorageError(f"artifact {self._artifact.id}: {reason}", status=412), at_once=True)

    def _refused(self, refusal: ranges.SignAgain, host: str) -> None:
        self._emitter.emit(TransferURLRenewed(artifact=self._artifact, reason=refusal.reason))
        what = f"artifact {self._artifact.id} from {host}: {refusal.reason}"
        error: DownloadError = StorageError(what, status=refusal.status, code=refusal.code)
        if refusal.expired:
            error = SignedURLExpiredError(f"{what}, also after fresh ones were asked for; is this machine's way slow?")
        raise _TryAgainError(error, at_once=True)

    def _failed(self, trouble: ranges.RetryLater | ranges.Fail, host: str) -> None:
        code = f" ({trouble.code})" if trouble.code else ""
        reason = f": {trouble.reason}" if isinstance(trouble, ranges.Fail) else ""
        msg = f"artifact {self._artifact.id}: storage at {host} answered with {trouble.status}{code}{reason}"
        error = StorageError(msg, status=trouble.status, code=trouble.code)
        if isinstance(trouble, ranges.Fail):
            raise error
        raise _TryAgainError(error, wait=trouble.wait)

    async def _stream(self, body: ranges.Stream, response: StorageResponse) -> None:
        """Write a body as it arrives."""
        await self._begin(body, response)
        expected = None if body.length is None else body.offset + body.length
        await self._body.read(response, body.length)
        if expected is not None and self.part.offset != expected:
            failure = IncompleteDownloadError(
                f"artifact {self._artifact.id}: {self.part.offset} of {expected} bytes arrived",
                expected=expected,
                received=self.part.offset,
            )
            raise _TryAgainError(failure)

    async def _begin(self, body: ranges.Stream, response: StorageResponse) -> None:
        headers = response.answer.headers
        kind = filenames.kind_by_type(headers.get("content-type"))
        if body.offset == 0:
            if kind is not None:
                self._check_place(kind, headers.get("content-disposition"))
            self._check_space(body)
            self.part.start()
            self._resumed_from = 0
            self.part.learn(
                etag=body.etag,
                total=body.total,
                content_type=headers.get("content-type"),
                disposition=headers.get("content-disposition"),
            )
            if body.etag is not None and (body.total is None or body.total > INLINE):
                self.part.save_state()
        self._content_length = body.total
        first = not self._streamed
        if self._pipeline is not None and (body.offset == 0 or first):
            self._pipeline.begin(self.part, body.total if kind == "zip" else None)
        self._streamed = True
        if first:
            self._emitter.emit(TransferStarted(artifact=self._artifact, size=body.total, offset=body.offset))

    def _check_space(self, body: ranges.Stream) -> None:
        """Find a full disk before the bytes are fetched, where their number is known."""
        if body.length is None or body.length < _SHOW_SPACE_FROM:
            return
        free = filesystem.free_bytes(self.part.path.parent)
        if free is not None and free < body.length:
            raise filesystem.out_of_space(self.part.path, needed=body.length)

    def _progress(self) -> None:
        """Tell the observer of bytes, at most ten times a second, and the pipeline always."""
        if self._pipeline is not None:
            self._pipeline.poke()
        if not self._emitter:
            return
        now = asyncio.get_running_loop().time()
        if now >= self._next_event:
            self._next_event = now + EVENT_INTERVAL
            event = TransferBytes(artifact=self._artifact, received=self._body.arrived, size=self.part.state.total)
            self._emitter.emit(event)

    # --- after one try

    async def _back_off(self, trouble: _TryAgainError) -> None:
        """Wait before the next try; progress resets the count, but slowness is none.

        Raises:
            ArtifactsError: the tries are used up.
        """
        slow = self._watch.close(asyncio.get_running_loop().time()) or isinstance(trouble.error, SlowTransferError)
        if self.part.offset > self._furthest and not slow:
            self._failures = 0
        self._furthest = max(self._furthest, self.part.offset)
        self._failures += 1
        longest = self._tools.github.limits.max_pause
        too_long = trouble.wait is not None and longest is not None and trouble.wait > longest
        if self._failures >= self._policy.attempts or too_long:
            raise trouble.error
        if trouble.wait is not None:
            await asyncio.sleep(trouble.wait)
            self._watch.exclude(trouble.wait)
        elif not (trouble.at_once and self._failures == 1):
            await asyncio.sleep(jitter(self._policy, self._failures))
        reason = str(trouble.error)
        offset = self.part.offset if self.part.state.etag is not None else 0
        if self._streamed:
            self._emitter.emit(TransferResumed(artifact=self._artifact, offset=offset, reason=reason))

    async def _after_short_content(self, failure: IncompleteDownloadError) -> None:
        """Go on after a body whose clean end came too early.

        Raises:
            IncompleteDownloadError: the tries are used up.
        """
        if self.part.state.etag is None:
            self.part.discard()
        self.part.learn(total=None)
        await self._back_off(_TryAgainError(failure))

    def _after_wrong_content(self, failure: DigestMismatchError) -> None:
        """Drop wrong bytes; another fetch is worth it once, and once more if they came from an earlier run.

        Raises:
            DigestMismatchError: it was not the first time.
        """
        from_earlier_run, self._resumed_from = self._resumed_from > 0, 0
        self.part.discard()
        self._furthest = 0
        if not from_earlier_run:
            self._content_failures += 1
        if self._content_failures > 1:
            raise failure
        self._emitter.emit(TransferResumed(artifact=self._artifact, offset=0, reason=str(failure)))

    async def _verified(self) -> Received:
        """Judge the bytes that are there."""
        part = self.part
        if not part.is_open:
            part.start()  # an empty body: no chunk ever came
        kind = filenames.kind_by_type(part.state.content_type) or filenames.kind_by_magic(part.read(4))
        tail = part.read(filenames.END_RECORD_REACH, from_end=True) if self._needs_tail(kind) else b""
        sha256 = part.hexdigest
        verified = verify.judge_content(
            self._artifact,
            received=part.offset,
            content_length=self._content_length,
            sha256=sha256,
            kind=kind,
            ends_as_zip=filenames.ends_as_zip(tail),
        )
        self._whole = True
        return Received(
            part=part,
            kind=kind,
            verified=verified,
            sha256=sha256,
            size=part.offset,
            resumed_from=self._resumed_from,
            content_type=part.state.content_type,
            disposition=part.state.disposition,
        )

    def _needs_tail(self, kind: Kind) -> bool:
        return kind == "zip" and verify.expected_sha256(self._artifact) is None
