"""GitHub's side of the wire: one coroutine an operation, named as GitHub's documentation names it.

::

    async with GitHubSession("TOKEN") as session:
        page = await list_artifacts_for_repo(session, "octo-org/octo-docs", per_page=100)
"""

from gh_artifacts_async.api.endpoints import (
    delete_artifact,
    get_artifact,
    get_download_url,
    get_workflow_run,
    list_artifacts_for_repo,
    list_workflow_run_artifacts,
    list_workflow_runs,
)
from gh_artifacts_async.api.session import GitHubSession

__all__ = [
    "GitHubSession",
    "delete_artifact",
    "get_artifact",
    "get_download_url",
    "get_workflow_run",
    "list_artifacts_for_repo",
    "list_workflow_run_artifacts",
    "list_workflow_runs",
]
