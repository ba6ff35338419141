"""What a retention policy deletes, and what it says about it."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async import (
    Artifact,
    ArtifactRef,
    ArtifactRun,
    CleanupPlan,
    ConfigurationError,
    PlannedArtifact,
    RepositoryName,
    RetentionPolicy,
)
from gh_artifacts_async.automation import matching, now, retention

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
REPO = RepositoryName("octo-org", "octo-docs")
DAY = timedelta(days=1)


def artifact(number: int, *, days: float | None = 0, **values: Any) -> Artifact:
    """Return an artifact of so many days ago, on main unless ``branch`` says otherwise."""
    branch, head = values.pop("branch", "main"), values.pop("head", 1)
    fields: dict[str, Any] = {
        "name": "wheel",
        "size_in_bytes": 100,
        "expired": False,
        "created_at": None if days is None else NOW - days * DAY,
        "workflow_run": ArtifactRun(id=number, repository_id=1, head_repository_id=head, head_branch=branch),
        "repository": REPO,
        **values,
    }
    return Artifact(id=number, url="u", archive_download_url="d", **fields)


def reasons(found: list[Artifact], **policy: Any) -> tuple[dict[int, str], dict[int, str]]:
    """Return why each artifact is deleted or kept, in the plan's order."""
    made = retention.plan(found, RetentionPolicy(**policy), NOW)
    return tuple({it.artifact.id: it.reason for it in part} for part in (made.delete, made.keep))  # type: ignore[return-value]


class TestCriteria:
    """Each criterion, and what several of them mean together."""

    def test_older_than(self):
        """Strictly older; the oldest is deleted first."""
        found = [artifact(1, days=30), artifact(2, days=30.1), artifact(3, days=31)]
        assert reasons(found, older_than=30 * DAY) == (
            {3: "older than 30 days", 2: "older than 30 days"},
            {1: "not older than 30 days"},
        )

    def test_keep_latest_of_each_name_and_branch(self):
        """The newest are found by time, then by id, and never by id alone; a fork's main is not this main."""
        found = [
            artifact(9, days=3),
            artifact(1, days=1),
            artifact(2, days=1),
            artifact(3, days=5, branch="dev"),
            artifact(4, days=6, name="logs"),
            artifact(5, days=0, head=2),
        ]
        assert reasons(found, keep_latest=1) == (
            {9: "not among the newest named 'wheel' on main", 1: "not among the newest named 'wheel' on main"},
            {
                2: "among the newest named 'wheel' on main",
                3: "among the newest named 'wheel' on dev",
                4: "among the newest named 'logs' on main",
                5: "among the newest named 'wheel' on main",
            },
        )
        assert list(reasons(found, keep_latest=2)[0]) == [9]

    def test_keep_latest_where_no_branch_is_known(self):
        """They are a group of their own."""
        found = [attrs.evolve(artifact(it, days=it), workflow_run=None) for it in (1, 2, 3)]
        assert reasons(found, keep_latest=2) == (
            {3: "not among the 2 newest named 'wheel' without a known branch"},
            dict.fromkeys((1, 2), "among the 2 newest named 'wheel' without a known branch"),
        )

    def test_all_that_are_given_must_hold(self):
        """Old and expired, and not among the newest."""
        found = [
            artifact(1, days=40, expired=True),
            artifact(2, days=40),
            artifact(3, days=2, expired=True),
            artifact(4, days=1),
        ]
        assert reasons(found, older_than=30 * DAY, only_expired=True, keep_latest=1) == (
            {1: "expired, older than 30 days"},
            {2: "not expired", 3: "not older than 30 days", 4: "among the newest named 'wheel' on main"},
        )

    def test_only_expired(self):
        """They free nothing, and need no time of creation."""
        found = [artifact(1), artifact(2, days=None, expired=True)]
        made = retention.plan(found, RetentionPolicy(only_expired=True), NOW)
        assert [(it.artifact.id, it.reason, it.bytes) for it in made.delete] == [(2, "expired", 0)]
        assert (made.bytes_freed, made.bytes_kept) == (0, 100)

    def test_max_total_takes_the_oldest(self):
        """Just as many as are needed; what has expired does not count, and is not touched."""
        found = [artifact(it, days=it) for it in (1, 2, 3, 4)] + [artifact(5, days=9, expired=True)]
        deleted, kept = reasons(found, max_total_bytes=250)
        assert deleted == dict.fromkeys((4, 3), "among the oldest, to get down to 250 bytes")
        assert kept == {
            1: "the repository is small enough with it",
            2: "the repository is small enough with it",
            5: "expired, so it takes up no storage",
        }
        assert reasons(found, max_total_bytes=400)[0] == {}

    def test_max_total_comes_after_the_other_criteria(self):
        """It also takes what is not old enough, but never what is among the newest, or has another name."""
        found = [artifact(1, days=40), artifact(2, days=3), artifact(3, days=2), artifact(4, days=50, name="logs")]
        deleted, kept = reasons(found, older_than=30 * DAY, keep_latest=1, max_total_bytes=0, names="wheel")
        assert deleted == {1: "older than 30 days", 2: "among the oldest, to get down to 0 bytes"}
        assert kept == {3: "among the newest named 'wheel' on main", 4: "its name does not match 'wheel'"}


