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

if not TYPE_CHECKING:  # as in the package's root: a name's module is imported when the name is first used

    def __getattr__(name: str) -> object:
        """Import a name's module on first use."""
        import importlib

        if name not in __all__:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        module = "session" if name == "GitHubSession" else "endpoints"
        value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """Return the public names."""
        return sorted(__all__)
