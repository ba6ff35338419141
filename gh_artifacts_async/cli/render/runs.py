"""Workflow runs: a table, and a line about a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import tables, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.table import Table
    from rich.text import Text

    from gh_artifacts_async import RepositoryName, WorkflowRun

_STYLES = {"success": "green", "failure": "red", "timed_out": "red", "startup_failure": "red"}


def table(found: Sequence[WorkflowRun], now: datetime) -> Table:
    """Return a table of runs, the heading first; where there is little room, names give way, and an ID never does."""
    rows = tables.columns()
    rows.add_column("ID", justify="right", no_wrap=True)
    for name in ("WORKFLOW", "STATUS", "EVENT", "BRANCH"):  # rich takes room from these alone: no column no_wrap
        rows.add_column(tables.plain(name), style="cyan" if name == "WORKFLOW" else "")
    rows.add_column("CREATED", no_wrap=True)
    forks = any(run.is_fork for run in found)
    if forks:
        rows.add_column("FORK", no_wrap=True)
    for run in found:
        state = run.conclusion or run.status or "-"
        cells: list[str | Text] = [
            str(run.id),
            tables.plain(run.name or "-"),
            tables.plain(state, style=_STYLES.get(state, "")),
            tables.plain(run.event or "-"),
            tables.plain(run.head_branch or "-"),
            text.age(run.created_at, now),
        ]
        if forks:
            cells.append("fork" if run.is_fork else "")
        rows.add_row(*cells)
    return rows


def summary(found: Sequence[WorkflowRun], *, repo: RepositoryName, limit: int) -> str:
    """Return one line about a listing.

    Args:
        found: what it brought.
        repo: the repository.
        limit: the most it was to bring.
    """
    if not found:
        return f"no runs in {repo} match"
    more = f"; there may be more (--limit {2 * limit})" if len(found) == limit else ""
    return f"{text.count(len(found), 'run')} in {repo}{more}"
