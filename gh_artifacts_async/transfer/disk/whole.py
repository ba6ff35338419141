"""A small artifact whose bytes are all in memory: hash them, write them, give them their final name."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from gh_artifacts_async.transfer.disk.filesystem import lock, rename_without_replacing
from gh_artifacts_async.transfer.disk.leftovers import CREATE

if TYPE_CHECKING:
    from gh_artifacts_async.settings import StrPath


def put_whole(body: bytes | memoryview, sha256: str, part: StrPath, destination: StrPath) -> bool:
    """Put an artifact in place if its bytes are right; the name must be free. Blocks.

    No state is written beside the part: what a killed process leaves of a small artifact is not resumed, but swept.

    Args:
        body: all bytes of the artifact.
        sha256: GitHub's digest of them, lower-case hex.
        part: name of the part file, in the same folder.
        destination: the final name.

    Returns:
        False if it is not in place, for whatever reason; then nothing of it is on disk.
    """
    if hashlib.sha256(body, usedforsecurity=False).hexdigest() != sha256:
        return False
    try:
        descriptor = os.open(part, CREATE, 0o666)
    except OSError:
        return False
    try:
        try:
            lock(descriptor)
            view = memoryview(body)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
        rename_without_replacing(part, destination)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)  # noqa: PTH108 - a Path costs more than the system call
        return False
    return True
