"""Which artifacts and runs fit a query: pure rules."""

from __future__ import annotations

import fnmatch
import glob
import itertools
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import errors
from gh_artifacts_async.automation import matching
from gh_artifacts_async.automation.criteria import ArtifactQuery
from gh_artifacts_async.models import Artifact, ArtifactRun, WorkflowRun

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
OWN = {"repository_id": 1, "head_repository_id": 1}


def artifact(number=1, *, name="Rails", run=7, minutes=0, expired=False, **source):
    """Return an artifact of a run on main."""
    of = ArtifactRun(id=run, **{"head_branch": "main", "head_sha": "abc", **OWN, **source})
    return Artifact(
        id=number,
        name=name,
        size_in_bytes=1,
        url="u",
        archive_download_url="u/zip",
        expired=expired,
        created_at=None if minutes is None else NOON + timedelta(minutes=minutes),
        workflow_run=of,
    )


def run(number=7, **values):
    """Return a successful run on main."""
    given = {
        "name": "CI",
        "workflow_id": 5,
        "path": ".github/workflows/ci.yml@main",
        "event": "push",
        "status": "completed",
        "conclusion": "success",
        "head_branch": "main",
        "head_sha": "abc",
        "run_number": 3,
        "run_attempt": 1,
        "actor": "Octocat",
        **OWN,
        **values,
    }
    return WorkflowRun(id=number, **given)


@pytest.mark.parametrize(
    ("names", "literal"),
    [
        ("Rails", ("Rails",)),
        (["a", "b", "a"], ("a", "b")),
        ("*", ()),
        (["a", "b?"], ()),
        ("w[0-9]", ()),
        (glob.escape("a[1]?*"), ("a[1]?*",)),
    ],
)
def test_names_without_wildcards_are_literal(names, literal):
    """GitHub can filter by a literal name only."""
    assert matching.literal_names(ArtifactQuery(names=names)) == literal


@given(st.text(max_size=6), st.text(alphabet="ab*?[]!", min_size=1, max_size=5))
def test_names_match_as_fnmatch_says(name, pattern):
    """A glob matches the whole name, in its case."""
    assert matching.name_fits(ArtifactQuery(names=pattern), name) == fnmatch.fnmatchcase(name, pattern)


@given(st.text(alphabet="ab*?[]!", min_size=1, max_size=5))
def test_an_escaped_name_is_literal(name):
    """It matches itself and nothing else."""
    query = ArtifactQuery(names=glob.escape(name))
    assert matching.literal_names(query) == (name,)
    assert matching.name_fits(query, name)


def test_a_regular_expression_must_match_the_whole_name_as_well():
    """Both conditions hold."""
    query = ArtifactQuery(names="wheels-*", name_regex=r"wheels-\d+")
    assert matching.name_fits(query, "wheels-12")
    assert not matching.name_fits(query, "wheels-12-old")
    assert not matching.name_fits(query, "12")


@pytest.mark.parametrize(
    ("given", "needs", "source"),
    [
        ({"conclusion": None}, False, False),
        ({}, True, True),
        ({"conclusion": None, "branch": "main"}, False, True),
        ({"conclusion": None, "head_sha": "abc"}, False, True),
        ({"conclusion": None, "workflow": "ci.yml"}, True, True),
        ({"conclusion": None, "run_attempt": 1}, True, True),
    ],
)
def test_runs_are_needed_only_for_what_artifacts_do_not_say(given, needs, source):
    """An artifact says its branch, commit and head repository itself."""
    query = ArtifactQuery(**given)
    assert (matching.needs_runs(query), matching.names_a_source(query)) == (needs, source)


@pytest.mark.parametrize(
    ("given", "of", "reason"),
    [
        ({}, {}, None),
        ({}, {"expired": True}, "it has expired"),
        ({"include_expired": True}, {"expired": True}, None),
        ({"since": NOON}, {}, None),
        ({"since": NOON}, {"minutes": -1}, "it was created before 2026-11-01T12:00:00+00:00"),
        ({"since": NOON}, {"minutes": None}, "it was created before 2026-11-01T12:00:00+00:00"),
        ({"exclude_run": 7}, {}, "run 7 is excluded"),
        ({"run_id": 8}, {}, "it belongs to run 7, not 8"),
        ({"branch": "dev"}, {}, "its branch is main, not dev"),
        ({"branch": "dev"}, {"head_branch": None}, "its branch is unknown, not dev"),
        ({"head_sha": "def"}, {}, "its commit is abc, not def"),
        ({}, {"head_repository_id": 2}, "its run is of a fork"),
        ({}, {"head_repository_id": None}, "its head repository is unknown, and so counts as a fork"),
        ({"allow_forks": True}, {"head_repository_id": 2}, None),
    ],
)
def test_what_an_artifact_says_of_itself(given, of, reason):
    """Each field of a query has its own reason."""
    assert matching.why_not_artifact(ArtifactQuery(**given), artifact(**of), run_is_checked=False) == reason


def test_what_an_artifact_does_not_say_is_left_to_its_run():
    """An unknown branch or head repository is no reason if the run is looked up."""
    unknown = artifact(head_branch=None, head_repository_id=None)
    assert matching.why_not_artifact(ArtifactQuery(branch="main"), unknown, run_is_checked=True) is None
    other = artifact(head_branch="dev")
    assert matching.why_not_artifact(ArtifactQuery(branch="main"), other, run_is_checked=True) is not None


