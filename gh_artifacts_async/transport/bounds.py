"""Bounds on what a server may take: time for the headers and for each piece of a body, and bytes of a response."""

from __future__ import annotations

import asyncio
import contextlib
import math
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self

import attrs

from gh_artifacts_async.errors import ArtifactsError, ConnectionFailedError, UnexpectedResponseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import aiohttp
    from yarl import URL

    from gh_artifacts_async.settings import Timeouts

SLICE = 256 * 1024
"""Bytes that are decompressed between two turns of the event loop: about a millisecond's work."""

NO_HEADERS = "its headers did not arrive within Timeouts.read"
SILENT = "it was silent for longer than Timeouts.read"
_SLOW = "it sent less than Timeouts.min_rate"
_QUEUED = 1.0  # seconds between two looks while a request may be waiting for a place in a pool
_GZIP = zlib.MAX_WBITS | 16
_GZIP_NAMES = ("gzip", "x-gzip")
_IDENTITY = ("", "identity")
_ERROR = 400


class _Gzip(Protocol):
    """zlib's decompressor, whose own class has no public name."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Content(Protocol):
    """A body's reader."""

    async def readany(self) -> bytes: ...


class Answer(Protocol):
    """A response whose body is read by aiohttp, or by what is like it."""

    @property
    def status(self) -> int:
        """The status code."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By name; aiohttp's in any case, a lane's in lower case."""
        ...

    @property
    def url(self) -> URL:
        """Of the request, or its host alone."""
        ...

    @property
    def content(self) -> _Content:
        """The body."""
        ...


class OutOfTimeError(TimeoutError):
    """A :class:`Limit` was reached (never leaves the transport); the message says what took too long."""


class TooSlowError(OutOfTimeError):
    """A body came more slowly than ``Timeouts.min_rate`` allows (never leaves the transport).

    Attributes:
        rate: bytes a second over the last window.
        seconds: the window's length.
        minimum: bytes a second.
    """

    def __init__(self, rate: float, seconds: float, minimum: float) -> None:
        """Keep the three."""
        super().__init__(_SLOW)
        self.rate: float = rate
        self.seconds: float = seconds
        self.minimum: float = minimum


class ClosedError(Exception):
    """The client was closed meanwhile (never leaves the transport)."""


class HeldError(Exception):
    """A request must not be sent any more (never leaves the transport)."""


class Watch:
    """Ends waits on the network that take too long, with one timer for all waits of a client.

    aiohttp's ``sock_read`` starts again with every byte, be it one of a header, of an interim response or of a chunk
    extension, so a server could hold a request for ever. A limit here moves only for what is of use.

    Attributes:
        timeouts: the client's.
        limits: those in force; a task waits for one thing at a time.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        """Start with nothing to watch."""
        self.timeouts = timeouts
        self.limits: dict[asyncio.Task[object] | None, Limit] = {}
        self.timer: asyncio.TimerHandle | None = None
        window = math.inf if timeouts.min_rate is None else timeouts.min_rate_window
        self._shortest = min(math.inf if timeouts.read is None else timeouts.read, window)

    def arm(self) -> None:
        """Set the timer, no later than any deadline that is set from now until it fires."""
        if self._shortest < math.inf:
            self.timer = asyncio.get_running_loop().call_later(self._shortest, self._look)

    def _look(self) -> None:
        """Cancel the tasks whose time is over, and set the timer for the next."""
        self.timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        soonest = now + self._shortest
        for task, limit in list(self.limits.items()):
            if limit.seconds is not None and limit.queued is not None and limit.queued():
                limit.deadline = now + limit.seconds
                soonest = min(soonest, now + _QUEUED)
            elif limit.deadline > now:
                soonest = min(soonest, limit.deadline)
            elif task is not None:
                self._end(task, limit)
        if self.limits:
            self.timer = loop.call_at(soonest, self._look)

    def _end(self, task: asyncio.Task[object], limit: Limit) -> None:
        limit.expired = True
        del self.limits[task]
        task.cancel()

    def close(self) -> None:
        """Stop the timer, and end the waits: aiohttp's readers wait for ever once their connector is closed."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        for task, limit in list(self.limits.items()):
            if task is not None:
                limit.closed = True
                self._end(task, limit)


