"""The emitter: a client's observers, its log and its counters. An event is built only if somebody will see it.

Code that runs for every request asks for itself whether anybody listens, and counts for itself, before it calls
anything here; what happens rarely (a retry, a pause) is one call that counts, tells the observers and logs.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gh_artifacts_async.api.counters import Counters
from gh_artifacts_async.protocol.echoes import hidden

if TYPE_CHECKING:
    from pathlib import Path

    from gh_artifacts_async.events import Event, Observer, RequestKind
    from gh_artifacts_async.models import Artifact
    from gh_artifacts_async.results import Secret

logger: logging.Logger = logging.getLogger("gh_artifacts_async")
logger.addHandler(logging.NullHandler())  # else Python writes warnings of programs without logging to standard error
API_LOG = logging.getLogger("gh_artifacts_async.api")
TRANSFER_LOG = logging.getLogger("gh_artifacts_async.transfer")
DEBUG, INFO = logging.DEBUG, logging.INFO

_LONGEST_ID = 128


class Emitter:
    """Calls observers with events, and logs them; an exception that an observer raises is logged, otherwise ignored.

    Attributes:
        active: whether there is any observer; without one, no event needs to be built that is not logged.
        counters: of the client; other emitters of the same client share them.
    """

    def __init__(self, *observers: Observer | None, counters: Counters | None = None) -> None:
        """Keep the observers that are not None; without ``counters``, count from zero."""
        self._observers = tuple(observer for observer in observers if observer is not None)
        self.active: bool = bool(self._observers)
        self.counters: Counters = Counters() if counters is None else counters

    def also(self, observer: Observer | None) -> Emitter:
        """Return an emitter that calls ``observer`` as well, with the same counters."""
        return self if observer is None else Emitter(*self._observers, observer, counters=self.counters)

    def emit(self, event: Event) -> None:
        """Call every observer with the event, and log it."""
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # whatever an observer raises must not end the work it observes
                logger.exception("an observer failed on %s", type(event).__name__)
        if API_LOG.isEnabledFor(INFO) or TRANSFER_LOG.isEnabledFor(INFO):
            from gh_artifacts_async.api.logs import write

            write(event)

    # --- what has a number, an event and a line of the log

    def sent(self, kind: RequestKind, method: str, url: str, token: Secret | None = None) -> None:
        """Tell that a request is sent.

        Args:
            kind: where to.
            method: the HTTP method.
            url: its query is dropped.
            token: a server may have put it into the URL that it redirected to.
        """
        from gh_artifacts_async.events import RequestSent

        host, path = _place(url, token)
        self.emit(RequestSent(kind=kind, method=method, host=host, path=path))

    def answered(
        self,
        kind: RequestKind,
        method: str,
        url: str,
        duration: float,
        *,
        status: int | None = None,
        request_id: str | None = None,
        remaining: int | None = None,
        error: BaseException | None = None,
        token: Secret | None = None,
    ) -> None:
        """Tell that a request was answered, or failed; the arguments are as for :meth:`sent` and RequestAnswered."""
        from gh_artifacts_async.events import RequestAnswered

        host, path = _place(url, token)
        event = RequestAnswered(
            kind=kind,
            method=method,
            host=host,
            path=path,
            status=status,
            request_id=None if request_id is None else hidden(request_id[:_LONGEST_ID], token),
            duration=duration,
            remaining=remaining,
            error=error,
        )
        self.emit(event)

    def retried(self, kind: RequestKind, what: str, error: BaseException, wait: float, attempt: int) -> None:
        """Count and tell that another attempt follows; the arguments are as for RequestRetried."""
        self.counters.retry(kind, error)
        if self.active or (API_LOG if kind == "api" else TRANSFER_LOG).isEnabledFor(INFO):
            from gh_artifacts_async.events import RequestRetried

            reason = str(error).removeprefix(f"{what}: ") or type(error).__name__
            self.emit(RequestRetried(kind=kind, what=what, reason=reason, wait=wait, attempt=attempt))

    def paused(self, seconds: float, kind: str, *, added: float | None = None) -> None:
        """Count and tell that all API requests are paused.

        Args:
            seconds: from now.
            kind: ``"primary"`` or ``"secondary"``.
            added: seconds by which this prolongs a pause under way; None if there is none.
        """
        self.counters.pause(kind, seconds if added is None else added)
        if self.active or API_LOG.isEnabledFor(INFO):
            from gh_artifacts_async.events import RateLimitPause

            self.emit(RateLimitPause(seconds=seconds, kind=kind))

    def checking(self, artifact: Artifact) -> None:
        """Tell observers that what is on disk is about to be verified."""
        from gh_artifacts_async.events import TransferChecking

        self.emit(TransferChecking(artifact=artifact))

    def signing(self, artifact: Artifact) -> None:
        """Tell observers that a signed URL is about to be requested."""
        from gh_artifacts_async.events import TransferSigning

        self.emit(TransferSigning(artifact=artifact))

    def finished(self, artifact: Artifact, path: Path, size: int, *, skipped: bool = False) -> None:
        """Tell that a file is in place; the arguments are as for TransferFinished."""
        from gh_artifacts_async.events import TransferFinished

        self.emit(TransferFinished(artifact=artifact, path=path, size=size, skipped=skipped))

    def delivered(self, artifact: Artifact, size: int, *, key: str | None = None, skipped: bool = False) -> None:
        """Tell that a stream has ended, or an object is stored; the arguments are as for TransferDelivered."""
        from gh_artifacts_async.events import TransferDelivered

        self.emit(TransferDelivered(artifact=artifact, size=size, key=key, skipped=skipped))

    def failed(self, artifact: Artifact, error: BaseException) -> None:
        """Tell that a transfer failed."""
        from gh_artifacts_async.events import TransferFailed

        self.emit(TransferFailed(artifact=artifact, error=error))

    def paced(self, seconds: float, reason: str) -> None:
        """Tell that API requests are held back; the gate counts the seconds once they are over."""
        if self.active or API_LOG.isEnabledFor(INFO):
            from gh_artifacts_async.events import Pacing

            self.emit(Pacing(seconds=seconds, reason=reason))


def _place(url: str, token: Secret | None) -> tuple[str, str]:
    """Return host and path of a URL, without userinfo and query."""
    bare = url.partition("://")[2].partition("#")[0].partition("?")[0]
    authority, slash, path = bare.partition("/")
    return authority.rpartition("@")[2], hidden(slash + path, token)
