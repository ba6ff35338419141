"""The operations on repositories, their pull requests and their retention of artifacts, as values.

https://docs.github.com/en/rest/repos/repos, https://docs.github.com/en/rest/pulls/pulls and
https://docs.github.com/en/rest/actions/permissions
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gh_artifacts_async.models import check_id, check_owner
from gh_artifacts_async.protocol.requests import Request, actions, paging

if TYPE_CHECKING:
    from gh_artifacts_async.models import RepositoryName


def get_pull_request(repo: RepositoryName, pull_number: int) -> Request:
    """``GET /repos/{owner}/{repo}/pulls/{pull_number}``."""
    check_id(pull_number, "pull_number")
    return Request(operation="get_pull_request", path=f"/repos/{repo.owner}/{repo.name}/pulls/{pull_number}")


def list_repos_for_org(owner: str, *, per_page: int = 30, page: int = 1) -> Request:
    """``GET /orgs/{org}/repos``."""
    path = f"/orgs/{check_owner(owner)}/repos"
    return Request(operation="list_repos_for_org", path=path, query=paging(per_page, page))


def list_repos_for_user(owner: str, *, per_page: int = 30, page: int = 1) -> Request:
    """``GET /users/{username}/repos``."""
    path = f"/users/{check_owner(owner)}/repos"
    return Request(operation="list_repos_for_user", path=path, query=paging(per_page, page))


def get_artifact_retention(repo: RepositoryName) -> Request:
    """``GET /repos/{owner}/{repo}/actions/permissions/artifact-and-log-retention``."""
    path = f"{actions(repo)}/permissions/artifact-and-log-retention"
    return Request(operation="get_artifact_and_log_retention_settings_repository", path=path)


def set_artifact_retention(repo: RepositoryName, days: int) -> Request:
    """``PUT /repos/{owner}/{repo}/actions/permissions/artifact-and-log-retention``."""
    return Request(
        operation="set_artifact_and_log_retention_settings_repository",
        path=f"{actions(repo)}/permissions/artifact-and-log-retention",
        method="PUT",
        points=5,
        answer="nothing",
        body=json.dumps({"days": check_id(days, "days")}).encode(),
    )
