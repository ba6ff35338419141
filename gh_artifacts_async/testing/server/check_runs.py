"""The operations on check runs: what a job reports to the commit it ran on.

https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gh_artifacts_async.testing.server.backend import Backend, Call
    from gh_artifacts_async.testing.server.responses import Response


async def list_annotations(backend: Backend, call: Call) -> Response:
    """List the annotations of a job, which is a check run: of a failed one, what Actions itself says of it."""
    run, _ = backend.job(call, "check_run_id")
    failed = [run] if run.conclusion == "failure" else []
    return await backend.array(call, backend.repository(call).full_name, failed, backend.render.failure)