@pytest.mark.parametrize(
    ("given", "of", "reason"),
    [
        ({}, {}, None),
        ({}, {"conclusion": "failure"}, "its run is failure, not success"),
        ({}, {"status": "queued", "conclusion": None}, "its run is queued, not success"),
        ({"conclusion": "in_progress"}, {"status": "in_progress", "conclusion": None}, None),
        ({"conclusion": None}, {"conclusion": "failure"}, None),
        ({"exclude_run": 7}, {}, "run 7 is excluded"),
        ({"branch": "dev"}, {}, "its run's branch is main, not dev"),
        ({"event": "schedule"}, {"event": None}, "its run's event is unknown, not schedule"),
        ({"head_sha": "abc", "event": "push", "actor": "octocat", "run_number": 3}, {}, None),
        ({"actor": "hubot"}, {}, "its run's actor is octocat, not hubot"),
        ({"run_number": 4}, {}, "its run's run number is 3, not 4"),
        ({"run_attempt": 2}, {}, "its run has no attempt 2"),
        ({}, {"head_repository_id": 2}, "its run is of a fork"),
        ({}, {"head_repository_id": None}, "its run is of a fork"),
        ({"allow_forks": True}, {"head_repository_id": None}, None),
        ({"workflow": "ci.yml"}, {}, None),
        ({"workflow": ".github/workflows/ci.yml"}, {}, None),
        ({"workflow": "CI"}, {}, None),
        ({"workflow": 5}, {}, None),
        ({"workflow": "docs.yml"}, {}, "its run is of workflow .github/workflows/ci.yml@main, not docs.yml"),
        ({"workflow": 6}, {"path": None}, "its run is of workflow CI, not 6"),
        ({"workflow": "x.yml"}, {"path": None, "name": None}, "its run is of workflow None, not x.yml"),
    ],
)
def test_what_a_run_says(given, of, reason):
    """Each field of a query has its own reason."""
    assert matching.why_not_run(ArtifactQuery(**given), run(**of)) == reason


ARTIFACTS = st.lists(
    st.builds(
        artifact,
        st.integers(1, 9),
        name=st.sampled_from("ab"),
        run=st.sampled_from([7, 8, None]),
        minutes=st.sampled_from([0, 1, 2, None]),
    ),
    max_size=9,
    unique_by=lambda one: one.id,
)


@given(ARTIFACTS)
def test_the_newest_is_so_by_time_and_then_by_id(artifacts):
    """The order is total, and an id alone never decides."""
    ordered = matching.newest_first([*artifacts, *artifacts])
    assert {one.id for one in ordered} == {one.id for one in artifacts}
    assert len(ordered) == len(artifacts)
    for newer, older in itertools.pairwise(ordered):
        assert matching.age(newer) > matching.age(older)


@given(ARTIFACTS)
def test_twins_have_run_and_name_in_common(artifacts):
    """``newest`` keeps the newest of them, ``all`` all of them, and ``error`` refuses exactly where there are some."""
    newest = matching.without_twins(ArtifactQuery(), artifacts)

    def key(one):
        return one.run_id, one.name, one.id if one.run_id is None else None

    keys = [key(one) for one in newest]
    assert len(keys) == len(set(keys))
    for one in artifacts:
        kept = newest[keys.index(key(one))]
        assert matching.age(kept) >= matching.age(one)
    assert matching.without_twins(ArtifactQuery(duplicates="all"), artifacts) == matching.newest_first(artifacts)
    strict = ArtifactQuery(duplicates="error")
    if len(newest) == len(artifacts):
        assert matching.without_twins(strict, artifacts) == newest
    else:
        with pytest.raises(errors.DuplicateArtifactsError) as caught:
            matching.without_twins(strict, artifacts)
        one, other = caught.value.artifacts
        assert (one.run_id, one.name) == (other.run_id, other.name)
        assert str(one.id) in str(caught.value)
        assert str(other.id) in str(caught.value)


@given(ARTIFACTS)
def test_unknown_runs_are_not_taken_for_one(artifacts):
    """Two artifacts whose run is unknown are twins only if they come from the listing of one run."""
    nameless = [attrs.evolve(one, workflow_run=None) for one in artifacts]
    query = ArtifactQuery()
    assert matching.without_twins(query, nameless) == matching.newest_first(nameless)
    names = {one.name for one in nameless}
    assert len(matching.without_twins(query, nameless, of_one_run=True)) == len(names)


@given(ARTIFACTS)
def test_of_each_name_one_is_the_newest(artifacts):
    """Whatever run it belongs to."""
    found = matching.newest_of_each_name(artifacts)
    assert {one.name for one in found} == {one.name for one in artifacts}
    assert all(matching.age(one) == max(matching.age(o) for o in artifacts if o.name == one.name) for one in found)


@given(ARTIFACTS)
def test_the_newest_run_is_that_of_the_newest_artifact(artifacts):
    """One without a run stands alone."""
    found = matching.of_newest_run(artifacts)
    if not artifacts:
        assert found == []
        return
    assert found[0] == matching.newest_first(artifacts)[0]
    if found[0].run_id is None:
        assert len(found) == 1
    else:
        assert {one.id for one in found} == {one.id for one in artifacts if one.run_id == found[0].run_id}
