from __future__ import annotations

import pytest

from gh_artifacts_async.cli import app
from tests.cli.conftest import REPO


def test_flags_have_no_negative_forms(bare_cli):
    """There is --json, and no --no-json; names have no --empty-name."""
    for option in ("--no-json", "--no-quiet", "--empty-name", "--no-no-progress"):
        assert bare_cli("download", REPO, "--all", option).code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lst"], 'Unknown command "lst".'),
        (["lst", "--help"], 'Unknown command "lst".'),
        (["list", REPO, "--nmae", "x"], "Unknown option: "),
        (["list", REPO, "--limit", "many"], "many"),
        (["list", REPO, "--run"], "--run"),
        (["list", "a/b", "c/d"], "expected OWNER/REPO, got 2 arguments"),
        (["list", "a/b", "--limit=-1"], "--limit must be"),
        (["list", "a/b", "--run", "0"], "--run must be"),
        (["list", "a/b", "-R", "c/d"], "given twice"),
        (["list"], "no repository given"),
        (["show", REPO, "x"], "is not an artifact ID"),
        (["show"], "and an ID, got"),
        (["ls", REPO], "and an ID, got"),
        (["ls", REPO, "x"], "is not an artifact ID"),
        (["ls", "-R", REPO, REPO, "7"], "given twice"),
        (["cat", REPO, "7"], "and a MEMBER, got 2 arguments"),
        (["cat", REPO, "x", "y"], "is not an artifact ID"),
        (["cat", REPO, "7", "a", "--max-bytes", "0"], "--max-bytes must be 1 or more"),
        (["download", REPO], "no artifacts selected"),
        (["download", REPO, "7", "--all"], "IDs cannot be combined"),
        (["download", REPO, "7", "--run", "8"], "IDs cannot be combined"),
        (["download", REPO, "--all", "--name", "x"], "--all cannot be combined"),
        (["download", REPO, "--all", "--jobs", "0"], "--jobs must be 1 or more"),
        (["download", REPO, "--all", "--if-exists", "maybe"], "maybe"),
        (["list", REPO, "--token-from", "gh"], "gh"),
        (["list", REPO, "--ca-file", "absent.pem"], "--ca-file absent.pem"),
        (["list", REPO, "--api-url", "ftp://x"], "the API's URL must be"),
        (["demo", "--artifacts", "0"], "--artifacts must be between"),
    ],
)
def test_mistakes_are_exit_code_2(bare_cli, words, said):
    """One sentence on standard error, and nothing on standard output."""
    ran = bare_cli(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert said in ran.err


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

    def test_a_pause_for_the_rate_limit_is_told(self, server, cli):
        """A long silence is explained, also without --verbose."""
        server.github.faults.secondary_limit(retry_after=0)
        server.run()
        ran = cli("list", REPO)
        assert ran.code == 0
        assert "secondary rate limit was reached; continuing in" in ran.err

    @pytest.mark.usefixtures("no_waiting")
    def test_the_proxy_comes_from_the_environment(self, server, cli, monkeypatch):
        """HTTP_PROXY is obeyed, as by every tool of the command line."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "")
        server.run()
        assert cli("list", REPO).code == 6


def test_an_interrupt_before_the_work_has_begun(bare_cli, monkeypatch):
    """Ctrl-C while modules are loaded is 130 too."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "build", interrupted)
    assert bare_cli("list").code == 130
