"""The two streams: results to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Literal, TextIO

from gh_artifacts_async.cli.render import text as words
from gh_artifacts_async.cli.render import workflow

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.console import Console, RenderableType

_PAUSE = 0.2
"""Seconds in which the runner reads what was written."""
_UNBOUND = 100_000
"""Columns where there is no terminal: nothing is cut off for a program or a log."""


def write(stream: TextIO | None, text: str, *, command: bool = False) -> bool:
    """Write and flush; a reader that is gone (``| head``) is no error, and nothing more is written to it.

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
    with contextlib.suppress(BrokenPipeError), _abandoned_if_broken(stream):
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
        return True
    return False


def complain(kind: Literal["error", "warning"], said: str) -> None:
    """Say on standard error what went wrong; inside GitHub Actions, on the page of the run, too."""
    said = words.escaped(said)
    if workflow.heard(sys.stderr):
        write(sys.stderr, workflow.annotation(kind, said), command=True)
    else:
        write(sys.stderr, f"{kind}: {said}\n")


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
        write(sys.stderr, workflow.mask(secret), command=True)


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
        stream.buffer.write(data)
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
    write(sys.stderr, workflow.stop(token), command=True)
    time.sleep(_PAUSE)
    try:
        yield
    finally:
        time.sleep(_PAUSE)
        write(sys.stderr, workflow.resume(token), command=True)


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