class TestKept:
    """What no criterion deletes."""

    def test_names_and_exceptions(self):
        """Globs; the names are as they are, in upper and lower case."""
        found = [artifact(1, name="wheel-a"), artifact(2, name="Wheel-b"), artifact(3, name="wheel-docs")]
        deleted, kept = reasons(found, older_than=-DAY * 0, names=["wheel-*", "sdist"], except_names="*-docs")
        assert (deleted, kept) == (
            {},
            {
                1: "not older than 0 seconds",
                2: "its name does not match 'wheel-*' or 'sdist'",
                3: "its name matches the exception '*-docs'",
            },
        )

    def test_protected_branches_and_tags(self):
        """Globs on the head branch, which is the tag's name for a tag; what is unknown may be protected."""
        found = [
            artifact(1, days=9, branch="main"),
            artifact(2, days=9, branch="release/1.0"),
            artifact(3, days=9, branch="v1.0"),
            artifact(4, days=9, branch=None),
            artifact(5, days=9, branch="dev"),
        ]
        deleted, kept = reasons(
            found, older_than=DAY, protect_branches=("main", "release/*"), protect_tags="v*", max_total_bytes=0
        )
        assert deleted == {5: "older than 1 day"}
        assert kept == {
            1: "protected branch 'main'",
            2: "protected branch 'release/1.0'",
            3: "protected tag 'v1.0'",
            4: "its branch is unknown, so it may be a protected one",
        }
        assert 4 in reasons(found, older_than=DAY)[0]
        assert 4 in reasons(found, older_than=DAY, protect_tags="v*")[1]

    @pytest.mark.parametrize("policy", [{"older_than": DAY}, {"keep_latest": 1}, {"max_total_bytes": 0}])
    def test_an_unknown_time(self, policy):
        """It is neither old nor new."""
        found = [artifact(1, days=None), artifact(2, days=None)]
        assert reasons(found, **policy) == ({}, dict.fromkeys((1, 2), "its creation time is unknown"))

    @pytest.mark.parametrize(
        ("length", "said"),
        [
            (timedelta(days=1), "1 day"),
            (timedelta(weeks=2), "14 days"),
            (timedelta(hours=36), "36 hours"),
            (timedelta(minutes=90), "90 minutes"),
            (timedelta(seconds=1.5), "1.5 seconds"),
            (timedelta(), "0 seconds"),
        ],
    )
    def test_lengths_of_time(self, length, said):
        """They are said in the longest unit that fits."""
        assert reasons([artifact(1, days=99)], older_than=length)[0] == {1: f"older than {said}"}


