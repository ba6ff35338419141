"""The operations on artifacts.

https://docs.github.com/en/rest/actions/artifacts
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gh_artifacts_async.testing.data.models import FakeArtifact
    from gh_artifacts_async.testing.server.backend import Backend, Call

_ACTIONS_SCOPE = "You must have the actions scope to download artifacts."
_REFUSED_TYPES = re.compile(r"application/(zip|x-zip-compressed|octet-stream)\b", re.IGNORECASE)


async def list_artifacts_for_repo(backend: Backend, call: Call) -> Response:
    """List a repository's artifacts."""
    found = backend.scenario.listing(backend.repository(call).id)
    if backend.scenario.profile.name_filter:
        found = _named(found, call.query)
    return await backend.page(call, "artifacts", found, backend.render.artifact)


async def list_workflow_run_artifacts(backend: Backend, call: Call) -> Response:
    """List a run's artifacts."""
    profile, run = backend.scenario.profile, backend.run(call)
    found = backend.scenario.listing(run.repository_id, run.id)
    if profile.run_name_filter:
        found = _named(found, call.query)
    if profile.direction and call.query.get("direction") == "asc":
        found.reverse()
    return await backend.page(call, "artifacts", found, backend.render.artifact)


def _named(artifacts: list[FakeArtifact], query: Mapping[str, str]) -> list[FakeArtifact]:
    name = query.get("name")
    return artifacts if name is None else [item for item in artifacts if item.name == name]


async def get_artifact(backend: Backend, call: Call) -> Response:
    """Get an artifact."""
    return json_response(backend.render.artifact(backend.artifact(call)))


async def delete_artifact(backend: Backend, call: Call) -> Response:
    """Delete an artifact."""
    artifact = backend.artifact(call)
    backend.check_may(call, "write", "Must have admin rights to Repository.")
    del backend.scenario.artifacts[artifact.id]
    return Response(204)


async def download_artifact(backend: Backend, call: Call) -> Response:
    """Redirect to an artifact's bytes."""
    _check_accept(call)
    artifact = backend.artifact(call)
    if call.values["archive_format"] != "zip":
        raise HTTPError(404, "Not Found")
    backend.check_may(call, "read", _ACTIONS_SCOPE)
    if backend.scenario.is_expired(artifact):
        raise HTTPError(410, "Artifact has expired")
    same_host = backend.same_host and artifact.kind == "v3"
    target = backend.signer.mint(artifact, same_host=same_host)
    return Response(302, {"Location": f"{backend.origin if same_host else backend.storage_url}{target}"})


def _check_accept(call: Call) -> None:
    """Refuse ``Accept: application/zip``, which GitHub answers with 415."""
    accept = call.request.headers.get("Accept", "*/*")
    if _REFUSED_TYPES.search(accept):
        raise HTTPError(415, f"Unsupported 'Accept' header: '{accept}'. Must accept 'application/json'.")
