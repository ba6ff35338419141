"""The two streams: results to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import time
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO

from gh_artifacts_async.cli.render import text as words
from gh_artifacts_async.cli.render import workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"
"""Styles, as terminals know them (https://en.wikipedia.org/wiki/ANSI_escape_code#Select_Graphic_Rendition_parameters)."""

_ELLIPSIS = "\u2026"
_PAUSE = 0.2
"""Seconds in which the runner reads what was written."""

_USUAL = os.terminal_size((80, 24))
"""The size of a terminal that does not say."""

_LIMITED = ("dumb", "unknown")
"""Terminals, as TERM names them, that show escape sequences instead of obeying them."""

_DIGITS = 6
"""Of a number of columns or rows, at most."""


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


def write(stream: TextIO | None, text: str, *, command: bool = False) -> bool:
    """Write and flush; a reader that is gone (``| head``) is no error, and nothing more is written to it.

    While lines are redrawn in place on the terminal, what goes there is written with the next redraw.

    Args:
        stream: where to; None for one that was closed before the program began.
        text: what; inside GitHub Actions, no line of it is obeyed as a workflow command.
        command: it is one.

    Returns:
        Whether somebody may still read.

    Raises:
        OSError: the stream's disk is full, or broken otherwise.
    """
    if stream is None:
        return False
    if not command and workflow.active():
        text = workflow.neutral(text)
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
        raw = _raw(stream)
        if raw is None:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                stream.write(words.encodable(text, stream.encoding or "ascii"))
        else:
            _write_all(raw, _encoded(stream, text.replace("\n", os.linesep)))
        stream.flush()
        return True
    return False


def _raw(stream: TextIO) -> io.RawIOBase | None:
    """Return what is below a stream that has no buffer, as with PYTHONUNBUFFERED; None for any other stream.

    Python drops the rest of a text where such a file takes part of it: when a signal comes while a terminal or a pipe
    is full, and on Windows' console.
    """
    buffer = getattr(stream, "buffer", None)
    return buffer if isinstance(buffer, io.RawIOBase) else None


def _encoded(stream: TextIO, text: str) -> bytes:
    encoding = stream.encoding or "ascii"
    try:
        return text.encode(encoding, stream.errors or "strict")
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace")


def _write_all(raw: io.RawIOBase, data: bytes) -> None:
    left = memoryview(data)
    while left:
        written = raw.write(left)
        if written is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        left = left[written:]


def say(text: str, *, command: bool = False) -> None:
    """Write to standard error; where that is full or broken, the results and the exit code count all the same."""
    with contextlib.suppress(OSError):
        write(sys.stderr, text, command=command)


def complain(kind: Literal["error", "warning"], said: str) -> None:
    """Say on standard error what went wrong; inside GitHub Actions, on the page of the run, too."""
    said = words.escaped(said)
    if workflow.heard(sys.stderr):
        say(workflow.annotation(kind, said), command=True)
    else:
        say(f"{wrapped(f'{kind}: {said}', sys.stderr)}\n")


@contextlib.contextmanager
def group(title: str) -> Generator[None]:
    """Fold the results that are printed in a block, inside GitHub Actions."""
    if not workflow.heard(sys.stdout):
        yield
        return
    write(sys.stdout, workflow.group(words.escaped(title)), command=True)
    try:
        yield
    finally:
        write(sys.stdout, workflow.END_OF_GROUP, command=True)


def mask(secret: str) -> None:
    """Have GitHub's runner hide a secret in all logs; never where the line itself might be kept in a file."""
    if workflow.heard(sys.stderr) and not workflow.shared(sys.stderr, sys.stdout):
        say(workflow.mask(secret), command=True)


def write_bytes(stream: TextIO | None, data: bytes) -> None:
    """Write bytes as they are, and flush; a reader that is gone is no error here either.

    Inside GitHub Actions, the runner is asked to obey no line of them.

    Raises:
        OSError: the stream's disk is full, or broken otherwise.
    """
    if stream is None:
        return
    with _not_obeyed(stream, data), contextlib.suppress(BrokenPipeError), _abandoned_if_broken(stream):
        stream.flush()
        raw = _raw(stream)
        if raw is None:
            stream.buffer.write(data)
        else:
            _write_all(raw, data)
        stream.buffer.flush()


@contextlib.contextmanager
def _not_obeyed(stream: TextIO, data: bytes) -> Generator[None]:
    """Stop workflow commands around bytes that hold one, if the runner may be what reads them.

    It cannot be asked on the stream itself, where each byte counts, so there is a pause: it reads two pipes at once.
    """
    if not (workflow.heard(stream) and workflow.heard(sys.stderr) and workflow.may_hold_commands(data)):
        yield
        return
    token = os.urandom(16).hex()
    say(workflow.stop(token), command=True)
    time.sleep(_PAUSE)
    try:
        yield
    finally:
        time.sleep(_PAUSE)
        say(workflow.resume(token), command=True)


@contextlib.contextmanager
def _abandoned_if_broken(stream: TextIO) -> Generator[None]:
    try:
        yield
    except OSError as error:
        _abandon(stream)
        if stream is sys.stdout:
            error.filename = "standard output"
        raise


def _abandon(stream: TextIO) -> None:
    """Point a stream at the null device, so that the interpreter's own flush at exit has nothing to complain about."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at it."""
    return stream is not None and stream.isatty()


def can_move_the_cursor(stream: TextIO | None) -> bool:
    """Whether bars can be drawn there."""
    return is_terminal(stream) and os.environ.get("TERM") not in _LIMITED


class View(NamedTuple):
    """How text is shown on a stream.

    Attributes:
        width: columns of the terminal; None where there is none, so that nothing is cut off for a program or a log.
        colours: whether styles are shown.
        encoding: the stream's.
    """

    width: int | None = None
    colours: bool = False
    encoding: str = "utf-8"

    def encodable(self, text: str) -> str:
        """Return text with escapes for what the stream's encoding lacks, as :func:`write` would write it."""
        return words.encodable(text, self.encoding)

    @property
    def ellipsis(self) -> str:
        """What stands for the rest of text that is cut off."""
        return _ELLIPSIS if self.encodable(_ELLIPSIS) == _ELLIPSIS else "~"

    def styled(self, text: str, *styles: str) -> str:
        """Return text in styles, if there are colours and any of the styles is not empty."""
        codes = ";".join(filter(None, styles)) if self.colours and text else ""
        return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def view(stream: TextIO | None) -> View:
    """Return how text is shown on a stream."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    width = _columns(stream) if stream is not None and is_terminal(stream) else None
    return View(width, _has_colours(stream), encoding)


def _columns(stream: TextIO) -> int:
    """Return a terminal's width; COLUMNS overrides it, as everywhere."""
    if said := _number("COLUMNS"):
        return said
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL.columns
    except (OSError, ValueError):
        return _USUAL.columns


def _has_colours(stream: TextIO | None) -> bool:
    """Whether styles are shown there; https://no-color.org and https://force-color.org."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") in _LIMITED:
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    # A console of Windows obeys escape sequences only if its program has turned that on, as newer terminals have.
    return is_terminal(stream) and (os.name != "nt" or any(map(os.environ.get, ("WT_SESSION", "TERM"))))


def size(stream: TextIO | None) -> os.terminal_size:
    """Return a terminal's size; it may have changed since it was last asked for."""
    found = os.terminal_size((0, 0))
    with contextlib.suppress(OSError, ValueError, AttributeError):
        found = os.get_terminal_size(stream.fileno())  # type: ignore[union-attr]
    columns = found.columns or _number("COLUMNS") or _USUAL.columns
    return os.terminal_size((columns, found.lines or _number("LINES") or _USUAL.lines))


def _number(name: str) -> int:
    """Return what a variable says of a terminal's size; 0 if that is no such number."""
    value = os.environ.get(name, "")
    return int(value) if value.isdecimal() and len(value) <= _DIGITS else 0


def wrapped(said: str, stream: TextIO | None, *, indent: str = "") -> str:
    """Return lines that fit a terminal, as far as words do; elsewhere the line as it is.

    Args:
        said: the line.
        stream: where it goes.
        indent: of the lines after the first.
    """
    import textwrap

    if not is_terminal(stream):
        return said
    columns = size(stream).columns
    lines = textwrap.wrap(said, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)
