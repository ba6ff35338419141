"""Errors as users of file systems expect them."""

from __future__ import annotations

import errno

import pytest

from gh_artifacts_async import (
    ArtifactExpiredError,
    AuthenticationError,
    ConnectionFailedError,
    MemberNotFoundError,
    MissingTokenError,
    NotFoundError,
    PermissionDeniedError,
)
from gh_artifacts_async.fs.failures import READ_ONLY, refuse, translated


@pytest.mark.parametrize(
    ("error", "kind", "number"),
    [
        (NotFoundError("gone", status=404), FileNotFoundError, errno.ENOENT),
        (ArtifactExpiredError("gone", status=410), FileNotFoundError, errno.ENOENT),
        (MemberNotFoundError("gone"), FileNotFoundError, errno.ENOENT),
        (AuthenticationError("no", status=401), PermissionError, errno.EACCES),
        (PermissionDeniedError("no", status=403), PermissionError, errno.EACCES),
        (MissingTokenError("no"), PermissionError, errno.EACCES),
    ],
)
def test_translated(error: Exception, kind: type[OSError], number: int):
    """The message stays, the path is named, and the original is the cause."""
    with pytest.raises(kind) as caught, translated("o/r/7"):
        raise error
    assert caught.value.__cause__ is error
    assert caught.value.errno == number
    assert caught.value.filename == "o/r/7"
    assert caught.value.strerror == str(error)


def test_others_pass():
    """What has no counterpart stays what it is."""
    with pytest.raises(ConnectionFailedError), translated("o/r/7"):
        raise ConnectionFailedError("no", host="h")


def test_refuse():
    """Writing is refused with one line."""
    with pytest.raises(NotImplementedError, match=r"^ghartifacts:// is read-only: [^\n]*$"):
        refuse()
    assert "ArtifactsClient" in READ_ONLY
