"""Storage's refusals: the error that the caller gets, and what it means for the next try."""

from __future__ import annotations

import pytest

from gh_artifacts_async import Artifact, SignedURLExpiredError, StorageError
from gh_artifacts_async.protocol import ranges
from gh_artifacts_async.protocol.attempts import Cause, Fault, Final, RefusedURL
from gh_artifacts_async.transfer.storage.setbacks import refusal

ARTIFACT = Artifact(
    id=7,
    node_id="MDg6",
    name="docs",
    size_in_bytes=100,
    url="https://api.github.com/repos/o/r/actions/artifacts/7",
    archive_download_url="https://api.github.com/repos/o/r/actions/artifacts/7/zip",
    expired=False,
)
HOST = "storage.example"
SIGN_AGAIN = ranges.SignAgain(reason="storage refused the signed URL (403)", expired=False, status=403, code="Denied")
EXPIRED = ranges.SignAgain(reason="the signed URL has expired", expired=True, status=403, code=None)


@pytest.mark.parametrize(
    ("decision", "status", "code", "failure", "message"),
    [
        (
            ranges.Restart(reason="the stored bytes have changed (412)"),
            412,
            None,
            RefusedURL(),
            "artifact 7: the stored bytes have changed (412)",
        ),
        (SIGN_AGAIN, 403, "Denied", RefusedURL(), f"artifact 7 from {HOST}: storage refused the signed URL (403)"),
        (
            ranges.RetryLater(status=503, code="ServerBusy", wait=None),
            503,
            "ServerBusy",
            Fault(wait=None),
            f"artifact 7: storage at {HOST} answered with 503 (ServerBusy)",
        ),
        (
            ranges.RetryLater(status=429, code=None, wait=9.0),
            429,
            None,
            Fault(wait=9.0),
            f"artifact 7: storage at {HOST} answered with 429",
        ),
        (
            ranges.Fail(status=404, code="BlobNotFound", reason="the artifact is not there"),
            404,
            "BlobNotFound",
            Final(),
            f"artifact 7: storage at {HOST} answered with 404 (BlobNotFound): the artifact is not there",
        ),
    ],
)
def test_a_refusal(
    decision: ranges.Restart | ranges.SignAgain | ranges.RetryLater | ranges.Fail,
    status: int,
    code: str | None,
    failure: Cause,
    message: str,
) -> None:
    """Each becomes a StorageError with storage's status and code, and says artifact, host and reason once."""
    setback = refusal(decision, ARTIFACT, HOST)
    assert type(setback.error) is StorageError
    assert str(setback.error) == message
    assert (setback.error.status, setback.error.code) == (status, code)
    assert (type(setback.failure), setback.failure) == (type(failure), failure)


def test_an_expired_url() -> None:
    """A URL that has expired is signed again at once; if that keeps failing, the error names the likely cause."""
    setback = refusal(EXPIRED, ARTIFACT, HOST)
    assert isinstance(setback.error, SignedURLExpiredError)
    assert str(setback.error) == (
        f"artifact 7 from {HOST}: the signed URL has expired, and so had newly signed ones; is the network very slow?"
    )
    assert setback.failure == RefusedURL()
