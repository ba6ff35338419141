"""The options that every command takes, and the environment."""

from __future__ import annotations

import pytest

from tests.cli.conftest import REPO


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

    def test_names_that_look_like_options_are_given_with_an_equals_sign(self, server, cli):
        """--name=--quiet is a name."""
        server.artifact(server.run(), "--quiet")
        ran = cli("list", REPO, "--name=--quiet", "--json")
        assert [found["name"] for found in ran.document] == ["--quiet"]
