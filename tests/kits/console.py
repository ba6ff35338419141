"""The shell examples of the README and the documentation: found, run against a fake GitHub, compared, rewritten.

A block ```` ```console ```` has commands after ``$ `` and, below each, what it prints; ``…`` on a line of its own
stands for any number of lines. Only ``gh-artifacts`` is run, and ``echo $?`` after it: it shows the exit code, which
is 0 where a block does not say so. The commands of a page run one after the other, in a folder of the page's own,
against the repository of :func:`fill`. ``python -m tests.kits.console --write [PAGE]...`` puts into the pages what the
commands print now.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

import attrs
import trustme

from gh_artifacts_async import ArtifactsClient, RetryPolicy
from gh_artifacts_async.cli import main
from gh_artifacts_async.testing import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

ROOT = Path(__file__).parent.parent.parent
REPO = "octo-org/octo-docs"
PROGRAMS = (["gh-artifacts"], ["python", "-m", "gh_artifacts_async"])
ENDLESS = ("demo", "watch")
"""Commands that take long, or run until they are stopped."""
CERTIFICATES = "/etc/ssl/our-ca.pem"
"""What pages call a company's own certificate authority."""

HOME = (".local/share/bash-completion/completions", ".config/fish/completions")
"""Folders that a user has."""

_BLOCK = re.compile(r"^(?P<fence>`{3,})console\n(?P<body>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE)
_CHANGING = (  # what differs from run to run, and what stands for it
    (re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"\b\d+ (?:s|min|h|d|months?|years?) ago\b"), "<age>"),
    (re.compile(r"\bin \d+ (?:s|min|h|d|months?|years?)\b"), "<age>"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:ms|s|min)\b"), "<duration>"),
    (re.compile(r"\b\d+(?:\.\d+)? [kMG]?B/s"), "<rate>"),
    (re.compile(r"\[request id [0-9A-F:]+\]"), "<request>"),
    (re.compile(r"\b(?:127\.0\.0\.1|localhost):\d+"), "<address>"),
)
_SHELL = re.compile(r"\s(?:[|>]|&&|\d>)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@attrs.frozen(kw_only=True)
class Command:
    """A command of a block and what the block shows below it.

    Attributes:
        line: its line in the page, from 1.
        text: as written, without the prompt.
        shown: the lines below it.
        code: the exit code that the block states.
    """

    line: int
    text: str
    shown: tuple[str, ...]
    code: int = 0

    @property
    def words(self) -> list[str]:
        """The command's words, without what a shell does with it."""
        words = shlex.split(self.text[: self._end].replace("\\\n", " "), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            del words[0]
        return words

    @property
    def arguments(self) -> list[str] | None:
        """What follows the program's name; None for another program."""
        for program in PROGRAMS:
            if self.words[: len(program)] == program:
                return self.words[len(program) :]
        return None

    @property
    def rest(self) -> str:
        """What the shell does with the output, beginning with ``|`` or ``>``; empty for nothing."""
        return self.text[self._end :].strip()

    @property
    def _end(self) -> int:
        """Where the program's own words end."""
        found = _SHELL.search(_QUOTED.sub(lambda quoted: "_" * len(quoted[0]), self.text))
        return found.start() if found else len(self.text)

    @property
    def is_endless(self) -> bool:
        """Whether it has to be stopped, or takes long."""
        return any(word in ENDLESS for word in (self.arguments or ())[:1])


def commands(text: str) -> list[Command]:
    """Return the commands of a page's console blocks, in order."""
    found: list[Command] = []
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start()) + 2
        found.extend(_commands(block["body"].splitlines(), first))
    return found


def _commands(lines: list[str], first: int) -> Iterator[Command]:
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    read: list[Command] = []
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        end = start
        while lines[end].endswith("\\"):
            end += 1
        text = "\n".join([lines[start][2:], *(line.removeprefix("> ") for line in lines[start + 1 : end + 1])])
        shown = tuple(lines[end + 1 : stop])
        if text == "echo $?" and read and shown:
            read[-1] = attrs.evolve(read[-1], code=int(shown[0]))
        read.append(Command(line=first + start, text=text, shown=shown))
    yield from read


def pages() -> list[Path]:
    """Return the pages that have such commands."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if any(it.arguments is not None for it in commands(page.read_text("utf-8")))]


def normal(line: str) -> str:
    """Return a line without what differs from run to run."""
    for pattern, word in _CHANGING:
        line = pattern.sub(word, line)
    return line.rstrip()


def agrees(shown: Iterable[str], said: Iterable[str]) -> bool:
    """Return whether a block shows what a command printed; parallel transfers end in any order."""
    shown, said = [normal(line) for line in shown], sorted(normal(line) for line in said)
    kept = sorted(line for line in shown if line != "…")
    return kept == said if kept == sorted(shown) else not Counter(kept) - Counter(said)


def rewritten(shown: tuple[str, ...], said: list[str]) -> tuple[str, ...]:
    """Return what a block should show; as before where that is right, and with ``…`` where it had it."""
    if not shown or agrees(shown, said):
        return shown
    if shown.count("…") == 1:
        before = shown.index("…")
        after = len(shown) - before - 1
        if before + after < len(said):
            return (*said[:before], "…", *said[len(said) - after :])
    return tuple(said)


# --- the repository that the pages speak of --------------------------------------------------------------------------

_RUNS: tuple[tuple[int, dict[str, Any]], ...] = (  # run, how old in hours, what it is
    (8700000001, {"hours": 24 * 95, "branch": "main"}),
    (8700000002, {"hours": 24 * 61, "branch": "dev"}),
    (8700000003, {"hours": 24 * 40, "branch": "dev"}),
    (8900000001, {"hours": 30, "branch": "main", "workflow": "nightly.yml"}),
    (8999999999, {"hours": 5, "branch": "feature/search", "conclusion": "failure"}),
    (9000000001, {"hours": 2, "branch": "main"}),
)
_ARTIFACTS: tuple[tuple[int, int, str, tuple[str, ...]], ...] = (  # run, ID, name, its members
    (8700000001, 1, "docs", ("docs/log.txt",)),
    (8700000002, 2, "logs", ("build.log",)),
    (8700000002, 3, "wheels", ("octo_docs-2.2-py3-none-any.whl",)),
    (8700000003, 4, "logs", ("build.log",)),
    (8700000003, 5, "wheels", ("octo_docs-2.3-py3-none-any.whl",)),
    (8900000001, 6, "nightly", ("log.txt",)),
    (8999999999, 7, "logs", ("build.log",)),
    (9000000001, 8, "wheel-linux", ("octo_docs_speedups-2.4-cp312-manylinux_2_28_x86_64.whl",)),
    (9000000001, 9, "wheel-macos", ("octo_docs_speedups-2.4-cp312-macosx_11_0_arm64.whl",)),
    (9000000001, 10, "logs", ("build.log",)),
    (9000000001, 11, "docs", ("docs/log.txt", "docs/core.bin")),
    (9000000001, 12, "wheels", ("octo_docs-2.4-py3-none-any.whl",)),
    (9000000001, 13, "wheels-linux", ("octo_docs-2.4-cp312-manylinux_2_28_x86_64.whl",)),
    (9000000001, 14, "wheels-macos", ("octo_docs-2.4-cp312-macosx_11_0_arm64.whl",)),
    (9000000001, 15, "coverage", ("summary.json", "report.json", "coverage/summary.json")),
)
_SIZES = {".whl": 2_000_000, ".bin": 3_000_000}


def _content(name: str, seed: int) -> bytes:
    size = _SIZES.get(Path(name).suffix)
    if size is not None:
        return random.Random(seed).randbytes(size)  # noqa: S311  bytes that do not compress
    if name.endswith(".json"):
        return b'{"covered": 0.97}\n'
    return b"building the documentation\n" * 200 + b"all is well\n"


def _stored(files: dict[str, bytes]) -> bytes:
    """Return a zip that is the same with every version of zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 2, 9, 30, 0)), content)
    return buffer.getvalue()


