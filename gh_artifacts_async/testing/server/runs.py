"""The operations on workflow runs.

https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response
from gh_artifacts_async.testing.server.run_filters import SEARCH_CAP, matching_runs

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.models import FakeRun
    from gh_artifacts_async.testing.server.backend import Backend, Call


async def list_workflow_runs_for_repo(backend: Backend, call: Call) -> Response:
    """List a repository's runs."""
    return await _list(backend, call, backend.scenario.run_listing(backend.repository(call).id))


async def list_workflow_runs(backend: Backend, call: Call) -> Response:
    """List the runs of one workflow, named by its file or its number."""
    repository, asked = backend.repository(call), call.values["workflow_id"]
    known = {name for owner, name in backend.scenario.workflows if owner == repository.id}
    numbers = {str(backend.scenario.workflows[repository.id, name]) for name in known}
    if asked not in known | numbers:
        raise HTTPError(404, "Not Found")
    runs = backend.scenario.run_listing(repository.id)
    return await _list(backend, call, [run for run in runs if asked in {run.workflow, str(run.workflow_id)}])


async def _list(backend: Backend, call: Call, runs: list[FakeRun]) -> Response:
    found, filtered = matching_runs(runs, call.query)
    pull_requests = call.query.get("exclude_pull_requests") != "true"
    shown = found[:SEARCH_CAP] if filtered else found

    def document(run: FakeRun) -> dict[str, Any]:
        return backend.render.run(run, pull_requests=pull_requests)

    return await backend.page(call, "workflow_runs", shown, document, total=len(found))


async def get_workflow_run(backend: Backend, call: Call) -> Response:
    """Get a run."""
    return json_response(backend.render.run(backend.run(call)))


async def delete_workflow_run(backend: Backend, call: Call) -> Response:
    """Delete a run, and with it its artifacts."""
    run = backend.run(call)
    if not call.token:
        raise HTTPError(403, "Must have admin rights to Repository.")
    for artifact in backend.scenario.listing(run.repository_id, run.id):
        del backend.scenario.artifacts[artifact.id]
    del backend.scenario.runs[run.id]
    return Response(204)
