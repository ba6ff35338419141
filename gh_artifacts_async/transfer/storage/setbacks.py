"""Failed attempts: what storage's error responses mean for the next one."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.errors import ArtifactsError, SignedURLExpiredError, StorageError, UnexpectedResponseError
from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.protocol.attempts import Attempts, Cause, Fault, Final, GiveUp, RefusedURL, after

if TYPE_CHECKING:
    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.models import Artifact

_PRECONDITION_FAILED = 412
SPARE = 2**20
"""An artifact may have twice its ``size_in_bytes`` and so many bytes more: old servers do not count the zip's own."""

SPARE_WITHOUT_DIGEST = 2**30
"""The same for an artifact without a digest: there, ``size_in_bytes`` says least."""


@attrs.frozen(kw_only=True)
class Setback:
    """A failed attempt.

    Attributes:
        error: raised if no further attempt helps.
        failure: what it means for the next attempt.
    """

    error: ArtifactsError
    failure: Cause


def too_long(artifact: Artifact, host: str, announced: int | None, most: int) -> UnexpectedResponseError:
    """Return the error for more bytes than an artifact can have, or than storage announced.

    Args:
        artifact: the one requested.
        host: storage's.
        announced: bytes according to the response's headers; None if they do not say.
        most: bytes that the artifact can have.
    """
    what = f"artifact {artifact.id} from {host}"
    if announced is not None and announced <= most:
        return UnexpectedResponseError(f"{what}: more bytes arrived than the {announced} that were announced")
    said = f"more than {most} bytes arrived" if announced is None else f"storage announced {announced} bytes"
    return UnexpectedResponseError(f"{what}: {said}, but its size_in_bytes is {artifact.size_in_bytes}")


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


async def settle(
    github: GitHubSession,
    emitter: Emitter,
    artifact: Artifact,
    attempts: Attempts,
    setback: Setback,
    *,
    gained: bool,
) -> tuple[Attempts, float]:
    """Wait before the next attempt of a transfer; return what has failed, and how long it was.

    Args:
        github: has the policy.
        emitter: of the transfer.
        artifact: of the transfer.
        attempts: what has failed before.
        setback: the latest failure.
        gained: there was progress before it, so that the count begins again.

    Raises:
        ArtifactsError: the attempts are used up.
    """
    draw = random.random()  # noqa: S311 - spreads retries, keeps no secret
    longest = github.limits.max_pause
    attempts, decision = after(github.retry, longest, attempts, setback.failure, gained=gained, draw=draw)
    if isinstance(decision, GiveUp):
        raise setback.error
    tell_retry(emitter, artifact, attempts, setback.error, decision.seconds)
    if decision.seconds:
        await asyncio.sleep(decision.seconds)
    return attempts, decision.seconds


def tell_retry(emitter: Emitter, artifact: Artifact, attempts: Attempts, error: ArtifactsError, wait: float) -> None:
    """Count and tell that another attempt follows."""
    attempt = max(1, attempts.failed)  # wrong bytes are no failed attempt
    emitter.retried("storage", f"artifact {artifact.id}", error, wait, attempt)