def fill(github: FakeGitHub) -> None:
    """Give a fake the repository octo-org/octo-docs, as the pages describe it."""
    now = github.clock.now()
    ages: dict[int, timedelta] = {}
    for number, given in _RUNS:
        ages[number] = timedelta(hours=given["hours"])
        created = now - ages[number] - timedelta(minutes=9)
        values = {name: value for name, value in given.items() if name != "hours"}
        github.add_run(REPO, id=number, created_at=created, **values)
    for run, number, name, members in _ARTIFACTS:
        archive = _stored({member: _content(member, number) for member in members})
        created = now - ages[run] - timedelta(minutes=4, seconds=-number)
        expired = number == 1
        github.add_artifact(run, name, id=number, archive=archive, created_at=created, expired=expired)


def _interrupted_before(github: FakeGitHub, call: Callable[..., Any]) -> None:
    """Leave what an earlier download has finished, and what another one was cut off in."""
    once = functools.partial(ArtifactsClient.from_env, retry=RetryPolicy(attempts=1))
    with mock.patch.object(ArtifactsClient, "from_env", once):
        _main(["download", REPO, "10"])
        call(github.faults.cut, 11, at=1_800_000)
        call(github.faults.status, 11, 503, times=1)
        _main(["download", REPO, "11"])
    call(github.faults.clear)


