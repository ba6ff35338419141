"""Mistakes on the command line."""

from __future__ import annotations

import pytest

from gh_artifacts_async.cli import mistakes

REPO = "octo-org/octo-docs"
LIST = "; see gh-artifacts list --help"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lst"], "unknown command 'lst'; did you mean 'list'? See gh-artifacts --help"),
        (["help", "lst"], "unknown command 'lst'; did you mean 'list'? See gh-artifacts --help"),
        (["--quiet", "help", "lst"], "unknown command 'lst'; did you mean 'list'? See gh-artifacts --help"),
        (["lst", "--help"], "unknown command 'lst'; did you mean 'list'? See gh-artifacts --help"),
        (["xyz"], "unknown command 'xyz'; see gh-artifacts --help"),
        (["list", REPO, "--nmae", "x"], "unknown option --nmae; did you mean --name? See gh-artifacts list --help"),
        (["--quite", "list", REPO], "unknown option --quite; did you mean --quiet? See gh-artifacts list --help"),
        (
            ["-R", REPO, "list"],
            "-R is an option of a command: give it after the command's name; see gh-artifacts --help",
        ),
        (["--nothing-like-it", "list", REPO], "unknown option --nothing-like-it" + LIST),
        (["list", REPO, "--run", "many"], "--run needs a whole number, not 'many'" + LIST),
        (["list", REPO, "--timeout", "soon"], "--timeout needs a number, not 'soon'" + LIST),
        (["list", REPO, "--json=5"], "--json takes no value" + LIST),
        (["list", REPO, "--run"], "--run needs a value" + LIST),
        (["--api-url"], "--api-url needs a value; see gh-artifacts --help"),
        (["list", REPO, "--run", "1", "--run", "2"], "--run is given more than once" + LIST),
        (["demo", "x"], "unexpected argument 'x'; see gh-artifacts demo --help"),
        (["completion"], "SHELL is missing; see gh-artifacts completion --help"),
        (
            ["completion", "tcsh"],
            "invalid value 'tcsh' for SHELL; choose from 'bash', 'zsh', 'fish'; see gh-artifacts completion --help",
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
    assert mistakes.sentence(ValueError("Something\n else"), ["list"]) == f"something else{LIST}"
