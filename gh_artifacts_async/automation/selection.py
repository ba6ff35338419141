"""From a question to artifacts, with the fewest requests: by name first where that is cheaper, else by run.

GitHub can filter artifacts by name, and runs by branch, event, status, commit and actor, but not artifacts by the run
that they belong to. So a question about both takes two listings, which are brought together here.
"""

from __future__ import annotations

from contextlib import aclosing
from math import ceil
from typing import TYPE_CHECKING

import attrs

from gh_artifacts_async.automation import matching, now
from gh_artifacts_async.automation.asking import PER_PAGE, Asker, QueryPlan
from gh_artifacts_async.automation.newest_run import MANY_LOOKS, NewestRun, by_run
from gh_artifacts_async.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from datetime import datetime

    from gh_artifacts_async.api.session import GitHubSession
    from gh_artifacts_async.automation.criteria import ArtifactQuery
    from gh_artifacts_async.models import Artifact, RepositoryName, WorkflowRun

_FEW = 3
"""So many runs are looked up one by one without asking whether a listing would be cheaper."""


async def find_artifacts(github: GitHubSession, repo: RepositoryName, query: ArtifactQuery) -> AsyncGenerator[Artifact]:
    """Yield what a query selects, see :meth:`gh_artifacts_async.ArtifactsClient.find_artifacts`."""
    for artifact in await Selection(Asker(github, repo), query).select():
        yield artifact


async def explain(github: GitHubSession, repo: RepositoryName, query: ArtifactQuery) -> QueryPlan:
    """Tell how a query is answered, see :meth:`gh_artifacts_async.ArtifactsClient.explain`."""
    asker = Asker(github, repo)
    found = await Selection(asker, query).select()
    chosen = {artifact.id for artifact in found}
    left_out = {(type(one.candidate), one.candidate.id): one for one in asker.left_out}
    return QueryPlan(
        query=query,
        requests=tuple(asker.requests),
        artifacts=tuple(found),
        left_out=tuple(one for one in left_out.values() if one.candidate.id not in chosen),
    )


