"""The operations on repositories.

https://docs.github.com/en/rest/repos/repos
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.testing.server.responses import Response, json_response

if TYPE_CHECKING:
    from gh_artifacts_async.testing.server.backend import Backend, Call


async def get_repository(backend: Backend, call: Call) -> Response:
    """Get a repository."""
    return json_response(backend.render.repository(backend.repository(call)))
