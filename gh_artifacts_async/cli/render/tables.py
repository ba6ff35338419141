"""Tables: as wide as the terminal, or as their content where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from gh_artifacts_async.cli.render import text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gh_artifacts_async.models import Artifact


def plain(value: str, style: str = "") -> Text:
    """Return foreign text as it may be shown: escaped, and never read as markup."""
    return Text(text.escaped(value), style=style, no_wrap=True, overflow="ellipsis", end="")


def artifacts(found: Iterable[Artifact], now: datetime) -> Table:
    """Return a table of artifacts."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("ID", justify="right", no_wrap=True)
    table.add_column("NAME", no_wrap=True, overflow="ellipsis", ratio=None, style="cyan")
    table.add_column("SIZE", justify="right", no_wrap=True)
    table.add_column("CREATED", no_wrap=True)
    table.add_column("EXPIRES", no_wrap=True)
    table.add_column("RUN", no_wrap=True, justify="right")
    table.add_column("BRANCH", no_wrap=True, overflow="ellipsis")
    for artifact in found:
        style = "dim" if artifact.expired else ""
        run = artifact.workflow_run
        table.add_row(
            str(artifact.id),
            plain(artifact.name),
            text.size(artifact.size_in_bytes),
            text.age(artifact.created_at, now),
            Text("expired", style="red") if artifact.expired else text.ahead(artifact.expires_at, now),
            str(artifact.run_id or "-"),
            plain((run and run.head_branch) or "-"),
            style=style,
        )
    return table


def pairs(rows: Iterable[tuple[str, str]]) -> Table:
    """Return names and values, one pair a line."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(text.escaped(value), overflow="fold"))
    return table


def one_artifact(artifact: Artifact, now: datetime) -> Table:
    """Return everything about one artifact."""
    run = artifact.workflow_run
    rows = [
        ("name", artifact.name),
        ("id", str(artifact.id)),
        ("repository", str(artifact.repository or "-")),
        ("size", f"{text.size(artifact.size_in_bytes)} ({artifact.size_in_bytes:,} bytes)"),
        ("digest", str(artifact.digest or "none: only its length can be checked")),
        ("created", _moment(artifact.created_at, text.age(artifact.created_at, now))),
        ("updated", _moment(artifact.updated_at, text.age(artifact.updated_at, now))),
        ("expires", _expiry(artifact, now)),
        ("run", str(artifact.run_id or "-")),
        ("branch", (run and run.head_branch) or "-"),
        ("commit", (run and run.head_sha) or "-"),
        ("url", artifact.url),
    ]
    return pairs(rows)


def _moment(moment: datetime | None, relative: str) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC ({relative})"


def _expiry(artifact: Artifact, now: datetime) -> str:
    if artifact.expired:
        return _moment(artifact.expires_at, "expired: its bytes are gone") if artifact.expires_at else "expired"
    return _moment(artifact.expires_at, text.ahead(artifact.expires_at, now))
