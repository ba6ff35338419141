"""Artifacts: a table of many, the details of one, and a line about a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from gh_artifacts_async.cli.render import tables, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.table import Table

    from gh_artifacts_async import Artifact, RepositoryName


def table(found: Iterable[Artifact], now: datetime) -> Table:
    """Return a table of artifacts, the heading first."""
    rows = tables.columns()
    rows.add_column("ID", justify="right", no_wrap=True)
    rows.add_column("NAME", no_wrap=True, overflow="ellipsis", ratio=None, style="cyan")
    rows.add_column("SIZE", justify="right", no_wrap=True)
    rows.add_column("CREATED", no_wrap=True)
    rows.add_column("EXPIRES", no_wrap=True)
    rows.add_column("RUN", no_wrap=True, justify="right")
    rows.add_column("BRANCH", no_wrap=True, overflow="ellipsis")
    for artifact in found:
        run = artifact.workflow_run
        rows.add_row(
            str(artifact.id),
            tables.plain(artifact.name),
            text.size(artifact.size_in_bytes),
            text.age(artifact.created_at, now),
            Text("expired", style="red") if artifact.expired else text.ahead(artifact.expires_at, now),
            str(artifact.run_id or "-"),
            tables.plain((run and run.head_branch) or "-"),
            style="dim" if artifact.expired else "",
        )
    return rows


def summary(found: Sequence[Artifact], *, repo: RepositoryName, run: int | None, name: str | None) -> str:
    """Return one line about a listing.

    Args:
        found: what it brought.
        repo: the repository.
        run: the run that was asked for.
        name: the name that was asked for.
    """
    where = f"run {run} of {repo}" if run is not None else str(repo)
    named = f" named {name!r}" if name is not None else ""
    if not found:
        return f"no artifacts{named} in {where}"
    size = sum(artifact.size_in_bytes for artifact in found if not artifact.expired)
    gone = sum(artifact.expired for artifact in found)
    expired = f"; {gone:,} expired" if gone else ""
    return f"{text.count(len(found), 'artifact')}{named} in {where}, {text.size(size)}{expired}"


def details(artifact: Artifact, now: datetime) -> Table:
    """Return everything about one artifact."""
    run = artifact.workflow_run
    rows = [
        ("name", artifact.name),
        ("id", str(artifact.id)),
        ("repository", str(artifact.repository or "-")),
        ("size", f"{text.size(artifact.size_in_bytes)} ({artifact.size_in_bytes:,} bytes)"),
        ("digest", str(artifact.digest or "none (a download can only be checked by its size)")),
        ("created", _time(artifact.created_at, text.age(artifact.created_at, now))),
        ("updated", _time(artifact.updated_at, text.age(artifact.updated_at, now))),
        ("expires", _expiry(artifact, now)),
        ("run", str(artifact.run_id or "-")),
        ("branch", (run and run.head_branch) or "-"),
        ("commit", (run and run.head_sha) or "-"),
        ("url", artifact.url),
    ]
    return tables.pairs(rows)


def _time(moment: datetime | None, relative: str) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC ({relative})"


def _expiry(artifact: Artifact, now: datetime) -> str:
    if artifact.expired:
        return _time(artifact.expires_at, "expired") if artifact.expires_at else "expired"
    return _time(artifact.expires_at, text.ahead(artifact.expires_at, now))
