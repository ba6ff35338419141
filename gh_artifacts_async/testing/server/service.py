"""The operations about the service itself: rate limits.

https://docs.github.com/en/rest/rate-limit/rate-limit
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response

if TYPE_CHECKING:
    from gh_artifacts_async.testing.server.backend import Backend, Call


async def get_rate_limit(backend: Backend, call: Call) -> Response:
    """Report what is left of the primary rate limit."""
    if not backend.limits.enabled:
        raise HTTPError(404, "Rate limiting is not enabled.")
    budget = backend.limits.budget(call.token)
    core = {"limit": budget.limit, "used": budget.used, "remaining": budget.remaining, "reset": budget.reset}
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": budget.reset}
    document: dict[str, Any] = {"resources": {"core": core, "search": search}}
    if call.request.headers.get("X-GitHub-Api-Version") != "2026-03-10":
        document["rate"] = core
    return json_response(document)
