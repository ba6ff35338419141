"""One coroutine an operation on repositories, their settings and pull requests, named as GitHub's documentation does.

https://docs.github.com/en/rest/repos/repos, https://docs.github.com/en/rest/pulls/pulls and
https://docs.github.com/en/rest/actions/permissions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.api.endpoints import document
from gh_artifacts_async.errors import NotFoundError, UnexpectedResponseError
from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.protocol import repository_requests

if TYPE_CHECKING:
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.models.neighbours import ArtifactRetention, PullRequest, RepositoryPage
    from gh_artifacts_async.protocol.links import PageLinks
    from gh_artifacts_async.protocol.requests import Request


async def list_repos_for_org(session: GitHubSession, org: str, *, per_page: int = 30, page: int = 1) -> RepositoryPage:
    """Return one page of an organization's repositories, as far as the token has access.

    Args:
        session: to send with.
        org: the organization's name.
        per_page: 1..100.
        page: from 1.

    Raises:
        NotFoundError: there is no such organization; there may be a user of that name.
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    request = repository_requests.list_repos_for_org(org, per_page=per_page, page=page)
    return (await repository_page(session, request))[0]


async def list_repos_for_user(
    session: GitHubSession, username: str, *, per_page: int = 30, page: int = 1
) -> RepositoryPage:
    """Return one page of a user's public repositories.

    Args:
        session: to send with.
        username: the user's login.
        per_page: 1..100.
        page: from 1.

    Raises:
        NotFoundError: there is no such user.
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    request = repository_requests.list_repos_for_user(username, per_page=per_page, page=page)
    return (await repository_page(session, request))[0]


async def repository_page(session: GitHubSession, request: Request) -> tuple[RepositoryPage, PageLinks]:
    """Send a request for repositories; return the page, and GitHub's own links to others.

    Raises:
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    from gh_artifacts_async.api import strict

    found = await document(session, request)
    return strict.repository_page(found.data, found.links), found.links


async def get_pull_request(session: GitHubSession, repo: str | RepositoryName, pull_number: int) -> PullRequest:
    """Return one pull request.

    Raises:
        NotFoundError: not found, or the token has no access.
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    from gh_artifacts_async.api import strict

    request = repository_requests.get_pull_request(RepositoryName.parse(repo), pull_number)
    found = strict.pull_request((await document(session, request)).data)
    if found.number != pull_number:
        msg = f"{request.label} returned {found.number} instead; does a proxy on the way mix up responses?"
        raise UnexpectedResponseError(msg)
    return found


async def get_artifact_and_log_retention_settings_repository(
    session: GitHubSession, repo: str | RepositoryName
) -> ArtifactRetention:
    """Return how long a repository keeps its artifacts and logs.

    Raises:
        NotFoundError: not found, or the token has no access, or a GitHub Enterprise Server before 3.19.
        ArtifactsError: as :meth:`GitHubSession.send`; ResponseShapeError for a response of another shape.
    """
    from gh_artifacts_async.api import strict

    request = repository_requests.get_artifact_retention(RepositoryName.parse(repo))
    try:
        found = await document(session, request)
    except NotFoundError as error:
        missing = error.with_traceback(None)
    else:
        return strict.artifact_retention(found.data)
    raise _explained(session, missing)


async def set_artifact_and_log_retention_settings_repository(
    session: GitHubSession, repo: str | RepositoryName, days: int
) -> None:
    """Set how long a repository keeps new artifacts and logs (204).

    Raises:
        NotFoundError: not found, or the token has no access, or a GitHub Enterprise Server before 3.19.
        BadRequestError: more days than the organization's or the enterprise's policy allows.
        ConfigurationError: the session has no token, or days is not a positive integer.
        ArtifactsError: as :meth:`GitHubSession.send`.
    """
    request = repository_requests.set_artifact_retention(RepositoryName.parse(repo), days)
    try:
        await session.send(request)
    except NotFoundError as error:
        missing = error.with_traceback(None)
    else:
        return
    raise _explained(session, missing)


def _explained(session: GitHubSession, error: NotFoundError) -> NotFoundError:
    """Return the 404 of the retention's settings; on Enterprise Server it says that old versions have none."""
    if session.base.is_hosted:
        return error
    return NotFoundError(
        f"{error}; GitHub Enterprise Server has this setting since version 3.19",
        status=error.status,
        request_id=error.request_id,
        documentation_url=error.documentation_url,
        request=error.request,
    )
