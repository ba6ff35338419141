from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
from importlib.metadata import version

import pytest

from gh_artifacts_async.cli import app, manual
from tests.cli.conftest import REPO


def loaded_after(*words: str, names: tuple[str, ...]) -> list[str]:
    """Return which modules a run of the program has loaded."""
    program = (
        "import sys\n"
        "from gh_artifacts_async.cli import main\n"
        f"assert main({list(words)!r}) == 0\n"
        f"print([name for name in {names!r} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return ran.stderr.strip().strip("[]").split(", ")


def options(argument) -> frozenset[str]:
    """Return an argument's option names; outside of a parse, cyclopts adds its negative ones, which are turned off."""
    negative = {name for name in argument.names if name.startswith(("--no-", "--empty-"))} - {"--no-progress"}
    return frozenset(name for name in argument.names if name.startswith("-")) - negative


def test_flags_have_no_negative_forms(bare_cli):
    """There is --json, and no --no-json; names have no --empty-name."""
    for option in ("--no-json", "--no-quiet", "--empty-name", "--no-no-progress"):
        assert bare_cli("download", REPO, "--all", option).code == 2


class TestHelp:
    """What --help says, and that it is fast."""

    @pytest.mark.parametrize("words", [["--help"], ["download", "-h"], []])
    def test_help_loads_nothing_heavy(self, words):
        """Neither aiohttp nor the client, nor even the parser."""
        heavy = ("aiohttp", "asyncio", "gh_artifacts_async.client", "cyclopts", "rich", "attrs", "stamina")
        assert loaded_after(*words, names=heavy) == [""]

    def test_the_program(self, bare_cli):
        """Every command with its line, and the global options."""
        for words in (["--help"], ["-h"], [], ["help"], ["--api-url", "list", "--help"]):
            ran = bare_cli(*words)
            assert ran.code == 0
            assert ran.err == ""
            for said in (*manual.COMMANDS, *(option.names[0] for option in manual.GLOBAL), "--version", manual.ABOUT):
                assert said in ran.out

    @pytest.mark.parametrize("command", manual.COMMANDS)
    def test_each_command(self, bare_cli, command):
        """Its usage, and all it takes; before and after the command."""
        ran = bare_cli(command, "--help")
        assert ran.code == 0
        assert ran.out.startswith(f"Usage: gh-artifacts {command} ")
        assert manual.COMMANDS[command].brief in ran.out
        assert bare_cli("--quiet", "--help", command).out == bare_cli("help", command).out == ran.out

    def test_lines_fit_the_terminal(self, bare_cli, monkeypatch):
        """As wide as the terminal, but no wider than is pleasant, and never less than it takes."""
        for columns, widest in (("60", 60), ("300", 100), ("1", 44), ("", 80), ("x", 80)):
            monkeypatch.setenv("COLUMNS", columns)
            described = bare_cli("--help").out.split("Commands\n")[1]
            assert max(map(len, described.splitlines())) <= widest

    def test_headings_are_bold_on_a_terminal(self, bare_cli, monkeypatch):
        """Colour only where a terminal is, and NO_COLOR is not set."""
        monkeypatch.setattr("gh_artifacts_async.cli.render.screen.can_move_the_cursor", lambda _stream: True)
        assert "\x1b[1mCommands\x1b[0m" in bare_cli("--help").out
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b" not in bare_cli("--help").out

    def test_help_after_two_dashes_is_no_question(self, cli):
        """What follows -- is an argument."""
        assert cli("list", "--", "--help").code == 2

    @pytest.mark.parametrize("command", manual.COMMANDS)
    def test_the_manual_and_the_parser_agree(self, command):
        """Every option is described, by its names and with its default; nothing else is."""
        described = {frozenset(option.names): option for option in manual.COMMANDS[command].options}
        parsed = {
            options(argument): argument
            for argument in app.build()[command].assemble_argument_collection()
            if argument.field_info.name not in {"words", "context"}
        }
        assert set(described) == set(parsed)
        for names, option in described.items():
            default, hint = parsed[names].field_info.default, parsed[names].hint
            assert bool(option.value) == (hint is not bool), names
            if default not in {None, False}:
                assert option.default == str(default), names

    def test_the_global_options_agree_too(self):
        """The manual's global options are those that the parser takes out of every command."""
        collected = app.build().meta.assemble_argument_collection()
        parsed = {name for argument in collected for name in options(argument)}
        described = {name for option in manual.GLOBAL for name in option.names}
        assert described == parsed
        assert set(manual.COMMANDS) == {name for name in app.build() if not name.startswith("-")}


def test_version(bare_cli):
    """The package's version, and no more."""
    ran = bare_cli("--version")
    assert (ran.code, ran.out) == (0, f"gh-artifacts {version('gh-artifacts-async')}\n")
    assert bare_cli("list", "--version").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lst"], 'Unknown command "lst".'),
        (["lst", "--help"], 'Unknown command "lst".'),
        (["list", REPO, "--nmae", "x"], "Unknown option: "),
        (["list", REPO, "--limit", "many"], "many"),
        (["list", REPO, "--run"], "--run"),
        (["list", "a/b", "c/d"], "OWNER/REPO wanted, and 2 arguments"),
        (["list", "a/b", "--limit=-1"], "limit"),
        (["list", "a/b", "--run", "0"], "run_id"),
        (["list", "a/b", "-R", "c/d"], "named twice"),
        (["list"], "which repository?"),
        (["show", REPO, "x"], "whole number"),
        (["show"], "an ID wanted"),
        (["ls", REPO], "an ID wanted"),
        (["ls", REPO, "x"], "whole number"),
        (["ls", "-R", REPO, REPO, "7"], "named twice"),
        (["cat", REPO, "7"], "a MEMBER wanted"),
        (["cat", REPO, "x", "y"], "whole number"),
        (["cat", REPO, "7", "a", "--max-bytes", "0"], "--max-bytes must be 1 or more"),
        (["download", REPO], "which artifacts?"),
        (["download", REPO, "7", "--all"], "not both"),
        (["download", REPO, "7", "--run", "8"], "not both"),
        (["download", REPO, "--all", "--name", "x"], "--all means every artifact"),
        (["download", REPO, "--all", "--jobs", "0"], "--jobs must be 1 or more"),
        (["download", REPO, "--all", "--if-exists", "maybe"], "maybe"),
        (["list", REPO, "--token-from", "gh"], "gh"),
        (["list", REPO, "--ca-file", "absent.pem"], "absent.pem"),
        (["list", REPO, "--api-url", "ftp://x"], "base_url must be"),
        (["demo", "--artifacts", "0"], "--artifacts must be within"),
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
        assert "secondary rate limit was met; going on in" in ran.err

    @pytest.mark.usefixtures("no_waiting")
    def test_the_proxy_comes_from_the_environment(self, server, cli, monkeypatch):
        """HTTP_PROXY is obeyed, as by every tool of the command line."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "")
        server.run()
        assert cli("list", REPO).code == 6


def test_without_the_extra_it_is_named(bare_cli, monkeypatch):
    """Without cyclopts there is one sentence, with the command that helps."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "cyclopts" else real(name))
    ran = bare_cli("--help")
    assert (ran.code, ran.out) == (2, "")
    assert 'pip install "gh-artifacts-async[cli]"' in ran.err


def test_an_interrupt_before_the_work_has_begun(bare_cli, monkeypatch):
    """Ctrl-C while modules are loaded is 130 too."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "build", interrupted)
    assert bare_cli("list").code == 130


@pytest.mark.realtime
def test_logging_is_left_as_it_was(server, cli):
    """A program that calls main() finds its loggers unchanged."""
    before = {name: (logging.getLogger(name).level, logging.getLogger(name).handlers[:]) for name in ("", "stamina")}
    server.run()
    cli("list", REPO, "--verbose")
    assert before == {
        name: (logging.getLogger(name).level, logging.getLogger(name).handlers[:]) for name in ("", "stamina")
    }
