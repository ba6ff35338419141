"""RangeReader of a whole that stays with storage: what is asked for, and what any honest storage's answers come to."""

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
from tests.kits.protocol import NOW, answer

ETAG = '"0x8DC"'


def _serve(blob: bytes, headers: dict[str, str], at_most: int) -> tuple[object, bytes]:
    """Response as Azure does, but with no more than ``at_most`` bytes."""
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
    """However little an answer brings, and wherever the whole ends, the pieces are exactly what was asked for."""
    found, at, etag, end = b"", start, None, start + length
    while at < end:
        got, body = _serve(blob, slice_headers(at, end - 1, etag), at_most)
        decision = decide_slice(at, etag, got, now=NOW)
        assert isinstance(decision, Stream)
        assert (decision.offset, decision.length, decision.total) == (at, len(body), len(blob))
        if not decision.length:
            break
        found, at, etag = found + body, at + len(body), decision.etag
    assert found == blob[start:end]


@pytest.mark.parametrize("value", [None, "", "bytes 4-9/20", "bytes */20", "bytes 3-9/*", "bytes 9-3/20", "3-9/20"])
def test_a_part_that_does_not_say_what_it_is_is_no_part(value):
    """A 206 of another place, or of nothing that can be told, is refused: its bytes are never used."""
    headers = {} if value is None else {"content_range": value}
    assert isinstance(decide_slice(3, None, answer(206, etag=ETAG, **headers), now=NOW), Fail)


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (200, {}, Whole),
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
    assert isinstance(decide_slice(3, ETAG, answer(status, **headers), now=NOW), kind)


def test_ranges_are_absolute():
    """From a place to a place, both included: Azure knows no suffixes; and of one identity, once that is known."""
    for first, last in ((0, 0), (5, 9), (10**12, 10**12 + 5)):
        headers = slice_headers(first, last, ETAG)
        assert headers == {"Accept-Encoding": "identity", "Range": f"bytes={first}-{last}", "If-Match": ETAG}
    assert "If-Match" not in slice_headers(0, 1, None)


def test_content_range_of_a_refusal():
    """The total is told also where nothing is sent."""
    assert parse_content_range("bytes */7") == (None, None, 7)
