"""The operations on repositories and their branches, and the listings of an owner's repositories.

https://docs.github.com/en/rest/repos/repos and https://docs.github.com/en/rest/branches/branches
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.models import FakeRepository
    from gh_artifacts_async.testing.server.backend import Backend, Call


async def get_repository(backend: Backend, call: Call) -> Response:
    """Get a repository."""
    return json_response(backend.render.repository(backend.repository(call)))


async def get_branch(backend: Backend, call: Call) -> Response:
    """Get a branch; slashes in its name may be escaped or not."""
    repository, name = backend.repository(call), call.values["branch"]
    sha = backend.scenario.branch_head(repository, name)
    if sha is None:
        raise HTTPError(404, "Branch not found")
    return json_response(backend.render.branch(repository, name, sha))


async def list_repos_for_org(backend: Backend, call: Call) -> Response:
    """List an organization's repositories, the newest first: those that the token has access to."""
    org = call.values["org"]
    found = backend.scenario.owned(org)
    if not found or org.lower() in backend.scenario.users:
        raise HTTPError(404, "Not Found")
    minted = backend.tokens.minted.get(call.token)
    shown = [item for item in found if not item.private or (minted is None and call.token)]
    if minted is not None:
        shown = [item for item in found if item in shown or item.id in minted.repositories]
    return await _list(backend, call, org, shown[::-1])


async def list_repos_for_user(backend: Backend, call: Call) -> Response:
    """List the public repositories of a user, or of an organization, by name."""
    username = call.values["username"]
    found = backend.scenario.owned(username)
    if not found and username.lower() not in backend.scenario.users:
        raise HTTPError(404, "Not Found")
    public = [item for item in found if not item.private]
    return await _list(backend, call, username, sorted(public, key=lambda item: item.full_name.lower()))


async def _list(backend: Backend, call: Call, owner: str, found: list[FakeRepository]) -> Response:
    return await backend.array(call, owner, found, backend.render.minimal_repository)
