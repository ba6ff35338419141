"""Tables: no wider than the terminal, and whole where there is none; rows are shown as they come.

The columns are laid out for the first rows. rich would lay out all rows at once, and take twenty times as long.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, NamedTuple

from gh_artifacts_async.cli.render import cells, screen, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

_GAP = "  "


class Column(NamedTuple):
    """One column of a table.

    Where there is too little room, columns that may be shortened give way, each down to ``easy``; then columns are
    dropped in the order of ``drop`` until the others fit; if they never do, they are shortened further.

    Attributes:
        name: its heading.
        right: it is aligned to the right, as numbers are.
        style: of its cells.
        easy: it may be shortened, and down to so many columns without harm; 0 for what is never shortened.
        middle: it is shortened in its middle, since such text is told apart by its end, too.
        drop: when it is dropped, the lowest first; 0 for never.
        late: not before the others are shortened to half of ``easy``.
        stays_from: it is not dropped on a terminal of so many columns or more.
        usual: columns that rows take up as a rule; room for those that are not known yet.
        optional: it is left out if the first rows have nothing in it.
    """

    name: str
    right: bool = False
    style: str = ""
    easy: int = 0
    middle: bool = False
    drop: int = 0
    late: bool = False
    stays_from: float = math.inf
    usual: int = 0
    optional: bool = False


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        values: one for each column; what a terminal would obey is escaped when they are shown.
        style: of the whole row.
        styles: of single cells, by the name of their column.
    """

    values: Sequence[str]
    style: str = ""
    styles: Mapping[str, str] = {}


class Table:
    """Rows under one heading, laid out for the first of them."""

    def __init__(self, columns: Sequence[Column], view: screen.View) -> None:
        """Begin without rows.

        Args:
            columns: all that there are, if there is room for them.
            view: where the table is shown.
        """
        self._columns = columns
        self._view = view
        self._widths: list[int] = []

    def page(self, rows: Iterable[Row], *, more: bool = False) -> str:
        """Return rows as lines, the first time below the heading.

        Args:
            rows: those that are known.
            more: others come later; there is room for what is usual in them.
        """
        shown = [(row, [self._shown(value) for value in row.values]) for row in rows]
        lines = []
        if not self._widths:
            self._lay_out([values for _, values in shown], more=more)
            names = [
                column.name if columns else "" for column, columns in zip(self._columns, self._widths, strict=True)
            ]
            heading = Row(names, screen.BOLD, dict.fromkeys(names, ""))
            lines += [self._line(heading, names)] if any(names) else []
        lines += [self._line(row, values) for row, values in shown]
        return "".join(lines)

    def _shown(self, value: str) -> str:
        return value if value.isascii() and value.isprintable() else self._view.encodable(text.escaped(value))

    def _lay_out(self, rows: Sequence[Sequence[str]], *, more: bool) -> None:
        wanted = []
        for index, column in enumerate(self._columns):
            widest = max((cells.width(values[index]) for values in rows), default=0)
            usual = column.usual if more else 0
            wanted.append(max(widest, len(column.name), usual) if widest or not column.optional else 0)
        self._widths = wanted if self._view.width is None else fit(self._columns, wanted, self._view.width)

    def _line(self, row: Row, values: Sequence[str]) -> str:
        widths = self._widths
        lengths = [cells.width(value) for value in values]
        if any(length > columns for length, columns in zip(lengths, widths, strict=True)):
            widths = self._row_widths(lengths)
        line = _GAP.join(
            self._cell(column, value, columns, row)
            for column, value, columns in zip(self._columns, values, widths, strict=True)
            if columns
        )
        return line.rstrip() + "\n"

    def _row_widths(self, lengths: Sequence[int]) -> list[int]:
        """Return how wide the cells are of a row that the columns are too narrow for.

        What may not be shortened takes room from what may; and that takes what is left, out of line rather than cut.
        """
        wanted = [
            max(columns, length) if columns or (column.optional and not column.drop) else 0
            for column, columns, length in zip(self._columns, self._widths, lengths, strict=True)
        ]
        if self._view.width is None or wanted == self._widths:
            return wanted
        widths = [
            columns if column.easy else wants
            for column, columns, wants in zip(self._columns, self._widths, wanted, strict=True)
        ]
        share(self._columns, widths, wanted, self._view.width)
        return widths if _total(widths) <= self._view.width else fit(self._columns, wanted, self._view.width)

    def _cell(self, column: Column, value: str, columns: int, row: Row) -> str:
        shown = (cells.fitted if column.middle else cells.cut)(value, columns, self._view.ellipsis)
        blanks = " " * (columns - cells.width(shown))
        styled = self._view.styled(shown, row.style, row.styles.get(column.name, column.style))
        return blanks + styled if column.right else styled + blanks


def fit(columns: Sequence[Column], wanted: Sequence[int], width: int) -> list[int]:
    """Return how wide each column is on a terminal; 0 for those that are dropped.

    Args:
        columns: the columns.
        wanted: how wide each would be with enough room; 0 for those that are not there.
        width: the terminal's.
    """
    widths = [min(wants, column.easy or wants) for column, wants in zip(columns, wanted, strict=True)]
    drops = [index for index, column in enumerate(columns) if column.drop and width < column.stays_from]
    for index in sorted(drops, key=lambda index: columns[index].drop):
        easy = sum(has for column, has in zip(columns, widths, strict=True) if column.easy)
        if _total(widths) - (easy // 2 if columns[index].late else 0) <= width:
            break
        widths[index] = 0
    share(columns, widths, wanted, width)
    return widths


def share(columns: Sequence[Column], widths: list[int], wanted: Sequence[int], width: int) -> None:
    """Share the room of a terminal among the columns that may be shortened.

    Args:
        columns: the columns.
        widths: how wide each is, or 0; those that may be shortened are changed.
        wanted: how wide each would be with enough room.
        width: the terminal's.
    """
    spare = width - _total(widths)
    elastic = [index for index, column in enumerate(columns) if column.easy]
    while spare > 0 and (growing := [index for index in elastic if 0 < widths[index] < wanted[index]]):
        widths[min(growing, key=lambda index: widths[index] / columns[index].easy)] += 1
        spare -= 1
    while spare < 0 and (shrinking := [index for index in elastic if widths[index] > 1]):
        widths[max(shrinking, key=lambda index: widths[index] / columns[index].easy)] -= 1
        spare += 1


def _total(widths: Sequence[int]) -> int:
    """Return how long a line is."""
    return sum(widths) + len(_GAP) * (sum(map(bool, widths)) - 1)


def show(columns: Sequence[Column], rows: Iterable[Row], stream: TextIO | None = None) -> None:
    """Print a table whose rows are all known, to standard output or elsewhere."""
    stream = sys.stdout if stream is None else stream
    screen.write(stream, Table(columns, screen.view(stream)).page(rows))


def pairs(rows: Iterable[tuple[str, str]], view: screen.View) -> str:
    """Return names and values, a pair a line; a value that is too long goes on below its beginning."""
    known = [(name, view.encodable(text.escaped(value))) for name, value in rows]
    indent = max((len(name) for name, _ in known), default=0) + len(_GAP)
    lines = []
    for name, value in known:
        parts = [value] if view.width is None else cells.folded(value, max(2, view.width - indent))
        styled = view.styled(name, screen.BOLD) + " " * (indent - len(name))
        lines += [f"{styled if not number else ' ' * indent}{part}\n" for number, part in enumerate(parts)]
    return "".join(lines)
