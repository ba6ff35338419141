"""Mistakes on the command line."""

from __future__ import annotations

import pytest

from gh_artifacts_async.cli import mistakes

REPO = "octo-org/octo-docs"
LIST = " See gh-artifacts list --help."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lst"], 'Unknown command "lst". Did you mean "list"? See gh-artifacts --help.'),
        (["help", "lst"], 'Unknown command "lst". Did you mean "list"? See gh-artifacts --help.'),
        (["--quiet", "help", "lst"], 'Unknown command "lst". Did you mean "list"? See gh-artifacts --help.'),
        (["lst", "--help"], 'Unknown command "lst". Did you mean "list"? See gh-artifacts --help.'),
        (["xyz"], 'Unknown command "xyz". See gh-artifacts --help.'),
        (["list", REPO, "--nmae", "x"], "Unknown option: --nmae. Did you mean --name?" + LIST),
        (["--quite", "list", REPO], "Unknown option: --quite. Did you mean --quiet?" + LIST),
        (
            ["-R", REPO, "list"],
            "-R is an option of a command: give it after the command's name. See gh-artifacts --help.",
        ),
        (["--nothing-like-it", "list", REPO], "Unknown option: --nothing-like-it." + LIST),
        (["list", REPO, "--run", "many"], '--run needs a whole number, not "many".' + LIST),
        (["list", REPO, "--timeout", "soon"], '--timeout needs a number, not "soon".' + LIST),
        (["list", REPO, "--json=5"], "--json takes no value." + LIST),
        (["list", REPO, "--run"], "--run needs a value." + LIST),
        (["--api-url"], "--api-url needs a value. See gh-artifacts --help."),
        (["list", REPO, "--run", "1", "--run", "2"], "--run is given more than once." + LIST),
        (["demo", "x"], "Unexpected argument: 'x'. See gh-artifacts demo --help."),
        (["completion"], "SHELL is missing. See gh-artifacts completion --help."),
        (
            ["completion", "tcsh"],
            'Invalid value "tcsh" for SHELL. Choose from: "bash", "zsh", "fish". See gh-artifacts completion --help.',
        ),
    ],
)
def test_one_sentence_that_helps(bare_cli, words, said):
    """What is wrong, what was meant where that is near, and where to read more."""
    ran = bare_cli(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: {said}\n"


def test_what_is_not_known_is_passed_on():
    """Another version of the parser may use other words."""
    assert mistakes.sentence(ValueError("Something\n else"), ["list"]) == f"Something else.{LIST}"
