"""A differential fuzz: what a lane accepts, aiohttp reads the same. ``python -m tests.kits.lane_fuzz 1000000``."""

from __future__ import annotations

import asyncio
import random
import sys
from typing import TYPE_CHECKING, Any

from aiohttp.client_proto import ResponseHandler

from gh_artifacts_async.transport.bounds import headers_of
from gh_artifacts_async.transport.connections import READ_BUFFER
from gh_artifacts_async.transport.lane_heads import may_become_head, parse_head

if TYPE_CHECKING:
    from collections.abc import Callable

    Lines = list[bytes]

GITHUB = b"""HTTP/1.1 302 Found
Date: Fri, 09 Oct 2026 12:00:00 GMT
Content-Type: text/html; charset=utf-8
Content-Length: 0
Location: https://productionresultssa0.blob.core.windows.net/actions-results/x/y.zip?rscd=attachment%3B&sig=abc%3D
Server: github.com
X-GitHub-Media-Type: github.v3; format=json
x-github-api-version-selected: 2022-11-28
X-RateLimit-Limit: 5000
X-RateLimit-Remaining: 4999
X-RateLimit-Reset: 1791547200
X-RateLimit-Used: 1
X-RateLimit-Resource: core
Access-Control-Expose-Headers: ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, X-RateLimit-Reset
Access-Control-Allow-Origin: *
Strict-Transport-Security: max-age=31536000; includeSubdomains; preload
X-Frame-Options: deny
X-Content-Type-Options: nosniff
X-XSS-Protection: 0
Referrer-Policy: origin-when-cross-origin, strict-origin-when-cross-origin
Content-Security-Policy: default-src 'none'
Vary: Accept-Encoding, Accept, X-Requested-With
X-GitHub-Request-Id: C0DE:12AB:34CD:56EF:67890123
Link: <https://api.github.com/x?page=2>; rel="next"
Cache-Control: no-cache
X-Request-Id: 00000000-0000-0000-0000-000000000000

"""
AZURE = b"""HTTP/1.1 200 OK
Content-Length: 20
Content-Type: application/zip
Last-Modified: Fri, 09 Oct 2026 12:00:00 GMT
Accept-Ranges: bytes
ETag: "0x8DC2A3B4C5D6E7F"
Server: Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0
x-ms-request-id: 00000000-001e-0000-0000-000000000000
x-ms-version: 2025-11-05
x-ms-creation-time: Fri, 09 Oct 2026 12:00:00 GMT
x-ms-lease-status: unlocked
x-ms-lease-state: available
x-ms-blob-type: BlockBlob
Content-Disposition: attachment; filename="docs.zip"
x-ms-server-encrypted: true
Date: Fri, 09 Oct 2026 12:00:00 GMT

"""
S3 = b"""HTTP/1.1 200 OK
x-amz-id-2: abc/def+ghi=
x-amz-request-id: 0123456789ABCDEF
Date: Fri, 09 Oct 2026 12:00:00 GMT
Last-Modified: Fri, 09 Oct 2026 11:00:00 GMT
ETag: "d41d8cd98f00b204e9800998ecf8427e-1"
x-amz-server-side-encryption: AES256
Accept-Ranges: bytes
Content-Type: application/zip
Server: AmazonS3
Content-Length: 20

"""
SHORT = b"""HTTP/1.1 200 OK
Server: nginx
Date: Fri, 09 Oct 2026 12:00:00 GMT
Content-Type: application/octet-stream
Content-Length: 20
Connection: keep-alive
ETag: "67-14"

"""
HEADS = [head.replace(b"\n", b"\r\n") for head in (GITHUB, AZURE, S3, SHORT)]

_BYTES = b'\r\n\0\t\x0b\x0c\x1f\x20\x7f\x80\xa0\xc3\xff:;,="(){}@/\\0123456789abcXYZ-_.'
_FIELDS = [
    *(b"Transfer-Encoding: " + value for value in (b"chunked", b"identity", b"", b"gzip, chunked", b"xchunked")),
    *(b"Content-Encoding: " + value for value in (b"gzip", b"identity", b"", b"br", b"Identity ", b"identity, gzip")),
    *(b"Connection: " + value for value in (b"close", b"Close", b"keep-alive", b"upgrade", b"close, x", b"", b"x")),
    *(b"Content-Length: " + value for value in (b"20", b"+20", b" 20 ", b"020", b"20,20", b"20, 20", b"0x14", b"")),
    *(b"Content-Length:" + value for value in (b"20", b"0", b"\t7\t", b"-1", b"1e1", b"99999999999999999999", b"2 0")),
    *(b"Upgrade: h2c", b"Trailer: ETag", b"Keep-Alive: timeout=5", b"Proxy-Connection: close", b"Set-Cookie: a=b"),
    *(b"Link: <x>; rel=last", b'ETag: W/"x"', b"Vary: *", b"Server: x", b"Location: /y", b"Date:", b"X:\t y \t"),
    *(b"X : y", b": y", b"X", b"", b" X: y", b"\tX: y", b"X(y): z", b"X\0: y", b"X: a\0b", b"X: a\rb", b"X: \xc3\xa4"),
    *(b"Content-Range: bytes 0-1/2", b"Host: x", b"User-Agent: y", b"Sec-WebSocket-Accept: x", b"Expect: 100-continue"),
]
_STARTS = [
    *(b"HTTP/1.1 %d Reason" % status for status in (100, 101, 103, 199, 200, 204, 206, 302, 304, 404, 500, 999, 1000)),
    *(
        b"HTTP/1.0 200 OK",
        b"HTTP/2.0 200 OK",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1  200 OK",
        b"http/1.1 200 OK",
    ),
    *(
        b"HTTP/1.1 200\tOK",
        b"HTTP/1.1 200 O\tK",
        b"HTTP/1.1 200 \xe4",
        b"ICY 200 OK",
        b" HTTP/1.1 200 OK",
        b"HTTP/1.1 20 OK",
    ),
    *(b"HTTP/1.10 200 OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1 2000 OK", b"HTTP/01.1 200 OK", b"", b"HTTP/1.1 200 OK\0"),
]


