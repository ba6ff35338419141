"""One body over several connections: others fetch ranges beside the response that is being received.

They only help. The first response is the whole rest of the artifact, and is read to its end unless another connection
has been served a range of it. What the others bring is written ahead of the frontier; what counts, and what a later run
resumes, is the frontier only. An error costs the connection that has it; once none is left, the last one is raised, and
the transfer's own loop (:mod:`.fetch`) decides whether to ask again, from the frontier.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import SlowTransferError, TransportError
from gh_artifacts_async.transfer.disk.writer import in_thread
from gh_artifacts_async.transfer.storage.range_source import RefusedError
from gh_artifacts_async.transfer.storage.segment_connection import SHARE, Connection, Shared
from gh_artifacts_async.transfer.storage.segment_plan import LEFT, MIB, Governor, Plan, Sight, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from gh_artifacts_async.protocol import ranges
    from gh_artifacts_async.transfer.disk.ahead import Ahead
    from gh_artifacts_async.transfer.disk.partfile import PartFile
    from gh_artifacts_async.transfer.disk.writer import Lane
    from gh_artifacts_async.transfer.storage.context import TransferContext
    from gh_artifacts_async.transfer.storage.range_source import RangeSource
    from gh_artifacts_async.transport.socket_receiver import SocketReceiver

_TICK = 0.05  # seconds between two looks at the rate while more connections may be worth trying
_SLOW_TICK = 2.5  # the same afterwards; silence is noticed by then too
_PREREAD = MIB  # more than aiohttp can have read of the first response before it is taken over
_BUSY = 0.5  # share of the time for which connections wait for the disk, from which more would not help
_SILENT = 5.0  # seconds after which a connection that brings nothing, while others do, is dropped
_LEAST, _LEAST_TIME = 256 * 1024, 0.03  # bytes and seconds from which a rest is divided
_AHEAD = 1.5  # seconds for which the first connection has something to do while another is tried


class Segments:
    """Receives one body.

    Attributes:
        several: more than one connection has brought bytes.
        there: bytes beyond the frontier that were there before.
        refused: storage did not serve a range.
    """

    def __init__(
        self,
        context: TransferContext,
        source: RangeSource,
        ahead: Ahead,
        *,
        exclude: Callable[[float], None],
        body: ranges.Stream,
        host: str,
        connections: int | None,
        arrived: Callable[[int], None],
    ) -> None:
        """Prepare for a body for which :func:`may_be_split` is true.

        Args:
            context: the client's.
            source: of ranges.
            ahead: takes the bytes; it may have some already.
            exclude: called with the seconds for which storage is not responsible.
            body: what the first response promises.
            host: storage's, for messages.
            connections: as the caller asks for; None to find out.
            arrived: called with the number of bytes as they arrive, from whichever connection.
        """
        self.several: bool = False
        self.refused: bool = False
        self._context = context
        self._writer = context.writer
        self._source = source
        self._exclude = exclude
        self._etag = body.etag or ""
        self._arrived = arrived
        self._counters = context.github.emitter.counters
        self._limit = context.github.limits.storage_connections
        self._loop = asyncio.get_running_loop()
        self._ahead = ahead
        self._start = body.offset
        self._total = body.offset + (body.length or 0)
        runs = ahead.runs(body.offset + _PREREAD)
        self.there: int = sum(end - start for start, end in runs)
        self._plan = Plan(self._start, self._total, runs)
        self._heard = self._loop.time()  # from any connection
        self._lost = -math.inf  # when the last one broke
        self._governor = Governor(connections, self._heard)
        self._shared = Shared(
            writer=self._writer,
            ahead=self._ahead,
            host=host,
            idle=context.github.timeouts.read,
            count=self._count,
            paused=self.paused,
        )
        self._first = self._connection(extra=False, span=self._plan.spans[0])
        self._connections: list[Connection] = []
        self._begun = self._heard
        self._answer = 0.0  # seconds until the last answer's headers
        self._paused = 0.0  # seconds since the last look, on average of all connections
        self._looked = self._heard
        self._fetched = 0
        self._failure: TransportError | None = None

    # --- the first connection

    def sink(self) -> Callable[..., None]:
        """Return what writes the first response's bytes."""
        return self._ahead.sink(self._start)

    def first_arrived(self, size: int) -> None:
        """Count bytes of the first response."""
        self._count(self._first, size)

    def paused(self, seconds: float) -> None:
        """Note that one connection was not read for some time because the disk was slower."""
        share = seconds / max(1, len(self._connections))
        self._paused += share
        self._exclude(share)

    async def receive(self, receiver: SocketReceiver, lane: Lane) -> None:
        """Receive the body, by more connections than the first where that helps.

        Args:
            receiver: the first response's; it has taken over its connection.
            lane: writes its bytes.

        Raises:
            TransportError: no connection is left; what is contiguous counts.
            SlowTransferError: all of them together were too slow.
            OSError: writing failed.
        """
        failure: TransportError | SlowTransferError | None = None
        receiver.end_after(self._plan.spans[0].left)
        self._launch(self._first, self._from_first(receiver, lane))
        try:
            await self._supervise()
        except (TransportError, SlowTransferError) as error:
            failure = error.with_traceback(None)
        finally:
            await self._stop()
        if self.several or self.there:
            await in_thread(self._ahead.catch_up)
        if failure is not None:
            raise failure

    async def _from_first(self, receiver: SocketReceiver, lane: Lane) -> None:
        """Receive the first response up to the end of its span, then go on as any other connection."""
        await self._first.read_first(receiver, lane)
        self._close_span(self._first)
        await self._work(self._first)

    # --- all connections

    async def _supervise(self) -> None:
        """Add and drop connections until all bytes are there.

        Raises:
            TransportError: none is left.
            SlowTransferError: they are too slow.
            OSError: writing failed.
        """
        while self._connections:
            self._recruit()
            tasks = [it.task for it in self._connections if it.task is not None]
            tick = _TICK if self._governor.watches else _SLOW_TICK
            await asyncio.wait(tasks, timeout=tick, return_when=asyncio.FIRST_COMPLETED)
            for it in [it for it in self._connections if it.task is not None and it.task.done()]:
                self._ended(it)
            if self._plan.left:
                self._look()
                self._drop_silent()
            else:
                self._end_idle()
        if self._plan.left:
            raise self._failure or self._shared.broken("no connection was left")

    def _look(self) -> None:
        """Let the governor see how it goes; once more connections are proved to help, all work piece by piece."""
        now = self._loop.time()
        sight = Sight(
            now=now,
            fetched=self._counters.bytes_fetched,
            left=self._plan.left,
            live=sum(it.brought for it in self._connections),
            room=min(self._limit - self._context.extras, self._writer.lendable // SHARE),
            idle=self._paused <= _BUSY * (now - self._looked),
        )
        self._paused, self._looked = 0.0, now
        if self._governor.look(sight) and self._governor.target > 1:
            for it in self._connections:
                if it.span is not None:
                    self._plan.cut(it.span, self._piece())
            self._end_earlier()

    def _recruit(self) -> None:
        """Start the connections that are missing, as far as there are bytes, buffers and places for them.

        After a break, bytes must have come first: where none come from any connection, all must end in their time, so
        that the transfer's own loop counts the attempt.
        """
        if self._heard <= self._lost:
            return
        at_work = sum(not it.leaving for it in self._connections)
        while 0 < at_work < self._governor.target:
            offer = None if self._plan.gaps else self._offer()
            if not self._plan.gaps and offer is None:
                return
            if self._context.extras >= self._limit or not self._writer.reserve(SHARE):
                return
            self._context.extras += 1
            self._plan.offers += [] if offer is None else [offer]
            span = None if offer else self._plan.take(self._piece())
            it = self._connection(extra=True, offer=offer, span=span)
            self._launch(it, self._work(it))
            at_work += 1

    def _offer(self) -> tuple[int, int] | None:
        """Return a range that the only connection would come to later; None if there is none, or are several."""
        size = self._piece()
        if not self._governor.watches:
            return self._plan.next_offer(size, size)
        # A trial. The connection must not come to the range while that is going on.
        skip = max(2 * size, int(_AHEAD * self._governor.rate))
        return self._plan.next_offer(min(skip, self._plan.left // 2), None)

    def _piece(self) -> int:
        return self._plan.piece(self._governor.target, self._answer)

    def _connection(self, *, extra: bool, offer: tuple[int, int] | None = None, span: Span | None = None) -> Connection:
        return Connection(shared=self._shared, extra=extra, heard=self._loop.time(), offer=offer, span=span)

    def _launch(self, it: Connection, work: Coroutine[object, object, None]) -> None:
        self._connections.append(it)
        it.task = self._loop.create_task(work, name="gh-artifacts-segment")

    def _ended(self, it: Connection) -> None:
        """Take a connection that has ended off the list, and what it leaves back into the plan.

        Raises:
            SlowTransferError: all are too slow.
            OSError: writing failed.
        """
        self._forget(it)
        task = it.task
        assert task is not None  # noqa: S101 - it was launched
        error = None if task.cancelled() else task.exception()
        if error is not None or it.dropped:
            self._lost = self._loop.time()
        live = len(self._connections)
        if isinstance(error, RefusedError):
            self.refused, self._failure = True, self._shared.broken(str(error))
            self._governor.refused(live)
        elif isinstance(error, TransportError):
            self._failure = error.with_traceback(None)
            self._governor.lost(live, self._loop.time())
        elif error is not None:
            raise error
        elif it.dropped:
            self._governor.lost(live, self._loop.time())
        if not self._connections and self._plan.left and error is None:
            self._launch(last := self._connection(extra=False), self._work(last))

    def _forget(self, it: Connection) -> None:
        self._connections.remove(it)
        self._withdraw(it)
        self._close_span(it)
        if it.extra:
            self._context.extras -= 1
            self._writer.unreserve(SHARE)

    def _close_span(self, it: Connection) -> None:
        span, it.span = it.span, None
        if span is not None:
            self._plan.close(span)

    def _drop_silent(self) -> None:
        """Drop connections that bring nothing while others do; what they were to fetch is a gap then."""
        now = self._loop.time()
        for it in self._connections if not self._writer.waiting else ():  # it may be the disk that they wait for
            if it.dropped or now - it.heard < _SILENT or self._heard <= it.heard:
                continue
            it.drop(_SILENT)

    def _end_idle(self) -> None:
        """End the connections that still wait for an answer: all bytes are there, and the others may be writing."""
        for it in self._connections:
            if it.span is None and it.task is not None:
                it.task.cancel()

    async def _stop(self) -> None:
        """End all connections, and wait until they have ended, even when cancelled."""
        self._shared.stopping = True
        cancelled: asyncio.CancelledError | None = None
        for it in self._connections:
            if it.task is not None:
                it.task.cancel()
        while busy := [it.task for it in self._connections if it.task is not None and not it.task.done()]:
            try:
                await asyncio.wait(busy)
            except asyncio.CancelledError as error:
                cancelled = error
        for it in list(self._connections):
            if it.task is not None and not it.task.cancelled():
                it.task.exception()  # retrieved, so that asyncio does not log it
            self._forget(it)
        if cancelled is not None:
            raise cancelled

    # --- one connection

    async def _work(self, it: Connection) -> None:
        """Fetch one range after the other until there is nothing left to fetch, or there are too many connections."""
        while sum(not other.leaving for other in self._connections) <= self._governor.target:
            if it.span is None and it.offer is None:
                it.span = self._plan.take(None if self._governor.target == 1 else self._piece())
                it.offer = self._plan.half(self._least_half()) if it.span is None else None
                self._plan.offers += [] if it.offer is None else [it.offer]
            if it.span is None and it.offer is None:
                break
            await self._fetch(it)
        it.leaving = True

    def _least_half(self) -> int:
        """Return how many bytes are worth a request of their own: what comes in twice the time of an answer."""
        seconds = max(self._loop.time() - self._begun, 0.001)
        rate = self._fetched / seconds / max(1, len(self._connections))
        return max(_LEAST, int(rate * max(_LEAST_TIME, 2 * self._answer)))

    async def _fetch(self, it: Connection) -> None:
        """Fetch one range; if it is an offer, it becomes the connection's span once storage serves it."""
        it.heard = began = self._loop.time()
        first, end = it.wanted
        try:
            stream = await self._source.open(first, end, self._etag, self._total, self._exclude)
        finally:
            offer = self._withdraw(it)
        try:
            self._answer = self._loop.time() - began
            if offer is not None:
                it.span = self._plan.carve(first, end)
                self._end_earlier()
            if it.span is not None:
                await it.read(it.span, stream, end - first)
        finally:
            stream.close()
        self._close_span(it)

    def _withdraw(self, it: Connection) -> tuple[int, int] | None:
        """Return a connection's offer, which is none from now on."""
        offer, it.offer = it.offer, None
        if offer is not None:
            self._plan.offers.remove(offer)
        return offer

    def _count(self, it: Connection, size: int) -> None:
        """Count bytes that arrived.

        Raises:
            SlowTransferError: all connections together are too slow.
        """
        assert it.span is not None  # noqa: S101 - it fetches it
        it.span.position += size
        self._fetched += size
        it.heard = self._heard = self._loop.time()
        if not it.brought:
            it.brought = True
            self.several = self.several or it is not self._first
        self._arrived(size)

    def _end_earlier(self) -> None:
        for it in self._connections:
            it.end_earlier()


def may_be_split(
    context: TransferContext,
    part: PartFile,
    body: ranges.Stream,
    headers: Mapping[str, str],
    *,
    connections: int | None,
    continued: bool,
) -> bool:
    """Whether a large body may be received over several connections: equal bytes are sure only with ETag *and* digest.

    Args:
        context: the client's.
        part: where the bytes go.
        body: what the first response promises.
        headers: its headers.
        connections: as the caller asks for; None to find out.
        continued: an earlier body has left bytes beyond the frontier.
    """
    if connections == 1 or not context.github.limits.fast_paths or not context.github.limits.storage_connections:
        return False
    if body.etag is None or part.state.digest is None or body.length is None or body.total is None:
        return False
    if body.offset + body.length != body.total or headers.get("accept-ranges", "").strip().lower() == "none":
        return False
    return continued or connections is not None or body.length > LEFT
