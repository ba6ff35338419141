"""The operations about the service itself: rate limits, versions, addresses.

https://docs.github.com/en/rest/rate-limit/rate-limit and https://docs.github.com/en/rest/meta/meta
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


async def get_meta(backend: Backend, call: Call) -> Response:  # noqa: ARG001 - every operation is given the call
    """Report GitHub's networks, or the version of an Enterprise Server."""
    version = backend.scenario.profile.installed_version
    if version is not None:
        return json_response({"verifiable_password_authentication": True, "installed_version": version})
    networks = {key: ["192.0.2.0/24"] for key in ("hooks", "web", "api", "git", "actions")}
    return json_response({"verifiable_password_authentication": False, **networks})


async def get_all_versions(backend: Backend, call: Call) -> Response:  # noqa: ARG001 - every operation is given the call
    """List the API's versions; Enterprise Server does not document this operation."""
    if backend.scenario.profile.installed_version is not None:
        raise HTTPError(404, "Not Found")
    return json_response(list(backend.scenario.profile.api_versions))
