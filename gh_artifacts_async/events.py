"""What long work tells an observer while it runs: frozen events, and the emitter that hands them out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import attrs

from gh_artifacts_async.models import Artifact

logger = logging.getLogger("gh_artifacts_async")


@attrs.frozen(kw_only=True)
class Event:
    """Base of all events."""


@attrs.frozen(kw_only=True)
class ListingProgress(Event):
    """One page of a listing has arrived.

    Attributes:
        page: its number, from 1.
        items: artifacts seen so far, each counted once.
        total_count: GitHub's count of the whole listing.
    """

    page: int
    items: int
    total_count: int


@attrs.frozen(kw_only=True)
class RateLimitPause(Event):
    """All API calls of this client wait for GitHub's rate limit.

    Attributes:
        seconds: how long.
        kind: which limit: ``"primary"`` or ``"secondary"``.
    """

    seconds: float
    kind: str


@attrs.frozen(kw_only=True)
class TransferEvent(Event):
    """Base of what happens to one artifact's transfer.

    Attributes:
        artifact: which one.
    """

    artifact: Artifact


@attrs.frozen(kw_only=True)
class TransferStarted(TransferEvent):
    """The first bytes are about to come.

    Attributes:
        size: bytes in all; None where storage does not say.
        offset: bytes that are there already, from an earlier part file.
    """

    size: int | None
    offset: int = 0


@attrs.frozen(kw_only=True)
class TransferBytes(TransferEvent):
    """Bytes have arrived; at most ten such events a second for a transfer.

    Attributes:
        received: bytes of the artifact that are there now.
        size: bytes in all; None where storage does not say.
    """

    received: int
    size: int | None


@attrs.frozen(kw_only=True)
class TransferResumed(TransferEvent):
    """The body broke, and goes on.

    Attributes:
        offset: where it goes on; 0 means from the start.
        reason: one phrase for a person.
    """

    offset: int
    reason: str


@attrs.frozen(kw_only=True)
class TransferURLRenewed(TransferEvent):
    """A fresh signed URL was asked for.

    Attributes:
        reason: one phrase for a person.
    """

    reason: str


@attrs.frozen(kw_only=True)
class TransferVerified(TransferEvent):
    """The bytes were checked.

    Attributes:
        verified: ``"digest"``, ``"size"`` or ``"none"``.
    """

    verified: str


@attrs.frozen(kw_only=True)
class ExtractionProgress(TransferEvent):
    """Members of the artifact's archive have been unpacked; at most ten such events a second for a transfer.

    Attributes:
        written: unpacked bytes so far.
        total: unpacked bytes of all members.
        members_done: members so far.
        members: members in all.
    """

    written: int
    total: int
    members_done: int
    members: int


@attrs.frozen(kw_only=True)
class TransferFinished(TransferEvent):
    """The file stands under its final name.

    Attributes:
        path: where.
        size: its bytes.
        skipped: it was there already; nothing was transferred.
    """

    path: Path
    size: int
    skipped: bool = False


@attrs.frozen(kw_only=True)
class TransferFailed(TransferEvent):
    """The transfer has ended with an error.

    Attributes:
        error: the error.
    """

    error: BaseException


Observer = Callable[[Event], None]
"""Is called on the loop's thread with each event, and must not block."""


class Emitter:
    """Hands events to observers; an observer that raises is logged, not obeyed.

    Attributes:
        active: whether anyone listens; otherwise no event needs to be built.
    """

    def __init__(self, *observers: Observer | None) -> None:
        """Keep the observers that are not None."""
        self._observers = tuple(observer for observer in observers if observer is not None)
        self.active = bool(self._observers)

    def also(self, observer: Observer | None) -> Emitter:
        """Return an emitter that tells ``observer`` too."""
        return self if observer is None else Emitter(*self._observers, observer)

    def emit(self, event: Event) -> None:
        """Tell everyone."""
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # an observer is a guest: whatever it raises must not end the work it watches
                logger.exception("an observer failed on %s", type(event).__name__)
