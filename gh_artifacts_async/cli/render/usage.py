"""What takes up storage: a table with bars for each view, and a line about all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from gh_artifacts_async.cli.render import tables, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from gh_artifacts_async import StorageUsage, UsageEntry

_BAR = 24
"""Characters of the longest bar."""

_ROWS = 20
"""Rows of a table; what is smaller is put together in one more."""

_BLOCK, _PLAIN = "\u2588", "#"


def block_for(stream: TextIO | None) -> str:
    """Return the character that bars are made of; a plain one where the stream's encoding has no other."""
    try:
        _BLOCK.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN
    return _BLOCK


def tables_of(usage: StorageUsage, block: str) -> Iterator[Table]:
    """Yield a table for each view: by name, by age, by branch.

    Args:
        usage: what to show.
        block: the character of the bars.
    """
    for heading, entries in (("NAME", usage.by_name), ("AGE", usage.by_age), ("BRANCH", usage.by_branch)):
        yield _table(heading, entries, usage.bytes, block)


def _table(heading: str, entries: Sequence[UsageEntry], total: int, block: str) -> Table:
    rows = tables.columns()
    rows.add_column(heading, no_wrap=True, overflow="ellipsis", style="cyan")
    rows.add_column("COUNT", justify="right", no_wrap=True)
    rows.add_column("SIZE", justify="right", no_wrap=True)
    rows.add_column("", no_wrap=True)
    longest = max((entry.bytes for entry in entries), default=0)
    shown, others = entries[:_ROWS], entries[_ROWS:]
    for entry in shown:
        rows.add_row(
            tables.plain("-" if entry.label is None else entry.label),
            f"{entry.count:,}",
            text.size(entry.bytes),
            _bar(entry.bytes, longest, total, block),
        )
    if others:
        size = sum(entry.bytes for entry in others)
        count = f"{sum(entry.count for entry in others):,}"
        rows.add_row(f"({len(others):,} others)", count, text.size(size), _bar(size, longest, total, block))
    return rows


def _bar(size: int, longest: int, total: int, block: str) -> str:
    """Return a bar as long as its part of the longest, and its share of the whole."""
    length = min(_BAR, round(_BAR * size / longest)) if longest else 0
    share = size / total if total else 0.0
    return f"{block * length:<{_BAR}} {share:>4.0%}"


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
