"""Other people's programs: where they are, and running them for the length of a block."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import random
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import pytest
import trustme

from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.certificates import server_context
from tests.kits.counterparts import variable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

REPO = "octo-org/octo-docs"
_PATIENCE = 20.0
_given: set[int] = set()  # by free_port


def program(name: str) -> str:
    """Return the program ``name``, from INTEROP_<NAME> or else the PATH; skip the test where there is none.

    What INTEROP_REQUIRED names (``azurite-blob gh nginx``) must be there: that is a failure, then, and no skip.
    """
    where = variable(name)
    found = shutil.which(os.environ.get(where) or name)
    return found or missing(name, f"{name} is not installed here ({where} may say where it is)")


def package(name: str) -> Path:
    """Return the folder of an npm package, from INTEROP_<NAME>; skip the test where there is none."""
    where = variable(name)
    folder = Path(os.environ.get(where, ""))
    if (folder / "package.json").is_file():
        return folder
    return missing(name, f"{name} is not installed here ({where} may say in which folder it is)")


def module(name: str, wanted_for: str) -> Any:
    """Return a module that a counterpart is tried with; skip the test where there is none, unless that is required."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing(wanted_for, f"{name} cannot be imported here: {error}")


def missing(name: str, reason: str) -> NoReturn:
    """Skip the test, or fail it if ``name`` is required."""
    if name in os.environ.get("INTEROP_REQUIRED", "").split():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """Return an environment with nothing of the user's but the PATH: no token, no proxy, no settings."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "DO_NOT_TRACK": "1", **more}


def free_port() -> int:
    """Return a port of 127.0.0.1 for a server that cannot choose one itself, or that is to be started later.

    Systems give ports from 32768 on to connections and to servers that ask for any; from below they give none away
    before it is used. No two of pytest-xdist's workers get the same, and nobody gets one twice.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        port = random.choice(range(10_240 + worker, 32_768, workers))  # noqa: S311  no secret
        if port in _given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port


def listening(port: int) -> bool:
    """Tell whether somebody listens on a port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


async def statuses(output: Path, line: str, count: int) -> list[int]:
    """Return the numbers that a pattern finds in what a server prints, once there are ``count``, or after 5 seconds."""
    found: list[int] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while len(found := [int(status) for status in re.findall(line, output.read_text())]) < count:
                await asyncio.sleep(0.02)
    return found


@contextlib.asynccontextmanager
async def two_hosts(profile: str, folder: Path) -> AsyncGenerator[tuple[FakeGitHub, Path | None]]:
    """Run github.com over http, or an Enterprise Server over TLS; storage has a host name of its own.

    With it comes the certificate to trust, which is written into ``folder``; None over http.
    """
    authority = None if profile == "github.com" else folder / "ca.pem"
    context = None if authority is None else server_context("127.0.0.1", authority)
    async with FakeGitHub(profile, ssl_context=context) as github:
        github.advertise(storage=github.storage_url.replace("127.0.0.1", "localhost"))
        yield github, authority


@attrs.frozen
class Certificate:
    """Files for a server over TLS, and for those who are to trust it.

    Attributes:
        authority: the certificate of who signed it.
        chain: the server's certificate.
        key: its private key.
    """

    authority: Path
    chain: Path
    key: Path

    @classmethod
    def write(cls, folder: Path, *names: str) -> Certificate:
        """Make them for host names and addresses, in a folder that exists; together too, in ``both.pem``."""
        made = trustme.CA()
        issued = made.issue_cert(*names)
        found = cls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
        made.cert_pem.write_to_path(str(found.authority))
        issued.private_key_pem.write_to_path(str(found.key))
        found.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
        return found


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
