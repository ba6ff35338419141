"""From a question to artifacts: what is selected, what is left out, and in how many requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from gh_artifacts_async import ArtifactQuery, errors
from tests.kits.api import REPO
from tests.kits.sampling import mostly_slow

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)


def at(minutes):
    """Return a time, so many minutes after the first run."""
    return START + timedelta(minutes=minutes)


def built(github, minute, *names, branch="main", conclusion="success", late=1, **run):
    """Add a run and its artifacts, uploaded a minute later; return its ids."""
    status = "completed" if conclusion else "in_progress"
    made = github.add_run(REPO, branch=branch, status=status, conclusion=conclusion, created_at=at(minute), **run)
    return made.id, *(github.add_artifact(made, name, created_at=at(minute + late)) for name in names)


def asked(github):
    """Return the requests of the API, as a query plan writes them."""
    return [
        f"{one.method} {one.path}" + (f"?{urlencode(list(one.query.items()))}" if one.query else "")
        for one in github.requests
        if one.host == "api"
    ]


async def found(client, **query):
    """Return the ids of what a query selects, the newest first."""
    return [one.id async for one in client.find_artifacts(REPO, ArtifactQuery(**query))]


# --- what is selected


async def test_the_newest_successful_run_that_has_a_match(github, client):
    """A newer run that failed, one that has no such artifact, and one that is not finished do not count."""
    _, old = built(github, 0, "Rails")
    _, best, _ = built(github, 10, "Rails", "log")
    built(github, 20, "Rails", conclusion="failure")
    built(github, 30, "log")
    built(github, 40, "Rails", conclusion=None)
    assert await found(client, names="Rails") == [best]
    assert await found(client, names="Rails", latest=False) == [best, old]


@pytest.mark.parametrize("names", ["Rails", "R*"])
async def test_each_field_narrows_the_runs(github, client, names):
    """By name and by glob alike."""
    main, one = built(github, 0, "Rails", workflow="ci.yml", actor="hubot", head_sha="a" * 40)
    _, dev = built(github, 1, "Rails", workflow="ci.yml", branch="dev")
    _, docs = built(github, 2, "Rails", workflow="docs.yml", event="schedule", workflow_name="The docs")
    _, failed = built(github, 3, "Rails", workflow="ci.yml", conclusion="failure")
    _, running = built(github, 4, "Rails", workflow="ci.yml", conclusion=None)
    number = github.scenario.runs[main].workflow_id
    assert await found(client, names=names, branch="dev") == [dev]
    assert await found(client, names=names, workflow="ci.yml", branch="main") == [one]
    assert await found(client, names=names, workflow=".github/workflows/ci.yml", branch="main") == [one]
    assert await found(client, names=names, workflow=number, branch="main") == [one]
    assert await found(client, names=names, workflow="The docs") == [docs]
    assert await found(client, names=names, workflow="None such") == []
    assert await found(client, names=names, event="schedule") == [docs]
    assert await found(client, names=names, actor="hubot") == [one]
    assert await found(client, names=names, head_sha="a" * 40) == [one]
    assert await found(client, names=names, head_sha="a" * 40, workflow="ci") == [one]
    assert await found(client, names=names, head_sha="a" * 40, workflow="The docs") == []
    assert await found(client, names=names, conclusion="failure") == [failed]
    assert await found(client, names=names, conclusion="in_progress") == [running]
    assert await found(client, names=names, conclusion=None, workflow="ci.yml") == [running]
    assert await found(client, names=names, workflow="ci.yml", run_number=2) == [dev]
    assert await found(client, names=names, exclude_run=github.artifact(docs).run.id) == [dev]
    assert await found(client, names=names, latest=False) == [docs, dev, one]
    assert await found(client, names=names, since=at(2), latest=False) == [docs, dev]


async def test_names_are_globs_or_a_regular_expression(github, client):
    """Several names are an alternative."""
    _, linux, mac, log = built(github, 0, "wheels-linux", "wheels-mac", "log")
    assert await found(client, names="wheels-*") == [mac, linux]
    assert await found(client, names=["wheels-linux", "log"]) == [log, linux]
    assert await found(client, name_regex="wheels-(linux|win)") == [linux]
    assert await found(client, names="WHEELS-*") == []


async def test_forks_are_left_out_unless_they_are_allowed(github, client):
    """A head repository that is deleted, and so unknown, counts as a fork."""
    _, own = built(github, 0, "Rails")
    _, fork = built(github, 1, "Rails", head_repository="evil/octo-docs")
    _, gone = built(github, 2, "Rails", head_repository=None)
    for names in ("Rails", "R*"):
        assert await found(client, names=names) == [own]
        assert await found(client, names=names, conclusion=None) == [own]
        assert await found(client, names=names, allow_forks=True, latest=False) == [gone, fork, own]


async def test_a_pull_request_means_its_head_commit(github, client):
    """It survives a renamed branch; another commit that is asked for as well excludes it."""
    sha = "b" * 40
    _, one = built(github, 0, "Rails", branch="renamed", head_sha=sha, event="pull_request")
    built(github, 1, "Rails", branch="feature", event="pull_request")
    github.add_pull_request(REPO, 7, head_sha=sha, branch="feature")
    assert await found(client, pull_request=7) == [one]
    assert await found(client, pull_request=7, head_sha=sha) == [one]
    assert await found(client, pull_request=7, head_sha="c" * 40) == []
    with pytest.raises(errors.NotFoundError):
        await found(client, pull_request=8)


async def test_one_run_and_single_artifacts(github, client):
    """A run's conclusion counts here too; ids are taken as they are, whatever is newer."""
    run, one, two = built(github, 0, "a", "b")
    failed, three = built(github, 1, "a", conclusion="failure")
    assert await found(client, run_id=run) == [two, one]
    assert await found(client, run_id=run, names="a") == [one]
    assert await found(client, run_id=run, exclude_run=run) == []
    assert await found(client, run_id=failed) == []
    assert await found(client, run_id=failed, conclusion=None) == [three]
    assert await found(client, artifact_ids=[one, three]) == [one]
    assert await found(client, artifact_ids=[one, three, one], conclusion=None) == [three, one]
    assert await found(client, artifact_ids=[one], run_id=failed) == []
    with pytest.raises(errors.NotFoundError):
        await found(client, artifact_ids=[1])


