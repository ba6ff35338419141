"""Bodies in pieces, gzip-coded or not: whole and within the bound, or an error; never half of one."""

from __future__ import annotations

import gzip
import random
import zlib
from types import SimpleNamespace
from typing import Any

from gh_artifacts_async.errors import ConnectionFailedError, UnexpectedResponseError
from gh_artifacts_async.settings import Timeouts
from gh_artifacts_async.transport.bounds import SLICE, Limit, Watch, read_body
from tests.fuzz import scratch
from tests.fuzz.inputs import taken
from tests.fuzz.tally import note

LONGEST = 4096
CODINGS = ["gzip", None, "x-gzip", " GZip ", "identity", "br", "gzip, gzip", ""]
CHOICES = [(coding, status) for coding in range(len(CODINGS)) for status in (200, 404)]
BOUND = 10_000
WORDS: tuple[bytes, ...] = (
    b"\x1f\x8b\x08\0",
    b"\0\0\xff\xff",
    b"\x03\0",
    gzip.compress(b"x", mtime=0),
    b"\x1f\x8b",
    b"{}",
)
WORDS += (b"\x01\0\0\xff\xff",)


def seeds() -> list[bytes]:
    """Return bodies, their coding and the place where they are cut in front."""
    plain = [b"", b"{}", b'{"a":1}' * 40, bytes(BOUND - 1), bytes(BOUND + 1), bytes(200_000)]
    coded = [gzip.compress(data, mtime=0) for data in plain]
    odd = [
        coded[1] + coded[1],
        coded[1] + b"x",
        coded[2][:-3],
        coded[1][:10],
        zlib.compress(b"{}"),
        coded[2][:-8] + bytes(8),
    ]
    every = [data for data in (*plain, *coded, *odd) if len(data) < LONGEST]
    return [bytes([number, cut]) + data for data in every for number in range(4) for cut in (0, 100)]


class _Body:
    """What aiohttp's reader is to read_body()."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def readany(self) -> bytes:
        """Return the next piece."""
        return self._pieces.pop(0) if self._pieces else b""


def fuzz(data: bytes) -> None:
    """Read a body whole, and what it should be by zlib alone."""
    (number, status), rest = taken(data, CHOICES)
    coding = CODINGS[number]
    cut, body = (rest[0] if rest else 0) * len(rest) // 255, rest[1:]
    pieces = [piece for piece in (body[:cut], body[cut:]) if piece]
    found = scratch.loop().run_until_complete(_read(pieces, coding, status))
    expected = _expected(body, coding, status)
    note(type(found).__name__ if isinstance(found, Exception) else "a body")
    if status >= 400:
        assert not isinstance(found, Exception)
        assert len(found) <= SLICE
        assert found == expected or coding not in {None, "", "identity"}
    elif isinstance(expected, bytes):
        assert found == expected
    else:
        assert isinstance(found, expected)


async def _read(pieces: list[bytes], coding: str | None, status: int) -> Any:
    headers = {} if coding is None else {"Content-Encoding": coding}
    answer: Any = SimpleNamespace(status=status, headers=headers, url=SimpleNamespace(host="h"), content=_Body(pieces))
    watch = Watch(Timeouts(read=None, min_rate=None))
    try:
        with Limit(watch, None, "") as limit:
            return await read_body(answer, limit, BOUND)
    except (ConnectionFailedError, UnexpectedResponseError) as error:
        return error


def _expected(body: bytes, coding: str | None, status: int) -> bytes | type[Exception] | tuple[type[Exception], ...]:
    """Return the body, or which errors there may be."""
    named = (coding or "").strip().lower()
    if named not in {"gzip", "x-gzip"}:
        if not body or named in {"", "identity"}:
            return body if len(body) <= BOUND or status >= 400 else UnexpectedResponseError
        return UnexpectedResponseError
    if not body:
        return b""
    stream = zlib.decompressobj(31)
    try:
        plain = stream.decompress(body)
    except zlib.error:
        return UnexpectedResponseError, ConnectionFailedError
    if len(plain) > BOUND or stream.unused_data:
        return UnexpectedResponseError
    return plain if stream.eof else ConnectionFailedError


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Code other content, or let the code go wrong in one place."""
    content = rng.choice((b"", b"{}", rng.randbytes(rng.randrange(300)), b"ab" * rng.randrange(9000)))
    coded = bytearray(gzip.compress(content, rng.choice((0, 1, 9)), mtime=0))
    if rng.random() < 0.5:
        at = rng.randrange(len(coded))
        coded[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
    return (
        bytes([rng.randrange(len(CHOICES)), rng.randrange(256)]) + bytes(coded) + rng.choice((b"", b"", b"x", data[:9]))
    )
