"""One coroutine an operation on artifacts, runs and workflows, named as GitHub's documentation names it.

https://docs.github.com/en/rest/actions/artifacts and https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Literal

from gh_artifacts_async.api import decode
from gh_artifacts_async.errors import ArtifactExpiredError, ServerError, UnexpectedResponseError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import requests, run_requests
from gh_artifacts_async.protocol.responses import NO_DOWNLOAD_URL, Document, Location

if TYPE_CHECKING:
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.models import Artifact, ArtifactPage, Direction, RunPage, WorkflowRun
    from gh_artifacts_async.models.neighbours import JobPage, WorkflowPage
    from gh_artifacts_async.protocol.links import PageLinks
    from gh_artifacts_async.results import SignedURL


async def list_artifacts_for_repo(
    session: GitHubSession, repo: str | RepositoryName, *, name: str | None = None, per_page: int = 30, page: int = 1
) -> ArtifactPage:
    """Return one page of a repository's artifacts.

    Args:
        session: to send with.
        repo: ``"owner/name"``.
        name: only artifacts of exactly this name; old GitHub Enterprise Servers ignore it, so check the result.
        per_page: 1..100.
        page: from 1.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    request = requests.list_artifacts_for_repo(where, name=name, per_page=per_page, page=page)
    return (await artifact_page(session, request, where))[0]


async def list_workflow_run_artifacts(
    session: GitHubSession,
    repo: str | RepositoryName,
    run_id: int,
    *,
    name: str | None = None,
    direction: Direction | None = None,
    per_page: int = 30,
    page: int = 1,
) -> ArtifactPage:
    """Return one page of a workflow run's artifacts.

    Args:
        session: to send with.
        repo: ``"owner/name"``.
        run_id: the run.
        name: only artifacts of exactly this name (GitHub Enterprise Server from 3.8 on).
        direction: ``"asc"`` or ``"desc"`` (GitHub Enterprise Server from 3.17 on); None for GitHub's default.
        per_page: 1..100.
        page: from 1.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    request = requests.list_workflow_run_artifacts(
        where, run_id, name=name, direction=direction, per_page=per_page, page=page
    )
    return (await artifact_page(session, request, where))[0]


async def artifact_page(
    session: GitHubSession, request: requests.Request, repo: RepositoryName
) -> tuple[ArtifactPage, PageLinks]:
    """Send a request for artifacts; return the page, and GitHub's own links to others.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    found = await document(session, request)
    shape = partial(decode.artifact_page, found.data, repo, found.links)
    page = await asyncio.get_running_loop().run_in_executor(None, shape) if found.is_large else shape()
    if request.about is not None:
        others = [item.run_id for item in page.artifacts if item.run_id not in {None, request.about}]
        if others:
            msg = f"{request.label} returned artifacts of run {others[0]}; does a proxy on the way mix up responses?"
            raise UnexpectedResponseError(msg)
    return page, found.links


async def get_artifact(session: GitHubSession, repo: str | RepositoryName, artifact_id: int) -> Artifact:
    """Return one artifact.

    Raises:
        NotFoundError: not found, or the token has no access.
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    found = await document(session, requests.get_artifact(where, artifact_id))
    return decode.artifact(found.data, where)


async def delete_artifact(session: GitHubSession, repo: str | RepositoryName, artifact_id: int) -> None:
    """Delete one artifact (204).

    Raises:
        NotFoundError: not found; not raised if an earlier attempt got no response, and so may have deleted it.
        ConfigurationError: the session has no token.
        ArtifactsError: as :meth:`GitHubSession.send`.
    """
    await session.send(requests.delete_artifact(RepositoryName.parse(repo), artifact_id))


async def get_download_url(
    session: GitHubSession,
    repo: str | RepositoryName,
    artifact_id: int,
    *,
    known_expired: bool | None = None,
    fresh: bool = False,
) -> SignedURL:
    """Return the signed URL of an artifact's bytes: the 302's Location, which is not followed.

    Args:
        session: to send with.
        repo: ``"owner/name"``.
        artifact_id: GitHub's number.
        known_expired: the artifact's ``expired``; None if unknown. GitHub returns a 500 for some expired artifacts.
        fresh: ask over a connection that has served no other request, so that the response cannot be another one's; a
            borrowed ClientSession does not heed it.

    Raises:
        ArtifactExpiredError: the artifact has expired (410).
        ConfigurationError: the session has no token.
        ArtifactsError: as :meth:`GitHubSession.send`.
    """
    where = RepositoryName.parse(repo)
    request = requests.download_artifact(where, artifact_id, known_expired=known_expired, fresh=fresh)
    try:
        result = await session.send(request)
    except ServerError as error:
        if known_expired is not None or NO_DOWNLOAD_URL not in str(error).lower():
            raise
        failure = error.with_traceback(None)
    else:
        if isinstance(result, Location):
            return result.signed_url
        msg = f"{request.label} did not return a redirect to storage"
        raise UnexpectedResponseError(msg)
    await _raise_if_expired(session, where, artifact_id, failure)
    return await get_download_url(session, where, artifact_id, known_expired=False, fresh=fresh)


async def _raise_if_expired(
    session: GitHubSession, repo: RepositoryName, artifact_id: int, failure: ServerError
) -> None:
    """Ask whether a 500 "Failed to generate URL" means that the artifact has expired."""
    if (await get_artifact(session, repo, artifact_id)).expired:
        msg = f"{failure.request}: the artifact has expired and can no longer be downloaded"
        raise ArtifactExpiredError(
            msg,
            status=failure.status,
            request_id=failure.request_id,
            documentation_url=failure.documentation_url,
            request=failure.request,
        )


async def get_workflow_run(
    session: GitHubSession, repo: str | RepositoryName, run_id: int, *, pull_requests: bool = False
) -> WorkflowRun:
    """Return one workflow run.

    Args:
        session: to send with.
        repo: ``"owner/name"``.
        run_id: the run.
        pull_requests: ask for its ``pull_requests`` too, which are empty otherwise.

    Raises:
        NotFoundError: not found, or the token has no access.
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    found = await document(session, run_requests.get_workflow_run(where, run_id, pull_requests=pull_requests))
    return decode.workflow_run(found.data, where)


