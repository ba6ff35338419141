"""Makes a plan of what a repository no longer needs, and deletes what a plan says, nothing else."""

from __future__ import annotations

import os
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from gh_artifacts_async.api import endpoints, listing
from gh_artifacts_async.api.environment import token_advice
from gh_artifacts_async.automation import now, retention
from gh_artifacts_async.errors import (
    ConfigurationError,
    MissingTokenError,
    NotFoundError,
    PermissionDeniedError,
    PlanRefusedError,
)
from gh_artifacts_async.transfer.bulk import STOPS_ALL, Pool, running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.automation.criteria import RetentionPolicy
    from gh_artifacts_async.automation.retention import CleanupPlan
    from gh_artifacts_async.models import Artifact, ArtifactRef, RepositoryName
    from gh_artifacts_async.results import Outcome

_STOPS = (*STOPS_ALL, PermissionDeniedError, NotFoundError)
"""What every further deletion would meet too; NotFoundError is of the repository, see :class:`_Deletion`."""


async def plan_cleanup(github: GitHubSession, repo: RepositoryName, policy: RetentionPolicy) -> CleanupPlan:
    """List a repository and decide, see :meth:`gh_artifacts_async.ArtifactsClient.plan_cleanup`."""
    begun = now.utcnow()
    async with aclosing(listing.everything(github, repo)) as listed:
        found = [artifact async for artifact in listed]
    return retention.plan(found, policy, begun, repository=repo)


def apply_cleanup(
    github: GitHubSession, plan: CleanupPlan, *, max_age: float | None
) -> AbstractAsyncContextManager[AsyncIterator[Outcome[None]]]:
    """Delete what a plan says, see :meth:`gh_artifacts_async.ArtifactsClient.apply_cleanup`.

    The arguments are checked here, before the block is entered.
    """
    if not github.has_token:
        msg = f"deleting artifacts needs a token; {token_advice(github.base, os.environ)}"
        raise MissingTokenError(msg)
    _check_age(plan, max_age)
    return _applying(github, plan)


def _check_age(plan: CleanupPlan, max_age: float | None) -> None:
    """Refuse a plan that is too old to be still right.

    Raises:
        ConfigurationError: ``max_age`` is no length of time.
        PlanRefusedError: the plan is older.
    """
    if max_age is None:
        return
    if isinstance(max_age, bool) or not isinstance(max_age, int | float) or not max_age >= 0:
        msg = f"max_age must be a number of 0 or more, or None for any age, not {max_age!r}"
        raise ConfigurationError(msg)
    age = (now.utcnow() - plan.created_at).total_seconds()
    if age > max_age:
        msg = f"the plan is {age:,.0f} seconds old, and {max_age:,g} are allowed; make a new plan"
        raise PlanRefusedError(msg)


@asynccontextmanager
async def _applying(github: GitHubSession, plan: CleanupPlan) -> AsyncGenerator[AsyncIterator[Outcome[None]]]:
    github.check_usable()
    subjects = [planned.artifact for planned in plan.delete]
    # One at a time, as GitHub asks for: so nothing more is sent once a deletion was refused.
    async with running(Pool(subjects, _Deletion(github), 1, stops=_STOPS)) as outcomes:
        yield outcomes


class _Deletion:
    """Deletes one artifact after another.

    What is not found is deleted already. But GitHub answers 404 as well where the token cannot see the repository: the
    first 404 of each repository is followed by a GET of the repository's artifacts, whose 404 ends it all.
    """

    def __init__(self, github: GitHubSession) -> None:
        self._github = github
        self._visible: set[RepositoryName] = set()

    async def __call__(self, subject: Artifact | ArtifactRef) -> None:
        repo = subject.repository
        if repo is None:
            msg = f"artifact {subject.id} of a plan has no repository"
            raise ConfigurationError(msg)
        try:
            await endpoints.delete_artifact(self._github, repo, subject.id)
        except NotFoundError:
            if repo not in self._visible:
                await endpoints.list_artifacts_for_repo(self._github, repo, per_page=1)
        self._visible.add(repo)
