"""GitHub's own command line, in two versions, and the fake in front of it under real host names."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs
import pytest

from gh_artifacts_async.testing import FakeGitHub
from tests.kits.interop import Certificate, environment, program
from tests.kits.named_hosts import NamedHosts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

VERSIONS = [pytest.param(name, marks=pytest.mark.counterpart(name)) for name in ("gh", "gh-debian")]
GITHUB_COM, SERVER = "https://api.github.com", "https://ghes.test"
AZURE, ELSEWHERE = "https://productionresultssa0.blob.core.windows.net", "https://storage.test"
_NAMES = ("api.github.com", "*.blob.core.windows.net", "ghes.test", "*.ghes.test", "storage.test")


@attrs.frozen
class Scene:
    """A GitHub under host names of its own, and gh.

    Attributes:
        github: the fake.
        proxy: through which alone its hosts have these names.
        gh: the program.
        home: its home folder, where it runs.
        variables: its environment.
    """

    github: FakeGitHub
    proxy: NamedHosts
    gh: str
    home: Path
    variables: Mapping[str, str]

    @property
    def authority(self) -> Path:
        """The certificate to trust."""
        return self.home / "ca.pem"

    async def attempt(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run gh."""
        return await self._run([self.gh, *arguments])

    async def run(self, *arguments: str) -> str:
        """Run gh, which must succeed, and return what it prints."""
        return (await self.output(*arguments)).decode()

    async def output(self, *arguments: str) -> bytes:
        """Run gh, which must succeed, and return the bytes that it prints."""
        done = await self.attempt(*arguments)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    async def ours(self, *arguments: str) -> None:
        """Run our command line in the same environment; it must succeed."""
        done = await self._run([sys.executable, "-m", "gh_artifacts_async", *arguments])
        assert done.returncode == 0, done.stderr.decode()

    async def _run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        return await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=self.home,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )


def _variables(version: str, home: Path, api: str, proxy: str, *, stored: bool) -> Mapping[str, str]:
    """Return gh's environment: its token is in a variable, or stored as ``gh auth login`` stores it."""
    server = api != GITHUB_COM
    host = urlsplit(api).netloc.removeprefix("api.")
    variables = environment(
        home,
        GH_CONFIG_DIR=str(home / "config"),
        GH_HOST=host,
        GH_NO_UPDATE_NOTIFIER="1",
        GH_PROMPT_DISABLED="1",
        GH_TELEMETRY="false",
        HTTPS_PROXY=proxy,
        HTTP_PROXY=proxy,
        SSL_CERT_FILE=str(home / "ca.pem"),
    )
    if not stored:
        return {**variables, "GH_ENTERPRISE_TOKEN" if server else "GH_TOKEN": "token"}
    (home / "config").mkdir()
    # Of a server with a port, the older gh looks for the host with it, and the newer one for the host without.
    name = host if version == "gh-debian" else host.partition(":")[0]
    login = f'"{name}":\n    oauth_token: token\n    user: octocat\n    git_protocol: https\n'
    (home / "config" / "hosts.yml").write_text(login, encoding="utf-8")
    return variables


@contextlib.asynccontextmanager
async def gh_scene(
    version: str, folder: Path, api: str = GITHUB_COM, storage: str = AZURE, *, stored: bool = True
) -> AsyncGenerator[Scene]:
    """Run a GitHub, with gh to ask it.

    Args:
        version: ``gh`` or ``gh-debian``.
        folder: for its home.
        api: github.com's origin of the API or an Enterprise Server's.
        storage: origin of storage.
        stored: gh is logged in; else its token is in the environment.
    """
    found = program(version)
    home = folder / "home"
    home.mkdir()
    certificate = Certificate.write(home, *_NAMES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    async with (
        FakeGitHub("github.com" if api == GITHUB_COM else "ghes-3.19", ssl_context=context) as github,
        NamedHosts(github, api, storage) as proxy,
    ):
        yield Scene(github, proxy, found, home, _variables(version, home, api, proxy.url, stored=stored))