class Selection:
    """One query to one repository."""

    def __init__(self, asker: Asker, query: ArtifactQuery) -> None:
        """Keep what is asked, and through whom."""
        self.ask = asker
        self._query = query
        self._starts: dict[tuple[int, int], datetime | None] = {}
        self._workflows: list[int] = []

    async def select(self) -> list[Artifact]:
        """Return the artifacts that fit, the newest first.

        Raises:
            NotFoundError: a pull request, run, workflow file or artifact that the query names does not exist.
            DuplicateArtifactsError: artifacts of one run have the same name, and ``duplicates`` is ``"error"``.
            ArtifactsError: GitHub answered with an error, or did not answer.
        """
        if self._query.pull_request is not None and not await self._know_commit():
            return []
        if self._query.artifact_ids is not None:
            return await self._by_id(self._query.artifact_ids)
        if self._query.run_id is not None:
            return await self._of_one_run(self._query.run_id)
        return await self._anywhere() if await self._know_workflow() else []

    async def _anywhere(self) -> list[Artifact]:
        """Choose the cheapest way to artifacts whose runs are not known."""
        names, latest = matching.literal_names(self._query), self._query.latest
        if not matching.names_a_source(self._query):
            return await self._by_name_alone(names)
        if len(names) == 1 and self._query.head_sha is None:
            return await (self._latest_by_name if latest else self._all_by_name)(names[0])
        return await (self._latest_by_run() if latest else self._all_by_run())

    # --- what the query leaves open ---

    async def _know_commit(self) -> bool:
        """Put a pull request's head commit in its place; False if another commit is asked for as well."""
        number, sha = self._query.pull_request, self._query.head_sha
        head = await self.ask.head_sha(number or 0)
        self._query = attrs.evolve(self._query, pull_request=None, head_sha=head)
        return sha in {None, head}

    async def _know_workflow(self) -> bool:
        """Put a workflow's id in place of its name; False if there is no such workflow.

        Several may have the name, such as one whose file was renamed: then the runs of all of them count. The runs of
        one commit are few, so their names are compared instead.
        """
        name = self._query.workflow
        if not isinstance(name, str) or not matching.is_workflow_name(name) or self._query.head_sha is not None:
            return True
        self._workflows = await self.ask.workflow_ids(name)
        if len(self._workflows) == 1:
            self._query = attrs.evolve(self._query, workflow=self._workflows[0])
        return bool(self._workflows)

    # --- the ways ---

    async def _by_id(self, ids: Iterable[int]) -> list[Artifact]:
        """Ask for each artifact, and for each run once; ``latest`` and ``duplicates`` do not apply."""
        found = [await self.ask.artifact(number) for number in ids]
        fitting = self._fitting(found, run_is_checked=matching.needs_runs(self._query))
        return matching.newest_first(await self._checked_by_run(fitting))

    async def _of_one_run(self, run_id: int) -> list[Artifact]:
        """List a run's artifacts; the run itself is asked for only if the query has a field about it."""
        run = None
        if matching.needs_runs(self._query):
            run = await self.ask.run(run_id)
            if not self.run_fits(run):
                return []
        return await self.in_run(run_id, run)

    async def _by_name_alone(self, names: tuple[str, ...]) -> list[Artifact]:
        """Ask for no run: the newest of each name, or all."""
        found: list[Artifact] = []
        for name in names or (None,):
            if name is not None and self._query.latest:
                found += await self._newest_named(name)
            else:
                found += await self._listed(name)
        if self._query.latest and self._query.duplicates == "newest":
            return matching.newest_of_each_name(found)
        if self._query.latest:
            runs = {artifact.name: artifact.run_id for artifact in reversed(matching.newest_first(found))}
            found = [artifact for artifact in found if artifact.run_id == runs[artifact.name]]
        return matching.without_twins(self._query, found)

    async def _newest_named(self, name: str) -> list[Artifact]:
        """Return fitting artifacts of a name from the first page that has one."""
        page = await self.ask.newest_of_name(name)
        found = self._fitting(page.artifacts)
        complete = page.next_page is None or self._is_stale(page.artifacts)
        if not found and not complete:
            found = await self._first_listed(name)
        return await self._with_twins(name, found, complete=complete)

    async def _first_listed(self, name: str) -> list[Artifact]:
        """Read the listing of a name to the end of the first page that has one that fits."""
        read: list[Artifact] = []
        end = None
        async with aclosing(self._all(name)) as listed:
            async for artifact in listed:
                read.append(artifact)
                if end is None and self._fits(artifact):
                    end = len(read) + PER_PAGE - len(read) % PER_PAGE
                if end is not None and len(read) >= end:
                    break
        return self._fitting(read)

    def _fits(self, artifact: Artifact) -> bool:
        return (
            matching.name_fits(self._query, artifact.name)
            and matching.why_not_artifact(self._query, artifact, run_is_checked=False) is None
        )

    async def _with_twins(self, name: str, found: list[Artifact], *, complete: bool) -> list[Artifact]:
        """Return artifacts of a name; if older twins count, all of the newest one's run, beyond the page too."""
        run_id = matching.newest_first(found)[0].run_id if found else None
        if run_id is None or complete or self._query.duplicates == "newest":
            return found
        return self._fitting(await self.ask.run_artifacts(run_id, name))

    async def _latest_by_name(self, name: str) -> list[Artifact]:
        """Bring the newest artifacts of a name and the newest runs together; runs beyond the page are looked into."""
        page = await self.ask.newest_of_name(name)
        run_is_checked = matching.needs_runs(self._query)
        found = self._fitting(page.artifacts, run_is_checked=run_is_checked)
        complete = page.next_page is None or self._is_stale(page.artifacts)
        if not found and complete:
            return []
        if not run_is_checked and found:
            found = await self._with_twins(name, found, complete=complete)
            return matching.without_twins(self._query, matching.of_newest_run(found))
        return await NewestRun(
            self,
            found,
            None if complete else page.artifacts,
            twins=self._query.duplicates != "newest",
            name=name,
            pages=ceil(page.total_count / PER_PAGE),
        ).find()

    async def _all_by_name(self, name: str) -> list[Artifact]:
        """List the artifacts of a name, and then the runs: one by one, or by pages if these are fewer."""
        run_is_checked = matching.needs_runs(self._query)
        found = self._fitting([one async for one in self._all(name)], run_is_checked=run_is_checked)
        if run_is_checked:
            found = await self._checked_by_run(found)
        return matching.without_twins(self._query, found)

    async def _latest_by_run(self) -> list[Artifact]:
        """Look into one run after another, the newest first, until one has a match.

        Where many have none, the repository's artifacts are listed instead, if that takes no more requests.
        """
        looks, pages = 0, 0
        known: dict[int, list[Artifact]] | None = None
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for run in batch:
                    if known is None and looks >= MANY_LOOKS:
                        pages = pages or 1 + ceil(await self.ask.count() / PER_PAGE)
                        known = by_run(await self.candidates(None)) if looks >= pages else None
                    looks += 1
                    found = await (
                        self.in_run(run.id, run) if known is None else self.within(run, known.pop(run.id, ()))
                    )
                    if found:
                        return found
                if known is not None and not known:
                    break
        return []

    async def _all_by_run(self) -> list[Artifact]:
        """List the runs; then their artifacts one run after another, or the repository's if that has fewer pages."""
        async with aclosing(self.batches()) as batches:
            runs = {run.id: run async for batch in batches for run in batch}
        found: list[Artifact] = []
        if len(runs) <= _FEW or len(runs) <= await self.ask.count() / PER_PAGE:
            for run in runs.values():
                found += await self.in_run(run.id, run)
        else:
            for artifact in await self.candidates(None):
                run_of = runs.get(artifact.run_id or 0)
                if run_of is None:
                    self.ask.leave_out(artifact, "its run is not among those that fit")
                elif await self._is_of_attempt(artifact, run_of):
                    found.append(artifact)
        return matching.without_twins(self._query, found)

    # --- their steps ---

    def _all(self, name: str | None) -> AsyncGenerator[Artifact]:
        return self.ask.artifacts(name, since=self._query.since, expired=self._query.include_expired)

    async def _listed(self, name: str | None) -> list[Artifact]:
        return self._fitting([artifact async for artifact in self._all(name)])

    async def candidates(self, name: str | None) -> list[Artifact]:
        """List the repository's artifacts, all or those of a name, and return those that fit, if their runs do."""
        return self._fitting([artifact async for artifact in self._all(name)], run_is_checked=True)

    def _fitting(self, artifacts: Iterable[Artifact], *, run_is_checked: bool = False) -> list[Artifact]:
        """Return the artifacts that fit by what they say of themselves."""
        fitting = []
        for artifact in artifacts:
            if not matching.name_fits(self._query, artifact.name):
                continue
            reason = matching.why_not_artifact(self._query, artifact, run_is_checked=run_is_checked)
            if reason is None:
                fitting.append(artifact)
            else:
                self.ask.leave_out(artifact, reason)
        return fitting

    def _is_stale(self, page: tuple[Artifact, ...]) -> bool:
        """Whether all of a page has expired or is too old, and so has everything on later ones."""
        query = self._query
        retention, moment = matching.longest_retention(page), now.utcnow()
        gone = all(matching.all_expired_since(artifact, retention, moment) for artifact in page)
        if page and not query.include_expired and gone:
            return True
        times = [artifact.created_at for artifact in page if artifact.created_at is not None]
        return query.since is not None and len(times) == len(page) > 0 and max(times) < query.since

    def run_fits(self, run: WorkflowRun) -> bool:
        """Whether a run fits; if not, the reason is noted."""
        query = self._query
        if run.workflow_id in self._workflows:
            query = attrs.evolve(query, workflow=run.workflow_id)
        reason = matching.why_not_run(query, run)
        if reason is not None:
            self.ask.leave_out(run, reason)
        return reason is None

    async def batches(self) -> AsyncGenerator[list[WorkflowRun]]:
        """Yield the runs that fit, a page of the listing at a time, the newest first: by time, never by id alone."""
        since = self._query.since
        oldest = None if since is None else matching.oldest_run(since)
        workflow = None if matching.is_workflow_name(self._query.workflow) else self._query.workflow
        listed = self.ask.runs(workflow, matching.run_filters(self._query), (oldest, None))
        page: list[WorkflowRun] = []
        try:
            async for run in listed:
                page.append(run)
                if len(page) == PER_PAGE:
                    yield self._fitting_runs(page)
                    page = []
        finally:
            await listed.aclose()
        if page:
            yield self._fitting_runs(page)

    def _fitting_runs(self, runs: list[WorkflowRun]) -> list[WorkflowRun]:
        return [run for run in sorted(runs, key=matching.run_age, reverse=True) if self.run_fits(run)]

    async def in_run(self, run_id: int, run: WorkflowRun | None) -> list[Artifact]:
        """List a run's artifacts, and return those that fit."""
        names = matching.literal_names(self._query)
        try:
            listed = await self.ask.run_artifacts(run_id, names[0] if len(names) == 1 else None)
        except NotFoundError:
            if self._query.run_id is not None or run is None:
                raise
            self.ask.leave_out(run, "it has been deleted")
            return []
        return await self.within(run, listed)

    async def within(self, run: WorkflowRun | None, artifacts: Iterable[Artifact]) -> list[Artifact]:
        """Return those artifacts of a run that fits that fit themselves, without twins."""
        found = self._fitting(artifacts, run_is_checked=run is not None)
        if run is not None:
            found = [artifact for artifact in found if await self._is_of_attempt(artifact, run)]
        return matching.without_twins(self._query, found, of_one_run=True)

    async def _checked_by_run(self, artifacts: list[Artifact]) -> list[Artifact]:
        """Return the artifacts whose runs fit."""
        if not matching.needs_runs(self._query):
            return artifacts
        runs: dict[int, WorkflowRun | None] = {}
        wanted = {artifact.run_id for artifact in artifacts if artifact.run_id is not None}
        if len(wanted) > _FEW and self._query.artifact_ids is None:
            runs = await self._listed_runs(wanted)
        found = []
        for artifact in artifacts:
            number = artifact.run_id
            if number is None:
                self.ask.leave_out(artifact, "its run is unknown")
                continue
            if number not in runs:
                run = await self.ask.run_if_there(number)
                runs[number] = run if run is not None and self.run_fits(run) else None
            of = runs[number]
            if of is None:
                self.ask.leave_out(artifact, f"its run {number} is not among those that fit")
            elif await self._is_of_attempt(artifact, of):
                found.append(artifact)
        return found

    async def _listed_runs(self, wanted: set[int]) -> dict[int, WorkflowRun | None]:
        """Return the runs that fit, by listing them, until one by one is no dearer for those that are left."""
        found: dict[int, WorkflowRun | None] = {}
        left, begun = set(wanted), len(self.ask.requests)
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                found.update({run.id: run for run in batch if run.id in left})
                left -= found.keys()
                if len(self.ask.requests) - begun >= len(left):
                    return found
        return found | dict.fromkeys(left)

    async def _is_of_attempt(self, artifact: Artifact, run: WorkflowRun) -> bool:
        """Whether the attempt that is asked for uploaded an artifact: GitHub does not say, but when each started."""
        asked = self._query.run_attempt
        if asked is None:
            return True
        latest, created = run.run_attempt or 1, artifact.created_at
        begun = await self._start(run, asked) if asked > 1 else None
        ended = await self._start(run, asked + 1) if asked < latest else None
        if created is None or ((begun is None or begun <= created) and (ended is None or created < ended)):
            return True
        self.ask.leave_out(artifact, f"another attempt of run {run.id} uploaded it, not {asked}")
        return False

    async def _start(self, run: WorkflowRun, number: int) -> datetime | None:
        """Return when an attempt started; the run itself tells that of its latest."""
        if number == (run.run_attempt or 1):
            return run.run_started_at
        key = run.id, number
        if key not in self._starts:
            self._starts[key] = (await self.ask.attempt(run.id, number)).run_started_at
        return self._starts[key]
