"""Which artifacts and runs fit a query, and why not: pure rules on what GitHub has answered."""

from __future__ import annotations

import fnmatch
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gh_artifacts_async.errors import DuplicateArtifactsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gh_artifacts_async.automation.criteria import ArtifactQuery
    from gh_artifacts_async.models import Artifact, WorkflowRun

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_WILDCARD = re.compile(r"[*?[]")
_ESCAPED = re.compile(r"\[([*?[])\]")  # as glob.escape writes it
_WORKFLOW_FILES = (".yml", ".yaml")

LATEST_UPLOAD = timedelta(days=65)
"""An artifact is at most this much younger than its run: a run may take 35 days, and be re-run for 30 days
(https://docs.github.com/en/actions/reference/limits,
https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs)."""


USUAL_RETENTION = timedelta(days=90)
"""How long GitHub keeps artifacts by default; a public repository's never longer."""


def oldest_run(since: datetime) -> datetime | None:
    """Return when the oldest run began whose artifact may be as new as that; None if there is no such time."""
    return None if since - _LONG_AGO < LATEST_UPLOAD else since - LATEST_UPLOAD


# --- what a query asks for ---


def literal_names(query: ArtifactQuery) -> tuple[str, ...]:
    """Return the names if none of them has a wildcard, so that GitHub can filter by them; else nothing.

    A wildcard that ``glob.escape`` has escaped is a character like others.
    """
    if any(_WILDCARD.search(_ESCAPED.sub("", name)) for name in query.names):
        return ()
    return tuple(dict.fromkeys(_ESCAPED.sub(r"\1", name) for name in query.names))


def needs_runs(query: ArtifactQuery) -> bool:
    """Whether a query has a field that only the workflow run itself answers."""
    fields = (query.workflow, query.event, query.conclusion, query.actor, query.run_number, query.run_attempt)
    return any(field is not None for field in fields)


def names_a_source(query: ArtifactQuery) -> bool:
    """Whether a query has a field about the run, or about its commit, which the artifact may answer too."""
    return needs_runs(query) or query.branch is not None or query.head_sha is not None


def is_workflow_name(workflow: str | int | None) -> bool:
    """Whether a workflow is given by its name (``"CI"``), and not by its file or id."""
    return isinstance(workflow, str) and not workflow.endswith(_WORKFLOW_FILES)


def run_filters(query: ArtifactQuery) -> tuple[tuple[str, str], ...]:
    """Return GitHub's own filters of a listing of runs."""
    given = {
        "branch": query.branch,
        "event": query.event,
        "status": query.conclusion,
        "head_sha": query.head_sha,
        "actor": query.actor,
    }
    return tuple((key, value) for key, value in given.items() if value is not None)


# --- what fits ---


def name_fits(query: ArtifactQuery, name: str) -> bool:
    """Whether an artifact's name matches one of the globs, and the regular expression."""
    if query.name_regex is not None and re.fullmatch(query.name_regex, name) is None:
        return False
    return any(fnmatch.fnmatchcase(name, glob) for glob in query.names)


def why_not_artifact(query: ArtifactQuery, artifact: Artifact, *, run_is_checked: bool) -> str | None:
    """Return why an artifact does not fit, by what it says of itself; None if it fits.

    Args:
        query: what is asked for.
        artifact: a candidate, whose name matches.
        run_is_checked: what the artifact does not say is left to :func:`why_not_run`; else it does not fit.
    """
    if artifact.expired and not query.include_expired:
        return "it has expired"
    if query.since is not None and (artifact.created_at or _LONG_AGO) < query.since:
        return f"it was created before {query.since.isoformat()}"
    if query.exclude_run is not None and artifact.run_id == query.exclude_run:
        return f"run {query.exclude_run} is excluded"
    if query.run_id is not None and artifact.run_id not in {query.run_id, None}:
        return f"it belongs to run {artifact.run_id}, not {query.run_id}"
    return _why_not_source(query, artifact, run_is_checked=run_is_checked)


def _why_not_source(query: ArtifactQuery, artifact: Artifact, *, run_is_checked: bool) -> str | None:
    """Compare branch, commit and head repository, as far as the artifact has them."""
    run = artifact.workflow_run
    branch, sha = (run and run.head_branch), (run and run.head_sha)
    for asked, found, what in ((query.branch, branch, "branch"), (query.head_sha, sha, "commit")):
        if asked is not None and found != asked and not (found is None and run_is_checked):
            return f"its {what} is {'unknown' if found is None else found}, not {asked}"
    if query.allow_forks:
        return None
    head, own = (run and run.head_repository_id), (run and run.repository_id)
    if head is None or own is None:
        return None if run_is_checked else "its head repository is unknown, and so counts as a fork"
    return None if head == own else "its run is of a fork"


