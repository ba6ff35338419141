"""What the tests of the faults share: programs in processes of their own, and what the system must offer for them."""

from __future__ import annotations

import asyncio
import functools
import json
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gh_artifacts_async.testing import FakeGitHub

ROOT = Path(__file__).parents[2]
MIB = 2**20


@functools.cache
def can(*command: str) -> bool:
    """Whether a command runs here."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0  # noqa: S603


def needs(what: str, *command: str) -> None:
    """Skip the test, by name, where the system does not permit it."""
    if not can(*command):
        pytest.skip(f"this system has no {what} for us: `{' '.join(command)}` failed")


def file_system(options: str) -> list[str]:
    """Return what runs a command with a small file system of its own at its argument ``$FOLDER``."""
    needs("file system in a user namespace", "unshare", "-Urm", "sh", "-c", 'mount -t tmpfs none "$PWD"')
    script = f'mount -t tmpfs -o {options} none "$FOLDER" && exec "$@"'
    return ["unshare", "-Urm", "sh", "-c", script, "sh"]


def without_privileges() -> list[str]:
    """Return what runs a command so that permissions hold for it, also where the tests run as root."""
    needs("user namespace", "unshare", "-U", "true")
    return ["unshare", "-U"]


class Client:
    """A running client program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def answers(self) -> list[Any]:
        """Wait for its end, and return what it printed."""
        out, err = await self.process.communicate()
        assert self.process.returncode == 0, err.decode()
        found: list[Any] = json.loads(out)
        return found

    async def kill(self) -> None:
        """Kill it as nothing can be caught."""
        self.process.kill()
        await self.process.communicate()


@asynccontextmanager
async def program(
    github: FakeGitHub, folder: Path, *plan: list[Any], under: list[str] | None = None
) -> AsyncGenerator[Client]:
    """Run a client's plan in a process of its own; it is ended with the block."""
    command = [
        *(under or []),
        sys.executable,
        "-m",
        "tests.kits.process_program",
        github.base_url,
        str(folder),
        json.dumps(plan),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=environment(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def environment(folder: Path) -> dict[str, str]:
    """Return a process environment that says nothing about GitHub or proxies."""
    import os

    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GH_", "GITHUB_")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "FOLDER": str(folder)}


async def carried_out(github: FakeGitHub, folder: Path, *plan: list[Any], under: list[str] | None = None) -> list[Any]:
    """Run a plan to its end, and return each step's answer."""
    async with program(github, folder, *plan, under=under) as client:
        return await client.answers()


async def until(ready: Callable[[], bool]) -> None:
    """Look again until it is so."""
    async with asyncio.timeout(30):
        while not ready():
            await asyncio.sleep(0.005)