async def get_workflow_run_attempt(
    session: GitHubSession,
    repo: str | RepositoryName,
    run_id: int,
    attempt_number: int,
    *,
    pull_requests: bool = False,
) -> WorkflowRun:
    """Return a workflow run as it was in one of its attempts.

    Args:
        session: to send with.
        repo: ``"owner/name"``.
        run_id: the run.
        attempt_number: from 1.
        pull_requests: ask for its ``pull_requests`` too, which are empty otherwise.

    Raises:
        NotFoundError: not found, or the token has no access.
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    request = run_requests.get_workflow_run_attempt(where, run_id, attempt_number, pull_requests=pull_requests)
    run = decode.workflow_run((await document(session, request)).data, where)
    if run.run_attempt not in {None, attempt_number}:
        msg = f"{request.label} returned attempt {run.run_attempt}; does a proxy on the way mix up responses?"
        raise UnexpectedResponseError(msg)
    return run


async def list_workflow_runs(
    session: GitHubSession,
    repo: str | RepositoryName,
    *,
    workflow: str | int | None = None,
    filters: requests.Query = (),
    created: str | None = None,
    per_page: int = 30,
    page: int = 1,
    pull_requests: bool = False,
) -> RunPage:
    """Return one page of workflow runs, of one workflow or of all.

    Args:
        session: to send with.
        repo: ``"owner/name"``.
        workflow: its id or file name; None for all.
        filters: GitHub's own query parameters, e.g. ``(("branch", "main"),)``.
        created: a range of times in GitHub's search syntax.
        per_page: 1..100.
        page: from 1.
        pull_requests: ask for the runs' ``pull_requests`` too, which are empty otherwise.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    request = run_requests.list_workflow_runs(
        where,
        workflow=workflow,
        filters=filters,
        created=created,
        per_page=per_page,
        page=page,
        pull_requests=pull_requests,
    )
    return (await run_page(session, request, where))[0]


async def run_page(
    session: GitHubSession, request: requests.Request, repo: RepositoryName
) -> tuple[RunPage, PageLinks]:
    """Send a request for runs; return the page, and GitHub's own links to others.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    found = await document(session, request)
    shape = partial(decode.run_page, found.data, repo, found.links)
    page = await asyncio.get_running_loop().run_in_executor(None, shape) if found.is_large else shape()
    return page, found.links


async def list_jobs_for_workflow_run(
    session: GitHubSession,
    repo: str | RepositoryName,
    run_id: int,
    *,
    attempts: Literal["latest", "all"] = "latest",
    per_page: int = 30,
    page: int = 1,
) -> JobPage:
    """Return one page of a workflow run's jobs.

    Args:
        session: to send with.
        repo: ``"owner/name"``.
        run_id: the run.
        attempts: the jobs of its latest attempt, or of all attempts.
        per_page: 1..100.
        page: from 1.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    request = run_requests.list_jobs_for_workflow_run(where, run_id, attempts=attempts, per_page=per_page, page=page)
    return (await job_page(session, request))[0]


async def job_page(session: GitHubSession, request: requests.Request) -> tuple[JobPage, PageLinks]:
    """Send a request for jobs of a run; return the page, and GitHub's own links to others.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    from gh_artifacts_async.api import strict

    found = await document(session, request)
    page = strict.job_page(found.data, found.links)
    others = [job.run_id for job in page.jobs if job.run_id not in {None, request.about}]
    if others:
        msg = f"{request.label} returned jobs of run {others[0]}; does a proxy on the way mix up responses?"
        raise UnexpectedResponseError(msg)
    return page, found.links


async def list_repo_workflows(
    session: GitHubSession, repo: str | RepositoryName, *, per_page: int = 30, page: int = 1
) -> WorkflowPage:
    """Return one page of a repository's workflows.

    Args:
        session: to send with.
        repo: ``"owner/name"``.
        per_page: 1..100.
        page: from 1.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    from gh_artifacts_async.api import strict

    request = run_requests.list_repo_workflows(RepositoryName.parse(repo), per_page=per_page, page=page)
    found = await document(session, request)
    return strict.workflow_page(found.data, found.links)


async def document(session: GitHubSession, request: requests.Request) -> Document:
    """Send a request whose response is JSON."""
    result = await session.send(request)
    if isinstance(result, Document):
        return result
    msg = f"{request.label} did not return JSON"
    raise UnexpectedResponseError(msg)
