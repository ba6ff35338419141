"""The questions that a selection asks: noted with their reasons, and no more than are needed."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from gh_artifacts_async import ArtifactQuery
from gh_artifacts_async.automation.asking import Asker, LeftOut, PlannedRequest, QueryPlan
from gh_artifacts_async.models import RepositoryName, WorkflowRun
from tests.kits.api import REPO

NAME = RepositoryName.parse(REPO)


@pytest.fixture
def asker(session):
    """Return an asker over the session."""
    return Asker(session, NAME)


async def test_each_request_is_noted_with_what_it_is_for(github, asker):
    """In their order, also if two questions take turns."""
    run = github.add_run(REPO, workflow="ci.yml", workflow_name="Tests", head_sha="a" * 40)
    for _ in range(101):
        github.add_artifact(run, "Rails", size=118)
    github.add_pull_request(REPO, 7, head_sha="a" * 40)
    assert await asker.workflow_ids("Tests") == [run.workflow_id]
    assert await asker.workflow_ids("absent") == []
    assert await asker.head_sha(7) == "a" * 40
    async with aclosing(asker.artifacts("Rails", since=None, expired=False)) as artifacts:
        first = await anext(artifacts)
        assert (await asker.run(run.id)).id == first.run_id
        assert len([artifact async for artifact in artifacts]) == 100
    assert len((await asker.newest_of_name("Rails")).artifacts) == 100
    assert await asker.count() == 101
    assert len(await asker.run_artifacts(run.id, None)) == 101
    reasons = [one.reason for one in asker.requests]
    assert reasons == [
        "the id of the workflow named 'Tests'",
        "the id of the workflow named 'absent'",
        "the head commit of pull request 7",
        "the artifacts named 'Rails'",
        f"run {run.id} itself",
        "the artifacts named 'Rails'",
        "the newest artifacts named 'Rails'",
        "the number of the repository's artifacts",
        f"the artifacts of run {run.id}",
        f"the artifacts of run {run.id}",
    ]
    assert len(github.requests_to("api")) == len(reasons)
    assert asker.requests[3].request.startswith(f"GET /repos/{REPO}/actions/artifacts?per_page=100&page=1&name=Rails")


async def test_a_workflow_on_a_later_page_is_found(github, asker):
    """By its name, among more than 100."""
    for number in range(102):
        github.add_run(REPO, workflow=f"w{number}.yml", workflow_name=f"W{number}")
    wanted = github.add_run(REPO, workflow="last.yml", workflow_name="Last")
    assert await asker.workflow_ids("Last") == [wanted.workflow_id]


async def test_a_listing_ends_after_a_page_of_old_artifacts(github, asker):
    """They are listed by time, so that the rest is older still."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    for number in range(350):
        run = github.add_run(REPO)
        github.add_artifact(run, "Rails", size=118, created_at=start + timedelta(minutes=number))
    since = start + timedelta(minutes=340)
    async with aclosing(asker.artifacts(None, since=since, expired=False)) as artifacts:
        found = [artifact async for artifact in artifacts]
    assert 110 <= len(found) <= 200
    assert len(asker.requests) == 2


def test_they_can_be_read():
    """Each as a line."""
    request = PlannedRequest(request="GET /repos/o/r/actions/runs", reason="the newest runs that fit")
    assert str(request) == "GET /repos/o/r/actions/runs  (the newest runs that fit)"
    left = LeftOut(candidate=WorkflowRun(id=7, name="CI"), reason="its run is failure, not success")
    assert str(left) == "run 7 (CI): its run is failure, not success"
    plan = QueryPlan(query=ArtifactQuery(), requests=(request,), artifacts=(), left_out=(left,))
    assert str(plan) == f"{request}\nnothing is selected\n{left}"
