"""Async generators over GitHub's listings: lazy, each id once, complete; :mod:`.pagination` walks through the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.api.pagination import Page, one_by_one, paginate
from gh_artifacts_async.api.repositories import repository_page
from gh_artifacts_async.errors import ConfigurationError, NotFoundError
from gh_artifacts_async.models import Artifact, WorkflowRun, check_id
from gh_artifacts_async.protocol import repository_requests, requests, run_requests

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.models import Direction, RepositoryName
    from gh_artifacts_async.models.neighbours import Job, Repository

MOST_FILTERED_RUNS = 1000
"""GitHub returns at most this many runs of a filtered listing
(https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository)."""


def _check_bounds(limit: int | None, concurrency: int) -> None:
    """Check the bounds of a listing.

    Raises:
        ConfigurationError: limit is negative, or concurrency below 1.
    """
    check_id(concurrency, "concurrency")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        msg = f"limit must be a whole number of 0 or more, or None for all, not {limit!r}"
        raise ConfigurationError(msg)


def artifacts(
    session: GitHubSession,
    repo: RepositoryName,
    *,
    run_id: int | None = None,
    name: str | None = None,
    direction: Direction | None = None,
    per_page: int = 100,
    limit: int | None = None,
    concurrency: int = 1,
) -> AsyncGenerator[Artifact]:
    """Return the artifacts of a repository, or of one of its runs.

    The arguments are checked here, before the first step of the generator. ``name`` and ``direction`` are applied to
    the results too, since old GitHub Enterprise Servers ignore them.

    Raises:
        ConfigurationError: an argument is out of its range.
    """

    def request(page: int) -> requests.Request:
        if run_id is None:
            return requests.list_artifacts_for_repo(repo, name=name, per_page=per_page, page=page)
        return requests.list_workflow_run_artifacts(
            repo, run_id, name=name, direction=direction, per_page=per_page, page=page
        )

    async def fetch(number: int, url: str | None) -> Page[Artifact]:
        asked = request(number) if url is None else request(number).at(url)
        page, links = await endpoints.artifact_page(session, asked, repo)
        return Page(items=page.artifacts, total=page.total_count, links=links)

    request(1)
    _check_bounds(limit, concurrency)
    pages = paginate(fetch, per_page=per_page, concurrency=concurrency, emitter=session.emitter, most=limit)
    return one_by_one(pages if direction != "asc" else _ascending(pages), limit, name=name)


def everything(session: GitHubSession, repo: RepositoryName) -> AsyncGenerator[Artifact]:
    """Return all artifacts of a repository, for who reads them to the end.

    Pages are fetched ahead, as many at once as the session's limits let through.
    """
    return artifacts(session, repo, concurrency=session.limits.api_concurrency)


async def _ascending(pages: AsyncGenerator[list[Artifact]]) -> AsyncGenerator[list[Artifact]]:
    """Yield a run's artifacts oldest first, also if the server sends them newest first.

    GitHub Enterprise Server before 3.17 ignores ``direction``. There no artifact is newer than the first, so that all
    of them are read before one is yielded; elsewhere the second shows as a rule that the order is right.
    """
    held: list[Artifact] = []
    try:
        async for page in pages:
            held += page
            if any(artifact.id > held[0].id and _is_later(artifact, held[0]) for artifact in page):
                break
        else:
            if held and held[0].id > held[-1].id and not _is_later(held[-1], held[0]):
                held.reverse()
        if held:
            yield held
        async for page in pages:
            yield page
    finally:
        await pages.aclose()


def _is_later(one: Artifact, other: Artifact) -> bool:
    return one.created_at is not None and other.created_at is not None and one.created_at > other.created_at


def workflow_runs(
    session: GitHubSession,
    repo: RepositoryName,
    *,
    workflow: str | int | None = None,
    filters: requests.Query = (),
    created: tuple[datetime | None, datetime | None] = (None, None),
    limit: int | None = None,
    pull_requests: bool = False,
) -> AsyncGenerator[WorkflowRun]:
    """Return workflow runs, newest first; with their pull requests if asked for.

    GitHub ends a filtered listing after 1,000 runs; those created before the last one are then requested separately.

    Raises:
        ConfigurationError: an argument is out of its range.
    """
    _check_bounds(limit, 1)
    per_page = requests.MAX_PER_PAGE if limit is None else max(1, min(limit, requests.MAX_PER_PAGE))

    def request(window: str | None, page: int) -> requests.Request:
        return run_requests.list_workflow_runs(
            repo,
            workflow=workflow,
            filters=filters,
            created=window,
            per_page=per_page,
            page=page,
            pull_requests=pull_requests,
        )

    def open_window(window: str | None) -> AsyncGenerator[list[WorkflowRun]]:
        async def fetch(number: int, url: str | None) -> Page[WorkflowRun]:
            asked = request(window, number) if url is None else request(window, number).at(url)
            page, links = await endpoints.run_page(session, asked, repo)
            return Page(items=page.runs, total=page.total_count, links=links)

        return paginate(fetch, per_page=per_page, concurrency=1, emitter=session.emitter)

    request(run_requests.created_range(*created), 1)
    return _windows(open_window, created, limit, filtered=bool(filters))


async def _windows(
    open_window: Callable[[str | None], AsyncGenerator[list[WorkflowRun]]],
    created: tuple[datetime | None, datetime | None],
    limit: int | None,
    *,
    filtered: bool,
) -> AsyncGenerator[WorkflowRun]:
    start, end = created
    seen: set[int] = set()
    while limit is None or len(seen) < limit:
        window = run_requests.created_range(start, end)
        count, known, oldest = 0, len(seen), end
        pages = open_window(window)
        try:
            async for page in pages:
                count += len(page)
                for run in page:
                    oldest = run.created_at or oldest
                    if run.id in seen:
                        continue
                    seen.add(run.id)
                    yield run
                    if limit is not None and len(seen) >= limit:
                        return
        finally:
            await pages.aclose()
        if count < MOST_FILTERED_RUNS or oldest is None or oldest == end or not (filtered or window):
            return
        if len(seen) == known:  # the server ignores ``created``
            return
        end = oldest


def jobs(
    session: GitHubSession,
    repo: RepositoryName,
    run_id: int,
    *,
    attempts: Literal["latest", "all"] = "latest",
    limit: int | None = None,
) -> AsyncGenerator[Job]:
    """Return the jobs of a run: of its latest attempt, or of all of them.

    Raises:
        ConfigurationError: an argument is out of its range.
    """

    def request(page: int) -> requests.Request:
        per_page = requests.MAX_PER_PAGE
        return run_requests.list_jobs_for_workflow_run(repo, run_id, attempts=attempts, per_page=per_page, page=page)

    async def fetch(number: int, url: str | None) -> Page[Job]:
        page, links = await endpoints.job_page(session, request(number) if url is None else request(number).at(url))
        return Page(items=page.jobs, total=page.total_count, links=links)

    request(1)
    _check_bounds(limit, 1)
    return one_by_one(paginate(fetch, per_page=requests.MAX_PER_PAGE, concurrency=1, emitter=session.emitter), limit)


def repositories(session: GitHubSession, owner: str, *, limit: int | None = None) -> AsyncGenerator[RepositoryName]:
    """Return the repositories of an organization, or of a user if there is no such organization.

    Raises:
        ConfigurationError: an argument is out of its range.
    """
    repository_requests.list_repos_for_org(owner)
    _check_bounds(limit, 1)
    return _names(session, owner, limit)


async def _names(session: GitHubSession, owner: str, limit: int | None) -> AsyncGenerator[RepositoryName]:
    found = _owned(session, repository_requests.list_repos_for_org, owner, limit)
    try:
        try:
            first = await anext(found, None)
        except NotFoundError:
            found = _owned(session, repository_requests.list_repos_for_user, owner, limit)
            first = await anext(found, None)
        if first is not None:
            yield first.name
        async for repository in found:
            yield repository.name
    finally:
        await found.aclose()


def _owned(
    session: GitHubSession, operation: Callable[..., requests.Request], owner: str, limit: int | None
) -> AsyncGenerator[Repository]:
    async def fetch(number: int, url: str | None) -> Page[Repository]:
        asked = operation(owner, per_page=requests.MAX_PER_PAGE, page=number)
        page, links = await repository_page(session, asked if url is None else asked.at(url))
        return Page(items=page.repositories, total=0, links=links)  # GitHub counts them nowhere

    return one_by_one(paginate(fetch, per_page=requests.MAX_PER_PAGE, concurrency=1, emitter=session.emitter), limit)
