"""Other people's programs: where they are, and running them for the length of a block."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

REPO = "octo-org/octo-docs"
_PATIENCE = 20.0


def program(name: str) -> str:
    """Return the program ``name``, from INTEROP_<NAME> or else the PATH; skip the test where there is none.

    What INTEROP_REQUIRED names (``azurite-blob gh nginx``) must be there: that is a failure, then, and no skip.
    """
    variable = "INTEROP_" + name.upper().replace("-", "_")
    found = shutil.which(os.environ.get(variable) or name)
    return found or missing(name, f"{name} is not installed here ({variable} may say where it is)")


def missing(name: str, reason: str) -> NoReturn:
    """Skip the test, or fail it if ``name`` is required."""
    if name in os.environ.get("INTEROP_REQUIRED", "").split():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """Return an environment with nothing of the user's but the PATH: no token, no proxy, no settings."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "DO_NOT_TRACK": "1", **more}


@contextlib.contextmanager
def running(command: list[str], folder: Path, output: Path, ready: Callable[[], bool]) -> Generator[None]:
    """Run a server in ``folder`` for the length of the block, from when it is ready; it is always ended."""
    with output.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603  a program that was looked for
            command,
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + _PATIENCE
        while not ready():
            assert process.poll() is None, f"{command[0]} ended: {output.read_text()}"
            assert time.monotonic() < until, f"{command[0]} is not ready: {output.read_text()}"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
