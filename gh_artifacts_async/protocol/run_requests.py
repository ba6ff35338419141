"""The operations on workflow runs, their attempts and jobs, and workflows, as values.

https://docs.github.com/en/rest/actions/workflow-runs, https://docs.github.com/en/rest/actions/workflow-jobs and
https://docs.github.com/en/rest/actions/workflows
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import check_id
from gh_artifacts_async.protocol.requests import MAX_PER_PAGE, Request, actions, is_text, paging

if TYPE_CHECKING:
    from gh_artifacts_async.models import RepositoryName
    from gh_artifacts_async.protocol.requests import Query

_WITHOUT_PULL_REQUESTS = (("exclude_pull_requests", "true"),)


def get_workflow_run(repo: RepositoryName, run_id: int, *, pull_requests: bool = False) -> Request:
    """``GET /repos/{owner}/{repo}/actions/runs/{run_id}``."""
    check_id(run_id, "run_id")
    query = () if pull_requests else _WITHOUT_PULL_REQUESTS
    return Request(operation="get_workflow_run", path=f"{actions(repo)}/runs/{run_id}", query=query, about=run_id)


def get_workflow_run_attempt(
    repo: RepositoryName, run_id: int, attempt_number: int, *, pull_requests: bool = False
) -> Request:
    """``GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}``."""
    check_id(run_id, "run_id")
    check_id(attempt_number, "attempt_number")
    path = f"{actions(repo)}/runs/{run_id}/attempts/{attempt_number}"
    query = () if pull_requests else _WITHOUT_PULL_REQUESTS
    return Request(operation="get_workflow_run_attempt", path=path, query=query, about=run_id)


def list_jobs_for_workflow_run(
    repo: RepositoryName,
    run_id: int,
    *,
    attempts: Literal["latest", "all"] = "latest",
    per_page: int = 30,
    page: int = 1,
) -> Request:
    """``GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs``; ``attempts`` is GitHub's ``filter``."""
    check_id(run_id, "run_id")
    if attempts not in {"latest", "all"}:
        msg = f"attempts must be 'latest' or 'all', not {attempts!r}"
        raise ConfigurationError(msg)
    query = paging(per_page, page, ("filter", attempts))
    path = f"{actions(repo)}/runs/{run_id}/jobs"
    return Request(operation="list_jobs_for_workflow_run", path=path, query=query, about=run_id)


def list_repo_workflows(repo: RepositoryName, *, per_page: int = 30, page: int = 1) -> Request:
    """``GET /repos/{owner}/{repo}/actions/workflows``."""
    path = f"{actions(repo)}/workflows"
    return Request(operation="list_repo_workflows", path=path, query=paging(per_page, page))


def list_workflow_runs(
    repo: RepositoryName,
    *,
    workflow: str | int | None = None,
    filters: Query = (),
    created: str | None = None,
    per_page: int = MAX_PER_PAGE,
    page: int = 1,
    pull_requests: bool = False,
) -> Request:
    """``GET /repos/{owner}/{repo}/actions[/workflows/{workflow_id}]/runs``; the workflow by id or file name."""
    rest = "runs"
    if workflow is not None:
        rest = f"workflows/{_workflow_id(workflow)}/runs"
    for key, value in filters:
        if not is_text(value):
            msg = f"{key} must be a non-empty string, not {value!r}"
            raise ConfigurationError(msg)
    excluded = () if pull_requests else _WITHOUT_PULL_REQUESTS
    query = paging(per_page, page, *excluded, ("created", created), *filters)
    name = "list_workflow_runs_for_repo" if workflow is None else "list_workflow_runs"
    return Request(operation=name, path=f"{actions(repo)}/{rest}", query=query)


def _workflow_id(workflow: str | int) -> str:
    """Return a workflow's id or file name as a part of a path."""
    if isinstance(workflow, int) and not isinstance(workflow, bool):
        return str(check_id(workflow, "workflow"))
    named = workflow.rpartition("/")[2] if isinstance(workflow, str) and is_text(workflow) else ""
    if named in {"", ".", ".."}:
        msg = f"workflow must be an id or a file name like 'ci.yml', not {workflow!r}"
        raise ConfigurationError(msg)
    return quote(named, safe="")


def created_bounds(created: object) -> tuple[datetime | None, datetime | None]:
    """Check a range of times: a pair, from and to, each None for no bound; or None for no range at all.

    Raises:
        ConfigurationError: it is not such a pair, or a time has no zone.
    """
    if created is None:
        return None, None
    if not isinstance(created, tuple | list) or len(created) != len(("from", "to")):
        msg = f"created must be a pair of times, from and to, not {created!r}"
        raise ConfigurationError(msg)
    start, end = created
    for moment in (start, end):
        if moment is not None and (not isinstance(moment, datetime) or moment.tzinfo is None):
            msg = f"created must hold times with a time zone, or None, not {moment!r}"
            raise ConfigurationError(msg)
    return start, end


def created_range(start: datetime | None, end: datetime | None) -> str | None:
    """Return GitHub's search syntax for a range of times, both ends included; None if there is no bound.

    https://docs.github.com/en/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax
    """
    first, last = (None if moment is None else _iso(moment) for moment in (start, end))
    if first is None:
        return None if last is None else f"<={last}"
    return f">={first}" if last is None else f"{first}..{last}"


def _iso(moment: datetime) -> str:
    if moment.tzinfo is None:
        msg = f"times must carry a time zone (UTC), and {moment.isoformat()} has none"
        raise ConfigurationError(msg)
    return moment.isoformat(timespec="seconds")
