"""Certificates that are made for a fake: by trustme, or by openssl."""

from __future__ import annotations

import builtins
import shutil
import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest

from gh_artifacts_async.testing import FakeGitHub
from gh_artifacts_async.testing.certificates import server_context


@pytest.fixture
def no_trustme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trustme not be installed."""
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "trustme":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)


@pytest.fixture(params=["trustme", "openssl"])
def maker(request: pytest.FixtureRequest) -> None:
    """One of the two that make certificates."""
    if request.param == "openssl":
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl here")
        request.getfixturevalue("no_trustme")


@pytest.mark.usefixtures("maker")
async def test_clients_trust_it(tmp_path: Path) -> None:
    """A client that trusts the file, strictly, verifies both the address and the name; another client does not."""
    trusted = tmp_path / "ca.pem"
    context = server_context("127.0.0.1", trusted)
    client = ssl.create_default_context(cafile=str(trusted))
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    async with FakeGitHub(ssl_context=context) as github, aiohttp.ClientSession() as session:
        for url in (github.base_url, github.base_url.replace("127.0.0.1", "localhost")):
            async with session.get(f"{url}/versions", ssl=client) as response:
                assert response.status == 200
                await response.read()
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{github.base_url}/versions")


@pytest.mark.usefixtures("no_trustme")
def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For openssl a name is a DNS name, and an address is none; what it says when it fails is passed on."""
    seen: list[str] = []

    def failing(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        seen.append(Path(command[command.index("-config") + 1]).read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(command, 1, b"", b"first\nno entropy\n")

    monkeypatch.setattr(shutil, "which", lambda _name: "openssl")
    monkeypatch.setattr(subprocess, "run", failing)
    for host, name in (("::1", "IP:::1,"), ("github.test", "DNS:github.test,")):
        with pytest.raises(OSError, match="openssl made no certificate: no entropy"):
            server_context(host, tmp_path / "ca.pem")
        assert name in seen.pop()


@pytest.mark.usefixtures("no_trustme")
def test_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either of them it says what to install."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(OSError, match="install trustme or the program openssl"):
        server_context("127.0.0.1", tmp_path / "ca.pem")
