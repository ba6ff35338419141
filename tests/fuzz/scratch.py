"""What targets share for as long as a process lives: an event loop, and a folder for what they put on disk."""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps files in memory


@functools.cache
def folder() -> Path:
    """Return this process's folder, in memory where there is such a place; it is removed when the process ends."""
    made = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    """Return this process's event loop."""
    return asyncio.new_event_loop()


def clear() -> None:
    """Remove the folder and close the loop; the next to ask get others."""
    if folder.cache_info().currsize:
        shutil.rmtree(folder(), ignore_errors=True)
        folder.cache_clear()
    if loop.cache_info().currsize:
        loop().close()
        loop.cache_clear()