PREPARED: dict[str, Callable[[FakeGitHub, Callable[..., Any]], None]] = {"docs/reference/cli.md": _interrupted_before}
"""What happened in a page's folder before its first command."""


# --- running them ----------------------------------------------------------------------------------------------------


@attrs.define(kw_only=True)
class Ran:
    """What a command did.

    Attributes:
        code: its exit code.
        lines: what a person would have seen.
    """

    code: int
    lines: list[str]


class _Stream(io.TextIOWrapper):
    """A stream that keeps what is written: a terminal, or the way to another program."""

    def __init__(self, *, terminal: bool) -> None:
        self.kept = io.BytesIO()
        self._terminal = terminal
        super().__init__(self.kept, encoding="utf-8", newline="\n", write_through=True)

    def isatty(self) -> bool:
        return self._terminal


class _Keyboard(io.StringIO):
    """Standard input with a person at it, who says yes."""

    def __init__(self, screen: _Stream) -> None:
        super().__init__("y\n" * 100)
        self._screen = screen

    def isatty(self) -> bool:
        return True

    def readline(self, *size: Any) -> Any:
        answer = super().readline(*size)
        self._screen.write(answer)  # as a terminal echoes it
        return answer


def _main(arguments: list[str], rest: str = "") -> Ran:
    """Run the command line in this process; what a shell does with the output, a shell does."""
    screen = _Stream(terminal=True)
    output = _Stream(terminal=False) if rest else screen
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(screen),
        mock.patch("sys.stdin", _Keyboard(screen)),
    ):
        code = main(arguments)
    if rest:
        shell = ["bash", "-c", f'fpath=("" "$HOME"); cat {rest}']
        done = subprocess.run(shell, input=output.kept.getvalue(), capture_output=True, check=True)  # noqa: S603  ours
        screen.kept.write(done.stdout + done.stderr)
    return Ran(code=code, lines=screen.kept.getvalue().decode().splitlines())