class TestPlan:
    """The plan itself."""

    def test_an_artifact_that_was_listed_twice(self):
        """It is in the plan once."""
        assert list(reasons([artifact(1, days=9), artifact(1, days=9)], older_than=DAY)[0]) == [1]

    def test_what_it_tells(self):
        """When and where it was made; it survives pickling."""
        made = retention.plan([artifact(1, days=9), artifact(2)], RetentionPolicy(older_than=DAY), NOW, repository=REPO)
        assert (made.created_at, made.repository, made.bytes_freed, made.bytes_kept) == (NOW, REPO, 100, 100)
        assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - just made

    def test_of_what_was_consumed(self, monkeypatch):
        """Just these, each once; a reference has no known size."""
        monkeypatch.setattr(now, "utcnow", lambda: NOW)
        one, ref = artifact(1), ArtifactRef(REPO, 2)
        made = CleanupPlan.of(iter([one, ref, one]))
        assert made.delete == (PlannedArtifact(one, "chosen"), PlannedArtifact(ref, "chosen"))
        assert (made.keep, made.created_at, made.repository, made.bytes_freed) == ((), NOW, REPO, 100)

    def test_of_several_repositories_or_none(self):
        """The same id in two repositories is two artifacts."""
        assert CleanupPlan.of([]).repository is None
        made = CleanupPlan.of([ArtifactRef(REPO, 2), ArtifactRef("octo-org/other", 2)])
        assert (len(made.delete), made.repository) == (2, None)

    @pytest.mark.parametrize("wrong", [7, "wheel", attrs.evolve(artifact(1), repository=None)])
    def test_of_something_else(self, wrong):
        """Nothing is guessed."""
        with pytest.raises(ConfigurationError, match="a plan needs artifacts that have a repository, not"):
            CleanupPlan.of([wrong])

    def test_of_a_single_artifact(self):
        """It must be put in a list."""
        with pytest.raises(ConfigurationError, match="a plan needs an iterable of artifacts, not one Artifact"):
            CleanupPlan.of(artifact(1))  # type: ignore[arg-type]


# --- for any listing, and any policy

ARTIFACTS = st.lists(
    st.builds(
        artifact,
        st.integers(1, 40),
        days=st.none() | st.integers(0, 60),
        name=st.sampled_from(["wheel", "logs"]),
        branch=st.sampled_from([None, "main", "dev", "v1"]),
        head=st.sampled_from([1, 2]),
        expired=st.booleans(),
        size_in_bytes=st.integers(0, 300),
    ),
    max_size=25,
    unique_by=lambda it: it.id,
)
POLICY = {
    "older_than": st.none() | st.integers(0, 50).map(lambda days: days * DAY),
    "keep_latest": st.none() | st.integers(1, 4),
    "max_total_bytes": st.none() | st.integers(0, 2000),
    "only_expired": st.booleans(),
    "names": st.sampled_from(["*", "wheel", "l*"]),
    "except_names": st.sampled_from([(), "logs"]),
    "protect_branches": st.sampled_from([(), "main", ("ma*", "dev")]),
    "protect_tags": st.sampled_from([(), "v*"]),
}


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Return a valid policy's arguments."""
    drawn = {name: draw(values) for name, values in POLICY.items()}
    if not drawn["only_expired"] and all(drawn[it] is None for it in ("older_than", "keep_latest", "max_total_bytes")):
        drawn["keep_latest"] = 1
    return drawn


def deleted(found: list[Artifact], **policy: Any) -> set[int]:
    """Return the ids that a policy deletes."""
    return {it.artifact.id for it in retention.plan(found, RetentionPolicy(**policy), NOW).delete}


