"""The options that every command takes, and the environment."""

from __future__ import annotations

import os
import time

import pytest

from tests.cli.conftest import REPO
from tests.kits.gh import install_gh


@pytest.mark.realtime
class TestGlobalOptions:
    """The options that hold for every command, and the environment."""

    def test_before_and_after_the_command(self, server, bare_cli):
        """Wherever they stand, they are taken."""
        server.artifact(server.run(), "wheel")
        for words in (
            ["--api-url", server.url, "--quiet", "list", REPO],
            ["list", REPO, "--quiet", "--api-url", server.url],
            ["--quiet", "list", "--api-url", server.url, REPO, "--limit", "3"],
            ["list", f"--api-url={server.url}", "--quiet", "-R", REPO],
        ):
            ran = bare_cli(*words)
            assert (ran.code, ran.err) == (0, "")
            assert "wheel" in ran.out

    def test_the_environment_names_api_repository_and_token(self, server, bare_cli, monkeypatch):
        """As a runner of GitHub Actions sets it."""
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPO)
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        monkeypatch.setenv("GITHUB_TOKEN", "of-the-runner")
        number = server.artifact(server.run(), "wheel")
        assert bare_cli("list").code == 0
        assert bare_cli("show", number).code == 0
        assert bare_cli("download", number).code == 0
        assert server.github.requests[0].headers["Authorization"] == "Bearer of-the-runner"

    @pytest.mark.parametrize("option", [(), ("--token-from", "gh")])
    def test_the_login_that_gh_has_stored(self, server, cli, monkeypatch, tmp_path, option):
        """It is used where the environment has no token, and where it is asked for; the host is that of the API."""
        install_gh(tmp_path, 'echo "$@" >> asked; echo stored-by-gh')
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        if not option:
            monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        server.call(setattr, server.github, "tokens", {"stored-by-gh"})
        number = server.artifact(server.run(), "wheel")
        ran = cli("show", REPO, number, *option)
        assert ran.code == 0
        assert "stored-by-gh" not in ran.out + ran.err
        assert (tmp_path / "asked").read_text() == "auth token --hostname 127.0.0.1\n"

    def test_a_token_of_the_environment_comes_first(self, server, cli, monkeypatch, tmp_path):
        """Gh is not asked then; nor with --token-from env, where there is none."""
        install_gh(tmp_path, "touch asked")
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        server.artifact(server.run(), "wheel")
        assert cli("list", REPO).code == 0
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        assert cli("list", REPO, "--token-from", "env").code == 0
        assert [record.headers.get("Authorization") for record in server.github.requests] == [
            "Bearer secret-token",
            None,
        ]
        assert not (tmp_path / "asked").exists()

    def test_without_any_login(self, server, cli, monkeypatch):
        """A public repository can be listed all the same; a download says that it needs a token."""
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        number = server.artifact(server.run(), "wheel")
        assert cli("list", REPO).code == 0
        ran = cli("download", REPO, number)
        assert ran.code == 4
        assert "needs a token" in ran.err
        ran = cli("list", REPO, "--token-from", "gh")
        assert ran.code == 4
        assert ran.err == "error: gh has no token for 127.0.0.1; run gh auth login --hostname 127.0.0.1\n"

    def test_where_gh_is_not_installed(self, server, cli, monkeypatch, tmp_path):
        """Nothing is waited for; only who asks for gh's login hears of gh."""
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        monkeypatch.setenv("GH_CONFIG_DIR", str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path))
        server.artifact(server.run(), "wheel")
        began = time.monotonic()
        assert cli("list", REPO).err == f"1 artifact in {REPO}, 130 B\n"
        assert time.monotonic() - began < 5
        ran = cli("list", REPO, "--token-from", "gh")
        assert (ran.code, ran.err) == (
            4,
            "error: gh is not installed; install gh and run gh auth login --hostname 127.0.0.1\n",
        )

    @pytest.mark.usefixtures("no_waiting")
    def test_an_address_that_gh_cannot_know(self, bare_cli, monkeypatch):
        """It is no reason to refuse the address."""
        monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
        assert bare_cli("list", REPO, "--api-url", "http://[::1]:9", "--quiet").code == 6

    def test_names_that_look_like_options_are_given_with_an_equals_sign(self, server, cli):
        """--name=--quiet is a name."""
        server.artifact(server.run(), "--quiet")
        ran = cli("list", REPO, "--name=--quiet", "--json")
        assert [found["name"] for found in ran.document] == ["--quiet"]
