"""GitHub's side of the wire: one coroutine an operation, named as GitHub's documentation names it.

::

    async with GitHubSession("TOKEN") as session:
        page = await list_artifacts_for_repo(session, "octo-org/octo-docs", per_page=100)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gh_artifacts_async.api.endpoints import (
        delete_artifact,
        get_artifact,
        get_download_url,
        get_workflow_run,
        get_workflow_run_attempt,
        list_artifacts_for_repo,
        list_jobs_for_workflow_run,
        list_repo_workflows,
        list_workflow_run_artifacts,
        list_workflow_runs,
    )
    from gh_artifacts_async.api.repositories import (
        get_artifact_and_log_retention_settings_repository,
        get_pull_request,
        list_repos_for_org,
        list_repos_for_user,
        set_artifact_and_log_retention_settings_repository,
    )
    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.protocol.requests import Request
    from gh_artifacts_async.protocol.responses import Document, Location, Nothing, Result

__all__ = [
    "Document",
    "GitHubSession",
    "Location",
    "Nothing",
    "Request",
    "Result",
    "delete_artifact",
    "get_artifact",
    "get_artifact_and_log_retention_settings_repository",
    "get_download_url",
    "get_pull_request",
    "get_workflow_run",
    "get_workflow_run_attempt",
    "list_artifacts_for_repo",
    "list_jobs_for_workflow_run",
    "list_repo_workflows",
    "list_repos_for_org",
    "list_repos_for_user",
    "list_workflow_run_artifacts",
    "list_workflow_runs",
    "set_artifact_and_log_retention_settings_repository",
]

_ELSEWHERE = {  # the others are in api.endpoints
    "Document": "protocol.responses",
    "GitHubSession": "api.session",
    "Location": "protocol.responses",
    "Nothing": "protocol.responses",
    "Request": "protocol.requests",
    "Result": "protocol.responses",
    "get_artifact_and_log_retention_settings_repository": "api.repositories",
    "get_pull_request": "api.repositories",
    "list_repos_for_org": "api.repositories",
    "list_repos_for_user": "api.repositories",
    "set_artifact_and_log_retention_settings_repository": "api.repositories",
}

if not TYPE_CHECKING:  # as in the package's root: a name's module is imported when the name is first used

    def __getattr__(name: str) -> object:
        """Import a name's module on first use."""
        import importlib

        if name not in __all__:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        module = f"{__name__.partition('.')[0]}.{_ELSEWHERE.get(name, 'api.endpoints')}"
        value = getattr(importlib.import_module(module), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """Return the public names."""
        return sorted(__all__)
