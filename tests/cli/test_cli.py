"""The entry point: version, extra, and a quick start."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

from gh_artifacts_async.cli import main


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


def test_version(bare_cli):
    """The package's version, and no more."""
    ran = bare_cli("--version")
    assert (ran.code, ran.out) == (0, f"gh-artifacts {version('gh-artifacts-async')}\n")
    assert bare_cli("list", "--version").code == 2


def test_the_installed_program_is_the_same():
    """The script gh-artifacts and python -m gh_artifacts_async call one function."""
    (script,) = entry_points(group="console_scripts", name="gh-artifacts")
    assert script.load() is main


def test_without_the_extra_it_is_named(bare_cli, monkeypatch):
    """Without cyclopts there is one sentence, with the command that helps."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "cyclopts" else real(name))
    ran = bare_cli("--help")
    assert (ran.code, ran.out) == (2, "")
    assert 'pip install "gh-artifacts-async[cli]"' in ran.err


@pytest.mark.parametrize("words", [["--help"], ["download", "-h"], []])
def test_help_loads_nothing_heavy(words):
    """Neither aiohttp nor the client, nor even the parser."""
    heavy = ("aiohttp", "asyncio", "gh_artifacts_async.client", "cyclopts", "rich", "attrs")
    assert loaded_after(*words, names=heavy) == [""]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["completion", "bash"]])
def test_a_full_disk(words, capsys, monkeypatch):
    """Exit code 8, and one sentence, also for what takes no parser."""
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(words) == 8
        assert capsys.readouterr().err == "error: standard output: No space left on device\n"
        assert main(words) == 0  # to the null device by now
    monkeypatch.setattr(sys, "stdout", None)
    assert main(words) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_standard_error_that_is_full(monkeypatch):
    """The exit code is what it is elsewhere, and there is no traceback."""
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        assert main(["list", "--nothing"]) == 2
        assert main(["list", "not-a-repository"]) == 2


def test_an_interrupt_while_modules_are_loaded(monkeypatch):
    """Ctrl-C is 130 from the first module on."""

    def interrupted(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.util, "find_spec", interrupted)
    assert main(["list"]) == 130