def _byte(rng: random.Random, data: bytes) -> bytes:
    """Insert, replace or remove one byte."""
    at, byte = rng.randrange(len(data) + 1), bytes([rng.choice(_BYTES)])
    return data[:at] + rng.choice((byte, byte, b"")) + data[at + rng.choice((0, 1)) :]


def _lines(rng: random.Random, lines: Lines) -> None:
    """Change one line."""
    at = rng.randrange(len(lines))
    what = rng.randrange(8)
    if what == 0:
        lines.insert(at + 1, lines[at])
    elif what == 1 and len(lines) > 2:
        del lines[at]
    elif what == 2:
        lines[at] = lines[at].swapcase()
    elif what == 3:
        lines[0] = rng.choice(_STARTS)
    elif what == 4:
        lines[at] += rng.choice((b"\r\n x", b"\r\n\tx", b"\n", b" ", b"\t", b"\r"))
    elif what == 5 and rng.random() < 0.1:
        lines.insert(at + 1, b"X: " + b"y" * rng.randrange(7900, 8300))
    elif what == 6 and rng.random() < 0.05:
        lines[1:1] = [b"X-%d: y" % number for number in range(rng.randrange(80, 140))]
    else:
        lines.insert(at + 1, rng.choice(_FIELDS))


def mutated(rng: random.Random) -> bytes:
    """Return a head that is real, or nearly so."""
    lines = rng.choice(HEADS)[:-4].split(b"\r\n")
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3, 4))):
        _lines(rng, lines)
    data = rng.choice((b"\r\n",) * 30 + (b"\n", b"\r", b"\r\r\n")).join(lines) + b"\r\n\r\n"
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        data = _byte(rng, data)
    return data


class _Answer:
    """What headers_of() looks at."""

    def __init__(self, headers: Any) -> None:
        self.headers = headers


def read_by_aiohttp(data: bytes, loop: Any) -> Callable[[], tuple[Any, ...]] | None:
    """Return what aiohttp makes of a response: status, headers, whether it closes, and the body; None for an error."""
    handler = ResponseHandler(loop)
    handler.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=READ_BUFFER)
    try:
        messages, _, _ = handler._parser.feed_data(data)
    except Exception:  # noqa: BLE001 - whatever it finds wrong
        return None
    if len(messages) != 1:
        return None
    ((message, payload),) = messages
    complete = payload.is_eof()

    def found() -> tuple[Any, ...]:
        body = b"".join(iter(lambda: payload.read_nowait(-1), b""))
        return message.code, headers_of(_Answer(message.headers)), not message.should_close, complete, body

    return found


def check(rng: random.Random, loop: Any) -> bool:
    """Check one case; whether a lane accepts it.

    Raises:
        AssertionError: aiohttp reads something else.
    """
    data = mutated(rng)
    end = data.find(b"\r\n\r\n")
    head = data[: end + 4] if end >= 0 else data
    prefix = data[: rng.randrange(1, max(2, len(head) - 3))]
    if may_become_head(prefix) and b"\r\n\r\n" not in prefix:
        handler = ResponseHandler(loop)
        handler.set_response_params(read_until_eof=True, auto_decompress=False, read_bufsize=READ_BUFFER)
        try:
            assert not handler._parser.feed_data(prefix)[0], prefix
        except AssertionError:
            raise
        except Exception:  # noqa: BLE001, S110 - a lane waits for the end of the head, and then aiohttp says so
            pass
    found = parse_head(head)
    if found is None or found.status not in {200, 302} or found.length > 100_000:
        return False
    body = rng.choice((rng.randbytes(found.length), (SHORT * (found.length // len(SHORT) + 1))[: found.length]))
    theirs = read_by_aiohttp(head + body, loop)
    assert theirs is not None, head
    assert theirs() == (found.status, found.headers, found.keep, True, body), head
    return True


def main(count: int, seed: int) -> None:
    """Check so many cases."""
    loop = asyncio.new_event_loop()
    rng = random.Random(seed)  # noqa: S311 - a seed that can be given again
    accepted = 0
    for number in range(1, count + 1):
        accepted += check(rng, loop)
        if number % 100_000 == 0 or number == count:
            print(f"seed {seed}: {number} cases, {accepted} accepted, no difference", flush=True)  # noqa: T201
    loop.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
