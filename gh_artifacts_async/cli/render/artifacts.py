"""Artifacts: a table of many, the details of one, and a line about a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.cli.render import screen, tables, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import TextIO

    from gh_artifacts_async import Artifact, ArtifactRun, RepositoryName


ID = tables.Column("ID", right=True)
NAME = tables.Column("NAME", style=screen.CYAN, easy=16, middle=True, usual=32)
SIZE = tables.Column("SIZE", right=True, usual=7)
CREATED = tables.Column("CREATED", drop=1, usual=8)
BRANCH = tables.Column("BRANCH", easy=10, middle=True, drop=2, usual=24)
RUN = tables.Column("RUN", right=True, drop=3, stays_from=80)
"""What is the same in every table of artifacts."""

COLUMNS = (
    ID,
    NAME,
    SIZE,
    CREATED,
    tables.Column("EXPIRES", drop=4, late=True, usual=7),
    RUN,
    BRANCH,
    tables.Column("FORK", style=screen.YELLOW, optional=True),
)

_EXPIRED = {"EXPIRES": screen.RED}


def row(artifact: Artifact, now: datetime) -> tables.Row:
    """Return an artifact as a row of ``COLUMNS``."""
    run = artifact.workflow_run
    values = (
        str(artifact.id),
        artifact.name,
        text.size(artifact.size_in_bytes),
        text.age(artifact.created_at, now),
        "expired" if artifact.expired else text.ahead(artifact.expires_at, now),
        str(artifact.run_id or "-"),
        (run and run.head_branch) or "-",
        "fork" if is_of_fork(run) else "",
    )
    return tables.Row(values, screen.DIM, _EXPIRED) if artifact.expired else tables.Row(values)


def is_of_fork(run: ArtifactRun | None) -> bool:
    """Whether the listing says that an artifact's commit came from another repository."""
    return (
        run is not None
        and None not in {run.repository_id, run.head_repository_id}
        and run.repository_id != run.head_repository_id
    )


def show(found: Iterable[Artifact], now: datetime, stream: TextIO | None = None) -> None:
    """Print a table of artifacts."""
    tables.show(COLUMNS, (row(artifact, now) for artifact in found), stream)


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


def details(artifact: Artifact, now: datetime) -> list[tuple[str, str]]:
    """Return everything about one artifact, as names and values."""
    run = artifact.workflow_run
    return [
        ("name", artifact.name),
        ("id", str(artifact.id)),
        ("repository", str(artifact.repository or "-")),
        ("size", text.exact_size(artifact.size_in_bytes)),
        ("digest", str(artifact.digest or "none (a download can only be checked by its size)")),
        ("created", _time(artifact.created_at, text.age(artifact.created_at, now))),
        ("updated", _time(artifact.updated_at, text.age(artifact.updated_at, now))),
        ("expires", _expiry(artifact, now)),
        ("run", str(artifact.run_id or "-")),
        ("branch", (run and run.head_branch) or "-"),
        ("commit", (run and run.head_sha) or "-"),
        ("API url", artifact.url),
    ]


def _time(moment: datetime | None, relative: str) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC ({relative})"


def _expiry(artifact: Artifact, now: datetime) -> str:
    if artifact.expired:
        return _time(artifact.expires_at, "expired") if artifact.expires_at else "expired"
    return _time(artifact.expires_at, text.ahead(artifact.expires_at, now))
