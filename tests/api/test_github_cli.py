"""The token that gh has stored: asked of a program called gh, or read from its file."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from gh_artifacts_async import ArtifactsClient, ConfigurationError, GitHubCLIToken, MissingTokenError
from gh_artifacts_async.api import github_cli
from gh_artifacts_async.protocol.requests import BaseURL
from tests.kits.api import QUICK, REPO, TOKEN
from tests.kits.gh import install_gh

pytestmark = [
    pytest.mark.realtime,
    pytest.mark.skipif(sys.platform == "win32", reason="the gh of these tests is a shell script"),
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a gh nor a file of its logins."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("GH_CONFIG_DIR", str(tmp_path / "config"))


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a script as gh; it notes its arguments in the file ``asked``."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}")

    def install(script: str) -> Path:
        install_gh(tmp_path / "bin", f'echo "$@" >> {tmp_path / "asked"}\n{script}')
        return tmp_path / "asked"

    return install


# --- the program


async def test_what_gh_prints(gh):
    """It is asked for the token of one host, once, however many wait; after a 401 it is asked again."""
    asked = gh(f"echo {TOKEN}")
    source = GitHubCLIToken("ghes.example")
    assert set(await asyncio.gather(*(source.token() for _ in range(10)))) == {TOKEN}
    source.invalidate("another")
    assert await source.token() == TOKEN
    assert asked.read_text() == "auth token --hostname ghes.example\n"
    source.invalidate(TOKEN)
    assert await source.token() == TOKEN
    assert asked.read_text().count("\n") == 2


async def test_the_default_is_github_com(gh):
    """As gh's own."""
    asked = gh(f"echo {TOKEN}")
    assert await GitHubCLIToken().token() == TOKEN
    assert "--hostname github.com" in asked.read_text()


async def test_tokens_of_the_environment_are_kept_from_gh(gh, monkeypatch):
    """It would print them in place of its own; nothing of standard input or error is shared with it."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"):
        monkeypatch.setenv(name, "of-the-environment")
    gh('read line && exit 3; echo noise >&2; echo "stored$GH_TOKEN$GITHUB_TOKEN$GH_ENTERPRISE_TOKEN"')
    assert await GitHubCLIToken().token() == "stored"


@pytest.mark.parametrize("script", ["exit 1", f"echo {TOKEN}; exit 1", "true"])
async def test_nobody_has_logged_in(gh, script, caplog):
    """The error says what to do, and quotes nothing."""
    gh(f"echo no {TOKEN} >&2; {script}")
    with pytest.raises(MissingTokenError, match=r"gh has no token for github\.com; run gh auth login") as caught:
        await GitHubCLIToken().token()
    assert TOKEN not in str(caught.value) + caplog.text


async def test_what_no_header_carries(gh):
    """It is no token."""
    gh(f"echo {TOKEN} and more")
    with pytest.raises(ConfigurationError, match="not allowed in an HTTP header") as caught:
        await GitHubCLIToken().token()
    assert TOKEN not in str(caught.value)


async def test_a_gh_that_hangs(gh, monkeypatch, tmp_path):
    """It is killed after a while."""
    monkeypatch.setattr(github_cli, "_LASTS", 0.3)
    gh(f"echo $$ > {tmp_path / 'pid'}; exec sleep 60")
    with pytest.raises(MissingTokenError, match="gh did not answer within"):
        await GitHubCLIToken().token()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_caller_that_is_cancelled(gh, tmp_path):
    """No process is left, and no task."""
    gh(f"echo $$ > {tmp_path / 'pid'}; exec sleep 60")
    task = asyncio.ensure_future(GitHubCLIToken().token())
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize("error", [PermissionError(), NotImplementedError()])
async def test_a_gh_that_cannot_be_started(gh, monkeypatch, error):
    """On an event loop without processes, for one."""
    gh(f"echo {TOKEN}")

    async def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(asyncio, "create_subprocess_exec", fails)
    with pytest.raises(MissingTokenError, match="gh could not be started"):
        await GitHubCLIToken().token()


# --- the file


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("github.com:\n  oauth_token: t1\n  user: mona\n", "t1"),
        ("github.com:\n  user: mona\n  users:\n    hubot: {oauth_token: t2}\n    mona: {oauth_token: t1}\n", "t1"),
        ("github.com:\n  users:\n    hubot:\n    mona: {oauth_token: t1}\n", "t1"),
        ("github.com:\n  user: mona\n  users:\n    mona:\n  git_protocol: ssh\n", None),
        ("github.com:\n  oauth_token: ''\n", None),
        ("other.example:\n  oauth_token: t1\n", None),
        ("[1, 2]", None),
        ("", None),
    ],
)
async def test_hosts_yml(tmp_path, text, token):
    """Where there is no gh, its file is read: the active user's token; newer versions keep it in the key ring."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "hosts.yml").write_text(text)
    source = GitHubCLIToken()
    if token is not None:
        assert await source.token() == token
        return
    with pytest.raises(MissingTokenError, match=r"hosts\.yml holds no token for github\.com; run gh auth login"):
        await source.token()