@given(ARTIFACTS, policies())
def test_every_artifact_is_either_deleted_or_kept(found, policy):
    """Deleted and kept are the listing, each once and with a reason; the bytes add up."""
    made = retention.plan(found, RetentionPolicy(**policy), NOW)
    both = [*made.delete, *made.keep]
    assert sorted(it.artifact.id for it in both) == sorted(it.id for it in found)
    assert all(it.reason for it in both)
    assert made.bytes_freed + made.bytes_kept == sum(it.size_in_bytes for it in found if not it.expired)


@given(ARTIFACTS, policies())
def test_what_is_protected_is_never_deleted(found, policy):
    """By name, by branch, by what is unknown, or as one of the newest of its name and branch."""
    rules = RetentionPolicy(**policy)
    made = retention.plan(found, rules, NOW)
    kept = {it.artifact.id for it in made.keep}
    for planned in made.delete:
        it = planned.artifact
        assert isinstance(it, Artifact)
        branch = it.workflow_run and it.workflow_run.head_branch
        assert it.name == "wheel" if rules.names == ("wheel",) or rules.except_names else True
        assert it.name == "logs" if rules.names == ("l*",) else True
        assert branch != "main" if rules.protect_branches else True
        assert branch is not None if rules.protect_branches or rules.protect_tags else True
        assert branch != "v1" if rules.protect_tags else True
        assert it.created_at is not None or rules.only_expired
        if rules.keep_latest is not None and it.created_at is not None:
            twins = [
                other
                for other in found
                if (other.name, other.workflow_run and other.workflow_run.head_branch) == (it.name, branch)
                and other.created_at is not None
                and (other.created_at, other.id) > (it.created_at, it.id)
            ]
            assert len([other for other in twins if other.id in kept]) >= rules.keep_latest


@given(ARTIFACTS, policies())
def test_the_total_is_reached_or_nothing_is_left_to_delete(found, policy):
    """With ``max_total_bytes``; and no artifact more than needed is deleted for it."""
    made = retention.plan(found, RetentionPolicy(**policy), NOW)
    limit = policy["max_total_bytes"]
    for_size = [it for it in made.delete if it.reason.startswith("among the oldest")]
    if limit is None:
        assert not for_size
        return
    free = {"only_expired": False, "older_than": timedelta()}
    left = deleted([it.artifact for it in made.keep if not it.artifact.expired], **{**policy, **free})
    assert made.bytes_kept <= limit or not left
    if for_size:
        assert made.bytes_kept + max(for_size, key=lambda it: matching.age(it.artifact)).bytes > limit


@given(ARTIFACTS, policies(), st.data())
def test_a_stricter_policy_deletes_less(found, policy, data):
    """More protection, a longer time or more to keep never delete more (a total would then take others)."""
    policy["max_total_bytes"] = None
    policy["only_expired"] = policy["only_expired"] or policy["older_than"] is policy["keep_latest"] is None
    before = deleted(found, **policy)
    stricter = data.draw(
        st.sampled_from(
            [
                {"older_than": (policy["older_than"] or timedelta()) + DAY},
                {"keep_latest": (policy["keep_latest"] or 0) + 1},
                {"only_expired": True},
                {"protect_branches": (*RetentionPolicy(**policy).protect_branches, "d*")},
                {"except_names": "*"},
            ]
        )
    )
    assert deleted(found, **{**policy, **stricter}) <= before


@given(ARTIFACTS, policies(), st.integers(0, 1000))
def test_a_larger_total_deletes_less(found, policy, more):
    """Room for more bytes never deletes more."""
    policy["max_total_bytes"] = policy["max_total_bytes"] or 0
    before = deleted(found, **policy)
    assert deleted(found, **{**policy, "max_total_bytes": policy["max_total_bytes"] + more}) <= before


@given(st.permutations([artifact(it, days=it % 4, size_in_bytes=it) for it in range(1, 12)]), policies())
def test_the_order_of_the_listing_does_not_matter(found, policy):
    """The same artifacts are deleted, in the same order."""
    rules = RetentionPolicy(**policy)
    assert retention.plan(found, rules, NOW).delete == retention.plan(found[::-1], rules, NOW).delete
