"""The operations on repositories and their branches.

https://docs.github.com/en/rest/repos/repos and https://docs.github.com/en/rest/branches/branches
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response

if TYPE_CHECKING:
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
