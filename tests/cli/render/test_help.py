"""Help as text in two columns."""

from __future__ import annotations

import pytest

from gh_artifacts_async.cli import manual


def test_lines_fit_the_terminal(bare_cli, monkeypatch):
    """As wide as the terminal, but no wider than is pleasant, and never less than it takes."""
    for columns, widest in (("60", 60), ("300", 100), ("1", 44), ("", 80), ("x", 80)):
        monkeypatch.setenv("COLUMNS", columns)
        described = bare_cli("--help").out.split("Commands\n")[1]
        assert max(map(len, described.splitlines())) <= widest


def test_headings_are_bold_on_a_terminal(bare_cli, monkeypatch):
    """Colour only where a terminal is, and NO_COLOR is not set."""
    monkeypatch.setattr("gh_artifacts_async.cli.render.screen.is_terminal", lambda _stream: True)
    assert "\x1b[1mCommands\x1b[0m" in bare_cli("--help").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in bare_cli("--help").out


@pytest.mark.parametrize("columns", [50, 80, 100])
def test_nothing_is_torn_apart(bare_cli, monkeypatch, columns):
    """Each form of a command is broken between its parts, and no name of an option is broken at a hyphen."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for name, command in manual.COMMANDS.items():
        said = bare_cli(name, "--help").out
        usage = said.split("\n\n")[0].removeprefix("Usage:")
        assert usage.split() == " ".join(f"{manual.NAME} {form}" for form in command.usage).split()
        assert max(map(len, usage.splitlines())) <= columns
        assert not any(line.endswith(("-", "[--", "[OWNER/REPO")) for line in said.splitlines())
        assert all(line.count("[") == line.count("]") for line in usage.splitlines())
