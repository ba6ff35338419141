"""One coroutine an operation, named as GitHub's documentation names it.

https://docs.github.com/en/rest/actions/artifacts and https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from gh_artifacts_async.api import decode
from gh_artifacts_async.errors import ArtifactExpiredError, ServerError, UnexpectedResponseError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import requests
from gh_artifacts_async.protocol.responses import NO_DOWNLOAD_URL, Document, Location

if TYPE_CHECKING:
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.models import Artifact, ArtifactPage, Direction, RunPage, WorkflowRun
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
    found = await _document(session, request)
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
    found = await _document(session, requests.get_artifact(where, artifact_id))
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


async def get_workflow_run(session: GitHubSession, repo: str | RepositoryName, run_id: int) -> WorkflowRun:
    """Return one workflow run.

    Raises:
        NotFoundError: not found, or the token has no access.
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    found = await _document(session, requests.get_workflow_run(where, run_id))
    return decode.workflow_run(found.data, where)


async def list_workflow_runs(
    session: GitHubSession,
    repo: str | RepositoryName,
    *,
    workflow: str | int | None = None,
    filters: requests.Query = (),
    created: str | None = None,
    per_page: int = 30,
    page: int = 1,
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

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    where = RepositoryName.parse(repo)
    request = requests.list_workflow_runs(
        where, workflow=workflow, filters=filters, created=created, per_page=per_page, page=page
    )
    return (await run_page(session, request, where))[0]


async def run_page(
    session: GitHubSession, request: requests.Request, repo: RepositoryName
) -> tuple[RunPage, PageLinks]:
    """Send a request for runs; return the page, and GitHub's own links to others.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    found = await _document(session, request)
    shape = partial(decode.run_page, found.data, repo, found.links)
    page = await asyncio.get_running_loop().run_in_executor(None, shape) if found.is_large else shape()
    return page, found.links


async def _document(session: GitHubSession, request: requests.Request) -> Document:
    """Send a request whose response is JSON."""
    result = await session.send(request)
    if isinstance(result, Document):
        return result
    msg = f"{request.label} did not return JSON"
    raise UnexpectedResponseError(msg)
