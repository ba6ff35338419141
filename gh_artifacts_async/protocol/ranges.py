"""Resuming a download: which Range and If-Match to send, what to do next, and whether the bytes are the artifact.

RFC 9110 sections 13.1.1 (If-Match), 14.2 (Range), 14.4 (Content-Range), 15.3.7 (206), 15.5.13 (412), 15.5.17 (416).
If-Match rather than If-Range: Azure does not document If-Range, and its emulator ignores it, which would join parts of
two blobs; a failed If-Match is a 412 and joins nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.errors import DigestMismatchError, IncompleteDownloadError, UnexpectedResponseError
from gh_artifacts_async.models.values import Value
from gh_artifacts_async.protocol.media_types import media_type
from gh_artifacts_async.protocol.throttling import http_date, retry_after, whole
from gh_artifacts_async.protocol.validators import IDENTITY, content_length, expected_sha256, strong_etag

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.protocol.filenames import Kind
    from gh_artifacts_async.protocol.responses import Response
    from gh_artifacts_async.results import Verified

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)", re.ASCII | re.IGNORECASE)
_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9_.-]{1,64})</Code>")
_OK, _PARTIAL, _NOT_FOUND, _PRECONDITION, _UNSATISFIABLE, _SERVER = 200, 206, 404, 412, 416, 500
_REFUSED = (401, 403, 410)  # the v3 pipelines' for a forged URL, everybody's, and nginx's for an expired one
_TRANSIENT = (408, 425, 429)
_MAY_HAVE_EXPIRED = (400, 401, 403, 404, 410)
_SKEW_MINUTES = 5
_EXPIRED = (b"not valid in the specified time frame", b"uri expired", b"request has expired", b"expiredtoken")


@attrs.frozen(kw_only=True)
class LocalState(Value):
    """How much of a download is on disk.

    Attributes:
        offset: bytes on disk.
        total: bytes of the whole; None while unknown.
        etag: storage's strong validator for the bytes on disk; None if it sent none.
        verifiable: a digest tells in the end whether the bytes are right.
    """

    offset: int = 0
    total: int | None = None
    etag: str | None = None
    verifiable: bool = True

    @property
    def resumable(self) -> bool:
        """Whether a range may be requested: there are bytes on disk, and a validator says which blob they are from."""
        return self.offset > 0 and self.etag is not None


@attrs.frozen(kw_only=True)
class Stream(Value):
    """The body holds the bytes from ``offset`` to the end, or to the end of the range.

    Attributes:
        offset: where it starts; 0 means that the bytes on disk must be discarded.
        length: bytes in this body; None if not stated.
        total: bytes of the whole; None if not stated.
        etag: the strong validator; None if there is none.
    """

    offset: int
    length: int | None
    total: int | None
    etag: str | None


@attrs.frozen(kw_only=True)
class Done(Value):
    """All bytes are on disk already."""


@attrs.frozen(kw_only=True)
class Restart(Value):
    """The bytes on disk are not from the blob that storage has now: discard them, and start from 0.

    Attributes:
        reason: one phrase for a person.
    """

    reason: str


@attrs.frozen(kw_only=True)
class SignAgain(Value):
    """Storage refuses the signed URL: request a new one.

    Attributes:
        reason: one phrase for a person.
        expired: storage says that the URL has expired.
        status: the HTTP status.
        code: storage's own error code.
    """

    reason: str
    expired: bool
    status: int
    code: str | None


@attrs.frozen(kw_only=True)
class RetryLater(Value):
    """Storage failed: wait, then resume.

    Attributes:
        status: the HTTP status.
        code: storage's own error code.
        wait: seconds it asks for; None if it does not say.
    """

    status: int
    code: str | None
    wait: float | None


@attrs.frozen(kw_only=True)
class Fail(Value):
    """An error that no retry can mend.

    Attributes:
        status: the HTTP status.
        code: storage's own error code.
        reason: one phrase for a person; "" where the status says it all.
    """

    status: int
    code: str | None
    reason: str


@attrs.frozen(kw_only=True)
class Whole(Value):
    """Storage sent the whole blob although a range was requested: it does not support ranges."""


Decision = Stream | Done | Restart | SignAgain | RetryLater | Fail
SliceDecision = Stream | Whole | Restart | SignAgain | RetryLater | Fail


def request_headers(have: LocalState) -> dict[str, str]:
    """Return the headers that request the missing bytes, or the whole if it cannot be resumed.

    The encoding is always identity: the digest is of the stored bytes.
    """
    headers = dict(IDENTITY)
    if have.offset and have.etag is not None:
        headers |= {"Range": f"bytes={have.offset}-", "If-Match": have.etag}
    return headers


def decide(have: LocalState, response: Response, *, now: Callable[[], datetime]) -> Decision:
    """Return what to do with storage's response.

    Args:
        have: what was on disk when the request was sent.
        response: status and headers; the body of an error only.
        now: the wall clock, asked for a ``Retry-After`` date in a response without ``Date``.
    """
    if "content-encoding" in response.headers and (coded := _coded(response)) is not None:
        return coded
    if response.status == _OK:
        length = None if "transfer-encoding" in response.headers else whole(response.headers.get("content-length"))
        return Stream(offset=0, length=length, total=length, etag=strong_etag(response.headers))
    if response.status == _PARTIAL:
        return _partial(have, response)
    if response.status == _PRECONDITION:
        return Restart(reason="the stored bytes have changed (412)")
    if response.status == _UNSATISFIABLE:
        return _unsatisfiable(have, response)
    return _refused(response, now)


def _coded(response: Response) -> Fail | None:
    """Refuse a content coding: it was not requested, and the digest and all offsets are of the stored bytes."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if response.status not in {_OK, _PARTIAL} or coding in {"", "identity"}:
        return None
    return Fail(
        status=response.status,
        code=None,
        reason=f"storage sent Content-Encoding {coding[:20]!r}, which was not requested",
    )


