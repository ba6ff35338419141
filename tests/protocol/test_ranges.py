"""Resuming, section by section of RFC 9110."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.protocol.ranges import (
    Done,
    Fail,
    LocalState,
    Restart,
    RetryLater,
    SignAgain,
    Stream,
    decide,
    error_code,
    parse_content_range,
    request_headers,
)
from tests.kits.protocol import NOW, answer, answers, values

ETAG = '"0x8DC"'
NOTHING = LocalState()
FIVE = LocalState(offset=5, total=10, etag=ETAG)
UNKNOWN_TOTAL = LocalState(offset=5, etag=ETAG)
NO_ETAG = LocalState(offset=5, total=10)
AZURE_EXPIRED = (
    "<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Signature not valid in "
    "the specified time frame: Start [a] - Expiry [b] - Current [c]</AuthenticationErrorDetail></Error>"
)
AZURE_REFUSED = "<Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate</Message></Error>"


def _decided(have, status, body="", **headers):
    return decide(have, answer(status, body, **headers), now=lambda: NOW)


# --- section 14.2: Range; 13.1.1: If-Match


@pytest.mark.parametrize(
    ("have", "headers"),
    [
        (NOTHING, {"Accept-Encoding": "identity"}),
        (LocalState(etag=ETAG), {"Accept-Encoding": "identity"}),
        (NO_ETAG, {"Accept-Encoding": "identity"}),
        (FIVE, {"Accept-Encoding": "identity", "Range": "bytes=5-", "If-Match": ETAG}),
    ],
)
def test_what_is_asked_for(have, headers):
    """A range only with a condition on what it belongs to; never another coding than the stored bytes."""
    assert request_headers(have) == headers


# --- section 15.3.1: 200


@pytest.mark.parametrize(
    ("have", "headers", "stream"),
    [
        (NOTHING, {"content_length": "10", "etag": ETAG}, Stream(offset=0, length=10, total=10, etag=ETAG)),
        (NOTHING, {"content_length": "10", "etag": 'W/"x"'}, Stream(offset=0, length=10, total=10, etag=None)),
        (NOTHING, {}, Stream(offset=0, length=None, total=None, etag=None)),
        (NOTHING, {"content_length": "-1"}, Stream(offset=0, length=None, total=None, etag=None)),
        (NOTHING, {"content_length": "5, 5"}, Stream(offset=0, length=None, total=None, etag=None)),
        (
            NOTHING,
            {"content_length": "10", "transfer_encoding": "chunked"},
            Stream(offset=0, length=None, total=None, etag=None),
        ),
        (
            NOTHING,
            {"content_length": "0", "content_encoding": "identity"},
            Stream(offset=0, length=0, total=0, etag=None),
        ),
        (FIVE, {"content_length": "10"}, Stream(offset=0, length=10, total=10, etag=None)),
    ],
)
def test_200_is_the_whole(have, headers, stream):
    """Also in response to a range: the bytes on disk are discarded."""
    assert _decided(have, 200, **headers) == stream


# --- section 15.3.7: 206


@pytest.mark.parametrize(
    ("have", "headers", "stream"),
    [
        (FIVE, {"content_range": "bytes 5-9/10", "etag": ETAG}, Stream(offset=5, length=5, total=10, etag=ETAG)),
        (FIVE, {"content_range": "bytes 5-9/10"}, Stream(offset=5, length=5, total=10, etag=ETAG)),
        (FIVE, {"content_range": "Bytes 5-9/10"}, Stream(offset=5, length=5, total=10, etag=ETAG)),
        (FIVE, {"content_range": "bytes 5-7/10"}, Stream(offset=5, length=3, total=10, etag=ETAG)),
        (FIVE, {"content_range": "bytes 5-9/*"}, Stream(offset=5, length=5, total=10, etag=ETAG)),
        (
            FIVE,
            {"content_range": "bytes 5-9/10", "content_length": "5"},
            Stream(offset=5, length=5, total=10, etag=ETAG),
        ),
        (FIVE, {"content_range": "bytes 5-9/10", "etag": 'W/"x"'}, Stream(offset=5, length=5, total=10, etag=ETAG)),
        (UNKNOWN_TOTAL, {"content_range": "bytes 5-9/10"}, Stream(offset=5, length=5, total=10, etag=ETAG)),
        (UNKNOWN_TOTAL, {"content_range": "bytes 5-9/*"}, Stream(offset=5, length=5, total=None, etag=ETAG)),
    ],
)
def test_206_that_fits(have, headers, stream):
    """The part that was asked for, or its beginning."""
    assert _decided(have, 206, **headers) == stream


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "multipart/byteranges; boundary=x"},
        {"content_range": "bytes 4-9/10"},
        {"content_range": "bytes 0-9/10"},
        {"content_range": "bytes 5-10/11"},
        {"content_range": "bytes 9-5/10"},
        {"content_range": "bytes 5-10/10"},
        {"content_range": "bytes */10"},
        {"content_range": "bytes 5-10/*"},
        {"content_range": "items 5-9/10"},
        {"content_range": "bytes=5-9/10"},
        {"content_range": "bytes 5-9/10, bytes 5-9/10"},
        {"content_range": "bytes 5-9/10", "etag": '"other"'},
        {"content_range": "bytes 5-9/10", "content_length": "4"},
    ],
)
def test_206_that_does_not_fit(headers):
    """Another start, total, ETag or length, several parts, or an invalid one: start from 0."""
    assert isinstance(_decided(FIVE, 206, **headers), Restart)


@pytest.mark.parametrize("have", [NOTHING, NO_ETAG])
def test_206_that_nobody_asked_for(have):
    """A part where the whole was asked for is storage's fault."""
    assert isinstance(_decided(have, 206, content_range="bytes 0-9/10"), Fail)


