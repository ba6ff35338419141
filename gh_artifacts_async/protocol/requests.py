"""The REST operations as values.

https://docs.github.com/en/rest/actions/artifacts and https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import functools
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote

from gh_artifacts_async.errors import ConfigurationError
from gh_artifacts_async.models import check_id

if TYPE_CHECKING:
    from gh_artifacts_async.models import Direction, RepositoryName
    from gh_artifacts_async.results import Secret

Query = tuple[tuple[str, str], ...]
MAX_PER_PAGE = 100


class Request(NamedTuple):
    """One REST call, before it is sent.

    Attributes:
        operation: GitHub's name for it, e.g. ``"list_artifacts_for_repo"``.
        path: below the base URL, percent-encoded.
        method: GET or DELETE, which are safe to repeat (RFC 9110 section 9.2.2), or a POST that is so too.
        query: names and values, not yet encoded.
        absolute_url: used instead of path and query: GitHub's own ``next`` link, or a renamed repository's new URL.
        points: what it costs of GitHub's 900 points a minute, see :class:`~gh_artifacts_async.Limits`.
        answer: what a good response is: ``"json"``, ``"nothing"`` (204) or ``"location"`` (the 302 of a download).
        known_expired: whether the artifact is known to have expired, which a 5xx then means; None if unknown.
        about: the id of what the response must be about: an artifact, or a run; None for a repository.
        fresh: send it over a connection that has served no other request.
        credential: sent in place of the session's token, which is not asked for then; None for the session's.
        body: a JSON document, encoded; None for no body.
    """

    operation: str
    path: str
    method: Literal["GET", "DELETE", "POST"] = "GET"
    query: Query = ()
    absolute_url: str | None = None
    points: int = 1
    answer: Literal["json", "nothing", "location"] = "json"
    known_expired: bool | None = None
    about: int | None = None
    fresh: bool = False
    credential: Secret | None = None
    body: bytes | None = None

    @property
    def label(self) -> str:
        """Method and path for messages: no host, no query."""
        return f"{self.method} {self.path}"

    def at(self, url: str) -> Request:
        """Return the same request at another absolute URL."""
        return self._replace(absolute_url=url)


@functools.lru_cache(maxsize=256)
def _actions(repo: RepositoryName) -> str:
    return f"/repos/{repo.owner}/{repo.name}/actions"


def check_name(name: str | None) -> None:
    """Check an artifact name to search for.

    Raises:
        ConfigurationError: it is empty, not a string, or cannot be encoded in a URL.
    """
    if name is not None and not _is_text(name):
        msg = f"name must be an artifact's name, not {name!r}"
        raise ConfigurationError(msg)


def _is_text(value: object) -> bool:
    """Whether a value is a string that UTF-8 can carry (no lone surrogates, as program arguments may contain)."""
    return isinstance(value, str) and bool(value) and not any("\ud800" <= char <= "\udfff" for char in value)


def _paging(per_page: int, page: int, *more: tuple[str, str | None]) -> Query:
    """Check the paging parameters, and return them with those of the others that are given.

    Raises:
        ConfigurationError: per_page is not within 1..100, or page is below 1.
    """
    if isinstance(per_page, bool) or not isinstance(per_page, int) or not 1 <= per_page <= MAX_PER_PAGE:
        msg = f"per_page must be within 1..{MAX_PER_PAGE}, not {per_page!r}"
        raise ConfigurationError(msg)
    check_id(page, "page")
    given = tuple((key, value) for key, value in more if value is not None)
    return (("per_page", str(per_page)), ("page", str(page)), *given)


def list_artifacts_for_repo(
    repo: RepositoryName, *, name: str | None = None, per_page: int = 30, page: int = 1
) -> Request:
    """``GET /repos/{owner}/{repo}/actions/artifacts``."""
    check_name(name)
    query = _paging(per_page, page, ("name", name))
    path = f"/repos/{repo.owner}/{repo.name}/actions/artifacts"
    return Request(operation="list_artifacts_for_repo", path=path, query=query)


def list_workflow_run_artifacts(
    repo: RepositoryName,
    run_id: int,
    *,
    name: str | None = None,
    direction: Direction | None = None,
    per_page: int = 30,
    page: int = 1,
) -> Request:
    """``GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts``."""
    check_id(run_id, "run_id")
    check_name(name)
    if direction not in {None, "asc", "desc"}:
        msg = f"direction must be 'asc' or 'desc', not {direction!r}"
        raise ConfigurationError(msg)
    query = _paging(per_page, page, ("name", name), ("direction", direction))
    path = f"{_actions(repo)}/runs/{run_id}/artifacts"
    return Request(operation="list_workflow_run_artifacts", path=path, query=query, about=run_id)


def get_artifact(repo: RepositoryName, artifact_id: int) -> Request:
    """``GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}``."""
    check_id(artifact_id, "artifact_id")
    path = f"/repos/{repo.owner}/{repo.name}/actions/artifacts/{artifact_id}"
    return Request(operation="get_artifact", path=path, about=artifact_id)


def delete_artifact(repo: RepositoryName, artifact_id: int) -> Request:
    """``DELETE /repos/{owner}/{repo}/actions/artifacts/{artifact_id}``."""
    check_id(artifact_id, "artifact_id")
    path = f"{_actions(repo)}/artifacts/{artifact_id}"
    return Request(operation="delete_artifact", method="DELETE", path=path, points=5, answer="nothing")


def download_artifact(
    repo: RepositoryName, artifact_id: int, *, known_expired: bool | None = None, fresh: bool = False
) -> Request:
    """``GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}``; the format must be zip."""
    check_id(artifact_id, "artifact_id")
    path = f"{_actions(repo)}/artifacts/{artifact_id}/zip"
    return Request(
        operation="download_artifact", path=path, answer="location", known_expired=known_expired, fresh=fresh
    )


def get_workflow_run(repo: RepositoryName, run_id: int) -> Request:
    """``GET /repos/{owner}/{repo}/actions/runs/{run_id}``."""
    check_id(run_id, "run_id")
    query = (("exclude_pull_requests", "true"),)
    return Request(operation="get_workflow_run", path=f"{_actions(repo)}/runs/{run_id}", query=query, about=run_id)


def list_workflow_runs(
    repo: RepositoryName,
    *,
    workflow: str | int | None = None,
    filters: Query = (),
    created: str | None = None,
    per_page: int = MAX_PER_PAGE,
    page: int = 1,
) -> Request:
    """``GET /repos/{owner}/{repo}/actions[/workflows/{workflow_id}]/runs``; the workflow by id or file name."""
    rest = "runs"
    if workflow is not None:
        rest = f"workflows/{_workflow_id(workflow)}/runs"
    for key, value in filters:
        if not _is_text(value):
            msg = f"{key} must be a non-empty string, not {value!r}"
            raise ConfigurationError(msg)
    query = _paging(per_page, page, ("exclude_pull_requests", "true"), ("created", created), *filters)
    name = "list_workflow_runs_for_repo" if workflow is None else "list_workflow_runs"
    return Request(operation=name, path=f"{_actions(repo)}/{rest}", query=query)


def _workflow_id(workflow: str | int) -> str:
    """Return a workflow's id or file name as a part of a path."""
    if isinstance(workflow, int) and not isinstance(workflow, bool):
        return str(check_id(workflow, "workflow"))
    named = workflow.rpartition("/")[2] if isinstance(workflow, str) and _is_text(workflow) else ""
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
