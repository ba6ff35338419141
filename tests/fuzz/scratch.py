"""A folder for what targets put on disk, in memory where the system has such a place."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps files in memory


@functools.cache
def folder() -> Path:
    """Return this process's folder; it is removed when the process ends, or by :func:`clear`."""
    made = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def clear() -> None:
    """Remove the folder; the next call of :func:`folder` makes another one."""
    if folder.cache_info().currsize:
        shutil.rmtree(folder(), ignore_errors=True)
        folder.cache_clear()
