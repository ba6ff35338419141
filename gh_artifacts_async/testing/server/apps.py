"""The operations of GitHub Apps: their installations, and tokens for them.

https://docs.github.com/en/rest/apps/apps
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.testing.clock import iso
from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response

if TYPE_CHECKING:
    from gh_artifacts_async.testing.server.backend import Backend, Call


async def get_repo_installation(backend: Backend, call: Call) -> Response:
    """Find a GitHub App's installation on a repository."""
    app = backend.tokens.app_id(call.token)
    name = f"{call.values['owner']}/{call.values['repo']}".lower()
    for item in backend.scenario.installations.values():
        if str(item.app_id) == app and name in {known.lower() for known in item.repositories}:
            return json_response(backend.render.installation(item))
    raise HTTPError(404, "Not Found")


async def create_installation_access_token(backend: Backend, call: Call) -> Response:
    """Hand out an installation token."""
    app = backend.tokens.app_id(call.token)
    item = backend.scenario.installations.get(int(call.values["installation_id"]))
    if item is None or str(item.app_id) != app:
        raise HTTPError(404, "Not Found")
    token, expires = backend.tokens.mint(item)
    document = {
        "token": token,
        "expires_at": iso(expires),
        "permissions": dict(item.permissions),
        "repository_selection": "selected",
    }
    return json_response(document, 201)
