"""A proxy in front of one host that knows where a response ends, and misbehaves there: what the fake itself cannot do.

Its worst trick is the surplus answer: a complete HTTP response that nobody asked for, on a connection that is kept
alive. A client that reads it as the answer to its next request is one answer behind from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import re
import select
from collections import Counter, deque
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from gh_artifacts_async.testing.shutdown import reset_connection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_HEAD_ENDS = b"\r\n\r\n"
_PIECE = 64 * 1024
_ATOMIC = 16 * 1024  # bytes that one write puts into the peer's kernel at once
_HELD_BACK = 1024  # last bytes of a body that are sent together with what is not part of it
_KEPT = 12  # answers of each kind that can be repeated later
_LASTS = 12.0  # seconds that a drip goes on, if the client does
_DRIP = 0.1  # seconds between its bytes
_ENDLESS = 64 * 2**20  # bytes after which an endless body ends after all
_UNSEEN = 2.0  # seconds: a request that comes later was sent by a client that could have seen the surplus answer
_DOWNLOAD = re.compile(rb"GET \S*/artifacts/(\d+)/zip")
_LENGTH = re.compile(rb"(?im)^content-length: *(\d+)\r$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding: *chunked\r$")
_CLOSES = re.compile(rb"(?im)^connection: *close\r$")
_LOCATION = re.compile(rb"(?im)^location: *(\S+)\r$")
_EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"

SURPLUS = ("surplus in the same segment", "surplus with the last bytes", "surplus later")
"""The three moments of a surplus answer."""

_TRICKS = {
    **dict.fromkeys(SURPLUS[:2], 4.0),
    SURPLUS[2]: 8.0,  # most connections are in use again before it is due
    "small segments": 4.0,
    "closed after the answer": 2.0,
    "1xx at once": 1.0,
    "1xx without end": 0.3,
    "head drips": 0.3,
    "chunk extension drips": 0.3,
    "body drips": 0.3,
    "endless body": 0.3,
    "endless error": 0.2,
    "cut in the head": 1.0,
}
_HONEST = 100 - sum(_TRICKS.values())


class _GoneError(Exception):
    """One of the two sides has ended the connection, or a trick has."""


class Answers:
    """What went over both hosts: answers to repeat, and the storage paths of artifacts without a digest."""

    def __init__(self, unverifiable: set[int]) -> None:
        """Keep the ids of the artifacts without a digest."""
        self.unverifiable = unverifiable
        self.plain_paths: set[bytes] = set()
        self._kept: dict[str, deque[bytes]] = {}

    def note(self, kind: str, request: bytes, head: bytes, body: bytes) -> None:
        """Keep an answer, and learn whose a signed URL is."""
        asked, location = _DOWNLOAD.match(request), _LOCATION.search(head)
        if asked is not None and location is not None and int(asked[1]) in self.unverifiable:
            self.plain_paths.add(urlsplit(location[1]).path)
        if len(head) + len(body) <= _ATOMIC and not _CLOSES.search(head):
            self._kept.setdefault(kind, deque(maxlen=_KEPT)).append(head + body)

    def one(self, source: random.Random, *kinds: str) -> bytes | None:
        """Return an answer of one of these kinds; None if there is none yet."""
        known = [answer for kind in kinds for answer in self._kept.get(kind, ())]
        return source.choice(known) if known else None

    def is_plain(self, request: bytes) -> bool:
        """Whether a request is for the bytes of an artifact without a digest."""
        return urlsplit(request.split(b" ", 2)[1]).path in self.plain_paths


class Front:
    """The proxy, for as long as its ``async with`` block.

    Attributes:
        calm: no more tricks.
        counts: trick -> how often it was played.
        url: its origin.
    """

    def __init__(self, target: str, answers: Answers, seed: str, *, surplus: bool) -> None:
        """Prepare a proxy for the server at the URL ``target``."""
        parts = urlsplit(target)
        self.calm = False
        self.counts: Counter[str] = Counter()
        self.url = ""
        self._target = (parts.hostname, parts.port)
        self._answers = answers
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._weights = {name: weight for name, weight in _TRICKS.items() if surplus or name not in SURPLUS}
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start listening."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and end all connections."""
        self._server.close()
        await self.drop()

    async def drop(self) -> None:
        """End all connections."""
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def trick(self, request: bytes) -> str | None:
        """Choose what goes wrong with the answer to a request; None: nothing."""
        if self.calm:
            return None
        names = [*self._weights, ""]
        name = self._random.choices(names, [*self._weights.values(), _HONEST])[0]
        if name == "endless body" and self._answers.is_plain(request):
            return None  # without a digest and a length, a gibibyte would be taken for the artifact's
        return name or None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up: asyncio.StreamWriter | None = None
        try:
            up_reader, up = await asyncio.open_connection(*self._target)
            writer.transport.set_write_buffer_limits(high=0)
            await _Connection(self, self._answers, self._random, (reader, writer), (up_reader, up)).serve()
        except (_GoneError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await _close(writer)
        except OSError:
            reset_connection(writer.transport)
        finally:
            writer.transport.abort()
            if up is not None:
                up.transport.abort()


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that what was written still arrives."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_LASTS):
            await writer.wait_closed()


class _Connection:
    """One client's connection, and ours to the server."""

    def __init__(
        self,
        front: Front,
        answers: Answers,
        source: random.Random,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._front = front
        self._answers = answers
        self._random = source
        self._reader, self._writer = client
        self._up_reader, self._up_writer = server
        self._later = False  # a surplus answer is due once this one is complete
        self._surplus_at = math.inf  # when one was sent on the idle connection

    async def serve(self) -> None:
        """Pass requests and answers until one side ends the connection.

        Raises:
            _GoneError: that.
            IncompleteReadError: that.
        """
        while True:
            request = await self._request()
            self._up_writer.write(request)
            trick = self._front.trick(request)
            try:
                head = await self._up_reader.readuntil(_HEAD_ENDS)
            except asyncio.IncompleteReadError as ended:
                await self._send(ended.partial)
                raise
            if not head.startswith(b"HTTP/1."):
                await self._send(head)
                await self._until_eof()
            await self._answer(request, head, trick)
            if _CLOSES.search(head):
                raise _GoneError

    async def _request(self) -> bytes:
        """Return the next request, having sent a surplus answer before it if one is due."""
        coming = asyncio.ensure_future(self._reader.readuntil(_HEAD_ENDS))
        try:
            if self._later:
                self._later = False
                await asyncio.wait({coming}, timeout=self._random.choice((0.002, 0.02, 0.2)))
                await self._surplus_before(coming)
            request = await coming
        finally:
            if coming.done() and not coming.cancelled():
                coming.exception()  # seen, in case that nobody awaits it
            coming.cancel()
        self._check_crossing()
        return request

    async def _surplus_before(self, coming: asyncio.Future[bytes]) -> None:
        """Send a surplus answer now, unless the next request is here already.

        It may cross that request on the way, so nothing is sent here that would not be known by its contents.
        """
        surplus = self._answers.one(self._random, "artifact", "redirect", "blob")
        if surplus is None or coming.done() or self._writer.is_closing():
            return
        poll = select.poll()
        poll.register(self._writer.get_extra_info("socket"), select.POLLIN)
        if poll.poll(0):
            return
        self._count("surplus later")
        await self._send(surplus)
        self._surplus_at = asyncio.get_running_loop().time()

    def _check_crossing(self) -> None:
        """End a connection whose next request may have been sent before the surplus answer could be seen.

        No client can tell that answer from its own, and none could get back in step.

        Raises:
            _GoneError: it is such a connection.
        """
        sent, self._surplus_at = self._surplus_at, math.inf
        if sent < math.inf:
            crossed = asyncio.get_running_loop().time() - sent < _UNSEEN
            self._front.counts["surplus later"] -= 1
            self._count("surplus that crossed the next request" if crossed else "surplus that was ignored")
            if crossed:
                raise _GoneError

    def _count(self, what: str) -> None:
        self._front.counts[what] += 1

    async def _send(self, data: bytes) -> None:
        """Write, and wait until the kernel has it.

        Raises:
            _GoneError: the client is gone.
        """
        if self._reader.at_eof():
            raise _GoneError
        self._writer.write(data)
        await self._writer.drain()

    # --- one answer

    async def _answer(self, request: bytes, head: bytes, trick: str | None) -> None:
        """Pass one answer, with a trick."""
        length = _length_of(head)
        trick = self._played(trick, head, length)
        match trick:
            case "1xx at once":
                await self._send(_EARLY_HINTS * 50)
            case "1xx without end":
                await self._repeat(_EARLY_HINTS)
            case "head drips":
                await self._drip(head)
            case "cut in the head":
                await self._send(head[: self._random.randrange(len(head))])
                raise _GoneError
            case "chunk extension drips":
                await self._send(_chunked(head) + b"5;")
                await self._repeat(b"x")
            case "body drips":
                await self._send(head)
                await self._drip(await self._up_reader.read(1024))
            case "endless body" | "endless error":
                await self._endless(head if trick == "endless body" else b"HTTP/1.1 500 Oops\r\n\r\n")
            case _:
                pass
        await self._pass(request, head, length, trick)
        if trick == "closed after the answer":
            raise _GoneError
        self._later = trick == "surplus later"

    def _played(self, trick: str | None, head: bytes, length: int | None) -> str | None:
        """Return the trick, counted, if this answer can have it; surplus answers are counted when they are sent."""
        needs_body, needs_small = trick == "body drips", trick == "small segments"
        if trick is None or (needs_body and not length) or (needs_small and not _is_small(head, length)):
            return None
        if trick not in SURPLUS:
            self._count(trick)
        return trick

    async def _pass(self, request: bytes, head: bytes, length: int | None, trick: str | None) -> None:
        """Pass head and body as they are, and what belongs to neither with the last bytes."""
        if length is None:
            await self._send(head)
            await (self._chunks() if _CHUNKED.search(head) else self._until_eof())
            return
        surplus = self._surplus(trick)
        if _is_small(head, length):
            body = await self._whole(head, length)
            if trick == "surplus with the last bytes" and body:
                await self._send(head + body[:-1])
                await self._send(body[-1:] + surplus)
            elif trick == "small segments":
                await self._in_pieces(head + body)
            else:
                await self._send(head + body + surplus)
            self._answers.note(_kind(request, head), request, head, body)
            return
        await self._send(head)
        await self._body(length - _HELD_BACK)
        await self._send(await self._up_reader.readexactly(_HELD_BACK) + surplus)

    def _surplus(self, trick: str | None) -> bytes:
        if trick not in SURPLUS[:2]:
            return b""
        kinds = self._random.choice((("artifact", "redirect"), ("page", "run"), ("blob", "slice")))
        surplus = self._answers.one(self._random, *kinds) or b""
        if surplus:
            self._count(trick)
        return surplus

    async def _whole(self, head: bytes, length: int) -> bytes:
        """Return a body; what there is of one that is cut off is passed."""
        try:
            return await self._up_reader.readexactly(length)
        except asyncio.IncompleteReadError as ended:
            await self._send(head + ended.partial)
            raise

    async def _body(self, left: int) -> None:
        while left > 0:
            data = await self._up_reader.read(min(left, _PIECE))
            if not data:
                raise _GoneError
            left -= len(data)
            await self._send(data)

    async def _chunks(self) -> None:
        """Pass a body in chunks, which ends with an empty one (this server sends no trailers)."""
        size = -1
        while size:
            line = await self._up_reader.readuntil(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            await self._send(line)
            await self._body(size + 2)

    async def _until_eof(self) -> None:
        """Pass everything until the server ends the connection.

        Raises:
            _GoneError: it has.
        """
        while data := await self._up_reader.read(_PIECE):
            await self._send(data)
        raise _GoneError

    async def _in_pieces(self, data: bytes) -> None:
        while data:
            size = self._random.randint(1, 1400)
            await self._send(data[:size])
            await asyncio.sleep(0)
            data = data[size:]

    async def _drip(self, data: bytes) -> None:
        """Send byte by byte.

        Raises:
            _GoneError: the client has had enough, or we have.
        """
        for position in range(min(len(data), int(_LASTS / _DRIP))):
            await self._send(data[position : position + 1])
            await asyncio.sleep(_DRIP)
        raise _GoneError

    async def _repeat(self, data: bytes) -> None:
        """Send the same again and again.

        Raises:
            _GoneError: the client has had enough, or we have.
        """
        for _ in range(int(_LASTS / _DRIP)):
            await self._send(data)
            await asyncio.sleep(_DRIP)
        raise _GoneError

    async def _endless(self, head: bytes) -> None:
        """Send a body that does not end.

        Raises:
            _GoneError: the client has had enough, or we have.
        """
        await self._send(_chunked(head))
        blank = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(0, _ENDLESS, _PIECE):
            await self._send(blank)
        raise _GoneError


def _length_of(head: bytes) -> int | None:
    """Return how long the body is; None if its end is marked otherwise."""
    if head.split(b" ", 2)[1] in {b"204", b"304"}:
        return 0
    found = _LENGTH.search(head)
    return None if found is None or _CHUNKED.search(head) else int(found[1])


def _is_small(head: bytes, length: int | None) -> bool:
    """Whether a whole answer is small enough to be written at once, with a surplus one of that size."""
    return length is not None and len(head) + length <= _ATOMIC


def _chunked(head: bytes) -> bytes:
    """Return a head that announces chunks."""
    bare = head.removesuffix(b"\r\n")
    for field in (_LENGTH, _CHUNKED, _LOCATION):
        bare = field.sub(b"X-Was: 0\r", bare)
    return bare + b"Transfer-Encoding: chunked\r\n\r\n"


_KINDS: Mapping[bytes, str] = {b"301": "redirect", b"302": "redirect", b"206": "slice"}


def _kind(request: bytes, head: bytes) -> str:
    """Return what an answer is: an artifact, a run, a page, a redirect, a blob or a slice of one; or an error."""
    status, path = head.split(b" ", 2)[1], urlsplit(request.split(b" ", 2)[1]).path
    if status != b"200":
        return _KINDS.get(status, "error")
    if not path.startswith((b"/repos/", b"/repositories/")):  # links to a next page name the repository by its id
        return "blob"
    if path.endswith((b"/artifacts", b"/runs")):
        return "page"
    return "artifact" if b"/artifacts/" in path else "run"
