"""Lines at the bottom of the terminal that are redrawn in place; what is printed meanwhile goes above them.

rich's Live draws from a thread, takes a tenth of a second to import, and counts on lines that keep their width: when
the terminal becomes narrower, what it has drawn stays on the screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Self, TextIO

from gh_artifacts_async import TransferBytes, TransferEvent
from gh_artifacts_async.cli.render import cells, screen, text
from gh_artifacts_async.cli.render.progress import Board, Look
from gh_artifacts_async.cli.render.transfers import Transfers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from gh_artifacts_async import Artifact, Event

INTERVAL = 0.1
"""Seconds between two redraws; more where the terminal is slow."""

_FIRST = 0.25
"""Seconds after which the first lines are drawn: a command that ends before shows none."""

_SHARE = 10
"""A redraw takes at most one part in so many of the time."""

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""A terminal that knows these shows what is between them at once (synchronized output); others ignore them."""

_TO_END_OF_LINE, _TO_END_OF_SCREEN = "\x1b[K", "\x1b[J"


class Live(ABC):
    """Redraws lines while a block lasts, at most ten times a second, and takes them off the screen at its end.

    The cursor stands below the lines, so that what the user types, or a shell's prompt, does not end up among them.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Plan to draw on a stream: standard error, if none is given."""
        self._stream = sys.stderr if stream is None else stream
        self.look: Look = Look.of(getattr(self._stream, "encoding", None), coloured=not os.environ.get("NO_COLOR"))
        self._drawn: list[int] = []
        self._above: list[tuple[TextIO, str]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._block = contextlib.ExitStack()
        self._gone = False

    @abstractmethod
    def lines(self, now: float, columns: int, rows: int) -> list[str]:
        """Return what is to be seen now, within so many columns and rows."""

    @abstractmethod
    def __call__(self, event: Event) -> None:
        """Take note of an event; nothing is drawn before it is time."""

    def __enter__(self) -> Self:
        """Begin to draw."""
        _obey_escapes(os.name)
        self._block.enter_context(screen.drawn_below(self._put_above))
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(_FIRST, self._tick)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the lines off the screen, and write what is still to be written above them."""
        if self._timer is not None:
            self._timer.cancel()
        self._block.close()
        self._write([])

    def draw(self) -> None:
        """Draw the lines as they are to be now, in place of those on the screen."""
        size = screen.size(self._stream)
        rows = size.lines - 1
        self._write(self.lines(time.monotonic(), size.columns, rows)[:rows])

    def _tick(self) -> None:
        started = time.perf_counter()
        self.draw()
        took = time.perf_counter() - started
        if self._loop is not None:
            self._timer = self._loop.call_later(max(INTERVAL, _SHARE * took), self._tick)

    def _put_above(self, stream: TextIO, said: str) -> None:
        self._above.append((stream, said))

    def _write(self, lines: list[str]) -> None:
        """Write what goes above the lines, and the lines, in place of those that are there."""
        above, self._above = self._above, []
        if self._gone:
            return
        up = sum(
            max(1, -(-drawn // screen.size(self._stream).columns)) for drawn in self._drawn
        )  # some are wrapped by now
        erase = f"\r\x1b[{up}A{_TO_END_OF_SCREEN}" if up else ""
        fresh = "".join(f"{line}{_TO_END_OF_LINE}\n" for line in lines)
        try:
            if above:
                screen.write_now(self._stream, _BEGIN + erase if erase else "")
                for stream, said in above:
                    screen.write_now(stream, said)
                screen.write_now(self._stream, fresh + (_END if erase else ""))
            elif erase or fresh:
                back = f"\r\x1b[{up}A" if up else ""
                screen.write_now(self._stream, f"{_BEGIN}{back}{fresh}{_TO_END_OF_SCREEN}{_END}")
        except OSError:  # the terminal is gone, and with it whoever could see anything
            self._gone = True
        self._drawn = [cells.width(_without_styles(line)) for line in lines]


def _obey_escapes(system: str) -> None:
    """Let Windows' console obey escape sequences: that of a shell that has run, even one with nothing to do, does."""
    if system == "nt":
        subprocess.run("", shell=True, check=False)  # noqa: S602, S607 - no command


def _without_styles(line: str) -> str:
    """Return what is to be seen of a line."""
    pieces = line.split("\x1b[")
    return pieces[0] + "".join(piece.partition("m")[2] for piece in pieces[1:])


class DownloadBars(Live):
    """Draws the progress of transfers; a context manager, and an observer of a client or of a download."""

    def __init__(self, artifacts: Iterable[Artifact] | None = None, stream: TextIO | None = None) -> None:
        """Plan the lines.

        Args:
            artifacts: what will be transferred, if that is known already.
            stream: to draw on; standard error, if none is given.
        """
        super().__init__(stream)
        self.transfers: Transfers = Transfers(artifacts)
        self._board = Board(self.transfers, self.look)

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        self.transfers.take(event, time.monotonic())

    def plan(self, artifacts: Iterable[Artifact]) -> None:
        """Take note of what will be transferred, once it is known."""
        self.transfers.plan(artifacts)

    def lines(self, now: float, columns: int, rows: int) -> list[str]:
        """Return one line for the whole, and one for each transfer that takes long enough to be read."""
        return self._board.lines(now, datetime.now().astimezone(), columns, rows)


class Spinner(DownloadBars):
    """Draws that something is happening, and how far it is; a context manager and an observer."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Plan the line."""
        super().__init__(stream=stream)
        self._whole: str | None = None

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        if isinstance(event, TransferBytes):
            of = "" if event.size is None else f" of {text.size(event.size)}"
            received = text.size(event.received)
            self._whole = f"storage does not support ranges, fetching the whole archive: {received}{of}"
        elif not isinstance(event, TransferEvent):
            super().__call__(event)

    def lines(self, now: float, columns: int, rows: int) -> list[str]:
        """Return the one line."""
        if self._whole is None:
            return super().lines(now, columns, rows)
        return [cells.fitted(f"{self.look.spin(now)} {self._whole}", columns - 1, self.look.ellipsis)]
