"""Completion, as the shells themselves do it."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gh_artifacts_async.cli import completion, manual
from tests.cli.test_cli import loaded_after

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

needs_bash = pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="needs bash")
GLOBAL = {name for option in manual.GLOBAL for name in option.names} | {"--help", "-h"}


def bash(*lines: Sequence[str]) -> list[set[str]]:
    """Return what bash offers for the last word of each line."""
    asked = "".join(
        f"COMP_WORDS=({' '.join(map(quoted, line))}); COMP_CWORD={len(line) - 1}; _gh_artifacts\n"
        'printf "%s\\n" "${COMPREPLY[@]}" ---\n'
        for line in lines
    )
    ran = subprocess.run(  # noqa: S603 - a shell
        ["bash", "--norc", "-u", "-c", f"{completion.script('bash')}\n{asked}"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stderr == ""
    return [set(one.split("\n")) - {""} for one in ran.stdout.split("---\n")[:-1]]


def quoted(word: str) -> str:
    """Return a word for a shell."""
    return "'" + word.replace("'", "'\\''") + "'"


@needs_bash
class TestBash:
    """The function that bash calls."""

    def test_commands(self):
        """Where none has been given, whatever options precede it."""
        every, some, after, value, url, none = bash(
            ["gh-artifacts", ""],
            ["gh-artifacts", "d"],
            ["gh-artifacts", "--quiet", "--api-url", "x", "w"],
            ["gh-artifacts", "--api-url", "=", "list", "u"],
            ["gh-artifacts", "--api-url", "=", "https", ":", "//x", "u"],
            ["gh-artifacts", "--timeout", ""],
        )
        assert every == {*manual.COMMANDS, "help"}
        assert some == {"download", "delete", "demo"}
        assert after == {"wait", "watch"}
        assert value == url == {"usage"}
        assert none == set()

    def test_options(self):
        """Those of the command, and the global ones; nothing else."""
        offered = bash(*(["gh-artifacts", command, "-"] for command in manual.COMMANDS), ["gh-artifacts", "--v"])
        assert offered.pop() == {"--verbose", "--version"}
        for command, options in zip(manual.COMMANDS.values(), offered, strict=True):
            assert options == GLOBAL | {name for option in command.options for name in option.names}

    @pytest.mark.parametrize(
        ("words", "offered"),
        [
            (["download", "--if-exists", ""], {"error", "skip", "replace"}),
            (["download", "--if-exists", "s"], {"skip"}),
            (["download", "--if-exists", "="], {"error", "skip", "replace"}),
            (["download", "--if-exists", "=", "r"], {"replace"}),
            (["download", "--layout", ""], {"name", "id"}),
            (["mirror", "--layout", "i"], {"id"}),
            (["list", "--token-from", ""], {"env", "gh"}),
            (["--token-from", "e"], {"env"}),
            (["wait", "--timeout", ""], set()),
            (["download", "--name", ""], set()),
            (["list", ""], set()),
            (["completion", ""], {"bash", "zsh", "fish"}),
            (["help", "do"], {"download"}),
        ],
    )
    def test_values(self, words, offered):
        """Choices where there are some; nothing where no shell can know."""
        assert bash(["gh-artifacts", *words]) == [offered]

    def test_files_and_folders(self, tmp_path):
        """Folders for --dir and a mirror, any file for --ca-file; also with blanks in their names."""
        (tmp_path / "a folder").mkdir()
        (tmp_path / "a file").write_text("")
        folders, short, mirror, files = bash(
            ["gh-artifacts", "download", "--dir", "a"],
            ["gh-artifacts", "download", "-D", "="],
            ["gh-artifacts", "mirror", "o/r", "a"],
            ["gh-artifacts", "--ca-file", "a"],
        )
        assert folders == short == mirror == {"a folder"}
        assert files == {"a folder", "a file"}


@pytest.mark.slow
@pytest.mark.realtime
@needs_bash
def test_an_interactive_bash(tmp_path: Path):
    """Readline completes what is typed at a terminal, once the script was sourced, and quotes a blank in a name."""
    import pty  # not on Windows

    (tmp_path / "some folder").mkdir()
    script = tmp_path / "script"
    script.write_text(completion.script("bash"), encoding="utf-8")
    terminal, its_end = pty.openpty()
    process = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],  # noqa: S607
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env={**os.environ, "TERM": "dumb", "INPUTRC": os.devnull, "COLUMNS": "200"},
        start_new_session=True,
    )
    os.close(its_end)
    try:
        os.write(terminal, f"source {script}; PS1='$ '; echo sour''ced\n".encode())
        _read_until(terminal, "sourced")
        os.write(terminal, b"gh-artifacts downl\t--if-exists rep\t--dir some\t")
        _read_until(terminal, "gh-artifacts download --if-exists replace --dir some\\ folder/")
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def _read_until(terminal: int, expected: str) -> None:
    seen, deadline = "", time.monotonic() + 20
    while expected not in seen.replace("\a", ""):
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 4096).decode()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh(tmp_path: Path):
    """The script loads, both ways; zsh knows the function for the command."""
    script = tmp_path / "_gh-artifacts"
    script.write_text(completion.script("zsh"), encoding="utf-8")
    for way in (f"source {script}", f"fpath=({tmp_path} $fpath); compinit -D -u"):
        ran = subprocess.run(  # noqa: S603 - a shell
            ["zsh", "-f", "-c", f"autoload -U compinit; compinit -D -u; {way}; echo $_comps[gh-artifacts]"],  # noqa: S607
            check=True,
            capture_output=True,
            text=True,
        )
        assert (ran.stdout, ran.stderr) == ("_gh-artifacts\n", "")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("", {*manual.COMMANDS, "help"}),
        ("--api-url x w", {"wait", "watch"}),
        ("download --if-exists ", {"error", "skip", "replace"}),
        ("--token-from ", {"env", "gh"}),
        ("completion ", set(manual.SHELLS)),
        ("list --qui", {"--quiet"}),
        ("wait --timeo", {"--timeout"}),
    ],
)
def test_fish(line, offered, tmp_path: Path):
    """What fish offers for a line."""
    script = tmp_path / "gh-artifacts.fish"
    script.write_text(completion.script("fish"), encoding="utf-8")
    ran = subprocess.run(  # noqa: S603 - a shell
        ["fish", "--no-config", "-c", f"source {script}; complete -C 'gh-artifacts {line}'"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    assert {row.partition("\t")[0] for row in ran.stdout.splitlines()} == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_each_option_is_in_every_script(shell):
    """With what it is for, quoted for the shell."""
    script = completion.script(shell)
    for command, described in manual.COMMANDS.items():
        assert f"{command}:{described.brief.rstrip('.').partition(' ')[0]}" in script or f"-a {command} -d " in script
        for option in described.options:
            for name in option.names:
                short, long = f" -s {name[1:]} ", f" -l {name[2:]} "
                assert (
                    f"{name}[" in script
                    or f"{name}=[" in script
                    or f"{name}+[" in script
                    or (f"__gh_artifacts_is {command}'" in script and (short in script or long in script))
                )
    assert "GitHub's REST" not in script


def test_options_that_can_be_repeated():
    """Only they are offered again by zsh."""
    script = completion.script("zsh")
    assert "'*--name=[" in script
    assert "'(--dir -D)--dir=[" in script
    assert ":DIR:_files -/'" in script


def test_a_global_option_that_is_a_command_s_own():
    """It is offered once: with what it means to that command."""
    script = completion.script("fish")
    assert "-n 'not __gh_artifacts_is wait' -l timeout -x" in script
    assert "-n '__gh_artifacts_is wait' -l timeout -x" in script


@pytest.mark.parametrize("shell", manual.SHELLS)
def test_the_program_prints_it(bare_cli, shell):
    """By the quick way, and by the parser's."""
    ran = bare_cli("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == bare_cli("--quiet", "completion", shell).out == completion.script(shell)


def test_another_shell(bare_cli):
    """A usage error says which there are."""
    ran = bare_cli("completion", "tcsh")
    assert (ran.code, ran.out) == (2, "")
    assert "fish" in ran.err
    assert bare_cli("completion").code == 2


def test_it_loads_nothing_heavy():
    """A shell that sources it at each start must not wait."""
    heavy = ("aiohttp", "asyncio", "gh_artifacts_async.client", "cyclopts", "rich", "attrs")
    assert loaded_after("completion", "bash", names=heavy) == [""]
