"""Resume decisions: Range and If-Match out; status and Content-Range in, and what to do next.

RFC 9110 sections 13.1.1 (If-Match), 14.2 (Range), 14.4 (Content-Range), 15.3.7 (206), 15.5.13 (412), 15.5.17 (416).
If-Match rather than If-Range: Azure does not document If-Range, and its emulator ignores it, which would splice two
blobs; a failed If-Match is a 412 and splices nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.protocol.throttling import retry_after, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gh_artifacts_async.protocol.responses import Response

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)", re.ASCII | re.IGNORECASE)
_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9_.-]{1,64})</Code>")
_OK, _PARTIAL, _PRECONDITION, _UNSATISFIABLE, _FORBIDDEN, _SERVER = 200, 206, 412, 416, 403, 500
_TRANSIENT = (408, 425, 429)
_REFUSALS = (400, 401, 403, 404, 410)
_EXPIRED = (b"not valid in the specified time frame", b"uri expired", b"request has expired", b"expiredtoken")


@attrs.frozen(kw_only=True)
class LocalState:
    """What is there of a transfer.

    Attributes:
        offset: bytes on disk.
        total: bytes of the whole; None while unknown.
        etag: storage's strong validator for the bytes on disk; None where it sent none.
    """

    offset: int = 0
    total: int | None = None
    etag: str | None = None

    @property
    def resumable(self) -> bool:
        """Whether a range may be asked for: some bytes are there, and a validator says what they belong to."""
        return self.offset > 0 and self.etag is not None


@attrs.frozen(kw_only=True)
class Stream:
    """The body holds the bytes from ``offset`` on.

    Attributes:
        offset: where it starts; 0 means that what is on disk is to be dropped.
        length: bytes in this body; None where it is not said.
        total: bytes of the whole; None where it is not said.
        etag: the strong validator; None where there is none.
    """

    offset: int
    length: int | None
    total: int | None
    etag: str | None


@attrs.frozen(kw_only=True)
class Done:
    """All bytes are there already."""


@attrs.frozen(kw_only=True)
class Restart:
    """What is on disk does not belong to what storage has now: drop it, and start from 0.

    Attributes:
        reason: one phrase for a person.
    """

    reason: str


@attrs.frozen(kw_only=True)
class SignAgain:
    """Storage refuses the signed URL: ask for a fresh one.

    Attributes:
        reason: one phrase for a person.
        expired: storage says that the URL's time is over.
        status: the HTTP status.
        code: storage's own error code.
    """

    reason: str
    expired: bool
    status: int
    code: str | None


@attrs.frozen(kw_only=True)
class RetryLater:
    """Storage's own trouble: wait, then go on.

    Attributes:
        status: the HTTP status.
        code: storage's own error code.
        wait: seconds it asks for; None where it does not say.
    """

    status: int
    code: str | None
    wait: float | None


@attrs.frozen(kw_only=True)
class Fail:
    """Nothing will help.

    Attributes:
        status: the HTTP status.
        code: storage's own error code.
        reason: one phrase for a person.
    """

    status: int
    code: str | None
    reason: str


@attrs.frozen(kw_only=True)
class Whole:
    """The whole came although a slice was asked for: this storage has no ranges."""


Decision = Stream | Done | Restart | SignAgain | RetryLater | Fail
SliceDecision = Stream | Whole | Restart | SignAgain | RetryLater | Fail


def strong_etag(headers: Mapping[str, str]) -> str | None:
    """Return the ETag if If-Match may carry it: a weak one never matches (RFC 9110 section 13.1.1)."""
    etag = headers.get("etag", "").strip()
    quoted = len(etag) > 2 and etag[0] == etag[-1] == '"'  # noqa: PLR2004 - the two quotes
    return etag if quoted and etag.isprintable() and etag.isascii() else None


def request_headers(have: LocalState) -> dict[str, str]:
    """Return the headers that ask for what is missing; the whole where it may not be resumed.

    Identity encoding always: the digest is of the stored bytes.
    """
    headers = {"Accept-Encoding": "identity"}
    if have.resumable and have.etag is not None:
        headers |= {"Range": f"bytes={have.offset}-", "If-Match": have.etag}
    return headers


def decide(have: LocalState, answer: Response, *, now: Callable[[], datetime]) -> Decision:
    """Return what to do with storage's answer.

    Args:
        have: what was on disk when it was asked.
        answer: status and headers; the body only of an error.
        now: the wall clock, asked for a ``Retry-After`` date in an answer without ``Date``.
    """
    coded = _coded(answer)
    if coded is not None:
        return coded
    if answer.status == _OK:
        length = content_length(answer)
        return Stream(offset=0, length=length, total=length, etag=strong_etag(answer.headers))
    if answer.status == _PARTIAL:
        return _partial(have, answer)
    if answer.status == _PRECONDITION:
        return Restart(reason="storage has other bytes by now (412)")
    if answer.status == _UNSATISFIABLE:
        return _unsatisfiable(have, answer)
    return _refused(answer, now)


def _coded(answer: Response) -> Fail | None:
    """Refuse a content coding: it was not asked for, and the digest and all offsets are of the stored bytes."""
    coding = answer.headers.get("content-encoding", "").strip().lower()
    if answer.status not in {_OK, _PARTIAL} or coding in {"", "identity"}:
        return None
    return Fail(status=answer.status, code=None, reason=f"storage sent {coding[:20]!r}, which was not asked for")


def slice_headers(first: int, last: int, etag: str | None) -> dict[str, str]:
    """Return the headers that ask for the bytes ``first`` to ``last``, both included.

    Always from a place to a place: Azure has no suffix ranges, and no several ranges in one request
    (https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations).
    """
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={first}-{last}"}
    return headers if etag is None else headers | {"If-Match": etag}


def decide_slice(first: int, etag: str | None, answer: Response, *, now: Callable[[], datetime]) -> SliceDecision:
    """Return what to do with storage's answer to :func:`slice_headers`; a slice may end early, where the whole does."""
    coded = _coded(answer)
    if coded is not None:
        return coded
    if answer.status == _OK:
        return Whole()
    if answer.status == _PRECONDITION:
        return Restart(reason="storage has other bytes by now (412)")
    if answer.status == _UNSATISFIABLE:
        found = parse_content_range(answer.headers.get("content-range"))
        return Stream(offset=first, length=0, total=None if found is None else found[2], etag=etag)
    return _slice(first, etag, answer) if answer.status == _PARTIAL else _refused(answer, now)