def slice_headers(first: int, last: int, etag: str | None) -> dict[str, str]:
    """Return the headers that request the bytes ``first`` to ``last``, both included.

    Both are always given: Azure supports neither suffix ranges nor several ranges in one request
    (https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations).
    """
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={first}-{last}"}
    return headers if etag is None else headers | {"If-Match": etag}


def decide_slice(first: int, etag: str | None, response: Response, *, now: Callable[[], datetime]) -> SliceDecision:
    """Return what to do with storage's response to :func:`slice_headers`; a slice may end early, where the blob ends.

    Args:
        first: the first byte requested.
        etag: the validator that was sent as If-Match; None if there was none.
        response: status and headers; the body of an error only.
        now: the wall clock, asked for a ``Retry-After`` date in a response without ``Date``.
    """
    if "content-encoding" in response.headers and (coded := _coded(response)) is not None:
        return coded
    if response.status == _OK:
        return Whole()
    if response.status == _PRECONDITION:
        return Restart(reason="the stored bytes have changed (412)")
    if response.status == _UNSATISFIABLE:
        found = parse_content_range(response.headers.get("content-range"))
        return Stream(offset=first, length=0, total=None if found is None else found[2], etag=etag)
    return _slice(first, etag, response) if response.status == _PARTIAL else _refused(response, now)


def _slice(first: int, etag: str | None, response: Response) -> SliceDecision:
    found = parse_content_range(response.headers.get("content-range"))
    if found is None or found[0] != first or found[1] is None or found[2] is None:
        reason = "storage's Content-Range is not the range requested"
        return Fail(status=response.status, code=None, reason=reason)
    here = strong_etag(response.headers)
    if etag is not None and here is not None and here != etag:
        return Restart(reason="the stored bytes have changed (ETag)")
    return Stream(offset=first, length=found[1] - first + 1, total=found[2], etag=here or etag)


def parse_content_range(value: str | None) -> tuple[int | None, int | None, int | None] | None:
    """Split ``bytes first-last/total`` into three numbers, None for a ``*``; None if the header is not like that."""
    match = _CONTENT_RANGE.fullmatch((value or "").strip())
    if match is None:
        return None
    first, last = (None, None) if match[1] is None else (int(match[1]), int(match[2]))
    total = None if match[3] == "*" else int(match[3])
    sane = first is None or last is None or (first <= last and (total is None or last < total))
    return (first, last, total) if sane else None


def _partial(have: LocalState, response: Response) -> Decision:
    if not have.resumable:
        return Fail(status=_PARTIAL, code=None, reason="storage sent a range although the whole file was requested")
    found = parse_content_range(response.headers.get("content-range"))
    first, last, total = found or (None, None, None)
    if first is None or last is None:
        return Restart(reason="storage's Content-Range is missing or invalid")
    if first != have.offset or (have.total is not None and (last >= have.total or total not in {None, have.total})):
        return Restart(reason="storage's Content-Range is not the range requested")
    etag = strong_etag(response.headers)
    # Without a digest, nothing would show that two blobs were spliced because If-Match was ignored.
    if etag != have.etag and (etag is not None or not have.verifiable):
        return Restart(reason="the stored bytes have changed, or storage does not say so (ETag)")
    length = content_length(response)
    span = last - have.offset + 1
    if length is not None and length != span:
        return Restart(reason="storage's Content-Length and Content-Range disagree")
    return Stream(offset=have.offset, length=span, total=total if total is not None else have.total, etag=have.etag)


