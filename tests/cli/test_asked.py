"""What the arguments ask for."""

from __future__ import annotations

import pytest

from gh_artifacts_async.cli import asked


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ([], (None,)),
        (["--help"], (None,)),
        (["help"], (None,)),
        (["help", "help"], (None,)),
        (["help", "list"], ("list",)),
        (["--quiet", "help", "list"], ("list",)),
        (["help", "lst"], None),
        (["list", "-h"], ("list",)),
        (["-h", "list"], ("list",)),
        (["--api-url", "help", "list", "--help"], ("list",)),
        (["lst", "--help"], None),
        (["list", "--", "--help"], None),
        (["list", "octo-org/octo-docs"], None),
    ],
)
def test_whose_help(words, topic):
    """A command's, or the program's own; none for what is no command, which is a mistake."""
    assert asked.asked_for(words) == topic


def test_the_version():
    """It is the program's, not a command's."""
    assert asked.asked_for_version(["--quiet", "--version"])
    assert not asked.asked_for_version(["list", "--version"])
    assert not asked.asked_for_version(["--help"])


def test_the_rest_of_a_question_for_help():
    """What the parser looks at, to say what is wrong with it."""
    assert asked.without_help(["--quiet", "help", "lst"]) == ["--quiet", "lst"]
    assert asked.without_help(["cat", "help"]) == ["cat", "help"]


def test_the_shell():
    """Only where nothing else is asked."""
    assert asked.shell_asked_for(["completion", "zsh"]) == "zsh"
    assert asked.shell_asked_for(["completion", "tcsh"]) is None
    assert asked.shell_asked_for(["completion", "zsh", "--quiet"]) is None


def test_the_options_that_a_command_lacks():
    """Those of others; neither its own nor the global ones, by whatever name."""
    lacking = asked.lacking("show")
    assert lacking > {"--extract", "--dir", "-D", "--limit"}
    assert lacking.isdisjoint({"--json", "--repo", "-R", "--timeout", "--quiet", "--hostname"})
    assert asked.lacking("lst") == asked.lacking(None) == frozenset()