def why_not_run(query: ArtifactQuery, run: WorkflowRun) -> str | None:
    """Return why a run does not fit; None if it does."""
    if query.exclude_run == run.id:
        return f"run {run.id} is excluded"
    if query.conclusion is not None and query.conclusion not in {run.conclusion, run.status}:
        return f"its run is {run.conclusion or run.status}, not {query.conclusion}"
    if not _is_of_workflow(query.workflow, run):
        return f"its run is of workflow {run.path or run.name}, not {query.workflow}"
    if query.run_attempt is not None and (run.run_attempt or 1) < query.run_attempt:
        return f"its run has no attempt {query.run_attempt}"
    if run.is_fork and not query.allow_forks:
        return "its run is of a fork"
    return _why_not_equal(query, run)


def _why_not_equal(query: ArtifactQuery, run: WorkflowRun) -> str | None:
    asked = (
        (query.branch, run.head_branch, "branch"),
        (query.event, run.event, "event"),
        (query.head_sha, run.head_sha, "commit"),
        (query.actor and query.actor.lower(), run.actor and run.actor.lower(), "actor"),
        (query.run_number, run.run_number, "run number"),
    )
    for wanted, found, what in asked:
        if wanted is not None and found != wanted:
            return f"its run's {what} is {'unknown' if found is None else found}, not {wanted}"
    return None


def _is_of_workflow(workflow: str | int | None, run: WorkflowRun) -> bool:
    """Compare id, name or file; a run's path may end in ``@`` and a Git reference."""
    if workflow is None or workflow in {run.workflow_id, run.name}:
        return True
    path = (run.path or "").partition("@")[0]
    return isinstance(workflow, str) and bool(path) and workflow.rpartition("/")[2] == path.rpartition("/")[2]


# --- which of them ---


def age(artifact: Artifact) -> tuple[datetime, int]:
    """Return what artifacts are ordered by: the time first, since a newer one may have a lower id."""
    return artifact.created_at or _LONG_AGO, artifact.id


def run_age(run: WorkflowRun) -> tuple[datetime, int]:
    """Return what runs are ordered by, as :func:`age`."""
    return run.created_at or _LONG_AGO, run.id


def longest_retention(artifacts: Iterable[Artifact], least: timedelta = USUAL_RETENTION) -> timedelta:
    """Return for how long a repository keeps artifacts, as far as some of them show; not less than ``least``."""
    spans = (one.expires_at - one.created_at for one in artifacts if one.expires_at and one.created_at)
    return max([least, *spans])


def all_expired_since(artifact: Artifact, retention: timedelta, moment: datetime) -> bool:
    """Whether an artifact has expired, and all older ones have: an upload may ask for a shorter retention than others.

    Args:
        artifact: one of a listing.
        retention: the longest of its repository.
        moment: now.
    """
    return artifact.expired and artifact.created_at is not None and moment - artifact.created_at > retention


def newest_first(artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Return each artifact once, the newest first."""
    return sorted({artifact.id: artifact for artifact in artifacts}.values(), key=age, reverse=True)


def newest_of_each_name(artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Return the newest artifact of each name, the newest first."""
    found: dict[str, Artifact] = {}
    for artifact in newest_first(artifacts):
        found.setdefault(artifact.name, artifact)
    return list(found.values())


def of_newest_run(artifacts: Iterable[Artifact]) -> list[Artifact]:
    """Return the artifacts of the run that has the newest one, the newest first; one without a run stands alone."""
    ordered = newest_first(artifacts)
    if not ordered:
        return []
    run = ordered[0].run_id
    return ordered[:1] if run is None else [artifact for artifact in ordered if artifact.run_id == run]


def without_twins(query: ArtifactQuery, artifacts: Iterable[Artifact], *, of_one_run: bool = False) -> list[Artifact]:
    """Apply ``duplicates`` to artifacts that have run and name in common, the newest first.

    Args:
        query: has the policy.
        artifacts: to choose from.
        of_one_run: they come from one run's listing; else two whose run is unknown are not taken for twins.

    Raises:
        DuplicateArtifactsError: there are some, and they are an ``"error"``.
    """
    ordered = newest_first(artifacts)
    if query.duplicates == "all":
        return ordered
    kept: dict[tuple[int | None, str, int | None], Artifact] = {}
    for artifact in ordered:
        alone = artifact.id if artifact.run_id is None and not of_one_run else None
        key = artifact.run_id, artifact.name, alone
        first = kept.setdefault(key, artifact)
        if first is not artifact and query.duplicates == "error":
            msg = (
                f"run {artifact.run_id} has several artifacts named {artifact.name!r} ({first.id} and {artifact.id});"
                " choose by run_attempt, or duplicates='newest'"
            )
            raise DuplicateArtifactsError(msg, artifacts=(first, artifact))
    return list(kept.values())
