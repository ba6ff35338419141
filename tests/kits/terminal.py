"""The real program in a terminal: run under a pseudo-terminal, and its output replayed as a terminal would show it.

``run()`` is all that most tests need: the screen at the end, every line that scrolled off it, the screens between,
and the exit code. Tests that use it are ``realtime``.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import attrs
import pyte
from pyte.screens import wcwidth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

PROGRAM = ("-m", "gh_artifacts_async")
_ABOUT_THIS_TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "COLORTERM", "FORCE_COLOR")
_SETTLED = 0.01
"""Seconds without output after which the screen counts as a frame: a redraw has been written by then."""


class _Screen(pyte.Screen):
    """A screen that remembers which lines scrolled off it, and which were too long for it."""

    def __init__(self, columns: int, rows: int) -> None:
        self.scrolled: list[str] = []
        self.wrapped: list[str] = []
        self._drawing = False
        super().__init__(columns, rows)

    def text(self, row: int) -> str:
        """Return a row; a wide character fills two cells, of which the second is empty."""
        cells = self.buffer[row]
        return "".join(cells[column].data for column in range(self.columns)).rstrip()

    def draw(self, data: str) -> None:
        """Draw characters; those beyond the last column go to the next row."""
        self._drawing = True
        super().draw(data)
        self._drawing = False

    def index(self) -> None:
        """Move down a row, and scroll at the last one."""
        if self._drawing:
            self.wrapped.append(self.text(self.cursor.y))
        if self.cursor.y == (self.margins.bottom if self.margins else self.lines - 1):
            self.scrolled.append(self.text(self.margins.top if self.margins else 0))
        super().index()

    def reflow(self, columns: int, rows: int) -> None:
        """Change the size as most terminals do: what no longer fits in a row goes on in the next."""
        kept = [self.text(row) for row in range(self.cursor.y + 1)]
        cut = [piece for line in kept[:-1] for piece in _pieces(line, columns)] + [kept[-1][:columns]]
        self.scrolled += cut[: max(0, len(cut) - rows)]
        wrapped, scrolled = self.wrapped, self.scrolled
        self.resize(rows, columns)
        self.reset()
        for number, line in enumerate(cut[-rows:]):
            self.cursor_position(number + 1, 1)
            self.draw(line)
        self.wrapped, self.scrolled = wrapped, scrolled


def _pieces(line: str, columns: int) -> list[str]:
    """Return a line as the rows that it takes up."""
    rows, width = [""], 0
    for char in line:
        width += wcwidth(char)
        if width > columns:
            rows.append("")
            width = wcwidth(char)
        rows[-1] += char
    return rows


@attrs.frozen
class Frame:
    """What the screen showed at one moment.

    Attributes:
        seconds: since the program was started.
        lines: of the screen, without trailing blanks; as many as the screen has rows.
        styled: the same with colours, as SGR sequences (for ``rich.text.Text.from_ansi``).
    """

    seconds: float
    lines: tuple[str, ...]
    styled: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines down to the last one that is not empty."""
        return "\n".join(self.lines).rstrip()


@attrs.define
class Recording:
    """What one run of a program showed on its terminal.

    Attributes:
        code: its exit code; that of a signal is negative, as with subprocess.
        frames: the screens, each different from the one before.
        scrolled: the lines that left the screen at the top, the oldest first.
        wrapped: the lines that were longer than the screen.
        raw: all that was written, unreplayed.
        out: what went to standard output, if that was a pipe.
        cpu: seconds of processor time that it took.
    """

    code: int
    frames: list[Frame]
    scrolled: list[str]
    wrapped: list[str]
    raw: str
    out: str
    cpu: float

    @property
    def screen(self) -> list[str]:
        """The lines of the last screen, down to the last one that is not empty."""
        return self.frames[-1].text.splitlines() if self.frames else []

    @property
    def lines(self) -> list[str]:
        """All that can be read in the end: what scrolled off, and the last screen."""
        return [*self.scrolled, *self.screen]

    @property
    def text(self) -> str:
        """All that can be read in the end, as text."""
        return "\n".join(self.lines)