@attrs.define(eq=False, repr=False)
class Limit:
    """A time limit on the waits of one block; like ``asyncio.timeout``, but it shares the watch's timer.

    Attributes:
        watch: the client's.
        seconds: from when the block is entered; None for no limit.
        phrase: what takes too long, for the message.
        queued: whether the request may be waiting for a place in a pool: that is not the server's fault. None if it
            cannot be.
        held: whether the request must not be sent any more, asked when it has a new connection; None if it always may.
        deadline: on the event loop's clock; never earlier than the shortest time limit of the watch from now.
        expired: the deadline has passed, or the client is closed.
        closed: the client is closed.
    """

    watch: Watch
    seconds: float | None
    phrase: str
    queued: Callable[[], bool] | None = None
    held: Callable[[], bool] | None = None
    deadline: float = attrs.field(default=math.inf, init=False)
    expired: bool = attrs.field(default=False, init=False)
    closed: bool = attrs.field(default=False, init=False)
    _cancelling: int = attrs.field(default=0, init=False)
    _since: float | None = attrs.field(default=None, init=False)
    _brought: int = attrs.field(default=0, init=False)

    def __enter__(self) -> Self:
        """Begin."""
        task = asyncio.current_task()
        self._cancelling = 0 if task is None else task.cancelling()
        if self.seconds is not None:
            self.deadline = asyncio.get_running_loop().time() + self.seconds
        self.watch.limits[task] = self
        if self.watch.timer is None:
            self.watch.arm()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End.

        Raises:
            OutOfTimeError: the limit was reached, and nobody else has cancelled the task.
            ClosedError: the client was closed, and nobody else has cancelled the task.
        """
        task = asyncio.current_task()
        self.watch.limits.pop(task, None)
        expired = self.expired and task is not None and task.uncancel() <= self._cancelling
        if expired and kind is asyncio.CancelledError:
            raise ClosedError if self.closed else OutOfTimeError(self.phrase)

    def brought(self, size: int) -> None:
        """Move the deadline for decoded bytes of a body; call it with 0 where the body begins.

        The body may be neither silent (``Timeouts.read``) nor slow: each window must bring ``Timeouts.min_rate``.

        Raises:
            TooSlowError: a window is over, and was too slow.
        """
        now, timeouts = asyncio.get_running_loop().time(), self.watch.timeouts
        self._brought += size
        begins = self._since is None
        since = now if self._since is None else self._since
        if begins or now - since >= timeouts.min_rate_window:
            if timeouts.min_rate is not None and self._brought < timeouts.min_rate * (now - since):
                raise TooSlowError(self._brought / (now - since), now - since, timeouts.min_rate)
            self._since, self._brought = now, 0
        if size or begins:
            silence = timeouts.read or (timeouts.min_rate and timeouts.min_rate_window)
            self.deadline, self.phrase = now + silence if silence else math.inf, SILENT


def headers_of(answer: aiohttp.ClientResponse | Answer) -> dict[str, str]:
    """Return the headers by names in lower case; several Link headers as one (RFC 9110 section 5.3)."""
    found: dict[str, str] = {}
    for name, value in answer.headers.items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key == "link" and key in found else value
    return found


async def read_body(answer: aiohttp.ClientResponse | Answer, limit: Limit, at_most: int | None) -> bytes:
    """Read a response's whole body, decompressed; of an error response only the beginning.

    Args:
        answer: requested with ``auto_decompress=False`` and ``Accept-Encoding: gzip``.
        limit: in force; the body moves it.
        at_most: bytes, before and after decompression; None for any number.

    Raises:
        UnexpectedResponseError: it is longer, has another coding than gzip, or something after the end of the gzip.
        ConnectionFailedError: the gzip is cut or broken.
        aiohttp.ClientError: the connection broke.
    """
    failed = answer.status >= _ERROR
    bound = SLICE if failed else math.inf if at_most is None else at_most
    coding = answer.headers.get("Content-Encoding", "").strip().lower()
    gzip = zlib.decompressobj(_GZIP) if coding in _GZIP_NAMES else None
    body, arrived = bytearray(), 0
    limit.brought(0)
    while arrived <= bound and len(body) <= bound and (chunk := await answer.content.readany()):
        arrived, before = arrived + len(chunk), len(body)
        if gzip is None:
            body += chunk
        else:
            await _inflate(gzip, chunk, body, bound)
        limit.brought(len(body) - before)
    if failed:
        return b"" if gzip is None and coding not in _IDENTITY else bytes(body[:SLICE])
    if arrived > bound or len(body) > bound:
        msg = f"{answer.url.host} sent more than {bound} bytes; if that is right, raise Limits.max_answer_bytes"
        raise UnexpectedResponseError(msg)
    is_whole = coding in _IDENTITY if gzip is None else gzip.eof and not gzip.unused_data
    if arrived and not is_whole:
        raise _unreadable(answer.url.host or "", coding, gzip)
    return bytes(body)


async def _inflate(gzip: _Gzip, chunk: bytes, body: bytearray, bound: float) -> None:
    """Decompress what has arrived, slice by slice, so that a bomb neither fills memory nor blocks the event loop."""
    with contextlib.suppress(zlib.error):  # the stream then does not end, which is found at the end of the body
        while piece := gzip.decompress(chunk, SLICE):
            body += piece
            if len(body) > bound:
                return
            chunk = gzip.unconsumed_tail
            if len(piece) == SLICE:
                await asyncio.sleep(0)


def _unreadable(host: str, coding: str, gzip: _Gzip | None) -> ArtifactsError:
    """Return the error for a body that cannot be decoded."""
    if gzip is None:
        msg = f"{host} answered with Content-Encoding {coding[:20]!r}, which was not requested"
        return UnexpectedResponseError(msg)
    if gzip.eof:
        return UnexpectedResponseError(f"{host} sent bytes after the end of its gzip-coded response")
    return ConnectionFailedError(f"the response of {host} is not whole: its gzip stream is cut or broken", host=host)
