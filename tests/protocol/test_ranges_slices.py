"""Slices of a blob that stays in storage: what is requested, and what each response means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.protocol.ranges import (
    Fail,
    Restart,
    RetryLater,
    SignAgain,
    Stream,
    Whole,
    decide_slice,
    parse_content_range,
    slice_headers,
)
from tests.kits.protocol import NOW, answer, answers

ETAG = '"0x8DC"'


def _serve(blob: bytes, headers: dict[str, str], at_most: int) -> tuple[object, bytes]:
    """Respond as Azure does, but with no more than ``at_most`` bytes."""
    if headers.get("If-Match", ETAG) != ETAG:
        return answer(412), b""
    first, last = map(int, headers["Range"].removeprefix("bytes=").split("-"))
    if first >= len(blob):
        return answer(416, content_range=f"bytes */{len(blob)}"), b""
    last = min(last, len(blob) - 1, first + at_most - 1)
    got = answer(206, etag=ETAG, content_range=f"bytes {first}-{last}/{len(blob)}")
    return got, blob[first : last + 1]


@given(st.binary(max_size=60), st.integers(0, 70), st.integers(1, 70), st.integers(1, 20))
def test_slices_put_together_are_the_slice(blob, start, length, at_most):
    """However little a response brings, and wherever the blob ends, the pieces are exactly what was requested."""
    found, at, etag, end = b"", start, None, start + length
    while at < end:
        got, body = _serve(blob, slice_headers(at, end - 1, etag), at_most)
        decision = decide_slice(at, etag, got, now=lambda: NOW)
        assert isinstance(decision, Stream)
        assert (decision.offset, decision.length, decision.total) == (at, len(body), len(blob))
        if not decision.length:
            break
        found, at, etag = found + body, at + len(body), decision.etag
    assert found == blob[start:end]


@pytest.mark.parametrize(
    ("etag", "status", "headers", "decision"),
    [
        (None, 206, {"content_range": "bytes 3-9/20"}, Stream(offset=3, length=7, total=20, etag=None)),
        (None, 206, {"content_range": "bytes 3-9/20", "etag": ETAG}, Stream(offset=3, length=7, total=20, etag=ETAG)),
        (ETAG, 206, {"content_range": "bytes 3-5/6"}, Stream(offset=3, length=3, total=6, etag=ETAG)),
        (None, 416, {"content_range": "bytes */2"}, Stream(offset=3, length=0, total=2, etag=None)),
        (None, 416, {}, Stream(offset=3, length=0, total=None, etag=None)),
        (None, 200, {}, Whole()),
    ],
)
def test_responses_with_bytes(etag, status, headers, decision):
    """The range requested, its beginning at the end of the blob, or the whole blob."""
    assert decide_slice(3, etag, answer(status, **headers), now=lambda: NOW) == decision


@pytest.mark.parametrize("value", [None, "", "bytes 4-9/20", "bytes */20", "bytes 3-9/*", "bytes 9-3/20", "3-9/20"])
def test_a_206_of_another_range(value):
    """A 206 of another range, or without a valid Content-Range, is refused: its bytes are never used."""
    headers = {} if value is None else {"content_range": value}
    assert isinstance(decide_slice(3, None, answer(206, etag=ETAG, **headers), now=lambda: NOW), Fail)


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (200, {}, Whole),
        (206, {}, Fail),
        (206, {"content_range": "bytes 2-9/20"}, Fail),
        (206, {"content_range": "bytes 3-9/20", "etag": '"other"'}, Restart),
        (206, {"content_range": "bytes 3-9/20", "content_encoding": "gzip"}, Fail),
        (200, {"content_encoding": "gzip"}, Fail),
        (403, {}, SignAgain),
        (404, {}, Fail),
        (412, {}, Restart),
        (416, {}, Stream),
        (429, {"retry_after": "3"}, RetryLater),
        (503, {}, RetryLater),
    ],
)
def test_every_kind_of_answer(status, headers, kind):
    """Each has one meaning."""
    assert isinstance(decide_slice(3, ETAG, answer(status, **headers), now=lambda: NOW), kind)


def test_ranges_are_absolute():
    """First and last byte, both included, since Azure supports no suffixes; and of one blob, once its ETag is known."""
    for first, last in ((0, 0), (5, 9), (10**12, 10**12 + 5)):
        headers = slice_headers(first, last, ETAG)
        assert headers == {"Accept-Encoding": "identity", "Range": f"bytes={first}-{last}", "If-Match": ETAG}
    assert "If-Match" not in slice_headers(0, 1, None)


def test_content_range_of_a_refusal():
    """The total is stated although nothing is sent."""
    assert parse_content_range("bytes */7") == (None, None, 7)


@given(st.integers(0, 2**40), st.one_of(st.none(), st.just(ETAG)), answers)
def test_no_answer_breaks_the_decision(first, etag, got):
    """Any status and headers: one of the decisions, and a stream starts at the byte requested."""
    found = decide_slice(first, etag, got, now=lambda: NOW)
    assert isinstance(found, Stream | Whole | Restart | SignAgain | RetryLater | Fail)
    if isinstance(found, Stream):
        assert found.offset == first
