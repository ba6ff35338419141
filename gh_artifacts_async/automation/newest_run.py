"""The newest run that has an artifact of a name, from one page of artifacts and as few runs as possible."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import attrs

from gh_artifacts_async.automation import matching
from gh_artifacts_async.models import Artifact, WorkflowRun

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from datetime import datetime

    from gh_artifacts_async.automation.asking import Asker


_FEW = 3
"""So many runs of known artifacts are looked up one by one, before the next page of runs is read."""

MANY_LOOKS = 10
"""After so many runs in vain, the rest of a listing of artifacts is read if that takes no more requests than those."""


class Steps(Protocol):
    """What a selection lends."""

    ask: Asker

    def batches(self) -> AsyncGenerator[list[WorkflowRun]]:
        """Yield the runs that fit, a page at a time."""
        ...

    def run_fits(self, run: WorkflowRun) -> bool:
        """Whether a run fits."""
        ...

    async def within(self, run: WorkflowRun | None, artifacts: list[Artifact]) -> list[Artifact]:
        """Return those artifacts of a run that fit."""
        ...

    async def in_run(self, run_id: int, run: WorkflowRun | None) -> list[Artifact]:
        """List a run's artifacts, and return those that fit."""
        ...

    async def candidates(self, name: str | None) -> list[Artifact]:
        """List the repository's artifacts, all or those of a name, and return those that fit, if their runs do."""
        ...


@attrs.frozen
class _Answer:
    """The artifacts of a run that has a match, and how old the run is."""

    run: WorkflowRun
    artifacts: list[Artifact]


class NewestRun:
    """Walks the runs that fit, the newest first; the artifacts of a name that are known already save most looks.

    A run that was created after the oldest artifact of the page has all its artifacts of that name on the page: they
    cannot be older than the run. So it is looked into only if it is older than the page reaches.
    """

    def __init__(
        self,
        selection: Steps,
        found: list[Artifact],
        page: tuple[Artifact, ...] | None,
        *,
        twins: bool,
        name: str,
        pages: int,
    ) -> None:
        """Begin with what the page holds.

        Args:
            selection: whose steps to use.
            found: the artifacts that fit by what they say of themselves.
            page: all artifacts of the page; None if it is the only one.
            twins: older artifacts of the same name count too.
            name: the artifacts'.
            pages: of the listing of that name.
        """
        self._name = name
        self._pages = pages
        self._looks = 0
        self._done: set[int] = set()
        self._twins = twins
        self._selection = selection
        self._known = by_run(found)
        self._complete = page is None
        self._reaches = _reaches(page or ())
        self._best: _Answer | None = None

    async def find(self) -> list[Artifact]:
        """Return the artifacts of the newest run that has a match."""
        async with aclosing(self._selection.batches()) as batches:
            async for batch in batches:
                for run in batch:
                    if self._is_settled(run):
                        return self._answer()
                    found = await self._of(run)
                    if found:
                        return found
                if self._best is None:
                    await self._look_up(batch)
                if self._nothing_newer() or (self._complete and not self._known):
                    break
        return self._answer()

    def _answer(self) -> list[Artifact]:
        return [] if self._best is None else self._best.artifacts

    async def _of(self, run: WorkflowRun) -> list[Artifact]:
        """Return a run's artifacts that fit: those that are known, or a look into the run."""
        if not self._covers(run) and self._looks >= max(MANY_LOOKS, self._pages):
            await self._read_on()
        known = self._known.pop(run.id, [])
        self._done.add(run.id)
        found = await self._selection.within(run, known)
        covered = self._covers(run)
        if covered and not known:
            self._selection.ask.leave_out(run, "it has no such artifact")
        if covered or (found and not self._twins):
            return found
        self._looks += 1
        return await self._selection.in_run(run.id, run)

    async def _read_on(self) -> None:
        """Read all of the listing, since looking into runs has taken more requests already."""
        known = by_run(await self._selection.candidates(self._name))
        self._known = {number: artifacts for number, artifacts in known.items() if number not in self._done}
        self._complete = True

    def _covers(self, run: WorkflowRun) -> bool:
        """Whether all artifacts of the name that a run may have are known."""
        if self._complete:
            return True
        return self._reaches is not None and run.created_at is not None and run.created_at > self._reaches

    async def _look_up(self, batch: list[WorkflowRun]) -> None:
        """Look up a few runs of known artifacts, those first that may be on the next page of runs."""
        oldest = batch[-1].created_at if batch else None

        def unlikely(artifacts: list[Artifact]) -> bool:
            created = artifacts[0].created_at
            return oldest is not None and created is not None and created > oldest

        ordered = sorted(self._known.items(), key=lambda item: unlikely(item[1]))
        for number, artifacts in ordered[:_FEW]:
            run = await self._selection.ask.run_if_there(number)
            del self._known[number]
            self._done.add(number)
            if run is None or not self._selection.run_fits(run):
                continue
            found = await self._selection.within(run, artifacts)
            if found and self._twins and not self._covers(run):
                found = await self._selection.in_run(run.id, run)
            if found:
                self._best = _Answer(run, found)
                return

    def _nothing_newer(self) -> bool:
        """Whether no run that is newer than the best so far can have a match."""
        if self._best is None:
            return False
        created = self._best.run.created_at
        newer = [
            artifacts
            for artifacts in self._known.values()
            if created is None or artifacts[0].created_at is None or artifacts[0].created_at > created
        ]
        return not newer and self._covers(self._best.run)

    def _is_settled(self, run: WorkflowRun) -> bool:
        """Whether the walk has come to the best so far, or below it."""
        return self._best is not None and matching.run_age(run) <= matching.run_age(self._best.run)


def by_run(artifacts: Iterable[Artifact]) -> dict[int, list[Artifact]]:
    """Return the artifacts of each run, the newest first; those of unknown runs are left out."""
    found: dict[int, list[Artifact]] = {}
    for artifact in matching.newest_first(artifacts):
        if artifact.run_id is not None:
            found.setdefault(artifact.run_id, []).append(artifact)
    return found


def _reaches(page: tuple[Artifact, ...]) -> datetime | None:
    """Return the time of the oldest artifact of a page; None if one has none."""
    times = [artifact.created_at for artifact in page if artifact.created_at is not None]
    return min(times) if times and len(times) == len(page) else None
