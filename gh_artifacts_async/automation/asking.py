"""The questions that a selection asks GitHub, counted and explained."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

import attrs

from gh_artifacts_async.api import endpoints, listing, repositories
from gh_artifacts_async.api.session import GitHubSession
from gh_artifacts_async.automation import matching, now
from gh_artifacts_async.automation.criteria import ArtifactQuery
from gh_artifacts_async.errors import NotFoundError
from gh_artifacts_async.models import Artifact, WorkflowRun

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from gh_artifacts_async.api.emitter import Emitter
    from gh_artifacts_async.models import ArtifactPage, RepositoryName
    from gh_artifacts_async.protocol.requests import Query, Request
    from gh_artifacts_async.protocol.responses import Result

PER_PAGE = 100


@attrs.frozen(kw_only=True)
class PlannedRequest:
    """One request to GitHub's API.

    Attributes:
        request: method, path and query, e.g. ``"GET /repos/o/r/actions/runs?branch=main"``.
        reason: what it is for.
    """

    request: str
    reason: str

    def __str__(self) -> str:
        """Return the request and what it is for."""
        return f"{self.request}  ({self.reason})"


@attrs.frozen(kw_only=True)
class LeftOut:
    """A candidate that was not selected.

    Attributes:
        candidate: an artifact whose name matches, or a run that was looked at.
        reason: why not.
    """

    candidate: Artifact | WorkflowRun
    reason: str

    def __str__(self) -> str:
        """Return the candidate and why it was left out."""
        kind = "artifact" if isinstance(self.candidate, Artifact) else "run"
        return f"{kind} {self.candidate.id} ({self.candidate.name}): {self.reason}"


@attrs.frozen(kw_only=True)
class QueryPlan:
    """How a query is answered.

    Attributes:
        query: the query.
        requests: the requests that it takes, in their order; a selection that is made again makes the same.
        artifacts: what it selects now, the newest first.
        left_out: the other candidates, each with the reason.
    """

    query: ArtifactQuery
    requests: tuple[PlannedRequest, ...]
    artifacts: tuple[Artifact, ...]
    left_out: tuple[LeftOut, ...]

    def __str__(self) -> str:
        """Return all of it, a line each."""
        chosen = [f"artifact {artifact.id} ({artifact.name}): selected" for artifact in self.artifacts]
        return "\n".join([*map(str, self.requests), *(chosen or ["nothing is selected"]), *map(str, self.left_out)])


@attrs.frozen
class _Noted:
    """Stands in for the session in one question: endpoints and listings use its ``send`` and ``emitter`` only."""

    github: GitHubSession
    reason: str
    requests: list[PlannedRequest]

    @property
    def emitter(self) -> Emitter:
        return self.github.emitter

    async def send(self, request: Request) -> Result:
        """Note a request and send it."""
        query = f"?{urlencode(request.query)}" if request.query else ""
        self.requests.append(PlannedRequest(request=f"{request.label}{query}", reason=self.reason))
        return await self.github.send(request)


class Asker:
    """Sends a selection's requests, and notes what they are for.

    Attributes:
        repo: the repository.
        requests: those sent so far.
        left_out: the candidates left out so far.
    """

    def __init__(self, github: GitHubSession, repo: RepositoryName) -> None:
        """Start with no request."""
        self.repo = repo
        self.requests: list[PlannedRequest] = []
        self.left_out: list[LeftOut] = []
        self._github = github

    def _because(self, reason: str) -> GitHubSession:
        """Return what stands in for the session in one question."""
        return cast("GitHubSession", _Noted(self._github, reason, self.requests))

    def leave_out(self, candidate: Artifact | WorkflowRun, reason: str) -> None:
        """Note that a candidate is not selected."""
        self.left_out.append(LeftOut(candidate=candidate, reason=reason))

    async def artifact(self, artifact_id: int) -> Artifact:
        """Return one artifact."""
        session = self._because(f"artifact {artifact_id} itself")
        return await endpoints.get_artifact(session, self.repo, artifact_id)

    async def newest_of_name(self, name: str) -> ArtifactPage:
        """Return the newest artifacts of a name; an old GitHub Enterprise Server sends those of other names too."""
        session = self._because(f"the newest artifacts named {name!r}")
        return await endpoints.list_artifacts_for_repo(session, self.repo, name=name, per_page=PER_PAGE)

    async def count(self) -> int:
        """Return how many artifacts the repository has."""
        session = self._because("the number of the repository's artifacts")
        return (await endpoints.list_artifacts_for_repo(session, self.repo, per_page=1)).total_count

    async def artifacts(self, name: str | None, *, since: datetime | None, expired: bool) -> AsyncGenerator[Artifact]:
        """Yield the repository's artifacts, the newest first, until they are all too old.

        Args:
            name: only those of this name.
            since: stop after a page that is older as a whole.
            expired: do not stop after a page below which all have expired.
        """
        session = self._because("the repository's artifacts" if name is None else f"the artifacts named {name!r}")
        found = listing.artifacts(session, self.repo, name=name, per_page=PER_PAGE)
        stale, retention, moment = 0, matching.USUAL_RETENTION, now.utcnow()
        try:
            async for artifact in found:
                yield artifact
                late = since is not None and artifact.created_at is not None and artifact.created_at < since
                retention = matching.longest_retention([artifact], retention)
                gone = not expired and matching.all_expired_since(artifact, retention, moment)
                stale = stale + 1 if late or gone else 0
                if stale >= PER_PAGE:
                    return
        finally:
            await found.aclose()

    async def run(self, run_id: int) -> WorkflowRun:
        """Return one workflow run."""
        session = self._because(f"run {run_id} itself")
        return await endpoints.get_workflow_run(session, self.repo, run_id, pull_requests=False)

    async def run_if_there(self, run_id: int) -> WorkflowRun | None:
        """Return the run of an artifact that was listed; None if it has been deleted since."""
        try:
            return await self.run(run_id)
        except NotFoundError:
            return None

    async def run_artifacts(self, run_id: int, name: str | None) -> list[Artifact]:
        """Return a run's artifacts, all or those of one name."""
        what = "artifacts" if name is None else f"artifacts named {name!r}"
        session = self._because(f"the {what} of run {run_id}")
        found = listing.artifacts(session, self.repo, run_id=run_id, name=name, per_page=PER_PAGE)
        async with aclosing(found):
            return [artifact async for artifact in found]

    def runs(
        self, workflow: str | int | None, filters: Query, created: tuple[datetime | None, datetime | None]
    ) -> AsyncGenerator[WorkflowRun]:
        """Return the workflow runs, the newest first."""
        session = self._because("the newest runs that fit")
        return listing.workflow_runs(
            session, self.repo, workflow=workflow, filters=filters, created=created, pull_requests=False
        )

    async def attempt(self, run_id: int, number: int) -> WorkflowRun:
        """Return a run as it was in one of its attempts."""
        session = self._because(f"when attempt {number} of run {run_id} started")
        return await endpoints.get_workflow_run_attempt(session, self.repo, run_id, number)

    async def head_sha(self, pull_request: int) -> str:
        """Return a pull request's head commit."""
        session = self._because(f"the head commit of pull request {pull_request}")
        return (await repositories.get_pull_request(session, self.repo, pull_request)).head_sha

    async def workflow_ids(self, name: str) -> list[int]:
        """Return the ids of the workflows of a name, or of a path that is no file's (``dynamic/…``)."""
        session = self._because(f"the id of the workflow named {name!r}")
        numbers: list[int] = []
        page: int | None = 1
        while page is not None:
            found = await endpoints.list_repo_workflows(session, self.repo, per_page=PER_PAGE, page=page)
            numbers += [workflow.id for workflow in found.workflows if name in {workflow.name, workflow.path}]
            page = found.next_page
        return numbers
