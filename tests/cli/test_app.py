from __future__ import annotations

import sys

import pytest

from gh_artifacts_async.cli import app, main, running
from gh_artifacts_async.cli.context import Context
from gh_artifacts_async.cli.options import GlobalOptions
from tests.cli.conftest import REPO


def test_flags_have_no_negative_forms(bare_cli):
    """There is --json, and no --no-json; names have no --empty-name."""
    for option in ("--no-json", "--no-quiet", "--empty-name", "--no-no-progress"):
        assert bare_cli("download", REPO, "--all", option).code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lst"], "unknown command 'lst';"),
        (["lst", "--help"], "unknown command 'lst';"),
        (["list", REPO, "--nmae", "x"], "unknown option --nmae"),
        (["list", REPO, "--limit", "many"], "many"),
        (["list", REPO, "--run"], "--run"),
        (["list", "a/b", "c/d"], "expected OWNER/REPO, got 2 arguments"),
        (["list", "a/b", "--limit=-1"], "--limit must be"),
        (["list", "a/b", "--run", "0"], "--run must be"),
        (["list", "a/b", "-R", "c/d"], "given twice"),
        (["list"], "no repository given"),
        (["show", REPO, "x"], "is not an artifact ID"),
        (["show"], "and an ID, got"),
        (["ls", REPO], "and an ID or --name NAME, got 1 argument"),
        (
            ["ls", REPO, "x"],
            "is not an artifact ID; for the artifact of this name, use --name x; gh-artifacts list shows",
        ),
        (["download", REPO, "a b"], "use --name 'a b'; gh-artifacts list shows"),
        (["delete", REPO, "x", "--yes"], "'x' is not an artifact ID; gh-artifacts list shows"),
        (["cat", REPO], "expected OWNER/REPO, an ID and a MEMBER or --name NAME and a MEMBER, got 1 argument"),
        (["ls", "-R", REPO, REPO, "7"], "given twice"),
        (["cat", REPO, "7"], "and a MEMBER, got 2 arguments"),
        (["cat", REPO, "x", "y"], "is not an artifact ID"),
        (["cat", REPO, "7", "a", "--max-bytes", "0"], "--max-bytes must be 1 or more"),
        (["download", REPO], "no artifacts selected"),
        (["download", REPO, "7", "--all"], "IDs cannot be combined"),
        (["download", REPO, "7", "--run", "8"], "IDs cannot be combined"),
        (["download", REPO, "--all", "--name", "x"], "--all cannot be combined"),
        (["download", REPO, "--all", "--jobs", "0"], "--jobs must be 1 or more"),
        (["download", REPO, "--all", "--dir", ""], "--dir is empty; leave it out for the current folder"),
        (["download", REPO, "--all", "--if-exists", "maybe"], "maybe"),
        (["download", REPO, "--all", "--symlinks", "skip"], "--symlinks says how to unpack: add --extract"),
        (["download", REPO, "--all", "--max-ratio", "9"], "--max-ratio says how to unpack: add --extract"),
        (["download", REPO, "--all", "--extract", "--symlinks", "follow"], "follow"),
        (["download", REPO, "--all", "--extract", "--max-ratio", "0.5"], "--max-ratio must be 1 or more, not 0.5"),
        (["download", REPO, "--all", "--extract", "--max-ratio", "nan"], "--max-ratio must be 1 or more, not nan"),
        (["list", REPO, "--timeout", "0"], "--timeout must be a number of seconds above 0, not 0"),
        (["--timeout=-1", "list", REPO], "--timeout must be a number of seconds above 0, not -1"),
        (["list", REPO, "--timeout", "nan"], "--timeout must be a number of seconds above 0, not nan"),
        (["list", REPO, "--timeout", "inf"], "--timeout must be a number of seconds above 0, not inf"),
        (["list", REPO, "--timeout", "soon"], "soon"),
        (["list", REPO, "--timeout"], "--timeout"),
        (["list", REPO, "--token-from", "keyring"], "keyring"),
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
@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_out_of_time(server, cli, quiet):
    """Exit code 6, and one sentence that says what to do."""
    server.github.faults.stall(None, where="api", times=None)
    server.run()
    ran = cli("--timeout", "0.3", "list", REPO, *quiet)
    assert (ran.code, ran.out) == (6, "")
    assert ran.err == "error: not done within 0.3 s (--timeout); try again, or use a larger --timeout\n"


def test_an_interrupt_before_the_work_has_begun(bare_cli, monkeypatch):
    """Ctrl-C while modules are loaded is 130 too."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "build", interrupted)
    assert bare_cli("list").code == 130


@pytest.mark.parametrize(
    ("code", "quiet", "said"), [(130, False, "\rinterrupted\n"), (130, True, "\n"), (143, False, "terminated\n")]
)
def test_what_a_terminal_shows_of_ctrl_c_is_covered(monkeypatch, terminal, code, quiet, said):
    """It has written ^C, and the cursor stands behind it."""

    def stopped() -> int:
        raise running.Stopped(code)

    monkeypatch.setattr(sys, "stderr", terminal)
    assert app.answer(Context(GlobalOptions(quiet=quiet)), stopped) == code
    assert terminal.getvalue() == said


def test_ctrl_c_at_a_question(monkeypatch, terminal):
    """What the shell writes next begins a line."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(app, "build", interrupted)
    assert main(["delete"]) == 130
    assert terminal.getvalue() == "\n"
