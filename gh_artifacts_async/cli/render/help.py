"""``--help`` as plain text in two columns: rich's panels alone would take longer than all the rest of it."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from gh_artifacts_async.cli.render import screen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

_WIDEST = 100
_INDENT = 2
_COLUMN = 26
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class TextHelp:
    """Writes cyclopts' help panels to standard output."""

    def __call__(self, _console: Console, _options: ConsoleOptions, panel: HelpPanel) -> None:
        """Write one panel."""
        rows = [(_labels(entry), _description(entry)) for entry in panel.entries]
        if rows:
            screen.write(sys.stdout, f"{_heading(str(panel.title))}\n{_two_columns(rows)}\n")

    def render_usage(self, _console: Console, _options: ConsoleOptions, usage: object) -> None:
        """Write the line of usage."""
        screen.write(sys.stdout, f"{_plain_text(usage)}\n\n")

    def render_description(self, _console: Console, _options: ConsoleOptions, description: object) -> None:
        """Write what the command does."""
        paragraphs = _plain_text(description).split("\n\n")
        filled = "\n\n".join(textwrap.fill(" ".join(one.split()), _width()) for one in paragraphs)
        screen.write(sys.stdout, f"{filled}\n\n")


def _width() -> int:
    return min(_WIDEST, shutil.get_terminal_size().columns)


def _heading(title: str) -> str:
    return f"{_BOLD}{title}{_PLAIN}" if screen.can_move_the_cursor(sys.stdout) else title


def _plain_text(value: Any) -> str:  # noqa: ANN401 - cyclopts hands over text, rich's text, or its own around that
    inner = getattr(value, "primary_renderable", value)
    return str(getattr(inner, "plain", inner) or "").strip()


def _labels(entry: HelpEntry) -> str:
    """Return an entry's names, with what newer versions of cyclopts say about its value."""
    labels: Iterable[str] | None = getattr(entry, "display_labels_with_metavar", None)
    return ", ".join((*entry.names, *entry.shorts) if labels is None else labels)


def _description(entry: HelpEntry) -> str:
    said = [_plain_text(entry.description)]
    if entry.choices and len(entry.choices) > 1:
        said.append(f"[{', '.join(entry.choices)}]")
    if entry.default not in {None, "False"}:
        said.append(f"[default: {entry.default}]")
    return " ".join(part for part in said if part)


def _two_columns(rows: Iterable[tuple[str, str]]) -> str:
    lines = []
    room = max(20, _width() - _INDENT - _COLUMN)
    for left, right in rows:
        wrapped = textwrap.wrap(right, room) or [""]
        if len(left) > _COLUMN - _INDENT:
            lines.append(" " * _INDENT + left)
            left = ""
        lines.append((" " * _INDENT + left.ljust(_COLUMN) + wrapped[0]).rstrip())
        lines += [" " * (_INDENT + _COLUMN) + line for line in wrapped[1:]]
    return "".join(f"{line}\n" for line in lines)
