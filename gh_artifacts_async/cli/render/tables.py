"""Tables: as wide as the terminal, or as their content where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from gh_artifacts_async.cli.render import text

if TYPE_CHECKING:
    from collections.abc import Iterable


def plain(value: str, style: str = "") -> Text:
    """Return foreign text as it may be shown: escaped, and never read as markup."""
    return Text(text.escaped(value), style=style, no_wrap=True, overflow="ellipsis", end="")


def columns(*, heading: bool = True) -> Table:
    """Return a table without lines, to which columns and rows are added."""
    return Table(box=None, pad_edge=False, show_header=heading, header_style="bold", padding=(0, 2, 0, 0))


def pairs(rows: Iterable[tuple[str, str]]) -> Table:
    """Return names and values, one pair a line."""
    table = columns(heading=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(text.escaped(value), overflow="fold"))
    return table
