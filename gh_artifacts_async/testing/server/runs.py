"""The operations on workflow runs, their attempts and their jobs.

https://docs.github.com/en/rest/actions/workflow-runs and https://docs.github.com/en/rest/actions/workflow-jobs
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
    return await list_runs(backend, call, backend.scenario.run_listing(backend.repository(call).id))


async def list_runs(backend: Backend, call: Call, runs: list[FakeRun]) -> Response:
    """List ``runs`` as far as they match the filters in the query."""
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


async def get_workflow_run_attempt(backend: Backend, call: Call) -> Response:
    """Get a run as it was in one of its attempts."""
    pull_requests = call.query.get("exclude_pull_requests") != "true"
    return json_response(backend.render.run(_attempt(backend, call), pull_requests=pull_requests))


def _attempt(backend: Backend, call: Call) -> FakeRun:
    found = backend.scenario.attempt(backend.run(call), int(call.values["attempt_number"]))
    if found is None:
        raise HTTPError(404, "Not Found")
    return found


async def list_jobs_for_workflow_run(backend: Backend, call: Call) -> Response:
    """List the jobs of a run's latest attempt, or of all attempts with ``filter=all``."""
    run = backend.run(call)
    first = 1 if call.query.get("filter") == "all" else run.attempt
    attempts = [backend.scenario.attempt(run, number) for number in range(first, run.attempt + 1)]
    return await _list_jobs(backend, call, [attempt for attempt in attempts if attempt is not None])


async def list_jobs_for_workflow_run_attempt(backend: Backend, call: Call) -> Response:
    """List the jobs of one of a run's attempts."""
    return await _list_jobs(backend, call, [_attempt(backend, call)])


async def _list_jobs(backend: Backend, call: Call, attempts: list[FakeRun]) -> Response:
    jobs = [(attempt, index) for attempt in attempts for index in range(len(attempt.jobs))]
    return await backend.page(call, "jobs", jobs, lambda job: backend.render.job(*job))


async def get_job_for_workflow_run(backend: Backend, call: Call) -> Response:
    """Get a job."""
    return json_response(backend.render.job(*backend.job(call)))