@pytest.mark.parametrize("status", [200, 206])
@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "x" * 1000])
def test_a_coding_that_nobody_asked_for(status, coding):
    """Offsets and digests are of the stored bytes."""
    found = _decided(FIVE, status, content_encoding=coding, content_range="bytes 5-9/10")
    assert isinstance(found, Fail)
    assert len(found.reason) < 100


# --- section 15.5.13: 412; 15.5.17: 416


def test_412_means_other_bytes():
    """The condition failed: start from 0."""
    assert isinstance(_decided(FIVE, 412), Restart)


@pytest.mark.parametrize(
    ("have", "headers", "done"),
    [
        (LocalState(offset=10, total=10, etag=ETAG), {"content_range": "bytes */10"}, True),
        (LocalState(offset=10, total=10, etag=ETAG), {}, True),
        (LocalState(offset=10, etag=ETAG), {"content_range": "bytes */10"}, True),
        (LocalState(offset=10, etag=ETAG), {}, False),
        (LocalState(offset=12, total=12, etag=ETAG), {"content_range": "bytes */10"}, False),
        (LocalState(offset=12, etag=ETAG), {"content_range": "bytes */10"}, False),
        (FIVE, {"content_range": "bytes */10"}, False),
        (FIVE, {"content_range": "nonsense"}, False),
        (NOTHING, {"content_range": "bytes */0"}, False),
    ],
)
def test_416_is_all_or_too_much(have, headers, done):
    """What is on disk is complete exactly if storage's total says so."""
    assert isinstance(_decided(have, 416, **headers), Done if done else Restart)


# --- refusals


