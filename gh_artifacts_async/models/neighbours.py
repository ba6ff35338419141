"""GitHub's objects around a repository's artifacts as frozen values: jobs, workflows, pull requests, retention.

https://docs.github.com/en/rest/actions and https://docs.github.com/en/rest/repos/repos
"""

from __future__ import annotations

from datetime import datetime

import attrs

from gh_artifacts_async.models import RepositoryName
from gh_artifacts_async.models.values import Value


@attrs.frozen(kw_only=True)
class Job(Value):
    """One job of an attempt of a workflow run.

    Attributes:
        id: the job's id.
        run_id: the run's id.
        run_attempt: number of the attempt, from 1.
        name: the job's name.
        status: e.g. ``"completed"``.
        conclusion: e.g. ``"success"``; None while it is running.
        started_at: when it started (aware, UTC).
        completed_at: when it ended (aware, UTC); None while it is running.
        labels: what its ``runs-on`` asks for.
        html_url: its web page.
        runner_name: the runner that runs it; None while it is queued.
    """

    id: int
    run_id: int | None = None
    run_attempt: int | None = None
    name: str | None = None
    status: str | None = None
    conclusion: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    labels: tuple[str, ...] = ()
    html_url: str | None = None
    runner_name: str | None = None


@attrs.frozen(kw_only=True)
class JobPage(Value):
    """One page of a run's jobs.

    Attributes:
        total_count: jobs in the whole listing.
        jobs: this page's.
        next_page: number of the next page; None on the last.
    """

    total_count: int
    jobs: tuple[Job, ...]
    next_page: int | None = None


@attrs.frozen(kw_only=True)
class Workflow(Value):
    """One workflow of a repository.

    Attributes:
        id: the workflow's id.
        name: as its file names it.
        path: its file, e.g. ``".github/workflows/ci.yml"``.
        state: e.g. ``"active"``.
    """

    id: int
    name: str | None = None
    path: str | None = None
    state: str | None = None


@attrs.frozen(kw_only=True)
class WorkflowPage(Value):
    """One page of a repository's workflows.

    Attributes:
        total_count: workflows in the whole listing.
        workflows: this page's.
        next_page: number of the next page; None on the last.
    """

    total_count: int
    workflows: tuple[Workflow, ...]
    next_page: int | None = None


@attrs.frozen(kw_only=True)
class PullRequest(Value):
    """One pull request.

    Attributes:
        number: in its repository.
        head_sha: the latest commit of its branch.
    """

    number: int
    head_sha: str


@attrs.frozen(kw_only=True)
class Repository(Value):
    """One repository of an owner.

    Attributes:
        id: GitHub's id, which stays when the repository is renamed.
        name: its full name, ``owner/name``.
    """

    id: int
    name: RepositoryName


@attrs.frozen(kw_only=True)
class RepositoryPage(Value):
    """One page of an owner's repositories.

    Attributes:
        repositories: this page's.
        next_page: number of the next page; None on the last.
    """

    repositories: tuple[Repository, ...]
    next_page: int | None = None


@attrs.frozen(kw_only=True)
class ArtifactRetention(Value):
    """How long a repository keeps its artifacts and logs.

    Attributes:
        days: of new artifacts and logs, unless their upload says otherwise.
        maximum_allowed_days: the most that can be set, by the organization's or the enterprise's policy.
    """

    days: int
    maximum_allowed_days: int
