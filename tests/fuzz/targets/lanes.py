"""A lane's reading of a response head: what it accepts, both of aiohttp's parsers read the same."""

from __future__ import annotations

import random
from typing import Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_parser import HttpResponseParserPy

from gh_artifacts_async.transport.bounds import headers_of
from gh_artifacts_async.transport.connections import READ_BUFFER
from gh_artifacts_async.transport.lane_heads import may_become_head, parse_head
from tests.fuzz import scratch
from tests.fuzz.tally import note
from tests.kits.lane_fuzz import HEADS, mutated

LONGEST = 16384
STRUCTURED = 0.7
WORDS: tuple[bytes, ...] = (b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"HTTP/1.1 200 OK\r\n", b"Content-Length: ")
WORDS += (b"Transfer-Encoding: chunked\r\n", b":", b"Connection: close\r\n", b"Content-Encoding: gzip\r\n")
WORDS += (b"Upgrade: h2c\r\n", b"Trailer: x\r\n", b"Link: <x>\r\n", b"\t", b" ", b"Content-Length: 20\r\n")
WORDS += (b"content-length: 0\r\n", b"Connection: keep-alive\r\n", b"HTTP/1.1 302 Found\r\n", b"\0", b"\x0b")
_LONGEST_BODY = 100_000


def seeds() -> list[bytes]:
    """Return heads of several servers; the first byte says where one is cut, the second what its body is."""
    rng = random.Random(1)  # noqa: S311 - the same each time
    return [bytes([number, number]) + head for number, head in enumerate(HEADS)] + [
        bytes([number, number]) + mutated(rng) for number in range(60)
    ]


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Change lines of a head that is real."""
    return rng.randbytes(2) + mutated(rng) if rng.random() < 0.8 else rng.randbytes(2) + data[2:]


def _c_parser() -> Any:
    handler = ResponseHandler(scratch.loop())
    handler.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=READ_BUFFER)
    return handler._parser


def _python_parser() -> Any:
    handler = ResponseHandler(scratch.loop())
    return HttpResponseParserPy(
        handler,
        scratch.loop(),
        READ_BUFFER,
        response_with_body=True,
        read_until_eof=True,
        auto_decompress=False,
    )


class _Answer:
    """What headers_of() looks at."""

    def __init__(self, headers: Any) -> None:
        self.headers = headers


def _read(parser: Any, data: bytes) -> tuple[Any, ...] | None:
    """Return what a parser makes of a response; None for an error, or if there is not exactly one."""
    try:
        messages, _, _ = parser.feed_data(data)
    except Exception:  # noqa: BLE001 - whatever it finds wrong
        return None
    if len(messages) != 1:
        return None
    ((message, payload),) = messages
    complete = payload.is_eof()
    body = b"".join(iter(lambda: payload.read_nowait(-1), b"")) if complete else b""
    return message.code, headers_of(_Answer(message.headers)), not message.should_close, complete, body


def fuzz(data: bytes) -> None:
    """Read a head with a lane's parser and with aiohttp's, and the beginning of it too."""
    cut, kind, data = *data[:2].ljust(2, b"\0"), data[2:]
    end = data.find(b"\r\n\r\n")
    head = data[: end + 4] if end >= 0 else data
    _waits(head[: 1 + cut * max(1, len(head) - 4) // 256])
    found = parse_head(head)
    if found is None:
        note("left to aiohttp")
        return
    assert end >= 0
    assert may_become_head(head[:-4])
    assert 100 <= found.status <= 599
    assert found.length >= 0
    if found.status not in {200, 302} or found.length > _LONGEST_BODY:
        note("another status, or too long")
        return
    note("a good answer")
    body = (bytes([kind]) + HEADS[kind % len(HEADS)]) * (found.length // 100 + 1)
    body = body[: found.length]
    expected = (found.status, found.headers, found.keep, True, body)
    assert _read(_c_parser(), head + body) == expected
    assert _read(_python_parser(), head + body) == expected


def _waits(prefix: bytes) -> None:
    """Where a lane waits for more of a head, no parser of aiohttp's has seen a whole response."""
    if b"\r\n\r\n" in prefix or not may_become_head(prefix):
        return
    note("waits")
    for parser in (_c_parser(), _python_parser()):
        try:
            messages = parser.feed_data(prefix)[0]
        except Exception:  # noqa: BLE001, S112 - a lane waits for the end of the head, and then aiohttp says so
            continue
        assert not messages