async def test_without_a_run_the_newest_of_each_name(github, client):
    """Names alone ask for no run: whatever its conclusion, and each name from its own newest run."""
    built(github, 0, "a", "b")
    _, b = built(github, 1, "b", conclusion="failure")
    _, a = built(github, 2, "a", conclusion=None)
    for names in (["a", "b"], "*", "[ab]"):
        github.forget_requests()
        assert await found(client, names=names, conclusion=None) == [a, b]
        assert not [one for one in github.requests if "/actions/runs" in one.path]


async def test_expired_artifacts_count_only_on_demand(github, client):
    """The newest that can still be downloaded is the newest."""
    _, old = built(github, 0, "Rails")
    _, new = built(github, 1, "Rails")
    github.expire_artifact(new)
    for names in ("Rails", "R*"):
        for conclusion in ("success", None):
            assert await found(client, names=names, conclusion=conclusion) == [old]
            assert await found(client, names=names, conclusion=conclusion, include_expired=True) == [new]


# --- twins, attempts and ids that are not monotonic


def rerun(github):
    """Add a run of three attempts, each with an artifact of the same name; ids fall while time goes on."""
    run = github.add_run(REPO, created_at=at(0), run_started_at=at(0))
    first = github.add_artifact(run, "Rails", created_at=at(5), id=10_338_854_604)
    run = github.update_run(run, attempt=2, run_started_at=at(10))
    second = github.add_artifact(run, "Rails", created_at=at(15), id=10_338_734_845)
    run = github.update_run(run, attempt=3, run_started_at=at(20))
    third = github.add_artifact(run, "Rails", created_at=at(25), id=10_338_000_001)
    return run.id, first, second, third


@pytest.mark.parametrize("names", ["Rails", "R*"])
async def test_twins_of_one_name_across_attempts(github, client, names):
    """The newest is so by its time; a higher id does not make it newer."""
    run, first, second, third = rerun(github)
    assert await found(client, names=names) == [third]
    assert await found(client, names=names, run_id=run) == [third]
    assert await found(client, names=names, conclusion=None) == [third]
    assert await found(client, names=names, duplicates="all") == [third, second, first]
    assert await found(client, names=names, duplicates="all", conclusion=None) == [third, second, first]
    for where in ({}, {"run_id": run}, {"latest": False}, {"conclusion": None}):
        with pytest.raises(errors.DuplicateArtifactsError, match="run_attempt"):
            await found(client, names=names, duplicates="error", **where)


