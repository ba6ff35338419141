"""What would be deleted and why, and what was."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from gh_artifacts_async import Artifact
from gh_artifacts_async.cli.render import artifacts, documents, tables, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from gh_artifacts_async import CleanupPlan, PlannedArtifact, RepositoryName, RetentionPolicy


def question(found: Sequence[Artifact], repo: RepositoryName) -> str:
    """Return what is asked before artifacts are deleted."""
    return f"Delete {text.count(len(found), 'artifact')} ({text.size(_stored(found))}) from {repo}? [y/N] "


DELETED = (
    tables.Column("", right=True, usual=8),
    tables.Column(""),
    *(column._replace(name="") for column in (artifacts.ID, artifacts.NAME)),
)


def deleted(artifact: Artifact) -> tables.Row:
    """Return an artifact that was deleted as a row of ``DELETED``."""
    return tables.Row((text.size(artifact.size_in_bytes), "deleted", str(artifact.id), artifact.name))


def total(done: Sequence[Artifact], failed: int) -> str:
    """Return one line about all deletions."""
    said = f"{text.count(len(done), 'artifact')} deleted, {text.size(_stored(done))} freed"
    return f"{said}; {failed:,} failed" if failed else said


def _stored(found: Sequence[Artifact]) -> int:
    return sum(artifact.size_in_bytes for artifact in found if not artifact.expired)


_OVER = re.compile(r"among the oldest, to get down to ([\d,]+) bytes")
"""How the library says that ``--max-total`` is the reason."""

COLUMNS = (
    artifacts.ID,
    artifacts.NAME,
    artifacts.SIZE,
    artifacts.CREATED,
    artifacts.BRANCH,
    tables.Column("WHY", easy=24, drop=3, late=True),
)


def rows(plan: CleanupPlan, now: datetime) -> Iterator[tables.Row]:
    """Yield rows of ``COLUMNS``: what a plan deletes, and why."""
    for planned in plan.delete:
        artifact = planned.artifact
        if isinstance(artifact, Artifact):
            run = artifact.workflow_run
            yield tables.Row(
                (
                    str(artifact.id),
                    artifact.name,
                    text.size(artifact.size_in_bytes),
                    text.age(artifact.created_at, now),
                    (run and run.head_branch) or "-",
                    _reason(planned.reason, artifact),
                )
            )


def _reason(said: str, artifact: Artifact) -> str:
    """Return a short reason: without the name and the branch, which stand beside it, and the size as it is shown."""
    run = artifact.workflow_run
    if found := _OVER.fullmatch(said):
        return f"over {text.size(int(found[1].replace(',', '')))} in all"
    return said.removesuffix(f" on {run and run.head_branch}").removesuffix(f" named {artifact.name!r}")


def plan_total(plan: CleanupPlan, *, applies: bool) -> str:
    """Return one line about a whole plan."""
    gone, kept = len(plan.delete), text.count(len(plan.keep), "artifact")
    does = "deleting" if applies else "would delete"
    what = f"{does} {text.count(gone, 'artifact')} ({text.size(plan.bytes_freed)})" if gone else "nothing to delete"
    return f"{what}; {kept} ({text.size(plan.bytes_kept)}) kept"


def plan_notes(plan: CleanupPlan, policy: RetentionPolicy, *, applies: bool, verbose: bool) -> Iterator[str]:
    """Yield lines about a plan.

    Args:
        plan: the plan.
        policy: what it was made by.
        applies: it is carried out next.
        verbose: also say why the others are kept.
    """
    if verbose:
        reasons = Counter(planned.reason for planned in plan.keep)
        for reason, count in reasons.most_common():
            yield f"kept: {text.count(count, 'artifact')} ({reason})"
    yield plan_total(plan, applies=applies)
    limit = policy.max_total_bytes
    if limit is not None and plan.bytes_kept > limit:
        yield f"that is more than {text.size(limit)}, but nothing else may be deleted"
    if plan.delete and not applies:
        yield "nothing was deleted; add --apply to delete them"


def document(plan: CleanupPlan) -> dict[str, Any]:
    """Return a plan for a program."""
    return {
        "repository": None if plan.repository is None else str(plan.repository),
        "created_at": plan.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "delete": [_planned(planned) for planned in plan.delete],
        "keep": [_planned(planned) for planned in plan.keep],
        "bytes_freed": plan.bytes_freed,
        "bytes_kept": plan.bytes_kept,
    }


def _planned(planned: PlannedArtifact) -> dict[str, Any]:
    found = planned.artifact
    known = documents.artifact(found) if isinstance(found, Artifact) else {"id": found.id, "name": found.name}
    return {**known, "reason": planned.reason}
