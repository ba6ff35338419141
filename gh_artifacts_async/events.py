"""The events that observers are called with, and that the log is written from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import attrs

from gh_artifacts_async.models import Artifact
from gh_artifacts_async.models.values import Value

RequestKind = Literal["api", "storage"]
"""Where a request is sent."""


@attrs.frozen(kw_only=True)
class ListingProgress(Value):
    """A page of a listing has arrived.

    Attributes:
        page: its number, from 1.
        items: artifacts, or runs, so far, each counted once.
        total_count: the length of the whole listing, as GitHub counts it.
    """

    page: int
    items: int
    total_count: int


@attrs.frozen(kw_only=True)
class RateLimitPause(Value):
    """All API requests of this client are paused, because a rate limit of GitHub's was exceeded.

    Attributes:
        seconds: length of the pause.
        kind: the limit: ``"primary"`` or ``"secondary"``.
    """

    seconds: float
    kind: str


@attrs.frozen(kw_only=True)
class Pacing(Value):
    """API requests are held back for more than a second, so that no rate limit of GitHub's is exceeded.

    Attributes:
        seconds: how long the next request waits.
        reason: ``"points"``: the points of this minute are spent; ``"primary"``: little of the hour's limit is left.
    """

    seconds: float
    reason: str


@attrs.frozen(kw_only=True)
class RequestSent(Value):
    """A request is about to be sent; waiting for the rate limits is over.

    If a pause begins before its connection is open, it is not sent, and there is another such event when it is.

    Attributes:
        kind: where to: GitHub's ``"api"``, or ``"storage"``, where the artifacts' bytes are.
        method: the HTTP method.
        host: host and port.
        path: the URL's path, without the query: that of a signed URL is a secret.
    """

    kind: RequestKind
    method: str
    host: str
    path: str


@attrs.frozen(kw_only=True)
class RequestAnswered(Value):
    """A request was answered, with success or with an error, or failed without an answer.

    A request that is cancelled has no such event.

    Attributes:
        kind: ``"api"`` or ``"storage"``.
        method: the HTTP method.
        host: host and port.
        path: the URL's path, without the query.
        status: the status code; None without an answer, or if it could not be read.
        request_id: the server's own name for the request, to quote to its support; None if it sends none.
        duration: seconds from sending the request until the whole answer had arrived; of storage, its headers.
        remaining: what is left of GitHub's primary rate limit; None if the answer does not say.
        error: why there is no answer; None if there is one.
    """

    kind: RequestKind
    method: str
    host: str
    path: str
    status: int | None
    request_id: str | None
    duration: float
    remaining: int | None
    error: BaseException | None = None


@attrs.frozen(kw_only=True)
class RequestRetried(Value):
    """An attempt failed, and another follows.

    Attributes:
        kind: ``"api"`` or ``"storage"``.
        what: what is attempted: ``"GET /repos/o/r/actions/artifacts/7"``, or ``"artifact 7"`` for bytes from storage.
        reason: why the attempt failed, in a sentence.
        wait: seconds until the next one; 0 after a rate limit, for whose length see :class:`RateLimitPause`.
        attempt: how many attempts have failed so far; of a transfer, since bytes last arrived.
    """

    kind: RequestKind
    what: str
    reason: str
    wait: float
    attempt: int


@attrs.frozen(kw_only=True)
class TransferEvent(Value):
    """Base of the events about one artifact's transfer.

    Attributes:
        artifact: the artifact.
    """

    artifact: Artifact


@attrs.frozen(kw_only=True)
class TransferChecking(TransferEvent):
    """Before anything is requested, what is on disk is read and verified.

    It is a file that may be the artifact already, or what an earlier run has left of it.
    """


@attrs.frozen(kw_only=True)
class TransferSigning(TransferEvent):
    """GitHub is about to be asked for a signed URL; rate limits and other requests may make it wait."""


@attrs.frozen(kw_only=True)
class TransferStarted(TransferEvent):
    """Storage has answered, and the body follows.

    Attributes:
        size: total bytes; None if storage does not say.
        offset: bytes already on disk, from an earlier part file.
    """

    size: int | None
    offset: int = 0


@attrs.frozen(kw_only=True)
class TransferBytes(TransferEvent):
    """Bytes have arrived; at most ten such events a second for each transfer.

    Attributes:
        received: bytes so far, those from an earlier part file included.
        size: total bytes; None if storage does not say.
    """

    received: int
    size: int | None


@attrs.frozen(kw_only=True)
class TransferResumed(TransferEvent):
    """The transfer was interrupted and has resumed.

    Attributes:
        offset: the byte it resumes at; 0 if it starts over.
        reason: why it was interrupted, in a few words.
    """

    offset: int
    reason: str


@attrs.frozen(kw_only=True)
class TransferURLRenewed(TransferEvent):
    """A new signed URL was requested.

    Attributes:
        reason: why, in a few words.
    """

    reason: str


@attrs.frozen(kw_only=True)
class TransferVerified(TransferEvent):
    """The bytes were verified.

    Attributes:
        verified: what they were checked against: ``"digest"``, ``"size"`` or ``"none"``.
    """

    verified: str


@attrs.frozen(kw_only=True)
class ExtractionProgress(TransferEvent):
    """Members of the artifact's archive were extracted; at most ten such events a second for each transfer.

    Attributes:
        written: extracted bytes so far.
        total: extracted bytes of all members.
        members_done: members so far.
        members: all members.
    """

    written: int
    total: int
    members_done: int
    members: int


@attrs.frozen(kw_only=True)
class TransferFinished(TransferEvent):
    """The file is in place under its final name.

    Attributes:
        path: the file or folder.
        size: bytes of the artifact.
        skipped: True if it was there already and nothing was transferred.
    """

    path: Path
    size: int
    skipped: bool = False


@attrs.frozen(kw_only=True)
class TransferDelivered(TransferEvent):
    """The bytes are where they belong, which is no file: a stream was read to its end, or an object is stored.

    Attributes:
        size: bytes of the artifact.
        key: of the object; None for a stream.
        skipped: True if the object was there already and nothing was transferred.
    """

    size: int
    key: str | None = None
    skipped: bool = False


@attrs.frozen(kw_only=True)
class TransferFailed(TransferEvent):
    """The transfer failed.

    Attributes:
        error: why.
    """

    error: BaseException


Event = (
    ListingProgress
    | RateLimitPause
    | Pacing
    | RequestSent
    | RequestAnswered
    | RequestRetried
    | TransferChecking
    | TransferSigning
    | TransferStarted
    | TransferBytes
    | TransferResumed
    | TransferURLRenewed
    | TransferVerified
    | ExtractionProgress
    | TransferFinished
    | TransferDelivered
    | TransferFailed
)
"""Any event: a union, so that type checkers can tell whether a ``match`` handles all of them."""

Observer = Callable[[Event], None]
"""Called with each event, on the event loop's thread; it must not block."""
