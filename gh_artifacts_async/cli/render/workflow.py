"""Workflow commands: lines on a step's output that GitHub's runner obeys, and how no other line becomes one.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

# The runner also obeys "##[command]" anywhere in a line, and "::command::" after whatever it takes for blanks.
_OLD = "##["
_NEAR = 100
_FIRST = re.compile(r"(?<![^\r\n])([^\w\r\n]*?):(?=:)")


def active(environ: Mapping[str, str] | None = None) -> bool:
    """Whether this is a step of a GitHub Actions job.

    Args:
        environ: in place of ``os.environ``.
    """
    return (os.environ if environ is None else environ).get("GITHUB_ACTIONS") == "true"


def heard(stream: TextIO | None) -> bool:
    """Whether the runner may be what reads a stream: not if it is a terminal, or was redirected to a file."""
    if stream is None or not active():
        return False
    try:
        return not (stream.isatty() or stat.S_ISREG(os.fstat(stream.fileno()).st_mode))
    except (OSError, ValueError):  # no file at all: somebody captures what is written
        return True


def shared(one: TextIO | None, other: TextIO | None) -> bool:
    """Whether two streams are one pipe, as by ``2>&1 | tee``; the runner itself reads two."""
    try:
        return one is not None and other is not None and os.path.sameopenfile(one.fileno(), other.fileno())
    except (OSError, ValueError):
        return False


def neutral(text: str) -> str:
    """Return text in which no line is a command; within JSON strings it means the same as before."""
    if ":" not in text and _OLD not in text:
        return text
    return _FIRST.sub(r"\1\\u003a", text.replace(_OLD, "\\u0023#["))


def may_hold_commands(data: bytes) -> bool:
    """Whether the runner might obey a line of some bytes; rather yes than no, and soon, also for many of them."""
    if _OLD.encode() in data:
        return True
    at = data.find(b"::")
    while at >= 0:
        before = re.split(rb"[\r\n]", data[max(0, at - _NEAR) : at])[-1]
        if not re.search(rb"\w", before):
            return True
        at = data.find(b"::", at + 1)
    return False


def annotation(kind: Literal["error", "warning"], said: str) -> str:
    """Return the command that shows a message on the page of the run, too; it is one line of the log."""
    return f"::{kind} title=gh-artifacts::{_data(said)}\n"


def group(title: str) -> str:
    """Return the command that begins a group of lines that can be folded."""
    return f"::group::{_data(title)}\n"


END_OF_GROUP = "::endgroup::\n"
"""The command that ends it."""


def mask(secret: str) -> str:
    """Return the command that has the runner replace a secret in all logs by asterisks."""
    return f"::add-mask::{_data(secret)}\n"


def stop(token: str) -> str:
    """Return the command after which the runner obeys none, until :func:`resume` with the same token."""
    return f"::stop-commands::{token}\n"


def resume(token: str) -> str:
    """Return the command that ends what :func:`stop` began."""
    return f"::{token}::\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
