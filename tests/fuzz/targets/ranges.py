"""Content-Range and what is decided by it: the grammar of RFC 9110 section 14.4, and bytes that fit together."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.protocol.ranges import (
    Done,
    Fail,
    LocalState,
    Restart,
    RetryLater,
    SignAgain,
    Stream,
    Whole,
    decide,
    decide_slice,
    parse_content_range,
)
from gh_artifacts_async.protocol.responses import Response
from gh_artifacts_async.protocol.validators import content_length, strong_etag
from tests.fuzz.inputs import lines, taken
from tests.fuzz.tally import note

LONGEST = 1024
NOW = datetime(2026, 10, 9, 12, tzinfo=UTC)
STATUSES = [200, 206, 416, 412, 206, 206, 403, 404, 408, 429, 500, 503, 400, 301, 304, 999]
STATES = [
    LocalState(),
    LocalState(offset=100, total=300, etag='"a"'),
    LocalState(offset=100, etag='"a"', verifiable=False),
    LocalState(offset=300, total=300, etag='"a"'),
    LocalState(offset=100),
]
CHOICES = [(status, state) for status in STATUSES for state in range(len(STATES))]
NAMES = (
    "content-range",
    "content-length",
    "etag",
    "content-encoding",
    "transfer-encoding",
    "retry-after",
    "x-ms-error-code",
)
WORDS: tuple[bytes, ...] = (
    b"bytes ",
    b"bytes 100-299/300",
    b"bytes */300",
    b"bytes 100-/300",
    b"-",
    b"/",
    b"*",
    b"\n",
    b'"a"',
)
WORDS += (b'W/"a"', b"gzip", b"chunked", b"identity", b"<Code>AuthenticationFailed</Code>", b"<html")
WORDS += (b"Request has expired", b"999999999999999999", b"\xd9\xa1", b"\xc2\xb2", b"1_0", b"+1", b"0x1")
WORDS += (b"\xc2\xa0", b"1e3", b"Bytes", b"items", b", ", b"bytes=0-1")
_STRICT = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (?:([0-9]+)-([0-9]+)/([0-9]+|\*)|\*/([0-9]+))", re.ASCII)
_MOST_DIGITS = 18


def seeds() -> list[bytes]:
    """Return answers of storages to a range, and wrong ones."""
    answers = [
        ["bytes 100-299/300", "200", '"a"'],
        ["bytes 100-299/*", "200", '"b"'],
        ["bytes 100-199/300", "100", ""],
        ["bytes 0-299/300", "300", '"a"'],
        ["bytes 100-300/300", "201", '"a"'],
        ["bytes 100-300/*", "", '"a"'],
        ["bytes */300", "0", ""],
        ["bytes */*", "", ""],
        ["bytes 20118-20117/20118", "0", ""],
        ["bytes 300-100/300", "", ""],
        ["", "300", '"a"', "gzip"],
        ["", "", '"a"', "identity", "chunked"],
        ["", "", "", "", "", "120", "AuthenticationFailed", "<Error><Code>AuthenticationFailed</Code></Error>"],
        ["", "", "", "", "", "Fri, 09 Oct 2026 12:01:00 GMT", "", "<html>uri expired"],
    ]
    return [
        bytes([number]) + "\n".join(answer).encode() for answer in answers for number in range(0, len(CHOICES), 7)
    ] + [bytes([number]) + "\n".join(answers[number % 4]).encode() for number in range(len(CHOICES))]


def fuzz(data: bytes) -> None:
    """Decide what to do with an answer, for a whole download and for a slice."""
    (status, number), rest = taken(data, CHOICES)
    *values, body = lines(rest, len(NAMES) + 1)
    headers = {name: value for name, value in zip(NAMES, values, strict=True) if value}
    response = Response(status=status, headers=headers, body=body.encode("utf-8", "surrogateescape"), url="https://x/y")
    _grammar(headers.get("content-range", ""))
    _validators(response)
    _whole(STATES[number], response)
    _slice(STATES[number], response)


def _grammar(value: str) -> None:
    found = parse_content_range(value)
    match = _STRICT.fullmatch(value.strip())
    if found is None:
        if match is None or match[1].lower() != "bytes" or any(len(it) > _MOST_DIGITS for it in match.groups() if it):
            return
        assert match[2] is not None  # an unsatisfied range always makes sense
        assert int(match[3]) < int(match[2]) or (match[4] != "*" and int(match[4]) <= int(match[3]))
        return
    note("a range")
    first, last, total = found
    if found == (None, None, None):
        assert re.fullmatch(r"bytes \*/\*", value.strip(), re.IGNORECASE)  # which says nothing, and is taken as such
        return
    assert match is not None
    assert match[1].lower() == "bytes"
    if first is None:
        assert (last, total) == (None, int(match[5]))
    else:
        assert last is not None
        assert (first, last, total) == (int(match[2]), int(match[3]), None if match[4] == "*" else int(match[4]))
        assert first <= last
        assert total is None or last < total


def _validators(response: Response) -> None:
    etag = strong_etag(response.headers)
    assert etag is None or re.fullmatch(r'"[\x20-\x7e]+"', etag)  # safe in a header that is sent
    length = content_length(response)
    assert length is None or 0 <= length < 10**_MOST_DIGITS
    code = ranges.error_code(response)
    assert code is None or (len(code) <= 64 and code.isprintable() and code.isascii())
    if ranges.says_expired(response):
        assert response.status in {400, 401, 403, 404, 410}


def _whole(have: LocalState, response: Response) -> None:
    found = decide(have, response, now=lambda: NOW)
    note(f"whole: {type(found).__name__}")
    if isinstance(found, Stream):
        assert response.status in {200, 206}
        assert found.offset in {0, have.offset}
        assert (response.status == 206) == (found.offset > 0)
        _fits(found)
        if found.offset:
            assert have.resumable
            assert found.etag == have.etag
            given = strong_etag(response.headers)
            assert given == have.etag or (given is None and have.verifiable)
            stated = parse_content_range(response.headers["content-range"])
            assert stated is not None
            assert stated[0] == have.offset
            assert have.total in {None, found.total}
    elif isinstance(found, Done):
        assert response.status == 416
        assert have.offset > 0
    else:
        _says_why(found)


def _slice(have: LocalState, response: Response) -> None:
    found = decide_slice(have.offset, have.etag, response, now=lambda: NOW)
    note(f"slice: {type(found).__name__}")
    if isinstance(found, Stream):
        assert response.status in {206, 416}
        assert found.offset == have.offset
        if response.status == 206:
            _fits(found)
            assert found.length
            assert have.etag in {None, found.etag}
    elif isinstance(found, Whole):
        assert response.status == 200
    else:
        _says_why(found)


def _fits(found: Stream) -> None:
    assert found.length is None or found.length >= 0
    if found.length is not None and found.total is not None:
        assert found.offset + found.length <= found.total


def _says_why(found: object) -> None:
    assert isinstance(found, Restart | SignAgain | RetryLater | Fail)
    if isinstance(found, RetryLater):
        assert found.wait is None or 0 <= found.wait < math.inf
    else:
        assert found.reason.isprintable()
