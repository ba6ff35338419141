"""Every command once, as a person meets it: the real executable in a terminal of 40, 80 and 120 columns."""

from __future__ import annotations

import os
import signal

import pytest

from gh_artifacts_async.cli import manual
from tests.cli.conftest import REPO
from tests.kits import terminal

pytestmark = [pytest.mark.realtime, pytest.mark.once, pytest.mark.slow]

LONG = "wheels-manylinux_2_28_x86_64-cp313-" * 2
COMMANDS: dict[str, tuple[object, ...]] = {
    "list": ("list", REPO),
    "runs": ("runs", REPO),
    "show": ("show", REPO, "ID"),
    "download": ("download", REPO, "--all", "--extract", "-D", "out"),
    "ls": ("ls", REPO, "ID"),
    "cat": ("cat", REPO, "ID", "log.txt"),
    "wait": ("wait", REPO, LONG),
    "watch": ("watch", REPO, "--interval", "0.2"),
    "mirror": ("mirror", REPO, "backup"),
    "delete": ("delete", REPO, "ID", "--yes"),
    "prune": ("prune", REPO, "--keep-latest", "1", "--verbose"),
    "usage": ("usage", REPO),
    "demo": ("demo", "--artifacts", "12"),
    "completion": ("completion", "bash"),
}


def test_every_command_is_here():
    """None is left out."""
    assert set(COMMANDS) == set(manual.COMMANDS)


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", COMMANDS)
def test_it_does_its_work_and_fits_the_screen(server, command, columns, tmp_path):
    """The exit code is 0, something is shown, and no line is longer than the screen, but for what is to be copied."""
    run = server.run(branch="dependabot/pip/cryptography-44.0.1", id=19_412_345_059)
    ids = [server.artifact(run, LONG, files={"log.txt": "all is well\n"}, id=12_338_002_900 + it) for it in range(3)]
    words = [ids[0] if word == "ID" else word for word in COMMANDS[command]]
    if command not in {"demo", "completion"}:
        words += ["--api-url", server.url]
    stop = [("Ctrl-C ends", _stop)] if command == "watch" else []
    seen = terminal.run(*words, columns=columns, rows=200, cwd=tmp_path, steps=stop)
    assert seen.code == (130 if command == "watch" else 0), seen.text
    assert seen.text.strip()
    if command != "completion":  # a script, which is never shown on a screen
        long_words = [word for line in seen.wrapped for word in line.split() if len(word) >= columns // 2]
        assert len(seen.wrapped) <= len(long_words), seen.wrapped


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", [*COMMANDS, ""])
def test_help_fits_the_screen(command, columns, tmp_path):
    """Of each command, and of the program; only an example, which is to be copied, may be longer."""
    examples = manual.COMMANDS[command].examples if command else ()
    copied = "\n".join(f"  {manual.NAME} {example}" for example in examples)
    seen = terminal.run(*filter(None, [command]), "--help", columns=columns, rows=200, cwd=tmp_path)
    assert seen.code == 0
    assert [line for line in seen.wrapped if line.strip() not in copied] == []


def _stop(screening: terminal.Screening) -> None:
    """Press Ctrl-C."""
    os.kill(screening.process.pid, signal.SIGINT)
