"""Failed attempts: what storage's error responses mean for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.errors import ArtifactsError, SignedURLExpiredError, StorageError
from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.protocol.attempts import Cause, Fault, Final, RefusedURL

if TYPE_CHECKING:
    from gh_artifacts_async.models import Artifact

_PRECONDITION_FAILED = 412


@attrs.frozen(kw_only=True)
class Setback:
    """A failed attempt.

    Attributes:
        error: raised if no further attempt helps.
        failure: what it means for the next attempt.
    """

    error: ArtifactsError
    failure: Cause


def refusal(
    decision: ranges.Restart | ranges.SignAgain | ranges.RetryLater | ranges.Fail, artifact: Artifact, host: str
) -> Setback:
    """Return what a response without usable bytes means.

    Args:
        decision: how the protocol interprets the response.
        artifact: the one requested.
        host: storage's, for messages.
    """
    what = f"artifact {artifact.id}"
    match decision:
        case ranges.Restart(reason=reason):
            error = StorageError(f"{what}: {reason}", status=_PRECONDITION_FAILED)
            return Setback(error=error, failure=RefusedURL())  # the whole is requested at once
        case ranges.SignAgain(reason=reason, expired=True):
            msg = f"{what} from {host}: {reason}, and so had newly signed ones; is the network very slow?"
            return Setback(error=SignedURLExpiredError(msg), failure=RefusedURL())
        case ranges.SignAgain(reason=reason, status=status, code=code):
            error = StorageError(f"{what} from {host}: {reason}", status=status, code=code)
            return Setback(error=error, failure=RefusedURL())
        case ranges.RetryLater(status=status, code=code, wait=wait):
            return Setback(error=_storage_error(what, host, status, code), failure=Fault(wait=wait))
        case ranges.Fail(status=status, code=code, reason=reason):
            return Setback(error=_storage_error(what, host, status, code, reason), failure=Final())


def _storage_error(what: str, host: str, status: int, code: str | None, reason: str = "") -> StorageError:
    said = (f" ({code})" if code else "") + (f": {reason}" if reason else "")
    return StorageError(f"{what}: storage at {host} answered with {status}{said}", status=status, code=code)
