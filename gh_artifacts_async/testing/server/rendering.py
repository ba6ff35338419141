"""Renders the fake's data as GitHub's JSON, in the shapes of its OpenAPI description.

https://github.com/github/rest-api-description
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from gh_artifacts_async.testing.clock import iso
from gh_artifacts_async.testing.data.scenario import Scenario

if TYPE_CHECKING:
    from datetime import datetime

    from gh_artifacts_async.testing.data.models import (
        FakeArtifact,
        FakeInstallation,
        FakeRepository,
        FakeRun,
    )

Document = dict[str, Any]

_REPOSITORY_URLS = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
]
_USER_URLS = [
    "events",
    "followers",
    "following",
    "gists",
    "organizations",
    "received_events",
    "repos",
    "starred",
    "subscriptions",
]


@attrs.define
class Renderer:
    """Turns data into documents.

    Attributes:
        scenario: the data.
        base_url: the API's base URL, without a trailing slash.
    """

    scenario: Scenario
    base_url: str

    @property
    def site(self) -> str:
        """Origin of the pages for people: github.com, or an Enterprise Server's own host."""
        profile = self.scenario.profile
        return "https://github.com" if profile.installed_version is None else self.base_url.removesuffix(profile.prefix)

    def page(self, repository: FakeRepository) -> str:
        """Return the address of a repository's page for people."""
        return f"{self.site}/{repository.full_name}"

    def artifact(self, artifact: FakeArtifact) -> Document:
        """Return an artifact."""
        repository = self.scenario.repositories[artifact.repository_id]
        url = f"{self.base_url}/repos/{repository.full_name}/actions/artifacts/{artifact.id}"
        document: Document = {
            "id": artifact.id,
            "node_id": node_id("Artifact", artifact.id),
            "name": artifact.name,
            "size_in_bytes": artifact.size_in_bytes,
            "url": url,
            "archive_download_url": f"{url}/zip",
            "expired": self.scenario.is_expired(artifact),
            "created_at": _time(artifact.created_at),
            "updated_at": _time(artifact.updated_at),
            "expires_at": _time(artifact.expires_at),
        }
        if self.scenario.profile.digest:
            document["digest"] = artifact.digest
        document["workflow_run"] = self._artifact_run(artifact)
        return document

    def _artifact_run(self, artifact: FakeArtifact) -> Document | None:
        if artifact.run is None:
            return None
        run = self.scenario.runs.get(artifact.run.id, artifact.run)
        return {
            "id": run.id,
            "repository_id": run.repository_id,
            "head_repository_id": run.head_repository_id,
            "head_branch": run.branch,
            "head_sha": run.head_sha,
        }

    def run(self, run: FakeRun, *, pull_requests: bool = True) -> Document:
        """Return a workflow run, with its pull requests unless excluded."""
        repository = self.scenario.repositories[run.repository_id]
        url = f"{self.base_url}/repos/{repository.full_name}/actions/runs/{run.id}"
        head = self.scenario.repositories.get(run.head_repository_id or 0)
        return {
            "id": run.id,
            "name": run.workflow_name,
            "node_id": node_id("WorkflowRun", run.id),
            "head_branch": run.branch,
            "head_sha": run.head_sha,
            "path": f".github/workflows/{run.workflow}",
            "display_title": f"{run.workflow_name} #{run.run_number}",
            "run_number": run.run_number,
            "event": run.event,
            "status": run.status,
            "conclusion": run.conclusion,
            "workflow_id": run.workflow_id,
            "check_suite_id": run.id + 1,
            "check_suite_node_id": node_id("CheckSuite", run.id + 1),
            "url": url,
            "html_url": f"{self.page(repository)}/actions/runs/{run.id}",
            "pull_requests": [self._pull(run, number) for number in run.pull_requests] if pull_requests else [],
            "created_at": iso(run.created_at),
            "updated_at": iso(run.updated_at),
            "actor": self.user(run.actor),
            "run_attempt": run.attempt,
            "referenced_workflows": [],
            "run_started_at": iso(run.run_started_at),
            "triggering_actor": self.user(run.actor),
            "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs",
            "check_suite_url": f"{self.base_url}/repos/{repository.full_name}/check-suites/{run.id + 1}",
            "artifacts_url": f"{url}/artifacts",
            "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun",
            "previous_attempt_url": f"{url}/attempts/{run.attempt - 1}" if run.attempt > 1 else None,
            "workflow_url": f"{self.base_url}/repos/{repository.full_name}/actions/workflows/{run.workflow_id}",
            "head_commit": _commit(run),
            "repository": self.minimal_repository(repository),
            "head_repository": None if head is None else self.minimal_repository(head),
        }

    def job(self, run: FakeRun, index: int) -> Document:
        """Return a job of a run's attempt, by its place among the attempt's jobs."""
        repository = self.scenario.repositories[run.repository_id]
        base = f"{self.base_url}/repos/{repository.full_name}"
        number = run.job_id(index)
        done = run.status == "completed"
        finished = iso(run.updated_at) if done else None
        step = {"name": "Set up job", "number": 1, "status": run.status, "conclusion": run.conclusion}
        return {
            "id": number,
            "run_id": run.id,
            "workflow_name": run.workflow_name,
            "head_branch": run.branch,
            "run_url": f"{base}/actions/runs/{run.id}",
            "run_attempt": run.attempt,
            "node_id": node_id("CheckRun", number),
            "head_sha": run.head_sha,
            "url": f"{base}/actions/jobs/{number}",
            "html_url": f"{self.page(repository)}/actions/runs/{run.id}/job/{number}",
            "status": run.status,
            "conclusion": run.conclusion,
            "created_at": iso(run.run_started_at),
            "started_at": iso(run.run_started_at),
            "completed_at": finished,
            "name": run.jobs[index],
            "steps": [{**step, "started_at": iso(run.run_started_at), "completed_at": finished}],
            "check_run_url": f"{base}/check-runs/{number}",
            "labels": ["ubuntu-latest"],
            "runner_id": 1 if done else None,
            "runner_name": "GitHub Actions 1" if done else None,
            "runner_group_id": 2 if done else None,
            "runner_group_name": "GitHub Actions" if done else None,
        }

    def failure(self, run: FakeRun) -> Document:
        """Return the annotation that Actions makes of a job that failed."""
        return {
            "path": ".github",
            "start_line": 1,
            "end_line": 1,
            "start_column": None,
            "end_column": None,
            "annotation_level": "failure",
            "title": "",
            "message": "Process completed with exit code 1.",
            "raw_details": "",
            "blob_href": f"{self.page(self.scenario.repositories[run.repository_id])}/blob/{run.head_sha}/.github",
        }

    def workflow(self, run: FakeRun) -> Document:
        """Return a workflow, of which ``run`` is a run."""
        repository = self.scenario.repositories[run.repository_id]
        path = f".github/workflows/{run.workflow}"
        site = self.page(repository)
        return {
            "id": run.workflow_id,
            "node_id": node_id("Workflow", run.workflow_id),
            "name": run.workflow_name,
            "path": path,
            "state": "active",
            "created_at": iso(self.scenario.clock.start),
            "updated_at": iso(self.scenario.clock.start),
            "url": f"{self.base_url}/repos/{repository.full_name}/actions/workflows/{run.workflow_id}",
            "html_url": f"{site}/blob/{repository.default_branch}/{path}",
            "badge_url": f"{site}/workflows/{quote(run.workflow_name)}/badge.svg",
        }

    def branch(self, repository: FakeRepository, name: str, sha: str) -> Document:
        """Return a branch whose head is the commit ``sha``."""
        url = f"{self.base_url}/repos/{repository.full_name}"
        site = self.page(repository)
        protection = f"{url}/branches/{quote(name, safe='')}/protection"
        checks: Document = {"enforcement_level": "off", "contexts": [], "checks": []}
        return {
            "name": name,
            "commit": self._branch_commit(repository, sha),
            "_links": {"self": f"{url}/branches/{quote(name, safe='')}", "html": f"{site}/tree/{quote(name)}"},
            "protected": False,
            "protection": {"enabled": False, "required_status_checks": checks},
            "protection_url": protection,
        }

    def _branch_commit(self, repository: FakeRepository, sha: str) -> Document:
        url = f"{self.base_url}/repos/{repository.full_name}"
        person = {
            "name": repository.owner,
            "email": f"{repository.owner}@users.noreply.github.com",
            "date": iso(self.scenario.clock.start),
        }
        return {
            "sha": sha,
            "node_id": node_id("Commit", int(sha[:8], 16)),
            "commit": {
                "author": person,
                "committer": person,
                "message": "Head of the branch",
                "tree": {"sha": sha[::-1], "url": f"{url}/git/trees/{sha[::-1]}"},
                "url": f"{url}/git/commits/{sha}",
                "comment_count": 0,
            },
            "url": f"{url}/commits/{sha}",
            "html_url": f"{self.page(repository)}/commit/{sha}",
            "comments_url": f"{url}/commits/{sha}/comments",
            "author": self.user(repository.owner),
            "committer": self.user(repository.owner),
            "parents": [],
        }

    def _pull(self, run: FakeRun, number: int) -> Document:
        repository = self.scenario.repositories[run.repository_id]
        url = f"{self.base_url}/repos/{repository.full_name}"
        side = {"repo": {"id": repository.id, "url": url, "name": repository.name}}
        return {
            "id": pull_id(repository, number),
            "number": number,
            "url": f"{url}/pulls/{number}",
            "head": {"ref": run.branch or "", "sha": run.head_sha, **side},
            "base": {"ref": repository.default_branch, "sha": run.head_sha, **side},
        }

    def user(self, login: str) -> Document:
        """Return an account."""
        url = f"{self.base_url}/users/{login}"
        number, kind = sum(login.encode()), self.scenario.kind_of_account(login)
        document: Document = {"login": login, "id": number, "node_id": node_id(kind, number)}
        document |= {f"{name}_url": f"{url}/{name}" for name in _USER_URLS}
        return document | {
            "avatar_url": self._avatar(number),
            "gravatar_id": "",
            "html_url": f"{self.site}/{login}",
            "site_admin": False,
            "type": kind,
            "url": url,
        }

    def _avatar(self, number: int) -> str:
        installed = self.scenario.profile.installed_version is not None
        return f"{f'{self.site}/avatars' if installed else 'https://avatars.githubusercontent.com'}/u/{number}"

    def minimal_repository(self, repository: FakeRepository) -> Document:
        """Return a repository as it appears in runs."""
        url = f"{self.base_url}/repos/{repository.full_name}"
        document: Document = {
            "id": repository.id,
            "node_id": node_id("Repository", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "owner": self.user(repository.owner),
            "html_url": self.page(repository),
            "description": None,
            "fork": repository.fork,
            "url": url,
        }
        return document | {f"{name}_url": f"{url}/{name.replace('_', '/')}" for name in _REPOSITORY_URLS}

    def repository(self, repository: FakeRepository) -> Document:
        """Return a repository in full."""
        started = iso(self.scenario.clock.start)
        page = self.page(repository)
        place = f"{page.partition('://')[2]}.git"
        counts = "forks forks_count open_issues open_issues_count size stargazers_count watchers watchers_count"
        flags = "has_issues has_projects has_wiki has_pages has_downloads has_discussions archived disabled"
        return {
            **self.minimal_repository(repository),
            **dict.fromkeys([*counts.split(), "network_count", "subscribers_count"], 0),
            **dict.fromkeys(flags.split(), False),
            **dict.fromkeys(["homepage", "language", "license", "mirror_url"]),
            "clone_url": f"{page}.git",
            "created_at": started,
            "default_branch": repository.default_branch,
            "git_url": f"git://{place}",
            "permissions": {"admin": False, "push": True, "pull": True},
            "pushed_at": started,
            "ssh_url": f"git@{place.replace('/', ':', 1)}",
            "svn_url": page,
            "updated_at": started,
            "visibility": "private" if repository.private else "public",
        }

    def installation(self, installation: FakeInstallation) -> Document:
        """Return a GitHub App's installation."""
        started = iso(self.scenario.clock.start)
        owner = installation.repositories[0].partition("/")[0] if installation.repositories else "octo-org"
        return {
            "id": installation.id,
            "account": self.user(owner),
            "repository_selection": "selected",
            "access_tokens_url": f"{self.base_url}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self.base_url}/installation/repositories",
            "html_url": f"{self.site}/organizations/{owner}/settings/installations/{installation.id}",
            "app_id": installation.app_id,
            "app_slug": "fake-app",
            "target_id": sum(owner.encode()),
            "target_type": "Organization",
            "permissions": dict(installation.permissions),
            "events": [],
            "created_at": started,
            "updated_at": started,
            "single_file_name": None,
            "suspended_by": None,
            "suspended_at": None,
        }


def pull_id(repository: FakeRepository, number: int) -> int:
    """Return the id of a pull request, which its number is not."""
    return repository.id * 1000 + number


def _commit(run: FakeRun) -> Document:
    author = {"name": run.actor, "email": f"{run.actor}@users.noreply.github.com"}
    return {
        "id": run.head_sha,
        "tree_id": run.head_sha[::-1],
        "message": f"Commit of run {run.run_number}",
        "timestamp": iso(run.created_at),
        "author": author,
        "committer": author,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def node_id(kind: str, number: int) -> str:
    """Return the identifier of an object that GraphQL would take."""
    return base64.b64encode(f"0{len(kind)}:{kind}{number}".encode()).decode()