@contextlib.contextmanager
def _environment(url: str) -> Generator[None]:
    """Say nothing of this machine's GitHub, and name the fake; work in an empty folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GH_", "GITHUB_")) and not name.lower().endswith("_proxy")
    }
    kept |= {"GITHUB_API_URL": url, "GH_ENTERPRISE_TOKEN": "t0ken", "GH_REPO": REPO, "COLUMNS": "80"}
    kept |= {"TERM": "dumb", "NO_COLOR": "1"}  # no bars: a page shows what stays
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, kept | {"HOME": folder}, clear=True):
        os.chdir(folder)
        for name in HOME:
            Path(name).mkdir(parents=True)
        try:
            trustme.CA().cert_pem.write_to_path(Path(CERTIFICATES).name)
            yield
        finally:
            os.chdir(before)


class Page:
    """A page's commands, against a fake GitHub of its own in a thread: a context manager.

    Attributes:
        commands: those of its console blocks.
        github: the fake.
    """

    def __init__(self, path: Path) -> None:
        """Read the page."""
        self.path = path
        self.name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        self.text = path.read_text("utf-8")
        self.commands = commands(self.text)
        self.github = FakeGitHub()
        self._stack = contextlib.ExitStack()

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of the fake in the fake's thread."""

        async def called() -> Any:
            result = function(*args, **kwargs)
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(30)

    def __enter__(self) -> Self:
        """Start the fake, and prepare the folder."""
        self._loop = asyncio.SelectorEventLoop()
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        self._stack.callback(self._loop.close)
        self._stack.callback(thread.join)
        self._stack.callback(self._loop.call_soon_threadsafe, self._loop.stop)
        with contextlib.ExitStack() as failing:
            failing.callback(self._stack.close)
            self.call(self.github.__aenter__)
            self._stack.callback(self.call, self.github.aclose)
            self.call(fill, self.github)
            self._stack.enter_context(_environment(self.github.base_url))
            PREPARED.get(self.name, lambda *_: None)(self.github, self.call)
            failing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._stack.close()

    def run(self, command: Command) -> Ran:
        """Run a command in this process."""
        return _main(self._arguments(command), command.rest)

    def _arguments(self, command: Command) -> list[str]:
        arguments = [it.replace(CERTIFICATES, Path(CERTIFICATES).name) for it in command.arguments or []]
        for number, word in enumerate(arguments[:-1]):
            if word == "--api-url":
                arguments[number + 1] = self.github.base_url
        return arguments

    def run_apart(self, command: Command) -> Ran:
        """Run a command as a process; what is endless is stopped by Ctrl-C once it has printed a line."""
        arguments = self._arguments(command)
        if "watch" in arguments:
            arguments += ["--interval", "0.2"]
        shell = ["bash", "-c", f'"$0" "$@" {command.rest}', sys.executable, "-m", "gh_artifacts_async", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(  # noqa: S603  our own pages
            shell,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        return self._watched(process) if "watch" in arguments else _finished(process)

    def _watched(self, process: subprocess.Popen[str]) -> Ran:
        asked = len(self.github.requests)
        while len(self.github.requests) < asked + 2:  # it has looked once, and again
            threading.Event().wait(0.05)
        number = self.call(self.github.add_artifact, _RUNS[-1][0], "nightly", files={"log.txt": b"new\n"})
        stream = process.stdout
        assert stream is not None
        lines = [stream.readline().rstrip("\n")]
        assert lines[0], f"nothing was printed for artifact {number}"
        process.send_signal(2)
        ran = _finished(process)
        return attrs.evolve(ran, lines=lines + ran.lines)

    def checked(self, *, apart: bool = False) -> Iterator[str]:
        """Run the commands, and yield a line for each that does not do what the page shows."""
        for command, ran in self.ran(apart=apart):
            if ran.code != command.code:
                yield f"{self.name}:{command.line}: exit code {ran.code}, not {command.code}: {ran.lines[-3:]}"
            elif command.shown and not agrees(command.shown, ran.lines):
                said = "\n".join(ran.lines)
                yield f"{self.name}:{command.line}: {command.text} prints something else:\n{said}"

    def ran(self, *, apart: bool = False) -> Iterator[tuple[Command, Ran]]:
        """Run the commands in order; without ``apart``, in this process, and not those that are endless."""
        for command in self.commands:
            if command.arguments is not None and (apart or not command.is_endless):
                yield command, self.run_apart(command) if apart else self.run(command)

    def rewritten(self) -> str:
        """Return the page with what its commands print now."""
        lines = self.text.splitlines(keepends=True)
        changes: list[tuple[int, int, tuple[str, ...]]] = []
        for command, ran in self.ran():
            first = command.line + command.text.count("\n")
            changes.append((first, first + len(command.shown), rewritten(command.shown, ran.lines)))
        for first, stop, said in reversed(changes):
            lines[first:stop] = [f"{line}\n" for line in said]
        return "".join(lines)


def _finished(process: subprocess.Popen[str]) -> Ran:
    said, _ = process.communicate(timeout=60)
    return Ran(code=process.returncode, lines=said.splitlines())


def write(paths: list[Path]) -> None:
    """Rewrite what the pages show."""
    for path in paths:
        with Page(path) as page:
            text = page.rewritten()
        if text != page.text:
            path.write_text(text, "utf-8")
            sys.stdout.write(f"{page.name} rewritten\n")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--write"]:
        sys.exit("usage: python -m tests.kits.console --write [PAGE]...")
    write([Path(name).absolute() for name in sys.argv[2:]] or pages())
