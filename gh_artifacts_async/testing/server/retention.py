"""The operations on how long a repository keeps artifacts and logs.

https://docs.github.com/en/rest/actions/permissions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.testing.data.scenario import MAX_RETENTION_DAYS
from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.models import FakeRepository
    from gh_artifacts_async.testing.server.backend import Backend, Call


async def get_retention(backend: Backend, call: Call) -> Response:
    """Get a repository's retention."""
    repository = _repository(backend, call, "read")
    days = backend.scenario.retention(repository.id).days
    return json_response({"days": days, "maximum_allowed_days": MAX_RETENTION_DAYS[repository.private]})


async def set_retention(backend: Backend, call: Call) -> Response:
    """Set a repository's retention, of the artifacts that are added from now on."""
    repository = _repository(backend, call, "write")
    most = MAX_RETENTION_DAYS[repository.private]
    try:
        document = await call.request.json()
    except (ValueError, RecursionError):
        raise HTTPError(400, "Problems parsing JSON") from None
    days = document.get("days") if isinstance(document, dict) else None
    if type(days) is not int or not 1 <= days <= most:
        raise HTTPError(422, f"Invalid request: days must be between 1 and {most}")
    backend.scenario.retention_days[repository.id] = days
    return Response(204)


def _repository(backend: Backend, call: Call, level: str) -> FakeRepository:
    """Return the repository of the path, whose settings only administrators reach."""
    if not backend.scenario.profile.retention:
        raise HTTPError(404, "Not Found")
    repository = backend.repository(call)
    backend.check_may(call, level, "Must have admin rights to Repository.", permission="administration")
    return repository
