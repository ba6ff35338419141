"""The operations on workflows.

https://docs.github.com/en/rest/actions/workflows
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gh_artifacts_async.testing.server.responses import HTTPError, Response, json_response
from gh_artifacts_async.testing.server.runs import list_runs

if TYPE_CHECKING:
    from gh_artifacts_async.testing.data.models import FakeRun
    from gh_artifacts_async.testing.server.backend import Backend, Call


async def list_repo_workflows(backend: Backend, call: Call) -> Response:
    """List a repository's workflows: those that have ever run."""
    found = backend.scenario.workflow_listing(backend.repository(call).id)
    return await backend.page(call, "workflows", found, backend.render.workflow)


async def get_workflow(backend: Backend, call: Call) -> Response:
    """Get a workflow, by its file or its number."""
    return json_response(backend.render.workflow(_workflow(backend, call)))


async def list_workflow_runs(backend: Backend, call: Call) -> Response:
    """List the runs of a workflow, named by its file or its number."""
    workflow = _workflow(backend, call)
    runs = backend.scenario.run_listing(workflow.repository_id)
    return await list_runs(backend, call, [run for run in runs if run.workflow_id == workflow.workflow_id])


def _workflow(backend: Backend, call: Call) -> FakeRun:
    """Return a run of the workflow that the path names."""
    asked = call.values["workflow_id"]
    for run in backend.scenario.workflow_listing(backend.repository(call).id):
        if asked in {run.workflow, str(run.workflow_id)}:
            return run
    raise HTTPError(404, "Not Found")
