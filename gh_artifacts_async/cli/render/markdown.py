"""A table for a job's summary; no name from elsewhere can be more than text in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import text

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROWS = 100
"""Rows of a table."""
_BYTES = 60_000
"""Of a table; GitHub drops a step's summary of more than 1 MiB, and older servers one of more than 128 KiB."""
_LONGEST = 400
"""Characters of a cell."""
_PLAIN = frozenset(" -/,")


def plain(said: str) -> str:
    """Return text, with a character reference for whatever Markdown or HTML could read as more than itself."""
    said = text.escaped(said)
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    shown = "".join(char if char.isalnum() or char in _PLAIN else f"&#{ord(char)};" for char in said)
    return f"&#{ord(shown[0])};{shown[1:]}" if shown.startswith((" ", "-")) else shown  # no list, no indented block


def code(name: str) -> str:
    """Return a name in the type of code, where GitHub does not look for mentions or links either."""
    return f"<code>{plain(name)}</code>"


def section(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], said: str) -> str:
    """Return a heading, a table, and a line below it.

    Args:
        title: the heading.
        head: the columns' names.
        rows: their cells, each made by :func:`plain` or :func:`code`.
        said: the line.
    """
    lines = [f"\n### {plain(title)}\n"]
    shown = _shown(rows)
    if shown:
        lines += [_row(head), _row(["---"] * len(head)), *shown, ""]
    if len(rows) > len(shown):
        lines.append(f"… and {len(rows) - len(shown):,} more\n")
    return "\n".join([*lines, f"{plain(said)}\n"])


def _shown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return as many rows as fit."""
    lines, left = list(map(_row, rows[:_ROWS])), _BYTES
    for number, line in enumerate(lines):
        left -= len(line.encode("utf-8"))
        if left < 0:
            return lines[:number]
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
