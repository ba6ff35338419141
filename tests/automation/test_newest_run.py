"""The newest run that has an artifact of a name: the same answer as by looking into every run, with fewer looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_artifacts_async.automation import matching, newest_run
from gh_artifacts_async.automation.criteria import ArtifactQuery
from gh_artifacts_async.automation.newest_run import NewestRun
from gh_artifacts_async.models import Artifact, ArtifactRun, WorkflowRun

START = datetime(2026, 11, 1, tzinfo=UTC)
PER_PAGE = 4


def at(minutes):
    """Return a time."""
    return START + timedelta(minutes=minutes)


@attrs.define
class World:
    """A repository whose pages are short: runs, and the artifacts of one name.

    Attributes:
        runs: (created, fits) of each run; its id is its place.
        artifacts: (run, minutes after the run's creation) of each artifact; its id is its place.
    """

    runs: list[tuple[int, bool]]
    artifacts: list[tuple[int, int]]
    looks: list[int] = attrs.field(factory=list)

    def run_of(self, number):
        """Return a run."""
        return WorkflowRun(id=number, created_at=at(self.runs[number][0]))

    def listed(self):
        """Return the artifacts, the newest first."""
        return matching.newest_first(
            Artifact(
                id=number,
                name="Rails",
                size_in_bytes=1,
                url="u",
                archive_download_url="u/zip",
                expired=False,
                created_at=at(self.runs[run][0] + late),
                workflow_run=ArtifactRun(id=run),
            )
            for number, (run, late) in enumerate(self.artifacts, 1)
        )

    def expected(self, *, twins):
        """Return what looking into every run, the newest first, would find."""
        fitting = [self.run_of(number) for number, (_, fits) in enumerate(self.runs) if fits]
        for run in sorted(fitting, key=matching.run_age, reverse=True):
            own = [one for one in self.listed() if one.run_id == run.id]
            if own:
                return own if twins else own[:1]
        return []


class Steps:
    """What a selection lends, over such a world; it counts the requests."""

    def __init__(self, world, *, twins):
        self.world = world
        self.query = ArtifactQuery(duplicates="all" if twins else "newest")
        self.ask = self
        self.requests = 0

    def leave_out(self, candidate, reason):
        """Take note of nothing."""

    async def batches(self):
        """Yield the runs that fit, a page at a time."""
        fitting = [self.world.run_of(number) for number, (_, fits) in enumerate(self.world.runs) if fits]
        fitting.sort(key=matching.run_age, reverse=True)
        for begin in range(0, len(fitting), PER_PAGE):
            self.requests += 1
            yield fitting[begin : begin + PER_PAGE]

    async def run_if_there(self, number):
        """Look a run up."""
        self.requests += 1
        return self.world.run_of(number)

    def run_fits(self, run):
        """Whether it fits."""
        return self.world.runs[run.id][1]

    async def within(self, _run, artifacts):
        """Return what fits, without twins."""
        return matching.without_twins(self.query, artifacts)

    async def candidates(self, _name):
        """List all artifacts."""
        self.requests += 1
        return self.world.listed()

    async def in_run(self, run_id, run):
        """Look into a run."""
        self.requests += 1
        self.world.looks.append(run_id)
        return await self.within(run, [one for one in self.world.listed() if one.run_id == run_id])


def finished(coroutine):
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError


@st.composite
def worlds(draw):
    """Repositories with late artifacts, equal times and runs that do not fit."""
    runs = draw(st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=14))
    artifacts = draw(st.lists(st.tuples(st.integers(0, len(runs) - 1), st.integers(0, 12)), max_size=14))
    return World(runs, artifacts)


@given(worlds(), st.booleans(), st.sampled_from([0, 1, 2, 50]))
@settings(max_examples=6 * settings().max_examples)
def test_it_finds_what_looking_into_every_run_would_find(world, twins, pages):
    """However late artifacts came, however little of them the page holds, and whenever the rest is read."""
    listed = world.listed()
    page = listed[:PER_PAGE]
    steps = Steps(world, twins=twins)
    rest = None if len(page) == len(listed) else tuple(page)
    walk = NewestRun(steps, page, rest, twins=twins, name="Rails", pages=pages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(newest_run, "MANY_LOOKS", 1)
        found = finished(walk.find())
    assert [one.id for one in found] == [one.id for one in world.expected(twins=twins)]


@given(worlds())
@settings(max_examples=2 * settings().max_examples)
def test_no_run_is_looked_into_twice_or_without_need(world):
    """Not one that was created after the oldest artifact of the page, and none if the page is complete."""
    listed = world.listed()
    page = listed[:PER_PAGE]
    complete = len(page) == len(listed)
    rest = None if complete else tuple(page)
    finished(NewestRun(Steps(world, twins=False), page, rest, twins=False, name="Rails", pages=9).find())
    assert len(world.looks) == len(set(world.looks))
    if complete:
        assert world.looks == []
    else:
        assert all(at(world.runs[number][0]) <= page[-1].created_at for number in world.looks)