@pytest.mark.parametrize("names", ["Rails", "R*"])
async def test_an_artifact_belongs_to_the_attempt_that_ran_when_it_came(github, client, names):
    """GitHub names no attempt, but when each started: one request for each start that the run does not tell itself."""
    run, first, second, third = rerun(github)
    for where in ({}, {"run_id": run}, {"latest": False}):
        assert await found(client, names=names, run_attempt=1, **where) == [first]
        assert await found(client, names=names, run_attempt=2, **where) == [second]
        assert await found(client, names=names, run_attempt=3, **where) == [third]
        assert await found(client, names=names, run_attempt=4, **where) == []
    assert await found(client, artifact_ids=[first, second, third], run_attempt=2) == [second]


async def test_the_latest_attempt_costs_no_further_request(github, client):
    """Its start is the run's own."""
    run, *_ = rerun(github)
    github.forget_requests()
    await found(client, names="Rails", run_id=run, run_attempt=3)
    assert len(asked(github)) == 2
    github.forget_requests()
    await found(client, names="Rails", run_id=run, run_attempt=2)
    assert len(asked(github)) == 3


async def test_runs_are_ordered_by_time_and_not_by_id(github, client):
    """A run with a higher id may be older."""
    older = github.add_run(REPO, created_at=at(0), id=9_000_000_900)
    newer = github.add_run(REPO, created_at=at(1), id=9_000_000_100)
    github.add_artifact(older, "Rails", created_at=at(9))
    best = github.add_artifact(newer, "Rails", created_at=at(8))
    for names in ("Rails", "R*"):
        assert await found(client, names=names) == [best]


# --- how many requests


def busy(github, runs, *, artifacts=1):
    """Fill a repository: every run has its artifacts; the branches take turns."""
    for number in range(runs):
        built(github, number, *(f"log-{n}" for n in range(artifacts)), branch=f"dev-{number % 7}")


async def test_nothing_of_that_name_takes_one_request(github, client):
    """The listing by name is complete, so no run is asked for."""
    busy(github, 30)
    assert await found(client, names="Rails", branch="main") == []
    assert len(asked(github)) == 1


async def test_a_name_with_few_artifacts_takes_two(github, client):
    """They are all on the first page; the runs say which of them count."""
    _, best = built(github, -5, "Rails")
    built(github, -4, "Rails", conclusion="failure")
    busy(github, 30)
    assert await found(client, names="Rails", branch="main") == [best]
    assert len(asked(github)) == 2


async def crowd(github, runs, per_run):
    """A repository where other branches upload artifacts of the same name all the time."""
    for number in range(runs):
        run = github.add_run(REPO, branch=f"dev-{number % 50}", created_at=at(number))
        for _ in range(per_run):
            github.add_artifact(run, "Rails", created_at=at(number + 0.5), size=118, digest=None)


@pytest.mark.parametrize(("runs", "per_run"), mostly_slow([(150, 1), (5_000, 4)]))
async def test_the_latest_of_a_branch_in_a_busy_repository(github, client, runs, per_run):
    """At most 3 requests if the branch's newest run has it, or if it is among the 100 newest of its name."""
    await crowd(github, runs, per_run)
    _, far = built(github, 5, "Rails")
    assert await found(client, names="Rails", branch="main") == [far]
    assert len(asked(github)) == 3
    built(github, runs + 1, "log")
    built(github, runs + 2, "Rails", conclusion="failure")
    _, near = built(github, runs - 2, "Rails")
    github.forget_requests()
    assert await found(client, names="Rails", branch="main") == [near]
    assert len(asked(github)) <= 3
    github.remove_artifact(near)
    for minute in (6, 7, 8):
        built(github, minute, "log")
    github.forget_requests()
    assert await found(client, names="Rails", branch="main") == [far]
    plan = await client.explain(REPO, ArtifactQuery(names="Rails", branch="main"))
    assert len(plan.requests) == 2 + 4, str(plan)
    assert [one.reason for one in plan.requests[2:]] == [
        f"the artifacts named 'Rails' of run {run.id}"
        for run in sorted(github.scenario.runs.values(), key=lambda run: run.created_at, reverse=True)
        if run.branch == "main" and run.conclusion == "success" and run.created_at <= at(8)
    ]


async def test_a_run_far_back_is_looked_up_by_its_artifact(github, client):
    """Its artifact is among the 100 newest of the name, but more than 100 newer runs have none."""
    _, best = built(github, 0, "Rails")
    for number in range(130):
        built(github, number + 5)
    assert await found(client, names="Rails", branch="main") == [best]
    assert len(asked(github)) == 3


