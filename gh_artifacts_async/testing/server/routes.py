"""Which operation a path belongs to."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Literal

import attrs

from gh_artifacts_async.testing.server import apps, artifacts, repositories, retention, runs, service, workflows
from gh_artifacts_async.testing.server.backend import Backend, Call
from gh_artifacts_async.testing.server.responses import Response

Method = Literal["GET", "DELETE", "POST", "PUT"]
Operation = Callable[[Backend, Call], Awaitable[Response]]


@attrs.frozen
class Route:
    """Where an operation is found.

    Attributes:
        method: e.g. ``GET``.
        pattern: matches the path as it stands on the wire, after the profile's prefix.
        endpoint: GitHub's operation id.
        operation: what handles the request.
    """

    method: Method
    pattern: re.Pattern[str]
    endpoint: str
    operation: Operation


_REPO = r"(?:/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)|/repositories/(?P<repository_id>\d{1,19}))"
_ARTIFACT = rf"{_REPO}/actions/artifacts/(?P<artifact_id>\d{{1,19}})"
_RUN = rf"{_REPO}/actions/runs/(?P<run_id>\d{{1,19}})"
_ATTEMPT = rf"{_RUN}/attempts/(?P<attempt_number>\d{{1,9}})"
_JOB = rf"{_REPO}/actions/jobs/(?P<job_id>\d{{1,19}})"
_WORKFLOW = rf"{_REPO}/actions/workflows/(?P<workflow_id>[^/]+)"
_RETENTION = f"{_REPO}/actions/permissions/artifact-and-log-retention"
_INSTALLATION = r"/app/installations/(?P<installation_id>\d{1,19})"


def _route(method: Method, path: str, endpoint: str, operation: Operation) -> Route:
    return Route(method, re.compile(path), endpoint, operation)


ROUTES: tuple[Route, ...] = (
    _route("GET", f"{_REPO}/actions/artifacts", "actions/list-artifacts-for-repo", artifacts.list_artifacts_for_repo),
    _route("GET", _ARTIFACT, "actions/get-artifact", artifacts.get_artifact),
    _route("DELETE", _ARTIFACT, "actions/delete-artifact", artifacts.delete_artifact),
    _route("GET", rf"{_ARTIFACT}/(?P<archive_format>[^/]+)", "actions/download-artifact", artifacts.download_artifact),
    _route("GET", f"{_RUN}/artifacts", "actions/list-workflow-run-artifacts", artifacts.list_workflow_run_artifacts),
    _route("GET", f"{_REPO}/actions/runs", "actions/list-workflow-runs-for-repo", runs.list_workflow_runs_for_repo),
    _route("GET", f"{_REPO}/actions/workflows", "actions/list-repo-workflows", workflows.list_repo_workflows),
    _route("GET", _WORKFLOW, "actions/get-workflow", workflows.get_workflow),
    _route("GET", f"{_WORKFLOW}/runs", "actions/list-workflow-runs", workflows.list_workflow_runs),
    _route("GET", _RUN, "actions/get-workflow-run", runs.get_workflow_run),
    _route("DELETE", _RUN, "actions/delete-workflow-run", runs.delete_workflow_run),
    _route("GET", _ATTEMPT, "actions/get-workflow-run-attempt", runs.get_workflow_run_attempt),
    _route("GET", f"{_RUN}/jobs", "actions/list-jobs-for-workflow-run", runs.list_jobs_for_workflow_run),
    _route(
        "GET",
        f"{_ATTEMPT}/jobs",
        "actions/list-jobs-for-workflow-run-attempt",
        runs.list_jobs_for_workflow_run_attempt,
    ),
    _route("GET", _JOB, "actions/get-job-for-workflow-run", runs.get_job_for_workflow_run),
    _route("GET", _REPO, "repos/get", repositories.get_repository),
    _route("GET", rf"{_REPO}/branches/(?P<branch>.+)", "repos/get-branch", repositories.get_branch),
    _route("GET", rf"{_REPO}/pulls/(?P<pull_number>\d{{1,19}})", "pulls/get", repositories.get_pull_request),
    _route("GET", "/orgs/(?P<org>[^/]+)/repos", "repos/list-for-org", repositories.list_repos_for_org),
    _route("GET", "/users/(?P<username>[^/]+)/repos", "repos/list-for-user", repositories.list_repos_for_user),
    _route("GET", _RETENTION, "actions/get-artifact-and-log-retention-settings-repository", retention.get_retention),
    _route("PUT", _RETENTION, "actions/set-artifact-and-log-retention-settings-repository", retention.set_retention),
    _route("GET", f"{_REPO}/installation", "apps/get-repo-installation", apps.get_repo_installation),
    _route(
        "POST",
        f"{_INSTALLATION}/access_tokens",
        "apps/create-installation-access-token",
        apps.create_installation_access_token,
    ),
    _route("GET", "/orgs/(?P<org>[^/]+)/installation", "apps/get-org-installation", apps.get_org_installation),
    _route("GET", "/rate_limit", "rate-limit/get", service.get_rate_limit),
    _route("GET", "/meta", "meta/get", service.get_meta),
    _route("GET", "/versions", "meta/get-all-versions", service.get_all_versions),
)