def _unsatisfiable(have: LocalState, response: Response) -> Decision:
    """Range not satisfiable: everything is on disk already, or there is too much on disk."""
    found = parse_content_range(response.headers.get("content-range"))
    total = have.total if found is None or found[2] is None else found[2]
    if have.offset and total == have.offset:
        return Done()
    return Restart(reason="there are more bytes on disk than storage has (416)")


def _refused(response: Response, now: Callable[[], datetime]) -> SignAgain | RetryLater | Fail:
    code, expired = error_code(response), says_expired(response)
    if response.status in _REFUSED or expired:
        reason = "the signed URL has expired" if expired else "storage refused the signed URL"
        if code is None and _is_page(response):
            reason = "a web page came in place of storage's answer; is a proxy or firewall in the way?"
        reason += f" ({response.status} {code})" if code else f" ({response.status})"
        return SignAgain(reason=reason + _skew(response, now), expired=expired, status=response.status, code=code)
    if response.status >= _SERVER or response.status in _TRANSIENT:
        return RetryLater(status=response.status, code=code, wait=retry_after(response.headers, now))
    reason = "the artifact is not there" if response.status == _NOT_FOUND else ""
    return Fail(status=response.status, code=code, reason=reason)


def _skew(response: Response, now: Callable[[], datetime]) -> str:
    """Name a difference between this machine's clock and storage's that may be why signatures are refused."""
    theirs = http_date(response.headers.get("date"))
    if theirs is None:
        return ""
    minutes = round((now() - theirs).total_seconds() / 60)
    if abs(minutes) < _SKEW_MINUTES:
        return ""
    return f"; this machine's clock is {abs(minutes)} min {'ahead of' if minutes > 0 else 'behind'} storage's"


def _is_page(response: Response) -> bool:
    return b"<html" in response.body[:2000].lower() or media_type(response.headers.get("content-type")) == "text/html"


def error_code(response: Response) -> str | None:
    """Return storage's own code: Azure's header, else the XML's ``Code``; None if there is none."""
    header = response.headers.get("x-ms-error-code", "").strip()
    if header and header.isascii() and header.isprintable():
        return header[:64]
    match = _XML_CODE.search(response.body)
    return None if match is None else match[1].decode("ascii")


def says_expired(response: Response) -> bool:
    """Whether a refusal says that the URL has expired, in the words of Azure, the v3 pipelines or S3."""
    body = response.body.lower()
    return response.status in _MAY_HAVE_EXPIRED and not _is_page(response) and any(words in body for words in _EXPIRED)


def judge_content(
    artifact: Artifact, *, received: int, content_length: int | None, sha256: str, kind: Kind, ends_as_zip: bool
) -> Verified:
    """Return what the received bytes were checked against.

    Args:
        artifact: what they should be.
        received: how many there are.
        content_length: how many storage announced; None if it did not.
        sha256: their digest, lower-case hex.
        kind: what they are.
        ends_as_zip: they end with a zip's end record.

    Raises:
        DigestMismatchError: GitHub's digest is a different one.
        UnexpectedResponseError: a file that cannot be the artifact: no zip, no digest, and another length.
        IncompleteDownloadError: they are fewer than they should be, or a zip without its end.
    """
    expected = expected_sha256(artifact)
    if expected is not None:
        if sha256 == expected:
            return "digest"
        if received < artifact.size_in_bytes and content_length != received:
            raise IncompleteDownloadError(expected=artifact.size_in_bytes, received=received)
        msg = (
            f"artifact {artifact.id} ({artifact.name!r}): sha256 mismatch: GitHub says {expected}, "
            f"the {received} bytes that arrived have {sha256}; nothing was kept"
        )
        raise DigestMismatchError(msg, algorithm="sha256", expected=expected, actual=sha256)
    if content_length is not None and content_length == artifact.size_in_bytes == received:
        return "size"
    if kind == "raw" and content_length is None and received < artifact.size_in_bytes:
        raise IncompleteDownloadError(expected=artifact.size_in_bytes, received=received)
    if kind == "raw" and received != artifact.size_in_bytes:
        msg = (
            f"artifact {artifact.id} ({artifact.name!r}): storage sent a file of {received} bytes that is not a zip, "
            f"but the artifact has {artifact.size_in_bytes}; does a proxy or a firewall answer in its place?"
        )
        raise UnexpectedResponseError(msg)
    if kind == "zip" and not ends_as_zip:
        msg = f"artifact {artifact.id} ({artifact.name!r}): the zip ends after {received} bytes without its end record"
        raise IncompleteDownloadError(msg, expected=content_length, received=received)
    return "none"