async def test_runs_that_failed_are_not_looked_up_for_ever(github, client):
    """Where only failed runs have the artifact, listing runs and looking runs up take turns."""
    for number in range(20):
        built(github, number, "failure-log", conclusion="failure")
    for number in range(250):
        built(github, 30 + number)
    assert await found(client, names="failure-log") == []
    assert len(asked(github)) <= 13
    github.forget_requests()
    assert len(await found(client, names="failure-log", latest=False)) == 0
    assert len(asked(github)) <= 1 + 3 + 20


async def test_all_of_a_name_takes_pages_and_not_runs(github, client):
    """The listing of runs is read as far as it is cheaper than one request a run."""
    ids = [built(github, number, "Rails", "log")[1] for number in range(120)]
    assert await found(client, names="Rails", latest=False) == ids[::-1]
    assert len(asked(github)) == 4
    github.forget_requests()
    assert len(await found(client, names="R*", latest=False)) == 120
    assert len(asked(github)) <= 2 + 1 + 3
    github.forget_requests()
    assert len(await found(client, names="R*", latest=False, since=at(118))) == 3
    assert len(asked(github)) <= 6


async def test_few_runs_are_looked_into_one_by_one(github, client):
    """A listing of the repository would have many pages."""
    busy(github, 60, artifacts=5)
    expected = [built(github, minute, "Rails", branch="main")[1] for minute in (7, 8)]
    assert await found(client, names="R*", branch="main", latest=False) == expected[::-1]
    assert len(asked(github)) == 3


async def test_a_listing_stops_at_a_page_that_has_expired(github, client):
    """Older artifacts have expired too."""
    for number in range(320):
        run = github.add_run(REPO, created_at=at(number))
        github.add_artifact(run, "Rails", created_at=at(number), expired=number < 250, size=118)
    assert len(await found(client, names="R*", conclusion=None, latest=False)) == 70
    assert len(asked(github)) == 2
    github.forget_requests()
    assert len(await found(client, names="R*", conclusion=None, latest=False, include_expired=True)) == 320
    assert len(asked(github)) == 4
    github.forget_requests()
    assert await found(client, names="Rails", conclusion=None, since=at(400)) == []
    assert len(asked(github)) == 1


async def test_the_newest_fitting_one_may_be_on_a_later_page(github, client):
    """Without a run to ask for, the listing is read until one fits."""
    _, own = built(github, 0, "Rails")
    for number in range(101):
        built(github, number + 1, "Rails", head_repository="evil/octo-docs")
    assert await found(client, names="Rails", conclusion=None) == [own]
    github.forget_requests()
    assert await found(client, names="Rails", conclusion=None, branch="main") == [own]
    assert len(asked(github)) <= 4


# --- explain


async def test_a_plan_tells_the_requests_and_why_candidates_were_left_out(github, client):
    """What it tells is what the fake has seen; a candidate has one reason."""
    _, best = built(github, 0, "Rails")
    failed, other = built(github, 1, "Rails", conclusion="failure")
    _, fork = built(github, 2, "Rails", head_repository="evil/octo-docs")
    query = ArtifactQuery(names="Rails", latest=False)
    plan = await client.explain(REPO, query)
    assert [one.request for one in plan.requests] == asked(github)
    assert [one.id for one in plan.artifacts] == [best]
    assert {one.candidate.id: one.reason for one in plan.left_out} == {
        other: f"its run {failed} is not among those that fit",
        failed: "its run is failure, not success",
        fork: "its run is of a fork",
    }
    text = str(plan)
    assert f"artifact {best} (Rails): selected" in text
    assert f"artifact {fork} (Rails): its run is of a fork" in text
    assert "the newest artifacts" in text or "the artifacts named 'Rails'" in text
    nothing = await client.explain(REPO, ArtifactQuery(names="no-such"))
    assert "nothing is selected" in str(nothing)
    assert nothing.query.names == ("no-such",)


async def test_what_was_added_or_deleted_meanwhile_does_no_harm(github, client):
    """A deletion while the artifacts are listed makes none lost; each comes once."""
    ids = [built(github, number, "Rails")[1] for number in range(250)]
    doomed = iter(ids[-5:])

    def on_page(seen):
        if seen.endpoint == "actions/list-artifacts-for-repo" and seen.page == 1:
            for one in doomed:
                github.remove_artifact(one)

    github.on_page(on_page)
    got = await found(client, names="Rails", latest=False, conclusion=None)
    assert set(ids[:-5]) <= set(got)
    assert len(got) == len(set(got))
