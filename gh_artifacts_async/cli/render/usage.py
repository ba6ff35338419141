"""What takes up storage: a table with bars for each view, and a line about all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gh_artifacts_async.cli.render import screen, tables, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gh_artifacts_async import StorageUsage, UsageEntry

_BAR = range(8, 25)
"""Characters of a bar for the whole storage."""

_BARS_FROM = 60
"""Columns of a terminal from which every table has room for bars; on a narrower one none has them."""

_ROWS = 20
"""Rows of a table; what is smaller is put together in one more."""

_BLOCK, _PLAIN = "\u2588", "#"


def tables_of(usage: StorageUsage, view: screen.View) -> Iterator[str]:
    """Yield a table for each view of the storage: by name, by age, by branch.

    Args:
        usage: what to show.
        view: where it is shown.
    """
    for heading, entries in (("NAME", usage.by_name), ("AGE", usage.by_age), ("BRANCH", usage.by_branch)):
        columns = (
            tables.Column(heading, style=screen.CYAN, easy=12, middle=True),
            tables.Column("COUNT", right=True, drop=3, late=True),
            tables.Column("SIZE", right=True),
            tables.Column("SHARE", right=True, drop=2, late=True),
            tables.Column("", drop=1, optional=True),
        )
        yield tables.Table(columns, view).page(_rows(entries, usage.bytes, _bars(view)))


def _bars(view: screen.View) -> str:
    """Return the bar of the whole: a quarter of the terminal, of a plain character where its encoding has no other."""
    if view.width is not None and view.width < _BARS_FROM:
        return ""
    block = _BLOCK if view.encodable(_BLOCK) == _BLOCK else _PLAIN
    return block * (_BAR[-1] if view.width is None else min(max(view.width // 4, _BAR[0]), _BAR[-1]))


def _rows(entries: Sequence[UsageEntry], total: int, bar: str) -> Iterator[tables.Row]:
    """Yield a row an entry, with its share of the whole, and that share of the bar: what is there is seen."""

    def row(label: str, count: int, size: int) -> tables.Row:
        share = size / total if total else 0.0
        length = max(round(len(bar) * share), 1 if size else 0)
        return tables.Row((label, f"{count:,}", text.size(size), f"{share:.0%}", bar[:length]))

    shown, others = entries[:_ROWS], entries[_ROWS:]
    for entry in shown:
        label = "-" if entry.label is None else entry.label
        yield row(label, entry.count, entry.bytes)
    if others:
        count, size = sum(entry.count for entry in others), sum(entry.bytes for entry in others)
        yield row(f"({len(others):,} others)", count, size)


def summary(usage: StorageUsage) -> str:
    """Return one line about all of it."""
    expired = f"; {usage.expired:,} expired" if usage.expired else ""
    return f"{text.count(usage.count, 'artifact')} in {usage.repository}, {text.size(usage.bytes)}{expired}"


def document(usage: StorageUsage) -> dict[str, Any]:
    """Return it for a program."""
    return {
        "repository": str(usage.repository),
        "measured_at": usage.measured_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "count": usage.count,
        "bytes": usage.bytes,
        "expired": usage.expired,
        "by_name": _entries("name", usage.by_name),
        "by_age": _entries("age", usage.by_age),
        "by_branch": _entries("branch", usage.by_branch),
    }


def _entries(label: str, entries: Sequence[UsageEntry]) -> list[dict[str, Any]]:
    return [{label: entry.label, "count": entry.count, "bytes": entry.bytes} for entry in entries]
