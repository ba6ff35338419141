"""Workflow runs: a table, and a line about a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import screen, tables, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gh_artifacts_async import RepositoryName, WorkflowRun

COLUMNS = (
    tables.Column("ID", right=True),
    tables.Column("WORKFLOW", style=screen.CYAN, easy=14, usual=24),
    tables.Column("STATUS", easy=18, usual=11),
    tables.Column("EVENT", easy=12, drop=2, usual=12),
    tables.Column("BRANCH", easy=10, middle=True, drop=3, usual=24),
    tables.Column("CREATED", drop=1, usual=8),
    tables.Column("FORK", style=screen.YELLOW, optional=True),
)

_STYLES = {"success": screen.GREEN} | dict.fromkeys(("failure", "timed_out", "startup_failure"), screen.RED)


def row(run: WorkflowRun, now: datetime) -> tables.Row:
    """Return a run as a row of ``COLUMNS``."""
    state = run.conclusion or run.status or "-"
    values = (
        str(run.id),
        run.name or "-",
        state,
        run.event or "-",
        run.head_branch or "-",
        text.age(run.created_at, now),
        "fork" if run.is_fork else "",
    )
    return tables.Row(values, styles={"STATUS": _STYLES.get(state, "")})


def summary(found: Sequence[WorkflowRun], *, repo: RepositoryName) -> str:
    """Return one line about a listing."""
    return f"{text.count(len(found), 'run')} in {repo}" if found else f"no runs in {repo} match"
