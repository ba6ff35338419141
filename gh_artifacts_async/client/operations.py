"""The client's methods for GitHub's REST API: list, get and delete artifacts, get signed URLs, look up runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from gh_artifacts_async.api import endpoints
from gh_artifacts_async.errors import ConfigurationError, NotFoundError
from gh_artifacts_async.models import Artifact, ArtifactRef, RepositoryName, check_id
from gh_artifacts_async.protocol.run_requests import created_bounds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.models import Direction, RateLimit, WorkflowRun
    from gh_artifacts_async.models.neighbours import ArtifactRetention, Job
    from gh_artifacts_async.results import SignedURL, Statistics


class Operations:
    """GitHub's five artifact operations, and the workflow runs that go with them, over one session.

    What only listings, or a repository's settings, need is imported by the first call.
    """

    def __init__(self, github: GitHubSession) -> None:
        """Keep the session that requests are sent through."""
        self._github = github

    @property
    def rate_limit(self) -> RateLimit | None:
        """GitHub's primary rate limit as of the last response; None before the first, and if the server sends none."""
        return self._github.rate_limit

    @property
    def statistics(self) -> Statistics:
        """What the client has done so far: requests, bytes, retries and pauses. It can be read after close, too."""
        return self._github.emitter.counters.snapshot()

    def list_artifacts(
        self,
        repo: str | RepositoryName,
        *,
        name: str | None = None,
        per_page: int = 100,
        limit: int | None = None,
        concurrency: int = 1,
    ) -> AsyncGenerator[Artifact]:
        """Yield a repository's artifacts, each once, newest first as GitHub sends them.

        Expired artifacts are listed too, until GitHub removes them.

        Args:
            repo: ``"owner/name"``.
            name: only artifacts of exactly this name.
            per_page: artifacts a request, 1 to 100.
            limit: stop after this many artifacts; None for all.
            concurrency: pages fetched at once.

        Raises:
            ConfigurationError: an argument is invalid (raised by the call itself, not by the first item).
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        where = RepositoryName.parse(repo)
        from gh_artifacts_async.api import listing

        return listing.artifacts(
            self._github, where, name=name, per_page=per_page, limit=limit, concurrency=concurrency
        )

    def list_run_artifacts(
        self,
        repo: str | RepositoryName,
        run_id: int,
        *,
        name: str | None = None,
        direction: Direction | None = None,
        per_page: int = 100,
        limit: int | None = None,
        concurrency: int = 1,
    ) -> AsyncGenerator[Artifact]:
        """Yield a workflow run's artifacts, each once.

        Args:
            repo: ``"owner/name"``.
            run_id: the run's id.
            name: only artifacts of exactly this name.
            direction: ``"asc"`` (oldest first) or ``"desc"``; None for GitHub's default. GitHub Enterprise Server
                before 3.17 knows only newest first; there ``"asc"`` reads the whole listing before it yields the first.
            per_page: artifacts a request, 1 to 100.
            limit: stop after this many artifacts; None for all.
            concurrency: pages fetched at once.

        Raises:
            ConfigurationError: an argument is invalid (raised by the call itself, not by the first item).
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        where, run = RepositoryName.parse(repo), check_id(run_id, "run_id")
        from gh_artifacts_async.api import listing

        return listing.artifacts(
            self._github,
            where,
            run_id=run,
            name=name,
            direction=direction,
            per_page=per_page,
            limit=limit,
            concurrency=concurrency,
        )

    async def get_artifact(self, repo: str | RepositoryName, artifact_id: int) -> Artifact:
        """Return one artifact.

        Raises:
            NotFoundError: not found, or the token has no access.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        return await endpoints.get_artifact(self._github, repo, artifact_id)

    @overload
    async def delete_artifact(self, repo: Artifact | ArtifactRef, /, *, missing_ok: bool = False) -> None: ...
    @overload
    async def delete_artifact(
        self, repo: str | RepositoryName, artifact_id: int, *, missing_ok: bool = False
    ) -> None: ...
    async def delete_artifact(
        self,
        repo: str | RepositoryName | Artifact | ArtifactRef,
        artifact_id: int | None = None,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Delete one artifact, given by repository and id, or as an Artifact or ArtifactRef.

        Args:
            repo: ``"owner/name"``, or the artifact.
            artifact_id: the artifact's id, if a repository is given.
            missing_ok: do not raise if it does not exist (any more).

        Raises:
            ConfigurationError: there is no token.
            NotFoundError: not found, or the token has no access.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        where, number = _subject(repo, artifact_id)
        try:
            await endpoints.delete_artifact(self._github, where, number)
        except NotFoundError:
            if not missing_ok:
                raise

    @overload
    async def get_download_url(self, repo: Artifact | ArtifactRef, /) -> SignedURL: ...
    @overload
    async def get_download_url(self, repo: str | RepositoryName, artifact_id: int) -> SignedURL: ...
    async def get_download_url(
        self, repo: str | RepositoryName | Artifact | ArtifactRef, artifact_id: int | None = None
    ) -> SignedURL:
        """Return a signed URL of an artifact's bytes, given by repository and id, or as an Artifact or ArtifactRef.

        Args:
            repo: ``"owner/name"``, or the artifact.
            artifact_id: the artifact's id, if a repository is given.

        Raises:
            ConfigurationError: there is no token.
            ArtifactExpiredError: the artifact has expired.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        where, number = _subject(repo, artifact_id)
        expired = repo.expired if isinstance(repo, Artifact) else None
        return await endpoints.get_download_url(self._github, where, number, known_expired=expired)

    async def count_artifacts(self, repo: str | RepositoryName, *, name: str | None = None) -> int:
        """Return the number of a repository's artifacts, in one request.

        With ``name``, a GitHub Enterprise Server is asked for the artifacts themselves, 100 a request, since 3.6 and
        3.7 ignore the name and would count all.

        Args:
            repo: ``"owner/name"``.
            name: count only artifacts of exactly this name.

        Raises:
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        if name is not None and not self._github.base.is_hosted:
            return len([artifact.id async for artifact in self.list_artifacts(repo, name=name)])
        page = await endpoints.list_artifacts_for_repo(self._github, repo, name=name, per_page=1)
        return page.total_count

    def list_workflow_runs(
        self,
        repo: str | RepositoryName,
        *,
        workflow: str | int | None = None,
        branch: str | None = None,
        event: str | None = None,
        status: str | None = None,
        head_sha: str | None = None,
        actor: str | None = None,
        created: tuple[datetime | None, datetime | None] | None = None,
        limit: int | None = None,
    ) -> AsyncGenerator[WorkflowRun]:
        """Yield workflow runs, newest first; works around GitHub's limit of 1,000 results for a filtered listing.

        Args:
            repo: ``"owner/name"``.
            workflow: a workflow's id or file name; None for all workflows.
            branch: the run's head branch.
            event: what triggered the run, e.g. ``"push"``.
            status: a status or a conclusion, e.g. ``"completed"`` or ``"success"``.
            head_sha: the run's head commit.
            actor: login of the user who triggered the run.
            created: earliest and latest creation time, both inclusive; None for no bound.
            limit: stop after this many runs; None for all.

        Raises:
            ConfigurationError: an argument is invalid (raised by the call itself, not by the first item).
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        given = {"branch": branch, "event": event, "status": status, "head_sha": head_sha, "actor": actor}
        filters = tuple((key, value) for key, value in given.items() if value is not None)
        from gh_artifacts_async.api import listing

        return listing.workflow_runs(
            self._github,
            RepositoryName.parse(repo),
            workflow=workflow,
            filters=filters,
            created=created_bounds(created),
            limit=limit,
            pull_requests=True,
        )

    async def get_workflow_run(self, repo: str | RepositoryName, run_id: int) -> WorkflowRun:
        """Return one workflow run.

        Raises:
            NotFoundError: not found, or the token has no access.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        return await endpoints.get_workflow_run(self._github, repo, run_id, pull_requests=True)

    def list_run_jobs(
        self, repo: str | RepositoryName, run_id: int, *, limit: int | None = None
    ) -> AsyncGenerator[Job]:
        """Yield the jobs of the latest attempt of a workflow run, each once.

        Args:
            repo: ``"owner/name"``.
            run_id: the run's id.
            limit: stop after this many jobs; None for all.

        Raises:
            ConfigurationError: an argument is invalid (raised by the call itself, not by the first item).
            NotFoundError: the run was not found, or the token has no access.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.api import listing

        return listing.jobs(self._github, RepositoryName.parse(repo), run_id, limit=limit)

    def list_repositories(self, owner: str, *, limit: int | None = None) -> AsyncGenerator[RepositoryName]:
        """Yield the repositories of an organization, as far as the token has access, or the public ones of a user.

        Args:
            owner: the organization's name, or the user's.
            limit: stop after this many repositories; None for all.

        Raises:
            ConfigurationError: an argument is invalid (raised by the call itself, not by the first item).
            NotFoundError: there is no organization or user of that name.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.api import listing

        return listing.repositories(self._github, owner, limit=limit)

    async def get_artifact_retention(self, repo: str | RepositoryName) -> ArtifactRetention:
        """Return how many days a repository keeps new artifacts and logs, and the most that can be set.

        Args:
            repo: ``"owner/name"``.

        Raises:
            NotFoundError: not found, or the token has no access, or a GitHub Enterprise Server before 3.19.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.api import repositories

        return await repositories.get_artifact_and_log_retention_settings_repository(self._github, repo)

    async def set_artifact_retention(self, repo: str | RepositoryName, days: int) -> None:
        """Set how many days a repository keeps new artifacts and logs; those that it has keep their end.

        Args:
            repo: ``"owner/name"``.
            days: 1 or more, and no more than ``maximum_allowed_days`` of :meth:`get_artifact_retention`.

        Raises:
            ConfigurationError: there is no token, or days is not a positive integer.
            BadRequestError: more days than are allowed.
            NotFoundError: not found, or the token has no access, or a GitHub Enterprise Server before 3.19.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        from gh_artifacts_async.api import repositories

        await repositories.set_artifact_and_log_retention_settings_repository(self._github, repo, days)


def _subject(
    repo: str | RepositoryName | Artifact | ArtifactRef, artifact_id: int | None
) -> tuple[RepositoryName, int]:
    """Return repository and id, in whichever form they were given.

    Raises:
        ConfigurationError: an id is missing, or was given twice, or an Artifact has no repository.
    """
    if isinstance(repo, Artifact | ArtifactRef):
        if artifact_id is not None or repo.repository is None:
            msg = "give either a repository and an id, or an artifact that has a repository"
            raise ConfigurationError(msg)
        return repo.repository, repo.id
    if artifact_id is None:
        msg = "an artifact id is required with a repository"
        raise ConfigurationError(msg)
    return RepositoryName.parse(repo), check_id(artifact_id, "artifact_id")
