"""GitHub's operations as methods: what the client has of the REST API; the transfers are its own.

What carries an operation out is imported by the first call of it: importing the client shall take little longer than
importing aiohttp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from gh_artifacts_async.errors import ConfigurationError, NotFoundError
from gh_artifacts_async.models import Artifact, ArtifactRef, RepositoryName, check_id
from gh_artifacts_async.protocol.requests import created_bounds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.models import Direction, RateLimit, WorkflowRun
    from gh_artifacts_async.results import SignedURL


class Operations:
    """The five operations and their neighbours, over one session."""

    def __init__(self, github: GitHubSession) -> None:
        """Keep the session."""
        self._github = github

    @property
    def rate_limit(self) -> RateLimit | None:
        """GitHub's primary rate limit as of the last answer; None before it, and where the server sends none."""
        return self._github.rate_limit

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

        Args:
            repo: ``"owner/name"``.
            name: only those of exactly this name.
            per_page: 1..100.
            limit: stop after so many.
            concurrency: pages fetched at once.

        Raises:
            ConfigurationError: an argument is out of its range (raised by the call itself).
            ArtifactsError: GitHub said no, or did not answer.
        """
        from gh_artifacts_async.api import listing

        where = RepositoryName.parse(repo)
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
            run_id: the run.
            name: only those of exactly this name.
            direction: ``"asc"`` or ``"desc"``; None for GitHub's default.
            per_page: 1..100.
            limit: stop after so many.
            concurrency: pages fetched at once.

        Raises:
            ConfigurationError: an argument is out of its range (raised by the call itself).
            ArtifactsError: GitHub said no, or did not answer.
        """
        from gh_artifacts_async.api import listing

        where, run = RepositoryName.parse(repo), check_id(run_id, "run_id")
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
            NotFoundError: there is none, or the token may not see it.
            ArtifactsError: GitHub said no, or did not answer.
        """
        from gh_artifacts_async.api import endpoints

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
            artifact_id: with a repository.
            missing_ok: one that is not there (any more) is no error.

        Raises:
            ConfigurationError: there is no token.
            NotFoundError: there is none, or the token may not see it.
            ArtifactsError: GitHub said no, or did not answer.
        """
        from gh_artifacts_async.api import endpoints

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
        """Return the signed address of an artifact's bytes, given by repository and id, or as Artifact or ArtifactRef.

        Raises:
            ConfigurationError: there is no token.
            ArtifactExpiredError: its retention has ended.
            ArtifactsError: GitHub said no, or did not answer.
        """
        from gh_artifacts_async.api import endpoints

        where, number = _subject(repo, artifact_id)
        expired = repo.expired if isinstance(repo, Artifact) else None
        return await endpoints.get_download_url(self._github, where, number, known_expired=expired)

    async def count_artifacts(self, repo: str | RepositoryName, *, name: str | None = None) -> int:
        """Return GitHub's count of a repository's artifacts, in one request.

        GitHub Enterprise Server 3.6 and 3.7 ignore ``name``, and count all; so does this then.

        Raises:
            ArtifactsError: GitHub said no, or did not answer.
        """
        from gh_artifacts_async.api import endpoints

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
        """Yield workflow runs, newest first; GitHub's end after 1,000 of a filtered listing is got over.

        Args:
            repo: ``"owner/name"``.
            workflow: its id or file name; None for all.
            branch: of the run.
            event: e.g. ``"push"``.
            status: a status or a conclusion, e.g. ``"completed"`` or ``"success"``.
            head_sha: the commit.
            actor: the login of who started it.
            created: from and to, both included; None for no bound.
            limit: stop after so many.

        Raises:
            ConfigurationError: an argument is out of its range (raised by the call itself).
            ArtifactsError: GitHub said no, or did not answer.
        """
        from gh_artifacts_async.api import listing

        given = {"branch": branch, "event": event, "status": status, "head_sha": head_sha, "actor": actor}
        filters = tuple((key, value) for key, value in given.items() if value is not None)
        return listing.workflow_runs(
            self._github,
            RepositoryName.parse(repo),
            workflow=workflow,
            filters=filters,
            created=created_bounds(created),
            limit=limit,
        )

    async def get_workflow_run(self, repo: str | RepositoryName, run_id: int) -> WorkflowRun:
        """Return one workflow run.

        Raises:
            NotFoundError: there is none, or the token may not see it.
            ArtifactsError: GitHub said no, or did not answer.
        """
        from gh_artifacts_async.api import endpoints

        return await endpoints.get_workflow_run(self._github, repo, run_id)


def _subject(
    repo: str | RepositoryName | Artifact | ArtifactRef, artifact_id: int | None
) -> tuple[RepositoryName, int]:
    """Return repository and id, however they were given."""
    if isinstance(repo, Artifact | ArtifactRef):
        if artifact_id is not None or repo.repository is None:
            msg = "give a repository and an id, or an artifact that knows its repository"
            raise ConfigurationError(msg)
        return repo.repository, repo.id
    if artifact_id is None:
        msg = "an artifact's id is needed besides its repository"
        raise ConfigurationError(msg)
    return RepositoryName.parse(repo), check_id(artifact_id, "artifact_id")