def _slice(first: int, etag: str | None, answer: Response) -> SliceDecision:
    found = parse_content_range(answer.headers.get("content-range"))
    if found is None or found[0] != first or found[1] is None or found[2] is None:
        reason = "storage's Content-Range is not what was asked for"
        return Fail(status=answer.status, code=None, reason=reason)
    here = strong_etag(answer.headers)
    if etag is not None and here is not None and here != etag:
        return Restart(reason="storage has other bytes by now (ETag)")
    return Stream(offset=first, length=found[1] - first + 1, total=found[2], etag=here or etag)


def content_length(answer: Response) -> int | None:
    """Return Content-Length; None where absent, wrong, or overruled by Transfer-Encoding (RFC 9112 section 6.3)."""
    return None if "transfer-encoding" in answer.headers else whole(answer.headers.get("content-length"))


def parse_content_range(value: str | None) -> tuple[int | None, int | None, int | None] | None:
    """Split ``bytes first-last/total`` into three numbers, None for a ``*``; None where it is no such header."""
    match = _CONTENT_RANGE.fullmatch((value or "").strip())
    if match is None:
        return None
    first, last = (None, None) if match[1] is None else (int(match[1]), int(match[2]))
    total = None if match[3] == "*" else int(match[3])
    sane = first is None or last is None or (first <= last and (total is None or last < total))
    return (first, last, total) if sane else None


def _partial(have: LocalState, answer: Response) -> Decision:
    if not have.resumable:
        return Fail(status=_PARTIAL, code=None, reason="storage sent a part although the whole was asked for")
    found = parse_content_range(answer.headers.get("content-range"))
    if found is None or found[0] is None or found[1] is None:
        return Restart(reason="storage's Content-Range is missing or makes no sense")
    first, last, total = found
    if first != have.offset or (have.total is not None and total is not None and total != have.total):
        return Restart(reason="storage's Content-Range is not what was asked for")
    etag = strong_etag(answer.headers)
    if etag is not None and etag != have.etag:
        return Restart(reason="storage has other bytes by now (ETag)")
    length = content_length(answer)
    span = None if last is None else last - have.offset + 1
    if length is not None and span is not None and length != span:
        return Restart(reason="storage's Content-Length and Content-Range disagree")
    return Stream(offset=have.offset, length=span, total=total if total is not None else have.total, etag=have.etag)


def _unsatisfiable(have: LocalState, answer: Response) -> Decision:
    """Range not satisfiable: everything is there already, or what is there is too long."""
    found = parse_content_range(answer.headers.get("content-range"))
    total = have.total if found is None or found[2] is None else found[2]
    if have.offset and total == have.offset:
        return Done()
    return Restart(reason="what is on disk is longer than what storage has (416)")


def _refused(answer: Response, now: Callable[[], datetime]) -> SignAgain | RetryLater | Fail:
    code = error_code(answer)
    if answer.status == _FORBIDDEN or says_expired(answer):
        expired = says_expired(answer)
        reason = "the signed URL has expired" if expired else f"storage refused the signed URL ({answer.status})"
        return SignAgain(reason=reason, expired=expired, status=answer.status, code=code)
    if answer.status >= _SERVER or answer.status in _TRANSIENT:
        return RetryLater(status=answer.status, code=code, wait=retry_after(answer.headers, now))
    return Fail(status=answer.status, code=code, reason="storage does not give the artifact")


def error_code(answer: Response) -> str | None:
    """Return storage's own code: Azure's header, else the XML's ``Code``; None where there is none."""
    header = answer.headers.get("x-ms-error-code", "").strip()
    if header and header.isascii() and header.isprintable():
        return header[:64]
    match = _XML_CODE.search(answer.body)
    return None if match is None else match[1].decode("ascii")


def says_expired(answer: Response) -> bool:
    """Whether a refusal says that the URL's time is over, in Azure's, the v3 pipelines' or S3's words."""
    body = answer.body.lower()
    return answer.status in _REFUSALS and any(words in body for words in _EXPIRED)