@pytest.mark.parametrize(
    ("status", "body", "headers", "expired", "code"),
    [
        (403, AZURE_EXPIRED, {"x_ms_error_code": "AuthenticationFailed"}, True, "AuthenticationFailed"),
        (403, AZURE_EXPIRED, {}, True, "AuthenticationFailed"),
        (403, AZURE_REFUSED, {}, False, "AuthenticationFailed"),
        (403, '{"count":11,"value":"Uri expired"}', {}, True, None),
        (400, '{"count":11,"value":"Uri expired"}', {}, True, None),
        (404, '{"count":11,"value":"Uri expired"}', {}, True, None),
        (
            403,
            "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
            {},
            True,
            "AccessDenied",
        ),
        (400, "<Error><Code>ExpiredToken</Code></Error>", {}, True, "ExpiredToken"),
        (403, "", {}, False, None),
        (401, '{"count":1,"value":"Uri signature is invalid"}', {}, False, None),
        (410, "<html><h1>410 Gone</h1></html>", {}, False, None),
        (403, b"\xff\x00", {"x_ms_error_code": "\x1b"}, False, None),
    ],
)
def test_a_refused_url_is_signed_again(status, body, headers, expired, code):
    """401, 403 and 410, and expiry in the words of Azure, the v3 pipelines and S3."""
    found = _decided(FIVE, status, body, **headers)
    assert isinstance(found, SignAgain)
    assert (found.expired, found.status, found.code) == (expired, status, code)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_storages_own_trouble_is_waited_out(status):
    """With its Retry-After, in seconds or as a date."""
    assert _decided(FIVE, status) == RetryLater(status=status, code=None, wait=None)
    busy = "<Error><Code>ServerBusy</Code></Error>"
    assert _decided(FIVE, status, busy, retry_after="3") == RetryLater(status=status, code="ServerBusy", wait=3)
    assert _decided(FIVE, status, retry_after="Thu, 09 Jul 2026 12:47:54 GMT").wait == 10


@pytest.mark.parametrize("status", [400, 402, 404, 405, 409, 418, 451])
def test_what_nothing_helps_against(status):
    """Other refusals are final; that the artifact is not there is said by 404 alone."""
    found = _decided(FIVE, status, x_ms_error_code="BlobNotFound")
    reason = "the artifact is not there" if status == 404 else ""
    assert found == Fail(status=status, code="BlobNotFound", reason=reason)


@pytest.mark.parametrize("status", [500, 503])
def test_expiry_is_read_in_refusals_only(status):
    """The same words in a 5xx mean nothing."""
    assert isinstance(_decided(FIVE, status, "uri expired"), RetryLater)


@pytest.mark.parametrize(
    ("header", "body", "code"),
    [
        ("ServerBusy", "<Code>Other</Code>", "ServerBusy"),
        ("x" * 100, "", "x" * 64),
        ("", "<Code>A-b.c_1</Code>", "A-b.c_1"),
        ("", "<Code>with space</Code>", None),
        ("", "<Code>" + "x" * 65 + "</Code>", None),
        ("é", "", None),
    ],
)
def test_error_codes(header, body, code):
    """Azure's header, else the XML; nothing that could not be printed."""
    assert error_code(answer(503, body, x_ms_error_code=header)) == code


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("bytes 0-0/1", (0, 0, 1)),
        (" bytes 0-0/* ", (0, 0, None)),
        ("bytes */5", (None, None, 5)),
        ("bytes */*", (None, None, None)),
        ("bytes 1-0/5", None),
        ("bytes 0-5/5", None),
        ("bytes -5/5", None),
        ("bytes 0-/5", None),
        ("bytes 0-0/1/1", None),
        ("bytes \u0660-\u0660/\u0661", None),
        ("bytes 0-" + "9" * 19 + "/*", None),
        (None, None),
        ("", None),
    ],
)
def test_content_ranges(value, found):
    """Section 14.4, in numbers that fit."""
    assert parse_content_range(value) == found


# --- properties

haves = st.builds(
    LocalState,
    offset=st.integers(0, 2**40),
    total=st.one_of(st.none(), st.integers(0, 2**40)),
    etag=st.one_of(st.none(), st.just(ETAG)),
)


@given(haves, answers)
def test_no_answer_breaks_the_decision(have, got):
    """Any status and headers: one of the decisions, and a stream never starts beyond what is there."""
    found = decide(have, got, now=lambda: NOW + timedelta(days=1))
    assert isinstance(found, Stream | Done | Restart | SignAgain | RetryLater | Fail)
    if isinstance(found, Stream):
        assert found.offset in {0, have.offset}
        assert found.length is None or found.length >= 0
    if isinstance(found, Done):
        assert have.offset > 0


@given(values)
def test_no_text_breaks_a_content_range(text):
    """A range is sane or none."""
    found = parse_content_range(text)
    if found is not None and found[0] is not None:
        assert found[0] <= found[1]


def test_what_can_be_resumed():
    """Only a state with bytes and a validator."""
    assert FIVE.resumable
    assert not NO_ETAG.resumable
    assert not NOTHING.resumable
    assert ranges.request_headers(FIVE)["If-Match"] == ETAG
