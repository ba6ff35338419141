"""What the manual says, and that the parser agrees."""

from __future__ import annotations

import pytest

from gh_artifacts_async.cli import app, manual


def options(argument) -> frozenset[str]:
    """Return an argument's option names; outside of a parse, cyclopts adds its negative ones, which are turned off."""
    negative = {name for name in argument.names if name.startswith(("--no-", "--empty-"))} - {
        "--no-progress",
        "--no-fail-fast",
        "--no-link",
    }
    return frozenset(name for name in argument.names if name.startswith("-")) - negative


class TestHelp:
    """What --help says, and that it is fast."""

    def test_the_program(self, bare_cli):
        """Every command with its line, and the global options."""
        for words in (["--help"], ["-h"], [], ["help"], ["help", "help"], ["--api-url", "list", "--help"]):
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

    def test_help_after_two_dashes_is_no_question(self, cli):
        """What follows -- is an argument."""
        assert cli("list", "--", "--help").code == 2

    @pytest.mark.parametrize("command", manual.COMMANDS)
    def test_the_manual_and_the_parser_agree(self, command):
        """Every option is described, by its names and with its default; nothing else is."""
        everywhere = {option.names for option in manual.GLOBAL}
        own = [option for option in manual.COMMANDS[command].options if option.names not in everywhere]
        described = {frozenset(option.names): option for option in own}
        parsed = {
            options(argument): argument
            for argument in app.build()[command].assemble_argument_collection()
            if argument.field_info.name not in {"words", "context"} and options(argument)
        }
        assert set(described) == set(parsed)
        for names, option in described.items():
            default, hint = parsed[names].field_info.default, parsed[names].hint
            assert bool(option.value) == (hint is not bool), names
            if default not in {None, False}:
                assert option.default == str(default), names

    def test_an_option_is_described_once(self, bare_cli):
        """The command wait has a --timeout of its own, with a default; other commands have the global one."""
        assert bare_cli("wait", "--help").out.count("--timeout SECONDS") == 1
        assert "out of time is exit code 6" in bare_cli("list", "--help").out
        assert "[default: 600]" in bare_cli("wait", "--help").out

    def test_the_global_options_agree_too(self):
        """The manual's global options are those that the parser takes out of every command."""
        collected = app.launcher(app.build()).assemble_argument_collection()
        parsed = {name for argument in collected for name in options(argument)}
        described = {name for option in manual.GLOBAL for name in option.names}
        assert described == parsed
        assert set(manual.COMMANDS) == {name for name in app.build() if not name.startswith("-")}
