"""This package's errors as those that users of file systems expect."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from gh_artifacts_async.errors import (
    ArtifactExpiredError,
    AuthenticationError,
    MemberNotFoundError,
    MissingTokenError,
    NotFoundError,
    PermissionDeniedError,
)
from gh_artifacts_async.fs.paths import missing

if TYPE_CHECKING:
    from collections.abc import Generator

READ_ONLY = "ghartifacts:// is read-only: artifacts are uploaded by workflow runs, and deleted by ArtifactsClient"


@contextmanager
def translated(path: str) -> Generator[None]:
    """Turn what is not there into FileNotFoundError, and what is not allowed into PermissionError.

    The original error is the cause.
    """
    try:
        yield
    except (NotFoundError, ArtifactExpiredError, MemberNotFoundError) as error:
        raise missing(path, str(error)) from error
    except (AuthenticationError, PermissionDeniedError, MissingTokenError) as error:
        raise PermissionError(errno.EACCES, str(error), path) from error


def refuse() -> NoReturn:
    """Refuse to write.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(READ_ONLY)