class Screening:
    """A program that runs in a terminal; what a step of ``run(steps=…)`` gets.

    Attributes:
        process: the program.
        frames: the screens so far.
    """

    def __init__(self, process: subprocess.Popen[bytes], terminal: int, columns: int, rows: int) -> None:
        """Begin with an empty screen.

        Args:
            process: the program.
            terminal: the descriptor of the terminal's other end.
            columns: of the terminal.
            rows: of the terminal.
        """
        self.process = process
        self.frames: list[Frame] = []
        self._terminal = terminal
        self._closed = False
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._raw = b""
        self._started = time.monotonic()

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return self.frames[-1].text if self.frames else ""

    def press(self, keys: str) -> None:
        r"""Type something; the character 3 is Ctrl-C."""
        os.write(self._terminal, keys.encode())

    def kill(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal's window."""
        os.close(self._terminal)
        self._closed = True

    def close(self) -> None:
        """Close our end of the terminal, unless that was done."""
        if not self._closed:
            self.hang_up()

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size; lines that are too long then are wrapped, as most terminals do."""
        self._screen.reflow(columns, rows)
        _set_size(self._terminal, columns, rows)  # the system then sends SIGWINCH

    # --- what run() does

    def read(self, seconds: float) -> bool:
        """Replay what is written within some time; return False once the program has closed the terminal."""
        if self._closed:
            return False
        if not select.select([self._terminal], [], [], seconds)[0]:
            return True
        while select.select([self._terminal], [], [], _SETTLED)[0]:
            try:
                data = os.read(self._terminal, 1 << 16)
            except OSError:  # EIO: nobody has the other end open any more
                data = b""
            if not data:
                self._keep()
                return False
            self._raw += data
            self._stream.feed(data)
        self._keep()
        return True

    def _keep(self) -> None:
        screen = self._screen
        lines = tuple(screen.text(row) for row in range(screen.lines))
        if not self.frames or lines != self.frames[-1].lines:
            styled = tuple(_styled(screen, row) for row in range(screen.lines))
            self.frames.append(Frame(time.monotonic() - self._started, lines, styled))

    def recording(self, out: str, cpu: float) -> Recording:
        """Return all of it, once the program has ended."""
        raw = self._raw.decode(errors="replace")
        screen = self._screen
        return Recording(self.process.wait(), self.frames, screen.scrolled, screen.wrapped, raw, out, cpu)


Step = tuple["str | Callable[[Screening], bool]", "Callable[[Screening], object]"]
"""When something is done, a regular expression that the screen matches or a function, and what."""


def run(
    *words: object,
    columns: int = 80,
    rows: int = 24,
    given: Sequence[str] = PROGRAM,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    out: bool = True,
    steps: Sequence[Step] = (),
    timeout: float = 30,
) -> Recording:
    """Run Python's program ``given`` with some words in a terminal until it ends, and return what was to be seen.

    Args:
        *words: arguments.
        columns: of the terminal.
        rows: of the terminal.
        given: what Python runs.
        env: added to this process's environment, or instead of what is there.
        cwd: the folder in which it runs.
        out: whether standard output is the terminal; else it is a pipe. Standard error is always the terminal.
        steps: done one after the other, each once its condition is met.
        timeout: seconds after which the program is killed.

    Raises:
        TimeoutError: it took too long; what is on the screen is in the message.
    """
    ours, theirs = pty.openpty()
    _set_size(theirs, columns, rows)
    environment = {name: value for name, value in os.environ.items() if name not in _ABOUT_THIS_TERMINAL}
    environment |= {"TERM": "xterm-256color", **(env or {})}
    before = os.times()
    process = subprocess.Popen(  # noqa: S603 - Python itself
        # The shell that opens it gets it as its controlling terminal, so that Ctrl-C reaches the program.
        ["/bin/sh", "-c", 'exec "$@" 0<>"$0"', os.ttyname(theirs), sys.executable, *given, *map(str, words)],
        stdout=theirs if out else subprocess.PIPE,
        stderr=theirs,
        env=environment,
        cwd=cwd,
        start_new_session=True,
    )
    os.close(theirs)
    screening = Screening(process, ours, columns, rows)
    try:
        piped = _watch(screening, list(steps), timeout)
    finally:
        process.kill()
        process.wait()
        screening.close()
        if process.stdout is not None:
            process.stdout.close()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return screening.recording(piped, cpu)


def _watch(screening: Screening, steps: list[Step], timeout: float) -> str:
    """Replay until the program has ended; return what came through the pipe, if standard output is one."""
    ends, piped = time.monotonic() + timeout, b""
    pipe = screening.process.stdout
    while screening.read(0.05):
        if time.monotonic() > ends:
            msg = f"the program still runs after {timeout} s; the screen:\n{screening.text}"
            raise TimeoutError(msg)
        if pipe is not None and select.select([pipe], [], [], 0)[0]:
            piped += os.read(pipe.fileno(), 1 << 16)
        if steps and _met(screening, steps[0][0]):
            steps.pop(0)[1](screening)
    if pipe is not None:
        piped += pipe.read()
    screening.process.wait(timeout)
    return piped.decode()


def _met(screening: Screening, condition: str | Callable[[Screening], bool]) -> bool:
    if isinstance(condition, str):
        return re.search(condition, screening.text) is not None
    return condition(screening)


def _set_size(terminal: int, columns: int, rows: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


_COLOURS = {
    name: 30 + number
    for number, name in enumerate(["black", "red", "green", "brown", "blue", "magenta", "cyan", "white"])
}


def _styled(screen: pyte.Screen, row: int) -> str:
    """Return a row with SGR sequences where the style changes."""
    cells, styled, before = screen.buffer[row], "", ""
    for column in range(screen.columns):
        cell = cells[column]
        colour = cell.fg.removeprefix("bright")
        codes = ["1"] if cell.bold else []
        if colour in _COLOURS:
            codes.append(str(_COLOURS[colour] + (60 if cell.fg != colour else 0)))
        style = ";".join(codes)
        styled += f"\x1b[0;{style}m" if style != before else ""
        before = style
        styled += cell.data
    return styled.rstrip() + ("\x1b[0m" if before else "")