@pytest.mark.parametrize("content", [b"a: b: c", b"\xff\xfe\x00", b"[" * 1000, b"!!python/object:x {}"])
async def test_a_file_that_cannot_be_read(tmp_path, content):
    """It is no crash, and nothing of it is shown."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "hosts.yml").write_bytes(content)
    with pytest.raises(MissingTokenError, match="cannot be read"):
        await GitHubCLIToken().token()


async def test_neither_gh_nor_its_file():
    """Nothing to ask."""
    with pytest.raises(MissingTokenError, match=r"^gh is not installed; install gh and run gh auth login --hostname "):
        await GitHubCLIToken().token()


async def test_without_pyyaml(tmp_path, monkeypatch):
    """The file needs it, and it is not installed with this package."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "hosts.yml").write_text("github.com: {oauth_token: t}")

    def without(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(MissingTokenError, match="PyYAML"):
        await GitHubCLIToken().token()


@pytest.mark.parametrize(
    ("environ", "platform", "place"),
    [
        ({"GH_CONFIG_DIR": "/a", "XDG_CONFIG_HOME": "/b"}, "linux", "/a/hosts.yml"),
        ({"XDG_CONFIG_HOME": "/b", "APPDATA": "/c"}, "win32", "/b/gh/hosts.yml"),
        ({"APPDATA": "/c"}, "win32", "/c/GitHub CLI/hosts.yml"),
        ({"APPDATA": "/c"}, "linux", "~/.config/gh/hosts.yml"),
        ({}, "win32", "~/.config/gh/hosts.yml"),
    ],
)
def test_where_gh_keeps_its_file(environ, platform, place, monkeypatch):
    """As https://cli.github.com/manual/gh_help_environment says."""
    monkeypatch.setattr(sys, "platform", platform)
    assert github_cli._hosts_file(environ) == Path(place).expanduser()


# --- which host


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://api.github.com", "github.com"),
        ("https://api.tenant.ghe.com", "tenant.ghe.com"),
        ("https://ghes.example/api/v3", "ghes.example"),
    ],
)
async def test_the_host_of_the_client(gh, base_url, host):
    """With hostname=None it is that of the client's API, as gh calls it."""
    asked = gh(f"echo {TOKEN}")

    class Sender:
        base = BaseURL.parse(base_url)

    source = GitHubCLIToken(None)
    source.bind(Sender())
    source.bind(Sender())
    assert await source.token() == TOKEN
    assert asked.read_text().endswith(f"--hostname {host}\n")
    Sender.base = BaseURL.parse("https://elsewhere.example")
    with pytest.raises(ConfigurationError, match="cannot be both"):
        source.bind(Sender())


async def test_a_client_with_it(github, gh, monkeypatch, tmp_path):
    """A whole call, with a token that GitHub rejects at first."""
    monkeypatch.chdir(tmp_path)
    asked = gh(f"if [ -e been ]; then echo {TOKEN}; else echo old; fi; touch been")
    github.tokens = {TOKEN}
    github.add_run(REPO)
    async with ArtifactsClient(GitHubCLIToken(None), base_url=github.base_url, limits=QUICK) as client:
        assert await client.count_artifacts(REPO) == 0
    assert asked.read_text() == "auth token --hostname 127.0.0.1\n" * 2


async def test_no_host_at_all():
    """hostname=None needs a client that has one."""
    source = GitHubCLIToken(None)
    with pytest.raises(ConfigurationError, match="or name a host"):
        await source.token()
    with pytest.raises(ConfigurationError):
        source.bind(object())
    GitHubCLIToken("github.com").bind(object())


@pytest.mark.parametrize("host", ["", "-x", "a b", "https://github.com", "a/b", 5])
def test_what_is_no_host(host):
    """It would be an argument of gh."""
    with pytest.raises(ConfigurationError, match="host name"):
        GitHubCLIToken(host)


def test_its_repr():
    """The host, and nothing else."""
    assert repr(GitHubCLIToken("ghes.example")) == "GitHubCLIToken('ghes.example')"


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home has no file of gh's; nothing is raised about it."""

    def nowhere() -> NoReturn:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nowhere)
    assert github_cli._hosts_file({}).parts[-3:] == (".config", "gh", "hosts.yml")


def test_a_folder_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot even be looked for is not there."""

    def closed(_path: object, **_: object) -> NoReturn:
        raise PermissionError

    monkeypatch.setattr(os, "stat", closed)
    found, why = github_cli._from_file(Path("/closed/hosts.yml"), "github.com")
    monkeypatch.undo()
    assert (found, why) == (None, "gh is not installed")
