"""The two streams: results to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console, RenderableType

_UNBOUND = 100_000
"""Columns where there is no terminal: nothing is cut off for a program or a log."""

_USUAL = os.terminal_size((80, 24))
"""The size of a terminal that does not say."""


class _Above:
    """What writes above lines that are redrawn in place, while there are any; else None."""

    write: Callable[[TextIO, str], None] | None = None


@contextlib.contextmanager
def drawn_below(write_above: Callable[[TextIO, str], None]) -> Generator[None]:
    """Hand over what is written to a terminal within a block: there are lines on it that are redrawn in place."""
    before, _Above.write = _Above.write, write_above
    try:
        yield
    finally:
        _Above.write = before


def is_live() -> bool:
    """Whether there are lines on the terminal that are redrawn in place."""
    return _Above.write is not None


def write(stream: TextIO | None, text: str) -> bool:
    """Write and flush; a reader that is gone (``| head``) is no error, and nothing more is written to it.

    While lines are redrawn in place on the terminal, what goes there is written with the next redraw.

    Returns:
        Whether somebody may still read.

    Raises:
        OSError: the stream's disk is full, or broken otherwise.
    """
    if stream is None:  # closed before the program began
        return False
    if _Above.write is not None and is_terminal(stream):
        _Above.write(stream, text)
        return True
    return write_now(stream, text)


def write_now(stream: TextIO, text: str) -> bool:
    """Write and flush, whatever is on the terminal; otherwise as :func:`write`.

    Raises:
        OSError: the stream's disk is full, or broken otherwise.
    """
    with contextlib.suppress(BrokenPipeError), _abandoned_if_broken(stream):
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
        return True
    return False


def write_bytes(stream: TextIO | None, data: bytes) -> None:
    """Write bytes as they are, and flush; a reader that is gone is no error here either.

    Raises:
        OSError: the stream's disk is full, or broken otherwise.
    """
    if stream is None:
        return
    with contextlib.suppress(BrokenPipeError), _abandoned_if_broken(stream):
        stream.flush()
        stream.buffer.write(data)
        stream.buffer.flush()


@contextlib.contextmanager
def _abandoned_if_broken(stream: TextIO) -> Generator[None]:
    try:
        yield
    except OSError:
        _abandon(stream)
        raise


def _abandon(stream: TextIO) -> None:
    """Point a stream at the null device, so that the interpreter's own flush at exit has nothing to complain about."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at it."""
    return stream is not None and stream.isatty()


def can_move_the_cursor(stream: TextIO | None) -> bool:
    """Whether bars can be drawn there."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def size(stream: TextIO | None) -> os.terminal_size:
    """Return a terminal's size; it may have changed since it was last asked for."""
    found = os.terminal_size((0, 0))
    with contextlib.suppress(OSError, ValueError, AttributeError):
        found = os.get_terminal_size(stream.fileno())  # type: ignore[union-attr]
    columns = found.columns or _number("COLUMNS") or _USUAL.columns
    return os.terminal_size((columns, found.lines or _number("LINES") or _USUAL.lines))


def _number(name: str) -> int:
    value = os.environ.get(name, "")
    return int(value) if value.isdecimal() else 0


def wrapped(said: str, stream: TextIO | None) -> str:
    """Return lines that fit a terminal, as far as words do; elsewhere the line as it is."""
    import textwrap

    if not is_terminal(stream):
        return said
    lines = textwrap.wrap(said, size(stream).columns, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def console(stream: TextIO) -> Console:
    """Return rich's console for a stream; it takes no markup, and cuts nothing off where there is no terminal."""
    from rich.console import Console

    width = None if is_terminal(stream) else _UNBOUND
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False, soft_wrap=False)


def show(renderable: RenderableType, stream: TextIO | None = None) -> None:
    """Print a result, or on another stream what belongs there."""
    stream = sys.stdout if stream is None else stream
    if stream is None:
        return
    screen = console(stream)
    with screen.capture() as captured:
        screen.print(renderable)
    write(stream, without_trailing_blanks(captured.get()))


def without_trailing_blanks(text: str) -> str:
    """Return text whose lines do not end in blanks (a table fills its last column up)."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
